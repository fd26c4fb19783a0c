"""Checks of the batch of `ring_cadence`, grain how often a telephone rings in one country."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "ring_cadence"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "cycle_is_in_seconds",
            "ring_cycle_seconds > 60",
            "milliseconds taken for seconds: every call would be answered before the third ring",
            severity="warning",
            column="ring_cycle_seconds",
        ),
    ]
