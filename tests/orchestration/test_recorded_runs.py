"""A run of the command line in Dagster's own instance: `make dev` shows it, and an instance that cannot be used stops no run."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from dagster_project.orchestration import instance as recorded

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """DAGSTER_HOME with the settings that `make dev` uses."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    shutil.copy(PROJECT / "deploy" / "local" / "dagster.yaml", folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


def run_of(said: list[str], *unended: str) -> Any:
    """Return what a run's context is to these tests: its id, where it reports, how it ended, and runs that never did."""
    ledger = SimpleNamespace(runs_without_end=lambda: [(run_id, "2026-11-05") for run_id in unended])
    return SimpleNamespace(run_id=uuid.uuid4().hex, report=said.append, error=None, ledger=ledger)


def definitions(*, fails: bool = False) -> dg.Definitions:
    @dg.asset(key=["published", "current"])
    def copy(runtime: dg.ResourceParam[Any]) -> dg.MaterializeResult[None]:
        if fails:
            runtime.error = ValueError("no room")
            raise runtime.error
        return dg.MaterializeResult(metadata={"seq": 7})

    return dg.Definitions(assets=[copy])


@pytest.fixture
def published_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "run_keys", lambda *_: [dg.AssetKey(["published", "current"])])
    job = dg.define_asset_job("daily", selection="*", executor_def=dg.in_process_executor)
    monkeypatch.setattr(recorded, "daily", job)


@pytest.mark.usefixtures("home", "published_only")
def test_the_instance_holds_the_run_under_the_id_of_the_ledger_with_what_it_made() -> None:
    run = run_of(said := [])
    assert recorded.execute_daily(definitions(), run, set())
    with dg.DagsterInstance.get() as instance:
        found = instance.get_run_by_id(run.run_id)
        made = instance.get_latest_materialization_event(dg.AssetKey(["published", "current"]))
    assert found is not None
    assert (found.job_name, found.status, found.tags["service_roi/started_by"]) == ("daily", dg.DagsterRunStatus.SUCCESS, "command line")
    assert made is not None
    assert made.run_id == run.run_id
    assert made.asset_materialization is not None
    assert made.asset_materialization.metadata["seq"].value == 7
    assert said == []


@pytest.mark.usefixtures("home", "published_only")
def test_a_run_that_failed_is_shown_as_failed() -> None:
    run = run_of([])
    assert not recorded.execute_daily(definitions(fails=True), run, set())
    with dg.DagsterInstance.get() as instance:
        found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == dg.DagsterRunStatus.FAILURE


@pytest.mark.fault("C3")
@pytest.mark.usefixtures("home", "published_only")
def test_a_run_that_was_killed_is_marked_failed_by_the_next_and_is_not_started_by_the_daemon() -> None:
    killed, other = run_of([]), run_of([])
    for run in (killed, other):
        assert recorded.execute_daily(definitions(), run, set())
    with dg.DagsterInstance.get() as instance:
        for run in (killed, other):
            found = instance.get_run_by_id(run.run_id)
            assert found is not None
            instance.delete_run(run.run_id)
            instance.add_run(found.with_status(dg.DagsterRunStatus.STARTED))  # as a kill leaves it
    later = run_of(said := [], killed.run_id)
    later.ledger.runs_without_end = lambda: [(killed.run_id, ""), (later.run_id, "")]
    assert recorded.execute_daily(definitions(), later, set())
    assert said == [f"Dagster run {killed.run_id} was still started: marked failed"]
    with dg.DagsterInstance.get() as instance:
        ended = {run.run_id: instance.get_run_by_id(run.run_id) for run in (killed, other, later)}
    states = {run_id: run.status for run_id, run in ended.items() if run is not None}
    assert states[killed.run_id] == dg.DagsterRunStatus.FAILURE
    assert states[other.run_id] == dg.DagsterRunStatus.STARTED, "a run of another home may be alive"
    assert states[later.run_id] == dg.DagsterRunStatus.SUCCESS
    failed = ended[killed.run_id]
    assert failed is not None
    assert failed.tags.get("dagster/will_retry") != "true"


@pytest.mark.usefixtures("published_only")
@pytest.mark.parametrize("damage", ["no folder", "no storage"])
def test_an_instance_that_cannot_be_used_is_reported_and_the_run_goes_on(home: Path, damage: str) -> None:
    if damage == "no folder":
        shutil.rmtree(home)
    else:
        (home / "dagster.yaml").write_text("storage: {sqlite: {base_dir: /proc/nowhere}}\n", encoding="utf-8")
    run = run_of(said := [])
    assert recorded.execute_daily(definitions(), run, set())
    (line,) = said
    assert line.startswith(f"Dagster does not record this run, DAGSTER_HOME {home} cannot be used: ")


@pytest.mark.usefixtures("published_only")
def test_without_an_instance_a_run_is_recorded_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    assert recorded.execute_daily(definitions(), run_of(said := []), set())
    assert said == []
    assert list(tmp_path.iterdir()) == []
