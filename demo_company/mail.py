"""Written contacts: one backlog per department, worked off in order of arrival within the case-work seconds of each open day."""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY, Calendar
from demo_company.codes import DEPARTMENTS, TEAM_DEPARTMENT
from demo_company.draws import Integers
from demo_company.workforce import Workforce

CASE_PERCENT = 40
"""Part of a shift that the plan leaves for written work."""
_BEYOND_DAYS = 250


class Backlog:
    """Clocks that count case-work seconds: a clock stops when the office is shut, and runs with the number of agents."""

    def __init__(self, workforce: Workforce, calendar: Calendar) -> None:
        self._hours = workforce.hours
        self._first = int(calendar.edges[0]) // DAY
        last = int(calendar.edges[-1]) // DAY
        days = last - self._first + _BEYOND_DAYS
        capacity = np.zeros((len(DEPARTMENTS), days), dtype=np.int64)
        for position in range(days):
            day = min(self._first + position, last - 1)
            if self._hours.is_open(self._first + position):
                there = workforce.employed(day)
                there = there[workforce.floor[there] <= day]
                department = np.array(TEAM_DEPARTMENT, dtype=np.int64)[workforce.team_on(day)[there]]
                agents = np.bincount(department, minlength=len(DEPARTMENTS))
                capacity[:, position] = np.maximum(agents, 1) * self._hours.shift_seconds * CASE_PERCENT // 100
        self._capacity = capacity
        self._clock = np.concatenate([np.zeros((len(DEPARTMENTS), 1), dtype=np.int64), np.cumsum(capacity, axis=1)], axis=1)
        self._done = np.zeros(len(DEPARTMENTS), dtype=np.int64)

    def answer(self, department: int, arrivals: Integers, work: Integers) -> Integers:
        """Instants at which contacts are taken up, in order of arrival; each keeps the backlog busy for its seconds of work."""
        length = self._hours.close - self._hours.open
        position = arrivals // DAY - self._first
        open_part = np.clip(arrivals % DAY - self._hours.open, 0, length)
        came = self._clock[department, position] + self._capacity[department, position] * open_part // length
        before = np.cumsum(work) - work
        taken = np.maximum(np.maximum.accumulate(came - before), int(self._done[department])) + before
        self._done[department] = int(taken[-1] + work[-1])
        day = np.searchsorted(self._clock[department], taken, side="right") - 1
        day = np.minimum(day, self._capacity.shape[1] - 1)
        inside = (taken - self._clock[department, day]) * length // np.maximum(self._capacity[department, day], 1)
        at = (self._first + day) * DAY + self._hours.open + np.minimum(inside, length)
        return np.asarray(np.maximum(at, arrivals))
