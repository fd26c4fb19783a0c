"""What happened but was not delivered yet: each row waits for the delivery that follows its instant."""

from __future__ import annotations

import numpy as np

from demo_company.draws import Integers
from demo_company.files import Batch, rows, stack, take


class Outbox:
    """Rows per feed, waiting; rows that happen after the last delivery are never seen, as in a running company."""

    def __init__(self, cutoffs: Integers) -> None:
        self._cutoffs = cutoffs
        self._waiting: dict[str, list[Batch]] = {}

    def add(self, feed: str, batch: Batch, happened_at: Integers) -> None:
        """Queue rows; `happened_at` also becomes their `source_updated_at`."""
        if len(happened_at):
            self._waiting.setdefault(feed, []).append({**batch, "source_updated_at": happened_at})

    def next_cutoff(self, instants: Integers) -> Integers:
        """Instant of the delivery that carries an event; the end of the company for later ones."""
        position = np.searchsorted(self._cutoffs, instants, side="right")
        return self._cutoffs[np.minimum(position, len(self._cutoffs) - 1)]

    def deliver(self, cutoff: int) -> dict[str, Batch]:
        """Take out all rows that happened before the cut-off, in order of their instants."""
        delivered: dict[str, Batch] = {}
        for feed in sorted(self._waiting):
            batch = stack(self._waiting[feed])
            due = batch["source_updated_at"] < cutoff
            if due.any():
                now = take(batch, due)
                delivered[feed] = take(now, np.argsort(now["source_updated_at"], kind="stable"))
            later = take(batch, ~due)
            self._waiting[feed] = [later] if rows(later) else []
            if not self._waiting[feed]:
                del self._waiting[feed]
        return delivered
