"""Checks of the batch of `service_standards`, grain one promise about service during one span of validity."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row, validity

FEED = "service_standards"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        *validity(FEED, "standard_id"),
        no_row(
            FEED,
            "standard_is_countable",
            "metric_id is null or comparator is null or threshold_value is null or unit is null "
            "or population is null or target_share is null",
            "without metric, side, number, unit, population and share a promise can be neither kept nor broken: it has no attainment",
            severity="warning",
            column="threshold_value",
        ),
    ]
