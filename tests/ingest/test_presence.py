"""Which feeds came, and what the company is called. Breaks: a company read day by day differs from one read in one go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.systems.commerce import deliver

D1, D2 = "2026-10-31", "2026-11-15"
AT = "2026-10-05 00:00:00"
ACCOUNT = {"id": "1", "account_number": "6001", "account_type": "Expense", "currency_id": "USD", "name": "Wages"}
BILL = {"id": "7", "created_at": AT, "updated_at": AT, "currency_id": "USD", "transaction_date": "2026-10-05"}
LINE = {"bill_id": "7", "index": "0", "amount": "100.00", "account_expense_account_id": "1"}
CHARGE = {
    "id": "ch",
    "amount": 1000,
    "created": AT,
    "currency": "usd",
    "captured": "true",
    "livemode": "true",
    "status": "succeeded",
    "customer_id": "cu",
}
INVOICE = {
    "id": "in",
    "currency": "usd",
    "customer_id": "cu",
    "created": AT,
    "period_end": AT,
    "livemode": "true",
    "status": "paid",
    "total": 1000,
}
PRESENT = "select feed from lake.feed_presence where is_present order by 1"
SOURCES = "select source_name, feed from lake.sources order by 2"
PARAMETERS = "select reporting_currency_code, legal_entity from lake.run_parameters"

each_way = pytest.mark.parametrize("is_daily", [False, True], ids=["in one go", "day by day"])


def read(ingest: Any, system: str, days: dict[str, dict[str, list[dict[str, object]]]], *, is_daily: bool) -> None:
    for day, streams in days.items():
        deliver(ingest, system, day, **streams)
        if is_daily:
            assert ingest.walk().refusals == []
    if not is_daily:
        assert ingest.walk().refusals == []


@each_way
def test_a_ledger_whose_only_bill_was_deleted_came(ingest: Any, is_daily: bool) -> None:
    days = {
        D1: {"account": [ACCOUNT], "bill": [BILL], "bill_line": [LINE]},
        D2: {"bill": [{**BILL, "_fivetran_deleted": "true", "updated_at": "2026-11-10 00:00:00"}]},
    }
    read(ingest, "quickbooks", days, is_daily=is_daily)
    assert ingest.all(PRESENT) == [("ledger_actuals",)]
    assert ingest.all(SOURCES) == [("quickbooks", "ledger_actuals")]


@each_way
def test_a_refund_that_failed_in_the_end_leaves_a_feed_without_rows(ingest: Any, is_daily: bool) -> None:
    refund = {"id": "re", "charge_id": "ch", "amount": 1000, "created": AT, "currency": "usd", "status": "succeeded"}
    days: dict[str, Any] = {D1: {"charge": [CHARGE], "refund": [refund]}, D2: {"refund": [{**refund, "status": "failed"}]}}
    read(ingest, "stripe", days, is_daily=is_daily)
    assert ("refunds",) in ingest.all(PRESENT)


def test_a_file_with_nothing_but_its_header_says_that_there_is_nothing(ingest: Any) -> None:
    deliver(ingest, "stripe", D1, charge=[CHARGE], refund=[])
    assert ingest.walk().refusals == []
    assert ("refunds",) in ingest.all(PRESENT)
    assert ("stripe", "refunds") in ingest.all(SOURCES)


@each_way
def test_lines_made_of_a_charge_are_gone_when_it_paid_an_invoice_whose_lines_never_came(ingest: Any, is_daily: bool) -> None:
    days: dict[str, Any] = {
        D1: {"invoice": [INVOICE], "charge": [{**CHARGE, "payment_intent_id": ""}]},
        D2: {"invoice_payment": [{"id": "ip", "invoice_id": "in", "charge_id": "ch"}]},
    }
    read(ingest, "stripe", days, is_daily=is_daily)
    present = ingest.all(PRESENT)
    assert ("orders",) in present
    assert ("order_lines",) not in present, "revenue without its lines is unknown, not 0"


@each_way
def test_a_document_that_was_corrected_to_another_currency_leaves_one_currency(ingest: Any, is_daily: bool) -> None:
    later = {**BILL, "updated_at": "2026-11-10 00:00:00"}
    days = {
        D1: {"account": [ACCOUNT], "bill": [{**BILL, "currency_id": "EUR"}], "bill_line": [LINE]},
        D2: {"bill": [later], "bill_line": [LINE]},
    }
    read(ingest, "quickbooks", days, is_daily=is_daily)
    assert ingest.all(PARAMETERS) == [("USD", "primary")]


@each_way
def test_a_subsidiary_that_was_renamed_is_one_entity(ingest: Any, is_daily: bool) -> None:
    named = {"subsidiary_id": "5", "name": "Demo", "base_currency_id": "4"}
    first: dict[str, list[dict[str, object]]] = {
        "subsidiaries": [dict(named)],
        "currencies": [{"currency_id": "4", "symbol": "EUR"}],
        "accounts": [{"account_id": "1", "account_number": "6001", "type_name": "Expense", "name": "Wages"}],
        "accounting_periods": [{"accounting_period_id": "1", "full_name": "Oct", "starting": "2026-10-01", "ending": "2026-10-31"}],
        "transactions": [{"transaction_id": "7", "transaction_date": AT, "currency_id": "4", "accounting_period_id": "1"}],
        "transaction_lines": [
            {
                "transaction_id": "7",
                "transaction_line_id": "1",
                "subsidiary_id": "5",
                "account_id": "1",
                "amount": "5.00",
                "non_posting_line": "No",
            }
        ],
    }
    read(ingest, "netsuite", {D1: first, D2: {"subsidiaries": [{**named, "name": "Demo GmbH"}]}}, is_daily=is_daily)
    assert ingest.all(PARAMETERS) == [("EUR", "Demo GmbH")]
