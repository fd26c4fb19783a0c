"""Publish: what is copied, when nothing is, and that a failure changes nothing readers see."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.publish import publisher
from dagster_project.publish import versions as module
from dagster_project.publish.copying import Copy
from dagster_project.publish.reader import open_current
from dagster_project.publish.rollback import rollback
from dagster_project.publish.versions import publisher_lock, read_pointer, switch_pointer, versions

POINTS = ("publish_built", "publish_copied", "publish_verified", "publish_exports", "publish_pointer", "publish_path")


def rows(house: Any, sql: str) -> list[tuple[Any, ...]]:
    connection, _ = open_current(house.home)
    try:
        return list(connection.execute(sql).fetchall())
    finally:
        connection.close()


def test_a_copy_holds_the_schemas_of_readers_with_their_constraints(house: Any) -> None:
    published = house.publish(1)
    assert published.is_new
    assert rows(house, "select distinct table_schema from information_schema.tables order by 1") == [("marts",), ("ops",), ("reporting",)]
    assert rows(house, "select column_name from duckdb_columns() where table_name = 'fct_sale' and not is_nullable") == [("sale_id",)]
    assert rows(house, "select count(*), max(sale_id) from reporting.sale_wide") == [(10, 9)]
    assert rows(house, "select sum(net_amount) from marts.fct_sale") == [(Decimal("125025.00"),)]  # (0 + … + 4999 + 5000 × 1) / 100
    assert published.pointer.tables == {"marts.fct_sale": 5000, "marts.mart_total": 1, "ops.runs": 1, "reporting.sale_wide": 10}


@pytest.mark.fault("S7")
def test_nothing_of_a_private_schema_is_in_any_published_byte(house: Any) -> None:
    house.publish(1)
    files = [path for path in house.published.rglob("*") if path.is_file()]
    canary = b"canary-anna"
    assert canary in house.warehouse.read_bytes(), "the warehouse lacks the canary: the test would prove nothing"
    assert [path.name for path in files if canary in path.read_bytes()] == []


def test_every_table_has_a_parquet_export_that_the_manifest_describes(house: Any) -> None:
    pointer = house.publish(1).pointer
    folder = house.published / pointer.stem
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["version"]["content_hash"] == pointer.content_hash
    assert set(manifest["tables"]) == set(pointer.tables)
    for name, entry in manifest["tables"].items():
        (export,) = entry["files"]
        content = (folder / export["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == export["sha256"]
        table = duckdb.sql(f"from read_parquet('{folder / export['file']}')")
        connection, _ = open_current(house.home)
        assert sorted(table.fetchall(), key=str) == sorted(connection.execute(f"from {name}").fetchall(), key=str)
        connection.close()


def test_the_pointer_states_the_bytes_of_the_file(house: Any) -> None:
    pointer = house.publish(1).pointer
    content = (house.published / pointer.file).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (pointer.bytes, pointer.sha256)
    assert pointer.file == f"marts-000001-{pointer.content_hash[:8]}.duckdb"
    assert house.pointer()["seq"] == 1


def test_the_same_content_in_another_row_order_by_another_run_is_not_published_again(house: Any) -> None:
    first = house.publish(1).pointer
    house.build(1, descending=True, run="another run")
    again = house.publish(inputs_sha256="c" * 64)
    assert not again.is_new
    assert (again.pointer.seq, again.pointer.file) == (1, first.file)
    assert house.pointer()["inputs_sha256"] == "c" * 64
    assert len(list(house.published.glob("marts-*.duckdb"))) == 1


def test_a_changed_cent_is_a_new_version_and_the_old_one_stays(house: Any) -> None:
    first = house.publish(1).pointer
    second = house.publish(2).pointer
    assert (second.seq, first.content_hash == second.content_hash) == (2, False)
    assert (house.published / first.file).exists()
    assert rows(house, "select version_number from marts.mart_total") == [(2,)]


def test_an_unchanged_content_is_published_again_when_the_served_file_was_truncated(house: Any) -> None:
    first = house.publish(1).pointer
    os.truncate(house.published / first.file, 1000)
    assert house.publish().pointer.seq == 2


@pytest.mark.fault("C1")
@pytest.mark.parametrize("point", POINTS)
def test_a_publisher_killed_at_any_point_leaves_one_whole_version_served(house: Any, point: str) -> None:
    old = house.publish(1).pointer
    house.build(2)
    killed = house.publish_elsewhere(ROI_FAULT_POINT=point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    is_switched = point in ("publish_pointer", "publish_path")
    assert rows(house, "select version_number from marts.mart_total") == [(2 if is_switched else 1,)]
    assert (house.pointer()["seq"] == old.seq) is not is_switched
    rerun = house.publish()
    assert rerun.is_new is not is_switched
    assert rerun.pointer.seq == 2
    assert rows(house, "select version_number from marts.mart_total") == [(2,)]
    assert (house.published / "current.duckdb").samefile(house.published / rerun.pointer.file)
    assert house.leftover() == []


@pytest.mark.fault("C8")
def test_a_copy_that_differs_from_the_warehouse_is_never_served(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = house.publish(1).pointer
    house.build(2)
    close = Copy.close

    def lose_a_row(copy: Copy) -> None:
        copy._connection.execute("delete from building.marts.fct_sale where sale_id = 17")
        close(copy)

    monkeypatch.setattr(Copy, "close", lose_a_row)
    with pytest.raises(InfrastructureError, match=r"marts\.fct_sale: expected .*5000.*found .*4999"):
        house.publish()
    assert house.pointer()["file"] == old.file
    assert house.leftover() == []


@pytest.mark.fault("C8")
def test_a_byte_flipped_after_the_copy_is_found_before_readers_see_it(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = house.publish(1).pointer
    house.build(2)
    name_file = publisher.name_file

    def flip_a_byte(building: Path, target: Path) -> None:
        name_file(building, target)
        target.chmod(0o644)
        position = target.stat().st_size // 2
        content = bytearray(target.read_bytes())
        content[position] ^= 0x55
        target.write_bytes(bytes(content))

    monkeypatch.setattr(publisher, "name_file", flip_a_byte)
    with pytest.raises(InfrastructureError, match=r"not what was written|Corrupt database file"):
        house.publish()
    assert house.pointer()["file"] == old.file
    assert house.leftover() == []


@pytest.mark.fault("C4")
def test_a_full_disk_in_the_middle_of_the_copy_leaves_the_old_version_and_nothing_behind(house: Any) -> None:
    house.publish(1)
    house.build(2)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))"
    full = house.publish_elsewhere(limit)
    assert full.returncode == 5, full.stderr
    assert "bytes free in" in full.stderr
    assert house.pointer()["seq"] == 1
    assert house.leftover() == []
    assert house.publish().pointer.seq == 2


@pytest.mark.fault("C4")
def test_too_little_space_is_refused_before_the_copy_starts(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    house.publish(1)
    house.build(2)
    usage = shutil.disk_usage(house.home)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InfrastructureError, match=r"needs 1[78],\d{3},\d{3} bytes in .*, 1,000,000 bytes free") as refused:
        house.publish()
    assert refused.value.exit_code == 5
    assert len(list(house.published.glob("marts-*.duckdb"))) == 1


@pytest.mark.fault("C7")
def test_a_damaged_warehouse_is_reported_and_the_old_version_stays(house: Any) -> None:
    house.publish(1)
    os.truncate(house.warehouse, 5000)
    with pytest.raises(InfrastructureError, match="the previous copy stays served"):
        house.publish()
    assert rows(house, "select version_number from marts.mart_total") == [(1,)]


@pytest.mark.fault("D12")
def test_two_publishers_cannot_work_at_the_same_time(house: Any) -> None:
    house.publish(1)
    house.build(2)
    with publisher_lock(house.home):
        refused = house.publish_elsewhere()
    assert refused.returncode == 5
    assert "another process is publishing" in refused.stderr
    assert house.pointer()["seq"] == 1


def test_a_zombie_publisher_cannot_take_the_pointer_back(house: Any) -> None:
    old = house.publish(1).pointer
    new = house.publish(2).pointer
    with pytest.raises(InfrastructureError, match="version 1 was overtaken by version 2"):
        switch_pointer(house.home, old)
    assert read_pointer(house.home) == new


def test_rollback_serves_old_content_as_a_new_version(house: Any) -> None:
    first = house.publish(1).pointer
    second = house.publish(2, inputs_sha256="d" * 64).pointer
    third = rollback(house.home, 1, run_id="operator").pointer
    assert (third.seq, third.content_hash, third.run_id) == (3, first.content_hash, "operator")
    assert third.inputs_sha256 == second.inputs_sha256, "the next run would at once publish the bad content again"
    assert rows(house, "select version_number from marts.mart_total") == [(1,)]
    assert (house.published / third.stem / "marts" / "fct_sale.parquet").exists()
    assert house.leftover() == []


def test_rollback_to_the_served_version_publishes_nothing(house: Any) -> None:
    house.publish(1)
    second = house.publish(2).pointer
    again = rollback(house.home, 2, run_id="operator")
    assert (again.is_new, again.pointer) == (False, second)
    assert [version.seq for version in versions(house.home)] == [2, 1]


def test_rollback_to_a_damaged_or_unknown_version_changes_nothing(house: Any) -> None:
    first = house.publish(1).pointer
    house.publish(2)
    with pytest.raises(UsageError, match=r"no version 7 .* kept versions: 1, 2"):
        rollback(house.home, 7, run_id="operator")
    os.truncate(house.published / first.file, 300_000)
    with pytest.raises(InfrastructureError, match="not what was written"):
        rollback(house.home, 1, run_id="operator")
    assert house.pointer()["seq"] == 2
    assert house.leftover() == []


def test_a_lost_pointer_neither_hides_the_data_nor_lets_a_number_be_used_twice(house: Any) -> None:
    house.publish(1)
    house.publish(2)
    (house.published / "current.json").unlink()
    assert rows(house, "select version_number from marts.mart_total") == [(2,)]
    assert house.publish(3).pointer.seq == 3


def test_old_versions_are_retired_but_young_referenced_and_served_ones_stay(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.KEEP_VERSIONS == 14
    monkeypatch.setattr(module, "KEEP_VERSIONS", 2)
    history = [house.publish(value).pointer for value in range(6)]
    two_days_ago = time.time() - 2 * 86_400
    for pointer in history[:3]:
        os.utime(house.published / pointer.file, (two_days_ago, two_days_ago))
    kept = history[1]
    removed = house.publish(99, keep={kept.content_hash}).removed
    assert set(removed) == {history[0].file, history[2].file}
    left = {version.seq for version in versions(house.home)}
    assert left == {2, 4, 5, 6, 7}, "2 is referenced, 4 and 5 are young, 6 and 7 are the last two"
    assert (house.published / kept.file).exists()
    assert house.leftover() == []
