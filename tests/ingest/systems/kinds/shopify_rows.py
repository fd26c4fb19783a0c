"""Records of Shopify, of both interfaces, that cases start from."""

from __future__ import annotations

from tests.ingest.systems.kinds.current import Day, Rows

D1, D2, D3 = "2026-10-31", "2026-11-15", "2026-11-20"
AT, LATER = "2026-10-03 10:00:00", "2026-11-10 10:00:00"
GRAPHQL = {  # names of the older interface in the newer one
    "order": {
        "currency": "currency_code",
        "subtotal_price": "subtotal_price_set_shop_amount",
        "total_tax": "total_tax_set_shop_amount",
        "financial_status": "display_financial_status",
        "total_tip_received": "total_tip_received_set_shop_amount",
        "total_line_items_price": "",
    },
    "order_line": {
        "gift_card": "is_gift_card",
        "price": "original_total_set_shop_amount",
        "total_discount": "total_discount_set_shop_amount",
    },
    "transaction": {"amount": "amount_set_shop_amount", "currency": "amount_set_shop_currency_code"},
    "order_line_refund": {"subtotal": "subtotal_set_shop_amount", "total_tax": "total_tax_set_shop_amount"},
    "order_adjustment": {"amount": "amount_set_shop_amount", "tax_amount": "tax_amount_set_shop_amount", "kind": "", "order_id": ""},
    "tax_line": {"price": "price_set_shop_amount"},
    "discount_allocation": {"amount": "allocated_amount_set_shop_amount"},
    "order_shipping_line": {"discounted_price": "discounted_price_set_shop_amount"},
}


def renamed(day: Day) -> Day:
    def row(stream: str, old: dict[str, object]) -> dict[str, object]:
        names = GRAPHQL.get(stream, {})
        return {names.get(column, column): value for column, value in old.items() if names.get(column, column)}

    found = {stream: [row(stream, old) for old in rows] for stream, rows in day.items()}
    for line in found.get("order_shipping_line", []):
        line["is_removed"] = "FALSE"
    return found


def order(number: str, subtotal: object, **more: object) -> dict[str, object]:
    shown: dict[str, object] = {"id": number, "currency": "EUR", "created_at": AT, "processed_at": AT, "updated_at": AT, "customer_id": "7"}
    money = {"taxes_included": "FALSE", "total_line_items_price": subtotal, "subtotal_price": subtotal, "total_tax": "0.00"}
    return {**shown, "test": "FALSE", "_fivetran_deleted": "FALSE", "financial_status": "paid", **money, **more}


def line(number: str, of: str, price: object, **more: object) -> dict[str, object]:
    what = {"sku": "S", "product_id": "70", "gift_card": "FALSE", "taxable": "TRUE", "quantity": "1"}
    return {"id": number, "order_id": of, "price": price, **what, **more}


def given_back(number: str, refund: str, of: str, subtotal: object) -> dict[str, object]:
    return {
        "id": number,
        "refund_id": refund,
        "order_line_id": of,
        "subtotal": subtotal,
        "total_tax": "0.00",
        "quantity": "1",
        "restock_type": "return",
    }


def paid(number: str, of: str, amount: object, gateway: str) -> dict[str, object]:
    return {
        "id": number,
        "order_id": of,
        "amount": amount,
        "currency": "EUR",
        "created_at": AT,
        "kind": "sale",
        "status": "success",
        "test": "FALSE",
        "gateway": gateway,
    }


def refund(number: str = "5", of: str = "1", **more: object) -> Rows:
    return [{"id": number, "order_id": of, "created_at": LATER, **more}]


LESS = {"id": "61", "order_id": "1", "refund_id": "5", "amount": "30.00", "tax_amount": "0.00", "kind": "refund_discrepancy"}
BOUGHT: Day = {"order": [order("1", "100.00")], "order_line": [line("11", "1", "60.00"), line("12", "1", "40.00")]}
NONE = {"sku": "", "product_id": "", "taxable": "FALSE"}
UNSHIPPED = {**NONE, "requires_shipping": "FALSE"}
ORDERS, LINES = "orders: order_id, net_amount", "order_lines: line_id, net_amount"
PAID, GIVEN = "payments: payment_id, payment_amount", "refunds: refund_id, refund_amount"
