"""Fiscal months as the published copy states them: which exist, which are complete, which one a label or a calendar month means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from dagster_project.errors import UsageError

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_REMEDY = (
    "remedy: deliver what is missing (a file with nothing but its header says that there is nothing more), name a source that will deliver"
    " no more under ended_sources in the assumptions, or extract an earlier month"
)


@dataclass(frozen=True)
class Period:
    """One fiscal month. `label` is the fiscal calendar's own id; `waits_for` names the sources that have not reached its end."""

    period_month: date
    label: str
    fiscal_year: str
    start_date: date
    end_date: date
    close_state: str
    is_complete: bool
    waits_for: str | None
    is_generated: bool

    def days_in(self, month: str) -> int:
        """Count the days that the fiscal month shares with a calendar month, YYYY-MM."""
        days = (self.start_date + timedelta(number) for number in range((self.end_date - self.start_date).days + 1))
        return sum(f"{day:%Y-%m}" == month for day in days)


def periods(connection: duckdb.DuckDBPyConnection) -> list[Period]:
    """Return all fiscal months of the copy, oldest first."""
    rows = connection.execute(
        "select period_month, fiscal_period::varchar, fiscal_year::varchar, start_date, end_date, "
        "coalesce(close_state::varchar, 'open'), is_complete_period, waits_for, is_generated from marts.dim_period order by period_month"
    ).fetchall()
    return [Period(*row) for row in rows]


def is_year_complete(known: list[Period], period: Period, start_month: int) -> bool:
    """Tell whether the copy has the fiscal year from its first month on; a calendar that is delivered names its own first month."""
    first = min((other for other in known if other.fiscal_year == period.fiscal_year), key=lambda other: other.start_date)
    return first != known[0] or not first.is_generated or first.start_date.month == start_month


def complete_period(connection: duckdb.DuckDBPyConnection, name: str) -> Period:
    """Return the month that `name` means: its own label, or YYYY-MM for the fiscal month that has most of this calendar month's days.

    Raises
    ------
    UsageError
        Unknown, still running, or a source that it needs has not reached its end.
    """
    known = periods(connection)
    found = next((period for period in known if period.label == name), None)
    if found is None and _MONTH.fullmatch(name):
        found = max((period for period in known if period.days_in(name)), key=lambda period: period.days_in(name), default=None)
    if found is None:
        spread = f"{known[0].label} to {known[-1].label}" if known else "none"
        raise UsageError(f"fiscal month {name} is not in the published copy; months there: {spread}")
    if found.is_complete:
        return found
    if found.waits_for is None:
        raise UsageError(f"fiscal month {found.label} is still running: it ends on {found.end_date}; remedy: extract an earlier month")
    raise UsageError(f"fiscal month {found.label} is not complete: {waiting(connection, found)}; {_REMEDY}")


def waiting(connection: duckdb.DuckDBPyConnection, period: Period) -> str:
    """Return which sources the month waits for, and the day that each has reached."""
    last = dict(connection.execute("select source_name, max(last_delivery_date) from ops.sources group by source_name").fetchall())
    late: list[str] = []
    mute: list[str] = []
    for source in (period.waits_for or "").split(", "):
        day = last.get(source)
        (late if day is None or day <= period.end_date else mute).append(f"{source} (last delivered on {day or 'no day'})")
    reasons = [f"a delivery after {period.end_date} of {', '.join(late)}"] * bool(late) + [f"cost lines of {', '.join(mute)}"] * bool(mute)
    return f"it waits for {' and '.join(reasons)}"


def latest_complete(connection: duckdb.DuckDBPyConnection) -> Period | None:
    """Return the newest complete month that has ROI figures, or None when there is none."""
    figures = connection.execute("select period_month from analytics.mart_service_roi_month where window_kind = 'month'").fetchall()
    complete = [period for period in periods(connection) if period.is_complete and (period.period_month,) in figures]
    return complete[-1] if complete else None


def over_but_waiting(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Report of each month after the latest complete one that is over and has no extract what it waits for."""
    latest = latest_complete(connection)
    (day,) = connection.execute("select max(last_delivery_date) from ops.sources").fetchone() or (None,)
    return [
        f"no extract of {period.label}: {waiting(connection, period)}"
        for period in periods(connection)
        if period.waits_for and day and period.end_date < day and (latest is None or period.period_month > latest.period_month)
    ]
