"""Histories of a small set of books: sets, headers, deletions, keys, replaced files."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.mapping_files import write_system
from tests.ingest.test_source_tables import current_rows

BOOKS = """
time_zone: UTC
streams:
  invoice:
    columns: [id, posted, is_deleted, ver]
    optional: [note]
    key: [id]
    version: ver
    deleted: {is_deleted: true}
    feeds: {orders: {sql: orders.sql, records: true}}
  line:
    columns: [invoice_id, net]
    complete_per: invoice_id
    complete_with: invoice
    needs: {invoice_id: invoice}
"""
TOTALS = """
select record_number, id as order_id, posted as ordered_at, 'EUR' as currency_code,
    (select sum(net::decimal(18, 3)) from line where line.invoice_id = source.id) as net_amount
from source
"""
INVOICE, NET = "id,posted,is_deleted,ver\n", "invoice_id,net\n"


@pytest.fixture
def books(make_ingest: Callable[..., Any], tmp_path: Path) -> Any:
    return make_ingest("books", mappings=write_system(tmp_path / "mappings", "books", BOOKS, orders=TOTALS))


def total(books: Any) -> list[Any]:
    return current_rows(books, "orders", "order_id", "net_amount::decimal(18, 2)::varchar")


def invoice(books: Any, day: int, version: str, number: str = "i1", deleted: str = "false") -> None:
    row = f"{number},2026-01-01T10:00:00Z,{deleted},{version}\n"
    books.deliver(f"books/invoice/2026-03-0{day}/{version[:10]}.csv", INVOICE + row)


@pytest.mark.parametrize("order", [*itertools.permutations("abc")], ids="".join)
def test_equal_rows_of_a_set_come_in_any_order_of_their_files(books: Any, order: tuple[str, ...]) -> None:
    for values in ({"a": 10, "b": 10, "c": 7}, {"a": 10, "b": 10, "c": 10}):
        for name in order:
            books.deliver(f"books/line/2026-03-0{1 + (values['c'] == 10)}/{name}.csv", f"{NET}i1,{values[name]}\n")
            invoice(books, 1, "2026-02-01T00:00:00Z")
            assert books.walk().refusals == []
        assert total(books) == [("i1", f"{sum(values.values())}.00")]


def test_only_a_later_version_of_the_header_empties_its_set(books: Any) -> None:
    """The same instant written in another way, a copy with a new column and an older version say nothing of the lines."""
    books.deliver("books/line/2026-03-01/l.csv", NET + "i1,10\n")
    invoice(books, 1, "2026-02-02")
    invoice(books, 2, "2026-02-02T00:00:00Z")
    books.deliver("books/invoice/2026-03-03/new.csv", "id,posted,is_deleted,ver,note\ni1,2026-01-01T10:00:00Z,,2026-02-02,told\n")
    invoice(books, 4, "2026-02-01")
    assert books.walk().refusals == []
    assert total(books) == [("i1", "10.00")]
    invoice(books, 5, "2026-02-03")
    assert books.walk().refusals == []
    assert total(books) == [("i1", None)]


def test_lines_that_came_before_their_header_go_with_its_next_version(books: Any) -> None:
    books.deliver("books/line/2026-03-01/l.csv", NET + "i1,60\n")
    invoice(books, 2, "2026-02-01")
    books.walk()
    assert total(books) == [("i1", "60.00")]
    invoice(books, 3, "2026-02-02")
    books.walk()
    assert total(books) == [("i1", None)]


@pytest.mark.parametrize("word", ["true", "TRUE", "t", "1", "yes", "Y", "True "])
def test_deleted_is_any_word_for_true(books: Any, word: str) -> None:
    invoice(books, 1, "2026-02-01")
    invoice(books, 2, "2026-02-02", deleted=word)
    books.walk()
    assert total(books) == []


@pytest.mark.parametrize("word", ["", " ", "\u00a0", "false", "F", "0", "no", "N "])
def test_not_deleted_is_nothing_or_any_word_for_false(books: Any, word: str) -> None:
    invoice(books, 1, "2026-02-01", deleted=word)
    books.walk()
    assert total(books) == [("i1", None)]


def test_a_word_for_deleted_that_is_neither_true_nor_false_is_quarantined_until_it_is_repaired(books: Any) -> None:
    books.deliver("books/line/2026-03-01/l.csv", NET + "i1,10\n")
    invoice(books, 1, "2026-02-01")
    invoice(books, 2, "2026-02-02", deleted="maybe")
    report = books.walk()
    assert total(books) == [("i1", "10.00")]
    ((path, record),) = [(file.path, record) for file in report.files for record in file.quarantine]
    assert (path, record.record_number, record.line_number) == ("books/invoice/2026-03-02/2026-02-02.csv", 1, 2)
    assert (record.column, record.rule) == ("is_deleted", "boolean_format")
    reported = "is neither true nor false, so it is unknown whether the record is deleted"
    assert record.reason == f'column is_deleted: "maybe" {reported}; remedy: write true or false, see docs/quarantine.md#boolean_format'
    invoice(books, 2, "2026-02-02", deleted="true")
    books.walk()
    assert total(books) == []
    assert books.ledger.rows("select quarantine_state from quarantine_life") == [("resolved",)]


def test_a_record_whose_version_and_word_for_deleted_cannot_be_read_is_one_record(books: Any) -> None:
    invoice(books, 1, "soon", deleted="maybe")
    (file,) = books.walk().files
    assert (file.physical, file.loaded, file.superseded, file.quarantined) == (1, 0, 0, 1)
    assert [record.rule for record in file.quarantine] == ["instant_format"]


@pytest.mark.parametrize(("state", "stands_then"), [("void", []), ("VOID ", []), ("true", ["i1"]), ("maybe", ["i1"])])
def test_a_code_for_deleted_means_only_itself(make_ingest: Callable[..., Any], tmp_path: Path, state: str, stands_then: list[str]) -> None:
    yml = BOOKS.replace("{is_deleted: true}", "{is_deleted: void}")
    books = make_ingest("codes", mappings=write_system(tmp_path / "codes", "books", yml, orders=TOTALS))
    invoice(books, 1, "2026-02-01", deleted=state)
    assert books.walk().rejections == []
    assert [number for number, _ in total(books)] == stands_then


@pytest.mark.parametrize(("word", "stands_then"), [("false", []), ("F", []), ("0", []), ("t", ["i1"]), ("", ["i1"])])
def test_a_mark_of_active_rows_is_read_by_any_word_too(
    make_ingest: Callable[..., Any], tmp_path: Path, word: str, stands_then: list[str]
) -> None:
    yml = BOOKS.replace("{is_deleted: true}", "{is_deleted: false}")
    books = make_ingest("active", mappings=write_system(tmp_path / "active", "books", yml, orders=TOTALS))
    invoice(books, 1, "2026-02-01", deleted=word)
    books.walk()
    assert [number for number, _ in total(books)] == stands_then


def test_keys_that_differ_in_outer_blanks_or_unicode_form_are_one(books: Any) -> None:
    for number, again in (("i1 ", "i1"), ("cafe\u0301", "caf\u00e9")):
        books.deliver(f"books/line/2026-03-01/{len(number)}.csv", f"{NET}{again},10\n")
        invoice(books, 1, f"2026-02-0{len(number) - 1}", number=number)
        books.walk()
        assert total(books) == [(again, "10.00")]
        invoice(books, 2, f"2026-02-1{len(number)}", number=again, deleted="true")
        books.walk()
        assert total(books) == []


def test_a_refused_replacement_leaves_the_rows_of_the_accepted_file(books: Any) -> None:
    invoice(books, 1, "2026-02-01")
    invoice(books, 2, "2026-02-02", number="i2")
    books.walk()
    before = total(books)
    wrong = books.deliver("books/invoice/2026-03-01/2026-02-01.csv", "foo,bar\n1,2\n")
    assert len(books.walk().refusals) == 1
    assert total(books) == before
    wrong.unlink()
    invoice(books, 3, "2026-02-03", number="i3")
    assert books.walk().refusals == []
    assert [key for key, _ in total(books)] == ["i1", "i2", "i3"]
    invoice(books, 2, "2026-02-02", number="i4")
    report = books.walk()
    assert any("are not in the landing folder any more or were refused" in reported for reported in report.warnings)
    assert [key for key, _ in total(books)] == ["i1", "i3", "i4"]


@pytest.mark.parametrize("number", ["C1 ", "\u00a0C1", "C1"])
def test_what_a_select_joins_is_in_one_form_whatever_it_is_called(make_ingest: Callable[..., Any], tmp_path: Path, number: str) -> None:
    yml = (
        "time_zone: UTC\nstreams:\n"
        "  ticket:\n    columns: [Nr, Customer, Opened]\n    key: [Nr]\n    feeds: {tickets: {sql: tickets.sql, records: true}}\n"
        "  customer:\n    columns: [Number, Segment]\n    key: [Number]\n"
    )
    sql = (
        "select source.record_number, source.Nr as ticket_id, source.Customer as account_id, source.Opened as created_at,\n"
        "    'open' as ticket_state, 'email' as channel, customer.Segment as issue_family\n"
        "from source left join customer on source.Customer = customer.Number"
    )
    desk = make_ingest("desk", mappings=write_system(tmp_path / "mappings", "desk", yml, tickets=sql))
    desk.deliver("desk/ticket/2026-03-01/t.csv", f"Nr,Customer,Opened\n1,{number},2026-03-01T10:00:00Z\n")
    desk.deliver("desk/customer/2026-03-02/c.csv", "Number,Segment\nC1,industry\n")
    desk.walk()
    assert current_rows(desk, "tickets", "ticket_id", "account_id, issue_family") == [("1", "C1", "industry")]
