"""`service-roi metrics`: what there is, the figures of one, and what is wrong with a question that has no answer."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from dagster_project.commands import metrics
from dagster_project.commands.cli import app
from dagster_project.errors import UsageError
from dagster_project.publish.publisher import publish
from dagster_project.publish.source import WarehouseFile

SHOWN = "service-roi metrics list shows them: service_roi, tickets"
TABLES = """
create schema marts; create schema ops; create schema reporting;
create table ops.metric_registry as
select * from (values ('tickets', 'Tickets', 'count', 'neutral', 'sum', 'channel,segment', 'service', 'count of tickets'),
    ('service_roi', 'ROI', 'ratio', 'higher_is_better', 'ratio', '', 'finance', '(value - cost) / cost'))
    as t (metric_id, label_en, unit, direction, kind, cuts, owner, formula);
create table marts.dim_period as select date '2026-09-01' as period_month, true as is_complete_period
union all select date '2026-10-01', false;
create table reporting.mart_metric as
select 'tickets' as metric_id, 'month' as period_kind, period_month, cut, member, cast(num as decimal(28, 6)) as num,
    cast(null as decimal(28, 6)) as den, cast(num as double) as value, cast(null as bigint) as n, cast(null as double) as low,
    cast(null as double) as high, 'count' as unit, cast(null as varchar) as null_reason, is_complete_period
from marts.dim_period cross join (values ('all', 'all', 3), ('channel', 'email', 1), ('channel', 'phone', 2)) as t (cut, member, num)
union all select 'service_roi', 'trailing_12', date '2026-09-01', 'all', 'all', 1, 2, 0.5, 9, 0.4, 0.6, 'ratio', null, true;
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOME with a published copy of two metrics over two months, the second of which is running."""
    home = tmp_path_factory.mktemp("metrics-home")
    warehouse = home / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(TABLES)
    publish(home, WarehouseFile(warehouse), run_id="r", inputs_sha256="a" * 64, data_as_of=date(2026, 10, 12))
    return home


def asked(home: Path, *arguments: str) -> list[dict[str, Any]]:
    outcome = CliRunner().invoke(app, ["metrics", *arguments, "--home", str(home), "--format", "json"])
    assert outcome.exit_code == 0, outcome.exception
    found: list[dict[str, Any]] = json.loads(outcome.stdout)
    return found


def test_the_list_says_what_a_metric_is_and_what_it_is_cut_by(home: Path) -> None:
    rows = asked(home, "list")
    assert [(row["metric_id"], row["unit"], row["cuts"]) for row in rows] == [
        ("service_roi", "ratio", ""),
        ("tickets", "count", "channel, segment"),
    ]


def test_a_metric_by_month_and_cut_and_of_the_latest_complete_month(home: Path) -> None:
    rows = asked(home, "query", "tickets", "--by", "month,channel")
    assert [(row["period_month"], row["channel"], row["value"]) for row in rows] == [
        ("2026-09-01", "email", 1.0), ("2026-09-01", "phone", 2.0), ("2026-10-01", "email", 1.0), ("2026-10-01", "phone", 2.0),
    ]  # fmt: skip
    assert [row["period_month"] for row in asked(home, "query", "tickets")] == ["2026-09-01", "2026-10-01"]
    assert [row["period_month"] for row in asked(home, "query", "tickets", "--by", "channel")] == ["2026-09-01"] * 2
    assert [(row["value"], row["low"]) for row in asked(home, "query", "service_roi", "--period", "trailing_12")] == [(0.5, 0.4)]


@pytest.mark.parametrize(
    ("metric", "by", "period", "said"),
    [
        ("tickts", "month", "month", f"there is no metric tickts; did you mean tickets?; {SHOWN}"),
        ("xyz", "month", "month", f"there is no metric xyz; {SHOWN}"),
        ("tickets", "month,chanel", "month", "tickets is not cut by chanel; did you mean channel?; it is by: month, channel, segment"),
        ("service_roi", "month,'; drop", "month", "service_roi is not cut by '; drop; it is by: month"),
        ("tickets", "month", "year", "no period year; known: month, trailing_12, to_date"),
        ("tickets", "month", "trailing_12", "tickets has no figures by trailing_12; it has them by month"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_refused_with_what_does(home: Path, metric: str, by: str, period: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        metrics.figures_sql(home, metric, by, period)
    assert str(refused.value) == said


def test_two_cuts_without_the_extra_are_refused_with_the_remedy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"tickets by channel and segment together .* remedy: .*uv sync --extra metrics"):
        metrics.figures_sql(home, "tickets", "month,channel,segment")


def test_a_copy_from_before_metrics_were_is_told(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema ops; create table ops.runs as select 'r' as run_id")
    publish(tmp_path, WarehouseFile(warehouse), run_id="r", inputs_sha256="a" * 64, data_as_of=date(2026, 10, 12))
    with pytest.raises(UsageError, match="older than this command; remedy: service-roi run --full-refresh"):
        metrics.figures_sql(tmp_path, "tickets")
