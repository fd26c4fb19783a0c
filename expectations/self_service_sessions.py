"""Checks of the batch of `self_service_sessions`, grain one visit to a channel without an agent."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, no_row

FEED = "self_service_sessions"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "starts_before_it_ends",
            f"started_at > ended_at + {CLOCK_TOLERANCE}",
            "a negative duration, and the search for a call that follows starts before the session does",
            column="ended_at",
        ),
        no_row(
            FEED,
            "agent_request_is_no_answer",
            "is_agent_requested and outcome = 'answered'",
            "containment counts a customer as served who asked for a person",
            severity="warning",
            column="outcome",
        ),
    ]
