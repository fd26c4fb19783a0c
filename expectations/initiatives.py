"""Checks of the batch of `initiatives`, grain one measure taken to improve service or lower its cost."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import amount_has_currency, from_contract, no_row

FEED = "initiatives"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "starts_before_it_ends",
            "start_date > end_date",
            "no month is inside the initiative, so no effect and no return can be measured",
            severity="warning",
            column="end_date",
        ),
        no_row(
            FEED,
            "aim_has_a_metric_and_a_baseline",
            "target_metric_id is null or baseline_value is null",
            "an initiative that names no figure to move can only be judged by opinion: its return stays null",
            severity="warning",
            column="target_metric_id",
        ),
        amount_has_currency(FEED, "cost_amount"),
    ]
