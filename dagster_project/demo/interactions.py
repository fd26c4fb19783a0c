"""Calls, chats, e-mails: those of tickets, in order inside the ticket's span, and those that never became a ticket."""

from __future__ import annotations

import numpy as np

from dagster_project.demo.calendar import DAY
from dagster_project.demo.codes import DEPARTMENTS, TICKET_STATES
from dagster_project.demo.customers import WEIGHT, Customers
from dagster_project.demo.draws import Draws, Integers
from dagster_project.demo.files import NULL, Batch, stack, take
from dagster_project.demo.outbox import Outbox

LOOSE_PER_TEN_THOUSAND_WEIGHT = 920
"""Interactions a month without a ticket, for 10,000 units of contact weight."""
_EMAIL, _PHONE, _CHAT, _FORM = range(4)
_NOT_MEASURED = 1_500
_ABANDONED, _LOOSE_ABANDONED = 500, 3_500


class Interactions:
    """Running interaction numbers."""

    def __init__(self, customers: Customers, outbox: Outbox) -> None:
        self._customers, self._outbox = customers, outbox
        self._next = 0

    def month(self, month: int, tickets: Batch, draws: Draws) -> tuple[Batch, Integers]:
        """Queue the interactions; sets `_solved_at` and `handle_seconds` of the tickets.

        Returns the answered interactions of well served accounts, and measured seconds per department.
        """
        served = self._of_tickets(tickets, draws)
        loose = self._loose(month, draws)
        batch = stack([served, loose])
        count = len(batch["started_at"])
        batch["interaction_id"] = self._next + np.arange(count, dtype=np.int64)
        self._next += count
        handled = np.where(
            batch["talk_seconds"] == NULL,
            0,
            (batch["talk_seconds"] + batch["hold_seconds"] + batch["wrap_seconds"]) * 1_000 // batch["_parallel"],
        )
        seconds = np.array([handled[batch["department_id"] == position].sum() for position in range(len(DEPARTMENTS))], dtype=np.int64)
        self._outbox.add("interactions", batch, batch["ended_at"])
        good = (batch["outcome"] == 0) & (batch["_bad"] == 0) & (batch["_account"] != NULL)
        return take(batch, good), seconds

    def _of_tickets(self, tickets: Batch, draws: Draws) -> Batch:
        count = len(tickets["ticket_id"])
        bad = tickets["_bad"] == 1
        spam = tickets["ticket_state"] == TICKET_STATES.index("spam")
        merged = tickets["merged_into_ticket_id"] != NULL
        silent = spam | ((tickets["channel"] == _FORM) & draws.chance(count, 4_000) & ~merged)
        more = draws.chance(count, 4_000).astype(np.int64) + draws.chance(count, 1_800) + np.where(bad, draws.integers(1, 3, count), 0)
        sizes = np.where(silent, 0, np.where(merged, 1, 1 + more))
        parent = np.repeat(np.arange(count), sizes)
        place = np.arange(len(parent), dtype=np.int64) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        start = tickets["created_at"][parent] + tickets["_resolution"][parent] * place // np.maximum(sizes[parent], 1)
        lost = draws.chance(len(parent), _ABANDONED) & (place < sizes[parent] - 1)
        batch = self._timed(start, tickets["channel"][parent], lost.astype(np.int64), tickets["_bad"][parent], draws)
        identified = draws.choice(len(parent), (9_300, 500, 200))  # account named, contact only, neither
        batch |= {
            "ticket_id": tickets["ticket_id"][parent],
            "account_id": np.where(identified == 0, tickets["account_id"][parent], NULL),
            "contact_id": np.where(identified <= 1, tickets["contact_id"][parent], NULL),
            "direction": ((place > 0) & (tickets["channel"][parent] == _EMAIL)).astype(np.int64),
            "queue": tickets["department_id"][parent],
            "agent_id": np.where(lost, NULL, tickets["assignee_id"][parent]),
            "department_id": tickets["department_id"][parent],
            "_account": tickets["_account"][parent],
            "_bad": tickets["_bad"][parent],
        }
        last = tickets["created_at"] + tickets["_resolution"]
        np.maximum.at(last, parent, batch["ended_at"])
        tickets["_solved_at"] = last + 60
        tickets["handle_seconds"] = np.where(
            sizes == 0, np.where(spam, draws.integers(10, 60, count), draws.integers(120, 900, count)), NULL
        )
        return batch

    def _loose(self, month: int, draws: Draws) -> Batch:
        weights = np.where(self._customers.present(month), self._customers.contact_weight, 0)
        count = int(weights.sum()) * LOOSE_PER_TEN_THOUSAND_WEIGHT // (10_000 * WEIGHT)
        accounts = draws.weighted(weights, count) if count else np.empty(0, dtype=np.int64)
        start, end = self._customers.calendar.edges[month : month + 2]
        at = draws.integers(np.maximum(start, self._customers.created_at[accounts]), int(end), count)
        lost = draws.chance(count, _LOOSE_ABANDONED)
        batch = self._timed(
            at, np.where(draws.chance(count, 7_000), _PHONE, _CHAT), lost.astype(np.int64), np.zeros(count, dtype=np.int64), draws
        )
        identified = draws.choice(count, (5_500, 1_500, 3_000))
        department = draws.choice(count, (5_000, 3_000, 2_000))
        return batch | {
            "ticket_id": np.full(count, NULL, dtype=np.int64),
            "account_id": np.where(identified == 0, accounts, NULL),
            "contact_id": np.where(identified == 2, NULL, self._customers.contact_of(accounts, draws)),
            "direction": np.zeros(count, dtype=np.int64),
            "queue": department,
            "agent_id": np.where(lost, NULL, department * 1_000 + draws.integers(0, 2 + self._customers.count // 800, count)),
            "department_id": department,
            "_account": np.where(identified == 2, NULL, accounts),
            "_bad": np.zeros(count, dtype=np.int64),
        }

    def _timed(self, start: Integers, channel: Integers, lost: Integers, bad: Integers, draws: Draws) -> Batch:
        """Clock times of one interaction: queue, answer, talk, hold, wrap; e-mails are answered hours later."""
        count = len(start)
        written = (channel == _EMAIL) | (channel == _FORM)
        gone = lost == 1
        u, v = draws.uniform(count), draws.uniform(count)
        queue = np.where(written, 0, 3 + (u * u * 240).astype(np.int64) * (1 + bad * 2))
        reply = np.where(written, 1_800 + (u * u * DAY / 2).astype(np.int64), queue)
        talk = np.where(
            channel == _PHONE,
            45 + (v * v * 1_200).astype(np.int64),
            np.where(channel == _CHAT, 120 + (v * 1_500).astype(np.int64), 60 + (v * v * 900).astype(np.int64)),
        )
        hold = np.where((channel == _PHONE) & draws.chance(count, 2_500), draws.integers(10, 180, count), 0)
        unmeasured = gone | (written & draws.chance(count, _NOT_MEASURED))
        answered = start + reply
        parallel = np.where(channel == _CHAT, draws.integers(1, 4, count), 1) * 1_000
        return {
            "channel": channel,
            "started_at": start,
            "queued_at": np.where(written, NULL, start),
            "answered_at": np.where(gone, NULL, answered),
            "ended_at": np.where(gone, answered, answered + talk + hold),
            "outcome": lost,
            "queue_seconds": np.where(written, NULL, queue),
            "talk_seconds": np.where(unmeasured, NULL, talk),
            "hold_seconds": np.where(unmeasured, NULL, hold),
            "wrap_seconds": np.where(unmeasured, NULL, draws.integers(15, 120, count)),
            "concurrency": np.where(channel == _CHAT, parallel, NULL),
            "transfer_count": draws.chance(count, np.where(bad == 1, 2_500, 400)).astype(np.int64),
            "_parallel": parallel,
        }
