"""Checks of the batch of `holidays`, grain one closed day of one schedule."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract

FEED = "holidays"


def expectations() -> list[Expectation]:
    """Return the suite of the feed; its contract says all there is to say about one closed day."""
    return from_contract(FEED)
