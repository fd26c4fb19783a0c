"""A QuickBooks export becomes the cost ledger: debit positive, balance sheet lines excluded, accounts mapped by gl_map."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.ingest.systems.commerce import broken, counts, deliver, waiting

AT = "2026-01-20 09:00:00"
HEADER = {"_fivetran_deleted": "FALSE", "created_at": AT, "currency_id": "EUR", "transaction_date": "2026-01-19", "updated_at": AT}
ACCOUNTS = [
    {"id": "1", "account_number": "6001", "account_type": "Expense", "account_sub_type": "PayrollExpenses", "name": "Wages"},
    {"id": "2", "account_type": "Other Expense", "account_sub_type": "facilities", "name": "Rent"},
    {"id": "3", "account_number": "2000", "account_type": "Accounts Payable", "name": "Payables"},
    {"id": "4", "account_number": "5000", "account_type": "Cost of Goods Sold", "name": "Goods"},
]
DEPARTMENTS = [
    {"id": "10", "name": "support", "fully_qualified_name": "north:support"},
    {"id": "11", "name": "billing", "fully_qualified_name": "billing"},
]
GL_MAP = [
    {"gl_account": "6001", "cost_category": "people", "pool_id": "desk", "in_scope": "true", "recurrence": "recurring"},
    {
        "gl_account": "6001",
        "department": "billing",
        "cost_category": "people",
        "pool_id": "billing",
        "in_scope": "false",
        "scope_reason": "no service",
    },
    {"gl_account": "5000", "cost_category": "other", "pool_id": "goods", "in_scope": "true"},
]
MONEY = (
    "select journal_id, line_number, cost_category, pool_id, ledger_amount::decimal(18, 2)::varchar, "
    "is_in_scope from lake.ledger_actuals order by all"
)


def line(index: int, account: str, amount: str, posting: str, **more: str) -> dict[str, object]:
    return {"index": index, "journal_entry_id": "7", "account_id": account, "amount": amount, "posting_type": posting, **more}


def test_a_journal_books_its_costs_and_leaves_the_payable_out(ingest: Any) -> None:
    deliver(
        ingest,
        "quickbooks",
        account=ACCOUNTS,
        department=DEPARTMENTS,
        vendor=[{"id": "20", "display_name": "Paper Ltd"}],
        gl_map=GL_MAP,
        journal_entry=[{**HEADER, "id": "7", "adjustment": "TRUE", "private_note": "DEMO 2025-12"}],
        journal_entry_line=[
            line(0, "3", "40.00", "Credit"),
            line(1, "1", "100.00", "Debit", department_id="10", class_id="CC1", vendor_id="20"),
            line(2, "1", "30.00", "Debit", department_id="11"),
            line(3, "2", "90.00", "Credit", description="rent | fixed | indirect | one_off | a deposit back"),
        ],
    )
    report = ingest.walk()
    assert report.refusals == []
    assert counts(ingest)["journal_entry_line"] == (4, 3, 1, 0)
    assert "quickbooks/journal_entry_line: 1 records excluded: account of type Accounts Payable carries no cost" in report.warnings
    assert ingest.all(MONEY) == [
        ("journal_entry-7", 1, "people", "desk", "100.00", True),
        ("journal_entry-7", 2, "people", "billing", "30.00", False),
        ("journal_entry-7", 3, "facilities", "rent", "-90.00", False),
    ]
    columns = (
        "legal_entity, cost_centre, department_id, site_id, fiscal_period, gl_account, vendor, recurrence, scope_reason, is_adjustment"
    )
    assert ingest.all(f"select {columns} from lake.ledger_actuals order by line_number") == [
        ("DEMO", "CC1", "support", "north", "2025-12", "6001", "Paper Ltd", "recurring", None, True),
        ("DEMO", "billing", "billing", None, "2025-12", "6001", None, None, "no service", True),
        ("DEMO", "unassigned", None, None, "2025-12", "2", None, "one_off", "a deposit back", True),
    ]


def test_bills_purchases_and_vendor_credits_book_their_cost_lines(ingest: Any) -> None:
    deliver(
        ingest,
        "quickbooks",
        account=ACCOUNTS,
        department=DEPARTMENTS,
        item=[{"id": "30", "expense_account_id": "2"}],
        gl_map=GL_MAP,
        bill=[{**HEADER, "id": "1", "department_id": "10"}],
        bill_line=[
            {"bill_id": "1", "index": "0", "account_expense_account_id": "1", "amount": "12.50"},
            {"bill_id": "1", "index": "1", "item_expense_item_id": "30", "item_expense_class_id": "CC9", "amount": "7.50"},
        ],
        purchase=[{**HEADER, "id": "1", "credit": "FALSE"}, {**HEADER, "id": "2", "credit": "TRUE"}],
        purchase_line=[
            {"purchase_id": "1", "index": "0", "account_expense_account_id": "4", "amount": "5.00"},
            {"purchase_id": "2", "index": "0", "account_expense_account_id": "1", "amount": "2.00"},
        ],
        vendor_credit=[{**HEADER, "id": "1"}, {**HEADER, "id": "2", "_fivetran_deleted": "TRUE"}],
        vendor_credit_line=[
            {"vendor_credit_id": number, "index": "0", "account_expense_account_id": "1", "amount": "3.00"} for number in ("1", "2")
        ],
    )
    assert ingest.walk().refusals == []
    assert ingest.all(MONEY) == [
        ("bill-1", 0, "people", "desk", "12.50", True),
        ("bill-1", 1, "facilities", "unmapped", "7.50", True),
        ("purchase-1", 0, "other", "goods", "5.00", True),
        ("purchase-2", 0, "people", "desk", "-2.00", True),
        ("vendor_credit-1", 0, "people", "desk", "-3.00", True),
    ]
    assert ingest.all("select distinct fiscal_period, document_date::varchar from lake.ledger_actuals") == [("2026-01", "2026-01-19")]


def test_a_cost_account_that_gl_map_does_not_name_is_visible_as_unmapped(ingest: Any) -> None:
    deliver(
        ingest,
        "quickbooks",
        account=ACCOUNTS,
        journal_entry=[{**HEADER, "id": "7"}],
        journal_entry_line=[line(0, "3", "9.00", "Credit"), line(1, "1", "9.00", "Debit"), line(2, "4", "4.00", "Debit")],
    )
    assert ingest.walk().refusals == []
    assert ingest.all(MONEY) == [("journal_entry-7", 1, "other", "unmapped", "9.00", True)]


def test_gl_map_delivered_again_under_its_day_maps_what_was_read_before(ingest: Any) -> None:
    deliver(ingest, "quickbooks", "2026-01-01", gl_map=GL_MAP[:1])
    deliver(
        ingest, "quickbooks", account=ACCOUNTS, journal_entry=[{**HEADER, "id": "7"}], journal_entry_line=[line(0, "1", "9.00", "Debit")]
    )
    ingest.walk()
    deliver(ingest, "quickbooks", "2026-01-01", gl_map=[{**GL_MAP[0], "pool_id": "front desk"}])
    assert ingest.walk().refusals == []
    assert ingest.all(MONEY) == [("journal_entry-7", 0, "people", "front desk", "9.00", True)]


def test_a_line_waits_for_its_document_and_without_its_account_is_quarantined(ingest: Any) -> None:
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
    deliver(
        ingest,
        "quickbooks",
        account=ACCOUNTS,
        journal_entry=[{**HEADER, "id": "7"}],
        journal_entry_line=[line(0, "99", "1.00", "Debit"), {**line(1, "1", "1.00", "Debit"), "journal_entry_id": "8"}],
        bill_line=[{"bill_id": "8", "index": "0", "account_expense_account_id": "1", "amount": "1.00"}],
    )
    assert broken(ingest.walk()) == [("journal_entry_line", "gl_account", "required")]
    assert waiting(ingest) == {"bill_line": 1, "journal_entry_line": 1}


def test_a_posting_that_is_neither_debit_nor_credit_is_quarantined(ingest: Any) -> None:
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
    deliver(
        ingest, "quickbooks", account=ACCOUNTS, journal_entry=[{**HEADER, "id": "7"}], journal_entry_line=[line(0, "1", "1.00", "Both")]
    )
    assert broken(ingest.walk()) == [("journal_entry_line", "ledger_amount", "required")]


def test_budgets_are_versions_by_name(ingest: Any) -> None:
    plan = {"start_date": "2026-01-01", "active": "TRUE", "created_at": AT, "updated_at": AT, "currency_id": "EUR"}
    detail = {"index": "0", "account_id": "1", "amount": "1000.00", "budget_date": "2026-02-01", "department_id": "10"}
    deliver(
        ingest,
        "quickbooks",
        account=ACCOUNTS,
        department=DEPARTMENTS,
        gl_map=GL_MAP,
        budget=[
            {**plan, "id": "1", "name": "FY26"},
            {**plan, "id": "2", "name": "Restated FY26"},
            {**plan, "id": "3", "name": "Draft FY27"},
        ],
        budget_detail=[{**detail, "budget_id": number} for number in ("1", "2", "3")]
        + [{**detail, "budget_id": "1", "index": "1", "account_id": "3"}],
    )
    assert ingest.walk().refusals == []
    columns = "budget_version_id, version_state, version_effective_at::date::varchar, fiscal_period, pool_id, "
    columns += "budget_amount::decimal(18, 2)::varchar"
    assert ingest.all(f"select {columns} from lake.budgets order by 1") == [
        ("Draft FY27", "draft", "2026-01-01", "2026-02", "desk", "1000.00"),
        ("FY26", "approved", "2026-01-01", "2026-02", "desk", "1000.00"),
        ("Restated FY26", "restated", "2026-01-20", "2026-02", "desk", "1000.00"),
    ]
