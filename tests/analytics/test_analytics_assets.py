"""The analytics step as Dagster runs it. Breaks: keys that analysts type, lineage, and the engine's life."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
import yaml

from dagster_project.engines.engine import Engine
from dagster_project.orchestration.assets.analytics import analytics_assets
from dagster_project.transform.increment import Increment

MODELS = Path(__file__).resolve().parents[2] / "dbt" / "models"
TABLES = {
    "mart_service_roi_account", "mart_service_roi_month", "mart_retention_month", "mart_retention_cohort",
    "mart_concentration", "mart_concentration_curve", "mart_account_tier",
}  # fmt: skip


def test_every_table_is_an_asset_keyed_by_schema_and_table() -> None:
    keys = {tuple(key.path) for assets in analytics_assets for key in assets.keys}
    assert keys == {("analytics", table) for table in TABLES}
    assert {spec.group_name for assets in analytics_assets for spec in assets.specs} == {"analytics"}


def test_every_mart_that_an_asset_reads_is_a_model() -> None:
    read = {key.path[1] for assets in analytics_assets for key in assets.dependency_keys}
    assert {key.path[0] for assets in analytics_assets for key in assets.dependency_keys} == {"marts"}
    assert read <= {path.stem for path in MODELS.rglob("*.sql")}


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
    assert sorted(events[::2]) == ["analytics: concentration", "analytics: retention", "analytics: roi"]
    assert events[1::2] == ["closed"] * 3
    assert set(warehouse.columns(["analytics", "scratch"])) == {f"analytics.{table}" for table in TABLES}
