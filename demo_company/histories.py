"""Rows of the feed ticket_events: what happened to each ticket, from its contacts and its end.

The number of an event is made of its second in the life of the ticket and its rank within the second, so that numbers order a history
by time whatever comes later. The state of a ticket is the new value of its last event whose field is `status`. When a ticket is first
solved and how often it is reopened is known when its matter is over: such events of an earlier month come late, as the row in tickets.
"""

from __future__ import annotations

import numpy as np

from demo_company.contact_events import KEPT, contact_events, seen
from demo_company.desk import Desk
from demo_company.draws import Draws
from demo_company.end_events import end_events
from demo_company.event_rows import in_order
from demo_company.files import NULL, Batch, stack, take
from demo_company.outbox import Outbox
from demo_company.queue import NOBODY


class Histories:
    """Remembers the answered contacts of the chains that still run."""

    def __init__(self, desk: Desk, outbox: Outbox, seed: int) -> None:
        self._desk, self._outbox, self._seed = desk, outbox, seed
        self._open: Batch = {name: np.empty(0, dtype=np.int64) for name in KEPT}

    def month(self, month: int, start: int, finals: list[Batch]) -> None:
        """Queue the events of a month's contacts, and of the tickets that ended, spam and duplicates among them."""
        draws = Draws(self._seed, 40, month)
        found = stack(self._desk.contacts)
        found = take(found, (found["agent"] != NOBODY) & (found["ticket"] != NULL))
        found = seen(found, self._desk.chains.of(found["chain"]), draws)
        self._open = stack([self._open, {name: found[name] for name in KEPT}])
        final = stack(finals)
        batch = in_order(stack([*contact_events(found, draws), *end_events(final, self._open, draws)]))
        self._open = take(self._open, ~np.isin(self._open["chain"], final["_chain"]))
        at = batch["event_at"]
        self._outbox.add("ticket_events", batch, np.where(at >= start, at, batch["_known_at"]))
