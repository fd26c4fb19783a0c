"""Checks of the batch of `staff_surveys`, grain one team's answers to one item in one quarter."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "staff_surveys"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "quarter_starts_on_the_first_of_a_month",
            "day(quarter_start_date) <> 1",
            "the row falls between quarters and joins to no month of any team",
            severity="warning",
            column="quarter_start_date",
        ),
        no_row(
            FEED,
            "mean_is_on_its_scale",
            "mean_score < scale_min or mean_score > scale_max",
            "a mean off its scale cannot come from answers on it, and shifts the index of the team",
            severity="warning",
            column="mean_score",
        ),
        no_row(
            FEED,
            "scale_has_two_ends",
            "scale_min >= scale_max",
            "scores of items cannot be brought to a common scale when the ends coincide or are swapped",
            severity="warning",
            column="scale_max",
        ),
    ]
