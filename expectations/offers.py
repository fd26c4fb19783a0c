"""Checks of the batch of `offers`, grain one offer made to a customer."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, most_rows_name, no_row

FEED = "offers"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "is_accepted_after_offered",
            f"accepted_at + {CLOCK_TOLERANCE} < offered_at",
            "the order came before the offer: its margin would be credited to service without a cause",
            column="accepted_at",
        ),
        no_row(
            FEED,
            "is_not_both_accepted_and_declined",
            "accepted_at is not null and declined_reason is not null",
            "the acceptance rate and the reasons for refusal both count this offer",
            severity="warning",
            column="declined_reason",
        ),
        most_rows_name(("account_id", "interaction_id")),
    ]
