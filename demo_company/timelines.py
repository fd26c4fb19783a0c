"""What is true of the histories of tickets: time in each state and department, hand-offs, reopenings and first replies, by month.

Seconds belong to the month in which a ticket left the state or the department; the state in which a ticket ends has no seconds. First
replies belong to the month in which the ticket was created. Counted from delivered events alone, in the order of their numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demo_company.calendar import DAY, Calendar
from demo_company.codes import DEPARTMENTS, EVENT, SCHEDULES, TICKET_STATUS
from demo_company.draws import Flags, Integers
from demo_company.event_rows import AGENT_ACTOR, DEPARTMENT_FIELD, STATUS
from demo_company.files import NULL, Batch, rows, stack, take
from demo_company.schedules import Schedules
from demo_company.tables import TruthTables

COUNTS = ("handoffs", "ping_pongs", "reopens", "rerequests", "handoffs_with_rerequest", "replied_tickets", "blocked_spans")
_OVER = tuple(TICKET_STATUS.index(state) for state in ("closed", "deleted", "spam", "merged"))
_SOLVED = TICKET_STATUS.index("solved")
_NAMES = ("ticket_id", "event_number", "event_at", "event_type", "actor_role", "field_name", "new_value", "department_id", "_known_at")


class Timelines:
    """Keeps the events of tickets that may still change; sums the others."""

    def __init__(self, calendar: Calendar, schedules: Schedules, tables: TruthTables) -> None:
        self._calendar, self._schedules, self._tables = calendar, schedules, tables
        months = calendar.months
        self.counts = {name: np.zeros(months, dtype=np.int64) for name in COUNTS}
        self._seconds = np.zeros((months, len(TICKET_STATUS), len(DEPARTMENTS)), dtype=np.int64)
        self._replies = np.zeros((months, 1 + len(SCHEDULES)), dtype=np.int64)
        self._blocked = np.zeros(months, dtype=np.int64)
        self._kept: Batch | None = None

    def add(self, batch: Batch) -> None:
        """Take a delivery of ticket_events; a later row of the same number replaces the earlier one."""
        batch = {name: batch[name] for name in _NAMES}
        self._kept = batch if self._kept is None else stack([self._kept, batch])
        if rows(batch) > rows(self._kept) // 2:
            self._count(int(batch["event_at"].max()) - DAY)

    def _count(self, before: int | None = None) -> None:
        """Sum and forget the tickets that were over before an instant, or all."""
        if self._kept is None:
            return
        later_first = np.arange(rows(self._kept))[::-1]
        order = np.lexsort((later_first, self._kept["event_number"], self._kept["ticket_id"]))
        known = take(self._kept, order)
        ticket, number = known["ticket_id"], known["event_number"]
        known = take(known, np.append(True, (ticket[1:] != ticket[:-1]) | (number[1:] != number[:-1])))
        if before is not None:
            states = take(known, known["field_name"] == STATUS)
            last = np.append(states["ticket_id"][1:] != states["ticket_id"][:-1], True)
            finally_solved = (states["new_value"] == _SOLVED) & (states["event_at"] == states["_known_at"])
            over = last & (finally_solved | np.isin(states["new_value"], _OVER)) & (states["event_at"] < before)
            done = np.isin(known["ticket_id"], states["ticket_id"][over])
            self._kept = take(known, ~done)
            known = take(known, done)
        else:
            self._kept = None
        if rows(known):
            self._spans(take(known, np.isin(known["field_name"], (STATUS, DEPARTMENT_FIELD))))
            self._happenings(known)
            self._first_replies(known)

    def _spans(self, steps: Batch) -> None:
        """Seconds between steps, each in the state and department that hold since."""
        state = _filled(steps["new_value"], steps["field_name"] == STATUS)
        department = _filled(steps["department_id"], steps["department_id"] != NULL)
        at, ticket = steps["event_at"], steps["ticket_id"]
        on = ticket[1:] == ticket[:-1]
        since, until = at[:-1][on], at[1:][on]
        month = self._calendar.month_of(until)
        np.add.at(self._seconds, (month, state[:-1][on], department[:-1][on]), until - since)
        named = {"ticket": ticket[:-1][on], "since": since, "until": until, "state": state[:-1][on], "department": department[:-1][on]}
        self._tables.add("ticket_spans", named)

    def _happenings(self, known: Batch) -> None:
        month = self._calendar.month_of(known["event_at"])
        kind, ticket, at = known["event_type"], known["ticket_id"], known["event_at"]
        moved = np.flatnonzero(kind == EVENT["department_change"])
        came_from = _filled(known["department_id"], known["department_id"] != NULL)[moved - 1]
        back = np.zeros(len(moved), dtype=np.bool_)
        back[1:] = (ticket[moved[1:]] == ticket[moved[:-1]]) & (known["department_id"][moved[1:]] == came_from[:-1])
        self._add("handoffs", month[moved])
        self._add("ping_pongs", month[moved[back]])
        self._add("reopens", month[kind == EVENT["reopened"]])
        asked = np.flatnonzero(kind == EVENT["info_rerequested"])
        self._add("rerequests", month[asked])
        if len(moved) and len(asked):
            place = np.searchsorted(moved, asked) - 1
            cause = moved[np.maximum(place, 0)]
            after = (place >= 0) & (ticket[cause] == ticket[asked]) & (at[asked] - at[cause] <= DAY)
            self._add("handoffs_with_rerequest", month[np.unique(cause[after])])
        waits = np.flatnonzero((kind == EVENT["blocked"]) | (kind == EVENT["unblocked"]))
        begun, freed = waits[:-1], waits[1:]
        pair = (kind[begun] == EVENT["blocked"]) & (kind[freed] == EVENT["unblocked"]) & (ticket[begun] == ticket[freed])
        self._add("blocked_spans", month[freed[pair]])
        np.add.at(self._blocked, month[freed[pair]], at[freed[pair]] - at[begun[pair]])

    def _first_replies(self, known: Batch) -> None:
        created = take(known, known["event_type"] == EVENT["created"])
        answer = take(known, (known["event_type"] == EVENT["public_comment"]) & (known["actor_role"] == AGENT_ACTOR))
        first = np.append(True, answer["ticket_id"][1:] != answer["ticket_id"][:-1])[: rows(answer)]
        answer = take(answer, first)
        came = created["event_at"][np.searchsorted(created["ticket_id"], answer["ticket_id"])]
        month = self._calendar.month_of(came)
        self._add("replied_tickets", month)
        np.add.at(self._replies[:, 0], month, answer["event_at"] - came)
        for schedule in range(len(SCHEDULES)):
            np.add.at(self._replies[:, 1 + schedule], month, self._schedules.open_seconds(schedule, came, answer["event_at"]))

    def _add(self, name: str, month: Integers) -> None:
        np.add.at(self.counts[name], month, 1)

    def document(self) -> dict[str, Any]:
        """Return the sums of all delivered events by month; the counts are in `counts`."""
        self._count()
        names = [period.label for period in self._calendar.periods]
        return {
            "state_seconds": {
                name: {
                    state: {department: int(self._seconds[m, s, d]) for d, department in enumerate(DEPARTMENTS)}
                    for s, state in enumerate(TICKET_STATUS)
                    if self._seconds[m, s].any()
                }
                for m, name in enumerate(names)
            },
            "blocked_seconds": {name: int(self._blocked[m]) for m, name in enumerate(names)},
            "first_reply_seconds": {
                name: {clock: int(self._replies[m, c]) for c, clock in enumerate(("calendar", *SCHEDULES))} for m, name in enumerate(names)
            },
        }


def _filled(values: Integers, known: Flags) -> Integers:
    """Each value, or the last known one before it; the first is known."""
    return np.asarray(values[np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))], dtype=np.int64)
