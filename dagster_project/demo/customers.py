"""Accounts and their contacts: who joins when, how much they buy and ask, and when they are gone for good."""

from __future__ import annotations

import numpy as np

from dagster_project.demo.calendar import DAY, Calendar
from dagster_project.demo.draws import Draws, Flags, Integers
from dagster_project.demo.files import NULL, Batch

FOUNDING_SHARE = 55
"""Percent of all accounts that exist before the first month; the others join evenly over the months."""
HAZARD_BASE = 100
"""Chance per 10,000 that an account is lost at the end of a month without a bad experience."""
HAZARD_BAD_SERVICE = 400
"""The same chance after at least one badly handled ticket in the month."""
_VALUE_CAP = 1_000.0
_CONTACT_CAP = 20.0
WEIGHT = 1_000
"""Weights are whole thousandths, so that their sums are exact."""


class Customers:
    """Fixed traits of all accounts and the one thing that changes: `lost_month` (the number of months while alive)."""

    def __init__(self, count: int, calendar: Calendar, seed: int) -> None:
        draws = Draws(seed, 1)
        self.count, self.calendar = count, calendar
        number = np.arange(count, dtype=np.int64)
        founding = count * FOUNDING_SHARE // 100
        later = np.maximum(number - founding, 0) * calendar.months // max(count - founding, 1)
        self.join_month = np.where(number < founding, -1, later)
        edges = calendar.edges
        month = np.maximum(self.join_month, 0)
        low = np.where(self.join_month < 0, edges[0] - 1_000 * DAY, edges[month])
        high = np.where(self.join_month < 0, edges[0], edges[month + 1] - DAY)
        self.created_at = draws.integers(low, high, count)
        # Pareto tails with shape 1 (value: 20 % of customers hold most of it) and 2 (contacts), by division and square roots only.
        u = 1.0 - draws.uniform(count)
        self.value_root = np.sqrt(np.minimum(1.0 / u, _VALUE_CAP))
        v = 1.0 - draws.uniform(count)
        self.order_weight = (self.value_root * WEIGHT).astype(np.int64)
        self.contact_weight = (np.minimum(1.0 / np.sqrt(v), _CONTACT_CAP) * WEIGHT).astype(np.int64)
        self.kind = draws.choice(count, (4_000, 6_000))
        self.country = draws.choice(count, (3_000, 2_000, 1_800, 1_200, 2_000))
        self.currency = (self.country == 4).astype(np.int64)
        self.contact_count = np.where(self.kind == 0, draws.integers(1, 4, count), 1)
        self.first_contact = np.cumsum(self.contact_count) - self.contact_count
        self.lost_month = np.full(count, calendar.months, dtype=np.int64)

    def present(self, month: int) -> Flags:
        """Accounts that have joined and are not lost in this month."""
        return np.asarray((self.join_month <= month) & (self.lost_month >= month))

    def contact_of(self, accounts: Integers, draws: Draws) -> Integers:
        """One contact of each account; null for a null account."""
        known = np.maximum(accounts, 0)
        return np.where(accounts == NULL, NULL, self.first_contact[known] + draws.integers(0, self.contact_count[known], len(accounts)))

    def lose(self, month: int, exposed: Flags, draws: Draws) -> Integers:
        """Draw who is lost at the end of the month; `exposed` had bad service. Returns the lost accounts."""
        hazard = np.where(exposed, HAZARD_BAD_SERVICE, HAZARD_BASE)
        lost = np.flatnonzero(draws.chance(self.count, hazard) & self.present(month))
        self.lost_month[lost] = month
        return lost

    def account_rows(self, accounts: Integers, closed_at: Integers, exposed: Flags) -> Batch:
        """Rows of the feed accounts; `closed_at` null means active."""
        closed = closed_at != NULL
        return {
            "account_id": accounts,
            "account_name": accounts,
            "account_kind": self.kind[accounts],
            "lifecycle_state": closed.astype(np.int64),
            "segment": 2 - np.digitize(self.value_root[accounts], (1.3, 2.5)).astype(np.int64),
            "country_code": self.country[accounts],
            "currency_code": self.currency[accounts],
            "language_code": self.country[accounts],
            "created_at": self.created_at[accounts],
            "closed_at": closed_at,
            "close_reason": np.where(closed, np.where(exposed[accounts], 0, 1), NULL),
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
