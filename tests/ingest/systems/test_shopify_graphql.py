"""The tables of Shopify's GraphQL interface become the same feeds as those of the older one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.ingest.systems.commerce import broken, counts, deliver, waiting

NOON = "2026-01-05 12:00:00"
ORDER = {
    "id": "1",
    "currency_code": "EUR",
    "presentment_currency_code": "CHF",
    "created_at": NOON,
    "processed_at": NOON,
    "updated_at": NOON,
    "cancelled_at": " ",
    "customer_id": "7",
    "test": "FALSE",
    "_fivetran_deleted": "FALSE",
    "display_financial_status": "PARTIALLY_PAID",
}
PLAIN = {**ORDER, "taxes_included": "FALSE", "subtotal_price_set_shop_amount": "90.00", "total_tax_set_shop_amount": "18.00"}
GROSS = {**ORDER, "taxes_included": "TRUE", "subtotal_price_set_shop_amount": "119.00", "total_tax_set_shop_amount": "19.00"}
LINE = {"id": "11", "order_id": "1", "taxable": "TRUE", "is_gift_card": "FALSE"}


def texts(ingest: Any, sql: str) -> list[tuple[Any, ...]]:
    return list(ingest.texts(sql))


def test_orders_and_lines_are_net_of_discount_tax_and_shipping(ingest: Any) -> None:
    deliver(
        ingest,
        "shopify_graphql",
        order=[PLAIN],
        order_custom_attribute=[{"order_id": "1", "key": "offer_id", "value": "F1"}],
        order_shipping_line=[
            {"id": "1", "order_id": "1", "discounted_price_set_shop_amount": "4.95", "is_removed": "FALSE"},
            {"id": "2", "order_id": "1", "discounted_price_set_shop_amount": "9.00", "is_removed": "TRUE"},
        ],
        order_line=[{**LINE, "quantity": "3", "original_total_set_shop_amount": "100.00", "total_discount_set_shop_amount": "0.00"}],
        discount_allocation=[{"order_line_id": "11", "index": "0", "allocated_amount_set_shop_amount": "10.00"}],
        order_line_tax_line=[{"order_line_id": "11", "index": "0", "price_set_shop_amount": "18.00"}],
    )
    assert ingest.walk().refusals == []
    columns = "tax_amount, shipping_amount, net_amount, currency_code, presentment_currency_code, financial_state, cancelled_at, offer_id"
    assert texts(ingest, f"select {columns} from lake.orders") == [("18.00", "4.95", "90.00", "EUR", "CHF", "partially_paid", None, "F1")]
    assert texts(ingest, "select unit_price, discount_amount, tax_amount, net_amount from lake.order_lines") == [
        ("33.3333", "10.00", "18.00", "90.00")
    ]


def test_tax_inside_a_price_is_no_revenue_and_its_absence_is_seen(ingest: Any) -> None:
    line = {**LINE, "quantity": "7", "original_total_set_shop_amount": "119.00"}
    deliver(
        ingest,
        "shopify_graphql",
        order=[GROSS],
        order_line=[line],
        tax_line=[{"order_line_id": "11", "index": "0", "price_set_shop_amount": "19.00"}],
    )
    assert ingest.walk().refusals == []
    assert texts(ingest, "select net_amount from lake.orders") == [(None,)]
    assert texts(ingest, "select unit_price, discount_amount, net_amount from lake.order_lines") == [("14.2857", "0.00", "100.00")]
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
    untaxed = {**line, "id": "21", "order_id": "2"}  # none of its order's tax lines came
    deliver(
        ingest, "shopify_graphql", "2026-01-06", order=[{**GROSS, "id": "2"}], order_line=[untaxed, {**line, "id": "12", "order_id": "9"}]
    )
    assert broken(ingest.walk()) == [("order_line", "unit_price", "required")]
    assert waiting(ingest) == {"order_line": 1}


def test_refunds_and_payments_count_once(ingest: Any) -> None:
    piece = {"id": "51", "refund_id": "5", "order_line_id": "11", "quantity": "1", "restock_type": "return"}
    amounts = {"subtotal_set_shop_amount": "30.00", "total_tax_set_shop_amount": "6.00"}
    paid = {"order_id": "1", "amount_set_shop_amount": "90.00", "amount_set_shop_currency_code": "EUR", "created_at": NOON, "test": "FALSE"}
    deliver(
        ingest,
        "shopify_graphql",
        order=[PLAIN],
        refund=[{"id": "5", "order_id": "1", "created_at": NOON, "note": "defect"}],
        order_line_refund=[{**piece, **amounts}],
        refund_line_item=[{**piece, **amounts}],
        order_adjustment=[
            {"id": "1", "refund_id": "5", "amount_set_shop_amount": "-4.95", "tax_amount_set_shop_amount": "-0.99"},
            {"id": "2", "refund_id": "5", "amount_set_shop_amount": "2.00", "tax_amount_set_shop_amount": "0.00"},
        ],
        transaction=[
            {**paid, "id": "1", "kind": "SALE", "status": "SUCCESS"},
            {**paid, "id": "2", "kind": "SALE", "status": "FAILURE"},
            {**paid, "id": "3", "kind": "REFUND", "status": "SUCCESS", "refund_id": "5"},
        ],
    )
    assert ingest.walk().refusals == []
    latest = "select distinct refund_id, refund_amount, tax_amount, refund_reason, is_restocked from lake.refunds order by 1"
    assert texts(ingest, latest) == [("51", "28.00", "6.00", "defect", True), ("adjustment-1", "4.95", "0.99", "other", False)]
    assert counts(ingest)["transaction"] == (3, 1, 2, 0)
    assert texts(ingest, "select payment_id, payment_amount from lake.payments") == [("1", "90.00")]
