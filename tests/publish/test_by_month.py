"""Publishing by month: equal in every way to publishing in full, and nothing of an unchanged month is read."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.errors import InfrastructureError
from dagster_project.publish import increment, publisher
from dagster_project.publish.copying import Copy
from dagster_project.publish.increment import Changed
from dagster_project.publish.measuring import month_key
from dagster_project.publish.publisher import Published, publish
from dagster_project.publish.reader import open_current
from dagster_project.publish.rollback import rollback
from dagster_project.publish.source import WarehouseFile
from dagster_project.publish.versions import discard, is_whole, published_folder, read_manifest, read_pointer

Month = date | None
Rows = dict[Month, list[int]]
MONTHLY = frozenset({"marts.fct_sale", "marts.mart_share"})
JULY, AUGUST, SEPTEMBER, OCTOBER = (date(2026, month, 1) for month in (7, 8, 9, 10))
START: Rows = {JULY: [1, 2, 3], AUGUST: [4, 5], SEPTEMBER: [6], None: [7, 8]}
POINTS = ("publish_built", "publish_copied", "publish_verified", "publish_twins", "publish_pointer")


def build(
    home: Path, rows: Rows, *, columns: str = "sale_id bigint not null, net_amount integer, period_month date", note: str = "a"
) -> None:
    """Write a warehouse: a monthly table, a monthly view over it that no month but `readable` may be read from, a total, ops."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "warehouse.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(f"create schema marts; create schema ops; create schema lake; create table marts.fct_sale ({columns})")
        connection.execute(f"comment on table marts.fct_sale is '{note}'")
        for month, values in rows.items():
            for value in values:
                cell = "null" if month is None else f"date '{month}'"
                connection.execute(f"insert into marts.fct_sale (sale_id, net_amount, period_month) values ({value}, {value * 10}, {cell})")
        connection.execute("""
            create view marts.mart_share as select sale_id, net_amount * 0.5 as half_amount, period_month from warehouse.marts.fct_sale;
            create table marts.mart_total as select count(*) as sale_count, sum(net_amount) as net_amount from marts.fct_sale;
            create table ops.load_ledger as select 1 as file_id;
        """)


def put(home: Path, changed: Changed | None = None, **options: Any) -> Published:
    given: dict[str, Any] = {"run_id": "r", "inputs_sha256": "a" * 64, "data_as_of": None, "monthly": MONTHLY} | options
    return publish(home, WarehouseFile(home / "warehouse.duckdb"), changed=changed, **given)


def since(home: Path, *months: Month) -> Changed:
    pointer = read_pointer(home)
    assert pointer is not None
    return Changed(pointer.stem, dict.fromkeys(MONTHLY, frozenset(months)))


def tables(home: Path) -> dict[str, list[Any]]:
    """Every row of every table of the served file."""
    connection, pointer = open_current(home)
    with connection:
        return {name: sorted(connection.execute(f"from {name}").fetchall(), key=str) for name in pointer.tables}


def twins(home: Path) -> dict[str, list[Any]]:
    """Every row of every table as its Parquet files hold them, by the list in the manifest."""
    pointer = read_pointer(home)
    assert pointer is not None
    folder = published_folder(home) / pointer.stem
    found = {}
    for name, entry in read_manifest(home, pointer.stem)["tables"].items():
        files = [str(folder / file["file"]) for file in entry["files"]]
        assert all(Path(file).stat().st_size == told["bytes"] for file, told in zip(files, entry["files"], strict=True))
        found[name] = sorted(duckdb.sql(f"select * from read_parquet({files}, hive_partitioning = false)").fetchall(), key=str)
    return found


def measures(home: Path) -> dict[str, Any]:
    pointer = read_pointer(home)
    assert pointer is not None
    told = read_manifest(home, pointer.stem)["tables"]
    return {name: {key: value for key, value in entry.items() if key != "files"} for name, entry in told.items()}


def assert_as_in_full(home: Path, published: Published) -> None:
    """The served version says and holds what a full publish of the same warehouse into an empty home says and holds."""
    full = home.parent / f"{home.name}-full"
    shutil.rmtree(full, ignore_errors=True)
    full.mkdir()
    shutil.copyfile(home / "warehouse.duckdb", full / "warehouse.duckdb")
    expected = put(full).pointer
    assert published.pointer.content_hash == expected.content_hash
    assert published.pointer.stem.rpartition("-")[2] == expected.stem.rpartition("-")[2]
    assert published.pointer.tables == expected.tables
    assert measures(home) == measures(full)
    assert tables(home) == tables(full)
    assert twins(home) == twins(full)
    assert read_pointer(home) == published.pointer
    assert is_whole(home, published.pointer)


def fills(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Record which months each copy was told to renew; an empty entry is a full publish."""
    plans: list[dict[str, Any]] = []
    fill = Copy.fill

    def recorded(copy: Copy, tables: Any, plan: Any) -> None:
        plans.append({name: set(keys) for name, keys in plan.items()})
        fill(copy, tables, plan)

    monkeypatch.setattr(Copy, "fill", recorded)
    return plans


@pytest.fixture
def home(tmp_path: Path) -> Path:
    build(tmp_path / "home", START)
    put(tmp_path / "home")
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("rows", "months"),
    [
        (START | {SEPTEMBER: [6, 60]}, [SEPTEMBER]),
        (START | {None: [7]}, [None]),
        (START | {None: []}, [None]),
        (START | {OCTOBER: [9]}, [OCTOBER]),
        (START | {AUGUST: []}, [AUGUST]),
        (START | {AUGUST: [5], OCTOBER: [4]}, [AUGUST, OCTOBER, None]),
        ({}, [*START]),
    ],
    ids=[
        "a row more",
        "a row without a month less",
        "none without a month",
        "a new month",
        "a month vanishes",
        "a row moves",
        "all vanish",
    ],
)
def test_what_is_served_is_what_a_full_publish_serves(home: Path, monkeypatch: pytest.MonkeyPatch, rows: Rows, months: list[Month]) -> None:
    plans = fills(monkeypatch)
    build(home, rows)
    published = put(home, since(home, *months))
    assert published.is_new
    differ = {month_key(month) for month in months if rows.get(month, []) != START.get(month, [])}
    named = {month_key(month) for month in months}
    assert plans[0] == {"marts.fct_sale": differ, "marts.mart_share": named}, "it was not published by month"
    assert_as_in_full(home, published)


Months = st.dictionaries(st.sampled_from([JULY, AUGUST, SEPTEMBER, OCTOBER, None]), st.lists(st.integers(0, 3), max_size=3), max_size=5)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(Months, min_size=2, max_size=3))
def test_any_chain_of_changed_months_ends_as_a_full_publish(tmp_path_factory: pytest.TempPathFactory, history: list[Rows]) -> None:
    home = tmp_path_factory.mktemp("chain") / "home"
    rows: Rows = dict(START)
    build(home, rows)
    published = put(home)
    for change in history:
        rows = rows | change
        build(home, rows)
        published = put(home, since(home, *change))
    assert_as_in_full(home, published)


def test_a_table_without_a_single_row_still_tells_its_columns(home: Path) -> None:
    build(home, {})
    put(home, since(home, *START))
    assert twins(home)["marts.fct_sale"] == []
    build(home, {OCTOBER: [1]})
    assert_as_in_full(home, put(home, since(home, OCTOBER)))


def guarded(home: Path, readable: date) -> None:
    """Make reading any month but one an error."""
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(f"""
            create or replace view marts.mart_share as select sale_id,
                case when period_month = date '{readable}' then net_amount * 0.5 else error('an unchanged month was read') end
                    as half_amount, period_month
            from warehouse.marts.fct_sale
        """)


def test_no_row_of_an_unchanged_month_is_read_from_the_source(home: Path) -> None:
    rows = START | {SEPTEMBER: [6, 60]}
    build(home, rows)
    guarded(home, SEPTEMBER)
    with pytest.raises(InfrastructureError, match="an unchanged month was read"):
        put(home)
    assert put(home, since(home, SEPTEMBER)).is_new
    build(home, rows)
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))


def test_a_table_that_is_not_named_as_changed_keeps_all_its_months(home: Path) -> None:
    build(home, START)
    guarded(home, OCTOBER)
    pointer = read_pointer(home)
    assert pointer is not None
    assert not put(home, Changed(pointer.stem, {})).is_new


def test_months_that_stay_are_one_file_on_disk_and_changed_ones_are_new(home: Path) -> None:
    old = read_pointer(home)
    assert old is not None
    build(home, START | {SEPTEMBER: [60]})
    new = put(home, since(home, SEPTEMBER)).pointer
    folder = published_folder(home)

    def inode(stem: str, key: str) -> int:
        return (folder / stem / "marts" / "fct_sale.parquet" / f"{key}.parquet").stat().st_ino

    shared = {key: inode(old.stem, key) == inode(new.stem, key) for key in ("2026-07-01", "2026-08-01", "2026-09-01", "none")}
    assert shared == {"2026-07-01": True, "2026-08-01": True, "2026-09-01": False, "none": True}
    discard(home, old.stem)
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))


def test_where_files_cannot_have_two_names_twins_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    build(home, START | {SEPTEMBER: [60]})
    published = put(home, since(home, SEPTEMBER))
    folder = published_folder(home) / published.pointer.stem
    assert {path.stat().st_nlink for path in folder.rglob("*.parquet") if path.is_file()} == {1}
    assert_as_in_full(home, published)


def test_a_twin_that_was_lost_or_cut_is_written_anew(home: Path) -> None:
    pointer = read_pointer(home)
    assert pointer is not None
    folder = published_folder(home) / pointer.stem / "marts" / "fct_sale.parquet"
    (folder / "2026-07-01.parquet").unlink()
    (folder / "2026-08-01.parquet").chmod(0o644)
    os.truncate(folder / "2026-08-01.parquet", 20)
    build(home, START | {SEPTEMBER: [60]})
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))


def damage_file(home: Path, folder: Path, stem: str) -> None:
    file = folder / f"{stem}.duckdb"
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x55
    file.write_bytes(content)


def lose_file(home: Path, folder: Path, stem: str) -> None:
    (folder / f"{stem}.duckdb").unlink()


def edit_manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[Path, Path, str], None]:
    def edit(home: Path, folder: Path, stem: str) -> None:
        manifest = read_manifest(home, stem)
        change(manifest)
        (folder / stem / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    return edit


def edit_pointer(home: Path, folder: Path, stem: str) -> None:
    values = json.loads((folder / "current.json").read_text(encoding="utf-8"))
    (folder / "current.json").write_text(json.dumps(values | {"duckdb_version": "1.0.0"}), encoding="utf-8")


@pytest.mark.fault("C8")
@pytest.mark.parametrize(
    "harm",
    [
        damage_file,
        lose_file,
        edit_pointer,
        edit_manifest(lambda manifest: manifest.pop("full_bytes")),
        edit_manifest(lambda manifest: manifest["tables"]["marts.fct_sale"].update(rows=1)),
        edit_manifest(lambda manifest: manifest["version"].update(sha256="0" * 64)),
    ],
    ids=["damaged file", "lost file", "another DuckDB", "older manifest", "other rows", "other file"],
)
def test_a_version_that_cannot_be_trusted_is_no_start_and_everything_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path, Path, str], None]
) -> None:
    changed = since(home, SEPTEMBER)
    harm(home, published_folder(home), changed.base)
    build(home, START | {SEPTEMBER: [60]})
    plans = fills(monkeypatch)
    published = put(home, changed)
    assert plans[0] == {}, "it started from what it cannot trust"
    assert_as_in_full(home, published)


def test_months_that_do_not_add_up_are_written_anew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = since(home, SEPTEMBER)
    edit_manifest(lambda manifest: manifest["tables"]["marts.fct_sale"]["months"]["2026-07-01"].update(rows=9))(
        home, published_folder(home), changed.base
    )
    build(home, START | {SEPTEMBER: [60]})
    plans = fills(monkeypatch)
    published = put(home, changed)
    assert plans[0] == {"marts.mart_share": {"2026-09-01"}}
    assert_as_in_full(home, published)


def test_a_promise_about_another_version_counts_for_nothing(home: Path) -> None:
    stale = since(home, SEPTEMBER)
    build(home, START | {SEPTEMBER: [60]})
    put(home)
    build(home, START | {JULY: [10], SEPTEMBER: [60]})
    assert_as_in_full(home, put(home, stale))


@pytest.mark.parametrize(
    "columns",
    [
        "net_amount integer, sale_id bigint not null, period_month date",
        "sale_id bigint, net_amount integer, period_month date",
        "sale_id bigint not null, net_amount bigint, period_month date",
        "sale_id bigint not null, net_amount integer, period_month date, note varchar",
    ],
    ids=["order", "null", "type", "column"],
)
def test_a_table_whose_columns_changed_is_written_whole(home: Path, columns: str) -> None:
    build(home, START | {SEPTEMBER: [60]}, columns=columns, note="b")
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))
    connection, _ = open_current(home)
    with connection:
        layout = connection.execute(
            "select column_name, data_type, is_nullable from duckdb_columns() where table_name = 'fct_sale' order by column_index"
        ).fetchall()
        assert connection.execute("select comment from duckdb_tables() where table_name = 'fct_sale'").fetchall() == [("b",)]
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        assert (
            layout
            == warehouse.execute(
                "select column_name, data_type, is_nullable from duckdb_columns() where table_name = 'fct_sale' order by column_index"
            ).fetchall()
        )


def test_tables_come_and_go_and_comments_follow(home: Path) -> None:
    build(home, START | {SEPTEMBER: [60]}, note="changed")
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("drop view marts.mart_share; create table marts.mart_new as select 1 as x")
    published = put(home, since(home, SEPTEMBER))
    assert set(published.pointer.tables) == {"marts.fct_sale", "marts.mart_new", "marts.mart_total", "ops.load_ledger"}
    assert_as_in_full(home, published)
    connection, _ = open_current(home)
    with connection:
        assert connection.execute("select comment from duckdb_tables() where table_name = 'fct_sale'").fetchall() == [("changed",)]


@pytest.mark.fault("C1")
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_the_served_version_is_untouched_and_a_rerun_ends_in_the_same_content(
    home: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    before, changed = tables(home), since(home, SEPTEMBER)
    build(home, START | {SEPTEMBER: [60]})
    child = os.fork()
    if child == 0:
        os.environ["ROI_FAULT_POINT"] = point
        put(home, changed)
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert (tables(home) == before) is (point != "publish_pointer")
    published = put(home, changed)
    assert published.pointer.seq == 2
    assert_as_in_full(home, published)
    names = {path.name for path in published_folder(home).iterdir()}
    assert names == {"current.json", ".lock", changed.base, f"{changed.base}.duckdb", published.pointer.stem, published.pointer.file}


@pytest.mark.fault("C4")
def test_a_copy_of_the_served_file_that_does_not_fit_is_refused_before_it_starts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pointer = read_pointer(home)
    assert pointer is not None
    build(home, START | {SEPTEMBER: [60]})
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=16 * 2**20 + pointer.bytes))
    with pytest.raises(InfrastructureError, match="disk full: publishing needs"):
        put(home, since(home, SEPTEMBER))
    assert [path.name for path in published_folder(home).glob("*.duckdb")] == [pointer.file]


@pytest.mark.fault("C4")
def test_a_full_disk_while_the_served_file_is_copied_leaves_no_litter(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(home, START | {SEPTEMBER: [60]})
    before = {path.name for path in published_folder(home).iterdir()}

    def full(original: Path, target: Path, sha256: str) -> bool:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(publisher, "copy_proven", full)
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


def test_rolling_back_to_a_version_with_a_lost_twin_is_refused(home: Path) -> None:
    first = read_pointer(home)
    assert first is not None
    build(home, START | {SEPTEMBER: [60]})
    second = put(home, since(home, SEPTEMBER)).pointer
    (published_folder(home) / first.stem / "marts" / "fct_sale.parquet" / "2026-07-01.parquet").unlink()
    with pytest.raises(InfrastructureError, match=r"2026-07-01\.parquet"):
        rollback(home, 1, run_id="operator")
    assert read_pointer(home) == second
    assert twins(home)["marts.fct_sale"], "the second version owns its files"
