"""Checks of the batch of `ticket_events`, grain one event in the history of a ticket."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, no_result, no_row, row_key

FEED = "ticket_events"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_result(
            "events_are_in_order_of_time",
            f"select {', '.join(row_key(FEED))} from (select *, lag(event_at) over "
            "(partition by batch_id, ticket_id order by event_number) as previous_at from {batch}) "
            f"as ordered where event_at + {CLOCK_TOLERANCE} < previous_at",
            "time in a stage becomes negative, and the sum over the stages is no longer the age of the ticket",
            severity="warning",
            column="event_at",
        ),
        no_result(
            "history_starts_at_created",
            f"select {', '.join(row_key(FEED))} from (select *, min(event_number) over (partition by batch_id, ticket_id) as first_number "
            "from {batch}) as numbered where event_type = 'created' and event_number > first_number",
            "something happened to the ticket before it existed: its first stage and first reply are measured from the wrong instant",
            severity="warning",
            column="event_type",
        ),
        no_row(
            FEED,
            "blocked_ticket_says_why",
            "event_type = 'blocked' and blocked_reason is null",
            "blocked hours without a reason point at no barrier that anyone could remove",
            severity="warning",
            column="blocked_reason",
        ),
    ]
