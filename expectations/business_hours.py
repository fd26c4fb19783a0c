"""Checks of the batch of `business_hours`, grain one open span of one weekday in one schedule."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_result, no_row, row_key

FEED = "business_hours"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "opens_before_it_closes",
            "start_minutes >= end_minutes",
            "the span holds no minute: business time stops on a day on which people worked",
            column="end_minutes",
        ),
        no_row(
            FEED,
            "validity_has_a_length",
            "valid_to_date <= valid_from_date",
            "the row holds on no day, and clocks run by an older schedule or by none",
            column="valid_to_date",
        ),
        no_result(
            "spans_of_a_day_do_not_overlap",
            f"select {', '.join(row_key(FEED))} from (select *, lead(start_minutes) over "
            "(partition by batch_id, schedule_id, valid_from_date, weekday order by start_minutes) as next_start_minutes "
            "from {batch} where is_deleted is distinct from true) as ordered "
            "where next_start_minutes > start_minutes and next_start_minutes < end_minutes",
            "a minute in two spans is counted twice in every business duration",
            column="end_minutes",
        ),
        no_result(
            "schedule_has_one_time_zone",
            "select batch_id, max(record_number) as record_number, schedule_id from {batch} where is_deleted is distinct from true "
            "group by batch_id, schedule_id, valid_from_date having count(distinct time_zone) > 1",
            "the hours of one schedule would be laid on two clocks, and a week gains or loses hours",
            severity="warning",
            column="time_zone",
        ),
    ]
