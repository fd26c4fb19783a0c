"""NetSuite: books beside the primary one, transactions that are deleted or come late, lines that are only remarks."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.kinds.current import Case, Day, Rows, every, shown

D1, D2, D3 = "2026-10-31", "2026-11-15", "2026-11-20"
AT, LATER = "2026-10-05 00:00:00", "2026-11-10 00:00:00"
BASE: Day = {
    "accounting_periods": [
        {
            "accounting_period_id": "1",
            "full_name": "FY 2026 : Oct",
            "starting": "2026-10-01",
            "ending": "2026-10-31",
            "quarter": "No",
            "year_0": "No",
            "is_adjustment": "No",
        }
    ],
    "accounts": [
        {"account_id": "1", "account_number": "6001", "type_name": "Expense", "name": "Wages"},
        {"account_id": "2", "account_number": "1000", "type_name": "Bank", "name": "Bank"},
    ],
    "currencies": [{"currency_id": "4", "symbol": "EUR"}, {"currency_id": "1", "symbol": "USD"}],
    "subsidiaries": [{"subsidiary_id": "5", "name": "Demo GmbH", "base_currency_id": "4"}],
}
HEAD = {
    "transaction_id": "7",
    "transaction_date": AT,
    "currency_id": "1",
    "accounting_period_id": "1",
    "_fivetran_deleted": "FALSE",
    "date_last_modified": AT,
}
LINE = {
    "transaction_id": "7",
    "transaction_line_id": "1",
    "subsidiary_id": "5",
    "account_id": "1",
    "non_posting_line": "No",
    "amount": "100.00",
}
BOOKED = "ledger_actuals: journal_id, line_number, ledger_amount, currency_code"
THIRD = {**LINE, "transaction_line_id": "3"}
SECOND_IS_PRIMARY: Rows = [{"accounting_book_id": "1", "is_primary": "No"}, {"accounting_book_id": "2", "is_primary": "Yes"}]
TWO_BOOKS = [{**LINE, "accounting_book_id": "1"}, {**LINE, "accounting_book_id": "2", "amount": "95.00"}]

CASES = [
    Case(
        "the primary book has the number one",
        {D1: {"transactions": [HEAD], "transaction_lines": TWO_BOOKS[::-1]}},
        {BOOKED: [(7, 1, 100, "EUR")]},
        BASE,
    ),  # K14
    Case(  # K14, K3
        "accounting_books says a day later which book is the primary one",
        {
            D1: {"transactions": [HEAD], "transaction_lines": TWO_BOOKS},
            D2: {"accounting_books": SECOND_IS_PRIMARY},
        },
        {BOOKED: [(7, 1, 95, "EUR")]},
        BASE,
    ),
    Case(  # K14
        "books whose lines come on two days",
        {D1: {"transactions": [HEAD], "transaction_lines": TWO_BOOKS[:1]}, D2: {"transaction_lines": TWO_BOOKS[1:]}},
        {BOOKED: [(7, 1, 100, "EUR")]},
        BASE,
    ),
    Case(  # K2
        "a line without a book, and later with the primary one",
        {
            D1: {"transactions": [HEAD], "transaction_lines": [LINE]},
            D2: {"transaction_lines": [{**LINE, "accounting_book_id": "1", "amount": "80.00"}]},
        },
        {BOOKED: [(7, 1, 80, "EUR")]},
        BASE,
    ),
    Case(  # K2
        "lines without a book: one is removed, one re-pointed to the bank, one comes again without a book",
        {
            D1: {"transactions": [HEAD], "transaction_lines": [LINE, {**LINE, "transaction_line_id": "2"}, THIRD]},
            D2: {
                "transaction_lines": [
                    {**LINE, "accounting_book_id": "1", "_fivetran_deleted": "TRUE"},
                    {**LINE, "transaction_line_id": "2", "accounting_book_id": "1", "account_id": "2"},
                    {**THIRD, "accounting_book_id": "1", "amount": "60.00"},
                ]
            },
            D3: {"transaction_lines": [{**THIRD, "amount": "70.00"}]},
        },
        {BOOKED: [(7, 3, 70, "EUR")]},
        BASE,
    ),
    Case(  # K14
        "a line without a book, then in all books, of which the second is the primary one",
        {
            D1: {"transactions": [HEAD], "transaction_lines": [LINE], "accounting_books": SECOND_IS_PRIMARY},
            D2: {"transaction_lines": TWO_BOOKS},
        },
        {BOOKED: [(7, 1, 95, "EUR")]},
        BASE,
    ),
    Case(  # K14
        "a line without a book, while the primary one has another number",
        {D1: {"transactions": [HEAD], "transaction_lines": [LINE], "accounting_books": SECOND_IS_PRIMARY}},
        {BOOKED: [(7, 1, 100, "EUR")]},
        BASE,
    ),
    Case("an export without books", {D1: {"transactions": [HEAD], "transaction_lines": [LINE]}}, {BOOKED: [(7, 1, 100, "EUR")]}, BASE),
    Case(  # K3
        "a transaction deleted alone",
        {
            D1: {"transactions": [HEAD], "transaction_lines": [LINE]},
            D2: {"transactions": [{**HEAD, "_fivetran_deleted": "TRUE", "date_last_modified": LATER}]},
        },
        {BOOKED: []},
        BASE,
    ),
    Case(
        "a line before its transaction",
        {D1: {"transaction_lines": [LINE]}, D2: {"transactions": [HEAD]}},
        {BOOKED: [(7, 1, 100, "EUR")]},
        BASE,
    ),  # K3
    Case(  # K4, K2
        "a line removed by an edit, one re-pointed to the bank",
        {
            D1: {
                "transactions": [HEAD],
                "transaction_lines": [LINE, {**LINE, "transaction_line_id": "2"}, {**LINE, "transaction_line_id": "3"}],
            },
            D2: {
                "transaction_lines": [
                    {**LINE, "transaction_line_id": "2", "_fivetran_deleted": "TRUE"},
                    {**LINE, "transaction_line_id": "3", "account_id": "2"},
                ]
            },
        },
        {BOOKED: [(7, 1, 100, "EUR")]},
        BASE,
    ),
    Case(  # K12
        "a remark",
        {D1: {"transactions": [HEAD], "transaction_lines": [LINE, {**LINE, "transaction_line_id": "2", "account_id": "", "amount": ""}]}},
        {BOOKED: [(7, 1, 100, "EUR")]},
        BASE,
    ),
]


@every(CASES)
def test_netsuite(case: Case, order: str, ingest: Any) -> None:
    assert shown(ingest, "netsuite", case, order) == case.rows
