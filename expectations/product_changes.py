"""Checks of the batch of `product_changes`, grain one change to a product."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract

FEED = "product_changes"


def expectations() -> list[Expectation]:
    """Return the suite of the feed; its contract says all there is to say about one change."""
    return from_contract(FEED)
