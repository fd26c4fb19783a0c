"""What the company does to make a problem good: refunds, redeliveries, credits, apologies; and refunds of plain returns."""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY
from demo_company.customers import Customers
from demo_company.draws import Draws, Integers
from demo_company.files import NULL, Batch, rows, take
from demo_company.outbox import Outbox
from demo_company.sales import Sales

RECOVERED = 7_000
"""Problem tickets with a recovery action."""
_KINDS = (2_000, 3_000, 2_000, 1_500, 1_500)
_REFUND, _APOLOGY = 1, 4
RETURNED_PER_TEN_THOUSAND_LINES = 70
_REASON_OF_ISSUE = np.array((1, 0, 3, 3, 3, 2, 3, 0, 0), dtype=np.int64)
_CHANGED_MIND = 2


class Recovery:
    """Running action numbers; the lines with problems of the last months, to be refunded."""

    def __init__(self, customers: Customers, sales: Sales, outbox: Outbox) -> None:
        self._customers, self._sales, self._outbox = customers, sales, outbox
        self._next = 0

    def month(self, ended: Batch, known: Batch, draws: Draws) -> None:
        """Recovery actions for the chains that ended; `known` are the problem lines of the last months, in order of `event`."""
        able = (ended["event"] != NULL) & (ended["ticket"] != NULL)
        chosen = take(ended, able & draws.chance(rows(ended), RECOVERED))
        count = rows(chosen)
        place = np.searchsorted(known["event"], chosen["event"])
        line = take(known, place)
        kind = draws.choice(count, _KINDS)
        amount = np.where(kind == _REFUND, line["net_amount"], np.where(kind == _APOLOGY, 0, line["net_amount"] * 15 // 100 + 500))
        at = chosen["ended_at"]
        action = {
            "recovery_action_id": self._next + np.arange(count, dtype=np.int64),
            "ticket_id": chosen["ticket"],
            "account_id": self._customers.known_as(chosen["account"], at),
            "order_id": chosen["order"],
            "agent_id": chosen["last_agent"],
            "recovery_kind": kind,
            "recovery_amount": amount,
            "currency_code": line["_currency_code"],
            "acted_at": at,
        }
        self._next += count
        self._outbox.add("recovery_actions", action, at)
        refunded = kind == _REFUND
        when = at[refunded] + draws.integers(DAY, 7 * DAY, int(refunded.sum()))
        self._sales.refund(take(line, refunded), when, _REASON_OF_ISSUE[chosen["issue"][refunded]], draws)

    def returns(self, lines: Batch, troubled: Integers, draws: Draws) -> None:
        """Refund plain returns among delivered lines; `troubled` are positions of lines with a problem, which are excluded."""
        counted = (lines["_order_kind"] == 0) & (lines["_is_test"] == 0) & (lines["_order_state"] == 0)
        counted[troubled] = False
        chosen = take(lines, draws.chance(len(counted), RETURNED_PER_TEN_THOUSAND_LINES) & counted)
        at = chosen["_ordered_at"] + draws.integers(3 * DAY, 25 * DAY, rows(chosen))
        self._sales.refund(chosen, at, np.full(len(at), _CHANGED_MIND, dtype=np.int64), draws)
