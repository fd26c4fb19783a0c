"""Days with far more or fewer records than usual, and sources that fall silent: told, kept in ops, never in the way of a run."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dagster_project.ledger.volumes import usual_volume
from tests.ingest.test_quarantine_life import ops

HEADER = "order_id,ordered_at,currency_code\n"
FIRST = dt.date(2026, 1, 5)  # a Monday


def deliver(ingest: Any, number: int, count: int, feed: str = "orders") -> dt.date:
    day = FIRST + dt.timedelta(days=number)
    rows = "".join(f"o{number}-{at},2026-01-01T10:00:00Z,EUR\n" for at in range(count))
    ingest.deliver(f"canonical/{feed}/{day}/a.csv", HEADER + rows)
    return day


def test_a_tenth_of_the_usual_records_is_told_and_the_day_is_loaded(ingest: Any) -> None:
    for number in range(9):
        deliver(ingest, number, 100 + number)
    assert ingest.walk().notices == []
    day = deliver(ingest, 9, 10)
    report = ingest.walk()
    assert report.notices == [
        f"unusual volume: canonical/orders: {day} brings 10 records, usual are 104 (70 to 154); see ops.unusual_volumes"
    ]
    assert [file.status for file in report.files] == ["staged"]
    assert ingest.all("select count(*) from lake.orders") == [(936 + 10,)]
    found = ops(ingest).execute(
        "select stream_name, delivery_date, physical_count, usual_count, lowest_usual_count,"
        " highest_usual_count, compared_count, run_id from ops.unusual_volumes"
    )
    assert found.fetchall() == [("orders", day, 10, 104, 70, 154, 9, "run-2")]


def test_a_day_that_is_completed_is_no_longer_unusual(ingest: Any) -> None:
    for number in range(9):
        deliver(ingest, number, 100)
    deliver(ingest, 9, 10)
    assert len(ingest.walk().notices) == 1
    deliver(ingest, 9, 100)
    assert ingest.walk().notices == []
    assert ingest.ledger.rows("select * from unusual_volumes") == []


def test_a_whole_history_in_one_run_is_told_in_one_line_a_stream(ingest: Any) -> None:
    for number in range(30):
        deliver(ingest, number, 900 if number in (20, 25) else 100)
    (notice,) = ingest.walk().notices
    assert notice.startswith(
        "unusual volume: canonical/orders: 2 days, most of all 2026-01-25 brings 900 records, usual are 100 (67 to 149);"
    )


def test_a_weekday_is_compared_with_its_like_once_there_are_enough() -> None:
    days = {FIRST + dt.timedelta(days=number): 100 if number % 7 else 1_000 for number in range(7 * 6)}
    monday = FIRST + dt.timedelta(days=7 * 6)
    assert usual_volume(days, monday) == (1_000, 882, 1_134, 6)
    assert usual_volume(days, monday + dt.timedelta(days=1)) == (100, 67, 149, 6)


def test_too_little_history_judges_nothing_and_days_after_do_not_count() -> None:
    days = {FIRST + dt.timedelta(days=number): 100 for number in range(5)}
    assert usual_volume(days, FIRST + dt.timedelta(days=5)) is None
    assert usual_volume(days, FIRST) is None


def test_the_spread_of_the_days_widens_what_is_usual() -> None:
    days = {FIRST + dt.timedelta(days=number): value for number, value in enumerate([100, 160, 40, 100, 130, 70])}
    assert usual_volume(days, FIRST + dt.timedelta(days=6)) == (100, 29, 342, 6)


def test_a_feed_older_than_its_contract_allows_is_stale(ingest: Any) -> None:
    day = deliver(ingest, 0, 3)
    ingest.deliver("canonical/accounts/2026-01-08/a.csv", "account_id\na1\n")
    assert ingest.walk().notices == [], "three days are allowed"
    ingest.deliver("canonical/accounts/2026-01-09/a.csv", "account_id\na2\n")
    stale = f"stale source: orders was last delivered on {day}, 4 days ago; its contract allows 3; see ops.feed_freshness"
    assert ingest.walk().notices == [stale]
    found = ops(ingest).execute("select feed, age_days, maximum_age_days, is_stale from ops.feed_freshness order by feed").fetchall()
    assert found == [("accounts", 0, None, False), ("orders", 4, 3, True)]


@pytest.mark.fault("D6")
def test_an_empty_day_and_a_duplicate_are_deliveries_a_refused_file_is_not(ingest: Any) -> None:
    deliver(ingest, 0, 3)
    ingest.deliver("canonical/accounts/2026-01-20/a.csv", "account_id\na1\n")
    ingest.deliver("canonical/orders/2026-01-20/a.csv", "order_id\no1\n")
    assert [notice.split(":")[0] for notice in ingest.walk().notices] == ["stale source"]
    ingest.deliver("canonical/orders/2026-01-20/a.csv", HEADER)
    assert ingest.walk().notices == []
    ingest.deliver("canonical/accounts/2026-01-25/a.csv", "account_id\na2\n")
    copy = (ingest.settings.landing / f"canonical/orders/{FIRST}/a.csv").read_bytes()
    ingest.deliver("canonical/orders/2026-01-25/b.csv", copy)
    assert ingest.walk().notices == []


def test_the_day_up_to_which_a_run_reads_is_the_present(make_ingest: Any) -> None:
    ingest = make_ingest(until="2026-01-20")
    deliver(ingest, 0, 3)
    assert "15 days ago" in ingest.walk(until="2026-01-20").notices[0]
