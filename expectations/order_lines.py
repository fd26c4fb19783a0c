"""Checks of the batch of `order_lines`, grain one line of an order or credit memo."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "order_lines"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "net_is_quantity_times_price_less_discount",
            "abs(net_amount - (cast(quantity as decimal(19, 3)) * unit_price - coalesce(discount_amount, 0))) > 0.01",
            "revenue, margin and ROI are sums of net_amount: it must be what was sold, without tax and shipping",
            column="net_amount",
        ),
        no_row(
            FEED,
            "price_of_a_product_is_not_negative",
            "line_kind = 'product' and unit_price < 0",
            "returns are negative quantities: a negative price is an adjustment that would count as a sale of goods",
            severity="warning",
            column="unit_price",
        ),
    ]
