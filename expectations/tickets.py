"""Checks of the batch of `tickets`, grain one service ticket."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, most_rows_name, no_row

FEED = "tickets"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "is_created_before_it_is_solved",
            f"created_at > least(first_solved_at, last_solved_at) + {CLOCK_TOLERANCE}",
            "solution times become negative and the month of the solution precedes the ticket",
            column="created_at",
        ),
        no_row(
            FEED,
            "is_not_merged_into_itself",
            "merged_into_ticket_id = ticket_id",
            "the chain to the surviving ticket would never end, and its cost would reach no account",
            column="merged_into_ticket_id",
        ),
        no_row(
            FEED,
            "first_solution_precedes_last_solution_and_close",
            f"first_solved_at > last_solved_at + {CLOCK_TOLERANCE} or created_at > closed_at + {CLOCK_TOLERANCE}",
            "work reported on the ticket is booked in the month of last_solved_at",
            severity="warning",
            column="last_solved_at",
        ),
        no_row(
            FEED,
            "merged_ticket_names_surviving_ticket",
            "ticket_state = 'merged' and merged_into_ticket_id is null",
            "the cost of the merged ticket cannot follow it to the surviving one",
            severity="warning",
            column="merged_into_ticket_id",
        ),
        most_rows_name(("account_id", "contact_id")),
    ]
