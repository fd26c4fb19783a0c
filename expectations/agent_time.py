"""Checks of the batch of `agent_time`, grain the time of one agent in one state on one day."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_result, no_row

FEED = "agent_time"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_result(
            "day_has_at_most_24_hours",
            "select batch_id, max(record_number) as record_number, agent_id, work_date from {batch} where is_deleted is distinct from true "
            "group by batch_id, agent_id, work_date having count(*) > 1 and sum(state_seconds) > 86400",
            "states overlap or a shift came twice: occupancy, shrinkage and the cost of a minute are all wrong that day",
            severity="warning",
            column="state_seconds",
        ),
        no_row(
            FEED,
            "overtime_is_part_of_the_state",
            "overtime_seconds > state_seconds",
            "the share of overtime exceeds one, and more hours are paid at the higher rate than were worked",
            severity="warning",
            column="overtime_seconds",
        ),
    ]
