"""Analytics as Dagster assets: open the engine, build one subject, report its numbers. No logic, and no subject by name."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.analytics.subject import SCHEMA, Subject, run, subjects
from dagster_project.analytics.tables import TABLES
from dagster_project.engines.described import description_of


def _asset(subject: Subject) -> dg.AssetsDefinition:
    """One step per subject, since its tables come out of one pass over the same rows; its parents are the tables that its SQL names."""
    deps = [dg.AssetKey([schema, name]) for schema, name in sorted(subject.parents)]
    specs = [
        dg.AssetSpec([SCHEMA, table], deps=deps, group_name=SCHEMA, kinds={"python"}, description=description_of(TABLES[table]))
        for table in subject.writes
    ]

    @dg.multi_asset(name=f"{SCHEMA}_{subject.name}", specs=specs, pool="warehouse", required_resource_keys={"runtime"})
    def asset(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        runtime = context.resources.runtime
        with runtime.stage(f"analytics: {subject.name}"), runtime.engine() as engine:
            numbers = run(subject, engine, runtime.increment.first_month)
        for table in subject.writes:
            yield dg.MaterializeResult(asset_key=[SCHEMA, table], metadata={"numbers": dg.MetadataValue.json(numbers)})

    return asset


analytics_assets = [_asset(subject) for subject in subjects()]
