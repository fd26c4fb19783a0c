"""Checks of the batch of `payments`, grain one payment of an order."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "payments"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "payment_is_not_negative",
            "payment_amount < 0",
            "money that goes back belongs to the feed refunds; here it would be deducted twice",
            severity="warning",
            column="payment_amount",
        ),
    ]
