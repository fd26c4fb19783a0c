"""Retention tables of a hand-made company. Breaks: which orders make a customer active."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dagster_project.analytics import retention
from dagster_project.analytics.subject import run


def order(order_id: str, account: str, day: date) -> list[Any]:
    return [order_id, account, "sale", True, day, day.replace(day=1)]


def line(order_id: str, account: str, day: date, net: str = "10", sale: bool = True, counted: bool = True) -> list[Any]:
    return [order_id, account, sale, counted, net, day, day.replace(day=1)]


JAN, FEB, APR = date(2025, 1, 10), date(2025, 2, 10), date(2025, 4, 10)


@pytest.mark.spec("C17")
@pytest.mark.spec("C18")
def test_months_count_new_retained_and_lost_customers_without_pseudo_accounts(company: Callable[..., Any]) -> None:
    lines = [
        line("1", "a", JAN),
        line("1", "a", JAN),
        line("2", "b", JAN),
        line("3", "a", FEB),
        line("4", "a", FEB),
        line("5", "ACCOUNT_UNKNOWN", FEB),
    ]
    engine = company(months=4, fct_order_line_net=lines, fct_order=[order(str(n), "a", JAN) for n in range(1, 6)])
    assert run(retention.SUBJECT, engine)["month_rows"] == 4
    found = engine.rows("""
        select active_orders_count, ordering_count, repeat_order_count, new_count, retained_count, churned_count, active_count,
            repeat_purchase_rate
        from analytics.mart_retention_month order by period_month""")
    # Window of 60 days: b's order of 10 January lasts through 10 March, a's of 10 February through 10 April. Orders reach back to
    # 10 January only: who was active then is known from April on, whether a and b had ordered before not at all.
    assert found == [
        (2, 2, None, None, None, None, None, 0.0), (2, 1, 2, 0, None, None, None, 1.0), (0, 0, 0, 0, None, None, None, None),
        (0, 0, 0, 0, 0, 1, 0, None),
    ]  # fmt: skip
    rate = engine.rows(
        """
        select retention_rate, retention_rate_num, retention_rate_den, retention_null_reason, active_null_reason, new_null_reason
        from analytics.mart_retention_month order by period_month"""
    )
    young = (None, None, None, "not_mature", "not_mature")
    assert rate == [(*young, "not_mature"), (*young, None), (*young, None), (*young[:4], None, None)]


def test_two_windows_after_the_first_order_retention_is_known(company: Callable[..., Any]) -> None:
    lines = [line("1", "a", JAN), line("2", "b", JAN), line("3", "a", APR), line("4", "c", APR)]
    made = {day: datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in (JAN, APR)}
    engine = company(
        months=6, created={"a": made[JAN], "c": made[APR]}, fct_order_line_net=lines, fct_order=[order("1", "a", JAN), order("4", "c", APR)]
    )
    run(retention.SUBJECT, engine)
    found = engine.rows("""
        select retention_rate_num, retention_rate_den, retention_null_reason, retention_90_null_reason, new_count
        from analytics.mart_retention_month order by period_month offset 3""")
    # From 10 January two windows of 60 days are full on 9 May; at the end of May nobody was active a window ago, at that of June a and c.
    assert found == [
        (None, None, "not_mature", "not_mature", 1),
        (0, 0, "zero_denominator", "not_mature", 0),
        (0, 2, None, "not_mature", 0),
    ]


@pytest.mark.parametrize(("refunded", "in_reporting_currency", "active"), [("100", "100", 0), ("60", "120", 1), ("99.99", "200", 1)])
def test_a_purchase_is_taken_back_when_its_own_currency_says_so(
    company: Callable[..., Any], refunded: str, in_reporting_currency: str, active: int
) -> None:
    """100 USD were 100 EUR in the month of the order or 50; the rate of the refund's month says nothing about how much came back."""
    for worth in ("100", "50", "250"):
        lines = [[*line("1", "a", JAN, net=worth), "100", "USD"]]
        refunds = [["1", True, in_reporting_currency, date(2025, 2, 9), refunded, "USD"]]
        engine = company(months=2, fct_order_line_net=lines, fct_order=[order("1", "a", JAN)], fct_refund=refunds)
        run(retention.SUBJECT, engine)
        assert engine.rows("select coalesce(sum(ordering_count), 0) from analytics.mart_retention_month") == [(active,)]


def test_a_refund_in_another_currency_is_compared_in_the_reporting_currency(company: Callable[..., Any]) -> None:
    lines = [[*line("1", "a", JAN, net="90"), "100", "USD"], [*line("2", "b", JAN, net="91"), "100", "USD"]]
    refunds = [["1", True, "90", JAN, "90", "EUR"], ["2", True, "90", JAN, "90", "EUR"]]
    engine = company(months=2, fct_order_line_net=lines, fct_order=[order("1", "a", JAN), order("2", "b", JAN)], fct_refund=refunds)
    run(retention.SUBJECT, engine)
    assert engine.rows("select ordering_count from analytics.mart_retention_month") == [(1,), (0,)]


def test_neither_credits_nor_cancelled_nor_quickly_refunded_orders_make_a_customer_active(company: Callable[..., Any]) -> None:
    lines = [
        line("1", "a", JAN, sale=False, net="-10"), line("2", "b", JAN, counted=False), line("3", "c", JAN, net="10"),
        line("4", "d", JAN, net="10"),
        line("5", "e", JAN, net="10"),
    ]  # fmt: skip
    refunds = [["3", True, "10", date(2025, 2, 9)], ["4", True, "9.99", JAN], ["5", True, "10", date(2025, 2, 10)]]
    engine = company(months=3, fct_order_line_net=lines, fct_order=[order(str(n), "x", JAN) for n in range(1, 6)], fct_refund=refunds)
    run(retention.SUBJECT, engine)
    # c was refunded in full on the thirtieth day, d in part, e in full a day too late to undo the purchase.
    assert engine.rows("select ordering_count from analytics.mart_retention_month order by 1 desc limit 1") == [(2,)]


def test_a_company_with_orders_but_no_lines_is_read_from_its_orders(company: Callable[..., Any]) -> None:
    orders = [order("0", "ACCOUNT_UNKNOWN", date(2025, 1, 2)), order("1", "a", JAN), order("2", "a", APR)]
    engine = company(months=4, feeds=("orders",), created={"a": datetime(2025, 1, 10, 8, tzinfo=UTC)}, fct_order=orders)
    run(retention.SUBJECT, engine)
    cells = engine.rows(
        """
        select cohort_month, month_number, cohort_count, active_count, active_share, null_reason
        from analytics.mart_retention_cohort order by 1, 2"""
    )
    january = date(2025, 1, 1)
    assert cells == [
        (january, 0, 1, 1, 1.0, None),
        (january, 1, 1, 0, 0.0, None),
        (january, 2, 1, 0, 0.0, None),
        (january, 3, 1, 1, 1.0, None),
    ]


def test_cells_after_the_watermark_are_null_and_say_so(company: Callable[..., Any]) -> None:
    created = {"a": datetime(2025, 1, 10, 8, tzinfo=UTC), "b": datetime(2025, 2, 5, 8, tzinfo=UTC)}
    lines = [line("1", "a", JAN), line("2", "b", date(2025, 2, 5))]
    engine = company(months=2, running=1, created=created, fct_order_line_net=lines, fct_order=[order("0", "a", date(2025, 1, 2))])
    run(retention.SUBJECT, engine)
    cells = engine.rows(
        """
        select month_number, active_count, active_share, cumulative_repeat_count, null_reason, is_complete_period
        from analytics.mart_retention_cohort order by cohort_month, 1"""
    )
    assert cells == [
        (0, 1, 1.0, 0, None, True), (1, 0, 0.0, 0, None, False), (0, 1, 1.0, 0, None, False), (1, None, None, None, "not_mature", False),
    ]  # fmt: skip


def test_a_company_without_orders_gets_empty_tables(company: Callable[..., Any]) -> None:
    engine = company(months=0, feeds=("interactions",))
    assert run(retention.SUBJECT, engine) == {"month_rows": 0, "cohort_rows": 0, "latest_retention_rate": None}
