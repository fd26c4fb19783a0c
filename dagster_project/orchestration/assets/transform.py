"""The `@dbt_assets` definitions: asset key = schema and table, group = schema.

Two, because the analytics assets are between marts and reporting; Dagster would split one definition into more builds.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from dagster_project.errors import ChecksFailed
from dagster_project.ingest.places import place
from dagster_project.ledger.warnings import SEPARATOR, Warned
from dagster_project.orchestration.runtime import Runtime
from dagster_project.transform import project
from dagster_project.transform.increment import affected, prepare

MANIFEST = project.manifest()
SHOWN_KEYS = 10


class SchemaTableTranslator(DagsterDbtTranslator):
    """Name every asset as an analyst types it, and group it by layer."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return [schema, table]; what arrived of a feed is ingest's asset of that feed."""
        schema = dbt_resource_props["schema"]
        return dg.AssetKey(["lake" if schema == "arrived" else schema, dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the layer, which is the schema."""
        return str(dbt_resource_props["schema"])


TRANSLATOR = SchemaTableTranslator(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_duplicate_source_asset_keys=True))


def _models(stage: str, *, select: str = "fqn:*", exclude: str = "") -> dg.AssetsDefinition:
    """One build of the models on one side of the analytics assets."""

    @dbt_assets(manifest=MANIFEST, dagster_dbt_translator=TRANSLATOR, name=f"dbt_{stage}", pool="warehouse", select=select, exclude=exclude)
    def models(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> Iterator[Any]:
        """Build the selected models and run their data tests; a failure stops everything after it."""
        events: list[dict[str, Any]] = []
        settings = runtime.settings
        try:
            if stage == "marts":
                _plan(runtime)
            selected = sorted({key.path[-1] for key in context.selected_asset_keys})
            with runtime.stage(stage):
                try:
                    warned = project.build(
                        settings.warehouse, selected, events.append, target=settings.engine, full=runtime.increment.is_full,
                        threads=settings.threads, memory_limit=settings.memory_limit,
                    )  # fmt: skip
                except project.TestsFailed as failure:
                    _report(runtime, failure.warned)
                    raise ChecksFailed("\n".join([str(failure), *map(_worded, _with_keys(runtime, failure.failed))])) from failure
                else:
                    _report(runtime, warned)
            if stage == "marts" and not runtime.increment.is_full:
                with runtime.engine() as engine:
                    runtime.increment = affected(engine, runtime.increment)
        finally:
            runtime.record_nodes(events)
            for event in events:
                message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
                yield from message.to_default_asset_events(manifest=MANIFEST, dagster_dbt_translator=TRANSLATOR, context=context)

    return models


def _report(runtime: Runtime, warned: list[project.Found]) -> None:
    """Report what the tests of severity warn found, with the first keys, and keep it among the check results."""
    for one in _with_keys(runtime, warned):
        runtime.report(str(one))
        result = {"expectation": one.check, "column": None, "severity": "warning", "success": False, "unexpected_count": one.rows}
        runtime.ledger.record_checks(runtime.run_id, one.feed, [{**result, "observed": one.first, "notes": one.meaning}])


def _with_keys(runtime: Runtime, tests: list[project.Found]) -> list[Warned]:
    """Return what tests found with the first keys; the build has let go of the warehouse."""
    if not tests:
        return []
    listed = []
    with runtime.engine() as engine:
        for one in tests:
            found = engine.read(f"select * from ({one.sql}\n) as found order by all nulls last limit {SHOWN_KEYS}")
            keys = [_key(runtime, row) for chunk in found for row in chunk.to_pylist()]
            listed.append(Warned("marts", one.test, one.rows, SEPARATOR.join(keys), one.meaning))
    return listed


def _key(runtime: Runtime, row: dict[str, Any]) -> str:
    """Word the key of a row; one that says where it was delivered starts with the file."""
    batch, number = row.pop("batch_id", None), row.pop("record_number", None)
    where = place(runtime.ledger, batch, number) if batch is not None and number is not None else ""
    return " ".join(filter(None, [where, "/".join("" if part is None else str(part) for part in row.values())]))


def _worded(found: Warned) -> str:
    return str(found).replace("warning:", "failed:", 1)


def _plan(runtime: Runtime) -> None:
    settings = runtime.settings
    with runtime.stage("plan"), runtime.engine() as engine:
        runtime.increment = prepare(engine, settings.home, runtime.ledger, runtime.code, always_full=settings.engine == "spark")


dbt_assets_definitions = [_models("marts", exclude="fqn:service_roi.reporting"), _models("reporting", select="fqn:service_roi.reporting")]
