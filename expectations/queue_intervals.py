"""Checks of the batch of `queue_intervals`, grain one queue and channel in one interval of time."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "queue_intervals"
_COUNTS = "offered answered abandoned short_abandoned blocked voicemail callback answered_within abandoned_within".split()
_IN_RANGE = f"greatest({', '.join(f'{name}_count' for name in _COUNTS)}) <= 1000000"  # a count beyond is kept out by its own rule


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "outcomes_fit_in_offered",
            "answered_count + abandoned_count + coalesce(blocked_count, 0) + coalesce(voicemail_count, 0) + coalesce(callback_count, 0) "
            f"> offered_count and offered_count >= 0 and {_IN_RANGE}",
            "more contacts ended than came: the same contacts are counted under two outcomes, and every rate of the queue is wrong",
            column="offered_count",
        ),
        no_row(
            FEED,
            "parts_fit_in_their_outcome",
            "(answered_within_count > answered_count or short_abandoned_count > abandoned_count "
            f"or abandoned_within_count > abandoned_count) and {_IN_RANGE}",
            "a part is larger than what it is part of: the service level would exceed one",
            column="answered_within_count",
        ),
        no_row(
            FEED,
            "counts_within_a_target_name_it",
            f"greatest(answered_within_count, abandoned_within_count) >= 0 and target_seconds is null and {_IN_RANGE}",
            "answered within how many seconds is not known: the row is in no service level",
            severity="warning",
            column="target_seconds",
        ),
        no_row(
            FEED,
            "waits_of_answered_are_waits",
            "answered_wait_seconds > wait_seconds or longest_wait_seconds > wait_seconds",
            "the sum over all contacts is smaller than a part of it: mean waits are wrong",
            severity="warning",
            column="wait_seconds",
        ),
        no_row(
            FEED,
            "interval_is_at_most_an_hour",
            "interval_seconds between 3601 and 86400",
            "a row of a day is placed in the half hour in which it starts: peaks and open half hours cannot be seen",
            severity="warning",
            column="interval_seconds",
        ),
    ]
