"""Dagster's instance: a run of the command line in it, and what a dead run left there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from dagster_project.ingest.lake import REGISTERED
from dagster_project.orchestration.assets.ingest import LAKE
from dagster_project.orchestration.automation import POOL, daily
from dagster_project.orchestration.runtime import Runtime
from dagster_project.settings import dagster_home

_TAGS = {"service_roi/started_by": "command line", "dagster/max_retries": "0"}  # Dagster's daemon knows neither its folders nor its options


def run_keys(definitions: dg.Definitions, delivered: set[str]) -> list[dg.AssetKey]:
    """Return the assets of a run: all but the feeds that brought nothing: each costs six events, and most companies lack most."""
    wanted = {*delivered, *REGISTERED}
    keys = definitions.resolve_asset_graph().materializable_asset_keys
    return [key for key in sorted(keys) if key.path[0] != LAKE or key.path[-1] in wanted]


@contextmanager
def recording(report: Callable[[str], None]) -> Iterator[dg.DagsterInstance]:
    """Open the instance in which Dagster's pages show a run: that of DAGSTER_HOME, where one is named and can be used.

    Without one the run is recorded in memory. An instance that cannot be opened is reported and stops no run.
    """
    home = dagster_home()
    if home is not None:
        try:
            instance = dg.DagsterInstance.get()
        except Exception as error:  # its storage may be any library's
            words = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'without a word'}"
            report(f"Dagster does not record this run, DAGSTER_HOME {home} cannot be used: {words}")
        else:
            with instance:
                yield instance
            return
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def execute_daily(definitions: dg.Definitions, runtime: Runtime, delivered: set[str]) -> bool:
    """Run the assets of the daily job in this process; True when every step and blocking check passed.

    The run has the id of the ledger's run, so that it is known by the same name in both. One of the command line that was killed is marked
    failed here, or the sensor of new deliveries would wait for it: the caller holds the warehouse, so a run that never ended is dead.
    """
    with warnings.catch_warnings(), recording(runtime.report) as instance:
        if not instance.is_ephemeral:
            for line in _end([run_id for run_id, _ in runtime.ledger.runs_without_end() if run_id != runtime.run_id], instance):
                runtime.report(line)
        warnings.simplefilter("ignore", category=UserWarning)
        of_this_run = dg.Definitions(assets=definitions.assets, jobs=[daily], resources={"runtime": runtime})
        result = of_this_run.resolve_job_def(daily.name).execute_in_process(
            asset_selection=run_keys(definitions, delivered),
            instance=instance,
            run_id=runtime.run_id,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags=_TAGS,
            raise_on_error=False,
        )
    if not result.success and runtime.error is None:
        failures = [event for event in result.all_events if event.is_failure and event.event_specific_data is not None]
        detail = next((str(getattr(event.event_specific_data, "error", event.message)) for event in failures), "unknown")
        runtime.error = RuntimeError(detail)
    return bool(result.success)


def repair_instance(dead: Sequence[str]) -> tuple[list[str], list[str]]:
    """Mark runs that are dead as failed in Dagster's instance and free their slots; return what was repaired, and what is missing.

    Call it while holding the warehouse: then no run that the ledger knows can be alive.
    """
    with dg.DagsterInstance.get() as instance:
        repaired = _end(dead, instance)
        limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
        limit = limits.get(POOL, instance.get_concurrency_config().pool_config.default_pool_limit)
    advice = f"Dagster's pool {POOL} has the limit {limit or 'none'}; remedy: dagster instance concurrency set {POOL} 1"
    return repaired, [] if limit == 1 else [advice]


def _end(dead: Sequence[str], instance: dg.DagsterInstance) -> list[str]:
    repaired = []
    unfinished = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    for run in instance.get_runs(dg.RunsFilter(run_ids=list(dead), statuses=unfinished)) if dead else ():
        instance.report_run_failed(run, "its process died")
        repaired.append(f"Dagster run {run.run_id} was still {run.status.value.lower()}: marked failed")
    for run_id in sorted(instance.event_log_storage.get_concurrency_run_ids() & set(dead)):
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
        repaired.append(f"slots of Dagster run {run_id} are free")
    return repaired
