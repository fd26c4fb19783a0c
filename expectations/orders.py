"""Checks of the batch of `orders`, grain one order or credit memo."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, most_rows_name, no_row

FEED = "orders"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "net_is_gross_less_discount",
            "abs(net_amount - (gross_amount - coalesce(discount_amount, 0))) > 0.01",
            "tax or shipping inside net inflates revenue, margin and ROI",
            column="net_amount",
        ),
        no_row(
            FEED,
            "sign_follows_the_kind_of_order",
            "(order_kind = 'sale' and net_amount < 0) or (order_kind = 'credit_memo' and net_amount > 0)",
            "a credit memo taken for a sale is counted in gross sales and as activity of the customer",
            column="net_amount",
        ),
        no_row(
            FEED,
            "nothing_happens_before_the_order",
            f"least(delivered_at, cancelled_at) + {CLOCK_TOLERANCE} < ordered_at",
            "delivery times become negative and cancelled orders may fall into another month than their sale",
            severity="warning",
            column="ordered_at",
        ),
        most_rows_name(("account_id", "contact_id")),
    ]
