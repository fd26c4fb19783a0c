"""Analytics as Dagster assets: open the engine, build one subject, report its numbers. No logic."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import dagster as dg

from dagster_project.analytics import concentration, retention, roi
from dagster_project.analytics.tables import TABLES
from dagster_project.engines.described import description_of
from dagster_project.engines.engine import Engine

_ACCOUNT_MARTS = ("mart_account_service_month", "mart_account_sales_month", "dim_account", "dim_period", "fct_cost_line")
_ORDER_MARTS = ("fct_order", "fct_order_line_net", "fct_refund", "dim_account", "dim_period")


Build = Callable[[Engine, date | None], dict[str, object]]


def _subject(name: str, tables: Sequence[str], reads: Sequence[str], build: Build) -> dg.AssetsDefinition:
    """One step per subject, since its tables come out of one pass over the same rows."""
    deps = [dg.AssetKey(["marts", mart]) for mart in reads]
    specs = [
        dg.AssetSpec(["analytics", table], deps=deps, group_name="analytics", kinds={"python"}, description=description_of(TABLES[table]))
        for table in tables
    ]

    @dg.multi_asset(name=f"analytics_{name}", specs=specs, pool="warehouse", required_resource_keys={"runtime"})
    def subject(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        runtime = context.resources.runtime
        with runtime.stage(f"analytics: {name}"), runtime.engine() as engine:
            numbers = build(engine, runtime.increment.first_month)
        for table in tables:
            yield dg.MaterializeResult(asset_key=["analytics", table], metadata={"numbers": dg.MetadataValue.json(numbers)})

    return subject


analytics_assets = [
    _subject("roi", ("mart_service_roi_account", "mart_service_roi_month"), _ACCOUNT_MARTS, roi.build),
    _subject("retention", ("mart_retention_month", "mart_retention_cohort"), _ORDER_MARTS, retention.build),
    _subject("concentration", ("mart_concentration", "mart_concentration_curve", "mart_account_tier"), _ACCOUNT_MARTS, concentration.build),
]
