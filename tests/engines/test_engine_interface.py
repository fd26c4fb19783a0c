"""What the interface promises, held by both engines: the same calls, the same rows, nothing half replaced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.engines.engine import Engine, NullInColumnError, complete_groups
from dagster_project.engines.lake_files import LakeFile, Withdrawals
from dagster_project.engines.spark_engine import SparkEngine
from dagster_project.engines.types import INSTANT, arrow_type
from dagster_project.errors import InfrastructureError

COLUMNS = pa.schema([pa.field("account_id", pa.string(), False), pa.field("amount", pa.decimal128(18, 2)), pa.field("where", pa.int64())])


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty warehouse of each engine; the folder's name is one that a glob or a quote would trip over."""
    folder = tmp_path / "it's {1,2} [x] *"
    folder.mkdir()
    if request.param == "duckdb":
        connection = duckdb.connect(str(folder / "warehouse.duckdb"))
        connection.execute("set TimeZone = 'UTC'")
        yield DuckDBEngine(connection)
        connection.close()
    else:
        session = request.getfixturevalue("spark_session")
        yield SparkEngine(session, folder)
        for schema in ("lake", "t"):
            session.sql(f"drop schema if exists {schema} cascade")


def rows_of(*rows: tuple[Any, ...]) -> pa.Table:
    return pa.table([pa.array([row[at] for row in rows], kind.type) for at, kind in enumerate(COLUMNS)], names=COLUMNS.names)


FIRST = rows_of(("a", Decimal("1.10"), 1), ("b", Decimal("-2.00"), None))
MORE = rows_of(("c", None, 3))


def content(engine: Engine, table: str = "t.sums") -> list[tuple[Any, ...]]:
    return sorted(engine.rows(f"select * from {table}"), key=str)


def test_a_table_is_replaced_as_a_whole_with_its_types_and_promises(engine: Engine) -> None:
    assert engine.replace("t.sums", COLUMNS, [FIRST, MORE]) == 3
    assert engine.replace("t.sums", COLUMNS, iter([FIRST])) == 2
    assert content(engine) == [("a", Decimal("1.10"), 1), ("b", Decimal("-2.00"), None)]
    assert engine.columns(["t", "no_such_schema"]) == {"t.sums": COLUMNS}


def test_an_empty_table_keeps_its_columns(engine: Engine) -> None:
    assert engine.replace("t.sums", COLUMNS, []) == 0
    assert content(engine) == []
    assert engine.columns(["t"])["t.sums"] == COLUMNS


def test_a_table_of_dbt_is_emptied_and_keeps_its_columns(engine: Engine, tmp_path: Path) -> None:
    place = f" using parquet location '{tmp_path / 'days'}'" if isinstance(engine, SparkEngine) else ""
    engine.run("create schema t")
    engine.run(f"create table t.days{place} as select date '2026-01-01' as day")
    engine.empty("t.days")
    engine.empty("t.days")
    assert content(engine, "t.days") == []
    assert engine.columns(["t"])["t.days"].field("day").type == pa.date32()


def test_rows_that_meet_a_condition_are_replaced_and_all_others_stay(engine: Engine) -> None:
    engine.replace("t.sums", COLUMNS, [FIRST, MORE, rows_of(("gone", None, 9))])
    changed = rows_of(("b", Decimal("5.00"), 7), ("b", Decimal("6.00"), 8), ("new", None, None))
    where = "account_id in ('b', 'new', 'gone')"
    assert engine.replace("t.sums", COLUMNS, [changed], where=where) == 3
    assert content(engine) == [
        ("a", Decimal("1.10"), 1), ("b", Decimal("5.00"), 7), ("b", Decimal("6.00"), 8), ("c", None, 3), ("new", None, None),
    ]  # fmt: skip


def test_replacing_rows_twice_is_replacing_them_once_also_in_a_table_that_is_not_there_yet(engine: Engine) -> None:
    for _ in range(2):
        engine.replace("t.sums", COLUMNS, [FIRST], where="account_id in ('a', 'b')")
    assert content(engine) == [("a", Decimal("1.10"), 1), ("b", Decimal("-2.00"), None)]


def test_rows_of_months_are_written_month_by_month_whatever_order_they_come_in(tmp_path: Path) -> None:
    columns, chunks = pa.schema([pa.field("period_month", pa.int32())]), [[3, 1], [2, None, 1]]
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        written = DuckDBEngine(connection)
        for where in (None, "period_month > 1"):
            written.replace(
                "t.months", columns, (pa.table([pa.array(months, pa.int32())], schema=columns) for months in chunks), where=where
            )
            last = connection.execute("select period_month from t.months order by rowid desc limit 5").fetchall()
            assert last[::-1] == [(1,), (1,), (2,), (3,), (None,)]


@pytest.mark.parametrize("where", [None, "account_id = 'a'"])
def test_a_missing_value_where_none_may_be_is_refused_and_the_old_rows_stay(engine: Engine, where: str | None) -> None:
    engine.replace("t.sums", COLUMNS, [FIRST])
    with pytest.raises(NullInColumnError, match="account_id"):
        engine.replace("t.sums", COLUMNS, [MORE, rows_of((None, None, 1))], where=where)
    assert content(engine) == content(engine) == [("a", Decimal("1.10"), 1), ("b", Decimal("-2.00"), None)]


def test_a_source_of_rows_that_fails_half_way_replaces_nothing(engine: Engine) -> None:
    def broken() -> Iterator[pa.Table]:
        yield MORE
        raise OSError("the disk is gone")

    engine.replace("t.sums", COLUMNS, [FIRST])
    with pytest.raises(OSError, match="the disk is gone"):
        engine.replace("t.sums", COLUMNS, broken())
    assert content(engine) == [("a", Decimal("1.10"), 1), ("b", Decimal("-2.00"), None)]


def totals(chunk: pa.Table) -> pa.Table:
    """Sum each account of a chunk; two rows of one account would show that it was cut."""
    sums = chunk.group_by("account_id").aggregate([("amount", "sum"), ("where", "count")])
    return pa.table(
        {"account_id": sums["account_id"], "amount": sums["amount_sum"].cast(pa.decimal128(18, 2)), "where": sums["where_count"]}
    )


def test_scoring_sees_complete_groups_and_replaces_its_table(engine: Engine) -> None:
    many = rows_of(*[(f"a{number % 7}", Decimal(number), number) for number in range(700)])
    engine.replace("t.sums", COLUMNS, [many])
    for _ in range(2):
        assert engine.score("select * from t.sums", "account_id", totals, "t.totals", COLUMNS) == 7
    expected = [(f"a{rest}", Decimal(sum(range(rest, 700, 7))).quantize(Decimal("0.01")), 100) for rest in range(7)]
    assert content(engine, "t.totals") == expected


def test_scoring_some_rows_leaves_the_others(engine: Engine) -> None:
    engine.replace("t.sums", COLUMNS, [FIRST])
    engine.replace("t.totals", COLUMNS, [rows_of(("a", Decimal("9.00"), 9), ("z", None, 1))])
    assert engine.score("select * from t.sums", "account_id", totals, "t.totals", COLUMNS, where="account_id < 'c'") == 2
    assert content(engine, "t.totals") == [("a", Decimal("1.10"), 1), ("b", Decimal("-2.00"), 0), ("z", None, 1)]


def test_a_scoring_that_fails_leaves_the_old_table(engine: Engine) -> None:
    def broken(chunk: pa.Table) -> pa.Table:
        raise ArithmeticError("no such thing")

    engine.replace("t.sums", COLUMNS, [FIRST])
    engine.replace("t.totals", COLUMNS, [MORE])
    with pytest.raises(Exception, match="no such thing"):
        engine.score("select * from t.sums", "account_id", broken, "t.totals", COLUMNS)
    assert content(engine, "t.totals") == [("c", None, 3)]


def test_a_result_is_read_in_bounded_chunks_in_the_order_of_the_query(engine: Engine) -> None:
    engine.replace("t.sums", COLUMNS, [rows_of(*[(f"a{number:03}", None, number) for number in range(250)])])
    chunks = list(engine.read("select * from t.sums order by account_id desc", rows=100))
    assert max(map(len, chunks)) <= 100
    assert pa.concat_tables(chunks)["where"].to_pylist() == list(range(249, -1, -1))


def test_values_arrive_as_what_they_are(engine: Engine) -> None:
    columns = pa.schema([("at", INSTANT), ("day", pa.date32()), ("is_it", pa.bool_()), ("ratio", pa.float64()), ("small", pa.int32())])
    row = (datetime(2026, 3, 29, 1, 30, 0, 5, tzinfo=UTC), date(2026, 3, 29), True, 0.1, 7)
    table = pa.table([pa.array([value], kind.type) for value, kind in zip(row, columns, strict=True)], names=columns.names)
    engine.replace("t.kinds", columns, [table])
    ((at, *rest),) = engine.rows("select * from t.kinds")
    assert at.astimezone(UTC) == row[0]
    assert rest == list(row[1:])
    assert engine.columns(["t"])["t.kinds"] == columns


def test_a_dropped_table_is_gone_and_dropping_nothing_is_no_error(engine: Engine) -> None:
    engine.replace("t.sums", COLUMNS, [FIRST])
    engine.drop("t.sums")
    engine.drop("t.sums")
    assert engine.columns(["t"]) == {}


BATCHES = pa.schema([
    ("batch_id", pa.string()), ("feed", pa.string()), ("source_system", pa.string()), ("delivery_date", pa.date32()),
    ("change_number", pa.int64()), ("file_order", pa.string()), ("key_scope", pa.string()), ("withdrawn_file", pa.string()),
])  # fmt: skip


def tell(engine: Engine, *batches: tuple[Any, ...]) -> None:
    """Make `lake.batches` of these rows."""
    reported = pa.table([pa.array([batch[at] for batch in batches], field.type) for at, field in enumerate(BATCHES)], names=BATCHES.names)
    engine.replace("lake.batches", BATCHES, [reported])


def test_a_feed_shows_the_files_that_are_named_and_no_other(engine: Engine, tmp_path: Path) -> None:
    lake = tmp_path / "lake [1], {2}" / "tickets"
    lake.mkdir(parents=True)
    columns = pa.schema([("ticket_id", pa.string()), ("queue", pa.string()), ("cost_amount", pa.decimal128(18, 2))])

    def file(batch: str, *tickets: str, lacks: tuple[str, ...] = (), **more: pa.Array) -> LakeFile:
        pq.write_table(
            pa.table({"ticket_id": tickets, "row_hash": pa.array([7] * len(tickets), pa.int64()), **more}), lake / f"{batch}.parquet"
        )
        return LakeFile(lake / f"{batch}.parquet", lacks)

    plain = file("b1", "T1", "T2", lacks=("cost_amount", "record_number"), queue=pa.array(["phone", None]))
    numbered = file(
        "b2", "T3", lacks=("queue", "cost_amount"), record_number=pa.array([9], pa.int64()), of_an_older_product=pa.array(["x"])
    )
    file("never_accepted", "T4")
    tell(
        engine,
        ("b1", "tickets", "desk", date(2026, 1, 1), 0, "a", "desk", None),
        ("b2", "tickets", "shop", date(2026, 1, 2), 0, "b", "", None),
        ("b2", "orders", "shop", date(2026, 1, 9), 0, "b", "", None),
        ("never_accepted", "tickets", "desk", date(2026, 1, 3), 0, "c", "desk", None),
    )
    none = Withdrawals(("ticket_id",))
    engine.show_feed("lake.tickets", columns, [plain, numbered], none)
    assert sorted(engine.rows("select * from lake.tickets")) == [
        ("T1", "phone", None, "b1", 7, 1, "desk", date(2026, 1, 1), 0, "a", "desk", False),
        ("T2", None, None, "b1", 7, 2, "desk", date(2026, 1, 1), 0, "a", "desk", False),
        ("T3", None, None, "b2", 7, 9, "shop", date(2026, 1, 2), 0, "b", "", False),
    ]
    engine.show_feed("lake.refunds", columns, [], none)
    assert engine.rows("select * from lake.refunds") == []
    assert engine.columns(["lake"])["lake.refunds"] == engine.columns(["lake"])["lake.tickets"]
    second = file("b3", "T5", lacks=("queue", "cost_amount", "record_number"))
    plain.path.unlink()
    with pytest.raises(InfrastructureError, match="b1"):
        engine.show_feed("lake.tickets", columns, [second, plain, numbered], none)


def test_rows_of_a_change_keep_their_own_days_and_withdrawn_keys_are_rows(engine: Engine, tmp_path: Path) -> None:
    columns = pa.schema([("ticket_id", pa.string()), ("on_day", pa.date32()), ("queue", pa.string())])
    lake, taken_back = tmp_path / "lake", tmp_path / "lake" / "withdrawn {x}"
    taken_back.mkdir(parents=True)

    def written(path: Path, **made: list[Any]) -> Path:
        kinds = {"row_hash": pa.int64(), "record_number": pa.int64(), "on_day": pa.date32(), "delivery_date": pa.date32()}
        pq.write_table(pa.table({name: pa.array(values, kinds.get(name, pa.string())) for name, values in made.items()}), path)
        return path

    days = [date(2026, 1, 5), date(2026, 1, 6)]
    changed = written(
        lake / "c1.parquet",
        ticket_id=["T1", "T2"],
        on_day=days,
        queue=["a", "b"],
        row_hash=[1, 2],
        record_number=[11, 12],
        delivery_date=days,
    )
    plain = written(lake / "f1.parquet", ticket_id=["T9"], on_day=days[:1], queue=["c"], row_hash=[3])
    one = written(taken_back / "w1.parquet", ticket_id=["T3"], on_day=days[:1])
    two = written(taken_back / "w2.parquet", ticket_id=["T1", "T4"], on_day=days)
    tell(
        engine,
        ("c1", "tickets", "desk", date(2026, 1, 6), 1, "", "desk", "w1"),
        ("c2", "tickets", "desk", date(2026, 1, 7), 2, "", "desk", "w2"),
        ("c2", "orders", "desk", date(2026, 1, 8), 3, "", "desk", "w2"),
        ("f1", "tickets", "canonical", date(2026, 1, 4), 0, "000000000002.csv", "canonical", None),
    )
    files = [LakeFile(changed, is_dated=True), LakeFile(plain, ("record_number",))]
    engine.show_feed("lake.tickets", columns, files, Withdrawals(("ticket_id", "on_day"), (one, two)))
    shown = (
        "ticket_id, on_day, queue, batch_id, row_hash, record_number, source_system, delivery_date, change_number, file_order, key_scope"
    )
    assert sorted(engine.rows(f"select {shown}, is_withdrawn from lake.tickets"), key=str) == [
        ("T1", days[0], "a", "c1", 1, 11, "desk", days[0], 1, "", "desk", False),
        ("T1", days[0], None, "c2", None, None, "desk", date(2026, 1, 7), 2, "", "desk", True),
        ("T2", days[1], "b", "c1", 2, 12, "desk", days[1], 1, "", "desk", False),
        ("T3", days[0], None, "c1", None, None, "desk", date(2026, 1, 6), 1, "", "desk", True),
        ("T4", days[1], None, "c2", None, None, "desk", date(2026, 1, 7), 2, "", "desk", True),
        ("T9", days[0], "c", "f1", 3, 1, "canonical", date(2026, 1, 4), 0, "000000000002.csv", "canonical", False),
    ]
    engine.show_feed("lake.tickets", columns, [], Withdrawals(("ticket_id", "on_day"), (one,)))
    assert engine.rows("select ticket_id, is_withdrawn from lake.tickets") == [("T3", True)]


def test_groups_are_never_cut_however_small_the_chunks() -> None:
    keys = [1, 1, 1, 2, 3, 3, 4, 4, 4, 4, 5]
    for size in range(1, 12):
        stream = pa.table({"k": keys}).to_batches(max_chunksize=size)
        chunks = list(complete_groups((pa.Table.from_batches([batch]) for batch in stream), "k"))
        assert pa.concat_tables(chunks)["k"].to_pylist() == keys
        seen = [set(chunk["k"].to_pylist()) for chunk in chunks]
        assert sum(map(len, seen)) == len(set().union(*seen)), f"a group was cut at chunks of {size}"
        assert all(len(chunk) for chunk in chunks)


@pytest.mark.parametrize("word", ["hugeint", "time", "int[]", "varchar[]", "decimal"])
def test_a_type_without_a_place_in_the_warehouse_is_refused(word: str) -> None:
    with pytest.raises(TypeError, match="has no place in the warehouse"):
        arrow_type(word)
