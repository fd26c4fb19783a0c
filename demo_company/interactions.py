"""Rows of the feed interactions: every contact of the desk, answered or not."""

from __future__ import annotations

import numpy as np

from demo_company.codes import CHAT, PHONE
from demo_company.customers import Customers
from demo_company.desk import Desk
from demo_company.draws import Draws, Integers
from demo_company.files import NULL, Batch, rows, stack, take
from demo_company.outbox import Outbox
from demo_company.queue import NOBODY

_IDENTIFIED, _IDENTIFIED_WITHOUT_TICKET = (9_300, 500, 200), (5_500, 1_500, 3_000)
"""Shares that name account and contact, the contact only, or neither."""
_RING_SECONDS = 3


class Interactions:
    """Running interaction numbers."""

    def __init__(self, customers: Customers, desk: Desk, outbox: Outbox) -> None:
        self._customers, self._desk, self._outbox = customers, desk, outbox
        self._next = 0

    def month(self, draws: Draws) -> Batch:
        """Queue the contacts handled in a month; returns them with their interaction ids and true accounts (`_account`)."""
        found = stack(self._desk.contacts)
        found = take(found, found["is_logged"] == 1)
        count = rows(found)
        chain = self._desk.chains.of(found["chain"])
        answered = found["agent"] != NOBODY
        live = found["is_written"] == 0
        with_ticket = found["ticket"] != NULL
        identified = np.where(with_ticket, draws.choice(count, _IDENTIFIED), draws.choice(count, _IDENTIFIED_WITHOUT_TICKET))
        account = self._customers.known_as(chain["account"], found["at"])
        rung = np.minimum(found["waited"], 2 * _RING_SECONDS)
        phone = answered & (found["channel"] == PHONE)
        measured = found["is_measured"] == 1
        batch = {
            "interaction_id": self._next + np.arange(count, dtype=np.int64),
            "ticket_id": found["ticket"],
            "account_id": np.where(identified == 0, account, NULL),
            "contact_id": np.where(identified <= 1, chain["contact"], NULL),
            "channel": found["channel"],
            "direction": np.zeros(count, dtype=np.int64),
            "queue": found["department"],
            "started_at": found["at"],
            "queued_at": np.where(live, found["at"], NULL),
            "ring_started_at": np.where(phone, found["answered_at"] - rung, NULL),
            "ring_count": np.where(phone, rung // _RING_SECONDS, NULL),
            "answered_at": found["answered_at"],
            "ended_at": found["ended_at"],
            "outcome": (~answered).astype(np.int64),
            "queue_seconds": np.where(live, found["waited"], NULL),
            "talk_seconds": _measured(found["talk_seconds"], measured),
            "hold_seconds": _measured(found["hold_seconds"], measured),
            "wrap_seconds": _measured(found["wrap_seconds"], measured),
            "concurrency": np.where((found["channel"] == CHAT) & answered, found["concurrency"] * 1_000, NULL),
            "agent_id": np.where(answered, found["agent"], NULL),
            "department_id": found["department"],
            "transfer_count": found["transfer_count"],
            "_account": chain["account"],
            "_chain": found["chain"],
            "_is_solved": found["is_solved"],
            "_is_repeat": (found["place"] > 0).astype(np.int64),
        }
        self._next += count
        self._outbox.add("interactions", batch, batch["ended_at"])
        return batch


def _measured(seconds: Integers, measured: np.ndarray) -> Integers:
    return np.where(measured, seconds, NULL)
