"""The fiscal months of the company and the cut-offs of its deliveries; dates are arguments, never the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np

from demo_company.draws import Integers

DAY = 86_400
KINDS = ("calendar", "4-4-5")
YEAR_END_4_4_5 = date(2026, 10, 31)
"""A last day of a fiscal year of 52 weeks; the others follow in steps of 52 weeks (there is no 53rd week)."""


def instant(day: date) -> int:
    """Seconds since 1970 at the start of the day in UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def month_start(year: int, month: int) -> date:
    """First day of a calendar month; the month number may be outside 1..12."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


@dataclass(frozen=True)
class Period:
    """One fiscal month; `label` is YYYY-MM, in a 4-4-5 calendar fiscal year and number of the period in it."""

    label: str
    fiscal_year: int
    start: date
    after: date


def _fiscal_year(year: int, kind: str) -> list[Period]:
    if kind == "calendar":
        return [Period(f"{year}-{month:02d}", year, month_start(year, month), month_start(year, month + 1)) for month in range(1, 13)]
    start = YEAR_END_4_4_5 + timedelta(days=1 + 364 * (year - YEAR_END_4_4_5.year - 1))
    periods = []
    for number in range(1, 13):
        after = start + timedelta(weeks=5 if number % 3 == 0 else 4)
        periods.append(Period(f"{year}-{number:02d}", year, start, after))
        start = after
    return periods


@dataclass(frozen=True)
class Calendar:
    """`months` complete fiscal months ending on `end`; the last `daily` days are delivered one by one, earlier months at once."""

    end: date
    months: int
    daily: int
    kind: str = "calendar"

    def __post_init__(self) -> None:
        """Refuse an unknown kind, an end inside a month, and more daily deliveries than the last month has days before it."""
        if self.kind not in KINDS:
            raise ValueError(f"the calendar must be one of {', '.join(KINDS)}, not {self.kind}")
        after = self.end + timedelta(days=1)
        last = [period for year in (self.end.year, self.end.year + 1) for period in _fiscal_year(year, self.kind) if period.after == after]
        if not last:
            raise ValueError(f"the company must end on the last day of a fiscal month, not {self.end}")
        if self.months < 1 or not 0 <= self.daily < (after - last[0].start).days:
            raise ValueError(f"months {self.months} must be at least 1 and daily {self.daily} below the days of the last month")

    @cached_property
    def fiscal_periods(self) -> list[Period]:
        """All periods of every fiscal year that the company touches."""
        after = self.end + timedelta(days=1)
        years = range(self.end.year - self.months // 12 - 2, self.end.year + 2)
        known = [period for year in years for period in _fiscal_year(year, self.kind)]
        last = [period.after for period in known].index(after)
        first_year, last_year = known[last - self.months + 1].fiscal_year, known[last].fiscal_year
        return [period for period in known if first_year <= period.fiscal_year <= last_year]

    @cached_property
    def first_position(self) -> int:
        """Position of the first month in `fiscal_periods`."""
        return [period.after for period in self.fiscal_periods].index(self.end + timedelta(days=1)) - self.months + 1

    @cached_property
    def periods(self) -> list[Period]:
        """The months of the company."""
        return self.fiscal_periods[self.first_position : self.first_position + self.months]

    @cached_property
    def starts(self) -> list[date]:
        """First day of every month and, last, of the month after the end."""
        return [*(period.start for period in self.periods), self.periods[-1].after]

    @cached_property
    def edges(self) -> Integers:
        """`starts` as instants."""
        return np.array([instant(day) for day in self.starts], dtype=np.int64)

    def month_of(self, instants: Integers) -> Integers:
        """Position of the month of each instant; negative before the first."""
        return (np.searchsorted(self.edges, instants, side="right") - 1).astype(np.int64)

    def days(self, month: int) -> range:
        """Days since 1970 of a month."""
        return range(int(self.edges[month]) // DAY, int(self.edges[month + 1]) // DAY)

    def deliveries(self, month: int) -> list[date]:
        """Delivery days of one month's events: each delivers what happened before its midnight."""
        after = self.starts[month + 1]
        daily = self.daily if month == self.months - 1 else 0
        return [after - timedelta(days=back) for back in range(daily, -1, -1)]

    @cached_property
    def cutoffs(self) -> Integers:
        """Instants of all deliveries in order."""
        return np.array([instant(day) for month in range(self.months) for day in self.deliveries(month)], dtype=np.int64)

    @cached_property
    def rate_days(self) -> list[date]:
        """First days of the calendar months that the company touches: each has its average exchange rates."""
        first = self.starts[0]
        count = (self.end.year - first.year) * 12 + self.end.month - first.month + 1
        return [month_start(first.year, first.month + position) for position in range(count)]

    @cached_property
    def rate_edges(self) -> Integers:
        """`rate_days` as instants."""
        return np.array([instant(day) for day in self.rate_days], dtype=np.int64)
