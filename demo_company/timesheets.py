"""The time of the agents: every paid second of a day in one state. Cost follows these seconds, not the handled ones."""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY
from demo_company.codes import AGENT_STATES, CHAT, DEPARTMENTS, PHONE, TEAM_DEPARTMENT
from demo_company.draws import Integers
from demo_company.files import Batch, stack
from demo_company.queue import NOBODY
from demo_company.workforce import BREAK_SECONDS, TRAINING_SECONDS, Shift, Workforce

_TALK, _HOLD, _WRAP, _CHAT, _CASE, _AVAILABLE, _BREAK, _TRAINING, _MEETING, _ABSENCE = range(len(AGENT_STATES))
_MEETING_SECONDS = 2_700
_MEETING_WEEKDAY = 1
"""Team meeting on Tuesdays, out of the idle time."""


class Timesheets:
    """Rows of agent_time of the current month, and the people cost of it by department in cents x seconds."""

    def __init__(self, workforce: Workforce) -> None:
        self._workforce = workforce
        self._rows: list[Batch] = []
        self._cost = np.zeros(len(DEPARTMENTS), dtype=np.int64)
        self._overtime_days = 0

    def book(self, day: int, batch: Batch, shift: Shift, absent: Integers) -> None:
        """Book one open day: contacts by state, then training, break, case work and meeting out of the rest, the remainder is available."""
        w = self._workforce
        paid = w.employed(day)
        seconds = np.zeros((w.count, len(AGENT_STATES)), dtype=np.int64)
        known = batch["agent"] != NOBODY
        agent, channel = batch["agent"][known], batch["channel"][known]
        for state, name in ((_TALK, "talk_seconds"), (_HOLD, "hold_seconds"), (_WRAP, "wrap_seconds")):
            np.add.at(seconds[:, state], agent[channel == PHONE], batch[name][known][channel == PHONE])
        chats = channel == CHAT
        busy = (batch["talk_seconds"] + batch["wrap_seconds"])[known][chats] // batch["concurrency"][known][chats]
        np.add.at(seconds[:, _CHAT], agent[chats], busy)
        case = np.zeros(w.count, dtype=np.int64)
        written = batch["is_written"][known] == 1
        np.add.at(case, agent[written], batch["talk_seconds"][known][written])
        length = np.zeros(w.count, dtype=np.int64)
        length[paid] = w.hours.shift_seconds
        seconds[absent, _ABSENCE] = length[absent]
        beginners = paid[w.floor[paid] > day]
        seconds[beginners, _TRAINING] = length[beginners]
        in_class = shift.agents[(w.trained[:, shift.agents] == day).any(axis=0)]
        for state, agents, wish in (
            (_TRAINING, in_class, np.full(len(in_class), TRAINING_SECONDS)),
            (_BREAK, shift.agents, np.full(len(shift.agents), 0 if w.hours.small else BREAK_SECONDS)),
            (_CASE, shift.agents, case[shift.agents]),
            (_MEETING, shift.agents, np.full(len(shift.agents), _MEETING_SECONDS if (day + 3) % 7 == _MEETING_WEEKDAY else 0)),
        ):
            rest = np.maximum(length[agents] - seconds[agents].sum(axis=1), 0)
            seconds[agents, state] += np.minimum(wish, rest)
        used = seconds.sum(axis=1)
        seconds[:, _AVAILABLE] += np.where(length > 0, np.maximum(length - used, 0), 0)
        overtime = np.maximum(used - length, 0)
        department = np.array(TEAM_DEPARTMENT, dtype=np.int64)[w.team_on(day)]
        np.add.at(self._cost, department[paid], w.hourly_cents[paid] * (length + overtime)[paid])
        agents, states = np.nonzero(seconds)
        first = np.diff(agents, prepend=-1) != 0
        row = np.ones(len(agents), dtype=np.int64)
        self._rows.append({
            "agent_id": agents.astype(np.int64),
            "work_date": row * (day * DAY),
            "agent_state": states.astype(np.int64),
            "state_seconds": seconds[agents, states],
            "overtime_seconds": np.where(first, overtime[agents], 0),
            "average_concurrency": np.where(states == _CHAT, self._mean_concurrency(batch, w.count)[agents], 1_000),
        })  # fmt: skip

    @staticmethod
    def _mean_concurrency(batch: Batch, agents: int) -> Integers:
        chats = batch["channel"] == CHAT
        chats &= batch["agent"] != NOBODY
        count, total = np.zeros(agents, dtype=np.int64), np.zeros(agents, dtype=np.int64)
        np.add.at(count, batch["agent"][chats], 1)
        np.add.at(total, batch["agent"][chats], batch["concurrency"][chats])
        return np.where(count > 0, total * 1_000 // np.maximum(count, 1), 1_000)

    def month(self) -> tuple[Batch, Integers]:
        """Take out the month's rows and its people cost in cents by department."""
        found, cents = stack(self._rows), (self._cost + 1_800) // 3_600
        self._rows, self._cost = [], np.zeros(len(DEPARTMENTS), dtype=np.int64)
        return found, cents
