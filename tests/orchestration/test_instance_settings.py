"""deploy/local/dagster.yaml: what it says is what the instance does, and each line answers a failure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.errors import ChecksFailed, InfrastructureError, InputRefused, UsageError
from dagster_project.orchestration.assets.ingest import _failure
from dagster_project.orchestration.automation import daily_schedule, monthly_schedule
from dagster_project.settings import load_settings

WILL_RETRY = "dagster/will_retry"


def test_no_event_leaves_the_machine(instance: dg.DagsterInstance) -> None:
    assert instance.telemetry_enabled is False
    assert instance.nux_enabled is False


@pytest.mark.fault("D11")
def test_whole_runs_queue_for_the_warehouse_one_at_a_time(instance: dg.DagsterInstance) -> None:
    pool = instance.get_concurrency_config().pool_config
    assert pool.default_pool_limit == 1
    assert str(pool.pool_granularity.value) == "run"
    for name in ("daily", "monthly"):
        job = defs.resolve_job_def(name)
        pools = {node.name: job.graph.node_named(node.name).definition.pools for node in job.nodes}
        assert all(found == {"warehouse"} for found in pools.values() if found), pools
        assert any(pools.values()), f"no step of {name} waits for the warehouse"


def test_runs_that_hang_or_never_start_are_ended(instance: dg.DagsterInstance, local_settings: dict[str, Any]) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_start_timeout_seconds == 300
    assert instance.run_monitoring_max_runtime_seconds == local_settings["run_monitoring"]["max_runtime_seconds"] == 14400
    assert local_settings["run_monitoring"]["free_slots_after_run_end_seconds"] == 60
    assert instance.code_server_process_startup_timeout == 180


@pytest.mark.parametrize("error", [InputRefused("orders.csv: refused"), ChecksFailed("orders: 3 rows"), InfrastructureError("disk full")])
def test_a_step_that_failed_is_never_run_again_by_itself(ended_run: Callable[..., dg.DagsterRun], error: Exception) -> None:
    run = ended_run(error=_failure(error))  # type: ignore[arg-type]
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert run.tags[WILL_RETRY] == "false"


@pytest.mark.parametrize("error", [InputRefused("orders.csv: refused"), ChecksFailed("orders: 3 rows")])
def test_refused_input_and_failed_checks_are_not_retried_even_where_a_policy_says_so(error: Exception) -> None:
    tries: list[int] = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def reads() -> None:
        tries.append(1)
        raise _failure(error)  # type: ignore[arg-type]

    assert not dg.materialize([reads], raise_on_error=False).success
    assert len(tries) == 1


def test_a_run_whose_process_died_is_started_again_twice_at_most(
    ended_run: Callable[..., dg.DagsterRun], instance: dg.DagsterInstance
) -> None:
    run = ended_run(crash="the worker was killed")
    assert run.tags[WILL_RETRY] == "true"
    assert instance.run_retries_max_retries == 2


def test_schedules_run_by_the_clock_of_the_setting() -> None:
    assert (daily_schedule.cron_schedule, monthly_schedule.cron_schedule) == ("0 6 * * *", "0 8 2 * *")
    assert daily_schedule.execution_timezone == monthly_schedule.execution_timezone == load_settings().schedule_time_zone
    with pytest.raises(UsageError, match="unknown time zone Mars/Base"):
        load_settings(schedule_time_zone="Mars/Base")


def test_the_published_copy_and_the_extract_have_an_age_at_which_dagster_calls_them_late() -> None:
    graph = defs.resolve_asset_graph()
    copy, extract = (graph.get(dg.AssetKey(key)).freshness_policy for key in (["published", "current"], ["finance", "roi_extract"]))
    assert isinstance(copy, dg.FreshnessPolicy)
    assert copy == dg.FreshnessPolicy.cron(deadline_cron="0 7 * * *", lower_bound_delta=dt.timedelta(hours=24), timezone="UTC")
    assert extract == dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(days=35), warn_window=dt.timedelta(days=32))
