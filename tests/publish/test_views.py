"""Views that stay views in the copy: the tables behind them travel along, by month too, and readers notice no difference."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.publish.copying import Copy
from dagster_project.publish.describing import Description
from dagster_project.publish.increment import Changed
from dagster_project.publish.publisher import Published, publish
from dagster_project.publish.reader import open_current
from dagster_project.publish.rollback import rollback
from dagster_project.publish.source import WarehouseFile
from dagster_project.publish.verify import differences
from dagster_project.publish.versions import published_folder, read_manifest, read_pointer

JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)
MONTHLY = frozenset({"marts.mart_share", "intermediate.int_share"})
WIDE = "select share.period_month, names.name, share.minor * 0.01 as amount from {0} as share inner join {1} as names using (line)"


def build(home: Path, shares: dict[date, list[int]], select: str = WIDE, kind: str = "view") -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "warehouse.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("create schema intermediate; create schema marts")
        connection.execute("create table intermediate.int_share (period_month date, line integer, minor bigint)")
        connection.execute("create table intermediate.int_line as select 1 as line, 'one' as name union all select 2, 'two'")
        connection.execute("create table intermediate.int_secret as select 'secret' as word")
        for month, values in shares.items():
            for at, value in enumerate(values):
                connection.execute(f"insert into intermediate.int_share values (date '{month}', {at % 2 + 1}, {value})")
        select = select.format("intermediate.int_share", "intermediate.int_line")
        connection.execute(f"create {kind} marts.mart_share as {select}")


def put(home: Path, *months: date, **options: Any) -> Published:
    pointer = read_pointer(home)
    changed = Changed(pointer.stem, dict.fromkeys(MONTHLY, frozenset(months))) if pointer and months else None
    settings: dict[str, Any] = {"run_id": "r", "inputs_sha256": "a" * 64, "data_as_of": None, "monthly": MONTHLY}
    settings["descriptions"] = {"marts.mart_share": Description("What each line got", {"name": "Line"})}
    return publish(home, WarehouseFile(home / "warehouse.duckdb"), changed=changed, **settings | options)


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    connection, _ = open_current(home)
    with connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    build(tmp_path / "home", {JULY: [100, 200], AUGUST: [300]})
    put(tmp_path / "home")
    return tmp_path / "home"


def test_a_view_is_read_from_the_tables_behind_it_which_are_no_tables_of_readers(home: Path) -> None:
    assert rows(home, "select name, sum(amount)::int from marts.mart_share group by 1 order by 1") == [("one", 4), ("two", 2)]
    kinds = rows(home, "select table_schema, table_name, table_type from information_schema.tables order by 1, 2")
    assert kinds == [
        ("intermediate", "int_line", "BASE TABLE"),
        ("intermediate", "int_share", "BASE TABLE"),
        ("marts", "mart_share", "VIEW"),
    ]
    assert rows(home, "select comment from duckdb_views() where view_name = 'mart_share'") == [("What each line got",)]
    assert rows(home, "select column_name, comment from duckdb_columns() where comment is not null") == [("name", "Line")]
    pointer = read_pointer(home)
    assert pointer is not None
    assert pointer.tables == {"marts.mart_share": 3}
    reported = read_manifest(home, pointer.stem)["tables"]
    assert [Path(entry["file"]).as_posix() for entry in reported["marts.mart_share"]["files"]] == [
        "marts/mart_share.parquet/2026-07-01.parquet",
        "marts/mart_share.parquet/2026-08-01.parquet",
    ]
    assert reported["intermediate.int_share"]["files"] == []
    assert not (published_folder(home) / pointer.stem / "intermediate").exists()


def test_a_view_has_the_content_of_the_table_it_replaces(home: Path, tmp_path: Path) -> None:
    build(tmp_path / "table", {JULY: [100, 200], AUGUST: [300]}, kind="table")
    as_table, as_view = put(tmp_path / "table").pointer, read_pointer(home)
    assert as_view is not None
    assert as_table.content_hash == as_view.content_hash
    assert as_table.tables == as_view.tables


@pytest.mark.parametrize("select", [WIDE, WIDE.replace("0.01", "0.02")], ids=["same view", "other view"])
def test_a_month_of_the_tables_behind_is_renewed_as_in_full(home: Path, select: str) -> None:
    every = (JULY, AUGUST) if select != WIDE else (AUGUST,)
    build(home, {JULY: [100, 200], AUGUST: [300, 50]}, select)
    published = put(home, *every)
    shutil.copytree(home, home.parent / "full", ignore=shutil.ignore_patterns("published"))
    assert published.pointer.content_hash == put(home.parent / "full").pointer.content_hash
    assert rows(home, "from marts.mart_share order by all") == rows(home.parent / "full", "from marts.mart_share order by all")


def test_a_version_with_the_table_is_followed_by_one_with_the_view_and_back(tmp_path: Path) -> None:
    home, contents = tmp_path / "home", []
    for kind in ("table", "view", "table"):
        build(home, {JULY: [100, 200], AUGUST: [300 + len(contents)]}, kind=kind)
        published = put(home, AUGUST)
        contents.append(published.pointer.content_hash)
        assert rows(home, "select sum(amount)::decimal(9, 2)::varchar from marts.mart_share") == [(f"6.0{len(contents) - 1}",)]
        kept = rows(home, "select count(*) from duckdb_tables() where schema_name = 'intermediate'")
        assert kept == [(2 if kind == "view" else 0,)]
    assert len(set(contents)) == 3


def test_an_older_version_with_a_view_comes_back(home: Path) -> None:
    build(home, {JULY: [1], AUGUST: [2]})
    put(home)
    rollback(home, 1, run_id="r")
    assert rows(home, "select sum(amount)::int from marts.mart_share") == [(6,)]


def test_rows_that_are_missing_behind_a_view_are_found_by_the_verifier(home: Path) -> None:
    pointer = read_pointer(home)
    assert pointer is not None
    reported = read_manifest(home, pointer.stem)["tables"]
    copy = home / "damaged.duckdb"
    shutil.copyfile(published_folder(home) / pointer.file, copy)
    copy.chmod(0o600)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("delete from intermediate.int_share where minor = 100")
    unread = differences(copy, reported, {"marts.mart_share": ["2026-08-01"], "intermediate.int_share": ["2026-08-01"]})
    assert unread == ["intermediate.int_share 2026-07-01: expected {'rows': 2}, found {'rows': 1}"]
    assert [line.partition(":")[0] for line in differences(copy, reported)] == [
        "intermediate.int_share",
        "intermediate.int_share 2026-07-01",
        "marts.mart_share",
        "marts.mart_share 2026-07-01",
    ]


def test_a_view_of_no_reader_is_left_out(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("create view intermediate.int_word as select word from intermediate.int_secret")
        connection.execute("insert into intermediate.int_share values (date '2026-08-01', 1, 5)")
    put(home)
    assert rows(home, "select count(*) from duckdb_columns() where column_name = 'word'") == [(0,)]


def test_a_month_that_was_named_and_holds_what_it_held_is_not_written_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[dict[str, set[str]]] = []
    fill = Copy.fill

    def recorded(copy: Copy, tables: Any, plan: Any) -> None:
        plans.append({name: set(keys) for name, keys in plan.items()})
        fill(copy, tables, plan)

    monkeypatch.setattr(Copy, "fill", recorded)
    july = published_folder(home) / "{}" / "marts/mart_share.parquet/2026-07-01.parquet"
    before = read_pointer(home)
    build(home, {JULY: [200, 100], AUGUST: [300, 50]})
    published = put(home, JULY, AUGUST)
    assert before is not None
    assert plans[-1] == {"marts.mart_share": {"2026-07-01", "2026-08-01"}, "intermediate.int_share": {"2026-07-01", "2026-08-01"}}
    build(home, {JULY: [200, 100], AUGUST: [300, 60]})
    again = put(home, JULY, AUGUST)
    assert plans[-1] == {"marts.mart_share": {"2026-08-01"}, "intermediate.int_share": {"2026-08-01"}}
    one, other = (Path(str(july).format(version.pointer.stem)) for version in (published, again))
    assert one.samefile(other)
    assert rows(home, "select sum(amount)::decimal(9, 2)::varchar from marts.mart_share") == [("6.60",)]
