"""Companies that lack most feeds: what cannot be known is null with a reason, never 0, and nothing crashes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb

Connection = duckdb.DuckDBPyConnection


def test_a_company_of_calls_has_contacts_and_no_cost(bank: Connection) -> None:
    rows = bank.execute(
        "select account_id, contacts_count, calls_count, handle_seconds, service_cost_amount, "
        "null_reason, tickets_created_count, tickets_null_reason from marts.mart_account_service_month "
        "order by 1"
    ).fetchall()
    assert rows == [
        ("7", 2, 2, 100, None, "source_absent", None, "source_absent"),
        ("ACCOUNT_UNKNOWN", 1, 1, 50, None, "source_absent", None, "source_absent"),
    ]


def test_accounts_are_inferred_only_where_no_feed_names_them(bank: Connection, whole: Connection) -> None:
    pseudo = {"ACCOUNT_UNKNOWN", "NON_CUSTOMER", "UNALLOCATED", "UNUSED_CAPACITY"}
    rows = bank.execute("select account_id, is_inferred, is_pseudo from marts.dim_account").fetchall()
    assert set(rows) == {("7", True, False), *((name, False, True) for name in pseudo)}
    assert {row[0] for row in whole.execute("select account_id from marts.dim_account").fetchall()} == {"a", "b", "c"} | pseudo


def test_unit_costs_of_a_company_without_cost_are_source_absent(bank: Connection) -> None:
    rows = bank.execute(
        "select unit_kind, volume_count, unit_cost_amount, null_reason from marts.mart_cost_per_unit where channel = 'all' order by 1"
    ).fetchall()
    assert rows == [
        ("call", 2, None, "source_absent"), ("interaction", 2, None, "source_absent"), ("sales_unit", None, None, "source_absent"),
        ("ticket_closed", None, None, "source_absent"), ("ticket_created", None, None, "source_absent"),
    ]  # fmt: skip


def test_the_customer_view_gives_a_reason_for_each_missing_measure(bank: Connection) -> None:
    row = bank.execute(
        "select orders_count, orders_null_reason, revenue_null_reason, margin_null_reason, "
        "cost_null_reason, nps_null_reason, payment_null_reason, contacts_null_reason, contacts_count "
        "from marts.mart_customer_360 where account_id = '7'"
    ).fetchone()
    assert row == (None, *["source_absent"] * 6, None, 2)


def test_a_generated_calendar_covers_the_data(bank: Connection) -> None:
    rows = bank.execute(
        "select period_month, fiscal_period, fiscal_year, end_date, is_complete_period from marts.dim_period order by 1 limit 1"
    ).fetchall()
    assert rows == [(date(1999, 2, 1), "1999-02", "FY1999", date(1999, 2, 28), True)]


def test_a_budget_of_a_fiscal_year_is_spread_over_its_months_to_the_cent(oakland: Connection) -> None:
    rows = oakland.execute(
        "select period_month, cost_amount from marts.fct_cost_line where budget_version_id = "
        "'FY19-20-adopted' and cost_line_id like '%L1|FY2020' order by 1"
    ).fetchall()
    assert [row[0] for row in rows] == [date(2019 + (m > 12), (m - 1) % 12 + 1, 1) for m in range(7, 19)]
    assert [row[1] for row in rows] == [Decimal("8.34")] * 4 + [Decimal("8.33")] * 8
    credits = oakland.execute(
        "select cost_amount from marts.fct_cost_line where cost_line_id like '%L2|FY2020' order by period_month"
    ).fetchall()
    assert [row[0] for row in credits] == [Decimal("-0.01")] * 5 + [Decimal("0.00")] * 7


def test_only_the_approved_version_in_force_is_the_basis_and_it_is_provisional(oakland: Connection) -> None:
    rows = oakland.execute(
        "select budget_version_id, line_kind, bool_and(is_in_force), bool_and(is_roi_basis), "
        "bool_and(is_provisional) from marts.fct_cost_line group by all order by 1, 2"
    ).fetchall()
    assert rows == [
        ("FY19-20-adopted", "expense", True, True, True), ("FY19-20-adopted", "revenue", True, False, False),
        ("draft", "expense", False, False, False), ("future", "expense", False, False, False),
    ]  # fmt: skip


def test_cost_without_any_ticket_is_unallocated_and_still_reconciles(oakland: Connection) -> None:
    rows = oakland.execute(
        "select sum(ledger_amount), sum(unallocated_amount), sum(allocated_amount), "
        "sum(difference_amount), count(*) from marts.mart_cost_reconciliation"
    ).fetchall()
    assert rows == [(Decimal("99.95"), Decimal("99.95"), Decimal("0.00"), Decimal("0.00"), 24)]
    costs = oakland.execute(
        "select distinct account_id, contacts_count, contacts_null_reason from marts.mart_account_service_month"
    ).fetchall()
    assert costs == [("UNALLOCATED", None, "source_absent")]
