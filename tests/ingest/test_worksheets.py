"""Workbooks: numbers that were identifiers, dates, failed formulas, hostile files. Breaks: a cell changes its meaning."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.ingest.conftest import TILL_SQL
from tests.ingest.format_files import COLUMNS, CSV, deliver, refused, sold, zipped
from tests.ingest.formats_workbook import DATE, INSTANT, Raw, sheet, workbook


def order_rows(count: int) -> list[list[object]]:
    return [[f"o{number}", "2026-01-01T10:00:00Z", "EUR", "a1", 10] for number in range(count)]


@pytest.mark.fault("F6")
def test_a_number_in_an_identifier_column_is_refused_with_the_reason(ingest: Any) -> None:
    rows = order_rows(400)
    (physical, loaded, _, kept_out), _ = deliver(
        ingest, "a.xlsx", workbook({"S": sheet([COLUMNS, *rows, [1234567890123456789, "2026-01-01", "EUR", "a1", 1]])})
    )
    assert (physical, loaded, kept_out) == (401, 400, 1)
    ((rule, line, reason),) = ingest.ledger.rows("select rule, line_number, reason from quarantine")
    assert (rule, line) == ("identifier_text", 402)
    assert 'column order_id: "1.23456789012346e+18" is a number where an identifier has to be text' in reason
    assert "lost leading zeros and every digit after the fifteenth" in reason
    _, error = deliver(ingest, "b.xlsx", workbook({"S": sheet([COLUMNS, *[[*row[:3], 7, 1] for row in rows]])}))
    assert "400 of 400 records refused" in error


@pytest.mark.fault("F5")
def test_a_numeric_cell_is_a_date_only_with_a_declared_epoch(till: Callable[..., Any]) -> None:
    day = ["number", "day", "customer", "net"]
    rows = [[f"n{number}", cell, "c", "1.5"] for number, cell in enumerate([46053, 46053.5, Raw(f's="{DATE}"><v>46053</v>'), 61])]
    book = workbook({"S": sheet([day, *rows])})
    sql = TILL_SQL.replace("day as ordered_at", "coalesce(day, '') as ordered_at")
    plain = till(sql=sql)
    plain.deliver("till/sales/2031-01-01/s.xlsx", book)
    assert "3 of 4 records refused" in plain.walk().rejections[0]
    for epoch, days in ((1900, ["2026-01-31 00", "2026-01-31 12", "2026-01-31 00", "1900-03-01 00"]),
                        (1904, ["2030-02-01 00", "2030-02-01 12", "2026-01-31 00", "1904-03-02 00"])):  # fmt: skip
        ingest = till(f"serial_dates: {{day: {epoch}}}", sql=sql)
        sold(ingest, book, "s.xlsx")
        assert [row[0][:13] for row in ingest.all("select ordered_at::varchar from lake.orders order by record_number")] == days
        ingest.settings.home.rename(ingest.settings.home.with_name(f"home-{epoch}"))
    ingest = till("serial_dates: {day: 1900}", sql=sql)
    wrong = [[f"n{number}", cell, "c", "1.5"] for number, cell in enumerate([60, 0.5, -1, 3e9])]
    ingest.deliver("till/sales/2031-01-01/s.xlsx", workbook({"S": sheet([day, *wrong])}))
    refusal = ingest.walk().refusals[0]
    assert 'column day: "60" is no day of the 1900 date system' in refusal, "29 February 1900 never was"
    assert "4 of 4 records refused" in refusal


def test_cells_arrive_as_they_are_shown_and_failed_formulas_are_told(ingest: Any) -> None:
    rows = [
        *order_rows(400),
        ["o400", Raw(f's="{INSTANT}"><v>46053.5</v>'), "EUR", "007", 0.30000000000000004],
        [None, None, None, None, None],
        ["o401", "2026-01-01", "EUR", "=cmd|' /C calc'!A0", Raw('t="str"><f>1+1</f><v>2</v>')],
        ["o402", "2026-01-01", "EUR", "a", Raw('t="e"><f>1/0</f><v>#DIV/0!</v>')],
    ]
    assert deliver(ingest, "a.xlsx", workbook({"S": sheet([COLUMNS, *rows])}))[0] == (403, 402, 0, 1)
    assert ingest.all(
        "select ordered_at::varchar, account_id, net_amount::decimal(18, 2)::varchar from lake.orders where record_number > 400"
    ) == [
        ("2026-01-31 12:00:00+00", "007", "0.30"),
        ("2026-01-01 00:00:00+00", "=cmd|' /C calc'!A0", "2.00"),
    ]
    assert ingest.ledger.rows("select rule, record_number, line_number from quarantine") == [("formula_error", 403, 405)]
    ((reason,),) = ingest.ledger.rows("select reason from quarantine")
    assert "cell E405 is the error of a formula" in reason


def test_the_declared_sheet_is_read_and_its_absence_names_the_others(till: Callable[..., Any]) -> None:
    head = ["number", "day", "customer", "net"]
    book = workbook({"Notes": sheet([["free text"]]), "Data": sheet([head, ["n1", "2026-01-01", "c", 1]])})
    ingest = till("sheet: Data")
    assert sold(ingest, book, "s.xlsx") == [("n1", "c", "1.00")]
    ingest.deliver("till/sales/2031-01-02/s.xlsx", workbook({"Notes": sheet([head]), "More": sheet([head])}))
    assert "no sheet Data; found: Notes, More" in ingest.walk().refusals[0]


@pytest.mark.fault("F7", "S9", "D6")
def test_a_hostile_or_broken_workbook_is_refused_within_bounds(ingest: Any) -> None:
    far = sheet([COLUMNS]).replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    since = time.process_time()
    tracemalloc.start()
    assert "more than 20,000,000 cells" in refused(ingest, "far.xlsx", workbook({"S": far}))
    bare = sheet([COLUMNS]).replace("</sheetData>", "<row><c><v>1</v></c></row>" * 5_000 + "</sheetData>")
    assert "more than 20,000,000 cells" in refused(ingest, "bare.xlsx", workbook({"S": bare}))
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + sheet([COLUMNS])
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"):
        assert "declares XML entities" in refused(ingest, "ha.xlsx", workbook({"S": sheet([COLUMNS])}, {part: laughs}))
    spent, peak = time.process_time() - since, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 << 20
    assert spent < 10.0
    assert "not a readable workbook" in refused(ingest, "a.xlsx", workbook({"S": "<worksheet"}))
    assert "not a readable workbook" in refused(ingest, "a.xlsx", zipped(("a.csv", CSV)))
    assert "no sheet" in refused(ingest, "a.xlsx", workbook({}))
    assert "no header" in refused(ingest, "a.xlsx", workbook({"S": sheet([])}))
    assert "0 bytes" in refused(ingest, "a.xlsx", b"")
    assert "columns 1 and 2 are both called order_id" in refused(ingest, "a.xlsx", workbook({"S": sheet([["order_id", "order_id"]])}))
    assert deliver(ingest, "a.xlsx", workbook({"S": sheet([COLUMNS])})) == ((0, 0, 0, 0), ""), "a header alone is an empty day"


@pytest.mark.fault("F1")
def test_a_value_outside_the_header_of_a_sheet_is_quarantined(ingest: Any) -> None:
    book = workbook({"S": sheet([COLUMNS, *order_rows(400), ["o400", "2026-01-01", "EUR", "a", 1, "beside"]])})
    assert deliver(ingest, "a.xlsx", book)[0] == (401, 400, 0, 1)
    assert ingest.ledger.rows("select rule, line_number from quarantine") == [("field_count", 402)]
