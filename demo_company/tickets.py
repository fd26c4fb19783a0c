"""Rows of the feed tickets: one ticket per chain that was answered, as it was when opened and when it was over; duplicates and spam."""

from __future__ import annotations

import numpy as np

from demo_company.chains import Chains
from demo_company.codes import EMAIL, STATE
from demo_company.customers import Customers
from demo_company.desk import Desk
from demo_company.draws import Draws
from demo_company.files import NULL, Batch, rows, take
from demo_company.outbox import Outbox

_SPAM, _MERGED, _DELETED, _CLOSED = 200, 150, 100, 4_000
_SPREAD = 7_919
"""A number without common factors with 10,000: `ticket x _SPREAD mod 10,000` replaces a draw that both versions of a row share."""
_AFTER_SOLVED = ("first_solved_at", "last_solved_at", "closed_at", "resolution_code")
_ISSUE_FAMILY = np.array((0, 1, 2, 3, 4, 0, 4, 1, 0), dtype=np.int64)
_COMPLAINT = 2


class Tickets:
    """Writes tickets into the outbox at the end of each month."""

    def __init__(self, customers: Customers, desk: Desk, outbox: Outbox) -> None:
        self._customers, self._desk, self._outbox = customers, desk, outbox

    def month(self, start: int, end: int, draws: Draws) -> list[Batch]:
        """Queue the tickets opened or ended in a month; returns the rows that say how tickets ended."""
        chains = self._desk.chains
        opened, ended = np.concatenate(self._desk.opened), np.concatenate(self._desk.ended)
        over = chains.of(ended)
        final = self._final(take(over, over["ticket"] != NULL))
        running = chains.of(np.setdiff1d(opened, ended))
        now = np.isin(final["_chain"], opened)
        twice = now & (final["_final_at"] >= self._outbox.next_cutoff(np.maximum(final["created_at"], start)))
        self._outbox.add("tickets", final | {"_is_first": (now & ~twice).astype(np.int64)}, final["_final_at"])
        for first in (take(final, twice), self._final(running)):
            self._outbox.add("tickets", _as_opened(first), first["created_at"])
        merged = self._duplicates(take(final, now), draws)
        return [final, *merged, self._spam(max(len(opened) * _SPAM // 10_000, 1), start, end, draws)]

    def _final(self, over: Batch) -> Batch:
        """Rows of tickets whose chain is over."""
        luck = over["ticket"] * _SPREAD % 10_000
        count = rows(over)
        zero = np.zeros(count, dtype=np.int64)
        solved, created = over["ended_at"], over["created_at"]
        closed, deleted = luck % 100 < _CLOSED // 100, luck // 100 < _DELETED // 100
        state = np.where(deleted, STATE["deleted"], np.where(closed, STATE["closed"], STATE["solved"]))
        unsolved = over["is_solved"] == 0
        final_at = solved + np.where(closed, 7_200, 0)
        known = self._customers.known_as(over["account"], created)
        return {
            "ticket_id": over["ticket"],
            "account_id": np.where((luck % 97) < 94, known, NULL),
            "contact_id": np.where((luck % 97) < 96, over["contact"], NULL),
            "created_at": created,
            "first_solved_at": np.where(over["contacts"] > 1, created + (solved - created) // np.maximum(over["contacts"], 1), solved),
            "last_solved_at": solved,
            "closed_at": np.where(closed & ~deleted, final_at, NULL),
            "ticket_state": state,
            "merged_into_ticket_id": zero + NULL,
            "channel": over["last_channel"],
            "priority": np.clip(np.where(over["severity"] == 0, 1 - (luck % 5 == 0), over["severity"] - 1 + (luck % 7 == 0)), 0, 3),
            "ticket_type": over["ticket_type"],
            "issue_family": _ISSUE_FAMILY[over["issue"]],
            "issue_code": over["issue"],
            "product_id": over["product"],
            "order_id": over["order"],
            "department_id": over["department"],
            "assignee_id": over["assignee"],
            "escalation_level": np.where(unsolved & (over["severity"] >= 3), over["severity"] - 2, zero) + (over["contacts"] >= 4),
            "is_complaint": (over["ticket_type"] == _COMPLAINT).astype(np.int64),
            "is_problem_report": (over["event"] != NULL).astype(np.int64),
            "resolution_code": np.where(unsolved, 2, (luck % 9 == 0).astype(np.int64)),
            "reopen_count": np.maximum(over["contacts"] - 1, 0),
            "handle_seconds": over["work"],
            "is_deleted": deleted.astype(np.int64),
            "_final_at": final_at,
            "_chain": over["chain"],
            "_is_first": zero + 1,
        }

    def _duplicates(self, tickets: Batch, draws: Draws) -> list[Batch]:
        """Add second tickets about the same matter, merged into the first; every tenth of them merges by way of another."""
        chosen = np.flatnonzero(draws.chance(rows(tickets), _MERGED) & (tickets["account_id"] != NULL))
        if not len(chosen):
            return []
        second = take(tickets, chosen)
        third = take(second, np.arange(0, len(chosen), 10))
        numbers = self._desk.new_tickets(len(chosen) + rows(third))
        targets = np.concatenate([tickets["ticket_id"][chosen], numbers[: len(chosen) : 10]])
        first = np.concatenate([np.arange(len(chosen)), np.arange(0, len(chosen), 10)])
        created = second["created_at"][first] + draws.integers(600, 6 * 3_600, len(numbers))
        created[len(chosen) :] = created[: len(chosen) : 10] + 300
        copy = take(second, first)
        zero = np.zeros(len(numbers), dtype=np.int64)
        solved = created + 900
        copy |= {
            "ticket_id": numbers,
            "merged_into_ticket_id": targets,
            "created_at": created,
            "first_solved_at": solved,
            "last_solved_at": solved,
            "closed_at": zero + NULL,
            "ticket_state": zero + STATE["merged"],
            "channel": zero + EMAIL,
            "escalation_level": zero,
            "resolution_code": zero + 3,
            "reopen_count": zero,
            "handle_seconds": draws.integers(30, 120, len(numbers)),
            "is_deleted": zero,
        }
        self._outbox.add("tickets", copy, solved)
        return [copy]

    def _spam(self, count: int, start: int, end: int, draws: Draws) -> Batch:
        created = draws.integers(start, end - 2 * 3_600, count)
        nothing, zero = np.full(count, NULL, dtype=np.int64), np.zeros(count, dtype=np.int64)
        chain: Batch = dict.fromkeys(Chains().table, nothing) | {
            "ticket": self._desk.new_tickets(count),
            "chain": nothing,
            "account": nothing,
            "created_at": created,
            "ended_at": created + 60,
            "contacts": zero,
            "severity": zero,
            "ticket_type": zero,
            "issue": zero + 6,
            "department": zero,
            "is_solved": zero + 1,
            "last_channel": zero + EMAIL,
            "work": draws.integers(10, 60, count),
        }
        spam = self._final(chain)
        spam |= {
            "ticket_state": zero + STATE["spam"],
            "is_deleted": zero,
            "resolution_code": zero + 3,
            "first_solved_at": nothing,
            "last_solved_at": nothing,
            "closed_at": nothing,
            "assignee_id": nothing,
        }
        self._outbox.add("tickets", spam, created + 60)
        return spam


def _as_opened(tickets: Batch) -> Batch:
    """Return the same tickets as they were on the day they were opened."""
    count = rows(tickets)
    nothing, zero = np.full(count, NULL, dtype=np.int64), np.zeros(count, dtype=np.int64)
    return tickets | dict.fromkeys(_AFTER_SOLVED, nothing) | dict.fromkeys(
        ("ticket_state", "is_deleted", "reopen_count", "escalation_level"), zero
    ) | {"handle_seconds": nothing}  # fmt: skip
