"""What a stream declares of its text: signs, quotes, null words, encodings, bounds, waiting. Breaks: a wrong-column load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.errors import UsageError
from tests.ingest.format_files import COLUMNS, HEADER, OBJECT, ROWS, deliver, lines, refused, sold
from tests.ingest.formats_workbook import sheet, workbook


@pytest.mark.fault("D4")
def test_a_file_cut_in_its_last_record_is_refused_whole_and_not_loaded_in_part(ingest: Any) -> None:
    many = HEADER + "".join(f"o{number},2026-01-01T10:00:00Z,EUR,a1,10.00\n" for number in range(400))
    for cut in (many[: -len(",a1,10.00\n")], many[:-38], many + 'o5,"2026'):
        error = refused(ingest, "a.csv", cut.encode())
        assert "ends in the middle of record" in error or "a quote is opened and never closed" in error
    assert deliver(ingest, "a.csv", many.rstrip("\n").encode())[0] == (400, 400, 0, 0), "a missing last line end is no cut"


@pytest.mark.fault("D4", "D8")
def test_a_stream_may_wait_for_a_done_mark_or_a_manifest(till: Callable[..., Any]) -> None:
    text = "number,day,customer,net\nn1,2026-01-01 00:00:00,c,1.00\n"
    for word, mark, content in (("done", "s.csv.done", ""), ("manifest", "s.csv.manifest.json", '{"rows": 1}')):
        ingest = till(f"complete_by: {word}")
        folder = ingest.deliver("till/sales/2031-01-01/s.csv", text).parent
        assert ingest.walk().files == []
        (folder / mark).write_text(content)
        assert [file.loaded for file in ingest.walk().files] == [1]
        ingest.settings.home.rename(ingest.settings.home.with_name(f"home-{word}"))
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
    ingest = till(*words)
    assert sold(ingest, text) == [("n1", "a,b", "1.00")]
    assert ingest.all("select ordered_at::varchar from lake.orders") == [("2026-01-01 00:00:00+00",)]


@pytest.mark.fault("F2")
def test_quotes_and_line_ends_inside_follow_the_declared_dialect(till: Callable[..., Any]) -> None:
    ingest = till('quote: "\'"')
    rows = "number,day,customer,net\n'it''s\n1',2026-01-01 00:00:00,5\" disk,1.00\n"
    assert sold(ingest, rows) == [("it's\n1", '5" disk', "1.00")]
    ingest.settings.home.rename(ingest.settings.home.with_name("before"))
    ingest = till('escape: "\\\\"')
    rows = 'number,day,customer,net\n"say \\"x\\"\n1",2026-01-01 00:00:00,a\\,b,1.00\nn2,2026-01-01 00:00:00,c,2.00\n'
    ingest.deliver("till/sales/2031-01-01/s.csv", rows)
    assert sold(ingest, rows, "t.csv") == [('say "x"\n1', "a,b", "1.00"), ("n2", "c", "2.00")]
    ingest.settings.home.rename(ingest.settings.home.with_name("escaped"))
    ingest = till('quote: ""')
    ingest.deliver("till/sales/2031-01-01/s.csv", 'number,day,customer,net\nn1,2026-01-01 00:00:00,5" disk,1.00\n')
    ingest.settings.landing.joinpath("till/sales/2031-01-01/t.csv").unlink()
    assert [file.loaded for file in ingest.walk().files] == [1]
    assert ingest.all("select account_id from lake.orders") == [('5" disk',)]


@pytest.mark.fault("F16")
def test_only_declared_words_are_null_in_every_format(till: Callable[..., Any]) -> None:
    ingest = till('null_words: ["N/A", "-"]')
    rows = [("n1", "N/A"), ("n2", "-"), ("n3", ""), ("n4", "n/a"), ("n5", "NULL")]
    expected = [None, None, "", "n/a", "NULL"]
    text = "number,day,customer,net\n" + "".join(f"{number},2026-01-01 00:00:00,{word},1\n" for number, word in rows)
    objects = lines(*[{"number": number, "day": "2026-01-01 00:00:00", "customer": word, "net": 1} for number, word in rows])
    cells = sheet([["number", "day", "customer", "net"], *[[number, "2026-01-01", word, 1] for number, word in rows]])
    for name, content in (("s.csv", text.encode()), ("s.jsonl", objects), ("s.xlsx", workbook({"S": cells}))):
        assert [row[1] for row in sold(ingest, content, name)] == expected, name
        (ingest.settings.landing / "till/sales/2031-01-01" / name).unlink()
        ingest.settings.home.rename(ingest.settings.home.with_name(f"after-{name}"))
        ingest.runs = 0


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
        ingest = till(f"encoding: {encoding}")
        path = ingest.deliver("till/sales/2031-01-01/s.csv", content)
        (refusal,) = ingest.walk().refusals
        assert any(word in refusal for word in message.split("|")) or "required column" in refusal, refusal
        path.unlink()


@pytest.mark.fault("F8")
def test_a_file_over_the_bounds_of_its_stream_is_refused(till: Callable[..., Any]) -> None:
    text = "number,day,customer,net\n" + "".join(f"n{number},2026-01-01 00:00:00,c,1.00\n" for number in range(50))
    objects = lines(*[{"number": f"n{number}", "day": "2026-01-01 00:00:00", "customer": "c", "net": 1} for number in range(50)])
    rows = sheet([["number", "day", "customer", "net"], *[[f"n{number}", "2026-01-01", "c", 1] for number in range(50)]])
    for name, content in (("s.csv", text.encode()), ("s.csv.gz", text.encode()), ("s.jsonl", objects), ("s.xlsx", workbook({"S": rows}))):
        for word, message in (("max_records: 49", "more than 49 records"), ("max_bytes: 999", "holds more than 999 bytes")):
            ingest = till(word)
            path = ingest.deliver(f"till/sales/2031-01-01/{name}", content)
            (refusal,) = ingest.walk().refusals
            assert message in refusal
            path.unlink()
    ingest = till("max_records: 50", "max_bytes: 99999")
    assert len(sold(ingest, text)) == 50


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ('thousands: "."\n    decimal: "."', "till.yml:.*thousands and decimal are the same sign"),
        ('delimiter: "\'"\n    quote: "\'"', "till.yml:.*must differ"),
        ('escape: "\\\\"\n    null_words: ["\\\\N"]', "till.yml:.*looks like an escaped letter"),
        ("encoding: base64", "till.yml:4.*unknown encoding base64"),
        ('delimiter: "||"', "till.yml:4.*delimiter"),
        ("serial_dates: {day: 1970}", "till.yml:4.*serial_dates"),
    ],
)
def test_a_dialect_that_cannot_be_read_is_named_by_line_with_one_remedy(till: Callable[..., Any], word: str, message: str) -> None:
    ingest = till(word)
    ingest.deliver("till/sales/2031-01-01/s.csv", "number\n")
    with pytest.raises(UsageError, match=message) as caught:
        ingest.walk()
    assert str(caught.value).count("remedy: ") == 1


@pytest.mark.fault("F10", "F2")
def test_a_header_that_names_nothing_sure_is_refused(ingest: Any) -> None:
    for head, message in (
        ("\n" + HEADER, "the first line is blank"),
        (HEADER.replace("account_id", "ORDER_ID"), "are both called order_id"),
        (HEADER.replace("account_id", '"account\n_id"'), "the header is not one well quoted line"),
        (HEADER.replace("account_id", "record_number"), "may not be called record_number"),
        (HEADER.replace("currency_code", "currency_cod"), "required column currency_code is missing; did currency_cod replace it?"),
    ):
        assert message in refused(ingest, "a.csv", (head + ROWS).encode())


@pytest.mark.fault("F11")
def test_keys_and_columns_in_another_order_are_read_by_name(ingest: Any) -> None:
    turned = {name: OBJECT[name] for name in reversed(COLUMNS)}
    deliver(ingest, "a.jsonl", lines(turned, {**OBJECT, "order_id": "o2"}))
    deliver(ingest, "b.xlsx", workbook({"S": sheet([COLUMNS[::-1], [99, "a9", "EUR", "2026-01-01", "o3"]])}))
    assert ingest.all("select order_id, account_id, net_amount::decimal(18, 2)::varchar from lake.orders order by 1") == [
        ("o1", "a1", "10.00"),
        ("o2", "a1", "10.00"),
        ("o3", "a9", "99.00"),
    ]
