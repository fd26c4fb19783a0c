"""Jobs and schedules, and the in-process execution that the command line uses."""

from __future__ import annotations

import warnings

import dagster as dg

from dagster_project.door.assets import LAKE, REGISTERED
from dagster_project.resources import Runtime

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    tags={"dagster/retry_strategy": "ALL_STEPS"},  # the publish gate wants every model from one run
    description="Everything new in the landing folder, through to a published copy and the latest finance extract.",
)
daily_schedule = dg.ScheduleDefinition(job=daily, cron_schedule="0 6 * * *", name="daily_at_six")


def run_keys(definitions: dg.Definitions, delivered: set[str]) -> list[dg.AssetKey]:
    """Return the assets of a run: all but the feeds that brought nothing: each costs six events, and most companies lack most."""
    wanted = {*delivered, *REGISTERED}
    keys = definitions.resolve_asset_graph().materializable_asset_keys
    return [key for key in sorted(keys) if key.path[0] != LAKE or key.path[-1] in wanted]


def execute_daily(definitions: dg.Definitions, runtime: Runtime, delivered: set[str]) -> bool:
    """Run the assets of the daily job in this process, without an instance on disk; True when every step and blocking check passed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        result = dg.materialize(
            [asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)],
            selection=run_keys(definitions, delivered),
            instance=dg.DagsterInstance.ephemeral(),
            resources={"runtime": runtime},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    if not result.success and runtime.error is None:
        failures = [event for event in result.all_events if event.is_failure and event.event_specific_data is not None]
        detail = next((str(getattr(event.event_specific_data, "error", event.message)) for event in failures), "unknown")
        runtime.error = RuntimeError(detail)
    return bool(result.success)
