"""A day of a small company goes wrong in each way in turn; what is served stays, and the next run ends where an undisturbed one ends."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import time_machine

from dagster_project.commands.plan import Plan, plan
from dagster_project.definitions import defs
from dagster_project.errors import InfrastructureError
from dagster_project.orchestration.run import run_daily
from dagster_project.publish.reader import query
from dagster_project.publish.versions import versions
from dagster_project.settings import load_settings
from demo_company.company import write_company

PROJECT = Path(__file__).resolve().parents[2]
BEFORE = "2026-10-30"
pytestmark = [pytest.mark.slow, pytest.mark.nightly]


def pointer(home: Path) -> dict[str, Any]:
    return dict(json.loads((home / "published" / "current.json").read_text(encoding="utf-8")))


def rows(home: Path, sql: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    query(home, sql, "json", out=out)
    return list(json.loads(out.getvalue()))


def tree(home: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file, but the lock's, which names its last holder."""
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "run.lock"]
    return {path.relative_to(home).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


class Company:
    """Landing files, the home as it was before the last two days, and the home of an undisturbed run of these days."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.landing = folder, folder / "landing"
        self.before, self.undisturbed = folder / "before", folder / "undisturbed"
        self.plan: Plan | None = None
        self.plan_wrote: set[str] = set()

    def build(self) -> None:
        write_company(self.landing, accounts=40, months=3, seed=11)
        self.run(self.before, until=BEFORE)
        shutil.copytree(self.before, self.undisturbed)
        stood = tree(self.undisturbed)
        self.plan = plan(load_settings(landing=self.landing, home=self.undisturbed))
        self.plan_wrote = {name for name, state in tree(self.undisturbed).items() if stood.get(name) != state}
        self.run(self.undisturbed)
        assert pointer(self.before)["content_hash"] != self.wanted, "the last days change nothing: the tests would prove nothing"

    def run(
        self, home: Path, *, landing: Path | None = None, until: str | None = None, report: Callable[[str], None] = lambda _: None
    ) -> None:
        run_daily(load_settings(landing=landing or self.landing, home=home, until=until), report=report)

    def home(self, folder: Path) -> Path:
        shutil.copytree(self.before, folder / "home")
        return folder / "home"

    @property
    def wanted(self) -> str:
        return str(pointer(self.undisturbed)["content_hash"])


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    made = Company(tmp_path_factory.mktemp("day"))
    made.build()
    return made


@pytest.mark.fault("D3")
def test_plan_names_the_months_that_the_run_then_rebuilt_and_writes_nothing(company: Company) -> None:
    found = company.plan
    assert found is not None
    with duckdb.connect(str(company.undisturbed / "warehouse.duckdb"), read_only=True) as warehouse:
        rebuilt = {
            month for (month,) in warehouse.execute("select distinct period_month from intermediate.int_core__affected_month").fetchall()
        }
    assert (found.rebuild_all, set(found.months)) == ("", rebuilt)
    assert {str(item.day) for item in found.files} == {"2026-10-31", "2026-11-01"}
    loaded = "select sum(physical_count) as n from ops.load_ledger"
    read = sum(item.records for item in found.files)
    assert read == rows(company.undisturbed, loaded)[0]["n"] - rows(company.before, loaded)[0]["n"]
    assert "marts.fct_order" in found.tables
    assert company.plan_wrote == set()


class Disk:
    """Where a home lies: a small file system of its own where this user may mount one, else the largest size a file may have."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        self.is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        if not self.is_mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
            return
        with (self.folder / "ballast").open("wb") as file:
            for size in (1 << 20, 1 << 12):
                with suppress(OSError):
                    while True:
                        os.write(file.fileno(), b"x" * size)

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        (self.folder / "ballast").unlink(missing_ok=True)

    def end(self) -> None:
        self.free()
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(company: Company, tmp_path: Path) -> Iterator[Disk]:
    used = sum(size for size, _ in tree(company.before).values())
    made = Disk(tmp_path / "disk", 4 * used // (1 << 20) + 16)
    yield made
    made.end()


@pytest.mark.fault("C4")
def test_a_disk_that_fills_up_during_ingest_in_dbt_or_while_publishing_changes_nothing_served(company: Company, disk: Disk) -> None:
    home = company.home(disk.folder)
    served = pointer(home)
    for stage in ("ingest", "marts", "publish"):
        with pytest.raises(InfrastructureError) as refused:
            company.run(home, report=lambda said, stage=stage: disk.fill() if said == stage else None)  # type: ignore[misc]
        disk.free()
        assert refused.value.exit_code == 5, stage
        assert str(home) in str(refused.value), stage
        assert "bytes free" in str(refused.value), stage
        assert pointer(home) == served, stage
        assert rows(home, "select count(*) as n from marts.fct_ticket")[0]["n"] > 0
    company.run(home)
    assert pointer(home)["content_hash"] == company.wanted
    assert pointer(home)["seq"] == served["seq"] + 1


@pytest.mark.fault("C7")
def test_a_damaged_warehouse_ends_the_run_and_one_command_rebuilds_it_from_the_lake(company: Company, tmp_path: Path) -> None:
    home = company.home(tmp_path)
    served, warehouse = pointer(home), home / "warehouse.duckdb"
    content = bytearray(warehouse.read_bytes())
    content[4096:8192] = bytes(4096)
    warehouse.write_bytes(content)
    with pytest.raises(InfrastructureError, match=r"warehouse\.duckdb.* remedy: .*delete the file: a run rebuilds it"):
        company.run(home)
    assert pointer(home) == served
    run_daily(load_settings(landing=company.landing, home=home), full_refresh=True)
    assert pointer(home)["content_hash"] == company.wanted


@pytest.mark.fault("C9")
def test_a_clock_that_jumps_between_steps_changes_no_figure_and_no_order(company: Company, tmp_path: Path) -> None:
    home = company.home(tmp_path)
    first = pointer(home)["seq"]
    clocks = {"marts": dt.datetime(2031, 2, 3, tzinfo=dt.UTC), "publish": dt.datetime(1999, 1, 1, tzinfo=dt.UTC)}
    with time_machine.travel(dt.datetime(2026, 11, 5, tzinfo=dt.UTC)) as clock:
        company.run(home, until="2026-10-31", report=lambda said: clock.move_to(clocks[said]) if said in clocks else None)
    assert pointer(home)["published_at"].startswith("1999-01-01")
    with time_machine.travel(dt.datetime(1998, 1, 1, tzinfo=dt.UTC)):
        company.run(home)
    assert pointer(home)["content_hash"] == company.wanted
    assert [version.seq for version in versions(home)] == [first + 2, first + 1, first]
    twice = "select count(*) - count(distinct file_sha256) as n from ops.load_ledger where load_state = 'accepted'"
    assert rows(home, twice) == rows(company.undisturbed, twice)


@pytest.mark.fault("D11", "D12")
def test_a_backfill_during_the_daily_run_is_refused_by_name_and_ends_in_the_same_hash(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = company.home(tmp_path)
    served = pointer(home)
    command = [sys.executable, "-m", "dagster_project.commands.cli", "run", "--landing", company.landing, "--home", home]
    daily = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        lock = home / "ops" / "run.lock"
        while json.loads(lock.read_text() or "{}").get("pid") != daily.pid:
            assert daily.poll() is None, daily.communicate()
            time.sleep(0.05)
        os.kill(daily.pid, signal.SIGSTOP)
        monkeypatch.setenv("ROI_LANDING", str(company.landing))
        monkeypatch.setenv("ROI_HOME", str(home))
        backfill = {"dagster/asset_partition_range_start": "2026-08-01", "dagster/asset_partition_range_end": "2026-11-01"}

        def run() -> tuple[bool, str]:
            with dg.DagsterInstance.ephemeral() as instance:
                done = defs.resolve_job_def("daily").execute_in_process(instance=instance, tags=backfill, raise_on_error=False)
                return done.success, " ".join(str(event.event_specific_data) for event in done.all_events if event.is_failure)

        success, words = run()
        assert not success
        assert f"(process {daily.pid}) holds the warehouse since" in words
        assert pointer(home) == served
        os.kill(daily.pid, signal.SIGCONT)
        _, said = daily.communicate(timeout=1_800)
        assert daily.returncode == 0, said
    finally:
        daily.kill()
        daily.wait()
    after = pointer(home)
    assert (after["content_hash"], after["seq"]) == (company.wanted, served["seq"] + 1)
    success, words = run()
    assert success, words
    assert pointer(home)["seq"] == after["seq"], "what was loaded already was published again"


@pytest.mark.fault("D7")
def test_an_empty_day_of_every_feed_says_why_ratios_are_missing_and_leaves_nothing_behind(company: Company, tmp_path: Path) -> None:
    home, landing = company.home(tmp_path), tmp_path / "landing"
    shutil.copytree(company.landing, landing)
    for feed in (landing / "canonical").iterdir():
        if (feed / "2026-11-01").exists():
            (feed / "2026-11-01").rename(feed / "2026-11-03")
        some = next(feed.glob("*/*.csv*"))
        header = (gzip.decompress(some.read_bytes()) if some.suffix == ".gz" else some.read_bytes()).splitlines(keepends=True)[0]
        (empty := feed / "2026-11-02" / f"{feed.name}.csv").parent.mkdir()
        empty.write_bytes(header)
    company.run(home, landing=landing, until="2026-11-02")
    ratio = "margin_per_service_cost"
    silent = f"select count(*) as n from analytics.mart_service_roi_month where {ratio}_ratio is null and {ratio}_null_reason is null"
    assert rows(home, silent) == [{"n": 0}]
    states = "select distinct physical_count as n, load_state from ops.load_ledger where delivery_date = date '2026-11-02'"
    assert all(row["n"] == 0 for row in rows(home, states))
    company.run(home, landing=landing)
    assert pointer(home)["content_hash"] == company.wanted
