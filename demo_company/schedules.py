"""Opening hours promised to customers: two schedules in different time zones, one of which changes, and the days on which they are closed.

The clock here counts the open seconds between instants. It shares no code with the product that it is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from demo_company.calendar import Calendar, instant
from demo_company.codes import HOLIDAYS, SCHEDULES, ZONES
from demo_company.draws import Integers
from demo_company.files import NULL, Batch
from demo_company.outbox import Outbox

_WEEK = 7
_SPLIT = tuple((weekday, begin, end) for weekday in range(1, 6) for begin, end in ((510, 720), (780, 1_050)))
_LONG = (*((weekday, 480, 1_080) for weekday in range(1, 5)), (5, 480, 960))
_EASTERN = (*((weekday, 480, 1_020) for weekday in range(1, 6)), (6, 600, 840))
"""Weekday, and the minutes after local midnight of opening and closing."""


@dataclass(frozen=True)
class Hours:
    """Spans of a week that hold from a day until before another; `after` is none while they still hold."""

    schedule: int
    first: date
    after: date | None
    spans: tuple[tuple[int, int, int], ...]


class Schedules:
    """The hours and closed days of the company's time."""

    def __init__(self, calendar: Calendar) -> None:
        self._start = calendar.starts[0] - timedelta(days=_WEEK)
        self._after = calendar.starts[-1]
        middle = calendar.starts[calendar.months // 2] if calendar.months > 1 else None
        self._opened = instant(calendar.starts[0])
        self.hours = [Hours(0, self._start, middle, _SPLIT), Hours(1, self._start, None, _EASTERN)]
        if middle:
            self.hours.append(Hours(0, middle, None, _LONG))
        years = range(self._start.year, self._after.year + 1)
        self.closed = [(schedule, day, name) for year in years for schedule, day, name in _closed_days(year)]
        self._clocks = [self._clock(schedule) for schedule in range(len(SCHEDULES))]

    def deliver(self, outbox: Outbox) -> None:
        """Queue all rows; hours that a change ends come again with their end on the day of the change."""
        for hours in self.hours:
            known = max(instant(hours.first), self._opened)
            outbox.add("business_hours", *_hours_rows(hours, None, known))
            if hours.after:
                outbox.add("business_hours", *_hours_rows(hours, hours.after, instant(hours.after)))
        count = len(self.closed)
        rows = {
            "schedule_id": np.array([schedule for schedule, _, _ in self.closed], dtype=np.int64),
            "holiday_date": np.array([instant(day) for _, day, _ in self.closed], dtype=np.int64),
            "holiday_name": np.array([name for _, _, name in self.closed], dtype=np.int64),
        }
        outbox.add("holidays", rows, np.full(count, self._opened, dtype=np.int64))

    def open_seconds(self, schedule: int, since: Integers, until: Integers) -> Integers:
        """Open seconds between instants."""
        opens, closes, before = self._clocks[schedule]

        def passed(at: Integers) -> Integers:
            place = np.maximum(np.searchsorted(opens, at, side="right") - 1, 0)
            return np.asarray(before[place] + np.clip(at - opens[place], 0, closes[place] - opens[place]))

        return np.asarray(passed(until) - passed(since), dtype=np.int64)

    def _clock(self, schedule: int) -> tuple[Integers, Integers, Integers]:
        """Instants of opening and closing in order, and the open seconds before each opening."""
        zone = ZoneInfo(ZONES[schedule])
        shut = {day for other, day, _ in self.closed if other == schedule}
        spans = []
        for number in range((self._after - self._start).days + _WEEK):
            day = self._start + timedelta(days=number)
            for hours in self.hours:
                if hours.schedule != schedule or day in shut or day < hours.first or (hours.after and day >= hours.after):
                    continue
                midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
                spans += [
                    tuple(int((midnight + timedelta(minutes=minutes)).astimezone(UTC).timestamp()) for minutes in (begin, end))
                    for weekday, begin, end in hours.spans
                    if weekday == day.isoweekday()
                ]
        opens, closes = np.array(spans, dtype=np.int64).T
        return opens, closes, np.cumsum(closes - opens) - (closes - opens)


def _hours_rows(hours: Hours, after: date | None, known_at: int) -> tuple[Batch, Integers]:
    weekday, begin, end = np.array(hours.spans, dtype=np.int64).T
    row = np.ones(len(weekday), dtype=np.int64)
    rows = {
        "schedule_id": row * hours.schedule,
        "valid_from_date": row * instant(hours.first),
        "weekday": weekday,
        "start_minutes": begin,
        "end_minutes": end,
        "valid_to_date": row * (instant(after) if after else NULL),
        "time_zone": row * hours.schedule,
    }
    return rows, row * known_at


def _closed_days(year: int) -> list[tuple[int, date, int]]:
    """Schedule, day and name of the closed days of a year; Thanksgiving is the fourth Thursday of November."""
    thursday = date(year, 11, 1) + timedelta(days=(3 - date(year, 11, 1).weekday()) % _WEEK + 3 * _WEEK)
    north = ((1, 1, "New Year"), (5, 1, "Labour Day"), (10, 3, "German Unity Day"), (12, 25, "Christmas"), (12, 26, "Boxing Day"))
    south = ((1, 1, "New Year"), (7, 4, "Independence Day"), (12, 25, "Christmas"))
    fixed = [(schedule, date(year, month, day), name) for schedule, days in enumerate((north, south)) for month, day, name in days]
    return [(schedule, day, HOLIDAYS.index(name)) for schedule, day, name in [*fixed, (1, thursday, "Thanksgiving")]]
