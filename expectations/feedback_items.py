"""Checks of the batch of `feedback_items`, grain one statement about a product, a service or a competitor."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, no_row

FEED = "feedback_items"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "states_follow_each_other",
            f"routed_at + {CLOCK_TOLERANCE} < received_at or accepted_at + {CLOCK_TOLERANCE} < coalesce(routed_at, received_at)",
            "lead times from the customer's word to the product team become negative",
            severity="warning",
            column="accepted_at",
        ),
        no_row(
            FEED,
            "routed_item_names_its_receiver",
            "routed_at is not null and routed_to_department_id is null",
            "nobody can be asked what became of it, and the funnel by receiving team misses it",
            severity="warning",
            column="routed_to_department_id",
        ),
    ]
