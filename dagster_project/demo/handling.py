"""How the agents of a day handle its contacts: queues for calls and chats, the backlog for what is written, and the time it takes."""

from __future__ import annotations

import numpy as np

from dagster_project.demo.behaviour import Behaviour
from dagster_project.demo.calendar import DAY, Calendar
from dagster_project.demo.codes import CHAT, DEPARTMENTS, PHONE, TEAM_CHANNEL, TEAM_DEPARTMENT
from dagster_project.demo.draws import Draws, Flags, Floats, Integers
from dagster_project.demo.files import NULL, Batch, rows, stack, take
from dagster_project.demo.mail import Backlog
from dagster_project.demo.queue import NOBODY, serve
from dagster_project.demo.timesheets import Timesheets
from dagster_project.demo.workforce import Shift, Workforce

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
        """Calls and chats, each in the queue of its team."""
        parts = [self._queue(day, team, contacts, shift, draws) for team in range(len(TEAM_CHANNEL))]
        return stack(parts)

    def _queue(self, day: int, team: int, contacts: Batch, shift: Shift, draws: Draws) -> Batch:
        channel = TEAM_CHANNEL[team]
        mine = take(contacts, (contacts["channel"] == channel) & (contacts["department"] == TEAM_DEPARTMENT[team]))
        count = rows(mine)
        work = draws.lognormal(np.full(count, MEDIAN_SECONDS[channel]), SIGMA)
        mean_patience = self._behaviour.patience_seconds[channel - PHONE]
        patience = 1 + (mean_patience * draws.exponential(count)).astype(np.int64)
        on = np.flatnonzero(shift.teams == team)
        slots = np.repeat(on, CHAT_SLOTS) if channel == CHAT else on
        agents = shift.agents[slots]
        served, waited = serve(
            mine["at"] - day * DAY,
            patience,
            work,
            shift.begin[slots],
            shift.end[slots],
            self.pace(agents, day),
            self._workforce.hours.close,
        )
        answered = served != NOBODY
        agent = np.where(answered, agents[served] if len(agents) else NOBODY, NOBODY)
        known = agents if len(agents) else np.zeros(1, dtype=np.int64)
        seconds = np.maximum((work * self.pace(known, day)[np.maximum(served, 0)]).astype(np.int64), 1)
        wrap = np.where(answered, seconds * draws.integers(5, 25, count) // 100, 0)
        hold = np.where((channel == PHONE) & draws.chance(count, 2_500), seconds * draws.integers(5, 30, count) // 100, 0)
        taken = mine["at"] + waited
        talk = seconds - wrap - hold
        concurrency = self._concurrency(agent, taken, taken + seconds) if channel == CHAT else np.ones(count, dtype=np.int64)
        ended = np.where(answered, taken + talk + hold, taken)
        return self._batch(mine, agent, waited, np.where(answered, taken, NULL), ended, talk, hold, wrap, concurrency, draws) | {
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
        """E-mails and forms, each taken up when the backlog of its department has got there."""
        parts = []
        for department in range(len(DEPARTMENTS)):
            mine = take(contacts, contacts["department"] == department)
            count = rows(mine)
            staff = shift.agents[np.array(TEAM_DEPARTMENT, dtype=np.int64)[shift.teams] == department]
            if not len(staff):
                staff = self._workforce.employed(day)[:1]
            agent = staff[draws.integers(0, len(staff), count)]
            work = draws.lognormal(np.array(MEDIAN_SECONDS)[mine["channel"]], SIGMA) * self.pace(agent, day)
            talk = np.maximum(work.astype(np.int64), 1)
            taken = self._backlog.answer(department, mine["at"], talk) if count else mine["at"]
            nothing = np.zeros(count, dtype=np.int64)
            part = self._batch(mine, agent, taken - mine["at"], taken, taken + talk, talk, nothing, nothing, nothing + 1, draws)
            parts.append(part | {"is_written": nothing + 1, "is_measured": 1 - draws.chance(count, _NOT_MEASURED).astype(np.int64)})
        return stack(parts)

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
