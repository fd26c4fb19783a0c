"""Publishing by month under kills, full disks, wrong copies and rollback. Breaks: a served copy that is not whole."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError
from dagster_project.publish import drafts, increment
from dagster_project.publish.copying import Copy
from dagster_project.publish.increment import Changed
from dagster_project.publish.rollback import rollback
from dagster_project.publish.versions import discard, published_folder, read_manifest, read_pointer
from tests.publish.by_month_copies import (
    AUGUST,
    OCTOBER,
    POINTS,
    SEPTEMBER,
    START,
    assert_as_in_full,
    build,
    exports,
    fills,
    put,
    since,
    tables,
)


def _put_and_die(home: Path, changed: Changed, point: str) -> None:
    os.environ["ROI_FAULT_POINT"] = point
    put(home, changed)


@pytest.fixture(scope="module")
def processes() -> Any:
    """Processes that start without the threads of this one: a fork of it could wait for ever on a lock that none of them holds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.publish.by_month_copies"])
    return context


@pytest.mark.fault("C1")
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_the_served_version_is_untouched_and_a_rerun_ends_in_the_same_content(
    home: Path, processes: Any, point: str
) -> None:
    before, changed = tables(home), since(home, SEPTEMBER)
    build(home, START | {SEPTEMBER: [60]})
    child = processes.Process(target=_put_and_die, args=(home, changed, point))
    child.start()
    child.join(timeout=400)
    assert child.exitcode == -signal.SIGKILL
    assert (tables(home) == before) is (point not in ("publish_pointer", "publish_path"))
    published = put(home, changed)
    assert published.pointer.seq == 2
    assert_as_in_full(home, published)
    names = {path.name for path in published_folder(home).iterdir()}
    versions = {changed.base, f"{changed.base}.duckdb", published.pointer.stem, published.pointer.file}
    assert names == {"current.json", "current.duckdb", ".lock", *versions}


@pytest.mark.fault("C4")
def test_a_copy_of_the_served_file_that_does_not_fit_is_refused_before_it_starts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pointer = read_pointer(home)
    assert pointer is not None
    build(home, START | {SEPTEMBER: [60]})
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=16 * 2**20 + pointer.bytes))
    with pytest.raises(InfrastructureError, match="disk full: publishing needs"):
        put(home, since(home, SEPTEMBER))
    assert [path.name for path in published_folder(home).glob("marts-*.duckdb")] == [pointer.file]


@pytest.mark.fault("C4")
def test_a_full_disk_while_the_served_file_is_copied_leaves_nothing_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(home, START | {SEPTEMBER: [60]})
    before = {path.name for path in published_folder(home).iterdir()}

    def full(original: Path, target: Path, sha256: str) -> bool:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(drafts, "copy_proven", full)
        with pytest.raises(InfrastructureError, match=r"No space left on device.*the previous copy stays served"):
            put(home, since(home, SEPTEMBER))
    assert {path.name for path in published_folder(home).iterdir()} == before
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))


@pytest.mark.fault("C8")
@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("update building.marts.fct_sale set net_amount = 1 where sale_id = 60", r"marts\.fct_sale 2026-09-01: expected .*hash"),
        (
            "delete from building.marts.fct_sale where sale_id = 4",
            r"fct_sale 2026-08-01: expected \{'rows': 2\}, found \{'rows': 1\}",
        ),
        ("update building.marts.mart_total set net_amount = 1", r"marts\.mart_total: expected"),
    ],
    ids=["a value of a changed month", "a row of an unchanged month", "another table"],
)
def test_a_copy_that_differs_is_never_served(home: Path, monkeypatch: pytest.MonkeyPatch, sql: str, found: str) -> None:
    close, old = Copy.close, read_pointer(home)

    def spoiled(copy: Copy) -> None:
        copy._connection.execute(sql)
        close(copy)

    monkeypatch.setattr(Copy, "close", spoiled)
    build(home, START | {SEPTEMBER: [60]})
    with pytest.raises(InfrastructureError, match=found):
        put(home, since(home, SEPTEMBER))
    assert read_pointer(home) == old


@pytest.mark.fault("C8")
def test_a_view_that_lost_a_row_on_its_way_into_the_copy_is_noticed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill = Copy.fill

    def losing(copy: Copy, tables: Any, plan: Any) -> None:
        fill(copy, tables, plan)
        if ("marts", "mart_share") in tables:
            copy._connection.execute("delete from building.marts.mart_share where sale_id = 60")

    monkeypatch.setattr(Copy, "fill", losing)
    build(home, START | {SEPTEMBER: [60]})
    with pytest.raises(InfrastructureError, match=r"marts\.mart_share: 0 rows were copied and 1 are in the warehouse"):
        put(home, since(home, SEPTEMBER))


def test_a_file_that_grew_beyond_its_bound_is_written_in_full_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full_bytes = read_manifest(home, since(home).base)["full_bytes"]
    pointer = read_pointer(home)
    assert pointer is not None
    assert full_bytes == pointer.bytes
    sizes, plans = [], fills(monkeypatch)
    for value in range(6):
        build(home, START | {SEPTEMBER: [100 + value]})
        sizes.append(put(home, since(home, SEPTEMBER)).pointer.bytes)
    assert max(sizes) <= increment.GROWTH_LIMIT * full_bytes * 2, "deleted rows pile up"
    monkeypatch.setattr(increment, "GROWTH_LIMIT", 0.5)
    plans.clear()
    build(home, START | {SEPTEMBER: [200]})
    published = put(home, since(home, SEPTEMBER))
    assert plans[0] == {}
    assert read_manifest(home, published.pointer.stem)["full_bytes"] == published.pointer.bytes


def test_a_month_published_by_month_can_be_rolled_back_and_published_upon(home: Path) -> None:
    build(home, START | {SEPTEMBER: [60]})
    second = put(home, since(home, SEPTEMBER)).pointer
    build(home, START | {AUGUST: [50], SEPTEMBER: [60]})
    put(home, since(home, AUGUST))
    back = rollback(home, 2, run_id="operator").pointer
    assert (back.seq, back.content_hash) == (4, second.content_hash)
    discard(home, second.stem)
    build(home, START | {SEPTEMBER: [60], OCTOBER: [90]})
    assert_as_in_full(home, put(home, since(home, OCTOBER)))


def test_rolling_back_to_a_version_with_a_lost_export_is_refused(home: Path) -> None:
    first = read_pointer(home)
    assert first is not None
    build(home, START | {SEPTEMBER: [60]})
    second = put(home, since(home, SEPTEMBER)).pointer
    (published_folder(home) / first.stem / "marts" / "fct_sale.parquet" / "2026-07-01.parquet").unlink()
    with pytest.raises(InfrastructureError, match=r"2026-07-01\.parquet"):
        rollback(home, 1, run_id="operator")
    assert read_pointer(home) == second
    assert exports(home)["marts.fct_sale"], "the second version owns its files"
