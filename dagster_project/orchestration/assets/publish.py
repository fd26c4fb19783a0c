"""Publishing as Dagster assets: the ops tables, then gate and copy."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg

from dagster_project.analytics.subject import SCHEMA
from dagster_project.analytics.tables import MONTHLY, TABLES
from dagster_project.engines.engine import Engine
from dagster_project.engines.spark_engine import SparkEngine
from dagster_project.finance.extract import referenced_copies
from dagster_project.ingest.lake import REGISTERED
from dagster_project.orchestration.assets.transform import MANIFEST
from dagster_project.orchestration.runtime import Runtime
from dagster_project.publish.dictionary import behind_views, dictionary
from dagster_project.publish.gate import gate
from dagster_project.publish.increment import Changed
from dagster_project.publish.operations import OPS_TABLES, write_ops_tables
from dagster_project.publish.publisher import publish
from dagster_project.publish.source import SparkTables, WarehouseFile
from dagster_project.transform import project
from dagster_project.transform.increment import Increment, remember

_OPS = [dg.AssetKey(["ops", table]) for table in OPS_TABLES]
_MODELS = project.model_names(MANIFEST, ("marts", "reporting"))
_COPIED = [dg.AssetKey(name.split(".")) for name in _MODELS] + [dg.AssetKey([SCHEMA, table]) for table in TABLES] + _OPS
_REGISTERED = [dg.AssetKey(["lake", table]) for table in REGISTERED]
_WATERMARK = dg.AssetKey(["intermediate", "int_core__watermark"])


def monthly_tables(manifest: Mapping[str, Any]) -> frozenset[str]:
    """Return `schema.table` of the tables whose rows belong to a fiscal month: models say so by `materialized='monthly'`."""
    return frozenset(MONTHLY) | {
        f"{node['schema']}.{node['name']}"
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "monthly"
    }


def _changed(engine: Engine, increment: Increment) -> Changed | None:
    """Return which months may differ: those that the models rebuilt, and in analytics every month from the first of them on.

    None where most months differ.
    """
    if increment.base is None:
        return None
    every = {month for (month,) in engine.rows("select period_month from marts.mart_cost_per_unit")}
    if 2 * len(every & increment.months) > len(every):  # deleting and inserting most of a file costs more than writing it
        return None
    later: set[date] = set()
    if since := increment.first_month:
        later = {month for (month,) in engine.rows("select period_month from marts.dim_period")}
        ((last,),) = engine.rows("select max(period_month) from analytics.mart_service_roi_month")
        later = {month for month in later if month >= min(since, last or since)}
    rebuilt: frozenset[date | None] = increment.months | {None}
    months = {name: frozenset(later) if name in MONTHLY else rebuilt for name in monthly_tables(MANIFEST)}
    return Changed(increment.base, months)


@dg.multi_asset(
    name="ops_tables",
    specs=[
        dg.AssetSpec(key, deps=[*(name.split(".") for name in _MODELS), *_REGISTERED], group_name="ops", kinds={"duckdb"}) for key in _OPS
    ],
    pool="warehouse",
)
def ops_tables(runtime: dg.ResourceParam[Runtime]) -> Iterator[dg.MaterializeResult[None]]:
    """Write what was loaded, refused, checked and run, and what each metric means."""
    with runtime.stage("ops"), runtime.engine() as engine:
        counts = write_ops_tables(engine, runtime.ledger, MANIFEST)
    for key in _OPS:
        yield dg.MaterializeResult(asset_key=key, metadata={"dagster/row_count": counts[key.path[-1]]})


@dg.asset(key=["published", "current"], deps=[*_COPIED, _WATERMARK], group_name="publish", kinds={"duckdb", "parquet"}, pool="warehouse")
def published_copy(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult[None]:
    """Pass the gate, copy, verify in a fresh process, switch the pointer."""
    settings = runtime.settings
    with runtime.stage("publish"):
        with runtime.engine() as engine:
            gate(engine, _MODELS, runtime.built, project.gate_tests(MANIFEST), runtime.checks)
            ((data_as_of,),) = engine.rows("select as_of_date from intermediate.int_core__watermark")
            source = SparkTables(engine) if isinstance(engine, SparkEngine) else WarehouseFile(settings.warehouse)
            changed = _changed(engine, runtime.increment)
        published = publish(
            settings.home,
            source,
            run_id=runtime.run_id,
            inputs_sha256=runtime.inputs_hash(),
            data_as_of=data_as_of,
            monthly=monthly_tables(MANIFEST),
            descriptions=behind_views(MANIFEST) | dictionary(MANIFEST),
            changed=changed,
            keep=referenced_copies(settings.finance),
            copy_limit_bytes=settings.copy_limit_bytes,
            threads=settings.threads,
            memory_limit=settings.memory_limit,
        )
        pointer = published.pointer
        with runtime.engine() as engine:
            remember(engine, runtime.ledger, runtime.code, pointer.stem)
    runtime.outcome["published"] = published
    return dg.MaterializeResult(
        metadata={"seq": pointer.seq, "file": pointer.file, "content_hash": pointer.content_hash, "is_new": published.is_new}
    )
