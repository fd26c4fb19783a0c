"""Analytics as Dagster assets: open the engine, build one subject, report its numbers. No logic."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import dagster as dg

from dagster_project.analytics import concentration, retention, roi
from dagster_project.engines.engine import Engine

_ACCOUNT_MARTS = ("mart_account_service_month", "mart_account_sales_month", "dim_account", "dim_period", "fct_cost_line")
_ORDER_MARTS = ("fct_order", "fct_order_line_net", "fct_refund", "dim_account", "dim_period")


Build = Callable[[Engine, date | None], dict[str, object]]
MONTHLY = ("analytics.mart_service_roi_account", "analytics.mart_concentration", "analytics.mart_account_tier")
"""Tables whose rows belong to a month and stay when nothing from that month on has changed."""


def _subject(name: str, tables: dict[str, str], reads: Sequence[str], build: Build) -> dg.AssetsDefinition:
    """One step per subject, since its tables come out of one pass over the same rows."""
    deps = [dg.AssetKey(["marts", mart]) for mart in reads]
    specs = [
        dg.AssetSpec(["analytics", table], deps=deps, group_name="analytics", kinds={"python"}, description=text)
        for table, text in tables.items()
    ]

    @dg.multi_asset(name=f"analytics_{name}", specs=specs, required_resource_keys={"runtime"})
    def subject(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        runtime = context.resources.runtime
        with runtime.stage(f"analytics: {name}"), runtime.engine() as engine:
            numbers = build(engine, runtime.increment.first_month)
        for table in tables:
            yield dg.MaterializeResult(asset_key=["analytics", table], metadata={"numbers": dg.MetadataValue.json(numbers)})

    return subject


analytics_assets = [
    _subject(
        "roi",
        {
            "mart_service_roi_account": "Service ROI; grain account x month x window (month, trailing_12).",
            "mart_service_roi_month": "Company ROI in every variant; grain month x window; sums tie to the account rows.",
        },
        _ACCOUNT_MARTS,
        roi.build,
    ),
    _subject(
        "retention",
        {
            "mart_retention_month": "Customers new, retained, reactivated, churned; grain month.",
            "mart_retention_cohort": "Cohort triangle; grain month of first order x months since.",
        },
        _ORDER_MARTS,
        retention.build,
    ),
    _subject(
        "concentration",
        {
            "mart_concentration": "80/20 both ways, Gini, whale peak; grain month x window x measure.",
            "mart_concentration_curve": "Lorenz and whale curve of the latest month; grain window x measure x point.",
            "mart_account_tier": "Tier A, B, C, D, N over trailing 12; grain account x complete month.",
        },
        _ACCOUNT_MARTS,
        concentration.build,
    ),
]
