"""How the agents of a day handle its contacts: queues for calls and chats, the backlog for what is written, and the time it takes."""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY, Calendar
from demo_company.codes import CHAT, DEPARTMENTS, PHONE, TEAM_CHANNEL, TEAM_DEPARTMENT
from demo_company.draws import Draws, Flags, Floats, Integers
from demo_company.files import NULL, Batch, rows
from demo_company.mail import Backlog
from demo_company.queue import NOBODY, serve
from demo_company.timesheets import Timesheets
from demo_company.workforce import Shift, Workforce

MEDIAN_SECONDS, SIGMA = (290.0, 270.0, 520.0, 260.0), 0.65
"""Median seconds of work on a contact by channel (talk, hold and wrap), and the spread of its logarithm."""
CHAT_SLOTS = 2
"""Chats that one agent holds at a time."""
_TRANSFERRED = 700
_NOT_MEASURED = 1_200


class Handling:
    """The backlog and the timesheets."""

    def __init__(self, workforce: Workforce, calendar: Calendar, behaviour: Behaviour) -> None:
        self._workforce, self._behaviour = workforce, behaviour
        self._backlog = Backlog(workforce, calendar)
        self.timesheets = Timesheets(workforce)

    def timesheet(self, day: int, batch: Batch, shift: Shift, absent: Integers) -> None:
        """Book the day's time of every agent."""
        self.timesheets.book(day, batch, shift, absent)

    def pace(self, agents: Integers, day: int) -> Floats:
        """Factor on handle time: beginners are slower, each training module makes faster."""
        b = self._behaviour
        slow = 1.0 + b.beginner_percent_of_handle_time / 100.0 * self._workforce.beginner(agents, day)
        return slow * (1.0 + b.module_percent_of_handle_time / 100.0 * self._workforce.modules(agents, day))

    def live(self, day: int, contacts: Batch, shift: Shift, draws: Draws) -> Batch:
        """Serve calls and chats, each in the queue of its team."""
        count = rows(contacts)
        chat = contacts["channel"] == CHAT
        work = draws.lognormal(np.array(MEDIAN_SECONDS)[contacts["channel"]], SIGMA)
        mean_patience = np.array(self._behaviour.patience_seconds, dtype=np.float64)[contacts["channel"] - PHONE]
        patience = 1 + (mean_patience * draws.exponential(count)).astype(np.int64)
        pace = self.pace(shift.agents, day)
        agent, waited = np.full(count, NOBODY, dtype=np.int64), np.zeros(count, dtype=np.int64)
        seconds = np.ones(count, dtype=np.int64)
        for team, channel in enumerate(TEAM_CHANNEL):
            mine = np.flatnonzero((contacts["channel"] == channel) & (contacts["department"] == TEAM_DEPARTMENT[team]))
            if not len(mine):
                continue
            on = np.flatnonzero(shift.teams == team)
            slots = np.repeat(on, CHAT_SLOTS) if channel == CHAT else on
            served, waited[mine] = serve(
                contacts["at"][mine] - day * DAY,
                patience[mine],
                work[mine],
                shift.begin[slots],
                shift.end[slots],
                pace[slots],
                self._workforce.hours.close,
            )
            got = served != NOBODY
            agent[mine[got]] = shift.agents[slots[served[got]]]
            seconds[mine[got]] = np.maximum((work[mine[got]] * pace[slots[served[got]]]).astype(np.int64), 1)
        answered = agent != NOBODY
        wrap = np.where(answered, seconds * draws.integers(5, 25, count) // 100, 0)
        hold = np.where(~chat & draws.chance(count, 2_500), seconds * draws.integers(5, 30, count) // 100, 0)
        taken = contacts["at"] + waited
        talk = seconds - wrap - hold
        concurrency = np.where(chat, self._concurrency(np.where(chat, agent, NOBODY), taken, taken + seconds), 1)
        ended = np.where(answered, taken + talk + hold, taken)
        return self._batch(contacts, agent, waited, np.where(answered, taken, NULL), ended, talk, hold, wrap, concurrency, draws) | {
            "is_written": np.zeros(count, dtype=np.int64),
            "is_measured": answered.astype(np.int64),
        }

    @staticmethod
    def _concurrency(agent: Integers, begin: Integers, end: Integers) -> Integers:
        """2 where the agent's other chat still runs when this one begins, else 1."""
        count = len(agent)
        result = np.ones(count, dtype=np.int64)
        if count:
            order = np.lexsort((begin, agent))
            key = (agent[order] + 1) * 10**7 + (end[order] - int(begin.min()))
            before = np.maximum.accumulate(np.concatenate([[0], key[:-1]]))
            running = before > (agent[order] + 1) * 10**7 + (begin[order] - int(begin.min()))
            result[order] = 1 + (running & (agent[order] != NOBODY))
        return result

    def written(self, day: int, contacts: Batch, shift: Shift, draws: Draws) -> Batch:
        """E-mails and forms, in order of arrival, each taken up when the backlog of its department has got there."""
        count = rows(contacts)
        agent, taken = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        luck, work = draws.uniform(count), draws.lognormal(np.array(MEDIAN_SECONDS)[contacts["channel"]], SIGMA)
        talk = np.maximum(work.astype(np.int64), 1)
        departments = np.array(TEAM_DEPARTMENT, dtype=np.int64)[shift.teams]
        for department in range(len(DEPARTMENTS)):
            mine = np.flatnonzero(contacts["department"] == department)
            if not len(mine):
                continue
            staff = shift.agents[departments == department]
            if not len(staff):
                staff = self._workforce.employed(day)[:1]
            agent[mine] = staff[(luck[mine] * len(staff)).astype(np.int64)]
            talk[mine] = np.maximum((work[mine] * self.pace(agent[mine], day)).astype(np.int64), 1)
            taken[mine] = self._backlog.answer(department, contacts["at"][mine], talk[mine])
        nothing = np.zeros(count, dtype=np.int64)
        batch = self._batch(contacts, agent, taken - contacts["at"], taken, taken + talk, talk, nothing, nothing, nothing + 1, draws)
        return batch | {"is_written": nothing + 1, "is_measured": 1 - draws.chance(count, _NOT_MEASURED).astype(np.int64)}

    @staticmethod
    def _batch(
        mine: Batch,
        agent: Integers,
        waited: Integers,
        answered_at: Integers,
        ended_at: Integers,
        talk: Integers,
        hold: Integers,
        wrap: Integers,
        concurrency: Integers,
        draws: Draws,
    ) -> Batch:
        count = len(agent)
        moved: Flags = (agent != NOBODY) & draws.chance(count, _TRANSFERRED)
        return {
            **mine,
            "agent": agent,
            "waited": waited,
            "answered_at": answered_at,
            "ended_at": ended_at,
            "talk_seconds": talk,
            "hold_seconds": hold,
            "wrap_seconds": wrap,
            "concurrency": concurrency,
            "transfer_count": moved.astype(np.int64),
            "luck": draws.integers(0, 10_000, count),
        }
