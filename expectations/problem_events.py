"""Checks of the batch of `problem_events`, grain one problem of one customer."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, amount_has_currency, from_contract, no_row

FEED = "problem_events"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "is_resolved_after_it_occurred",
            f"resolved_at + {CLOCK_TOLERANCE} < occurred_at",
            "the window in which a complaint is looked for closes before it opens",
            severity="warning",
            column="resolved_at",
        ),
        no_row(
            FEED,
            "line_names_its_order",
            "line_id is not null and order_id is null",
            "line numbers repeat from order to order: the affected units cannot be found",
            severity="warning",
            column="order_id",
        ),
        amount_has_currency(FEED, "estimated_loss_amount"),
    ]
