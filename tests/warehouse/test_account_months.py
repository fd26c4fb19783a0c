"""Sales, service and the 360 view per account, reckoned by hand on the company that has every feed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
Connection = duckdb.DuckDBPyConnection


def sales(connection: Connection, account: str, month: date, *columns: str) -> tuple[Any, ...] | None:
    return connection.execute(
        f"select {', '.join(columns)} from marts.mart_account_sales_month where account_id = ? and period_month = ?", [account, month]
    ).fetchone()


def test_a_sale_counts_gross_net_and_margin(whole: Connection) -> None:
    got = sales(
        whole, "a", JANUARY, "orders_count", "gross_sales_amount", "net_revenue_amount", "contribution_margin_amount", "margin_null_reason"
    )
    assert got == (1, Decimal("100.00"), Decimal("100.00"), Decimal("-20.01"), None)  # 2 x 60.005 costs 120.01


def test_foreign_sales_credits_and_test_orders(whole: Connection) -> None:
    got = sales(
        whole,
        "a",
        FEBRUARY,
        "orders_count",
        "gross_sales_amount",
        "credit_amount",
        "net_revenue_amount",
        "contribution_margin_amount",
        "payment_amount",
    )
    # 10 GBP x 1.20345 = 12.03, cost 4 GBP = 4.81; credit memo -30.00 with cost -20.00; the test order is nowhere
    assert got == (
        1,
        Decimal("12.03"),
        Decimal("-30.00"),
        Decimal("-17.97"),
        Decimal("12.03") - Decimal("4.81") - Decimal("10.00"),
        Decimal("100.00"),
    )


def test_a_refund_lowers_the_month_of_the_refund_and_restocked_goods_give_their_cost_back(whole: Connection) -> None:
    got = sales(
        whole, "b", MARCH, "gross_sales_amount", "refund_amount", "net_revenue_amount", "contribution_margin_amount", "offer_margin_amount"
    )
    # LATE sells 70.00 at cost 50.00; the refund of OFFER takes 80.00 and gives 50.00 of cost back
    assert got == (Decimal("70.00"), Decimal("80.00"), Decimal("-10.00"), Decimal("-10.00"), Decimal("-30.00"))
    assert sales(whole, "a", MARCH, "refund_amount", "contribution_margin_amount") == (Decimal("5.00"), Decimal("-5.00"))


def test_only_an_order_inside_the_window_accepts_the_offer(whole: Connection) -> None:
    assert sales(whole, "b", FEBRUARY, "offer_margin_amount", "offer_margin_null_reason") == (Decimal("30.00"), None)
    rows = whole.execute("select order_id from marts.fct_order where is_accepted_offer").fetchall()
    assert rows == [("OFFER",)]  # LATE came after 30 days, EARLY before the call


def test_a_missing_unit_cost_makes_the_margin_unknown_not_zero(whole: Connection) -> None:
    got = sales(whole, "b", JANUARY, "net_revenue_amount", "contribution_margin_amount", "margin_null_reason", "offer_margin_amount")
    assert got == (Decimal("60.00"), None, "unit_cost_absent", Decimal("0.00"))


def test_a_missing_rate_makes_sales_unknown_not_zero(whole: Connection) -> None:
    got = sales(
        whole, "c", MARCH, "gross_sales_amount", "net_revenue_amount", "null_reason", "contribution_margin_amount", "margin_null_reason"
    )
    assert got == (None, None, "fx_missing", None, "fx_missing")


def test_a_line_whose_order_never_came_is_an_orphan_that_counts_nowhere(whole: Connection) -> None:
    rows = whole.execute("select order_id, account_id, is_counted, period_month from marts.fct_order_line_net where is_orphan").fetchall()
    assert rows == [("NOORDER", "ACCOUNT_UNKNOWN", False, None)]


def test_unknown_accounts_and_aliases_find_their_place(whole: Connection) -> None:
    got = dict(
        whole.execute(
            "select order_id, account_id from marts.fct_order where order_id = 'GUEST' union all select "
            "ticket_id, account_id from marts.fct_ticket where ticket_id in ('OWN', 'BLANK')"
        ).fetchall()
    )
    assert got == {"GUEST": "ACCOUNT_UNKNOWN", "OWN": "ACCOUNT_UNKNOWN", "BLANK": "b"}


def test_service_months_count_what_happened_where(whole: Connection) -> None:
    row = whole.execute(
        "select contacts_count, calls_count, tickets_created_count, tickets_solved_count, handle_seconds, "
        "service_cost_amount, csat_num, csat_response_count, null_reason "
        "from marts.mart_account_service_month where account_id = 'a' and period_month = ?",
        [JANUARY],
    ).fetchone()
    assert row == (7, 7, 6, 6, 201 * 60, Decimal("10000.00"), 2, 3, None)


def test_categories_of_an_account_add_up_to_its_service_cost(whole: Connection) -> None:
    rows = whole.execute(
        "select service_cost_amount, people_cost_amount + it_cost_amount + facilities_cost_amount + other_cost_amount "
        "from marts.mart_account_service_month"
    ).fetchall()
    assert len(rows) > 5
    assert all(total == parts for total, parts in rows)


def test_the_comment_is_measured_and_never_kept(whole: Connection) -> None:
    columns = {row[0] for row in whole.execute("describe marts.fct_survey_response").fetchall()}
    assert "comment" not in columns
    assert whole.execute("select has_comment, comment_character_count from marts.fct_survey_response order by response_id").fetchall() == [
        (True, 4),
        (False, 0),
        (False, 0),
        (False, 0),
    ]


def test_the_customer_view_is_as_of_the_watermark(whole: Connection) -> None:
    row = whole.execute(
        "select as_of_date, first_order_date, orders_count, order_gap_median_days, contacts_count, tickets_open_count, "
        "complaints_365_count, csat_latest_score, nps_latest_score, "
        "cost_to_serve_365_amount, payment_amount from marts.mart_customer_360 where account_id = 'a'"
    ).fetchone()
    assert row is not None
    assert row[:9] == (date(2025, 3, 28), date(2025, 1, 5), 2, Decimal("31.0"), 8, 0, 0, Decimal("1.0000"), Decimal("9.0000"))
    cost = whole.execute(
        "select sum(service_cost_amount) from marts.mart_account_service_month where account_id = 'a' and period_month < date '2025-03-01'"
    ).fetchone()
    assert cost is not None
    assert row[9] == cost[0]  # March is not over on the 28th
    assert row[10] == Decimal("101.50")


def test_a_month_is_complete_when_the_data_reach_its_last_day(whole: Connection) -> None:
    rows = whole.execute(
        "select period_month, is_complete_period from marts.dim_period where period_month between date "
        "'2025-01-01' and date '2025-03-01' order by 1"
    ).fetchall()
    assert rows == [(JANUARY, True), (FEBRUARY, True), (MARCH, False)]
