"""Metrics of the published copy: which there are, and the figures of one of them by month and cut.

`mart_metric` answers one cut at a time. More cuts together go through MetricFlow (extra `metrics`), on the same copy and the same
declarations. Holds the SQL of both; the reader runs and prints it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb

from dagster_project.errors import UsageError, did_you_mean
from dagster_project.publish.reader import open_current

MONTH = "month"
PERIODS = ("month", "trailing_12", "to_date")
LIST = """
select metric_id, label_en as label, unit, direction, kind, replace(cuts, ',', ', ') as cuts, owner, formula
from ops.metric_registry order by metric_id
"""
_LATEST = " and figures.period_month = (select max(period_month) from marts.dim_period where is_complete_period)"


def figures_sql(home: Path, metric: str, by: str = MONTH, period: str = MONTH) -> str:
    """Return the SQL of a metric's figures by the names in `by` (comma separated): `month` and cuts that the metric declares.

    Without `month` they are those of the latest complete month. Columns: period_month, one per cut, value, num, den, then what the table
    has of it (n, low, high), unit, null_reason, is_complete_period.

    Raises
    ------
    UsageError
        The metric, a cut or a period does not exist, the message names those that do; or more than one cut is asked for and the extra
        `metrics` is not installed.
    """
    cuts = tuple(name for name in dict.fromkeys(part.strip() for part in by.split(",")) if name not in (MONTH, ""))
    _check(home, metric, cuts, period)
    latest = "" if MONTH in by.split(",") else _LATEST
    if len(cuts) > 1:
        if find_spec("metricflow") is None:
            raise UsageError(
                f"{metric} by {' and '.join(cuts)} together is not in reporting.mart_metric, which has one cut at a time; remedy: ask for"
                " one of them, or install the extra `metrics` (uv sync --extra metrics), which answers any"
            )
        if period != MONTH:
            raise UsageError(f"more than one cut is answered by {MONTH} only, not {period}")
        from dagster_project.commands.metricflow import metricflow_sql

        return f"select figures.* from ({metricflow_sql(metric, cuts)}) as figures where true{latest} order by all nulls last"
    cut = cuts[0] if cuts else "all"
    member = f"member as {cut}, " if cuts else ""
    return (
        f"select period_month, {member}value, num, den, n, low, high, unit, null_reason, is_complete_period from reporting.mart_metric"
        f" as figures where metric_id = '{metric}' and cut = '{cut}' and period_kind = '{period}'{latest} order by all nulls last"
    )


def _check(home: Path, metric: str, cuts: tuple[str, ...], period: str) -> None:
    """Refuse what the served copy does not have, so that nothing but known names reaches the SQL."""
    connection, _ = open_current(home)
    with connection:
        try:
            known = dict(connection.execute("select metric_id, cuts from ops.metric_registry").fetchall())
            answered = connection.execute(
                "select distinct period_kind from reporting.mart_metric where metric_id = ? order by 1", [metric]
            ).fetchall()
        except duckdb.Error as error:
            raise UsageError("the published copy is older than this command; remedy: service-roi run --full-refresh") from error
    if metric not in known:
        hint = did_you_mean(metric, known, 3)
        raise UsageError(f"there is no metric {metric}{hint}; service-roi metrics list shows them: {', '.join(sorted(known))}")
    declared = [name for name in str(known[metric]).split(",") if name]
    if unknown := [cut for cut in cuts if cut not in declared]:
        hint = "".join(did_you_mean(cut, [MONTH, *declared]) for cut in unknown)
        raise UsageError(f"{metric} is not cut by {', '.join(unknown)}{hint}; it is by: {', '.join([MONTH, *declared])}")
    if period not in PERIODS:
        raise UsageError(f"no period {period}; known: {', '.join(PERIODS)}")
    if answered and (period,) not in answered:
        raise UsageError(f"{metric} has no figures by {period}; it has them by {', '.join(kind for (kind,) in answered)}")
