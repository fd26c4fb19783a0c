"""The agents: who is hired, trained, moved and lost, and who is on shift on a day. Planned for all days before the first.

A team answers one channel of one department and works off that department's written contacts in between. Offices are open from Monday
to Friday, `open` to `close` in UTC: ten hours in two shifts, or, where a team would be one person, four hours in one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY, Calendar
from demo_company.codes import DEPARTMENTS, MODULES, TEAM_DEPARTMENT, TEAMS
from demo_company.customers import Customers
from demo_company.draws import Draws, Floats, Integers

LOAD_SECONDS = (128, 88, 54, 86)
"""Planned handle seconds a month for each present account, by team: calls or chats, and the team's part of written work."""
OCCUPANCY_PERCENT = 78
SMALL_COMPANY = 2_500
_BUSY_SHARE_PERCENT = 130
"""The busy half of the day asks for this part of the mean load."""
FLOOR_DAYS, INITIAL_TENURE_DAYS = 10, 900
ATTRITION, TRANSFERS, ABSENT = 220, 40, 500
"""Chance per 10,000 of leaving and of moving to another team in a month, of being absent on a day."""
TRAINING_SECONDS, BREAK_SECONDS = 7_200, 1_800
HOURLY_CENTS = (2_350, 2_250, 2_700, 3_050)
"""Loaded cost of a paid hour by team, before each agent's own spread."""
FAR = 10**6


@dataclass(frozen=True)
class Shift:
    """Agents on the floor on one day, with the seconds of the day between which each takes contacts."""

    agents: Integers
    teams: Integers
    begin: Integers
    end: Integers


class Hours:
    """Opening hours on the days since 1970."""

    def __init__(self, accounts: int) -> None:
        self.small = accounts < SMALL_COMPANY
        self.open, self.close = (36_000, 50_400) if self.small else (28_800, 64_800)
        self.shift_seconds = self.close - self.open if self.small else 28_800

    @staticmethod
    def is_open(day: int | Integers) -> bool | np.ndarray:
        """Monday to Friday; 1970-01-01 was a Thursday."""
        return (day + 3) % 7 < 5

    def into(self, at: Integers, luck: Floats) -> Integers:
        """Move instants outside opening hours to a random second of the next open ones (the last half hour is left free)."""
        day, second = at // DAY, at % DAY
        late = second >= self.close - 1_800
        day = day + late
        shut = ~np.asarray(self.is_open(day))
        day = day + np.where(shut, 7 - (day + 3) % 7, 0)
        moved = late | shut | (second < self.open)
        return np.where(moved, day * DAY + self.open + (luck * (self.close - self.open - 1_800)).astype(np.int64), at)


class Workforce:
    """All agents of the company's whole time; positions are agent numbers, times are days since 1970."""

    def __init__(self, customers: Customers, calendar: Calendar, seed: int, behaviour: Behaviour) -> None:
        self.hours, self._calendar, self._seed, self._behaviour = Hours(customers.count), calendar, seed, behaviour
        draws = Draws(seed, 4)
        self._rows: list[list[int]] = []
        for month in range(calendar.months):
            self._hire(month, self._needed(customers, month), draws)
        table = np.array(self._rows, dtype=np.int64).T
        self.team, self.hired, self.floor, self.left, self.left_kind, self.moved, self.next_team = table
        self.count = len(self.team)
        spread = draws.integers(90, 116, self.count)
        self.hourly_cents = np.array(HOURLY_CENTS, dtype=np.int64)[self.team] * spread // 100
        gaps = np.stack([draws.integers(20, 160, self.count) for _ in MODULES])
        days = self.floor + 10 + np.cumsum(gaps, axis=0)
        days = days + np.where((days + 3) % 7 >= 5, 2, 0)
        self.trained = np.where(days < self.left, days, FAR)
        """Day of each module (first axis) of each agent, FAR if never."""
        self.format = np.stack([draws.choice(self.count, (2_500, 3_000, 1_500, 2_000, 1_000)) for _ in MODULES])
        self.languages = draws.choice(self.count, (3_000, 2_500, 1_500, 3_000))

    def _needed(self, customers: Customers, month: int) -> list[int]:
        """Agents by team: square-root staffing for the planned load of the accounts that will be there."""
        middle = int(self._calendar.edges[month] + self._calendar.edges[month + 1]) // 2
        present = int(((customers.present_from <= middle) & (customers.natural_death > middle)).sum()) * (100 - month // 2) // 100
        open_days = sum(1 for day in self._calendar.days(month) if self.hours.is_open(day))
        length = self.hours.close - self.hours.open
        needed = []
        for load in LOAD_SECONDS:
            erlangs = load * present * _BUSY_SHARE_PERCENT / (100.0 * open_days * length)
            on_floor = erlangs * 100.0 / OCCUPANCY_PERCENT + 0.3 * float(np.sqrt(erlangs))
            needed.append(max(1, int(np.ceil(on_floor * length / self.hours.shift_seconds * 10_000 / (10_000 - ABSENT) * 0.82))))
        return needed

    def _hire(self, month: int, needed: list[int], draws: Draws) -> None:
        days = self._calendar.days(month)
        for row in self._rows:
            if row[3] < days.start:
                continue
            if draws.chance(1, ATTRITION)[0]:
                row[3] = int(draws.integers(days.start, days.stop, 1)[0])
                row[4] = int(draws.choice(1, (7_000, 2_000, 0, 1_000))[0])
            elif row[5] == FAR and draws.chance(1, TRANSFERS)[0] and not self.hours.small:
                row[5], row[6] = int(draws.integers(days.start, days.stop, 1)[0]), (row[0] + 1) % len(TEAMS)
        for team, need in enumerate(needed):
            there = sum(1 for row in self._rows if row[3] >= days.stop and (row[6] if row[5] < days.stop else row[0]) == team)
            for _ in range(need - there):
                hired = days.start - (int(draws.integers(30, INITIAL_TENURE_DAYS, 1)[0]) if month == 0 else FLOOR_DAYS)
                self._rows.append([team, hired, hired + FLOOR_DAYS, FAR, -1, FAR, team])

    def team_on(self, day: int) -> Integers:
        """Team of every agent on a day."""
        return np.asarray(np.where(day >= self.moved, self.next_team, self.team), dtype=np.int64)

    def employed(self, day: int) -> Integers:
        """Agents on the payroll."""
        return np.asarray(np.flatnonzero((self.hired <= day) & (day < self.left)), dtype=np.int64)

    def modules(self, agents: Integers, day: int) -> Integers:
        """Training modules that each agent has finished before a day."""
        return np.asarray((self.trained[:, agents] < day).sum(axis=0), dtype=np.int64)

    def beginner(self, agents: Integers, day: int) -> Floats:
        """1 on the first day on the floor, falling to 0 over the ramp."""
        return np.asarray(np.maximum(1.0 - (day - self.floor[agents]) / self._behaviour.ramp_days, 0.0))

    def shift(self, day: int) -> tuple[Shift, Integers]:
        """Who takes contacts on an open day, and who is absent."""
        paid = self.employed(day)
        absent = Draws(self._seed, 5, day).chance(len(paid), ABSENT)
        if self.hours.small:
            absent[:] = False
        agents = paid[~absent & (self.floor[paid] <= day)]
        late = ((agents + day) % 2 == 1) & (not self.hours.small)
        begin = np.where(late, self.hours.close - self.hours.shift_seconds, self.hours.open)
        end = begin + self.hours.shift_seconds
        in_class = (self.trained[:, agents] == day).any(axis=0) & (not self.hours.small)
        return Shift(agents, self.team_on(day)[agents], begin + np.where(in_class, TRAINING_SECONDS, 0), end), paid[absent]

    def planned_cents(self, month: int) -> Integers:
        """Planned people cost of a month by department: paid shifts of everyone on the payroll."""
        days = [day for day in self._calendar.days(month) if self.hours.is_open(day)]
        cents = np.zeros(len(DEPARTMENTS), dtype=np.int64)
        for day in days:
            paid = self.employed(day)
            department = np.array(TEAM_DEPARTMENT, dtype=np.int64)[self.team_on(day)[paid]]
            np.add.at(cents, department, self.hourly_cents[paid] * self.hours.shift_seconds)
        return cents // 3_600
