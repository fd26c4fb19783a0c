"""Chains: one matter of one account, from its first contact on any channel to its end. A problem that nobody tells is a chain too.

The table holds the chains of the last months only; ids go on for ever, positions do not.
"""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY
from demo_company.draws import Integers
from demo_company.files import NULL, Batch, rows, stack, take

_GIVEN = (
    *("account", "contact", "ticket_type", "issue", "product", "order", "line", "order_place", "order_month"),
    *("department", "channel", "severity", "stratum", "fcr", "luck_death", "luck_mood", "luck_later"),
    *("is_reported", "is_quick", "event", "session", "occurred_at"),
)
_BORN: dict[str, int] = {
    "contacts": 0,
    "attempts": 0,
    "ticket": NULL,
    "created_at": NULL,
    "first_at": NULL,
    "treated": NULL,
    "propensity": NULL,
    "waited_long": 0,
    "is_solved": 0,
    "has_given_up": 0,
    "ended_at": NULL,
    "assignee": NULL,
    "last_agent": NULL,
    "last_channel": NULL,
    "transfers": 0,
    "work": NULL,
    "is_void": 0,
}
"""Columns that change while the chain runs, and what they begin with."""


class Chains:
    """The table and the first id in it."""

    def __init__(self) -> None:
        self.base = 0
        self.table: Batch = {name: np.empty(0, dtype=np.int64) for name in (*_GIVEN, *_BORN)}
        self._kept: list[int] = []

    def open(self, given: Batch) -> Integers:
        """Add chains; returns their ids."""
        count = rows(given)
        born = {name: np.full(count, value, dtype=np.int64) for name, value in _BORN.items()}
        first = self.base + len(self.table["account"])
        self.table = stack([self.table, {name: given[name] for name in _GIVEN} | born])
        return first + np.arange(count, dtype=np.int64)

    def of(self, ids: Integers) -> Batch:
        """Return copies of the rows of chains."""
        return take(self.table, ids - self.base) | {"chain": ids}

    def set(self, ids: Integers, **values: Integers | int) -> None:
        """Change columns of distinct chains."""
        for name, value in values.items():
            self.table[name][ids - self.base] = value

    def forget(self) -> Batch:
        """Begin a month: drop what was opened more than two months ago, as far as it has ended. Returns the ids in `chain`."""
        self._kept.append(self.base + len(self.table["account"]))
        running = np.flatnonzero((self.table["ended_at"] == NULL) & (self.table["is_void"] == 0))
        limit = self._kept[-4] if len(self._kept) > 3 else 0
        if len(running):
            limit = min(limit, self.base + int(running[0]))
        cut = max(limit - self.base, 0)
        gone = self.of(self.base + np.arange(cut, dtype=np.int64))
        self.table = take(self.table, np.arange(cut, len(self.table["account"])))
        self.base += cut
        return gone


class Agenda:
    """What falls due on which day: chain ids and instants."""

    def __init__(self) -> None:
        self._due: dict[int, list[tuple[Integers, Integers]]] = {}

    def add(self, ids: Integers, at: Integers) -> None:
        """Enter a contact, or for a silent problem its occurrence."""
        days = at // DAY
        order = np.argsort(days, kind="stable")
        for day, first, count in zip(*np.unique(days[order], return_index=True, return_counts=True), strict=True):
            some = order[first : first + count]
            self._due.setdefault(int(day), []).append((ids[some], at[some]))

    def take(self, day: int) -> tuple[Integers, Integers]:
        """Take out what falls due on a day, in order of time."""
        entries = self._due.pop(day, [])
        if not entries:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        ids, at = (np.concatenate(parts) for parts in zip(*entries, strict=True))
        order = np.argsort(at, kind="stable")
        return ids[order], at[order]
