"""Which lines are the cost of a month: ledger or budget, versions, capital expenditure, rates of fiscal months, deleted tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]
JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)


def ledger(journal: str, amount: str, period: str = "2025-01", **more: Any) -> Row:
    return {
        "journal_id": journal, "line_number": 1, "legal_entity": "E1", "cost_centre": "C", "fiscal_period": period,
        "posted_at": "2025-03-28T10:00:00+00", "gl_account": "G", "cost_category": "people", "pool_id": "p", "ledger_amount": amount,
        "currency_code": "EUR",
    } | more  # fmt: skip


def budget(line: str, amount: str, period: str = "2025-01", version: str = "V1", **more: Any) -> Row:
    return {
        "budget_version_id": version, "version_state": "approved", "version_effective_at": "2024-12-01T00:00:00+00", "line_id": line,
        "legal_entity": "E1", "cost_centre": "C", "fiscal_period": period, "gl_account": "G", "cost_category": "people", "pool_id": "p",
        "line_kind": "expense", "budget_amount": amount, "currency_code": "EUR",
    } | more  # fmt: skip


def restated(line: str, amount: str, period: str = "2025-01", version: str = "V2", **more: Any) -> Row:
    return budget(line, amount, period, version, **{"version_state": "restated", "version_effective_at": "2025-01-15T00:00:00+00"} | more)


def ticket(name: str, account: str, created: str = "2025-01-10T10:00:00+00", **more: Any) -> Row:
    return {
        "ticket_id": name, "account_id": account, "created_at": created, "ticket_state": "solved", "channel": "email",
        "last_solved_at": created, "handle_seconds": 600,
    } | more  # fmt: skip


def call(name: str, ticket_id: str | None, account: str | None, **more: Any) -> Row:
    return {
        "interaction_id": name, "ticket_id": ticket_id, "account_id": account, "channel": "phone", "started_at": "2025-01-11T10:00:00+00",
        "outcome": "answered", "talk_seconds": 600,
    } | more  # fmt: skip


def costs(company: duckdb.DuckDBPyConnection, columns: str = "period_month", where: str = "is_roi_basis") -> dict[Any, Decimal]:
    rows = company.execute(f"select {columns}, sum(cost_amount) from marts.fct_cost_line where {where} group by all").fetchall()
    return {row[0] if len(row) == 2 else row[:-1]: row[-1] for row in rows}


def accounts(company: duckdb.DuckDBPyConnection) -> dict[str, Decimal]:
    return dict(company.execute("select account_id, sum(service_cost_amount) from marts.mart_account_service_month group by 1").fetchall())


CLOSED = {"fiscal_periods": [{
    "fiscal_period": "2025-01", "fiscal_year": "FY", "start_date": "2025-01-01", "end_date": "2025-01-31", "calendar_kind": "calendar",
    "close_state": "closed",
}]}  # fmt: skip
IT = {"cost_category": "it"}


@pytest.mark.parametrize(
    ("posted", "planned", "more", "expected"),
    [
        ([ledger("J", "1.00", is_in_scope=False)], [budget("L1", "700.00"), budget("L2", "300.00")], {}, {("budget", True): "1000.00"}),
        ([ledger("J", "5.00")], [budget("L1", "1000.00")], {}, {("budget", True): "1000.00"}),
        ([ledger("J", "500.00")], [budget("L1", "1000.00")], {}, {("ledger", False): "500.00"}),
        ([ledger("J", "5.00")], [budget("L1", "1000.00")], CLOSED, {("ledger", False): "5.00"}),
        ([ledger("J", "900.00")], [budget("L1", "800.00"), budget("L2", "60.00", **IT)], {},
         {("ledger", False): "900.00", ("budget", True): "60.00"}),
        ([ledger("J", "900.00")], [budget("L1", "800.00"), budget("L2", "60.00", **IT)], CLOSED, {("ledger", False): "900.00"}),
        ([ledger("J", "900.00")], [budget("L1", "800.00", legal_entity="E2")], {},
         {("ledger", False): "900.00", ("budget", True): "800.00"}),
        ([ledger("J", "9000.00", is_capex=True)], [budget("L1", "800.00")], {}, {("budget", True): "800.00"}),
        ([ledger("J", "-5.00")], [], {}, {("ledger", False): "-5.00"}),
        ([], [budget("L1", "800.00"), budget("L2", "70.00", is_in_scope=False)], CLOSED, {("budget", True): "800.00"}),
        ([ledger("J", "5.00", currency_code="USD")], [budget("L1", "1000.00")], {}, {("ledger", False): None}),
    ],
    ids=["out of scope", "begun", "half posted", "closed", "other category", "category of a closed month", "other entity", "capex",
         "credit", "closed without a ledger", "without a rate"],
)  # fmt: skip
def test_the_budget_is_used_by_entity_and_category_until_the_ledger_has_its_share(
    quick: Build, posted: list[Row], planned: list[Row], more: Mapping[str, Sequence[Row]], expected: dict[Any, str | None]
) -> None:
    company = quick({"ledger_actuals": posted, "budgets": planned, "tickets": [ticket("T", "A1")], **more})
    assert costs(company, "cost_source, is_provisional") == {key: amount and Decimal(amount) for key, amount in expected.items()}
    provisional = any(is_provisional for _, is_provisional in expected)
    for mart in ("mart_account_service_month", "mart_cost_per_unit where unit_kind = 'ticket_closed'"):
        assert company.execute(f"select bool_or(is_provisional) from marts.{mart}").fetchall() == [(provisional,)]
    assert company.execute("select sum(abs(difference_amount)) from marts.mart_cost_reconciliation").fetchall() == [(Decimal("0.00"),)]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([restated("L1", "800.00")], "1100.00"),
        ([restated("L1", "800.00"), restated("L1", "850.00", version="V3", version_effective_at="2025-02-01T00:00:00+00")], "1150.00"),
        ([restated("L2", "0.00")], "700.00"),
        ([budget("L1", "650.00", version="V2", version_effective_at="2025-01-15T00:00:00+00")], "650.00"),
        ([restated("L1", "800.00", version_effective_at="2024-11-01T00:00:00+00")], "1000.00"),
        ([restated("L1", "800.00", version_effective_at="2025-07-01T00:00:00+00")], "1000.00"),
        ([budget("L1", "1.00", version="V2", version_state="draft", version_effective_at="2025-01-15T00:00:00+00")], "1000.00"),
        ([restated("L3", "50.00")], "1050.00"),
    ],
    ids=["a line", "the latest", "a line to nothing", "approved is whole", "before the approved one", "not yet", "draft", "a new line"],
)
def test_a_restated_version_replaces_the_lines_that_it_names(quick: Build, versions: list[Row], expected: str) -> None:
    company = quick(
        {"budgets": [budget("L1", "700.00"), budget("L2", "300.00"), *versions], "tickets": [ticket("T", "A1", "2025-02-10T10:00:00+00")]}
    )
    assert costs(company) == {JANUARY: Decimal(expected)}
    assert costs(company, where="is_in_force and cost_source = 'budget'") == {JANUARY: Decimal(expected)}


def test_budget_and_actual_of_a_month_stand_side_by_side(quick: Build) -> None:
    company = quick({
        "budgets": [budget("L1", "700.00"), restated("L1", "800.00"), budget("L1", "900.00", "2025-02")],
        "ledger_actuals": [ledger("J1", "750.00"), ledger("J2", "870.00", "2025-02")],
    })  # fmt: skip
    rows = company.execute(
        "select period_month, sum(cost_amount) filter (cost_source = 'budget'), sum(cost_amount) filter (cost_source = 'ledger') "
        "from marts.fct_cost_line where is_in_force and is_in_scope group by 1 order by 1"
    ).fetchall()
    assert rows == [(JANUARY, Decimal("800.00"), Decimal("750.00")), (FEBRUARY, Decimal("900.00"), Decimal("870.00"))]


def test_twelve_monthly_rows_of_one_line_are_twelve_months(quick: Build) -> None:
    company = quick({"budgets": [budget("L1", "100.00", f"2025-{month:02d}") for month in range(1, 13)]}, latest_delivery_date="2025-12-31")
    assert costs(company) == {date(2025, month, 1): Decimal("100.00") for month in range(1, 13)}
    keys = company.execute("select count(*), count(distinct cost_line_id) from marts.fct_cost_line").fetchall()
    assert keys == [(12, 12)]


FOUR_FOUR_FIVE = [
    {"fiscal_period": f"FY25-P0{number}", "fiscal_year": "FY25", "start_date": start, "end_date": end, "calendar_kind": "4-4-5"}
    for number, (start, end) in enumerate(
        [("2024-12-29", "2025-01-25"), ("2025-01-26", "2025-02-22"), ("2025-02-23", "2025-03-29")], start=1
    )
]
P01, P02, P03 = date(2024, 12, 29), date(2025, 1, 26), date(2025, 2, 23)


@pytest.mark.parametrize("amount", ["12000.00", "-12000.00", "100.00", "0.05"])
def test_a_years_budget_gives_each_month_a_twelfth_however_few_months_are_known(quick: Build, amount: str) -> None:
    company = quick({"budgets": [budget("Y", amount, "FY25")], "fiscal_periods": FOUR_FOUR_FIVE})
    months = costs(company, where="true")
    assert sum(months.values()) == Decimal(amount)
    assert {abs(abs(cost) - abs(Decimal(amount)) / 12) < Decimal("0.01") for month, cost in months.items() if month} == {True}
    assert set(months) == {P01, P02, P03, None}


def test_a_whole_year_of_months_leaves_nothing_without_a_month(quick: Build) -> None:
    company = quick({"budgets": [budget("Y", "12000.00", "FY2025")]})
    assert costs(company, where="true") == {date(2025, month, 1): Decimal("1000.00") for month in range(1, 13)}


def test_all_lines_of_a_fiscal_month_take_the_average_rate_of_its_days(quick: Build) -> None:
    """P01 has 3 days of December (0.5) and 25 of January (1), P02 6 of January (1) and 22 of February (2), P03 6 (2) and 29 (1)."""
    rates = {"2024-12-01": "0.5", "2025-01-01": "1", "2025-02-01": "2", "2025-03-01": "1"}
    days = ["2024-12-30", "2025-02-10", "2025-02-25"]
    company = quick({
        "fiscal_periods": FOUR_FOUR_FIVE,
        "fx_rates": [
            {"rate_date": day, "from_currency_code": "USD", "to_currency_code": "EUR", "rate_type": "average", "rate_source": "e",
             "exchange_rate": rate}
            for day, rate in rates.items()
        ],
        "ledger_actuals": [ledger(f"J{n}", "1000.00", f"FY25-P0{n}", currency_code="USD") for n in (1, 2, 3)],
        "orders": [{"order_id": day, "account_id": "A1", "ordered_at": f"{day}T10:00:00+00", "currency_code": "USD"} for day in days],
        "order_lines": [{"order_id": day, "line_id": "1", "quantity": 1, "unit_price": "1000.00", "net_amount": "1000.00"} for day in days],
        "refunds": [{"refund_id": day, "order_id": day, "refunded_at": f"{day}T12:00:00+00", "refund_amount": "1000.00",
                     "currency_code": "USD"} for day in days],
        "payments": [{"payment_id": day, "order_id": day, "paid_at": f"{day}T12:00:00+00", "payment_amount": "1000.00",
                      "currency_code": "USD", "payment_method": "card"} for day in days],
    })  # fmt: skip
    expected = {P01: Decimal("946.43"), P02: Decimal("1785.71"), P03: Decimal("1171.43")}
    assert costs(company) == expected
    for fact, amount in (("fct_order_line_net", "net"), ("fct_refund", "refund"), ("fct_payment", "payment")):
        assert dict(company.execute(f"select period_month, sum({amount}_amount) from marts.{fact} group by 1").fetchall()) == expected


def test_a_fiscal_month_with_a_day_without_a_rate_has_none_and_the_warning_says_how_many(quick: Build, found: Any) -> None:
    rate = {"rate_date": "2025-01-01", "from_currency_code": "USD", "to_currency_code": "EUR", "rate_type": "average", "rate_source": "e"}
    company = quick({
        "fiscal_periods": FOUR_FOUR_FIVE, "fx_rates": [{**rate, "exchange_rate": "1"}],
        "ledger_actuals": [ledger(f"J{n}", "1000.00", f"FY25-P0{n}", currency_code="USD") for n in (1, 3)],
    })  # fmt: skip
    assert company.execute("select cost_amount, is_fx_missing from marts.fct_cost_line").fetchall() == [(None, True)] * 2
    says = [row[-1] for row in found(company, "assert_amounts_have_a_rate")]
    assert says == ["no rate on 3 of 28 days, first 2024-12-29", "no rate on any day"]


def test_what_is_bought_and_capitalised_is_no_cost_of_its_month_but_its_depreciation_is(quick: Build) -> None:
    company = quick({
        "ledger_actuals": [
            ledger("WAGES", "900.00"),
            ledger("BOUGHT", "12000.00", is_capex=True),
            ledger("DEPRECIATION", "333.33"),
            ledger("OTHER", "50.00", is_capex=True, is_in_scope=False),
        ],
        "tickets": [ticket("T", "A1")],
    })  # fmt: skip
    assert costs(company) == {JANUARY: Decimal("1233.33")}
    assert accounts(company) == {"A1": Decimal("1233.33")}
    rows = company.execute(
        "select sum(ledger_amount), sum(out_of_scope_amount), sum(capex_amount), sum(allocated_amount), sum(difference_amount) "
        "from marts.mart_cost_reconciliation"
    ).fetchall()
    assert rows == [tuple(map(Decimal, ("13283.33", "50.00", "12000.00", "1233.33", "0.00")))]


@pytest.mark.parametrize("gone", [{"is_deleted": True}, {"ticket_state": "deleted"}])
@pytest.mark.parametrize("has_calls", [False, True], ids=["reported time", "calls"])
def test_a_deleted_ticket_draws_no_cost_and_is_in_no_volume(quick: Build, gone: Row, has_calls: bool) -> None:
    names, seconds = {"T1": "A1", "T2": "A2"}, None if has_calls else 600
    company = quick({
        "ledger_actuals": [ledger("J", "1000.00")],
        "tickets": [ticket("T1", "A1", handle_seconds=seconds), ticket("T2", "A2", handle_seconds=seconds, **gone)],
        "interactions": [call(f"C{name}", name, account) for name, account in names.items() if has_calls],
    })  # fmt: skip
    assert {name: cost for name, cost in accounts(company).items() if cost} == {"A1": Decimal("1000.00")}
    units = company.execute(
        "select unit_kind, cost_amount, volume_count from marts.mart_cost_per_unit where channel = 'all' and period_month = ? "
        "and unit_kind in ('ticket_closed', 'interaction') order by 1", [JANUARY],
    ).fetchall()  # fmt: skip
    calls = ("interaction", Decimal("1000.00"), 1) if has_calls else ("interaction", Decimal("0.00"), None)
    assert units == [calls, ("ticket_closed", Decimal("1000.00"), 1)]


@pytest.mark.parametrize("gone", [{"is_deleted": True}, {"ticket_state": "deleted"}])
def test_contacts_on_a_deleted_ticket_are_in_no_count_of_contacts(figures: Build, gone: Row) -> None:
    """T1 lives; T2 is gone, T3 merged into it; T4, deleted, into T1. Each has a call that was answered and one that was not."""
    merged = {"ticket_state": "merged", "handle_seconds": None}
    names = {"T1": "A1", "T2": "A2", "T3": "A2", "T4": "A1"}
    company = figures({
        "accounts": [{"account_id": name} for name in ("A1", "A2")],
        "tickets": [
            ticket("T1", "A1", handle_seconds=None), ticket("T2", "A2", **{"handle_seconds": None, **gone}),
            ticket("T3", "A2", merged_into_ticket_id="T2", **merged),
            ticket("T4", "A1", merged_into_ticket_id="T1", is_deleted=True, **merged),
        ],
        "interactions": [
            *(call(f"C{name}", name, account) for name, account in names.items()),
            *(call(f"M{name}", name, account, outcome="abandoned_queue", talk_seconds=None) for name, account in names.items()),
        ],
    })  # fmt: skip
    values = dict(company.execute(
        "select metric_id, value from reporting.mart_metric where cut = 'all' and period_kind = 'month' and period_month = ?", [JANUARY],
    ).fetchall())  # fmt: skip
    of_one = company.execute("select handle_seconds from marts.fct_interaction where interaction_id = 'CT1'").fetchone()
    assert of_one is not None
    expected = {"interactions": 4, "contacts": 4, "calls": 4, "interactions_handled": 2, "interactions_timed": 2, "handled_rate": 0.5}
    expected |= {"volume_interactions": 2, "volume_calls": 2, "handle_seconds_total": 2 * of_one[0], "handle_time_seconds": of_one[0]}
    assert {name: values[name] for name in expected} == expected
    by_account = (
        "select account_id, contacts_count, calls_count, handle_seconds from marts.mart_account_service_month where contacts_count > 0"
    )
    assert company.execute(by_account).fetchall() == [("A1", 4, 4, 2 * of_one[0])]
    profiles = "select account_id, contacts_count from marts.mart_customer_360 where not is_pseudo order by 1"
    assert company.execute(profiles).fetchall() == [("A1", 4), ("A2", 0)]
    spread = "select sum(total_count) from analytics.mart_concentration where measure_kind = 'contacts' and window_kind = 'month'"
    assert company.execute(spread).fetchone() == (4,)


def test_a_ticket_merged_into_a_deleted_one_goes_with_it_and_a_deleted_one_merged_into_a_living_one_does_not(quick: Build) -> None:
    company = quick({
        "ledger_actuals": [ledger("J", "900.00")],
        "tickets": [
            ticket("INTO_DELETED", "A1", ticket_state="merged", merged_into_ticket_id="DELETED"),
            ticket("DELETED", "A2", ticket_state="deleted"),
            ticket("DELETED_LATER", "A3", ticket_state="merged", merged_into_ticket_id="LIVING", is_deleted=True),
            ticket("LIVING", "A4"),
        ],
        "interactions": [call("C1", "INTO_DELETED", "A1"), call("C2", "DELETED_LATER", "A3")],
    })  # fmt: skip
    assert {name: cost for name, cost in accounts(company).items() if cost} == {"A4": Decimal("900.00")}


def test_contacts_count_for_the_account_that_bears_their_cost(quick: Build) -> None:
    """A5 calls about a ticket of A6; A7 calls about none."""
    company = quick({
        "ledger_actuals": [ledger("J", "1000.00")],
        "accounts": [{"account_id": name} for name in ("A5", "A6", "A7")],
        "tickets": [
            ticket("T", "A6", handle_seconds=None),
            ticket("M", "A5", ticket_state="merged", merged_into_ticket_id="T", handle_seconds=None),
        ],
        "interactions": [call("C1", "T", "A5"), call("C2", "M", "A5"), call("C3", None, "A7", talk_seconds=800)],
    })  # fmt: skip
    rows = company.execute(
        "select account_id, contacts_count, handle_seconds, service_cost_amount from marts.mart_account_service_month"
    ).fetchall()
    assert {row[0]: row[1:] for row in rows if row[3]} == {"A6": (2, 1200, Decimal("600.00")), "A7": (1, 800, Decimal("400.00"))}
    assert sum(row[1] for row in rows) == 3
