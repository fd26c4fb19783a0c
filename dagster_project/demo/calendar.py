"""The months of the company and the cut-offs of its deliveries; dates are arguments, never the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from dagster_project.demo.draws import Integers

DAY = 86_400


def instant(day: date) -> int:
    """Seconds since 1970 at the start of the day in UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def month_start(year: int, month: int) -> date:
    """First day of a month; the month number may lie outside 1..12."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


@dataclass(frozen=True)
class Calendar:
    """`months` whole calendar months ending on `end`; the last `daily` days are delivered one by one, earlier months whole."""

    end: date
    months: int
    daily: int

    def __post_init__(self) -> None:
        """Refuse an end inside a month, and more daily deliveries than the last month has days before it."""
        if (self.end + timedelta(days=1)).day != 1:
            raise ValueError(f"the company must end on the last day of a month, not {self.end}")
        if self.months < 1 or not 0 <= self.daily < self.end.day:
            raise ValueError(f"months {self.months} must be at least 1 and daily {self.daily} below the days of the last month")

    @property
    def starts(self) -> list[date]:
        """First day of every month and, last, of the month after the end."""
        return [month_start(self.end.year, self.end.month - self.months + 1 + position) for position in range(self.months + 1)]

    @property
    def edges(self) -> Integers:
        """`starts` as instants."""
        return np.array([instant(day) for day in self.starts], dtype=np.int64)

    def month_of(self, instants: Integers) -> Integers:
        """Position of the month of each instant; negative before the first."""
        return (np.searchsorted(self.edges, instants, side="right") - 1).astype(np.int64)

    def deliveries(self, month: int) -> list[date]:
        """Delivery days of one month's events: each delivers what happened before its midnight."""
        after = self.starts[month + 1]
        daily = self.daily if month == self.months - 1 else 0
        return [after - timedelta(days=back) for back in range(daily, -1, -1)]

    @property
    def cutoffs(self) -> Integers:
        """Instants of all deliveries in order."""
        return np.array([instant(day) for month in range(self.months) for day in self.deliveries(month)], dtype=np.int64)
