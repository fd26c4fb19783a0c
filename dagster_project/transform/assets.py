"""The `@dbt_assets` definitions: asset key = schema and table, group = schema.

Two, because the analytics assets stand between marts and reporting; Dagster would split one definition into more builds.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from dagster_project.resources import Runtime
from dagster_project.transform import project
from dagster_project.transform.increment import prepare, touched

MANIFEST = project.manifest()
SHOWN_KEYS = 10
_UNREAD = project.unread_staging(MANIFEST)


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
            left_out = frozenset() if runtime.increment.is_full else _UNREAD
            selected = sorted({key.path[-1] for key in context.selected_asset_keys} - left_out)
            with runtime.stage(stage):
                warned = project.build(
                    settings.warehouse, selected, events.append, target=settings.engine, full=runtime.increment.is_full,
                    threads=settings.threads, memory_limit=settings.memory_limit,
                )  # fmt: skip
            _report(runtime, warned)
            if stage == "marts" and not runtime.increment.is_full:
                with runtime.engine() as engine:
                    runtime.increment = touched(engine, runtime.increment)
        finally:
            runtime.record_nodes(events)
            for event in events:
                message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
                yield from message.to_default_asset_events(manifest=MANIFEST, dagster_dbt_translator=TRANSLATOR, context=context)

    return models


def _report(runtime: Runtime, warned: list[project.Warned]) -> None:
    """Say what the tests of severity warn found, with the first keys, and keep it among the check results."""
    if not warned:
        return
    with runtime.engine() as engine:
        for one in warned:
            rows = engine.rows(f"select * from ({one.sql}\n) as found order by all nulls last limit {SHOWN_KEYS}")
            keys = ["/".join("" if part is None else str(part) for part in row) for row in rows]
            runtime.say(f"warning: {one.test}: {one.rows:,} rows, first: {'; '.join(keys)}")
            result = {"expectation": one.test, "column": None, "severity": "warning", "success": False, "unexpected_count": one.rows}
            runtime.ledger.record_checks(runtime.run_id, "marts", [{**result, "observed": "; ".join(keys), "notes": None}])


def _plan(runtime: Runtime) -> None:
    settings = runtime.settings
    with runtime.stage("plan"), runtime.engine() as engine:
        runtime.increment = prepare(engine, settings.home, runtime.ledger, runtime.code, always_full=settings.engine == "spark")


dbt_assets_definitions = [_models("marts", exclude="fqn:service_roi.reporting"), _models("reporting", select="fqn:service_roi.reporting")]
