"""Retention tables of a hand-made company. Breaks: which orders make a customer active."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from dagster_project.analytics import retention


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
    assert retention.build(engine)["month_rows"] == 4
    found = engine.rows("""
        select orders_count, ordering_count, repeat_order_count, new_count, retained_count, churned_count, active_count,
            repeat_purchase_rate
        from analytics.mart_retention_month order by period_month""")
    # Window of 60 days: b's order of 10 January lasts through 10 March, a's of 10 February through 10 April.
    assert found == [(2, 2, 0, 2, 0, 0, 2, 0.0), (2, 1, 2, 0, 2, 0, 2, 1.0), (0, 0, 0, 0, 1, 1, 1, None), (0, 0, 0, 0, 0, 1, 0, None)]
    rate = engine.rows(
        """
        select retention_rate, retention_rate_num, retention_rate_den, retention_null_reason
        from analytics.mart_retention_month order by period_month"""
    )
    assert rate == [(None, 0, 0, "not_mature"), (None, 0, 0, "not_mature"), (0.5, 1, 2, None), (0.0, 0, 2, None)]


def test_neither_credits_nor_cancelled_nor_quickly_refunded_orders_make_a_customer_active(company: Callable[..., Any]) -> None:
    lines = [
        line("1", "a", JAN, sale=False, net="-10"), line("2", "b", JAN, counted=False), line("3", "c", JAN, net="10"),
        line("4", "d", JAN, net="10"),
        line("5", "e", JAN, net="10"),
    ]  # fmt: skip
    refunds = [["3", True, "10", date(2025, 2, 9)], ["4", True, "9.99", JAN], ["5", True, "10", date(2025, 2, 10)]]
    engine = company(months=3, fct_order_line_net=lines, fct_order=[order(str(n), "x", JAN) for n in range(1, 6)], fct_refund=refunds)
    retention.build(engine)
    # c was refunded in full on the thirtieth day, d in part, e in full a day too late to undo the purchase.
    assert engine.rows("select ordering_count, new_count from analytics.mart_retention_month order by 1 desc limit 1")[0] == (2, 2)


def test_a_company_with_orders_but_no_lines_is_read_from_its_orders(company: Callable[..., Any]) -> None:
    engine = company(months=4, feeds=("orders",), fct_order=[order("1", "a", JAN), order("2", "a", APR)])
    retention.build(engine)
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
    engine = company(months=2, running=1, fct_order_line_net=[line("1", "a", JAN), line("2", "b", date(2025, 2, 5))])
    retention.build(engine)
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
    assert retention.build(engine) == {"month_rows": 0, "cohort_rows": 0, "latest_retention_rate": None}
