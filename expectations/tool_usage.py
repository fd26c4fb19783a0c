"""Checks of the batch of `tool_usage`, grain the use of one tool at one site on one day."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "tool_usage"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "seats_used_are_paid",
            "used_seats_count > licensed_seats_count",
            "adoption exceeds one, and the cost of unused seats becomes negative",
            severity="warning",
            column="used_seats_count",
        ),
        no_row(
            FEED,
            "users_have_seats",
            "active_users_count > licensed_seats_count",
            "the licence count is out of date: cost per user and adoption are both wrong",
            severity="warning",
            column="active_users_count",
        ),
    ]
