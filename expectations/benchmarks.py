"""Checks of the batch of `benchmarks`, grain one published comparison of one metric in one year."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "benchmarks"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "quartiles_are_in_order",
            "lower_quartile_value > median_value or median_value > upper_quartile_value",
            "our position among the companies compared would be read from a distribution that does not exist",
            severity="warning",
            column="median_value",
        ),
    ]
