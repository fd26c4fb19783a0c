"""One query takes no more time, memory or disk than it may; PIVOT is one reading statement, and nothing else that the engine splits."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.host import temporary
from dagster_project.publish.limits import Limits
from dagster_project.publish.reader import query
from dagster_project.settings import load_settings
from tests.faults.test_folders import PROJECT, ended


def refused(house: Any, sql: str, limits: Limits, output_format: str = "csv") -> str:
    out = io.StringIO()
    with pytest.raises(InfrastructureError) as error:
        query(house.home, sql, output_format, out=out, limits=limits)
    assert out.getvalue() == ""
    return str(error.value)


@pytest.mark.fault("S13")
@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from range(20000000000)",  # in the engine
        "select * from range(1000000000)",  # while the result is fetched
        "with recursive a as (select 1 as x union all select x + 1 from a) select count(*) from a",
    ],
)
def test_a_query_ends_when_its_time_is_over(served: Any, sql: str) -> None:
    start = time.monotonic()
    assert "longer than its limit of 0.5 seconds" in (said := refused(served, sql, Limits(seconds=0.5)))
    assert "ROI_SQL_SECONDS" in said
    assert time.monotonic() - start < 60
    assert query(served.home, "select 1", "csv", out=io.StringIO()) == 1


@pytest.mark.fault("S13")
def test_a_result_larger_than_its_limit_is_not_printed_in_part(served: Any) -> None:
    for output_format in ("csv", "json"):
        said = refused(served, "select repeat('x', 1000) from range(1000000)", Limits(disk_bytes=2_000_000), output_format)
        assert "the result is larger than the limit of 2,000,000 bytes" in said
        assert "ROI_SQL_DISK_LIMIT" in said
    assert query(served.home, "select repeat('x', 1000) from range(1000)", "csv", out=io.StringIO(), limits=Limits(disk_bytes=2_000_000))


@pytest.mark.fault("S13")
def test_what_does_not_fit_in_memory_has_the_same_bound_on_disk(served: Any) -> None:
    limits = Limits(memory_bytes=60_000_000, disk_bytes=10_000_000)
    said = refused(served, "select i, repeat('y', 50) from range(3000000) t(i) order by hash(i)", limits)
    assert "what does not fit in memory is larger than the limit of 10,000,000 bytes" in said


@pytest.mark.fault("S13")
@pytest.mark.parametrize(
    "sql",
    [
        "select list(i) from range(100000000) t(i)",
        "select list_sum(range(300000000))",  # the engine does not count this one: 2 gigabytes
        "select repeat('x', 10000000) from range(1000)",
    ],
)
def test_the_command_takes_no_more_memory_than_its_limit(served: Any, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    monkeypatch.setenv("ROI_SQL_MEMORY_LIMIT", "100MB")
    code = (
        "import resource, subprocess, sys; ended = subprocess.run(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(ended.returncode)"
    )
    command = [sys.executable, "-c", code, sys.executable, "-m", "dagster_project.commands.cli", "sql", sql, "--home", str(served.home)]
    finished = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    ended(finished, 5, "more memory than its limit of 100,000,000 bytes", "ROI_SQL_MEMORY_LIMIT")
    assert int(finished.stdout.split()[-1]) < 1_300_000


@pytest.mark.fault("S13")
@pytest.mark.parametrize(("sql", "code"), [("select 1 as one", 0), ("select list(i) from range(100000000) t(i)", 5)])
def test_the_bound_of_memory_counts_from_what_the_process_holds(served: Any, sql: str, code: int) -> None:
    """A process that already held more than the bound waited for ever for the thread that it could not start."""
    script = (
        "import mmap, sys; from pathlib import Path; from dagster_project.publish import limits, reader;"
        "from dagster_project.errors import InfrastructureError; held = mmap.mmap(-1, 3 * 10**9, flags=mmap.MAP_PRIVATE)\n"
        "try: reader.query(Path(sys.argv[1]), sys.argv[2], limits=limits.Limits(memory_bytes=10**8), is_own_process=True)\n"
        "except InfrastructureError as error: sys.exit(error.exit_code)"
    )
    command = [sys.executable, "-c", script, str(served.home), sql]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True, check=False, timeout=300).returncode == code


@pytest.mark.fault("S13")
def test_the_command_ends_also_where_the_engine_does_not_stop(served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = (
        "import sys, time; from pathlib import Path; from dagster_project.publish import limits, reader;"
        "limits._GRACE_SECONDS = 0.5; reader._rows = lambda *_: time.sleep(3_600);"
        "reader.query(Path(sys.argv[1]), 'select 1', limits=limits.Limits(seconds=0.5), is_own_process=True)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, str(served.home)], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=1_800
    )
    ended(finished, 5, "longer than its limit of 0.5 seconds")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "value"), [("SECONDS", "0"), ("SECONDS", "soon"), ("MEMORY_LIMIT", "much"), ("DISK_LIMIT", "-1")])
def test_a_limit_that_is_none_is_a_usage_error_that_names_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ROI_SQL_{name}", value)
    with pytest.raises(UsageError, match=f"sql_{name.lower()}"):
        load_settings()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("pivot (select sale_id % 2 as odd from marts.fct_sale) on odd using count(*)", "0,1\n2500,2500\n"),
        ("pivot marts.fct_sale on (sale_id % 2 = 0), (sale_id % 3 = 0) using count(*) group by note; ", None),
        ("from (pivot marts.fct_sale on sale_id % 2 using count(*) group by note) where note is null", "note,0,1\n,358,357\n"),
        ("with p as (pivot marts.fct_sale on sale_id % 2 using count(*) group by note) select count(*) as c from p", "c\n2\n"),
        ("pivot marts.mart_total on version_number in (1) using sum(net_amount)", None),
    ],
)
def test_pivot_is_one_reading_statement(served: Any, sql: str, expected: str | None) -> None:
    out = io.StringIO()
    assert query(served.home, sql, "csv", out=out) >= 1
    if expected is not None:
        assert out.getvalue() == expected


PIVOT = "pivot marts.fct_sale on sale_id % 2 using count(*)"


@pytest.mark.fault("S5")
@pytest.mark.parametrize(
    "sql",
    [
        f"{PIVOT}; {PIVOT}",
        f"{PIVOT}; select 1",
        f"select 1; {PIVOT}",
        f"create temp table t as select 1; {PIVOT}",
        f"create temp type e as enum ('a'); {PIVOT}",
        f"create temp macro m() as 1; {PIVOT}",
        f"/* */ create schema s; {PIVOT}",
        f"{PIVOT}; create temp table t as select 1",
        f"{PIVOT}; set threads = 64",
        f"create table t as {PIVOT}",
        f"create temp table t as {PIVOT}",
        f"create view v as {PIVOT}",
        f"insert into marts.mart_total {PIVOT}",
        f"copy ({PIVOT}) to '{{folder}}/out.csv'",
        f"prepare q as {PIVOT}",
        f"explain analyze copy ({PIVOT}) to '{{folder}}/out.csv'",
        f"begin; {PIVOT}",
        f"{PIVOT}; commit",
        "create temp type e as enum ('a'); select 1",
        "create temp type e as enum (select note from marts.fct_sale); select 1",
        "pivot (select content from read_text('{secret}')) on content using count(*)",
        "pivot read_csv('{secret}') on column0 using count(*)",
        "pivot marts.fct_sale on (select content from read_text('{secret}')) using count(*)",
        "from (pivot '{secret}' on a using count(*))",
        "attach '{folder}/x.duckdb'; " + PIVOT,
        "use marts; " + PIVOT,
        "call pragma_version(); " + PIVOT,
        "vacuum; " + PIVOT,
        "checkpoint",
        "detach x",
        "load httpfs; " + PIVOT,
    ],
)
def test_nothing_else_that_the_engine_splits_or_the_user_adds_is_let_through(served: Any, tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret.csv").write_text("open sesame\n", encoding="utf-8")
    out = io.StringIO()
    with pytest.raises(UsageError) as error:
        query(served.home, sql.format(secret=tmp_path / "secret.csv", folder=tmp_path), "csv", out=out)
    assert out.getvalue() == ""
    assert "open sesame" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.fault("C11")
def test_a_temporary_folder_is_private_and_goes_with_its_process_however_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys, time; from dagster_project.host.temporary import folder_of_process;"
        "print(folder_of_process(), flush=True); time.sleep(float(sys.argv[1]))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    def start(seconds: float) -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(seconds)], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "service-roi.of-others").mkdir()  # without a lock and young: it may be just being made
    (tmp_path / "service-roi.link").symlink_to("/etc")
    living, folder = start(60)
    try:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        ended_well, gone = start(0)
        ended_well.communicate()
        assert not gone.exists()
        killed, left = start(60)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        assert left.exists()
        assert temporary.sweep() == [str(left)]
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([folder.name, "service-roi.of-others", "service-roi.link"])
    finally:
        living.kill()
        living.communicate()


@pytest.mark.fault("C11")
def test_a_folder_that_goes_while_the_sweep_looks_at_it_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("service-roi.one", "service-roi.two"):
        (tmp_path / name).mkdir()
    with os.scandir(tmp_path) as entries:
        seen = list(entries)
    monkeypatch.setattr(temporary.os, "scandir", lambda _: nullcontext(seen))
    (tmp_path / "service-roi.one").rmdir()
    assert temporary.sweep() == []
    with temporary.private_folder("another") as folder:
        assert folder.is_dir()


@pytest.mark.fault("C11")
def test_many_threads_share_the_folder_of_their_process() -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(temporary.folder_of_process())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert str(found[0]) not in temporary.sweep()
    assert found[0].is_dir()


@pytest.mark.fault("C11")
def test_temporary_files_of_libraries_and_children_lie_in_the_one_folder_that_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with temporary.temporary_files_within("run"):
        (folder,) = tmp_path.iterdir()
        own = Path(tempfile.mkdtemp())
        child = subprocess.run(
            [sys.executable, "-c", "import tempfile; print(tempfile.mkdtemp())"], capture_output=True, text=True, check=True
        )
        assert own.parent == Path(child.stdout.strip()).parent == folder
        assert temporary.sweep() == []
    assert list(tmp_path.iterdir()) == []
    assert (tempfile.gettempdir(), os.environ["TMPDIR"]) == (str(tmp_path), str(tmp_path))
