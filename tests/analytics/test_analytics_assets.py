"""The analytics step as Dagster runs it. Breaks: keys that analysts type, lineage, and the engine's life."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import sqlglot
import yaml

from dagster_project import analytics, metrics
from dagster_project.analytics.subject import run, subjects
from dagster_project.engines.engine import Engine
from dagster_project.metrics.registry import collect
from dagster_project.orchestration.assets.analytics import analytics_assets
from dagster_project.transform import project
from dagster_project.transform.increment import Increment
from tests.analytics.conftest import FEEDS

MODELS = Path(__file__).resolve().parents[2] / "dbt" / "models"


def test_every_table_is_an_asset_keyed_by_schema_and_table() -> None:
    keys = {tuple(key.path) for assets in analytics_assets for key in assets.keys}
    assert keys == {("analytics", table) for subject in subjects() for table in subject.writes}
    assert {spec.group_name for assets in analytics_assets for spec in assets.specs} == {"analytics"}


def test_a_table_has_one_subject_and_a_subject_the_name_of_its_module() -> None:
    written = [table for subject in subjects() for table in subject.writes]
    assert len(written) == len(set(written))
    modules = {name for _, name, _ in pkgutil.iter_modules(analytics.__path__)}
    assert {subject.name for subject in subjects()} <= modules, "analytics/<subject>.py holds the SUBJECT of that name"


def test_a_subject_has_its_formulas_in_metrics_and_a_test_of_them() -> None:
    for subject in subjects():
        formula = Path(metrics.__file__).with_name(f"{subject.name}.py")
        assert formula.exists(), (
            f"{subject.name} has no formulas: write metrics/{subject.name}.py, and call it in analytics/{subject.name}.py"
        )
        importing = (f"from dagster_project.metrics.{subject.name} import", f"from dagster_project.metrics import {subject.name}\n")
        sources = [path.read_text(encoding="utf-8") for path in (Path(__file__).parents[1] / "metrics").glob("test_*.py")]
        is_tested = any(line in source for source in sources for line in importing)
        assert is_tested, f"nothing tests metrics/{subject.name}.py: write tests/metrics/test_{subject.name}.py with a worked example"


def test_the_metrics_that_a_subject_names_are_those_declared_on_its_tables() -> None:
    declared: dict[str, set[str]] = {}
    for metric in collect(project.manifest()):
        if metric.relation.startswith("analytics."):
            declared.setdefault(metric.relation.removeprefix("analytics."), set()).add(metric.metric_id)
    for subject in subjects():
        here = set().union(*(declared.pop(table, set()) for table in subject.writes))
        assert set(subject.metrics) - here == set(), f"{subject.name} names metrics without an entry in the yml of dbt/models/reporting"
        assert here - set(subject.metrics) == set(), f"name these in `metrics` of the SUBJECT in analytics/{subject.name}.py"
    assert declared == {}, "metrics of tables that no subject writes"


def test_the_parents_of_an_asset_are_the_marts_that_its_sql_names() -> None:
    parents = {assets.op.name: {tuple(key.path) for key in assets.dependency_keys} for assets in analytics_assets}
    account_marts = {"dim_account", "dim_period", "fct_cost_line", "mart_account_sales_month", "mart_account_service_month"}
    known = {("lake", "feed_presence"), ("lake", "run_parameters")}
    orders = {"dim_account", "dim_period", "fct_order", "fct_order_line_net", "fct_refund"}
    assert parents == {
        **{f"analytics_{name}": known | {("marts", mart) for mart in account_marts} for name in ("concentration", "roi", "tiers")},
        "analytics_retention": known | {("marts", mart) for mart in orders},
    }
    assert {mart for of in parents.values() for schema, mart in of if schema == "marts"} <= {path.stem for path in MODELS.rglob("*.sql")}


@pytest.mark.parametrize("feeds", [FEEDS, ("orders",)])
def test_a_subject_reads_no_table_that_its_reads_do_not_name(company: Callable[..., Engine], feeds: tuple[str, ...]) -> None:
    for subject in subjects():
        recorder = Recorder(company(months=2, feeds=feeds))
        run(subject, recorder)  # type: ignore[arg-type]
        named = {table for sql in subject.reads for table in tables_of(sql)}
        read = {table for sql in recorder.read_sql for table in tables_of(sql)}
        assert read - named == set(), f"add the SQL that reads these to `reads` of the SUBJECT in analytics/{subject.name}.py"


class Recorder:
    """An engine that notes the SQL it is asked to read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.read_sql: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)
        if name not in {"rows", "read", "score", "run"}:
            return method

        def noted(sql: str, *arguments: Any, **how: Any) -> Any:
            self.read_sql.append(sql)
            return method(sql, *arguments, **how)

        return noted


def tables_of(sql: str) -> set[str]:
    found = sqlglot.parse_one(sql, dialect="duckdb").find_all(sqlglot.expressions.Table)
    return {f"{table.db}.{table.name}" for table in found if table.db}


def test_the_hand_made_tables_of_these_tests_have_only_columns_that_the_marts_declare(hand_made_columns: dict[str, list[str]]) -> None:
    declared: dict[str, set[str]] = {}
    for path in MODELS.rglob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            declared[f"marts.{model['name']}"] = {column["name"] for column in model.get("columns", [])}
    marts = {table: columns for table, columns in hand_made_columns.items() if table.startswith("marts.")}
    assert {table: set(columns) - declared[table] for table, columns in marts.items() if set(columns) - declared[table]} == {}


@pytest.mark.filterwarnings("ignore")
def test_the_assets_build_all_tables_and_leave_no_scratch_behind(company: Callable[..., Engine]) -> None:
    warehouse, events = company(months=2), []

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        events.append(name)
        yield

    @contextmanager
    def engine() -> Iterator[Engine]:
        yield warehouse
        events.append("closed")

    runtime = SimpleNamespace(engine=engine, stage=stage, increment=Increment(None))
    result = dg.materialize(
        analytics_assets, resources={"runtime": dg.ResourceDefinition.hardcoded_resource(runtime)}, instance=dg.DagsterInstance.ephemeral()
    )
    assert result.success
    assert sorted(events[::2]) == [f"analytics: {subject.name}" for subject in subjects()]
    assert events[1::2] == ["closed"] * len(subjects())
    assert set(warehouse.columns(["analytics", "scratch"])) == {f"analytics.{table}" for subject in subjects() for table in subject.writes}
