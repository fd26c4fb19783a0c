"""Records of Stripe that cases start from."""

from __future__ import annotations

D1, D2, D3 = "2026-10-31", "2026-11-15", "2026-11-20"
AT = "2026-10-05 00:00:00"
INVOICE = {"id": "in", "currency": "eur", "customer_id": "cu", "created": AT, "period_end": AT, "livemode": "true", "status": "paid"}
LINE = {"invoice_id": "in", "currency": "eur", "quantity": "1"}
CHARGE = {"id": "ch", "created": AT, "currency": "eur", "captured": "true", "livemode": "true", "status": "succeeded", "customer_id": "cu"}
BACK = {"created": AT, "currency": "eur"}
NET, LINES, PAID, GIVEN = (
    "orders: order_id, net_amount",
    "order_lines: line_id, net_amount",
    "payments: payment_id, order_id, payment_amount",
    "refunds: refund_id, order_id, refund_amount, tax_amount",
)


def invoice(total: int, **more: object) -> dict[str, object]:
    return {**INVOICE, "subtotal": total, "total": total, **more}


YEN = {"currency": "jpy"}
