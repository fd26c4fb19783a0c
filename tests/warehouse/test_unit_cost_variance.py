"""Change of cost in volume, efficiency and price; cost of sales in any currency; waiting. Breaks: a change that nobody can explain."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]
ledger = runpy.run_path(str(Path(__file__).with_name("test_cost_of_a_month.py")))["ledger"]
JANUARY, FEBRUARY, MARCH, APRIL = (date(2025, month, 1) for month in (1, 2, 3, 4))
PARTS = "change_amount, volume_variance_amount, efficiency_variance_amount, price_variance_amount, variance_null_reason"


def contacts(month: int, channel: str, count: int, seconds: int | None, wait: int | None = None) -> Iterator[Row]:
    for number in range(count):
        yield {
            "interaction_id": f"{month}-{channel}-{number}", "channel": channel, "started_at": f"2025-0{month}-10T10:00:00+00",
            "outcome": "answered", "talk_seconds": seconds, "queue_seconds": wait, "queue": "Q" if number % 2 else None,
        }  # fmt: skip


def rate(day: str, one: str, other: str, value: str) -> Row:
    return {
        "rate_date": day, "from_currency_code": one, "to_currency_code": other, "rate_type": "average", "rate_source": "s",
        "exchange_rate": value,
    }  # fmt: skip


COMPANY: dict[str, list[Row]] = {
    "interactions": [
        *contacts(1, "email", 10, 60, 7), *contacts(2, "email", 12, 70), *contacts(2, "phone", 2, 30, 100),
        *contacts(3, "email", 3, None), *contacts(4, "email", 5, 10),
    ],
    # February: 840 s of e-mail and 60 s of phone.
    "ledger_actuals": [
        ledger("J1", "100.00"), ledger("J2", "192.86", "2025-02"), ledger("J3", "9.00", "2025-03"), ledger("J4", "4.00", "2025-04"),
        ledger("J5", "100.00", currency_code="USD"),
    ],
    "fx_rates": [
        row for month in range(1, 5)
        for row in (rate(f"2025-0{month}-01", "USD", "EUR", "0.5"), rate(f"2025-0{month}-01", "EUR", "USD", "2"))
    ],
    "orders": [
        {"order_id": "O", "account_id": "a", "ordered_at": "2025-01-05T12:00:00+00", "currency_code": "EUR", "order_kind": "order"},
        {"order_id": "P", "account_id": "a", "ordered_at": "2025-01-05T12:00:00+00", "currency_code": "USD", "order_kind": "order"},
    ],
    "order_lines": [
        {"order_id": name, "line_id": "1", "quantity": 1, "unit_price": net, "net_amount": net, "product_id": "p"}
        for name, net in (("O", "250.00"), ("P", "100.00"))
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def company(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures(COMPANY, latest_delivery_date="2025-05-01", customer_hour_value_amount="36.00")


def parts(company: duckdb.DuckDBPyConnection, month: date, channel: str, kind: str = "interaction") -> list[Any]:
    sql = f"select {PARTS} from reporting.mart_unit_cost_variance where period_month = ? and channel = ? and unit_kind = ?"
    ((*amounts, reason),) = company.execute(sql, [month, channel, kind]).fetchall()
    return [*(amount if amount is None else float(amount) for amount in amounts), reason]


def test_a_change_is_volume_efficiency_and_price(company: duckdb.DuckDBPyConnection) -> None:
    """150.00 for 10 e-mails of 60 s; then 180.00 for 12 of 70 s: two more at 15.00, 120 s more at 0.25, the rest is a cheaper second."""
    assert parts(company, FEBRUARY, "email") == [30.0, 30.0, 30.0, -30.0, None]
    assert parts(company, FEBRUARY, "phone") == [12.86, None, None, None, "zero_denominator"]
    # All: 14 contacts at 15.00 are 210.00, 900 s at 0.25 are 225.00.
    assert parts(company, FEBRUARY, "all") == [42.86, 60.0, 15.0, -32.14, None]
    unit = company.execute(
        "select unit_cost_amount, prior_unit_cost_amount, (efficiency_variance_amount + price_variance_amount) / volume_count "
        "from reporting.mart_unit_cost_variance where unit_kind = 'interaction' and channel = 'email' and period_month = ?", [FEBRUARY]
    ).fetchall()  # fmt: skip
    assert unit == [(Decimal("15.0000"), Decimal("15.0000"), 0.0)]


def test_what_is_not_known_has_its_reason(company: duckdb.DuckDBPyConnection) -> None:
    assert parts(company, JANUARY, "all") == [None, None, None, None, "source_absent"]
    assert parts(company, MARCH, "email") == [-171.0, None, None, None, "not_measured"]
    assert parts(company, APRIL, "email") == [-5.0, None, None, None, "not_measured"]
    assert parts(company, MARCH, "phone") == [-12.86, None, None, None, "not_measured"]


def half_up(value: Fraction) -> int:
    return floor(abs(value) + Fraction(1, 2)) * (1 if value >= 0 else -1)


@pytest.mark.parametrize("company_name", ["complete_figures", "generated_figures"])
def test_parts_close_to_the_cent_and_are_those_of_exact_fractions(company_name: str, request: pytest.FixtureRequest) -> None:
    """Levels by Fraction from the published cost, units and seconds of both months; the parts are their differences."""
    figures = request.getfixturevalue(company_name)
    rows = figures.execute(
        "select cost_amount, prior_cost_amount, volume_count, prior_volume_count, handle_seconds, prior_handle_seconds, "
        f"{PARTS} from reporting.mart_unit_cost_variance"
    ).fetchall()
    known = [row[:-1] for row in rows if row[-1] is None]
    assert known
    for cost, prior, volume, prior_volume, seconds, prior_seconds, change, by_volume, by_time, by_price in known:
        at_volume, at_time = (
            half_up(Fraction(prior) * 100 * part) for part in (Fraction(volume, prior_volume), Fraction(seconds, prior_seconds))
        )
        assert [int(amount * 100) for amount in (by_volume, by_time, by_price)] == [
            at_volume - int(prior * 100), at_time - at_volume, int(cost * 100) - at_time
        ]  # fmt: skip
        assert by_volume + by_time + by_price == change == cost - prior
    assert [row for row in rows if row[-1] is not None and row[7:10] != (None, None, None)] == []


@pytest.mark.spec("C28")
def test_cost_of_a_unit_of_sales_is_the_same_in_any_currency(figures: Build, company: duckdb.DuckDBPyConnection) -> None:
    """150 EUR of cost (100 and 100 USD at 0.5) over 300 EUR of sales are a half; so are 300 USD over 600 USD."""
    sql = "select value, num, den from reporting.mart_metric where metric_id = 'cost_per_sales_unit' and cut = 'all' and period_month = ?"
    dollars = figures(COMPANY, latest_delivery_date="2025-05-01", reporting_currency_code="USD")
    euro, dollar = (connection.execute(sql, [JANUARY]).fetchall()[0] for connection in (company, dollars))
    assert euro == (0.5, 150, 300)
    assert dollar == (0.5, 300, 600)
    unit = "select unit_cost_amount from marts.mart_cost_per_unit where unit_kind = 'sales_unit' and period_month = ?"
    assert company.execute(unit, [JANUARY]).fetchall() == dollars.execute(unit, [JANUARY]).fetchall() == [(Decimal("0.5000"),)]
    memo = "select value, null_reason from reporting.mart_metric where cut = 'all' and period_month = ? and metric_id = ?"
    assert dollars.execute(memo, [FEBRUARY, "customer_time_memo_cost"]).fetchall() == [
        (None, "source_absent")
    ]  # nobody said what an hour is worth


@pytest.mark.spec("C71")
def test_hours_waited_are_the_sum_of_the_waits_and_their_worth_is_a_memo(company: duckdb.DuckDBPyConnection) -> None:
    sql = "select period_month, value from reporting.mart_metric where metric_id = ? and cut = 'all' and value is not null order by 1"
    hours = dict(company.execute(sql, ["customer_hours_waited"]).fetchall())
    waits = company.execute(
        "select period_month, sum(queue_seconds) from marts.fct_interaction where queue_seconds is not null group by 1"
    ).fetchall()
    assert dict(waits) == {JANUARY: 70, FEBRUARY: 200}
    assert hours == {month: pytest.approx(seconds / 3600, abs=2e-6) for month, seconds in waits}
    memo = dict(company.execute(sql, ["customer_time_memo_cost"]).fetchall())
    assert memo == {JANUARY: 0.7, FEBRUARY: 2.0}  # 36.00 an hour are 0.01 a second
    of_queues = company.execute(
        "select member, value from reporting.mart_metric where cut = 'queue' and period_month = ? and metric_id = ?",
        [JANUARY, "customer_time_memo_cost"],
    ).fetchall()
    assert dict(of_queues) == {"Q": 0.35, "none": 0.35}
    cost = company.execute("select sum(cost_amount) from marts.fct_cost_line where is_roi_basis").fetchall()
    assert cost == [(Decimal("355.86"),)]
