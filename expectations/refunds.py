"""Checks of the batch of `refunds`, grain one refund of an order."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, no_row

FEED = "refunds"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "restocked_goods_have_a_quantity",
            "is_restocked and coalesce(returned_quantity, 0) = 0",
            "without their number the cost of goods that came back is not known: no margin of the month, or too low a one where it says 0",
            severity="warning",
            column="returned_quantity",
        ),
        no_row(
            FEED,
            "processed_after_refunded",
            f"processed_at + {CLOCK_TOLERANCE} < refunded_at",
            "a refund counts in the month of refunded_at: instants in the wrong order may book it a month late",
            severity="warning",
            column="processed_at",
        ),
    ]
