"""Accounts and their contacts: who joins when, what they are worth, how often they buy, and when they leave on their own.

Buy till you die (Schmittlein, Morrison, Colombo 1987): while alive an account orders as a Poisson process with its own rate, and its
lifetime is exponential with its own rate; both rates are gamma over accounts. Founders are alive at the first month by construction:
the lifetime rate of one who has lived `a` weeks is gamma with the same shape and the rate parameter plus a.
"""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY, Calendar
from demo_company.codes import ACQUISITION_COST_CENTS, COUNTRY_CURRENCY, COUNTRY_LANGUAGE, COUNTRY_SHARES
from demo_company.draws import Draws, Floats, Integers
from demo_company.files import NULL, Batch

WEEK = 7 * DAY
FOUNDING_SHARE = 55
"""Percent of all accounts that exist before the first month; the others join evenly over the months."""
_FOUNDED_DAYS = 1_000
_CONTACT_CAP = 20.0
WEIGHT = 1_000
"""Weights are whole thousandths, so that their sums are exact."""
MERGED_PER_TEN_THOUSAND = 60
NEVER = np.iinfo(np.int64).max
HIGH, MIDDLE, LOW = range(3)
_STRATUM_PERCENT = (20, 50)
"""The best 20 % of accounts by value are HIGH, the next 30 % MIDDLE."""


def value_index(count: int, odds: float) -> Floats:
    """Value of the accounts from the best to the last, with mean 1.

    A Pareto law of shape 1/2 between 1/R and R, taken at equal slices: the best share q of the accounts holds R q / (1 + q (R - 1)) of
    the value, so the odds of the value share are R times the odds of the customer share, exactly, whatever the number of accounts.
    """
    edge = np.arange(count + 1, dtype=np.float64) / count
    held = odds * edge / (1.0 + edge * (odds - 1.0))
    return count * (held[1:] - held[:-1])


class Customers:
    """Fixed traits of all accounts; positions are account numbers."""

    def __init__(self, count: int, calendar: Calendar, seed: int, behaviour: Behaviour) -> None:
        draws = Draws(seed, 1)
        self.count, self.calendar, self.behaviour = count, calendar, behaviour
        number = np.arange(count, dtype=np.int64)
        founding = count * FOUNDING_SHARE // 100
        later = np.maximum(number - founding, 0) * calendar.months // max(count - founding, 1)
        self.join_month = np.where(number < founding, -1, later)
        edges = calendar.edges
        month = np.maximum(self.join_month, 0)
        low = np.where(self.join_month < 0, edges[0] - _FOUNDED_DAYS * DAY, edges[month])
        high = np.where(self.join_month < 0, edges[0], edges[month + 1] - DAY)
        self.created_at = draws.integers(low, high, count)
        self.present_from = np.maximum(self.created_at, int(edges[0]))
        self.rank = draws.order(count)
        self.value = value_index(count, behaviour.value_odds())[self.rank]
        self.stratum = np.searchsorted(np.array(_STRATUM_PERCENT) * count, self.rank * 100, side="right").astype(np.int64)
        self._buying(draws)
        v = 1.0 - draws.uniform(count)
        self.contact_weight = (np.minimum(1.0 / np.sqrt(v), _CONTACT_CAP) * WEIGHT).astype(np.int64)
        self.kind = draws.choice(count, (4_000, 6_000))
        self.country = draws.choice(count, COUNTRY_SHARES)
        self.currency = np.array(COUNTRY_CURRENCY, dtype=np.int64)[self.country]
        self.language = np.array(COUNTRY_LANGUAGE, dtype=np.int64)[self.country]
        self.contact_count = np.where(self.kind == 0, draws.integers(1, 4, count), 1)
        self.first_contact = np.cumsum(self.contact_count) - self.contact_count
        self._traits(draws)
        self._merges(draws)

    def _buying(self, draws: Draws) -> None:
        b = self.behaviour
        self.order_rate = draws.gamma(b.order_shape, self.count) / b.order_scale
        age = np.where(self.join_month < 0, (self.calendar.edges[0] - self.created_at) / WEEK, 0.0)
        self.death_rate = draws.gamma(b.lifetime_shape, self.count) / (b.lifetime_scale + age)
        weeks = draws.exponential(self.count) / np.maximum(self.death_rate, 1e-9)
        self.natural_death = self.present_from + 1 + (np.minimum(weeks, 1e5) * WEEK).astype(np.int64)

    def _traits(self, draws: Draws) -> None:
        count = self.count
        self.size_band = np.where(self.kind == 1, NULL, np.minimum(self.stratum + draws.choice(count, (6_000, 4_000)), 3))
        self.industry = np.where(self.kind == 1, NULL, draws.integers(0, 6, count))
        self.source = draws.choice(count, (3_500, 2_000, 1_500, 1_000, 2_000))
        self.source_cost = np.array(ACQUISITION_COST_CENTS, dtype=np.int64)[self.source] * draws.integers(60, 141, count) // 100
        self.is_target = draws.chance(count, np.array((7_000, 4_500, 1_500), dtype=np.int64)[self.stratum]).astype(np.int64)
        self.preferred = draws.choice(count, (3_500, 4_000, 2_000, 500))

    def _merges(self, draws: Draws) -> None:
        """Let some accounts turn out to be another one: from `merged_at` on their business goes under the surviving account's id."""
        start, end = int(self.calendar.edges[0]), int(self.calendar.edges[-1])
        merged = np.flatnonzero(draws.chance(self.count, MERGED_PER_TEN_THOUSAND))
        if self.count >= 50 and not len(merged):
            merged = np.array([self.count // 2], dtype=np.int64)
        others = np.setdiff1d(np.flatnonzero(self.join_month < 0), merged)
        if not len(others):
            merged = merged[:0]
        self.merged_at = np.full(self.count, NEVER, dtype=np.int64)
        self.surviving = np.arange(self.count, dtype=np.int64)
        at = draws.integers(start, end, len(merged))
        self.merged_at[merged] = np.maximum(at, self.present_from[merged] + 5 * DAY)
        if len(merged):
            self.surviving[merged] = others[draws.integers(0, len(others), len(merged))]

    def known_as(self, accounts: Integers, at: Integers) -> Integers:
        """Id under which the company knows the account at an instant; null stays null."""
        known = np.maximum(accounts, 0)
        return np.where(accounts == NULL, NULL, np.where(at >= self.merged_at[known], self.surviving[known], accounts))

    def contact_of(self, accounts: Integers, draws: Draws) -> Integers:
        """One contact of each account; null for a null account."""
        known = np.maximum(accounts, 0)
        return np.where(accounts == NULL, NULL, self.first_contact[known] + draws.integers(0, self.contact_count[known], len(accounts)))

    def account_rows(self, accounts: Integers, closed_at: Integers, reason: Integers) -> Batch:
        """Rows of the feed accounts; `closed_at` null means active."""
        return {
            "account_id": accounts,
            "account_name": accounts,
            "account_kind": self.kind[accounts],
            "lifecycle_state": (closed_at != NULL).astype(np.int64),
            "is_target_customer": self.is_target[accounts],
            "segment": self.stratum[accounts],
            "industry": self.industry[accounts],
            "size_band": self.size_band[accounts],
            "country_code": self.country[accounts],
            "currency_code": self.currency[accounts],
            "language_code": self.language[accounts],
            "preferred_channel": self.preferred[accounts],
            "created_at": self.created_at[accounts],
            "closed_at": closed_at,
            "close_reason": reason,
            "acquisition_source": self.source[accounts],
            "acquisition_cost_amount": self.source_cost[accounts],
        }

    def contact_rows(self, accounts: Integers) -> Batch:
        """Rows of the feed contacts for all contacts of the accounts."""
        owner = np.repeat(accounts, self.contact_count[accounts])
        ends = np.cumsum(self.contact_count[accounts])
        place = np.arange(len(owner), dtype=np.int64) - np.repeat(ends - self.contact_count[accounts], self.contact_count[accounts])
        return {
            "contact_id": self.first_contact[owner] + place,
            "account_id": owner,
            "role": np.minimum(place, 1),
            "is_shared_mailbox": (place == 2).astype(np.int64),
        }

    def merge_rows(self, start: int, end: int) -> Batch:
        """Rows of the feed account_merges for the merges in [start, end)."""
        accounts = np.flatnonzero((self.merged_at >= start) & (self.merged_at < end)).astype(np.int64)
        return {
            "from_account_id": accounts,
            "merged_at": self.merged_at[accounts],
            "to_account_id": self.surviving[accounts],
            "merge_reason": accounts % 2,
        }
