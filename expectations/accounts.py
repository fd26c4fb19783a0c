"""Checks of the batch of `accounts`, grain one customer account."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "accounts"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "parent_is_another_account",
            "parent_account_id = account_id",
            "a group roll-up that climbs to the parent would never end",
            severity="warning",
            column="parent_account_id",
        ),
        no_row(
            FEED,
            "closed_after_created",
            "closed_at < created_at",
            "the account has a negative lifetime, so its tenure and its months at risk are wrong",
            severity="warning",
            column="closed_at",
        ),
    ]
