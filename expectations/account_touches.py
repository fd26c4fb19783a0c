"""Checks of the batch of `account_touches`, grain one contact of account management, or one mishap in it."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, no_row

FEED = "account_touches"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "glitch_has_a_kind",
            "touch_kind = 'glitch' and glitch_kind is null",
            "a mishap without a kind is counted under none, so the kinds do not add up to all mishaps",
            severity="warning",
            column="glitch_kind",
        ),
        no_row(
            FEED,
            "done_touch_has_an_instant",
            "(touch_state = 'done') <> (done_at is not null)",
            "touches made and touches missed are distinguished by this instant alone when they are summed by month",
            severity="warning",
            column="done_at",
        ),
        no_row(
            FEED,
            "glitch_is_closed_after_it_opened",
            f"touch_kind = 'glitch' and done_at + {CLOCK_TOLERANCE} < planned_at",
            "the mishap is open for a negative number of days",
            severity="warning",
            column="done_at",
        ),
    ]
