"""Rows that come again in another file, unchanged: counted as superseded, and still there when the first file goes."""

from __future__ import annotations

from typing import Any

import pytest

HEADER = "order_id,ordered_at,currency_code,net_amount\n"


def orders(*numbers: int, net: str = "1.00") -> str:
    return HEADER + "".join(f"o{number},2026-01-01T10:00:00Z,EUR,{net}\n" for number in numbers)


def counts(report: Any) -> list[tuple[int, int, int, int]]:
    return [(file.physical, file.loaded, file.superseded, file.quarantined) for file in report.files]


@pytest.mark.fault("D2")
@pytest.mark.parametrize("is_together", [True, False])
def test_rows_repeated_across_days_count_once_whether_loaded_together_or_not(door: Any, is_together: bool) -> None:
    found = []
    for number, rows in enumerate([range(100), range(50, 150), range(40, 151)]):
        door.deliver(f"canonical/orders/2026-01-0{number + 2}/a.csv", orders(*rows))
        if not is_together:
            found += counts(door.walk())
    if is_together:
        report = door.walk()
        found = counts(report)
        assert report.warnings == ["canonical/orders: 160 records repeat rows of earlier files unchanged; they count as superseded"]
    assert found == [(100, 100, 0, 0), (100, 50, 50, 0), (111, 1, 110, 0)]
    assert door.all("select count(distinct order_id) from lake.orders") == [(151,)]


@pytest.mark.fault("D2")
def test_a_row_that_changed_is_a_new_version_and_no_repeat(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(*range(9)))
    door.walk()
    door.deliver("canonical/orders/2026-01-03/a.csv", orders(*range(9), net="2.00"))
    assert counts(door.walk()) == [(9, 9, 0, 0)]


@pytest.mark.fault("D2")
def test_one_repeated_row_of_a_small_file_is_found_among_many(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(7))
    door.walk()
    door.deliver("canonical/orders/2026-01-03/a.csv", orders(*range(5_000)))
    assert counts(door.walk()) == [(5_000, 4_999, 1, 0)]


@pytest.mark.fault("D2")
def test_repeated_rows_are_still_there_when_the_first_file_is_replaced(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(*range(9)))
    door.deliver("canonical/orders/2026-01-03/b.csv", orders(*range(5), 20))
    door.walk()
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(30))
    assert counts(door.walk()) == [(1, 1, 0, 0)]
    assert door.all("select count(*) from lake.orders") == [(7,)]


@pytest.mark.fault("D2")
def test_a_file_delivered_again_is_not_compared_with_the_attempt_it_replaces(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(*range(9)))
    door.walk()
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(*range(10)))
    assert counts(door.walk()) == [(10, 10, 0, 0)]


def test_what_came_more_than_sixty_days_before_is_not_looked_at(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(*range(9)))
    door.deliver("canonical/orders/2026-06-02/a.csv", orders(*range(8)))
    assert counts(door.walk()) == [(9, 9, 0, 0), (8, 8, 0, 0)]
