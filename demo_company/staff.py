"""Rows about the agents and their tools: agents, agent_time, training_events, tool_usage; and the service standards."""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY, Calendar, instant
from demo_company.codes import DEPARTMENT_SITE, MODULES, TEAM_DEPARTMENT, TOOLS
from demo_company.draws import Draws, Integers
from demo_company.files import NULL, Batch, rows
from demo_company.outbox import Outbox
from demo_company.workforce import FAR, TRAINING_SECONDS, Workforce

LICENCE_CENTS = 4_900
"""Price of a seat and month."""
_EVENING = 18 * 3_600


def seats(workforce: Workforce, day: int) -> int:
    """Seats licensed of each tool: bought in tens, one in seven too many."""
    return -(-len(workforce.employed(day)) * 115 // 1_000) * 10


class Staff:
    """Writes what the payroll and the tools say, month by month."""

    def __init__(self, workforce: Workforce, calendar: Calendar, outbox: Outbox, seed: int) -> None:
        self._workforce, self._calendar, self._outbox, self._seed = workforce, calendar, outbox, seed

    def open(self) -> None:
        """Queue who is there at the start with their training so far, and the service standards."""
        first = self._calendar.days(0).start
        self._changes(-FAR, first)
        start = instant(self._calendar.starts[0])
        count = 4
        position = np.arange(count, dtype=np.int64)
        standards = {
            "standard_id": position,
            "valid_from_date": np.full(count, start, dtype=np.int64),
            "standard_text": position,
            "metric_id": position,
            "comparator": np.array((0, 1, 0, 0), dtype=np.int64),
            "threshold_value": np.array((20, 8, 7, 5), dtype=np.int64) * 10_000,
            "unit": np.array((0, 1, 2, 3), dtype=np.int64),
            "target_share": np.array((8_000, 9_000, 7_500, 9_500), dtype=np.int64),
            "goal_kind": np.array((2, 2, 2, 3), dtype=np.int64),
            "channel": np.array((1, 0, NULL, 1), dtype=np.int64),
            "owner": np.zeros(count, dtype=np.int64),
        }
        self._outbox.add("service_standards", standards, np.full(count, start, dtype=np.int64))

    def month(self, month: int, timesheets: Batch) -> None:
        """Queue the month's time, training, changes of staff, and weekly use of the tools."""
        days = self._calendar.days(month)
        if rows(timesheets):
            self._outbox.add("agent_time", timesheets, timesheets["work_date"] + _EVENING + 4 * 3_600)
        self._changes(days.start, days.stop)
        draws = Draws(self._seed, 6, month)
        mondays = np.array([day for day in days if (day + 3) % 7 == 0], dtype=np.int64)
        for tool in range(len(TOOLS)):
            count = len(mondays)
            active = np.array([len(self._workforce.employed(int(day))) for day in mondays], dtype=np.int64)
            used = np.maximum(active - draws.integers(0, 3, count) - active * (7 * tool) // 100, 0)
            usage = {
                "tool_id": np.full(count, tool, dtype=np.int64),
                "usage_date": mondays * DAY,
                "site_id": np.zeros(count, dtype=np.int64),
                "pool_id": np.full(count, 3, dtype=np.int64),
                "active_users_count": used,
                "used_seats_count": active,
                "licensed_seats_count": np.array([seats(self._workforce, int(day)) for day in mondays], dtype=np.int64),
                "downtime_minutes": np.where(draws.chance(count, 1_500), draws.integers(5, 180, count), 0),
            }
            self._outbox.add("tool_usage", usage, mondays * DAY + _EVENING)

    def _changes(self, first: int, after: int) -> None:
        w = self._workforce
        known_from = max(first, self._calendar.days(0).start)
        for hour, agents, days in (
            (6, (w.hired >= first) & (w.hired < after), w.hired),
            (7, (w.moved >= first) & (w.moved < after) & (w.moved < w.left), w.moved),
            (8, (w.left >= first) & (w.left < after), w.left),
        ):
            chosen = np.flatnonzero(agents).astype(np.int64)
            for agent in chosen:
                self._versions(int(agent), int(days[agent]), max(int(days[agent]), known_from) * DAY + hour * 3_600)
        for module in range(len(MODULES)):
            done = np.flatnonzero((w.trained[module] >= first) & (w.trained[module] < after)).astype(np.int64)
            at = w.trained[module][done] * DAY + w.hours.open
            row = np.ones(len(done), dtype=np.int64)
            training = {
                "agent_id": done,
                "module_id": row * module,
                "started_at": at,
                "training_topic": row * module,
                "training_format": w.format[module][done],
                "is_interactive": np.isin(w.format[module][done], (0, 2, 3)).astype(np.int64),
                "training_hours": row * TRAINING_SECONDS // 36,
                "training_score": 500_000 + (done * 7_919 + module * 104_729) % 500_000,
                "scale_max": row * 1_000_000,
            }
            self._outbox.add("training_events", training, np.maximum(at + TRAINING_SECONDS, known_from * DAY))

    def _versions(self, agent: int, day: int, known_at: int) -> None:
        """Rows of an agent as known on a day: one per spell in a team."""
        w = self._workforce
        spells = [(int(w.hired[agent]), int(w.team[agent]))]
        if w.moved[agent] <= day:
            spells.append((int(w.moved[agent]), int(w.next_team[agent])))
        gone = int(w.left[agent]) <= day
        count = len(spells)
        until = [spells[position + 1][0] if position + 1 < count else (int(w.left[agent]) if gone else NULL) for position in range(count)]
        team: Integers = np.array([spell[1] for spell in spells], dtype=np.int64)
        department = np.array(TEAM_DEPARTMENT, dtype=np.int64)[team]
        row = np.ones(count, dtype=np.int64)
        agents = {
            "agent_id": row * agent,
            "valid_from_date": np.array([spell[0] for spell in spells], dtype=np.int64) * DAY,
            "valid_to_date": np.array([NULL if last == NULL else last * DAY for last in until], dtype=np.int64),
            "team_id": team,
            "department_id": department,
            "site_id": np.array(DEPARTMENT_SITE, dtype=np.int64)[department],
            "employment_kind": row * int(agent % 11 == 0),
            "agent_role": row * int(agent % 9 == 0),
            "hire_date": row * int(w.hired[agent]) * DAY,
            "floor_date": row * int(w.floor[agent]) * DAY,
            "separation_date": row * ((int(w.left[agent]) - 1) * DAY if gone else NULL),
            "separation_kind": row * (int(w.left_kind[agent]) if gone else NULL),
            "hourly_cost_amount": row * int(w.hourly_cents[agent]),
            "currency_code": row * 0,
            "languages": row * int(w.languages[agent]),
        }
        self._outbox.add("agents", agents, row * known_at)
