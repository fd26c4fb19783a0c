"""Runs that were killed from outside: what they leave is found, named and ended; what lives is left alone (C2, C3)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.commands.doctor import examine
from dagster_project.errors import InfrastructureError
from dagster_project.host.lock import warehouse_lock
from dagster_project.ledger.store import Ledger
from dagster_project.settings import Settings, load_settings

PROJECT = Path(__file__).resolve().parents[2]
RUN = """
import sys, time
from pathlib import Path
from dagster_project.checks.worker import ValidationWorker
from dagster_project.ledger.store import Ledger
from dagster_project.host.lock import warehouse_lock
ops, run_id = Path(sys.argv[1]), sys.argv[2]
with warehouse_lock(ops, run_id):
    Ledger(ops).start_run(run_id, "2026-11-05T06:00:00+00:00")
    print(ValidationWorker()._process.pid, flush=True)
    time.sleep(300)
"""


class Started:
    """A process that holds a warehouse as a run does, with its check worker, which is halted so that it cannot end by itself."""

    def __init__(self, home: Path, run_id: str) -> None:
        self.settings = load_settings(home=home)
        command = [sys.executable, "-c", RUN, str(self.settings.ops), run_id]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        assert self.process.stdout is not None
        self.worker = int(self.process.stdout.readline())
        os.kill(self.worker, signal.SIGSTOP)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def worker_lives(self) -> bool:
        stat = Path(f"/proc/{self.worker}/stat")
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX"

    def clean(self) -> None:
        self.kill()
        if self.worker_lives:
            os.kill(self.worker, signal.SIGKILL)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    run = Started(tmp_path / "home", "killed-one")
    yield run
    run.clean()


@pytest.mark.fault("C2")
def test_doctor_ends_the_child_of_a_killed_run_and_names_process_and_run(started: Started) -> None:
    started.kill()
    assert started.worker_lives, "the worker ended by itself: the test would prove nothing"
    findings = examine(started.settings)
    assert not started.worker_lives
    worker = f"ended dagster_project.checks.worker (process {started.worker}), left by run killed-one"
    assert any(line.startswith(worker) for line in findings.lines), findings.lines
    assert any("run killed-one started 2026-11-05" in line and "marked failed" in line for line in findings.lines)
    assert not any("killed-one" in line for line in examine(started.settings).lines)


@pytest.mark.fault("C2")
def test_the_next_run_ends_the_child_too_before_it_works(started: Started) -> None:
    started.kill()
    with warehouse_lock(started.settings.ops, "next") as orphans:
        assert [(orphan.pid, orphan.run_id) for orphan in orphans] == [(started.worker, "killed-one")]
        assert not started.worker_lives


@pytest.mark.fault("C2", "D12")
def test_doctor_leaves_a_live_run_and_its_child_alone(started: Started) -> None:
    with pytest.raises(InfrastructureError, match=rf"run killed-one \(process {started.process.pid}\) holds the warehouse since 20"):
        examine(started.settings)
    assert started.worker_lives
    assert started.process.poll() is None


@pytest.mark.fault("C2")
def test_a_child_of_another_warehouse_and_a_process_of_the_same_name_are_left_alone(started: Started, tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", "dagster_project.checks.worker"])
    try:
        started.kill()
        assert not any("ended" in line for line in examine(load_settings(home=tmp_path / "other")).lines)
        assert started.worker_lives
        examine(started.settings)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.fixture(scope="module")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dagster")
    shutil.copy(PROJECT / "deploy" / "local" / "dagster.yaml", folder)
    return folder


@pytest.fixture
def settings(tmp_path: Path, dagster_home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    return load_settings(home=tmp_path / "home")


@dg.op(pool="warehouse")
def writes() -> None:
    """A step that takes a slot of the pool."""


@dg.job(name="daily")
def daily() -> None:
    writes()


@pytest.mark.fault("C3")
def test_doctor_gives_back_the_slot_of_a_dagster_run_that_died_and_leaves_the_others(settings: Settings) -> None:
    with dg.DagsterInstance.get() as instance:
        dead, other = (instance.create_run_for_job(daily, status=dg.DagsterRunStatus.STARTED).run_id for _ in range(2))
        instance.event_log_storage.initialize_concurrency_limit_to_default("warehouse")  # as the start of a run does
        claimed = instance.event_log_storage.claim_concurrency_slot("warehouse", dead, "writes")
        assert claimed.is_claimed
        assert not instance.event_log_storage.claim_concurrency_slot("warehouse", other, "writes").is_claimed
        Ledger(settings.ops).start_run(dead, "2026-11-05T06:00:00+00:00")  # as its resource did before it was killed
        began = time.monotonic()
        lines = examine(settings).lines
        assert time.monotonic() - began < 30
        assert f"Dagster run {dead} was still started: marked failed" in lines
        assert instance.get_run_by_id(dead).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
        assert instance.get_run_by_id(other).status == dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]
        assert instance.event_log_storage.claim_concurrency_slot("warehouse", other, "writes").is_claimed
        assert instance.get_run_by_id(dead).tags["dagster/will_retry"] == "true"  # type: ignore[union-attr]


def test_doctor_says_that_the_pool_has_no_limit_and_how_to_set_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "bare"))
    findings = examine(settings)
    assert not findings.is_healthy
    assert any("dagster instance concurrency set warehouse 1" in line for line in findings.lines)
    with dg.DagsterInstance.get() as instance:
        instance.event_log_storage.set_concurrency_slots("warehouse", 1)
    assert not any("concurrency set" in line for line in examine(settings).lines)
