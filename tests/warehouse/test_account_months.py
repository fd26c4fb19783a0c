"""Sales, refunds and payments of accounts by month, reckoned by hand on the company that has every feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

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


def test_an_order_that_names_only_its_offer_is_found_by_the_offers_feed(quick: Callable[..., Connection]) -> None:
    """Offer F1 was made in call I5, an hour before order O7; F2 in no call at all, F3 taken back, F4 too late, F5 is of nobody."""
    made = "2025-01-10T10:00:00+00"
    named = {"F1": "2025-01-10T11:00:00+00", "F2": "2025-02-09T10:00:00+00", "F3": made, "F4": "2025-02-09T10:00:01+00", "F5": made}
    connection = quick({
        "interactions": [{"interaction_id": "I5", "account_id": "a", "started_at": made, "channel": "phone"}],
        "offers": [{"offer_id": "F1", "interaction_id": "I5", "offer_kind": "upsell", "offered_at": "2025-01-10T12:00:00+00"},
                   *({"offer_id": f"F{n}", "offer_kind": "save", "offered_at": made, "is_deleted": n == 3} for n in (2, 3, 4))],
        "orders": [{"order_id": f"O{offer}", "account_id": "a", "ordered_at": at, "currency_code": "EUR", "offer_id": offer}
                   for offer, at in named.items()],
    })  # fmt: skip
    rows = connection.execute("select offer_id from marts.fct_order where is_accepted_offer order by 1").fetchall()
    assert rows == [("F1",), ("F2",)]


def test_a_full_return_in_another_currency_leaves_neither_revenue_nor_margin(quick: Callable[..., Connection]) -> None:
    """100 USD sold in February at 2, returned to the shelf in March at 1."""
    rate = {"from_currency_code": "USD", "to_currency_code": "EUR", "rate_type": "average", "rate_source": "s"}
    connection = quick({
        "orders": [{"order_id": "O1", "account_id": "a", "ordered_at": "2025-02-10T12:00:00+00", "currency_code": "USD"}],
        "order_lines": [{"order_id": "O1", "line_id": "1", "quantity": 3, "unit_price": "33.3333", "net_amount": "100.00",
                         "unit_cost": "13.335"}],
        "refunds": [{"refund_id": "R1", "order_id": "O1", "line_id": "1", "refunded_at": "2025-03-05T12:00:00+00",
                     "refund_amount": "100.00", "currency_code": "USD", "is_restocked": True, "returned_quantity": 3}],
        "fx_rates": [{**rate, "rate_date": "2025-02-01", "exchange_rate": "1.98765"},
                     {**rate, "rate_date": "2025-03-01", "exchange_rate": "1"}],
    })  # fmt: skip
    sums = connection.execute(
        "select sum(net_revenue_amount), sum(contribution_margin_amount), count(*) from marts.mart_account_sales_month"
    )
    assert sums.fetchall() == [(0, 0, 2)]


def sold_and_back(currency: str = "EUR", unit_cost: str | None = "40.00", **refund: Any) -> dict[str, list[dict[str, Any]]]:
    """One unit sold in February for 10,000 of a currency (of yen 0.006 EUR each), refunded in March with 60.00 EUR."""
    back = {"refund_id": "R1", "order_id": "O1", "line_id": "1", "refunded_at": "2025-03-05T12:00:00+00", "refund_amount": "60.00"}
    rate = {"to_currency_code": "EUR", "rate_type": "average", "rate_source": "s", "rate_date": "2025-02-01"}
    return {
        "orders": [{"order_id": "O1", "account_id": "a", "ordered_at": "2025-02-10T12:00:00+00", "currency_code": currency}],
        "order_lines": [{"order_id": "O1", "line_id": "1", "quantity": 1, "unit_price": "10000", "net_amount": "10000",
                         "unit_cost": unit_cost}],
        "refunds": [{**back, "currency_code": "EUR", "is_restocked": True, "returned_quantity": 1, **refund}],
        "fx_rates": [{**rate, "from_currency_code": "JPY", "exchange_rate": "0.006"}],
    }  # fmt: skip


def test_cost_of_goods_comes_back_in_the_currency_and_at_the_rate_of_their_order(quick: Callable[..., Connection]) -> None:
    """5,000 yen are 30.00 EUR at the rate of the order's month; March has no rate for yen, and the refund needs none."""
    connection = quick(sold_and_back("JPY", "5000"))
    columns = "refund_amount, cost_recovered_amount, cost_recovered_null_reason, is_fx_missing"
    assert connection.execute(f"select {columns} from marts.fct_refund").fetchall() == [(Decimal("60.00"), Decimal("30.00"), None, False)]
    margins = "select contribution_margin_amount from marts.mart_account_sales_month order by period_month"
    assert connection.execute(margins).fetchall() == [(Decimal("30.00"),), (Decimal("-30.00"),)]
    without = quick(sold_and_back("CHF", "5000"))
    assert without.execute(f"select {columns} from marts.fct_refund").fetchall() == [(Decimal("60.00"), None, "fx_missing", True)]
    counted = "net_revenue_amount, unpriced_count, contribution_margin_amount"
    assert sales(without, "a", MARCH, *counted.split(", ")) == (Decimal("-60.00"), 1, Decimal("-60.00"))


@pytest.mark.parametrize(
    ("rows", "back"),
    [
        (sold_and_back(), Decimal("40.00")),
        (sold_and_back(unit_cost=None), None),
        (sold_and_back(returned_quantity=None), None),
        (sold_and_back(line_id=None), None),
        (sold_and_back(order_id="BEFORE"), None),
        (sold_and_back(unit_cost=None, is_restocked=False), Decimal(0)),
        (sold_and_back(unit_cost=None, returned_quantity=0), Decimal(0)),
        (sold_and_back(order_id="BEFORE", is_restocked=False), Decimal(0)),
    ],
    ids=["known", "no unit cost", "no number", "no line", "no order", "not on the shelf", "none", "no order, not on the shelf"],
)
def test_cost_that_comes_back_is_unknown_where_nobody_knows_it_and_0_where_nothing_came_back(
    figures: Callable[..., Connection], rows: dict[str, list[dict[str, Any]]], back: Decimal | None
) -> None:
    """The margin of the month of the refund is unknown with it: of the account, in the 360 view, of the company and as a metric."""
    early = {"order_id": "A YEAR AGO", "account_id": "z", "ordered_at": "2024-01-01T10:00:00+00", "currency_code": "EUR"}
    connection, reason = figures({**rows, "orders": [*rows["orders"], early]}), "unit_cost_absent" if back is None else None
    margin = None if back is None else back - Decimal("60.00")
    account = "a" if rows["refunds"][0]["order_id"] == "O1" else "ACCOUNT_UNKNOWN"
    found = connection.execute(
        "select refund_amount, cost_recovered_amount, cost_recovered_null_reason, is_fx_missing from marts.fct_refund"
    )
    assert found.fetchall() == [(Decimal("60.00"), back, reason, False)]
    columns = "net_revenue_amount", "contribution_margin_amount", "margin_null_reason"
    assert sales(connection, account, MARCH, *columns) == (Decimal("-60.00"), margin, reason)
    for table, why in (
        ("analytics.mart_service_roi_account", None),
        ("analytics.mart_service_roi_month", "contribution_margin_null_reason"),
    ):
        month = f"select contribution_margin_amount, {why or 'null'} from {table} where window_kind = 'month' and period_month = ?"
        assert connection.execute(month, [MARCH]).fetchall() == [(margin, reason if why else None)], table
    metric = "select value, null_reason from reporting.mart_metric where metric_id = 'contribution_margin' and cut = 'all' "
    value = connection.execute(metric + "and period_kind = 'month' and period_month = ?", [MARCH]).fetchall()
    assert value == [(None if margin is None else float(margin), reason)]
    profile = "select margin_365_amount is null, margin_null_reason, revenue_null_reason from marts.mart_customer_360 where account_id = ?"
    lacks = back is None or (account == "a" and rows["order_lines"][0]["unit_cost"] is None)
    assert connection.execute(profile, [account]).fetchall() == [(lacks, "unit_cost_absent" if lacks else None, None)]


@pytest.mark.parametrize(
    ("order", "counts"),
    [
        ({}, True),
        ({"is_test": True}, False),
        ({"cancelled_at": "2025-02-11T10:00:00+00"}, True),
        ({"financial_state": "voided"}, True),
        ({"is_deleted": True}, False),
        ({"order_id": "ELSEWHERE"}, True),
    ],
)
def test_a_payment_counts_unless_its_order_is_a_test_or_deleted(
    figures: Callable[..., Connection], order: dict[str, Any], counts: bool
) -> None:
    at = "2025-02-10T12:00:00+00"
    connection = figures({
        "accounts": [{"account_id": "a"}],
        "orders": [{"order_id": "O1", "account_id": "a", "ordered_at": at, "currency_code": "EUR", **order}],
        "payments": [{"payment_id": "P1", "order_id": "O1", "paid_at": at, "payment_amount": "777.00", "currency_code": "EUR"}],
    })  # fmt: skip
    amount = Decimal("777.00") if counts else None
    account = "ACCOUNT_UNKNOWN" if order.get("order_id") else "a"
    assert connection.execute("select is_counted from marts.fct_payment").fetchall() == [(counts,)]
    assert connection.execute("select sum(payment_amount), sum(payments_count) from marts.mart_account_sales_month").fetchall() == [
        (amount, 1 if counts else None)
    ]
    profile = "select payment_amount from marts.mart_customer_360 where account_id = ?"
    assert connection.execute(profile, [account]).fetchall() == [(amount or Decimal(0),)]
    spread = "select sum(total_amount) from analytics.mart_concentration where measure_kind = 'payments' and window_kind = 'month'"
    of_customers = amount if account == "a" else None
    assert (connection.execute(spread).fetchone() or [None])[0] in ((of_customers,) if of_customers else (None, 0))


def test_a_missing_unit_cost_makes_the_margin_unknown_not_zero(whole: Connection) -> None:
    got = sales(whole, "b", JANUARY, "net_revenue_amount", "contribution_margin_amount", "margin_null_reason", "offer_margin_amount")
    assert got == (Decimal("60.00"), None, "unit_cost_absent", Decimal("0.00"))


def test_sales_without_any_rate_are_unknown_not_zero(whole: Connection) -> None:
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
