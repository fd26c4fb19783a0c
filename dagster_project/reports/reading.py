"""What the first page shows, read from the published copy: figures of the latest complete months, what is unknown, state of the data.

Holds every question that the page asks. Figures are rows of `reporting.mart_metric`; no account is ever selected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from dagster_project.errors import InfrastructureError
from dagster_project.finance.periods import Period, over_but_waiting, periods
from dagster_project.publish.versions import Pointer
from dagster_project.reports.wording import what_would_tell

SHOWN_MONTHS = 12
CURVE_OF = "net_revenue"
"""Measure whose curve is drawn; the table next to it has all of them."""
_PERCENT = ("service_roi", "service_roi_hard", "service_roi_all", "service_roi_before_damage", "cost_per_sales_unit")
"""Ratios that people read in percent."""
_FIGURES = """
select metric_id, period_kind, period_month, member, num, den, low, high, unit,
    case when value is not null and num is not null and den is null then num else value end as value,
    case when is_complete_period or period_kind <> 'trailing_12' then null_reason else 'not_mature' end as null_reason,
    is_provisional, is_complete_period
from reporting.mart_metric
where period_month in (select unnest($months)) and cut in ('all', 'channel', 'measure')
    and (cut = 'all' or period_month = $latest) order by all
"""
_MEASURED = "select period_month from reporting.roi_month"
_METRICS = "select metric_id, label_en, sources from ops.metric_registry order by metric_id"
_CURVE = """
select 1 - customer_share as customers, 1 - lorenz_share as share from analytics.mart_concentration_curve
where window_kind = $window and measure_kind = $measure and period_month = $latest and lorenz_share is not null
order by 1
"""
_PARTS = ("ledger", "allocated", "unallocated", "out_of_scope", "non_customer", "capex", "difference")
_RECONCILIATION = f"""
select {", ".join(f"case when bool_and({name}_amount is not null) then sum({name}_amount) end as {name}" for name in _PARTS[:-1])},
    case when bool_and(difference_amount is not null) then sum(abs(difference_amount)) end as difference
from marts.mart_cost_reconciliation
"""
_FEEDS = """
with sources as (
    select feed, string_agg(source_name, ', ' order by source_name) as delivered_by, max(last_delivery_date) as last_day
    from ops.sources group by feed
),
quarantine as (select feed, count(*) filter (quarantine_state = 'open') as open_count from ops.quarantine group by feed)
select feed, delivered_by, last_day, coalesce(row_count, 0) as row_count, coalesce(open_count, 0) as open_count,
    coalesce(is_stale, false) as is_stale, age_days, maximum_age_days, is_present
from ops.feed_presence left join sources using (feed) left join quarantine using (feed) left join ops.feed_freshness using (feed)
order by feed
"""
_RULES = """
select feed, rule, count(*) as open_count from ops.quarantine where quarantine_state = 'open'
group by all order by open_count desc, feed, rule limit 20
"""
_RECORDS = """
select count(*) filter (load_state = 'accepted') as files, coalesce(sum(physical_count), 0)::bigint as delivered,
    coalesce(sum(loaded_count), 0)::bigint as loaded, coalesce(sum(superseded_count), 0)::bigint as superseded,
    coalesce(sum(quarantined_count), 0)::bigint as quarantined, coalesce(sum(waiting_count), 0)::bigint as waiting
from ops.load_ledger
"""
_OF_THE_LAST_RUN = "run_id = (select run_id from ops.runs order by started_at desc, run_id limit 1)"
_WARNINGS = f"""
select feed, expectation, max(unexpected_count) as unexpected_count, max(notes) as notes from ops.warnings
where {_OF_THE_LAST_RUN} group by all order by all
"""
_VOLUMES = f"""
select system_name, stream_name, delivery_date, physical_count, lowest_usual_count, highest_usual_count
from ops.unusual_volumes where {_OF_THE_LAST_RUN} order by all
"""
_COVERAGE = "select count(*) filter (state = 'served') as served, count(*) as described from ops.spec_coverage"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One value of a metric: null with its reason, bounds of 95 % where it has some."""

    label: str
    value: Decimal | float | None = None
    unit: str = "count"
    reason: str | None = None
    low: float | None = None
    high: float | None = None
    num: Decimal | None = None
    den: Decimal | None = None
    is_provisional: bool = False


@dataclass(frozen=True)
class Unknown:
    """Metrics that are unknown for one reason, and the source that would tell."""

    reason: str
    labels: list[str]
    source: str


@dataclass(frozen=True)
class Contents:
    """Everything the page shows. `months` are the latest complete ones, oldest first; `latest` is None where none is complete.

    `window` is the one of 80/20: trailing_12, or to_date until twelve complete months are there.
    """

    pointer: Pointer
    entity: str
    currency: str
    activity_window_days: int
    months: Sequence[Period]
    waiting: Sequence[str]
    labels: Mapping[str, str]
    sources: Mapping[str, str]
    curve: Sequence[Row]
    reconciliation: Row
    feeds: Sequence[Row]
    rules: Sequence[Row]
    records: Row
    warnings: Sequence[Row]
    volumes: Sequence[Row]
    coverage: Row
    window: str
    _figures: Mapping[tuple[str, str, date, str], Figure] = field(repr=False)

    @property
    def latest(self) -> Period | None:
        """The latest complete month that has figures."""
        return self.months[-1] if self.months else None

    @property
    def present(self) -> list[str]:
        """Feeds that were delivered."""
        return [feed["feed"] for feed in self.feeds if feed["is_present"]]

    def figure(self, metric_id: str, month: Period | None = None, *, member: str = "all", window: str = "month") -> Figure:
        """Return a figure of a month (the latest complete one): for all of the company, or a member of a cut."""
        at = month or self.latest
        missing = Figure(self.labels.get(metric_id, metric_id))
        return missing if at is None else self._figures.get((metric_id, window, at.period_month, member), missing)

    def members(self, metric_id: str, *, window: str = "month") -> list[str]:
        """Return the members of the metric's cut in the latest month, without the company."""
        return sorted(key[3] for key in self._figures if key[:2] == (metric_id, window) and key[3] != "all")

    def unknown(self) -> list[Unknown]:
        """Return the metrics without a value for the company in the latest complete month, by reason and by what would tell."""
        found: dict[tuple[str, str], list[str]] = {}
        for name in self.labels:
            figure = self.figure(name)
            if figure.value is None and figure.reason is not None:
                source = what_would_tell(figure.reason, self.sources[name], self.present)
                found.setdefault((figure.reason, source), []).append(figure.label)
        return [Unknown(reason, sorted(labels), source) for (reason, source), labels in sorted(found.items())]


def read_contents(connection: duckdb.DuckDBPyConnection, pointer: Pointer) -> Contents:
    """Read the page's contents.

    Raises
    ------
    InfrastructureError
        The copy lacks a table or a column that the page shows.
    """
    try:
        return _read(connection, pointer)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise InfrastructureError(f"{pointer.file} is not complete: {str(error).splitlines()[0]}") from error


def _read(connection: duckdb.DuckDBPyConnection, pointer: Pointer) -> Contents:
    def rows(sql: str, values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        found = connection.execute(sql, values) if values else connection.execute(sql)
        names = [str(column[0]) for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    (parameters,) = rows("select legal_entity, reporting_currency_code as currency, activity_window_days from ops.run_parameters")
    measured = {row["period_month"] for row in rows(_MEASURED)}
    months = [one for one in periods(connection) if one.is_complete and one.period_month in measured][-SHOWN_MONTHS:]
    metrics = rows(_METRICS)
    labels = {metric["metric_id"]: metric["label_en"] for metric in metrics}
    at: dict[str, Any] = {"months": [one.period_month for one in months], "latest": months[-1].period_month if months else None}
    figures = {
        (row["metric_id"], row["period_kind"], row["period_month"], row["member"]): _figure(row, labels) for row in rows(_FIGURES, at)
    }
    is_year = any(key[1] == "trailing_12" and key[3] == CURVE_OF and figure.value is not None for key, figure in figures.items())
    window = "trailing_12" if is_year else "to_date"
    return Contents(
        pointer=pointer,
        entity=parameters["legal_entity"],
        currency=parameters["currency"],
        activity_window_days=parameters["activity_window_days"],
        months=months,
        waiting=over_but_waiting(connection),
        labels=labels,
        sources={metric["metric_id"]: metric["sources"] or "" for metric in metrics},
        curve=rows(_CURVE, {"measure": CURVE_OF, "latest": at["latest"], "window": window}),
        reconciliation=rows(_RECONCILIATION)[0],
        feeds=rows(_FEEDS),
        rules=rows(_RULES),
        records=rows(_RECORDS)[0],
        warnings=rows(_WARNINGS),
        volumes=rows(_VOLUMES),
        coverage=rows(_COVERAGE)[0],
        window=window,
        _figures=figures,
    )


def _figure(row: dict[str, Any], labels: Mapping[str, str]) -> Figure:
    is_complete = row["is_complete_period"] or row["period_kind"] != "trailing_12"
    return Figure(
        label=labels.get(row["metric_id"], row["metric_id"]),
        value=row["value"] if is_complete else None,
        unit="percent" if row["metric_id"] in _PERCENT else row["unit"],
        reason=row["null_reason"],
        low=row["low"],
        high=row["high"],
        num=row["num"],
        den=row["den"],
        is_provisional=row["is_provisional"],
    )
