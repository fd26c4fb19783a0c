"""Checks of the batch of `fiscal_periods`, grain one fiscal month."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_result, no_row

FEED = "fiscal_periods"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "starts_before_it_ends",
            "start_date > end_date",
            "no day falls into the month, so its cost meets no ticket and stays unallocated",
            column="end_date",
        ),
        no_result(
            "months_do_not_overlap",
            "select batch_id, record_number, fiscal_period from (select *, lead(start_date) over "
            "(partition by batch_id order by start_date, fiscal_period) as next_start "
            "from {batch} where is_deleted is distinct from true) as ordered where next_start <= end_date",
            "a day in two months counts its tickets and orders twice",
            column="end_date",
        ),
        no_row(
            FEED,
            "lasts_about_a_month",
            "end_date >= start_date and end_date - start_date + 1 not between 25 and 38",
            "a fiscal year or a week passed off as a month skews every monthly figure and trailing window",
            severity="warning",
            column="end_date",
        ),
    ]
