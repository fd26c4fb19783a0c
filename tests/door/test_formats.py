"""Every format of a delivered file: it loads with every record counted, or the message says what to mend."""

from __future__ import annotations

import gzip
import io
import json
import stat
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from dagster_project.door import formats
from dagster_project.errors import UsageError
from tests.door.formats_workbook import DATE, INSTANT, Raw, sheet, workbook

HEADER = "order_id,ordered_at,currency_code,account_id,net_amount\n"
ROWS = "".join(f"o{number},2026-01-01T10:00:00Z,EUR,a1,10.00\n" for number in range(4))
CSV = (HEADER + ROWS).encode()
OBJECT = {"order_id": "o1", "ordered_at": "2026-01-01T10:00:00Z", "currency_code": "EUR", "account_id": "a1", "net_amount": 10}
COLUMNS = list(OBJECT)
SQL = """select record_number, number as order_id, day as ordered_at, 'EUR' as currency_code, customer as account_id, net as net_amount
from source"""


def deliver(door: Any, name: str, content: bytes) -> tuple[tuple[int, int, int, int], str]:
    """Deliver one file of orders, walk, and return physical, loaded, superseded, quarantined and what was refused."""
    folder = door.settings.landing / "canonical" / "orders" / f"2027-01-{door.runs + 1:02}"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    report = door.walk()
    (file,) = [file for file in report.files if file.path.endswith(f"{folder.name}/{name}")]
    if file.status == "refused":
        (folder / name).unlink()
    assert not list((door.settings.restricted / "door").glob("*")), "nothing is left in the scratch folder"
    return (file.physical, file.loaded, file.superseded, file.quarantined), file.error or ""


def refused(door: Any, name: str, content: bytes) -> str:
    """Deliver a file that has to be refused whole and return the message, which names it and a remedy."""
    _, error = deliver(door, name, content)
    assert name in error
    assert "remedy" in error
    assert door.all("select count(*) from lake.orders") == [(0,)]
    return error


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


def lines(*objects: object) -> bytes:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in objects).encode()


@pytest.fixture
def till(make_door: Any, tmp_path: Path) -> Callable[..., Any]:
    """Make a door with a system of one stream, written as the given lines of YAML say."""

    def make(*words: str, sql: str = SQL) -> Any:
        folder = tmp_path / "mappings" / "till"
        folder.mkdir(parents=True, exist_ok=True)
        dialect = "".join(f"    {word}\n" for word in words)
        feeds = "    columns: [number, day, customer, net]\n    feeds:\n      orders: {sql: orders.sql, records: true}\n"
        (folder / "till.yml").write_text(f"time_zone: UTC\nstreams:\n  sales:\n{dialect}{feeds}", encoding="utf-8")
        (folder / "orders.sql").write_text(sql, encoding="utf-8")
        return make_door(mappings=folder.parent)

    return make


def sold(door: Any, content: str | bytes, name: str = "s.csv") -> list[tuple[Any, ...]]:
    """Deliver a file to the till and return its orders; nothing may be refused or kept out."""
    door.deliver(f"till/sales/2031-01-0{door.runs + 1}/{name}", content)
    report = door.walk()
    assert not report.refusals, report.refusals
    assert not report.rejections, report.rejections
    return door.all("select order_id, account_id, net_amount::varchar from lake.orders order by record_number")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("A.CSV", CSV),
        ("a.tsv", CSV.replace(b",", b"\t")),
        ("a.txt", CSV.replace(b",", b"\t")),
        ("a.csv.gz", gzip.compress(CSV)),
        ("a.csv.zst", zstd.compress(CSV)),
        ("a.csv.zst", zstd.compress(CSV[:99]) + zstd.compress(CSV[99:])),
        ("a.csv.zip", zipped(("a.csv", CSV))),
        ("export.zip", zipped(("2026/", b""), ("2026/orders.tsv", CSV.replace(b",", b"\t")))),
        ("a.jsonl", lines(*[{**OBJECT, "order_id": f"o{number}"} for number in range(4)])),
        ("a.ndjson.zip", zipped(("b.ndjson", lines(*[{**OBJECT, "order_id": f"o{number}"} for number in range(4)])))),
        ("a.jsonl.gz", gzip.compress(lines(*[{**OBJECT, "order_id": f"o{number}"} for number in range(4)]))),
        ("a.jsonl.zst", zstd.compress(lines(*[{**OBJECT, "order_id": f"o{number}"} for number in range(4)]))),
        ("a.xlsx", workbook({"S": sheet([COLUMNS, *[[f"o{n}", "2026-01-01T10:00:00Z", "EUR", "a1", 10] for n in range(4)]])})),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_orders_arrive_from_every_format(door: Any, name: str, content: bytes) -> None:
    assert deliver(door, name, content) == ((4, 4, 0, 0), "")
    assert door.all("select order_id, ordered_at::varchar, net_amount::varchar, record_number from lake.orders order by 1") == [
        (f"o{number}", "2026-01-01 10:00:00+00", "10.00", number + 1) for number in range(4)
    ]
    assert deliver(door, name, content) == ((4, 0, 4, 0), ""), "and the same bytes again add nothing"


@pytest.mark.parametrize("name", ["a.docx", "a.csv.bz2", "a.xls", "csv", "a.parquet.gz", "a.csv.gz.gz"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(door: Any, name: str) -> None:
    assert "format not supported; supported: csv, tsv, txt, jsonl" in refused(door, name, CSV)


# ------------------------------------------------------------------------------------------------------------ archives


@pytest.mark.fault("D5")
def test_a_damaged_archive_of_any_kind_is_refused_whole(door: Any) -> None:
    rows = HEADER.encode() + b"".join(b"o%d,2026-01-01T10:00:00Z,EUR,a%d,10.00\n" % (n, n * 7919 % 10007) for n in range(2_000))
    packed = zstd.compress(rows, options={zstd.CompressionParameter.checksum_flag: 1})
    for cut in (len(packed) // 2, len(packed) - 1):
        assert "archive damaged" in refused(door, "cut.csv.zst", packed[:cut])
    assert "archive damaged" in refused(door, "bad.csv.zst", packed[:-1] + bytes([packed[-1] ^ 1]))
    archive = zipped(("a.csv", rows))
    assert "archive damaged" in refused(door, "cut.zip", archive[: len(archive) // 2])
    at = archive.index(b"PK\x01\x02")
    for place in (16, 24):  # checksum and size that the directory states
        wrong = bytearray(archive)
        wrong[at + place] ^= 1
        assert "archive damaged" in refused(door, "wrong.zip", bytes(wrong))


@pytest.mark.fault("F7")
def test_bombs_nested_archives_links_and_paths_are_refused_before_anything_is_written(door: Any) -> None:
    bomb = HEADER.encode() + b"o,2026-01-01T10:00:00Z,EUR,a,1\n" * 400_000
    assert "grows more than 200 times" in refused(door, "a.csv.zst", zstd.compress(bomb))
    assert "grows more than 200 times" in refused(door, "a.zip", zipped(("a.csv", bomb)))
    assert "grows more than 200 times" in refused(door, "a.xlsx", workbook({"S": sheet([COLUMNS])}, {"xl/media/x.xml": b" " * (8 << 20)}))
    lying = bytearray(zipped(("a.csv", bomb)))
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = lying.index(mark) + place
        lying[at : at + 4] = (1_000).to_bytes(4, "little")
    assert "archive damaged" in refused(door, "lying.zip", bytes(lying))
    assert "an archive within an archive" in refused(door, "b.zip", zipped(("a.xlsx", workbook({"S": sheet([COLUMNS])}))))
    assert "format not supported" in refused(door, "b.zip", zipped(("a.tar", CSV)))
    for inner in (gzip.compress(CSV), zstd.compress(CSV), zipped(("a.csv", CSV))):
        assert "is an archive again" in refused(door, "b.csv.gz", gzip.compress(inner))
    assert "is an archive again" in refused(door, "b.zip", zipped(("a.csv.gz", gzip.compress(CSV))))
    for path in ("../a.csv", "/a.csv", "..\\a.csv", "C:a.csv", "x/../../a.csv"):
        assert "archive names the path" in refused(door, "c.zip", zipped((path, CSV)))
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "is a link or a device" in refused(door, "d.zip", zipped((link, b"/etc/hostname")))
    assert "archive of 2 files where one belongs" in refused(door, "e.zip", zipped(("a.csv", CSV), ("b.csv", CSV)))
    assert "archive of 0 files" in refused(door, "f.zip", zipped())
    locked = bytearray(zipped(("a.csv", CSV)))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "is encrypted" in refused(door, "g.zip", bytes(locked))


# ---------------------------------------------------------------------------------------------------------- JSON lines


def test_nested_json_stays_text_that_the_sql_of_a_mapping_takes_apart(till: Callable[..., Any]) -> None:
    sql = SQL.replace("customer as", "customer ->> '$.keys[1]' as")
    door = till(sql=sql)
    rows = [
        '{"number": 123456789012345678901, "day": "2026-01-01 00:00:00", "customer": {"keys": ["a", "b\\u00e9"], "n": 1.10}, "net": 1.10}',
        '{"net": 2, "customer": { "keys" : [ 1, 12345678901234567890 ] }, "number": "n,2", "day": "2026-01-01 00:00:00", "other": [{}]}',
    ]
    assert sold(door, "\n\n".join(rows), "s.jsonl") == [
        ("123456789012345678901", "bé", "1.10"),
        ("n,2", "12345678901234567890", "2.00"),
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("[1]", "it is another JSON value"),
        ("7", "it is another JSON value"),
        ("{'a': 1}", "Expecting property name"),
        ('{"order_id": "x", "order_id": "y"}', "key 'order_id' twice"),
        ('{"a": {"b": 1, "b": 2}}', "key 'b' twice"),
        ('{"a": 1} {"a": 2}', "Extra data"),
        ('{"net_amount": NaN}', "NaN is not JSON"),
        ('{"a": "\\ud800"}', "surrogates not allowed"),
        ('{"a": "\\u0000"}', "NUL character"),
        ('{"": 1}', "a key is empty"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    ],
    ids=lambda text: text[:24],
)
def test_a_line_that_is_no_object_is_quarantined_with_its_line(door: Any, line: str, fault: str) -> None:
    good = [{**OBJECT, "order_id": f"o{number}"} for number in range(400)]
    assert deliver(door, "a.jsonl", lines(*good[:200], "", line, *good[200:]))[0] == (401, 400, 0, 1)
    ((rule, number, at, reason),) = door.ledger.rows("select rule, record_number, line_number, reason from quarantine")
    assert (rule, number, at) == ("json_format", 201, 202)
    assert fault in reason
    assert door.all("select max(record_number), count(*) from lake.orders") == [(401, 400)]


@pytest.mark.fault("D4", "D6")
def test_json_lines_that_end_in_the_middle_or_are_empty_are_refused(door: Any) -> None:
    whole = lines(OBJECT, OBJECT)
    assert "ends in the middle of record 2 (line 2)" in refused(door, "a.jsonl", whole[:-9])
    assert "0 bytes" in refused(door, "a.jsonl", b"")
    assert "holds no JSON object" in refused(door, "a.jsonl", b"\n\n")
    assert "NUL byte" in refused(door, "a.jsonl", b'{"order_id": "\0"}\n')
    assert "not utf-8 at byte 2" in refused(door, "a.jsonl", b'{"\xff": 1}\n')
    assert "keys" in refused(door, "a.jsonl", lines({f"c{number}": 1 for number in range(formats.COLUMNS + 1)}))
    assert "differs only in capitals" in refused(door, "a.jsonl", lines(OBJECT, {**OBJECT, "Order_ID": 1}))
    renamed = {name.replace("currency_code", "currency_cod"): value for name, value in OBJECT.items()}
    assert "required column currency_code is missing; did currency_cod replace it?" in refused(door, "a.jsonl", lines(renamed))


def test_a_broken_rule_in_json_names_the_line_and_the_value(door: Any) -> None:
    good = [{**OBJECT, "order_id": f"o{number}"} for number in range(400)]
    deliver(door, "a.jsonl", lines(*good, "", {**OBJECT, "net_amount": 1.005}))
    assert door.ledger.rows("select rule, record_number, line_number, column_name from quarantine") == [
        ("decimals", 401, 402, "net_amount")
    ]


# ---------------------------------------------------------------------------------------------------------- worksheets


def order_rows(count: int) -> list[list[object]]:
    return [[f"o{number}", "2026-01-01T10:00:00Z", "EUR", "a1", 10] for number in range(count)]


@pytest.mark.fault("F6")
def test_a_number_in_an_identifier_column_is_refused_with_the_reason(door: Any) -> None:
    rows = order_rows(400)
    (physical, loaded, _, kept_out), _ = deliver(
        door, "a.xlsx", workbook({"S": sheet([COLUMNS, *rows, [1234567890123456789, "2026-01-01", "EUR", "a1", 1]])})
    )
    assert (physical, loaded, kept_out) == (401, 400, 1)
    ((rule, line, reason),) = door.ledger.rows("select rule, line_number, reason from quarantine")
    assert (rule, line) == ("identifier_text", 402)
    assert 'column order_id: "1.23456789012346e+18" is a number where an identifier has to be text' in reason
    assert "lost leading zeros and every digit after the fifteenth" in reason
    _, error = deliver(door, "b.xlsx", workbook({"S": sheet([COLUMNS, *[[*row[:3], 7, 1] for row in rows]])}))
    assert "400 of 400 records refused" in error


@pytest.mark.fault("F5")
def test_a_numeric_cell_is_a_date_only_with_a_declared_epoch(till: Callable[..., Any]) -> None:
    day = ["number", "day", "customer", "net"]
    rows = [[f"n{number}", cell, "c", "1.5"] for number, cell in enumerate([46053, 46053.5, Raw(f's="{DATE}"><v>46053</v>'), 61])]
    book = workbook({"S": sheet([day, *rows])})
    sql = SQL.replace("day as ordered_at", "coalesce(day, '') as ordered_at")
    plain = till(sql=sql)
    plain.deliver("till/sales/2031-01-01/s.xlsx", book)
    assert "3 of 4 records refused" in plain.walk().refusals[0]
    for epoch, days in ((1900, ["2026-01-31 00", "2026-01-31 12", "2026-01-31 00", "1900-03-01 00"]),
                        (1904, ["2030-02-01 00", "2030-02-01 12", "2026-01-31 00", "1904-03-02 00"])):  # fmt: skip
        door = till(f"serial_dates: {{day: {epoch}}}", sql=sql)
        sold(door, book, "s.xlsx")
        assert [row[0][:13] for row in door.all("select ordered_at::varchar from lake.orders order by record_number")] == days
        door.settings.home.rename(door.settings.home.with_name(f"home-{epoch}"))
    door = till("serial_dates: {day: 1900}", sql=sql)
    wrong = [[f"n{number}", cell, "c", "1.5"] for number, cell in enumerate([60, 0.5, -1, 3e9])]
    door.deliver("till/sales/2031-01-01/s.xlsx", workbook({"S": sheet([day, *wrong])}))
    refusal = door.walk().refusals[0]
    assert 'column day: "60" is no day of the 1900 date system' in refusal, "29 February 1900 never was"
    assert "4 of 4 records refused" in refusal


def test_cells_arrive_as_they_are_shown_and_failed_formulas_are_told(door: Any) -> None:
    rows = [
        *order_rows(400),
        ["o400", Raw(f's="{INSTANT}"><v>46053.5</v>'), "EUR", "007", 0.30000000000000004],
        [None, None, None, None, None],
        ["o401", "2026-01-01", "EUR", "=cmd|' /C calc'!A0", Raw('t="str"><f>1+1</f><v>2</v>')],
        ["o402", "2026-01-01", "EUR", "a", Raw('t="e"><f>1/0</f><v>#DIV/0!</v>')],
    ]
    assert deliver(door, "a.xlsx", workbook({"S": sheet([COLUMNS, *rows])}))[0] == (403, 402, 0, 1)
    assert door.all("select ordered_at::varchar, account_id, net_amount::varchar from lake.orders where record_number > 400") == [
        ("2026-01-31 12:00:00+00", "007", "0.30"),
        ("2026-01-01 00:00:00+00", "=cmd|' /C calc'!A0", "2.00"),
    ]
    assert door.ledger.rows("select rule, record_number, line_number from quarantine") == [("formula_error", 403, 405)]
    ((reason,),) = door.ledger.rows("select reason from quarantine")
    assert "cell E405 is the error of a formula" in reason


def test_the_declared_sheet_is_read_and_its_absence_names_the_others(till: Callable[..., Any]) -> None:
    head = ["number", "day", "customer", "net"]
    book = workbook({"Notes": sheet([["free text"]]), "Data": sheet([head, ["n1", "2026-01-01", "c", 1]])})
    door = till("sheet: Data")
    assert sold(door, book, "s.xlsx") == [("n1", "c", "1.00")]
    door.deliver("till/sales/2031-01-02/s.xlsx", workbook({"Notes": sheet([head]), "More": sheet([head])}))
    assert "no sheet Data; found: Notes, More" in door.walk().refusals[0]


@pytest.mark.fault("F7", "S9", "D6")
def test_a_hostile_or_broken_workbook_is_refused_within_bounds(door: Any) -> None:
    far = sheet([COLUMNS]).replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    since = time.process_time()
    tracemalloc.start()
    assert "more than 20,000,000 cells" in refused(door, "far.xlsx", workbook({"S": far}))
    bare = sheet([COLUMNS]).replace("</sheetData>", "<row><c><v>1</v></c></row>" * 5_000 + "</sheetData>")
    assert "more than 20,000,000 cells" in refused(door, "bare.xlsx", workbook({"S": bare}))
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + sheet([COLUMNS])
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"):
        assert "declares XML entities" in refused(door, "ha.xlsx", workbook({"S": sheet([COLUMNS])}, {part: laughs}))
    spent, peak = time.process_time() - since, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 << 20
    assert spent < 10.0
    assert "not a readable workbook" in refused(door, "a.xlsx", workbook({"S": "<worksheet"}))
    assert "not a readable workbook" in refused(door, "a.xlsx", zipped(("a.csv", CSV)))
    assert "no sheet" in refused(door, "a.xlsx", workbook({}))
    assert "no header" in refused(door, "a.xlsx", workbook({"S": sheet([])}))
    assert "0 bytes" in refused(door, "a.xlsx", b"")
    assert "names column order_id twice" in refused(door, "a.xlsx", workbook({"S": sheet([["order_id", "order_id"]])}))
    assert deliver(door, "a.xlsx", workbook({"S": sheet([COLUMNS])})) == ((0, 0, 0, 0), ""), "a header alone is an empty day"


@pytest.mark.fault("F1")
def test_a_value_beside_the_header_of_a_sheet_is_quarantined(door: Any) -> None:
    book = workbook({"S": sheet([COLUMNS, *order_rows(400), ["o400", "2026-01-01", "EUR", "a", 1, "beside"]])})
    assert deliver(door, "a.xlsx", book)[0] == (401, 400, 0, 1)
    assert door.ledger.rows("select rule, line_number from quarantine") == [("field_count", 402)]


# ---------------------------------------------------------------------------------------------------------------- text


@pytest.mark.fault("D4")
def test_a_file_cut_in_its_last_record_is_refused_whole_and_not_loaded_in_part(door: Any) -> None:
    many = HEADER + "".join(f"o{number},2026-01-01T10:00:00Z,EUR,a1,10.00\n" for number in range(400))
    for cut in (many[: -len(",a1,10.00\n")], many[:-38], many + 'o5,"2026'):
        error = refused(door, "a.csv", cut.encode())
        assert "ends in the middle of record" in error or "a quote is opened and never closed" in error
    assert deliver(door, "a.csv", many.rstrip("\n").encode())[0] == (400, 400, 0, 0), "a missing last line end is no cut"


@pytest.mark.fault("D4", "D8")
def test_a_stream_may_wait_for_a_done_mark_or_a_manifest(till: Callable[..., Any]) -> None:
    text = "number,day,customer,net\nn1,2026-01-01 00:00:00,c,1.00\n"
    for word, mark, content in (("done", "s.csv.done", ""), ("manifest", "s.csv.manifest.json", '{"rows": 1}')):
        door = till(f"complete_by: {word}")
        folder = door.deliver("till/sales/2031-01-01/s.csv", text).parent
        assert door.walk().files == []
        (folder / mark).write_text(content)
        assert [file.loaded for file in door.walk().files] == [1]
        door.settings.home.rename(door.settings.home.with_name(f"home-{word}"))
        (folder / mark).unlink()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (['delimiter: ";"'], "number;day;customer;net\nn1;2026-01-01 00:00:00;a,b;1.00\n"),
        (['delimiter: "|"'], "number|day|customer|net\nn1|2026-01-01 00:00:00|a,b|1.00\n"),
        (['delimiter: "\\x01"'], "number\x01day\x01customer\x01net\nn1\x012026-01-01 00:00:00\x01a,b\x011.00\n"),
        (['quote: "\'"'], "number,day,customer,net\nn1,2026-01-01 00:00:00,'a,b',1.00\n"),
        (['quote: ""', 'delimiter: ";"'], "number;day;customer;net\nn1;2026-01-01 00:00:00;a,b;1.00\n"),
        (['escape: "\\\\"'], 'number,day,customer,net\nn1,2026-01-01 00:00:00,"a,b",1.00\n'),
        (["encoding: utf-16"], 'number,day,customer,net\nn1,2026-01-01 00:00:00,"a,b",1.00\n'.encode("utf-16")),
        (["encoding: utf-16-le"], '\ufeffnumber,day,customer,net\nn1,2026-01-01 00:00:00,"a,b",1.00\n'.encode("utf-16-le")),
        (["encoding: utf-16-be"], 'number,day,customer,net\nn1,2026-01-01 00:00:00,"a,b",1.00\n'.encode("utf-16-be")),
        (["encoding: latin-1"], 'number,day,customer,net\nn1,2026-01-01 00:00:00,"a,b",1.00\n'.encode("latin-1")),
        (['decimal: ","', 'thousands: "."', 'delimiter: ";"'], "number;day;customer;net\nn1;2026-01-01 00:00:00;a,b;1,00\n"),
        (['timestamp_formats: ["%d.%m.%y %H:%M"]'], 'number,day,customer,net\nn1,01.01.26 00:00,"a,b",1.00\n'),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_each_declared_word_of_a_dialect_is_read(till: Callable[..., Any], words: list[str], text: str | bytes) -> None:
    door = till(*words)
    assert sold(door, text) == [("n1", "a,b", "1.00")]
    assert door.all("select ordered_at::varchar from lake.orders") == [("2026-01-01 00:00:00+00",)]


@pytest.mark.fault("F2")
def test_quotes_and_line_ends_inside_follow_the_declared_dialect(till: Callable[..., Any]) -> None:
    door = till('quote: "\'"')
    rows = "number,day,customer,net\n'it''s\n1',2026-01-01 00:00:00,5\" disk,1.00\n"
    assert sold(door, rows) == [("it's\n1", '5" disk', "1.00")]
    door.settings.home.rename(door.settings.home.with_name("before"))
    door = till('escape: "\\\\"')
    rows = 'number,day,customer,net\n"say \\"x\\"\n1",2026-01-01 00:00:00,a\\,b,1.00\nn2,2026-01-01 00:00:00,c,2.00\n'
    door.deliver("till/sales/2031-01-01/s.csv", rows)
    assert sold(door, rows, "t.csv") == [('say "x"\n1', "a,b", "1.00"), ("n2", "c", "2.00")]
    door.settings.home.rename(door.settings.home.with_name("escaped"))
    door = till('quote: ""')
    door.deliver("till/sales/2031-01-01/s.csv", 'number,day,customer,net\nn1,2026-01-01 00:00:00,5" disk,1.00\n')
    door.settings.landing.joinpath("till/sales/2031-01-01/t.csv").unlink()
    assert [file.loaded for file in door.walk().files] == [1]
    assert door.all("select account_id from lake.orders") == [('5" disk',)]


@pytest.mark.fault("F16")
def test_only_declared_words_are_null_in_every_format(till: Callable[..., Any]) -> None:
    door = till('null_words: ["N/A", "-"]')
    rows = [("n1", "N/A"), ("n2", "-"), ("n3", ""), ("n4", "n/a"), ("n5", "NULL")]
    expected = [None, None, "", "n/a", "NULL"]
    text = "number,day,customer,net\n" + "".join(f"{number},2026-01-01 00:00:00,{word},1\n" for number, word in rows)
    objects = lines(*[{"number": number, "day": "2026-01-01 00:00:00", "customer": word, "net": 1} for number, word in rows])
    cells = sheet([["number", "day", "customer", "net"], *[[number, "2026-01-01", word, 1] for number, word in rows]])
    for name, content in (("s.csv", text.encode()), ("s.jsonl", objects), ("s.xlsx", workbook({"S": cells}))):
        assert [row[1] for row in sold(door, content, name)] == expected, name
        (door.settings.landing / "till/sales/2031-01-01" / name).unlink()
        door.settings.home.rename(door.settings.home.with_name(f"after-{name}"))
        door.runs = 0


@pytest.mark.fault("F3")
def test_a_wrong_encoding_is_refused_with_its_place_in_every_format(till: Callable[..., Any]) -> None:
    text = "number,day,customer,net\nn1,2026-01-01 00:00:00,Müller,1.00\n"
    for encoding, content, message in (
        ("utf-8", text.encode("latin-1"), "not utf-8 at byte 48"),
        ("utf-8", text.encode("utf-16"), "not utf-8 at byte 0"),
        ("utf-16", text.encode("utf-16-le"), "does not start with BOM"),
        ("utf-16-le", text.encode("utf-16-le")[:-1], "ends in the middle of a character"),
        ("utf-16-be", b"\xd8\x00\x00\x41", "not utf-16-be at byte 0"),
        ("ascii", text.encode(), "not ascii at byte 48"),
        ("utf-16-le", text.encode(), "not utf-16-le|header|NUL"),
    ):
        door = till(f"encoding: {encoding}")
        path = door.deliver("till/sales/2031-01-01/s.csv", content)
        (refusal,) = door.walk().refusals
        assert any(word in refusal for word in message.split("|")) or "required column" in refusal, refusal
        path.unlink()


@pytest.mark.fault("F8")
def test_a_file_over_the_bounds_of_its_stream_is_refused(till: Callable[..., Any]) -> None:
    text = "number,day,customer,net\n" + "".join(f"n{number},2026-01-01 00:00:00,c,1.00\n" for number in range(50))
    objects = lines(*[{"number": f"n{number}", "day": "2026-01-01 00:00:00", "customer": "c", "net": 1} for number in range(50)])
    rows = sheet([["number", "day", "customer", "net"], *[[f"n{number}", "2026-01-01", "c", 1] for number in range(50)]])
    for name, content in (("s.csv", text.encode()), ("s.csv.gz", text.encode()), ("s.jsonl", objects), ("s.xlsx", workbook({"S": rows}))):
        for word, message in (("max_records: 49", "more than 49 records"), ("max_bytes: 999", "holds more than 999 bytes")):
            door = till(word)
            path = door.deliver(f"till/sales/2031-01-01/{name}", content)
            (refusal,) = door.walk().refusals
            assert message in refusal
            path.unlink()
    door = till("max_records: 50", "max_bytes: 99999")
    assert len(sold(door, text)) == 50


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ('thousands: "."\n    decimal: "."', "till.yml:.*thousands and decimal are the same sign"),
        ('delimiter: "\'"\n    quote: "\'"', "till.yml:.*must differ"),
        ('escape: "\\\\"\n    null_words: ["\\\\N"]', "till.yml:.*cannot be told from an escaped letter"),
        ("encoding: base64", "till.yml:4.*unknown encoding base64"),
        ('delimiter: "||"', "till.yml:4.*delimiter"),
        ("serial_dates: {day: 1970}", "till.yml:4.*serial_dates"),
    ],
)
def test_a_dialect_that_cannot_be_read_is_named_by_line(till: Callable[..., Any], word: str, message: str) -> None:
    door = till(word)
    door.deliver("till/sales/2031-01-01/s.csv", "number\n")
    with pytest.raises(UsageError, match=message):
        door.walk()


@pytest.mark.fault("F10", "F2")
def test_a_header_that_names_nothing_sure_is_refused(door: Any) -> None:
    for head, message in (
        ("\n" + HEADER, "the first line is blank"),
        (HEADER.replace("account_id", "ORDER_ID"), "ORDER_ID beside order_id, which differs only in capitals"),
        (HEADER.replace("account_id", '"account\n_id"'), "the header is not one well quoted line"),
        (HEADER.replace("account_id", "record_number"), "may not be called record_number"),
        (HEADER.replace("currency_code", "currency_cod"), "required column currency_code is missing; did currency_cod replace it?"),
    ):
        assert message in refused(door, "a.csv", (head + ROWS).encode())


@pytest.mark.fault("F11")
def test_keys_and_columns_in_another_order_are_read_by_name(door: Any) -> None:
    turned = {name: OBJECT[name] for name in reversed(COLUMNS)}
    deliver(door, "a.jsonl", lines(turned, {**OBJECT, "order_id": "o2"}))
    deliver(door, "b.xlsx", workbook({"S": sheet([COLUMNS[::-1], [99, "a9", "EUR", "2026-01-01", "o3"]])}))
    assert door.all("select order_id, account_id, net_amount::varchar from lake.orders order by 1") == [
        ("o1", "a1", "10.00"),
        ("o2", "a1", "10.00"),
        ("o3", "a9", "99.00"),
    ]
