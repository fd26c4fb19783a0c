"""Other matters than problems: questions about orders, invoices, log-ins; some are solved in self-service and reach no one."""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY
from demo_company.codes import CHAT, ISSUE_DEPARTMENT, ISSUES
from demo_company.customers import WEIGHT, Customers
from demo_company.draws import Draws, Flags, Integers
from demo_company.files import NULL, Batch, stack, take
from demo_company.workforce import Hours

PER_TEN_THOUSAND_ORDERS = 2_600
PER_TEN_THOUSAND_WEIGHT = 6_700
"""Matters a month about no order, for 10,000 units of contact weight."""
QUICK = 7_600
"""Matters about no order that one answered call or chat solves without a ticket."""
SESSION_FIRST = 4_500
CONTAINED = (5_500, 2_000, 4_000, 6_500, 5_000, 4_500, 3_000)
"""Chance by issue that self-service solves the matter; else the customer may give up or contact us."""
COMES_AFTER_FAILURE = 7_500
_ORDER_ISSUES, _ISSUES = (4_500, 0, 1_500, 0, 1_000, 2_000, 1_000), (500, 0, 2_000, 3_000, 2_500, 0, 2_000)
_CHANNEL_SHARES = (2_600, 4_500, 2_200, 700)


class Matters:
    """Running session numbers."""

    def __init__(self, customers: Customers, hours: Hours, behaviour: Behaviour) -> None:
        self._customers, self._hours, self._behaviour = customers, hours, behaviour
        self._next_session = 0

    def month(self, month: int, orders: Batch, present: Flags, draws: Draws) -> tuple[Batch, Batch, Integers]:
        """Draw the matters that come up in a month. Returns the chains, the sessions before or instead of them, and each first contact."""
        raised = stack([self._of_orders(month, orders, draws), self._of_accounts(month, present, draws)])
        count = len(raised["at"])
        session, goes_on, ended = self._sessions(raised, draws)
        number = np.where(raised["has_session"] == 1, np.cumsum(raised["has_session"]) - 1 + self._next_session, NULL)
        self._next_session += int(raised["has_session"].sum())
        lag = 300 + (draws.uniform(count) * draws.uniform(count) * 20 * 3_600).astype(np.int64)
        at = np.where(raised["has_session"] == 1, ended + lag, raised["at"])
        live = (raised["channel"] == 1) | (raised["channel"] == CHAT)
        at = np.where(live, self._hours.into(at, draws.uniform(count)), at)
        chosen = raised["has_session"] == 1
        session |= {"session_id": number[chosen], "_contact_at": np.where(goes_on, at, NULL)[chosen]}
        chains = self._chains(take(raised, goes_on), number[goes_on], draws)
        return chains, session, at[goes_on]

    def _of_orders(self, month: int, orders: Batch, draws: Draws) -> Batch:
        counted = (orders["order_kind"] == 0) & (orders["is_test"] == 0) & (orders["order_state"] == 0)
        place = np.flatnonzero(draws.chance(len(counted), PER_TEN_THOUSAND_ORDERS) & counted).astype(np.int64)
        at = (orders["ordered_at"][place] // DAY + 1) * DAY + draws.integers(0, 10 * DAY, len(place))
        return self._raise(orders["_account"][place], at, draws.choice(len(place), _ORDER_ISSUES), month, draws) | {
            "order": orders["order_id"][place],
            "order_place": place,
        }

    def _of_accounts(self, month: int, present: Flags, draws: Draws) -> Batch:
        weights = np.where(present, self._customers.contact_weight, 0)
        count = int(weights.sum()) * PER_TEN_THOUSAND_WEIGHT // (10_000 * WEIGHT)
        accounts = draws.weighted(weights, count) if count else np.empty(0, dtype=np.int64)
        start, end = self._customers.calendar.edges[month : month + 2]
        at = draws.integers(np.maximum(start, self._customers.created_at[accounts]), int(end), count)
        nothing = np.full(count, NULL, dtype=np.int64)
        raised = self._raise(accounts, at, draws.choice(count, _ISSUES), month, draws) | {"order": nothing, "order_place": nothing}
        live = (raised["channel"] == 1) | (raised["channel"] == CHAT)
        return raised | {"is_quick": (live & draws.chance(count, QUICK)).astype(np.int64)}

    @staticmethod
    def _raise(accounts: Integers, at: Integers, issue: Integers, month: int, draws: Draws) -> Batch:
        count = len(at)
        return {
            "account": accounts,
            "at": at,
            "issue": issue,
            "order_month": np.full(count, month, dtype=np.int64),
            "channel": draws.choice(count, _CHANNEL_SHARES),
            "is_quick": np.zeros(count, dtype=np.int64),
            "has_session": draws.chance(count, SESSION_FIRST).astype(np.int64),
        }

    def _sessions(self, raised: Batch, draws: Draws) -> tuple[Batch, Flags, Integers]:
        """Sessions of the matters that begin with one; which matters go on to a contact; when each session ends."""
        count = len(raised["at"])
        tried = raised["has_session"] == 1
        contained = draws.chance(count, np.array((*CONTAINED, 0, 0), dtype=np.int64)[raised["issue"]]) & tried
        comes = draws.chance(count, COMES_AFTER_FAILURE)
        ended = raised["at"] + 20 + (draws.uniform(count) * draws.uniform(count) * 1_500).astype(np.int64)
        won, lost = draws.choice(count, (7_500, 0, 0, 0, 2_500)), draws.choice(count, (0, 3_000, 3_000, 3_000, 1_000))
        known = draws.chance(count, 7_000)
        steps = draws.integers(1, 9, count)
        session = {
            "self_service_channel": draws.choice(count, (3_000, 2_500, 2_000, 1_500, 1_000)),
            "account_id": np.where(known, self._customers.known_as(raised["account"], raised["at"]), NULL),
            "contact_id": np.where(known, self._customers.contact_of(raised["account"], draws), NULL),
            "started_at": raised["at"],
            "ended_at": ended,
            "intent": raised["issue"],
            "step_count": steps,
            "article_count": np.minimum(steps, draws.integers(0, 5, count)),
            "outcome": np.where(contained, won, lost),
            "is_agent_requested": (~contained & draws.chance(count, 3_500)).astype(np.int64),
            "choice_reason": np.where(draws.chance(count, 1_500), draws.integers(0, 4, count), NULL),
            "_account": raised["account"],
            "_order_place": raised["order_place"],
            "_is_contained": contained.astype(np.int64),
        }
        return take(session, tried), np.asarray(~tried | (~contained & comes)), ended

    def _chains(self, raised: Batch, session: Integers, draws: Draws) -> Batch:
        count = len(raised["at"])
        nothing = np.full(count, NULL, dtype=np.int64)
        zero = np.zeros(count, dtype=np.int64)
        b, c = self._behaviour, self._customers
        return {
            "account": raised["account"],
            "contact": c.contact_of(raised["account"], draws),
            "ticket_type": np.array((0, 3), dtype=np.int64)[draws.choice(count, (7_000, 3_000))],
            "issue": raised["issue"],
            "product": nothing,
            "order": raised["order"],
            "line": nothing,
            "order_place": raised["order_place"],
            "order_month": raised["order_month"],
            "department": np.where(raised["channel"] == CHAT, 0, np.array(ISSUE_DEPARTMENT, dtype=np.int64)[raised["issue"]]),
            "channel": raised["channel"],
            "severity": zero,
            "stratum": c.stratum[raised["account"]],
            "fcr": zero + b.fcr_of_other_matters,
            "luck_death": draws.integers(0, 10_000, count),
            "luck_mood": draws.integers(0, 10_000, count),
            "luck_later": draws.integers(0, 10_000, count),
            "is_reported": zero + 1,
            "is_quick": raised["is_quick"],
            "event": nothing,
            "session": session,
            "occurred_at": raised["at"],
        }


INTENTS = ISSUES
