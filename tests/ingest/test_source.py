"""What a SELECT sees of a delivered file: columns as text, each record under its number. Breaks: a message names another record's line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.ingest.conform import batches
from dagster_project.ingest.mapping.sandbox import checked_select
from dagster_project.ingest.readers.source import Source
from tests.ingest.conftest import TILL_SQL
from tests.ingest.mapping_files import write_system


def test_records_of_a_large_file_keep_their_numbers(till: Callable[..., Any]) -> None:
    """Large enough for two threads and many row groups; one record near the end is wrong."""
    count, wrong = 900_000, 876_543
    rows = (f"n{number},2026-01-01 10:00:00,c{number % 977},{number}.{'5x' if number == wrong else '50'}" for number in range(1, count + 1))
    ingest = till()
    ingest.deliver("till/sales/2026-01-02/a.csv", "\n".join(("number,day,customer,net", *rows)))
    report = ingest.walk()
    assert [(file.physical, file.loaded, file.quarantined) for file in report.files] == [(count, count - 1, 1)]
    assert ingest.ledger.rows("select record_number, line_number, rule from quarantine") == [(wrong, wrong + 1, "number_format")]
    numbered = "count(*), bool_and(order_id = 'n' || record_number and net_amount = record_number + 0.5)"
    assert ingest.all(f"select {numbered} from lake.orders") == [(count - 1, True)]


@pytest.fixture
def shop(make_ingest: Callable[..., Any], tmp_path: Path) -> Any:
    """Two of four columns are read, one of them may be absent."""
    mappings = write_system(
        tmp_path / "mappings",
        "shop",
        "time_zone: UTC\nstreams:\n  sales:\n    columns: [id, sold]\n    optional: [Account]\n    unread: [note, paid]\n"
        "    feeds:\n      orders: {sql: o.sql, records: true}\n",
        o="select record_number, id as order_id, sold as ordered_at, 'EUR' as currency_code, account as account_id from source",
    )
    return make_ingest(mappings=mappings)


@pytest.mark.parametrize(("header", "account"), [("id,sold,note,paid", None), ("id,sold,account,paid", "b"), ("id,sold,Account,paid", "b")])
def test_a_column_that_may_be_absent_is_null_or_what_the_file_says_in_any_capitals(shop: Any, header: str, account: str | None) -> None:
    shop.deliver("shop/sales/2026-01-02/a.csv", f"{header}\n1,2026-01-01 10:00:00,b,4.00\n")
    report = shop.walk()
    assert (report.refusals, shop.all("select order_id, account_id from lake.orders")) == ([], [("1", account)])


@pytest.mark.parametrize(("total", "is_right"), [("7.50", True), ("7.51", False)])
def test_a_manifest_may_speak_of_a_column_that_no_select_reads(shop: Any, total: str, is_right: bool) -> None:
    path = shop.deliver("shop/sales/2026-01-02/a.csv", "id,sold,note,paid\n1,2026-01-01 10:00:00,b,4.00\n2,2026-01-01 10:00:00,,3.50\n")
    path.with_name("a.csv.manifest.json").write_text(json.dumps({"sums": {"paid": total}}))
    assert [f"sum of paid {total}0000, found 7.500000" in refusal for refusal in shop.walk().refusals] == ([] if is_right else [True])


def test_a_large_file_in_local_time_gives_the_instants_of_a_small_one(till: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours around both changes of the clocks, one of them ambiguous, and a time that the look into the calendar does not reach."""
    local = [f"2025-{day} 0{hour}:{minute}:00" for day in ("03-30", "10-26", "07-01") for hour in range(4) for minute in ("00", "30")]
    text = "number,day,customer,net\n" + "".join(f"n{at},{day},c,1.00\n" for at, day in enumerate([*local, "1980-08-01 12:00:00"]))
    found = []
    for many in (1 << 40, 0):
        monkeypatch.setattr(batches, "_MANY_BYTES", many)
        ingest = till("time_zone: Europe/Berlin")
        ingest.deliver("till/sales/2026-01-02/a.csv", text)
        assert not ingest.walk().refusals
        found.append(ingest.all("select order_id, ordered_at from lake.orders order by record_number"))
        ingest.settings.home.rename(ingest.settings.home.with_name(f"home-{many}"))
    assert found[0] == found[1]
    assert (
        len({instant for _, instant in found[0]}) == len(local) + 1 - 2
    )  # two local times of March are no times: they fall on the hour after


PLAIN = [
    "select a, record_number from source",
    "with x as (select *, a || a as b from source), y as (select * replace (b as a) from x) select a, record_number from y",
    "select case when a is null then 'x' else a end as a, record_number from (select * from source)",
]
NOT_PLAIN = [
    "select a, record_number from source where a <> 'x'",
    "select a, record_number from source order by a",
    "select a, record_number from source limit 5",
    "select distinct a, record_number from source",
    "select a, min(record_number) as record_number from source group by a",
    "select unnest([a, a]) as a, record_number from source",
    "select a, record_number, row_number() over () as n from source",
    "select a, record_number from source union all select a, record_number from source",
    "select source.a, source.record_number from source left join other on other.a = source.a",
    "select (select max(a) from source) as a, record_number from source",
    "select other.a, other.record_number from other",
    "select 'a' as a, i as record_number from range(3) as t(i)",
    "with twice as (select * from source) select x.a, x.record_number from twice as x positional join twice as y",
]


@pytest.mark.parametrize(("sql", "is_plain"), [*((sql, True) for sql in PLAIN), *((sql, False) for sql in NOT_PLAIN)])
def test_a_select_is_plain_where_each_record_becomes_one_row_in_its_place(tmp_path: Path, sql: str, is_plain: bool) -> None:
    (path := tmp_path / "a.sql").write_text(sql)
    assert checked_select(path, ["a"], {"other": ["a"]}).is_plain == is_plain


@pytest.mark.parametrize(
    ("name", "counts"),
    [("number", (5, 5, 0, 0)), ("number || '-' || record_number", (5, 5, 0, 0)), ("replace(number, 'n4', 'n2')", (5, 4, 1, 0))],
    ids=["plain", "asks for the number", "one key twice"],
)
@pytest.mark.parametrize("name_of_file", ["a.csv", "a.csv.gz", "a.jsonl", "a.parquet"])
def test_one_pass_over_the_file_and_a_table_of_it_load_the_same(
    till: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str, counts: tuple[int, ...], name_of_file: str
) -> None:
    rows = [{"number": f"n{at}", "day": "2026-01-01 10:00:00", "customer": f"c{at}", "net": f"{at}.50"} for at in range(1, 6)]
    sql = TILL_SQL.replace("number as order_id", f"{name} as order_id")
    found = []
    for way in (True, False):
        if not way:
            monkeypatch.setattr(batches.BatchWriter, "_is_plain", lambda *_: False)
        ingest = till(sql=sql)
        path = ingest.deliver(f"till/sales/2026-01-02/{name_of_file}", written(name_of_file, rows))
        report = ingest.walk()
        (file,) = report.files
        assert (file.physical, file.loaded, file.superseded, file.quarantined) == counts
        found.append(ingest.all("select * exclude (batch_id) from lake.orders order by record_number"))
        path.unlink()
        ingest.settings.home.rename(ingest.settings.home.with_name(f"home-{way}"))
    assert found[0] == found[1]
    assert len(found[0]) == counts[1]


def written(name: str, rows: list[dict[str, str]]) -> bytes:
    if name.endswith(".jsonl"):
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if name.endswith(".parquet"):
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return sink.getvalue()
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]).encode()


def test_no_table_is_made_of_a_file_that_a_plain_mapping_reads(till: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "load", lambda *_: pytest.fail("a table was made"))
    ingest = till()
    ingest.deliver("till/sales/2026-01-02/a.csv", "number,day,customer,net\nn1,2026-01-01 10:00:00,c,1.00\n")
    assert [file.loaded for file in ingest.walk().files] == [1]


def test_a_plain_mapping_names_the_line_of_what_is_wrong_and_keeps_the_rest(till: Callable[..., Any]) -> None:
    """The one pass stops at the wrong record; the table tells which it was."""
    ingest = till()
    lines = [f"n{at},2026-01-01 10:00:00,c,{'abc' if at == 300 else '1.00'}" for at in range(1, 501)]
    ingest.deliver("till/sales/2026-01-02/a.csv", "\n".join(["number,day,customer,net", *lines]))
    (file,) = ingest.walk().files
    assert (file.physical, file.loaded, file.quarantined) == (500, 499, 1)
    assert ingest.ledger.rows("select record_number, line_number, rule from quarantine") == [(300, 301, "number_format")]
    assert ingest.all("select count(*), max(record_number), bool_or(record_number = 300) from lake.orders") == [(499, 500, False)]
