"""Checks of the batch of `entitlements`, grain one right to service during one span of validity."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row, validity

FEED = "entitlements"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        *validity(FEED, "entitlement_id"),
        no_row(
            FEED,
            "names_an_account_or_a_tier",
            "account_id is null and customer_tier is null",
            "a right of nobody is never granted, and the cost of keeping it is paid for no one",
            severity="warning",
            column="account_id",
        ),
    ]
