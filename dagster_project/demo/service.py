"""The service desk of a month: tickets about orders and other matters, and who was served badly.

A ticket spans its interactions by construction: it is solved after the last one has ended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.demo.calendar import DAY
from dagster_project.demo.codes import TICKET_STATES
from dagster_project.demo.customers import WEIGHT, Customers
from dagster_project.demo.draws import Draws, Flags, Integers
from dagster_project.demo.files import NULL, Batch, stack, take
from dagster_project.demo.interactions import Interactions
from dagster_project.demo.outbox import Outbox
from dagster_project.demo.sales import Sales

TICKETS_PER_TEN_THOUSAND_ORDERS = 4_500
TICKETS_PER_TEN_THOUSAND_WEIGHT = 1_750
"""Tickets a month about no order, for 10,000 units of contact weight."""
BAD_SERVICE = (1_200, 1_500, 2_500)
"""Chance per 10,000 of a badly handled ticket, by department."""
REFUNDS_PER_TEN_THOUSAND_ORDER_TICKETS = 1_200
_SPAM, _MERGED, _DELETED = 200, 150, 100
_IDENTIFIED = (9_700, 200, 100)
"""Shares of tickets that name account and contact, the contact only, or neither."""
_STATE = {name: position for position, name in enumerate(TICKET_STATES)}


@dataclass(frozen=True)
class DeskMonth:
    """What a month leaves behind: its tickets, good contacts in which an offer may be made, measured seconds per department."""

    tickets: Batch
    contacts: Batch
    handle_seconds: Integers


class ServiceDesk:
    """Running ticket numbers and the bad experiences still to come."""

    def __init__(self, customers: Customers, sales: Sales, outbox: Outbox) -> None:
        self._customers, self._sales, self._outbox = customers, sales, outbox
        self._interactions = Interactions(customers, outbox)
        self._next_ticket = 0
        self._bad: list[tuple[Integers, Integers]] = []

    def exposed(self, month: int) -> Flags:
        """Accounts with at least one badly handled ticket created in the month."""
        flags = np.zeros(self._customers.count, dtype=np.bool_)
        for accounts, months in self._bad:
            flags[accounts[months == month]] = True
        self._bad = [(accounts[months > month], months[months > month]) for accounts, months in self._bad]
        return flags

    def month(self, month: int, orders: Batch, draws: Draws) -> DeskMonth:
        """Tickets, interactions and refunds that start from this month's orders and customers."""
        about = take(
            orders,
            draws.chance(len(orders["order_id"]), TICKETS_PER_TEN_THOUSAND_ORDERS)
            & (orders["_counted"] == 1)
            & (orders["order_kind"] == 0),
        )
        created = about["ordered_at"] + draws.integers(DAY // 2, 10 * DAY, len(about["order_id"]))
        returned = draws.chance(len(created), REFUNDS_PER_TEN_THOUSAND_ORDER_TICKETS)
        self._sales.refund(take(about, returned), created[returned] + draws.integers(DAY, 7 * DAY, int(returned.sum())), draws)
        other_accounts, other_created = self._other(month, draws)
        tickets = self._open(
            np.concatenate([about["account_id"], other_accounts]),
            np.concatenate([about["order_id"], np.full(len(other_accounts), NULL, dtype=np.int64)]),
            np.concatenate([created, other_created]),
            draws,
        )
        tickets = self._merge(tickets, draws)
        contacts, seconds = self._interactions.month(month, tickets, draws)
        self._queue(tickets, draws)
        known = (tickets["_account"] != NULL) & (tickets["_bad"] == 1)
        self._bad.append((tickets["_account"][known], self._customers.calendar.month_of(tickets["created_at"][known])))
        return DeskMonth(tickets, contacts, seconds)

    def _other(self, month: int, draws: Draws) -> tuple[Integers, Integers]:
        weights = np.where(self._customers.present(month), self._customers.contact_weight, 0)
        count = int(weights.sum()) * TICKETS_PER_TEN_THOUSAND_WEIGHT // (10_000 * WEIGHT)
        accounts = draws.weighted(weights, count) if count else np.empty(0, dtype=np.int64)
        start, end = self._customers.calendar.edges[month : month + 2]
        created = draws.integers(np.maximum(start, self._customers.created_at[accounts]), int(end), count)
        return np.where(draws.chance(count, 2 * _SPAM), NULL, accounts), created

    def _open(self, accounts: Integers, orders: Integers, created: Integers, draws: Draws) -> Batch:
        count = len(created)
        spam = accounts == NULL
        department = np.where(orders == NULL, draws.choice(count, (4_000, 3_000, 3_000)), draws.choice(count, (7_500, 1_500, 1_000)))
        bad = draws.chance(count, np.array(BAD_SERVICE, dtype=np.int64)[department]) & ~spam
        complaint = draws.chance(count, np.where(bad, 3_000, 400)) & ~spam
        u = draws.uniform(count)
        number = self._next_ticket + np.arange(count, dtype=np.int64)
        self._next_ticket += count
        identified = draws.choice(count, _IDENTIFIED)
        return {
            "ticket_id": number,
            "account_id": np.where(identified == 0, accounts, NULL),
            "contact_id": np.where(identified == 2, NULL, self._customers.contact_of(accounts, draws)),
            "created_at": created,
            "ticket_state": np.where(spam, _STATE["spam"], np.where(draws.chance(count, 4_000), _STATE["closed"], _STATE["solved"])),
            "merged_into_ticket_id": np.full(count, NULL, dtype=np.int64),
            "channel": np.where(spam, 0, draws.choice(count, (3_300, 4_000, 2_000, 700))),
            "priority": draws.choice(count, (2_000, 6_000, 1_500, 500)),
            "ticket_type": np.where(complaint, 2, np.where(orders == NULL, draws.choice(count, (6_000, 1_500, 0, 2_500)), 1)),
            "issue_code": np.where(orders == NULL, draws.integers(2, 7, count), draws.integers(0, 2, count)),
            "order_id": orders,
            "department_id": department,
            "assignee_id": np.where(spam, NULL, department * 1_000 + draws.integers(0, 2 + self._customers.count // 800, count)),
            "escalation_level": np.where(bad, draws.integers(0, 4, count), 0),
            "is_complaint": complaint.astype(np.int64),
            "is_problem_report": (orders != NULL).astype(np.int64),
            "reopen_count": (draws.chance(count, np.where(bad, 4_000, 200)) & ~spam).astype(np.int64),
            "is_deleted": np.zeros(count, dtype=np.int64),
            "_account": accounts,
            "_bad": bad.astype(np.int64),
            "_resolution": 1_800 + (u * u * u * u * 3 * DAY).astype(np.int64) * np.where(bad, 3, 1) + np.where(bad, DAY, 0),
        }

    def _merge(self, tickets: Batch, draws: Draws) -> Batch:
        """Add second tickets about the same matter, merged into the first; every tenth of them merges by way of another."""
        chosen = np.flatnonzero(draws.chance(len(tickets["ticket_id"]), _MERGED) & (tickets["_account"] != NULL))
        if not len(chosen):
            return tickets
        second = take(tickets, chosen)
        number = self._next_ticket + np.arange(len(chosen), dtype=np.int64)
        third = take(second, np.arange(0, len(chosen), 10))
        for copy, ids, target in (
            (second, number, tickets["ticket_id"][chosen]),
            (third, number[-1] + 1 + np.arange(len(third["ticket_id"])), number[::10]),
        ):
            late = draws.integers(600, 6 * 3_600, len(ids))
            copy.update(
                ticket_id=ids,
                merged_into_ticket_id=target,
                created_at=copy["created_at"] + late,
                ticket_state=np.full(len(ids), _STATE["merged"], dtype=np.int64),
            )
            copy.update(
                reopen_count=np.zeros(len(ids), dtype=np.int64),
                _resolution=np.full(len(ids), 900, dtype=np.int64),
                _bad=np.zeros(len(ids), dtype=np.int64),
            )
        self._next_ticket += len(second["ticket_id"]) + len(third["ticket_id"])
        return stack([tickets, second, third])

    def _queue(self, tickets: Batch, draws: Draws) -> None:
        """Queue each ticket as it stood at its first delivery, and again when it was final, if that came later."""
        count = len(tickets["ticket_id"])
        solved, created = tickets["_solved_at"], tickets["created_at"]
        spam = tickets["ticket_state"] == _STATE["spam"]
        final_at = np.where(spam, created + 60, solved + np.where(tickets["ticket_state"] == _STATE["closed"], 7_200, 0))
        deleted = draws.chance(count, _DELETED) & (tickets["ticket_state"] == _STATE["solved"])
        final = {name: values for name, values in tickets.items() if not name.startswith("_")} | {
            "first_solved_at": np.where(spam, NULL, np.where(tickets["reopen_count"] == 1, created + (solved - created) // 2, solved)),
            "last_solved_at": np.where(spam, NULL, solved),
            "closed_at": np.where(tickets["ticket_state"] == _STATE["closed"], final_at, NULL),
            "ticket_state": np.where(deleted, _STATE["deleted"], tickets["ticket_state"]),
            "is_deleted": deleted.astype(np.int64),
        }
        self._outbox.add("tickets", final, final_at)
        early = np.flatnonzero(final_at >= self._outbox.next_cutoff(created))
        nothing = np.full(len(early), NULL, dtype=np.int64)
        first = take(final, early) | dict.fromkeys(("first_solved_at", "last_solved_at", "closed_at", "merged_into_ticket_id"), nothing)
        first |= dict.fromkeys(("ticket_state", "is_deleted", "reopen_count", "escalation_level"), np.zeros(len(early), dtype=np.int64))
        self._outbox.add("tickets", first, created[early])
