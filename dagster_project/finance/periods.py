"""Fiscal months as the published copy states them: which exist, which are complete, which one is meant by YYYY-MM."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import duckdb

from dagster_project.errors import UsageError

_LABEL = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Period:
    """One fiscal month. `label` is YYYY-MM: the fiscal period's own id where it has this form, else that of its first day."""

    label: str
    period_month: date
    fiscal_period: str
    fiscal_year: str
    start_date: date
    end_date: date
    close_state: str
    is_complete: bool


def periods(connection: duckdb.DuckDBPyConnection) -> list[Period]:
    """Return all fiscal months of the copy, oldest first."""
    rows = connection.execute(
        "select period_month, fiscal_period::varchar, fiscal_year::varchar, start_date, end_date, "
        "coalesce(close_state::varchar, 'open'), is_complete_period from marts.dim_period order by period_month"
    ).fetchall()
    return [Period(row[1] if _LABEL.fullmatch(row[1] or "") else row[0].strftime("%Y-%m"), *row) for row in rows]


def complete_period(connection: duckdb.DuckDBPyConnection, label: str) -> Period:
    """Return the month that `label` names.

    Raises
    ------
    UsageError
        Not of the form YYYY-MM, unknown, named by two months, or still running.
    """
    if not _LABEL.fullmatch(label):
        raise UsageError(f"period {label} is not of the form YYYY-MM")
    known = periods(connection)
    found = [period for period in known if period.label == label]
    if not found:
        spread = f"{known[0].label} to {known[-1].label}" if known else "none"
        raise UsageError(f"fiscal month {label} is not in the published copy; months there: {spread}")
    if len(found) > 1:
        raise UsageError(f"{label} names {len(found)} fiscal months; remedy: give each a fiscal_period of its own in feed fiscal_periods")
    if not found[0].is_complete:
        raise UsageError(
            f"fiscal month {label} is still running: it ends on {found[0].end_date} and the data do not reach that day; "
            "remedy: load the missing days, or extract an earlier month"
        )
    return found[0]


def latest_complete(connection: duckdb.DuckDBPyConnection) -> Period | None:
    """Return the newest complete month that has ROI figures, or None when there is none."""
    figures = connection.execute("select period_month from analytics.mart_service_roi_month where window_kind = 'month'").fetchall()
    complete = [period for period in periods(connection) if period.is_complete and (period.period_month,) in figures]
    return complete[-1] if complete else None
