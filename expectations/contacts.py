"""Checks of the batch of `contacts`, grain one person or alias of an account."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract

FEED = "contacts"


def expectations() -> list[Expectation]:
    """Return the suite of the feed; its contract says all there is to say about one alias."""
    return from_contract(FEED)
