"""Jobs, schedules, the sensors that watch deliveries and runs, and how old assets may get."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import dagster as dg

from dagster_project.ingest.landing.inventory import Unread, new_files
from dagster_project.ingest.landing.stability import check
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger
from dagster_project.orchestration import alerts
from dagster_project.settings import load_settings

POOL = "warehouse"
"""Pool of every step that writes: with a limit of 1 runs wait for each other."""
_ZONE = load_settings().schedule_time_zone
_IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]  # fmt: skip
_DEADLINE = dg.FreshnessPolicy.cron(deadline_cron="0 7 * * *", lower_bound_delta=dt.timedelta(hours=24), timezone=_ZONE)
"""At seven, an hour after the daily run begins, the last run that ended in a copy is less than a day old."""
_MONTHLY_GRACE = dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(days=35), warn_window=dt.timedelta(days=32))
"""The longest month and the days until its run, plus two for a weekend."""

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    tags={"dagster/retry_strategy": "ALL_STEPS"},  # the publish gate wants every model from one run
    description="Everything new in the landing folder, or of the days of a partition range, through to a published copy and extract.",
)
monthly = dg.define_asset_job(
    "monthly",
    selection=dg.AssetSelection.assets(["finance", "roi_extract"]),
    executor_def=dg.in_process_executor,
    description="The finance extract of the month that completed last, from the published copy.",
)
daily_schedule = dg.ScheduleDefinition(job=daily, cron_schedule="0 6 * * *", execution_timezone=_ZONE, name="daily_at_six")
monthly_schedule = dg.ScheduleDefinition(
    job=monthly, cron_schedule="0 8 2 * *", execution_timezone=_ZONE, name="monthly_on_the_second_at_eight"
)


@dg.sensor(job=daily, name="new_deliveries", minimum_interval_seconds=60)
def new_deliveries(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Start the daily job once for each state of the landing folder that was the same in two checks and is not loaded yet."""
    busy = context.instance.get_runs(dg.RunsFilter(job_name=daily.name, statuses=_IN_PROGRESS), limit=1)
    if busy:
        return dg.SkipReason(f"run {busy[0].run_id} is {busy[0].status.value.lower()}")
    settings = load_settings()
    unread: list[Unread] = []  # the run reports it
    files = new_files(settings.landing, Ledger(settings.ops), Mappings(settings.mappings), settings.until, unread)
    found = check(files, context.cursor or "")
    if not found.is_ready:
        return dg.SensorResult(skip_reason=found.reason, cursor=found.state)
    if context.instance.get_runs(dg.RunsFilter(job_name=daily.name, tags={"dagster/run_key": found.state}), limit=1):
        return dg.SkipReason(f"{found.reason}: a run has seen them and not loaded them; repair them, or load them by hand")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=found.state)], cursor=found.state)


def run_before(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun | None:
    """Return the last run of the same job that began before this one and ended for good; a crash that is retried has not."""
    ended = dg.RunsFilter(job_name=run.job_name, statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE])
    earlier = instance.get_runs(ended, cursor=run.run_id, limit=20)
    return next((found for found in earlier if not _is_retried(found)), None)


def _is_retried(run: dg.DagsterRun) -> bool:
    return run.tags.get("dagster/will_retry") == "true"


@dg.run_failure_sensor(name="tell_failure", monitored_jobs=[daily, monthly], default_status=dg.DefaultSensorStatus.RUNNING)
def tell_failure(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Alert when a run failed and the one before had not; who had an alert gets a message when it works again."""
    if _is_retried(context.dagster_run):
        return dg.SkipReason("Dagster starts it again by itself")
    before = run_before(context.instance, context.dagster_run)
    if before is not None and before.status == dg.DagsterRunStatus.FAILURE:
        return dg.SkipReason(f"run {before.run_id} had failed before")
    alerts.failed(load_settings(), context.dagster_run.job_name, context.dagster_run.run_id, _why(context))
    return None


@dg.run_status_sensor(
    name="tell_recovery",
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[daily, monthly],
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def tell_recovery(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    """Report that a job works again when the run before this one had failed."""
    before = run_before(context.instance, context.dagster_run)
    if before is None or before.status != dg.DagsterRunStatus.FAILURE:
        return dg.SkipReason("the run before had not failed")
    alerts.recovered(load_settings(), context.dagster_run.job_name, context.dagster_run.run_id)
    return None


@dg.run_status_sensor(
    name="tell_warnings", run_status=dg.DagsterRunStatus.SUCCESS, monitored_jobs=[daily], default_status=dg.DefaultSensorStatus.RUNNING
)
def tell_warnings(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    """Report what the checks of a run warned of, unless the run before warned of the same."""
    run = context.dagster_run
    return None if alerts.warned(load_settings(), run.job_name, run.run_id) else dg.SkipReason("no check warned of anything new")


def _why(context: dg.RunFailureSensorContext) -> str:
    """Return the words of the step that failed, else those of the run: a crash names no step."""
    for event in context.get_step_failure_events():
        error = event.step_failure_data.error
        if event.step_failure_data.user_failure_data is not None:
            return str(event.step_failure_data.user_failure_data.description)
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return str(error.message).removeprefix("dagster_project.errors.")
    return str(context.failure_event.message or "ended without a word")


def with_freshness(assets: Iterable[dg.AssetsDefinition]) -> Sequence[dg.AssetsDefinition]:
    """Report of the published copy and the extract how old they may get, so that Dagster shows what is late."""
    policies = {"published/current": _DEADLINE, "finance/roi_extract": _MONTHLY_GRACE}

    def fresh(spec: dg.AssetSpec) -> dg.AssetSpec:
        policy = policies.get(spec.key.to_user_string())
        return spec if policy is None else dg.apply_freshness_policy(spec, policy)

    return [asset for asset in dg.map_asset_specs(fresh, list(assets)) if isinstance(asset, dg.AssetsDefinition)]
