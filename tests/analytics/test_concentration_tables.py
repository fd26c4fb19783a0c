"""80/20 tables and tiers of a hand-made company. Breaks: who is in which tier, and which population a share is of."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from dagster_project.analytics import concentration, tiers
from dagster_project.analytics.subject import run
from dagster_project.engines.engine import Engine

JANUARY = date(2025, 1, 1)


def build(engine: Engine) -> dict[str, object]:
    return run(concentration.SUBJECT, engine) | run(tiers.SUBJECT, engine)


def sales(account: str, when: date, gross: str, margin: str | None, credit: str = "0", paid: str | None = "0") -> list[Any]:
    net = str(Decimal(gross) + Decimal(credit))
    return [account, when, gross, credit, "0", net, None, margin, "0", paid]


FIVE = {
    "mart_account_sales_month": [
        sales("a", JANUARY, "400", "200", paid="400"),
        sales("b", JANUARY, "50", "30", paid="50"),
        sales("c", JANUARY, "30", "15"),
        sales("d", JANUARY, "20", "5", credit="-60"),
        sales("ACCOUNT_UNKNOWN", JANUARY, "9000", "9000"),
    ],
    "mart_account_service_month": [
        ["a", JANUARY, 3, "40"],
        ["d", JANUARY, 1, "25"],
        ["e", JANUARY, 6, "10"],
        ["ACCOUNT_UNKNOWN", JANUARY, 90, "1"],
    ],
    "fct_cost_line": [[JANUARY, True, False]],
}
KEY = "period_month = date '2025-01-01' and window_kind = 'month' and measure_kind ="


def measure(engine: Any, kind: str, columns: str) -> Any:
    return engine.rows(f"select {columns} from analytics.mart_concentration where {KEY} '{kind}'")[0]


@pytest.mark.spec("D29")
def test_each_measure_ranks_its_own_customers_and_never_the_pseudo_accounts(company: Callable[..., Any]) -> None:
    engine = company(**FIVE)
    build(engine)
    assert measure(engine, "gross_sales", "customers_count, total_amount, top20_share") == (4, Decimal("500"), pytest.approx(0.64))
    assert measure(engine, "net_revenue", "customers_count, total_amount, gini_null_reason") == (4, Decimal("440"), "negative_values")
    # Margin after service: a 160, b 30, c 15, d -20, e -10: the best fifth is exactly one of five.
    assert measure(engine, "margin_after_service", "customers_count, total_amount, top20_share, whale_peak_share") == (
        5, Decimal("175"), pytest.approx(160 / 175), pytest.approx(205 / 175),
    )  # fmt: skip
    assert measure(engine, "contacts", "customers_count, total_count, total_amount, top20_ceiling_share") == (3, 10, None, 0.6)
    assert measure(engine, "payments", "customers_count, total_amount") == (2, Decimal("450"))


@pytest.mark.spec("D29")
def test_the_lorenz_curve_of_the_latest_month_is_monotone_and_ends_at_everything(company: Callable[..., Any]) -> None:
    engine = company(**FIVE)
    build(engine)
    points = engine.rows("""
        select lorenz_share, best_cumulative_amount from analytics.mart_concentration_curve
        where measure_kind = 'gross_sales' and window_kind = 'to_date' order by customer_share""")
    lorenz = [share for share, _ in points]
    assert (len(points), lorenz[0], lorenz[-1]) == (101, 0.0, 1.0)
    assert all(early <= late for early, late in pairwise(lorenz))
    assert [amount for _, amount in points][:2] == [Decimal("0"), Decimal("400")]
    latest = engine.rows("select distinct period_month, window_kind from analytics.mart_concentration_curve order by 2")
    assert latest == [(JANUARY, "to_date"), (JANUARY, "trailing_12")]


def test_absent_feeds_and_unknown_unit_costs_leave_null_with_the_reason(company: Callable[..., Any]) -> None:
    rows = FIVE | {"mart_account_sales_month": [sales("a", JANUARY, "10", None), sales("b", JANUARY, "5", "1")]}
    engine = company(feeds=("orders", "order_lines", "ledger_actuals"), **rows)
    build(engine)
    assert measure(engine, "margin_after_service", "total_amount, top20_share, null_reason") == (None, None, "unit_cost_absent")
    assert measure(engine, "contacts", "total_count, customers_count, null_reason") == (None, None, "source_absent")
    assert measure(engine, "payments", "total_amount, null_reason") == (None, "source_absent")
    assert measure(engine, "gross_sales", "null_reason, total_amount") == (None, Decimal("15"))


def test_before_a_feed_begins_its_measure_is_unknown_and_not_nobodys(company: Callable[..., Any]) -> None:
    engine = company(months=2, begins={"orders": 1, "interactions": 1}, **FIVE)
    build(engine)
    sql = "select distinct measure_kind, null_reason from analytics.mart_concentration where period_month = date '2025-01-01'"
    found = dict(engine.rows(sql + " and window_kind = 'month'"))
    assert {kind for kind, reason in found.items() if reason == "source_absent"} >= {"margin_after_service", "gross_sales", "contacts"}
    found = engine.rows("select distinct null_reason from analytics.mart_account_tier")
    assert found == [("source_absent",)], "sales that are unknown rank nobody"


def test_to_date_remembers_what_trailing_twelve_forgets(company: Callable[..., Any]) -> None:
    last = date(2026, 2, 1)
    engine = company(mart_account_sales_month=[sales("a", JANUARY, "100", "1"), sales("b", last, "50", "1")], fct_cost_line=[])
    build(engine)
    found = engine.rows("""
        select window_kind, total_amount, customers_count, null_reason from analytics.mart_concentration
        where period_month = date '2026-02-01' and measure_kind = 'gross_sales' order by 1""")
    assert found == [("month", Decimal("50"), 1, None), ("to_date", Decimal("150"), 2, None), ("trailing_12", Decimal("50"), 1, None)]
    empty = engine.rows("""
        select null_reason, customers_count from analytics.mart_concentration
        where period_month = date '2025-06-01' and window_kind = 'month' and measure_kind = 'gross_sales'""")[0]
    assert empty == ("zero_denominator", 0)


def test_tiers_follow_margin_after_service_and_every_customer_seen_keeps_a_row(company: Callable[..., Any]) -> None:
    last = date(2026, 2, 1)
    rows = FIVE | {
        "mart_account_sales_month": [*FIVE["mart_account_sales_month"], sales("b", last, "10", "10")],
        "fct_cost_line": [[date(2025 + n // 12, n % 12 + 1, 1), True, False] for n in range(14)],
    }
    engine = company(**rows)
    build(engine)
    columns = "select account_id, account_tier, rank, tier_amount, null_reason from analytics.mart_account_tier"
    january = engine.rows(f"{columns} where period_month = date '2025-01-01' order by rank")
    # Positive margin 205: 160 is 78 %, so that b crosses the 80 % line within A.
    assert [row[:3] for row in january] == [("a", "A", 1), ("b", "A", 2), ("c", "B", 3), ("e", "D", 4), ("d", "D", 5)]
    assert {row[4] for row in january} == {None}
    after = engine.rows(f"{columns} where period_month = date '2026-02-01' order by rank")
    assert [row[:2] for row in after] == [("b", "A"), ("a", "N"), ("c", "N"), ("d", "N"), ("e", "N")]


TIERS = (
    "select account_id, account_tier, tier_amount, null_reason from analytics.mart_account_tier"
    " where period_month = date '2025-01-01' order by 1"
)


@pytest.mark.parametrize("reason", ["fx_missing", "unit_cost_absent"])
def test_who_lacks_a_rate_or_a_unit_cost_has_no_tier_and_the_others_keep_theirs(company: Callable[..., Any], reason: str) -> None:
    engine = company(**FIVE)
    build(engine)
    before = engine.rows(TIERS)
    lacking = ["a", JANUARY, "0", "0", "0", *((None, reason, None) if reason == "fx_missing" else ("0", None, None)), "0", "0"]
    engine = company(**FIVE | {"mart_account_sales_month": [*FIVE["mart_account_sales_month"], lacking]})
    build(engine)
    assert engine.rows(TIERS) == [("a", None, None, reason), *before[1:]]
    shares = measure(engine, "gross_sales", "total_amount, top20_share, unpriced_count, null_reason")
    assert shares == (Decimal("500"), pytest.approx(0.64), int(reason == "fx_missing"), None)
    of_profit = measure(engine, "margin_after_service", "total_amount, unpriced_count, null_reason")
    assert of_profit == ((Decimal("175"), 1, None) if reason == "fx_missing" else (None, 0, "unit_cost_absent"))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"fct_cost_line": []}, "source_absent"),
        ({"mart_account_service_month": [["a", JANUARY, 1, None, "fx_missing"]]}, "fx_missing"),
    ],
)
def test_without_known_cost_nobody_has_a_tier_and_no_other_measure_takes_its_place(
    company: Callable[..., Any], rows: dict[str, Any], reason: str
) -> None:
    engine = company(**FIVE | rows)
    build(engine)
    found = engine.rows(TIERS)
    assert [row[1:] for row in found] == [(None, None, reason)] * len(found)
    assert len(found) >= 4


def test_when_nothing_has_a_rate_sales_are_unknown_and_not_nothing(company: Callable[..., Any]) -> None:
    nothing = [["a", JANUARY, None, None, None, None, "fx_missing", None, None, None]]
    engine = company(mart_account_sales_month=nothing, fct_cost_line=[[JANUARY, True, False]])
    build(engine)
    for kind in ("gross_sales", "net_revenue", "margin_after_service", "payments"):
        assert measure(engine, kind, "total_amount, top20_share, unpriced_count, null_reason") == (None, None, 1, "fx_missing"), kind


def test_running_months_have_no_tiers(company: Callable[..., Any]) -> None:
    engine = company(months=1, running=1, **FIVE)
    build(engine)
    assert engine.rows("select count(*) from analytics.mart_account_tier")[0] == (0,)
    assert engine.rows("select bool_or(is_complete_period) from analytics.mart_concentration")[0] == (False,)


def test_a_company_without_anything_gets_empty_tables(company: Callable[..., Any]) -> None:
    engine = company(feeds=(), accounts="")
    assert build(engine) == {"concentration_rows": 0, "curve_rows": 0, "tier_rows": 0, "latest_top20_share": {}}
