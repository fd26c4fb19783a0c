"""Visits, calls and mishaps of the account managers, and recommendations: what a company does for its accounts and they for it."""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY
from demo_company.codes import GLITCHES, TOUCH_KINDS, TOUCH_STATES
from demo_company.customers import HIGH, Customers
from demo_company.draws import Draws, Flags, Integers
from demo_company.files import NULL, Batch, take
from demo_company.outbox import Outbox

_PLANS = (3_000, 600, 150)
"""Chance by stratum that an account has a touch planned in a month."""
_GLITCHED, _MISSED, _RECOMMENDED, _PAID = 120, 1_800, 60, 3_000
_REWARD_CENTS = 5_000
_REFERRAL = 1
"""Position of `referral` in the sources of accounts."""
_DONE, _PLANNED, _LOST = (TOUCH_STATES.index(state) for state in ("done", "planned", "missed"))
_GLITCH = TOUCH_KINDS.index("glitch")


class Relations:
    """Running numbers of touches and referrals."""

    def __init__(self, customers: Customers, outbox: Outbox, seed: int) -> None:
        self._customers, self._outbox, self._seed = customers, outbox, seed
        self._next_touch = self._next_referral = 0

    def month(self, month: int, present: Flags) -> None:
        """Queue a month's touches of present accounts, and the recommendations that won its new ones or nobody."""
        c, draws = self._customers, Draws(self._seed, 41, month)
        start, end = (int(edge) for edge in c.calendar.edges[month : month + 2])
        there = np.flatnonzero(present).astype(np.int64)
        planned = there[draws.chance(len(there), np.array(_PLANS, dtype=np.int64)[c.stratum[there]])]
        broken = there[draws.chance(len(there), _GLITCHED)]
        self._touches(planned, start, end, draws)
        self._glitches(broken, start, end, draws)
        self._referrals(month, there, start, end, draws)

    def _touches(self, accounts: Integers, start: int, end: int, draws: Draws) -> None:
        count = len(accounts)
        at = draws.integers(np.maximum(start, self._customers.present_from[accounts]), end, count)
        touch = self._touch(accounts, at) | {
            "touch_kind": draws.integers(0, _GLITCH, count),
            "actor_role": np.where(self._customers.stratum[accounts] == HIGH, draws.integers(0, 2, count), 0),
        }
        self._outbox.add("account_touches", touch | {"_is_first": np.ones(count, dtype=np.int64)}, at - at % DAY)
        missed = draws.chance(count, _MISSED)
        done_at = at + draws.integers(60, 4 * DAY, count)
        after = touch | {"touch_state": np.where(missed, _LOST, _DONE), "done_at": np.where(missed, NULL, done_at)}
        known = np.where(missed, at + 7 * DAY, done_at)
        self._outbox.add("account_touches", after | {"_is_first": np.zeros(count, dtype=np.int64)}, known)

    def _glitches(self, accounts: Integers, start: int, end: int, draws: Draws) -> None:
        count = len(accounts)
        at = draws.integers(np.maximum(start, self._customers.present_from[accounts]), end, count)
        glitch = self._touch(accounts, at) | {
            "touch_kind": np.full(count, _GLITCH, dtype=np.int64),
            "glitch_kind": draws.integers(0, len(GLITCHES), count),
        }
        self._outbox.add("account_touches", glitch | {"_is_first": np.ones(count, dtype=np.int64)}, at)
        closed = at + 3_600 + (draws.uniform(count) * draws.uniform(count) * 30 * DAY).astype(np.int64)
        after = glitch | {"touch_state": np.full(count, _DONE, dtype=np.int64), "done_at": closed}
        self._outbox.add("account_touches", after | {"_is_first": np.zeros(count, dtype=np.int64)}, closed)

    def _touch(self, accounts: Integers, at: Integers) -> Batch:
        count = len(accounts)
        number = self._next_touch + np.arange(count, dtype=np.int64)
        self._next_touch += count
        nothing = np.full(count, NULL, dtype=np.int64)
        return {
            "account_touch_id": number,
            "account_id": self._customers.known_as(accounts, at),
            "touch_kind": nothing,
            "glitch_kind": nothing,
            "touch_state": np.full(count, _PLANNED, dtype=np.int64),
            "actor_id": accounts % 5,
            "actor_role": np.zeros(count, dtype=np.int64),
            "planned_at": at,
            "done_at": nothing,
        }

    def _referrals(self, month: int, there: Integers, start: int, end: int, draws: Draws) -> None:
        """Queue recommendations; one names the account it wins once that has joined, some win nobody, some are published testimonials."""
        c = self._customers
        won = np.flatnonzero((c.join_month == month) & (c.source == _REFERRAL)).astype(np.int64)
        old = there[c.created_at[there] < start]
        if not len(old):
            return
        idle = old[draws.chance(len(old), _RECOMMENDED)]
        count = len(won) + len(idle)
        by = np.concatenate([old[draws.integers(0, len(old), len(won))], idle])
        at = draws.integers(
            start, np.concatenate([np.maximum(c.created_at[won], start + 1), np.full(len(idle), end, dtype=np.int64)]), count
        )
        published = draws.chance(count, 4_000) & (np.arange(count) >= len(won))
        referral = {
            "referral_id": self._next_referral + np.arange(count, dtype=np.int64),
            "referrer_account_id": c.known_as(by, at),
            "referred_account_id": np.full(count, NULL, dtype=np.int64),
            "referred_at": at,
            "incentive_amount": np.full(count, NULL, dtype=np.int64),
            "currency_code": np.full(count, NULL, dtype=np.int64),
            "testimonial_url": np.where(published, draws.integers(0, 3, count), NULL),
        }
        self._next_referral += count
        self._outbox.add("referrals", referral | {"_is_first": np.ones(count, dtype=np.int64)}, at)
        paid = draws.chance(len(won), _PAID)
        known = take(referral, np.arange(len(won))) | {
            "referred_account_id": won,
            "incentive_amount": np.where(paid, _REWARD_CENTS, NULL),
            "currency_code": np.where(paid, 0, NULL),
            "_is_first": np.zeros(len(won), dtype=np.int64),
        }
        self._outbox.add("referrals", known, np.maximum(c.created_at[won], at[: len(won)] + 1))
