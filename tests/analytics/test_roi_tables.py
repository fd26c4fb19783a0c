"""ROI tables of a hand-made company. Breaks: the account rows, the company rows, and that both tie."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dagster_project.analytics import roi
from dagster_project.analytics.subject import run
from dagster_project.engines.engine import Engine

JANUARY, FEBRUARY = date(2025, 1, 1), date(2025, 2, 1)


def sales(account: str, when: date, margin: str | None, offer: str | None = "0", reason: str | None = None) -> list[Any]:
    net = None if reason else "100"
    return [account, when, net, "0" if net else None, "0" if net else None, net, reason, margin, offer, None]


# The fixture of the ROI equation: value and cost of five accounts, once as margin and once as accepted offers.
VALUE_AND_COST = {"a": ("120", "50"), "b": ("0", "30"), "c": ("300", "100"), "d": ("-40", "20"), "e": ("80", "50")}
COSTS = [[when, True, False] for when in (JANUARY, FEBRUARY)]
FIXTURE = {
    "mart_account_service_month": [[account, JANUARY, 1, cost] for account, (_, cost) in VALUE_AND_COST.items()],
    "mart_account_sales_month": [sales(account, JANUARY, value, value) for account, (value, _) in VALUE_AND_COST.items()],
    "fct_cost_line": COSTS,
}


def one(engine: Engine, sql: str) -> Any:
    (row,) = engine.rows(sql)
    return row if len(row) > 1 else row[0]


def rows(engine: Engine, sql: str) -> list[Any]:
    return engine.rows(sql)


MONTH = "from analytics.mart_service_roi_month where window_kind = 'month' and period_month = date '2025-01-01'"


@pytest.mark.spec("C01")
@pytest.mark.spec("C20")
def test_the_company_month_holds_value_cost_and_the_ratio_of_their_sums(company: Callable[..., Any]) -> None:
    engine = company(**FIXTURE)
    run(roi.SUBJECT, engine)
    assert one(engine, f"select v_hard_amount, service_cost_amount {MONTH}") == (Decimal("460"), Decimal("250"))
    assert one(engine, f"select roi_hard_ratio, roi_hard_num, roi_hard_den, roi_state {MONTH}") == (
        pytest.approx(0.84), Decimal("210"), Decimal("250"), "partial",
    )  # fmt: skip
    name = "margin_per_service_cost"
    assert one(engine, f"select {name}_ratio, {name}_low95_ratio, {name}_high95_ratio {MONTH}") == pytest.approx(
        (1.84, 0.501206, 3.178794), abs=1e-6
    )
    assert one(engine, f"select {name}_num, {name}_den {MONTH}") == (Decimal("460"), Decimal("250"))
    own = rows(engine, "select roi_hard_ratio from analytics.mart_service_roi_account where window_kind = 'month' order by account_id")
    assert [ratio for (ratio,) in own] == pytest.approx([1.4, -1.0, 2.0, -3.0, 0.6])


def test_what_counts_unmeasured_value_or_damage_is_null_and_never_equal_to_hard_value(company: Callable[..., Any]) -> None:
    engine = company(**FIXTURE)
    run(roi.SUBJECT, engine)
    whole = "roi_ratio, roi_low95_ratio, net_benefit_amount, roi_all_ratio, roi_before_damage_ratio"
    assert one(engine, f"select {whole}, null_reason {MONTH}") == (*[None] * 5, "not_built")
    assert rows(engine, "select distinct roi_ratio, null_reason, roi_state from analytics.mart_service_roi_account") == [
        (None, "not_built", "partial")
    ]


def test_pseudo_accounts_carry_their_cost_into_the_company_total(company: Callable[..., Any]) -> None:
    more = FIXTURE | {"mart_account_service_month": [*FIXTURE["mart_account_service_month"], ["UNALLOCATED", JANUARY, 0, "150.01"]]}
    engine = company(**more)
    run(roi.SUBJECT, engine)
    assert one(engine, f"select service_cost_amount, accounts_count {MONTH}") == (Decimal("400.01"), 5)
    name = "margin_per_service_cost"
    low, ratio, high = one(engine, f"select {name}_low95_ratio, {name}_ratio, {name}_high95_ratio {MONTH}")
    assert (low + high) / 2 == pytest.approx(ratio)
    # Known cost beside the sampled accounts makes the ratio steadier than the five accounts alone.
    assert high - low < 2.178794 + 0.498794
    total = """
        select sum(service_cost_amount), sum(v_hard_amount), sum(contribution_margin_amount)
        from analytics.mart_service_roi_account where window_kind = 'month'"""
    assert one(engine, total) == one(engine, f"select service_cost_amount, v_hard_amount, contribution_margin_amount {MONTH}")


def test_an_account_with_cost_and_no_orders_returns_minus_one_and_one_without_service_has_no_ratio(company: Callable[..., Any]) -> None:
    engine = company(
        mart_account_service_month=[["a", JANUARY, 2, "10.00"]],
        mart_account_sales_month=[sales("b", JANUARY, "7.50", "0")],
        fct_cost_line=COSTS,
    )
    run(roi.SUBJECT, engine)
    found = rows(
        engine,
        """
        select account_id, roi_hard_ratio, roi_hard_null_reason, contribution_margin_amount, null_reason
        from analytics.mart_service_roi_account where window_kind = 'month' order by 1""",
    )
    assert found == [
        ("a", -1.0, None, Decimal("0"), "not_built"), ("b", None, "no_service_cost", Decimal("7.50"), "no_service_cost"),
    ]  # fmt: skip


def test_trailing_twelve_sums_the_last_twelve_months_and_is_complete_only_when_all_are_over(company: Callable[..., Any]) -> None:
    months = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(14)]
    engine = company(
        running=1,
        mart_account_service_month=[["a", when, 1, f"{10 ** (n % 3)}.01"] for n, when in enumerate(months)],
        fct_cost_line=[[when, True, False] for when in months],
        mart_account_sales_month=[sales("a", when, "1") for when in months],
    )
    run(roi.SUBJECT, engine)
    found = rows(
        engine,
        """
        select service_cost_amount, months_count, is_complete_period
        from analytics.mart_service_roi_month where window_kind = 'trailing_12' order by period_month""",
    )
    costs = [Decimal(f"{10 ** (n % 3)}.01") for n in range(14)]
    assert [amount for amount, _, _ in found] == [sum(costs[max(n - 11, 0) : n + 1]) for n in range(14)]
    assert [count for _, count, _ in found] == [*range(1, 12), 12, 12, 12]
    assert [complete for _, _, complete in found] == [False] * 11 + [True, True, False]


def test_a_lapsed_account_stays_in_the_trailing_window_until_its_month_leaves(company: Callable[..., Any]) -> None:
    months = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(14)]
    engine = company(
        mart_account_service_month=[["a", months[0], 1, "5"], *(["b", when, 1, "1"] for when in months)],
        fct_cost_line=[[when, True, False] for when in months],
    )
    run(roi.SUBJECT, engine)
    seen = rows(
        engine,
        "select period_month from analytics.mart_service_roi_account where account_id = 'a' and window_kind = 'trailing_12' order by 1",
    )
    assert [when for (when,) in seen] == months[:12]


def test_a_month_without_any_cost_line_has_no_roi_and_neither_has_a_window_that_holds_it(company: Callable[..., Any]) -> None:
    engine = company(
        mart_account_service_month=[["a", JANUARY, 1, "10"], ["a", FEBRUARY, 1, None]],
        mart_account_sales_month=[sales("a", JANUARY, "30", "30"), sales("a", FEBRUARY, "30", "30")],
        fct_cost_line=[[JANUARY, True, False], [FEBRUARY, False, False]],
    )
    run(roi.SUBJECT, engine)
    found = rows(
        engine,
        """
        select window_kind, service_cost_amount, roi_ratio, null_reason
        from analytics.mart_service_roi_month where period_month = date '2025-02-01' order by 1""",
    )
    assert found == [("month", None, None, "source_absent"), ("trailing_12", None, None, "source_absent")]


def test_a_month_of_which_is_the_budget_is_provisional_and_so_is_a_window_that_holds_it(company: Callable[..., Any]) -> None:
    months = [date(2025, 1, 1), date(2025, 2, 1), date(2026, 1, 1), date(2026, 2, 1)]
    engine = company(
        months=14,
        mart_account_service_month=[["a", when, 1, "10"] for when in months],
        mart_account_sales_month=[sales("a", when, "30", "30") for when in months],
        fct_cost_line=[[when, True, when == months[1]] for when in months] + [[months[1], True, False]],
    )
    run(roi.SUBJECT, engine)
    for table in ("mart_service_roi_account", "mart_service_roi_month"):
        found = rows(engine, f"select period_month, window_kind from analytics.{table} where is_provisional order by all")
        found = [row for row in found if row[0] in months]
        assert found == [(months[1], "month"), (months[1], "trailing_12"), (months[2], "trailing_12")]


def test_one_cost_line_without_a_rate_makes_the_cost_of_its_month_unknown_and_says_why(company: Callable[..., Any]) -> None:
    engine = company(
        mart_account_service_month=[["a", JANUARY, 1, "10"], ["a", FEBRUARY, 1, None, "fx_missing"]],
        mart_account_sales_month=[sales("a", JANUARY, "30", "30"), sales("a", FEBRUARY, "30", "30")],
        fct_cost_line=[[JANUARY, True, False], [FEBRUARY, True, False]],
    )
    run(roi.SUBJECT, engine)
    found = rows(
        engine,
        """
        select
            window_kind, service_cost_amount, service_cost_null_reason, margin_per_service_cost_ratio, margin_per_service_cost_null_reason
        from analytics.mart_service_roi_month where period_month = date '2025-02-01' order by 1""",
    )
    unknown = (None, "fx_missing", None, "fx_missing")
    assert found == [("month", *unknown), ("trailing_12", *unknown)]


@pytest.mark.parametrize(
    ("feeds", "margin_reason", "hard_reason"),
    [
        (("interactions", "ledger_actuals"), "source_absent", "source_absent"),
        (("orders", "order_lines", "ledger_actuals"), None, "source_absent"),
        (("orders", "interactions", "ledger_actuals"), "source_absent", "source_absent"),
    ],
)
def test_value_lines_of_absent_feeds_are_null_with_a_reason(
    company: Callable[..., Any], feeds: tuple[str, ...], margin_reason: str | None, hard_reason: str
) -> None:
    engine = company(feeds=feeds, mart_account_service_month=[["a", JANUARY, 1, "10"]], fct_cost_line=COSTS)
    run(roi.SUBJECT, engine)
    found = one(engine, f"select contribution_margin_null_reason, v_hard_null_reason, v_hard_amount, null_reason {MONTH}")
    assert found == (margin_reason, hard_reason, None, "source_absent")


def test_before_the_first_order_or_offer_value_is_unknown_and_so_is_a_window_that_holds_such_a_month(company: Callable[..., Any]) -> None:
    """Cost from the first month on, orders from the third, offers from the fourth: a ratio of 12 months of cost and 10 of sales is none."""
    months = [date(2025, n, 1) for n in range(1, 13)] + [date(2026, n, 1) for n in range(1, 5)]
    engine = company(
        months=16, begins={"orders": 2, "offers": 3},
        mart_account_service_month=[["a", month, 1, "10"] for month in months],
        mart_account_sales_month=[sales("a", month, "30", "5") for month in months[2:]],
        fct_cost_line=[[month, True, False] for month in months],
    )  # fmt: skip
    run(roi.SUBJECT, engine)
    sql = "select contribution_margin_null_reason, v_hard_null_reason, margin_per_service_cost_ratio, roi_hard_ratio from analytics.{}"
    sql += " where window_kind = '{}' order by period_month"
    unknown = ("source_absent", "source_absent", None, None)
    margin_only, whole = (None, "source_absent", 3.0, None), (None, None, 3.0, -0.5)
    for table in ("mart_service_roi_month", "mart_service_roi_account"):
        if table == "mart_service_roi_account":
            sql = sql.replace(
                "contribution_margin_null_reason, v_hard_null_reason", "margin_per_service_cost_null_reason, roi_hard_null_reason"
            )
        assert rows(engine, sql.format(table, "month")) == [unknown] * 2 + [margin_only] + [whole] * 13, table
        assert rows(engine, sql.format(table, "trailing_12")) == [unknown] * 13 + [margin_only] + [whole] * 2, table


def test_one_unknown_unit_cost_makes_the_company_margin_unknown_and_says_why(company: Callable[..., Any]) -> None:
    engine = company(
        mart_account_service_month=[["a", JANUARY, 1, "10"], ["b", JANUARY, 1, "10"]],
        mart_account_sales_month=[sales("a", JANUARY, "30"), sales("b", JANUARY, None)],
        fct_cost_line=COSTS,
    )
    run(roi.SUBJECT, engine)
    columns = "contribution_margin_amount, margin_per_service_cost_ratio, margin_per_service_cost_null_reason"
    assert one(engine, f"select {columns} {MONTH}") == (None, None, "unit_cost_absent")
    own = f"select {columns} from analytics.mart_service_roi_account where window_kind = 'month' order by account_id"
    assert rows(engine, own) == [(Decimal("30"), 3.0, None), (None, None, "unit_cost_absent")]


def test_what_has_no_rate_is_counted_next_to_the_sums_of_the_company_and_blanks_nobody_else(company: Callable[..., Any]) -> None:
    """One line of a has no rate, and none of b: of a and of the company the rest is known, of b nothing is."""
    engine = company(
        mart_account_service_month=[["a", JANUARY, 1, "10"], ["b", JANUARY, 1, "10"]],
        mart_account_sales_month=[[*sales("a", JANUARY, "30", "5"), 1], sales("b", JANUARY, None, None, "fx_missing")],
        fct_cost_line=COSTS,
    )
    run(roi.SUBJECT, engine)
    columns = "window_kind, unpriced_count, contribution_margin_amount, margin_per_service_cost_ratio, roi_hard_ratio"
    january = "where period_month = date '2025-01-01' order by 1"
    assert rows(engine, f"select {columns} from analytics.mart_service_roi_month {january}") == [
        (kind, 2, Decimal("30"), 1.5, -0.75) for kind in ("month", "trailing_12")
    ]
    reason = "margin_per_service_cost_null_reason"
    assert rows(engine, f"select account_id, {columns}, {reason} from analytics.mart_service_roi_account {january}, 2") == [
        *(("a", kind, 1, Decimal("30"), 3.0, -0.5, None) for kind in ("month", "trailing_12")),
        *(("b", kind, 1, None, None, None, "fx_missing") for kind in ("month", "trailing_12")),
    ]


def test_a_company_without_anything_gets_empty_tables(company: Callable[..., Any]) -> None:
    engine = company(feeds=())
    assert run(roi.SUBJECT, engine)["account_rows"] == 0
    assert one(engine, "select count(*) from analytics.mart_service_roi_month") == 0


def test_an_account_missing_from_the_dimension_stops_the_build(company: Callable[..., Any]) -> None:
    engine = company(mart_account_service_month=[["stranger", JANUARY, 1, "10"]])
    with pytest.raises(ValueError, match="1 account-months name an account"):
        run(roi.SUBJECT, engine)


def test_building_twice_gives_the_same_rows(company: Callable[..., Any]) -> None:
    engine = company(**FIXTURE)
    run(roi.SUBJECT, engine)
    first = rows(engine, "select * from analytics.mart_service_roi_account order by all")
    run(roi.SUBJECT, engine)
    assert rows(engine, "select * from analytics.mart_service_roi_account order by all") == first
