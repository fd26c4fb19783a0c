"""Records that are well formed and cannot be true: the models bound them, flag them, and the tests of severity warn name them.

What breaks if these fail: one refund turns a month's revenue negative in silence, or one ticket draws the cost of all others.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

COMPANIES = runpy.run_path(str(Path(__file__).with_name("company_rows.py")))  # tests are no package, so no import
WHOLE: Mapping[str, Sequence[Mapping[str, Any]]] = COMPANIES["WHOLE"]
Build = Callable[..., duckdb.DuckDBPyConnection]
Render = Callable[[str], str]
HUGE = "100000000000000.00"


def sale(currency: str = "EUR", **order: Any) -> dict[str, list[dict[str, Any]]]:
    """An order of 98.42 and its line, next to those of the other company."""
    line = {"order_id": "S", "line_id": "1", "quantity": 2, "unit_price": "49.21", "net_amount": "98.42", "unit_cost": "10"}
    head = {"order_id": "S", "account_id": "a", "ordered_at": "2025-02-03T10:00:00+00", "currency_code": currency, **order}
    return {"orders": [*WHOLE["orders"], head], "order_lines": [*WHOLE["order_lines"], line]}


def refund(name: str, amount: str, **more: Any) -> dict[str, Any]:
    row = {"refund_id": name, "order_id": "S", "refunded_at": "2025-02-10T10:00:00+00", "refund_amount": amount, "currency_code": "EUR"}
    return {**row, **more}


@pytest.mark.fault("F21")
@pytest.mark.parametrize(
    ("order", "refunds", "excess"),
    [
        ({}, [("98.42", {})], None),
        ({}, [("98.43", {})], "0.01"),
        ({"shipping_amount": "5.00"}, [("103.42", {})], None),
        ({"shipping_amount": "5.00"}, [("50.00", {}), ("53.43", {})], "0.01"),
        ({"net_amount": "120.00"}, [("110.00", {})], None),
        ({}, [("99999.00", {})], "99900.58"),
        ({}, [("99999.00", {"is_deleted": True})], None),
        ({"currency": "USD"}, [("115.00", {})], None),
        ({"currency": "USD"}, [("500.00", {})], "other"),
    ],
)
def test_refunds_beyond_their_order_are_named_and_much_beyond_it_stop_the_build(
    quick: Build, found: Any, order: dict[str, Any], refunds: list[tuple[str, dict[str, Any]]], excess: str | None
) -> None:
    rates = [
        {
            "rate_date": "2025-02-01",
            "from_currency_code": "USD",
            "to_currency_code": "EUR",
            "rate_type": "average",
            "rate_source": "s",
            "exchange_rate": "1.0",
        }
    ]
    rows = {**WHOLE, **sale(**order), "refunds": [refund(f"X{at}", amount, **more) for at, (amount, more) in enumerate(refunds)]}
    company = quick({**rows, "fx_rates": [*WHOLE.get("fx_rates", ()), *rates]})
    named = [row for row in found(company, "assert_refunds_stay_within_their_order") if row[1] == "S"]
    assert [row[:3] for row in named] == ([] if excess is None else [("money", "S", "X0")])
    if excess not in (None, "other"):
        assert named[0][4] - named[0][3] == Decimal(str(excess))
    stops = [row[0] for row in found(company, "assert_no_refund_exceeds_its_order_by_much")]
    assert stops == (["X0"] if excess == "99900.58" else [])


@pytest.mark.fault("F21")
def test_more_goods_back_than_were_sold_are_named(quick: Build, found: Any) -> None:
    rows = {**WHOLE, **sale(), "refunds": [refund("X", "1.00", line_id="1", returned_quantity=3, is_restocked=True)]}
    named = [row[:3] for row in found(quick(rows), "assert_refunds_stay_within_their_order") if row[1] == "S"]
    assert named == [("goods", "S", "X")]


@pytest.mark.fault("F20")
def test_a_ticket_of_a_year_draws_five_shifts_keeps_its_time_and_is_named(quick: Build, found: Any) -> None:
    ticket = {"ticket_id": "LONG", "account_id": "a", "created_at": "2025-02-03T10:00:00+00", "ticket_state": "closed", "channel": "email"}
    ticket |= {"last_solved_at": "2025-02-03T11:00:00+00", "handle_seconds": 31_622_400}
    company = quick({**WHOLE, "tickets": [*WHOLE["tickets"], ticket]})
    timed = company.execute("select driver_count from intermediate.int_cost__work_unit_timed where unit_id = 'LONG'").fetchall()
    assert timed == [(5 * 28_800,)]
    assert company.execute("select handle_seconds, is_handle_time_limited from marts.fct_ticket where ticket_id = 'LONG'").fetchall() == [
        (31_622_400, True)
    ]
    assert ("ticket", "LONG") in {row[:2] for row in found(company, "assert_contacts_end_within_a_shift")}


@pytest.mark.fault("F22")
@pytest.mark.parametrize("states", [("merged", "merged"), ("closed", "closed"), ("merged", "closed")])
def test_tickets_that_name_each_other_are_flagged_whatever_their_state(quick: Build, states: tuple[str, str]) -> None:
    tickets = [
        {"ticket_id": name, "account_id": "a", "created_at": "2025-02-03T10:00:00+00", "ticket_state": state, "channel": "email",
         "merged_into_ticket_id": other}
        for name, other, state in (("TX1", "TX2", states[0]), ("TX2", "TX1", states[1]))
    ]  # fmt: skip
    company = quick({**WHOLE, "tickets": [*WHOLE["tickets"], *tickets]})
    flags = dict(company.execute("select ticket_id, is_merge_broken from marts.fct_ticket where ticket_id like 'TX_'").fetchall())
    moved = states == ("merged", "closed")  # the one that is merged has a surviving ticket that is not
    assert flags == {"TX1": not moved, "TX2": True}
    counted = company.execute("select ticket_id from marts.fct_ticket where ticket_id like 'TX_' and is_counted order by 1").fetchall()
    bearing = company.execute(
        "select ticket_id from intermediate.int_cost__object_weighted where ticket_id like 'TX_' order by 1"
    ).fetchall()
    assert counted == bearing == [(name,) for name in ("TX1", "TX2") if not (moved and name == "TX1")], "who bears cost counts"


@pytest.mark.fault("F20")
def test_amounts_at_their_bounds_overflow_nowhere_and_what_cannot_be_converted_has_no_rate(quick: Build) -> None:
    rows = {**WHOLE, **sale("USD", net_amount=HUGE)}
    rows["order_lines"] = [
        *WHOLE["order_lines"],
        {"order_id": "S", "line_id": "1", "quantity": 1, "unit_price": "1", "net_amount": HUGE, "unit_cost": "1000000000000"},
    ]
    rows["refunds"] = [refund("X", HUGE, currency_code="USD", line_id="1", returned_quantity="1000000000", is_restocked=True)]
    rows["payments"] = [
        {"payment_id": "P", "order_id": "S", "payment_amount": HUGE, "currency_code": "USD", "paid_at": "2025-02-04T10:00:00+00"}
    ]
    line = {**WHOLE["ledger_actuals"][0], "journal_id": "JX", "ledger_amount": HUGE}
    rows["ledger_actuals"] = [*WHOLE["ledger_actuals"], line, {**line, "journal_id": "JY"}]
    rate = {"rate_date": "2025-02-01", "from_currency_code": "USD", "to_currency_code": "EUR", "rate_type": "average", "rate_source": "s"}
    for number, is_missing in (("10000000", True), ("0.5", False)):
        company = quick({**rows, "fx_rates": [{**rate, "exchange_rate": number}]})
        for table, key in (
            ("fct_order_line_net", "order_id = 'S'"),
            ("fct_refund", "refund_id = 'X'"),
            ("fct_payment", "payment_id = 'P'"),
        ):
            assert company.execute(f"select is_fx_missing from marts.{table} where {key}").fetchall() == [(is_missing,)], table
        assert company.execute("select count(*) from marts.mart_cost_reconciliation where difference_amount <> 0").fetchall() == [(0,)]


@pytest.mark.fault("F20")
def test_a_cost_line_of_a_month_that_no_calendar_knows_is_named_and_all_others_count(quick: Build, found: Any) -> None:
    before = quick(WHOLE)
    line = {**WHOLE["ledger_actuals"][0], "journal_id": "JX", "fiscal_period": "NEVER"}
    company = quick({**WHOLE, "ledger_actuals": [*WHOLE["ledger_actuals"], line]})
    (named,) = found(company, "assert_cost_lines_have_a_month")
    assert "|JX|" in named[1]
    for table in ("mart_cost_reconciliation", "mart_cost_per_unit"):
        assert (
            company.execute(f"from marts.{table} order by all").fetchall() == before.execute(f"from marts.{table} order by all").fetchall()
        )


def rate(day: str, value: str, kind: str = "average", currency: str = "CHF", **more: Any) -> dict[str, Any]:
    row = {"rate_date": day, "from_currency_code": currency, "to_currency_code": "EUR", "rate_type": kind, "rate_source": "s"}
    return {**row, "exchange_rate": value, **more}


NEIGHBOURS = [rate("2025-01-01", "0.95"), rate("2025-02-01", "0.96"), rate("2025-03-01", "0.94")]


@pytest.mark.fault("F24")
@pytest.mark.parametrize(
    ("rates", "named"),
    [
        ([*NEIGHBOURS, rate("2025-02-15", "1000000", "closing")], ["2025-02-15"]),
        ([*NEIGHBOURS, rate("2025-02-15", "0.000001", "closing")], ["2025-02-15"]),
        ([*NEIGHBOURS, rate("2025-02-15", "9.5", "closing")], []),
        ([*NEIGHBOURS, rate("2025-02-15", "9.6", "closing")], ["2025-02-15"]),
        ([*NEIGHBOURS, rate("2025-04-01", "1000000")], ["2025-04-01"]),
        ([*NEIGHBOURS, rate("2025-02-15", "1000000", "closing", currency="JPY")], []),
        ([*NEIGHBOURS, rate("2025-02-15", "1000000", "closing", is_deleted=True)], []),
        ([*NEIGHBOURS, rate("2027-02-15", "1000000", "closing")], []),
        ([rate(f"{2025 + at // 12}-{at % 12 + 1:02}-01", f"{1.4**at:.8f}") for at in range(36)], []),
    ],
    ids=["high", "low", "ten times", "more", "the latest", "alone", "deleted", "no neighbour in time", "a currency that falls for years"],
)
def test_a_rate_far_from_its_neighbours_is_named_by_day(quick: Build, found: Any, rates: list[dict[str, Any]], named: list[str]) -> None:
    company = quick({**WHOLE, "fx_rates": rates})
    rows = found(company, "assert_rates_stay_near_their_neighbours")
    assert [f"{row[4]}" for row in rows if row[2] != "GBP"] == named
    company.execute("delete from arrived.fx_rates")
    assert found(company, "assert_rates_stay_near_their_neighbours") == [], "the run that brought them has named them"


@pytest.mark.parametrize(("order", "difference"), [({}, "-98.42"), ({"net_amount": "0.00"}, None), ({"is_test": True}, None)])
def test_an_order_with_an_amount_and_no_line_is_named(quick: Build, found: Any, order: dict[str, Any], difference: str | None) -> None:
    rows = {**WHOLE, **sale(**{"net_amount": "98.42", **order}), "order_lines": WHOLE["order_lines"]}
    named = [row[-2:] for row in found(quick(rows), "assert_lines_add_up_to_their_order") if row[0] == "S"]
    assert named == ([] if difference is None else [(None, Decimal(difference))])
