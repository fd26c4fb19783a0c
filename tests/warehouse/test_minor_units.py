"""Money is a whole number of minor units of its currency: yen have no decimals, euros two, dinars three."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest

from dagster_project.contracts.currencies import DECIMALS, as_money, decimals_of

Build = Callable[..., duckdb.DuckDBPyConnection]
MACROS = Path(__file__).parents[2] / "dbt" / "macros"
AMOUNTS = """
select column_name, table_schema || '.' || table_name from information_schema.columns
where table_schema in ('intermediate', 'marts') and column_name like '%\\_amount' escape '\\'
    and data_type <> 'DECIMAL(18,3)'
    and column_name not in ('unit_cost_amount', 'used_hour_cost_amount', 'document_difference_limit_amount')
"""


def company(quick: Build, currency: str, amount: str, **more: Any) -> duckdb.DuckDBPyConnection:
    """Three equal tickets, a line of the ledger, an order with a refund and a payment, and a budget of a year, all of one amount."""
    at = "2025-01-10T10:00:00+00"
    return quick({
        "ledger_actuals": [
            {"journal_id": "J", "line_number": 1, "legal_entity": "E", "cost_centre": "C", "fiscal_period": "2025-01", "posted_at": at,
             "gl_account": "G", "cost_category": "people", "pool_id": "p", "ledger_amount": amount, "currency_code": currency},
        ],
        "budgets": [
            {"budget_version_id": "V", "version_state": "approved", "version_effective_at": "2024-12-01T00:00:00+00", "line_id": "L",
             "legal_entity": "E", "cost_centre": "C", "fiscal_period": "FY2025", "gl_account": "G", "cost_category": "people",
             "pool_id": "p", "line_kind": "expense", "budget_amount": amount, "currency_code": currency},
        ],
        "tickets": [
            {"ticket_id": name, "account_id": name, "created_at": at, "ticket_state": "closed", "channel": "email", "last_solved_at": at,
             "handle_seconds": 60}
            for name in ("A", "B", "C")
        ],
        "orders": [{"order_id": "O", "account_id": "A", "ordered_at": at, "currency_code": currency}],
        "order_lines": [
            {"order_id": "O", "line_id": "1", "quantity": 1, "unit_price": amount, "net_amount": amount, "unit_cost": "1.2345"},
        ],
        "refunds": [{"refund_id": "R", "order_id": "O", "refunded_at": at, "refund_amount": amount, "currency_code": currency}],
        "payments": [{"payment_id": "P", "order_id": "O", "paid_at": at, "payment_amount": amount, "currency_code": currency,
                      "payment_method": "card"}],
    }, **{"reporting_currency_code": currency} | more)  # fmt: skip


@pytest.mark.spec("C23")
@pytest.mark.parametrize(
    ("currency", "amount", "shares", "goods", "months"),
    [
        ("JPY", "100", ["34", "33", "33"], "1", {"9", "8"}),
        ("EUR", "100.00", ["33.34", "33.33", "33.33"], "1.23", {"8.34", "8.33"}),
        ("KWD", "100.000", ["33.334", "33.333", "33.333"], "1.235", {"8.334", "8.333"}),
        ("BHD", "10.005", ["3.335", "3.335", "3.335"], "1.235", {"0.834", "0.833"}),
    ],
)
def test_a_company_in_any_currency_is_reckoned_in_its_minor_units(
    quick: Build, currency: str, amount: str, shares: list[str], goods: str, months: set[str]
) -> None:
    built = company(quick, currency, amount)
    for mart in ("mart_cost_allocation_ticket", "mart_cost_allocation_interaction"):
        found = built.execute(f"select cost_amount from marts.{mart} order by account_id").fetchall()
        assert [row[0] for row in found] == [Decimal(share) for share in shares]
    assert built.execute("select service_cost_amount from marts.mart_account_service_month order by account_id").fetchall() == found
    unit = built.execute(
        "select cost_amount, unit_cost_amount from marts.mart_cost_per_unit where unit_kind = 'ticket_closed' and channel = 'all' "
        "and cost_amount <> 0"
    ).fetchall()
    assert unit == [(Decimal(amount), (Decimal(amount) / 3).quantize(Decimal("0.0001")))]
    assert built.execute("select net_amount, cost_amount from marts.fct_order_line_net").fetchall() == [(Decimal(amount), Decimal(goods))]
    for fact, column in (("fct_refund", "refund_amount"), ("fct_payment", "payment_amount")):
        assert built.execute(f"select {column} from marts.{fact}").fetchall() == [(Decimal(amount),)]
    budget = built.execute("select cost_amount from marts.fct_cost_line where cost_source = 'budget'").fetchall()
    assert {row[0] for row in budget} == set(map(Decimal, months))
    assert sum(row[0] for row in budget) == Decimal(amount)
    assert built.execute("select ledger_amount, difference_amount from marts.mart_cost_reconciliation").fetchall() == [(Decimal(amount), 0)]
    assert built.execute(AMOUNTS).fetchall() == []


@pytest.mark.parametrize(
    ("reporting", "expected"), [("EUR", "0.62"), ("JPY", "1"), ("KWD", "0.617")], ids=["two decimals", "none", "three"]
)
def test_a_converted_amount_is_rounded_once_to_the_minor_unit_of_the_reporting_currency(
    quick: Build, reporting: str, expected: str
) -> None:
    built = quick({
        "fx_rates": [{"rate_date": "2025-01-01", "from_currency_code": "USD", "to_currency_code": reporting, "rate_type": "average",
                      "rate_source": "e", "exchange_rate": "0.06170001"}],
        "ledger_actuals": [
            {"journal_id": "J", "line_number": 1, "legal_entity": "E", "cost_centre": "C", "fiscal_period": "2025-01",
             "posted_at": "2025-01-10T10:00:00+00", "gl_account": "G", "cost_category": "people", "pool_id": "p",
             "ledger_amount": "10.00", "currency_code": "USD"},
        ],
    }, reporting_currency_code=reporting)  # fmt: skip
    assert built.execute("select cost_amount from marts.fct_cost_line").fetchall() == [(Decimal(expected),)]


def test_the_models_and_the_product_know_the_same_currencies() -> None:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(MACROS), autoescape=False)
    text = environment.from_string("{% import 'currency_decimals.sql' as own %}{{ own.currency_decimals('code') }}").render()
    codes = [*DECIMALS, "EUR", "USD", "XXX"]
    found = duckdb.sql(f"select code, {text} from (select unnest({codes!r}) as code)").fetchall()
    assert dict(found) == {code: decimals_of(code) for code in codes}


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [("100.000", "JPY", "100"), ("1.500", "EUR", "1.50"), ("10.005", "BHD", "10.005"), ("10.005", "EUR", "10.005"), ("0.000", "JPY", "0")],
)
def test_an_amount_is_written_with_the_decimals_of_its_currency(amount: str, currency: str, written: str) -> None:
    assert format(as_money(Decimal(amount), currency), "f") == written
