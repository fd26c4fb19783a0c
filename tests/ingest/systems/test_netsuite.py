"""A NetSuite export becomes the cost ledger, budgets and fiscal months, in the currency of the subsidiary."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.ingest.systems.commerce import broken, counts, deliver, waiting

PERIODS = [
    {
        "accounting_period_id": "12",
        "full_name": "FY 2026",
        "starting": "2026-01-01 00:00:00",
        "ending": "2026-12-31 00:00:00",
        "year_0": "Yes",
    },
    {
        "accounting_period_id": "13",
        "full_name": "FY 2026 : Q1",
        "starting": "2026-01-01 00:00:00",
        "ending": "2026-03-31 00:00:00",
        "quarter": "Yes",
    },
    {
        "accounting_period_id": "14",
        "full_name": "FY 2026 : Q1 : Jan",
        "starting": "2026-01-01 00:00:00",
        "ending": "2026-01-31 00:00:00",
        "closed": "Yes",
    },
    {
        "accounting_period_id": "15",
        "full_name": "FY 2026 : Q1 : Feb",
        "starting": "2026-02-01 00:00:00",
        "ending": "2026-02-28 00:00:00",
        "closed": "No",
    },
    {
        "accounting_period_id": "16",
        "full_name": "FY 2026 : Adj",
        "starting": "2026-01-31 00:00:00",
        "ending": "2026-01-31 00:00:00",
        "is_adjustment": "Yes",
    },
]
BOOKS: dict[str, list[dict[str, object]]] = {
    "accounting_periods": [{"quarter": "No", "year_0": "No", "is_adjustment": "No", "year_id": "12", **period} for period in PERIODS],
    "accounts": [
        {"account_id": "1", "account_number": "6001", "type_name": "Expense", "name": "Wages"},
        {"account_id": "2", "account_number": "6201", "type_name": "Other Expense", "name": "Rent"},
        {"account_id": "3", "account_number": "2000", "type_name": "Accounts Payable", "name": "Payables"},
    ],
    "departments": [{"department_id": "10", "name": "support"}],
    "classes": [{"class_id": "20", "full_name": "CC1"}],
    "currencies": [{"currency_id": "1", "symbol": "USD"}, {"currency_id": "4", "symbol": "EUR"}],
    "subsidiaries": [{"subsidiary_id": "5", "name": "Demo GmbH", "base_currency_id": "4"}],
    "vendors": [{"vendor_id": "30", "company_name": "Paper Ltd"}],
    "gl_map": [{"gl_account": "6001", "department": "support", "cost_category": "people", "pool_id": "desk", "in_scope": "true"}],
}
TRANSACTION = {"transaction_date": "2026-01-20 00:00:00", "currency_id": "1", "accounting_period_id": "14", "_fivetran_deleted": "FALSE"}
LINE = {"subsidiary_id": "5", "non_posting_line": "No"}


def test_posted_cost_lines_are_the_ledger(ingest: Any) -> None:
    deliver(
        ingest,
        "netsuite",
        **BOOKS,
        transactions=[{**TRANSACTION, "transaction_id": "100"}, {**TRANSACTION, "transaction_id": "101", "accounting_period_id": "16"}],
        transaction_lines=[
            {**LINE, "transaction_id": "100", "transaction_line_id": "0", "account_id": "3", "amount": "-150.00"},
            {
                **LINE,
                "transaction_id": "100",
                "transaction_line_id": "1",
                "account_id": "1",
                "amount": "100.00",
                "department_id": "10",
                "class_id": "20",
                "company_id": "30",
            },
            {**LINE, "transaction_id": "100", "transaction_line_id": "2", "account_id": "2", "amount": "50.00", "location_id": "3"},
            {**LINE, "transaction_id": "100", "transaction_line_id": "3", "account_id": "1", "amount": "0", "non_posting_line": "Yes"},
            {**LINE, "transaction_id": "101", "transaction_line_id": "1", "account_id": "1", "amount": "-7.25"},
        ],
    )
    report = ingest.walk()
    assert report.refusals == []
    assert counts(ingest)["transaction_lines"] == (5, 3, 2, 0)
    columns = (
        "journal_id, line_number, legal_entity, cost_centre, fiscal_period, gl_account, cost_category, pool_id, "
        "ledger_amount::decimal(18, 2)::varchar"
    )
    assert ingest.all(f"select {columns}, currency_code, vendor, is_adjustment from lake.ledger_actuals order by 1, 2") == [
        ("100", 1, "Demo GmbH", "CC1", "2026-01", "6001", "people", "desk", "100.00", "EUR", "Paper Ltd", False),
        ("100", 2, "Demo GmbH", "unassigned", "2026-01", "6201", "other", "unmapped", "50.00", "EUR", None, False),
        ("101", 1, "Demo GmbH", "unassigned", "2026-01", "6001", "other", "unmapped", "-7.25", "EUR", None, True),
    ]
    assert "netsuite/transaction_lines: 1 records excluded: line that does not post" in report.warnings


def test_months_are_fiscal_periods_and_their_sums_are_not(ingest: Any) -> None:
    deliver(ingest, "netsuite", **BOOKS)
    report = ingest.walk()
    assert report.refusals == []
    assert counts(ingest)["accounting_periods"] == (5, 2, 3, 0)
    columns = "fiscal_period, fiscal_year, start_date::varchar, end_date::varchar, calendar_kind, close_state"
    assert ingest.all(f"select {columns} from lake.fiscal_periods order by 1") == [
        ("2026-01", "FY2026", "2026-01-01", "2026-01-31", "calendar", "closed"),
        ("2026-02", "FY2026", "2026-02-01", "2026-02-28", "calendar", "open"),
    ]


def test_weeks_of_a_4_4_5_calendar_keep_their_months_apart(ingest: Any) -> None:
    spans = (("2025-12-28", "2026-01-24"), ("2026-01-25", "2026-02-21"), ("2026-02-22", "2026-03-28"))
    periods = [
        {
            "accounting_period_id": str(number),
            "full_name": "FY 2026 : P",
            "starting": first,
            "ending": last,
            "quarter": "No",
            "year_0": "No",
            "is_adjustment": "No",
        }
        for number, (first, last) in enumerate(spans)
    ]
    deliver(ingest, "netsuite", accounting_periods=periods)
    assert ingest.walk().refusals == []
    assert ingest.all("select fiscal_period, calendar_kind from lake.fiscal_periods order by 1") == [
        ("2026-01", "other"),
        ("2026-02", "other"),
        ("2026-03", "other"),
    ]


def test_a_budget_category_is_a_version_of_its_year(ingest: Any) -> None:
    cell = {"accounting_period_id": "15", "account_id": "1", "department_id": "10", "subsidiary_id": "5", "amount": "900.00"}
    deliver(
        ingest,
        "netsuite",
        **BOOKS,
        budget_category=[{"budget_category_id": "1", "name": "Board"}],
        budget=[{**cell, "budget_id": "1", "category_id": "1"}, {**cell, "budget_id": "2", "category_id": "1", "account_id": "3"}],
    )
    assert ingest.walk().refusals == []
    assert counts(ingest)["budget"] == (2, 1, 1, 0)
    columns = (
        "budget_version_id, version_state, version_effective_at::date::varchar, line_id, fiscal_period, pool_id, "
        "budget_amount::decimal(18, 2)::varchar"
    )
    assert ingest.all(f"select {columns}, currency_code from lake.budgets") == [
        ("Board 2026", "approved", "2026-01-01", "1", "2026-02", "desk", "900.00", "EUR")
    ]


def test_a_line_waits_for_its_transaction_and_without_period_account_or_subsidiary_is_quarantined(ingest: Any) -> None:
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
    whole = {**LINE, "transaction_id": "100", "account_id": "1", "amount": "1.00"}
    deliver(
        ingest,
        "netsuite",
        **BOOKS,
        transactions=[{**TRANSACTION, "transaction_id": "100"}, {**TRANSACTION, "transaction_id": "101", "accounting_period_id": "99"}],
        transaction_lines=[
            {**whole, "transaction_line_id": "1", "transaction_id": "999"},
            {**whole, "transaction_line_id": "2", "transaction_id": "101"},
            {**whole, "transaction_line_id": "3", "account_id": "99"},
            {**whole, "transaction_line_id": "4", "subsidiary_id": "99"},
        ],
    )
    assert broken(ingest.walk()) == [
        ("transaction_lines", "fiscal_period", "required"),
        ("transaction_lines", "gl_account", "required"),
        ("transaction_lines", "legal_entity", "required"),
    ]
    assert waiting(ingest) == {"transaction_lines": 1}
