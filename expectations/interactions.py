"""Checks of the batch of `interactions`, grain one call, chat, e-mail, message or meeting."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, most_rows_name, no_row

FEED = "interactions"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "starts_before_it_ends",
            f"started_at > ended_at + {CLOCK_TOLERANCE}",
            "a negative duration moves cost from this contact to all others",
            column="ended_at",
        ),
        no_row(
            FEED,
            "is_answered_between_queue_and_end",
            f"answered_at + {CLOCK_TOLERANCE} < coalesce(queued_at, started_at) or answered_at > ended_at + {CLOCK_TOLERANCE}",
            "waiting times and service levels are computed from these instants",
            severity="warning",
            column="answered_at",
        ),
        no_row(
            FEED,
            "talk_and_hold_fit_between_answer_and_end",
            "talk_seconds + coalesce(hold_seconds, 0) > epoch(ended_at) - epoch(answered_at) + 2",
            "handling time is the driver of cost: a call left open draws the cost of all of its department",
            severity="warning",
            column="talk_seconds",
        ),
        no_row(
            FEED,
            "telephony_cost_has_a_currency",
            "toll_cost_amount > 0 and currency_code is null",
            "an amount without a currency can never be added to anything",
            severity="warning",
            column="currency_code",
        ),
        most_rows_name(("account_id", "contact_id", "ticket_id")),
    ]
