"""The cluster's instance on a real PostgreSQL: records, several processes, one writer at a time, killed runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

JOBS = """
import os, signal, time
from pathlib import Path
import dagster as dg

TRACE = Path(os.environ["TRACE"])


def note(word):
    with TRACE.open("a") as trace:
        trace.write(f"{os.getpid()} {word}\\n")


@dg.asset(pool="warehouse")
def written() -> dg.MaterializeResult:
    note("begin")
    time.sleep(float(os.environ.get("SECONDS_TO_WRITE", "0")))
    note("end")
    return dg.MaterializeResult(metadata={"dagster/row_count": 7})


@dg.asset
def killed_at_first() -> None:
    mark = TRACE.with_suffix(".killed")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


defs = dg.Definitions(
    assets=[written, killed_at_first],
    jobs=[
        dg.define_asset_job("write_once", selection=[written]),
        dg.define_asset_job("write", selection=[written]),
        dg.define_asset_job("die_once", selection=[killed_at_first]),
    ],
    executor=dg.in_process_executor,
)
"""


def rows(statement: str) -> list[tuple[object, ...]]:
    """Ask the server itself, past Dagster."""
    import psycopg2

    host, port, user, password, database = (os.environ[f"DAGSTER_PG_{name}"] for name in ("HOST", "PORT", "USERNAME", "PASSWORD", "DB"))
    connection = psycopg2.connect(host=host, port=port, user=user, password=password, dbname=database)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / "output").open("ab") as output:
        command = [sys.executable, "-m", *arguments]
        return subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)


@pytest.fixture(scope="module")
def jobs(dagster_home: Path) -> Path:
    """Folder with a code location of two small jobs; every Dagster process started there uses the instance on PostgreSQL."""
    (dagster_home / "small_jobs.py").write_text(JOBS, encoding="utf-8")
    return dagster_home


@pytest.fixture(scope="module")
def after_the_queue(jobs: Path) -> Iterator[Path]:
    """Three runs launched by three processes and worked off by one daemon: two writers and one that is killed while it runs."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TRACE", str(jobs / "trace"))
        environment.setenv("SECONDS_TO_WRITE", "10")  # longer than the start of a run takes: unguarded, the two would overlap
        limiting = start(jobs, "dagster", "instance", "concurrency", "set", "warehouse", "1")
        assert limiting.wait(timeout=1_800) == 0, (jobs / "output").read_text(encoding="utf-8")
        launching = [start(jobs, "dagster", "job", "launch", "-m", "small_jobs", "-j", name) for name in ("write", "write", "die_once")]
        assert [process.wait(timeout=1_800) for process in launching] == [0, 0, 0], (jobs / "output").read_text(encoding="utf-8")
        daemon = start(jobs, "dagster._daemon", "run", "-m", "small_jobs")
        try:
            deadline = time.monotonic() + 1_800
            while (
                rows("select count(*) from runs where pipeline_name != 'write_once' and status in ('SUCCESS', 'FAILURE')")[0][0] != 4
                and time.monotonic() < deadline
            ):
                time.sleep(0.5)
            yield jobs
        finally:
            os.killpg(daemon.pid, signal.SIGKILL)  # with the code server that it started
            daemon.wait(timeout=1_800)


def test_a_run_and_its_events_are_rows_of_postgres_that_every_process_sees(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACE", str(jobs / "trace_of_one"))
    executing = start(jobs, "dagster", "job", "execute", "-m", "small_jobs", "-j", "write_once")
    assert executing.wait(timeout=1_800) == 0, (jobs / "output").read_text(encoding="utf-8")
    [(run_id, status)] = rows("select run_id, status from runs where pipeline_name = 'write_once'")
    assert status == "SUCCESS"
    events = {name for (name,) in rows(f"select dagster_event_type from event_logs where run_id = '{run_id}'")}
    assert {"PIPELINE_START", "ASSET_MATERIALIZATION", "PIPELINE_SUCCESS"} <= events
    with dg.DagsterInstance.from_config(str(jobs)) as instance:
        run = instance.get_run_by_id(str(run_id))
        assert run is not None
        assert run.job_name == "write_once"
        record = instance.get_latest_materialization_event(dg.AssetKey("written"))
        assert record is not None
        assert record.asset_materialization is not None
        assert record.asset_materialization.metadata["dagster/row_count"].value == 7
    assert not list(jobs.rglob("*.db")), "something was recorded in SQLite beside the server"


@pytest.mark.slow
@pytest.mark.fault("D11")
def test_runs_queued_by_two_processes_never_write_at_the_same_time(after_the_queue: Path) -> None:
    assert rows("select status from runs where pipeline_name = 'write'") == [("SUCCESS",), ("SUCCESS",)]
    notes = [line.split() for line in (after_the_queue / "trace").read_text(encoding="utf-8").splitlines()]
    assert [word for _, word in notes] == ["begin", "end", "begin", "end"]
    assert len({process for process, _ in notes}) == 2


@pytest.mark.slow
def test_a_killed_run_is_recorded_as_failed_and_started_again(after_the_queue: Path) -> None:
    assert (after_the_queue / "trace.killed").exists()
    assert rows("select status from runs where pipeline_name = 'die_once' order by id") == [("FAILURE",), ("SUCCESS",)]
