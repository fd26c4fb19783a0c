"""Checks of the batch of `training_events`, grain one training of one agent."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "training_events"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "score_is_on_its_scale",
            "training_score > scale_max",
            "a result above the best possible lifts the mean knowledge score without limit",
            severity="warning",
            column="training_score",
        ),
        no_row(
            FEED,
            "scored_test_names_its_scale",
            "training_score is not null and scale_max is null",
            "results of different tests cannot be compared: this one is excluded",
            severity="warning",
            column="scale_max",
        ),
        no_row(
            FEED,
            "is_shorter_than_a_week",
            "training_hours > 168",
            "hours in the unit of minutes hide every training gap of the agent",
            severity="warning",
            column="training_hours",
        ),
        no_row(
            FEED,
            "module_is_older_than_its_delivery",
            "module_version_date > started_at::date + 1",
            "the module was revised after it was taught: its age at delivery is negative",
            severity="warning",
            column="module_version_date",
        ),
        no_row(
            FEED,
            "fitted_module_says_to_what",
            "is_customised and customised_for is null",
            "its hours are customised to nothing, so the shares by purpose miss them",
            severity="warning",
            column="customised_for",
        ),
    ]
