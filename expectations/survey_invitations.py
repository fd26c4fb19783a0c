"""Checks of the batch of `survey_invitations`, grain one invitation to a survey."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, most_rows_name, no_row

FEED = "survey_invitations"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "nothing_happens_before_the_invitation",
            f"least(delivered_at, opened_at, started_at) + {CLOCK_TOLERANCE} < invited_at",
            "the lag from contact to survey is wrong, and immediate surveys look late or late ones immediate",
            severity="warning",
            column="invited_at",
        ),
        no_row(
            FEED,
            "suppressed_invitation_was_not_delivered",
            "suppressed_reason is not null and (delivered_at is not null or opened_at is not null or started_at is not null)",
            "a customer who was asked is counted as spared, so the response rate is too high",
            severity="warning",
            column="suppressed_reason",
        ),
        no_row(
            FEED,
            "bounced_invitation_was_not_opened",
            "is_bounced and (opened_at is not null or started_at is not null)",
            "an answer that came is missing from delivered invitations, so the response rate can exceed one",
            severity="warning",
            column="is_bounced",
        ),
        most_rows_name(("account_id", "contact_id", "order_id", "ticket_id", "interaction_id")),
    ]
