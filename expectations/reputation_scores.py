"""Checks of the batch of `reputation_scores`, grain one score of the company by one audience in one source on one day."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "reputation_scores"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "score_is_on_its_scale",
            "reputation_score < scale_min or reputation_score > scale_max",
            "a score off its scale shifts the standing of the company without limit",
            severity="warning",
            column="reputation_score",
        ),
        no_row(
            FEED,
            "scale_has_two_ends",
            "scale_min >= scale_max",
            "sources cannot be compared when the ends of a scale coincide or are swapped",
            severity="warning",
            column="scale_max",
        ),
    ]
