"""QuickBooks: documents that are edited, deleted, re-pointed or in another currency, and lines that are only remarks."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.kinds.current import Case, Day, every, shown

D1, D2, D3 = "2026-10-31", "2026-11-15", "2026-11-20"
AT, LATER = "2026-10-05 00:00:00", "2026-11-10 00:00:00"
BASE: Day = {
    "account": [
        {"id": "1", "account_number": "6001", "account_type": "Expense", "currency_id": "USD", "name": "Wages"},
        {"id": "2", "account_number": "1500", "account_type": "Fixed Asset", "currency_id": "USD", "name": "Machines"},
        {"id": "3", "account_number": "1000", "account_type": "Bank", "currency_id": "EUR", "name": "Bank"},
    ]
}
HEADER = {"_fivetran_deleted": "FALSE", "created_at": AT, "updated_at": AT, "currency_id": "USD", "transaction_date": "2026-10-05"}
BOOKED = "ledger_actuals: journal_id, line_number, ledger_amount"
OWN = "ledger_actuals: journal_id, ledger_amount, currency_code, document_exchange_rate, home_currency_code"

DOCUMENTS = {"bill": 1, "purchase": 1, "vendor_credit": -1, "journal_entry": 1}


def head(**more: object) -> dict[str, object]:
    return {**HEADER, "id": "7", **more}


def line(document: str, index: int, amount: object, account: str = "1") -> dict[str, object]:
    own = {"account_id": account, "posting_type": "Debit"} if document == "journal_entry" else {"account_expense_account_id": account}
    return {f"{document}_id": "7", "index": str(index), "amount": amount, **own}


def remark(document: str, index: int, amount: str = "") -> dict[str, object]:
    return {f"{document}_id": "7", "index": str(index), "amount": amount}


def cases(document: str) -> list[Case]:
    lines, sign = f"{document}_line", DOCUMENTS[document]

    def booked(*rows: tuple[int, int]) -> dict[str, list[tuple[object, ...]]]:
        return {BOOKED: [(f"{document}-7", index, sign * amount) for index, amount in rows]}

    two = {document: [head()], lines: [line(document, 0, "100.00"), line(document, 1, "50.00")]}
    again = {document: [head(updated_at=LATER)]}
    return [
        Case(
            f"{document}: a line removed by an edit", {D1: two, D2: {**again, lines: [line(document, 0, "100.00")]}}, booked((0, 100)), BASE
        ),  # K4
        Case(f"{document}: edited to no line", {D1: two, D2: again}, booked(), BASE),  # K4
        Case(
            f"{document}: the header deleted alone",
            {D1: two, D2: {document: [head(updated_at=LATER, _fivetran_deleted="TRUE")]}},
            booked(),
            BASE,
        ),  # K3
        Case(  # K3
            f"{document}: deleted, then restored with its lines",
            {
                D1: two,
                D2: {document: [head(updated_at=LATER, _fivetran_deleted="TRUE")]},
                D3: {document: [head(updated_at="2026-11-18 00:00:00")], lines: [line(document, 0, "70.00")]},
            },
            booked((0, 70)),
            BASE,
        ),
        Case(
            f"{document}: lines before their header", {D1: {lines: two[lines]}, D2: {document: [head()]}}, booked((0, 100), (1, 50)), BASE
        ),  # K3
        Case(  # K2
            f"{document}: one line re-pointed to the bank, one to an asset, and back",
            {
                D1: two,
                D2: {**again, lines: [line(document, 0, "100.00", "3"), line(document, 1, "50.00", "2")]},
                D3: {
                    document: [head(updated_at="2026-11-18 00:00:00")],
                    lines: [line(document, 0, "100.00", "3"), line(document, 1, "50.00")],
                },
            },
            booked((1, 50)),
            BASE,
        ),
        Case(  # K3
            f"{document}: gl_map names an asset account later",
            {
                D1: {document: [head()], lines: [line(document, 0, "9.00", "2")]},
                D2: {"gl_map": [{"gl_account": "1500", "cost_category": "other", "pool_id": "machines", "in_scope": "true"}]},
            },
            {"ledger_actuals: journal_id, pool_id": [(f"{document}-7", "machines")]},
            BASE,
        ),
        Case(
            f"{document}: remarks",
            {D1: {document: [head()], lines: [line(document, 0, "70.00"), remark(document, 1), remark(document, 2, "0.00")]}},
            booked((0, 70)),
            BASE,
        ),  # K12
        Case(  # K11
            f"{document}: in yen at its own rate, corrected later",
            {
                D1: {document: [head(currency_id="JPY", exchange_rate="0.0066")], lines: [line(document, 0, "15000")]},
                D2: {
                    document: [head(currency_id="JPY", exchange_rate="0.00671234", updated_at=LATER)],
                    lines: [line(document, 0, "15000")],
                },
            },
            {OWN: [(f"{document}-7", sign * 15000, "JPY", "0.00671234", "USD")]},
            BASE,
        ),
        Case(  # K11
            f"{document}: a rate of one, and one in the home currency, say nothing",
            {
                D1: {
                    document: [head(currency_id="EUR", exchange_rate="1"), {**head(exchange_rate="1.2"), "id": "8"}],
                    lines: [line(document, 0, "5"), {**line(document, 0, "6"), f"{document}_id": "8"}],
                }
            },
            {OWN: [(f"{document}-7", sign * 5, "EUR", None, "USD"), (f"{document}-8", sign * 6, "USD", None, "USD")]},
            BASE,
        ),
    ]


@every([case for document in DOCUMENTS for case in cases(document)])
def test_quickbooks(case: Case, order: str, ingest: Any) -> None:
    assert shown(ingest, "quickbooks", case, order) == case.rows


def test_documents_of_one_number_are_three(ingest: Any) -> None:
    documents = ("bill", "purchase", "vendor_credit")
    streams: Day = {document: [head()] for document in documents}
    streams |= {f"{document}_line": [line(document, 0, str(10 * (place + 1)))] for place, document in enumerate(documents)}
    right = {BOOKED: [("bill-7", 0, 10), ("purchase-7", 0, 20), ("vendor_credit-7", 0, -30)]}
    case = Case("three", {D1: streams}, right, BASE)
    assert shown(ingest, "quickbooks", case, "one go") == case.rows


def test_a_budget_line_that_is_gone_is_gone(ingest: Any) -> None:
    plan = {"id": "1", "name": "FY26", "start_date": "2026-01-01", "active": "TRUE", "created_at": AT, "currency_id": "USD"}
    cell = {"budget_id": "1", "account_id": "1", "budget_date": "2026-10-01"}
    days: dict[str, Day] = {
        D1: {
            "budget": [{**plan, "updated_at": AT}],
            "budget_detail": [{**cell, "index": "0", "amount": "5"}, {**cell, "index": "1", "amount": "6"}],
        },
        D2: {"budget": [{**plan, "updated_at": LATER}], "budget_detail": [{**cell, "index": "1", "amount": "7"}]},
    }
    case = Case("budget", days, {"budgets: line_id, budget_amount": [("1-1", 7)]}, BASE)
    assert shown(ingest, "quickbooks", case, "day by day") == case.rows
