"""The single Definitions object: what Dagster sees. No logic, no input or output, no Great Expectations at import."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.orchestration.assets.analytics import analytics_assets
from dagster_project.orchestration.assets.finance import roi_extract
from dagster_project.orchestration.assets.ingest import ingest
from dagster_project.orchestration.assets.publish import ops_tables, published_copy
from dagster_project.orchestration.assets.reports import report_page
from dagster_project.orchestration.assets.transform import dbt_assets_definitions
from dagster_project.orchestration.automation import (
    daily,
    daily_schedule,
    monthly,
    monthly_schedule,
    new_deliveries,
    tell_failure,
    tell_recovery,
    tell_warnings,
    with_freshness,
)
from dagster_project.orchestration.runtime import runtime_from_environment


@dg.resource(description="Settings, assumptions, ledger and checks of one run, from the environment.")
def runtime_resource(context: dg.InitResourceContext) -> Iterator[object]:
    """Build the runtime for runs that Dagster itself starts; they hold the warehouse as runs of the command line do."""
    with runtime_from_environment(context.run.run_id if context.run else None) as runtime:
        yield runtime


defs = dg.Definitions(
    assets=with_freshness([ingest, *dbt_assets_definitions, *analytics_assets, ops_tables, published_copy, roi_extract, report_page]),
    jobs=[daily, monthly],
    schedules=[daily_schedule, monthly_schedule],
    sensors=[new_deliveries, tell_failure, tell_recovery, tell_warnings],
    resources={"runtime": runtime_resource},
    executor=dg.in_process_executor,
)
