"""When a file is refused completely: a share, a floor, and what a wrong mapping does to a small file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.ingest.conform.quarantine import is_refused

HALF_PERCENT = Decimal("0.005")
SHARES = st.decimals(0, 1, places=4)


@pytest.mark.parametrize(
    ("bad", "total", "refused"),
    [
        (0, 0, False),
        (0, 3, False),
        (1, 1, False),
        (1, 3, False),
        (2, 2, True),
        (5, 6, False),
        (6, 7, True),
        (6, 1_200, False),
        (7, 1_200, True),
    ],
)
def test_the_rule_at_its_edges(bad: int, total: int, refused: bool) -> None:
    assert is_refused(bad, total, HALF_PERCENT, 5) is refused


@given(st.integers(0, 2_000), st.integers(0, 2_000), SHARES, st.integers(0, 50))
def test_the_laws_of_the_rule(bad: int, good: int, share: Decimal, floor: int) -> None:
    total = bad + good
    refused = is_refused(bad, total, share, floor)
    assert not is_refused(0, total, share, floor)
    assert not is_refused(bad, total, Decimal(1), floor), "a share of 1 refuses no file"
    assert is_refused(bad, total, Decimal(0), 0) == (bad > 0), "frozen: the first bad record refuses"
    if refused:
        assert bad > share * total
        assert is_refused(bad + 1, total + 1, share, floor), "one more bad record never makes a file acceptable"
        assert is_refused(bad, total, share, max(floor - 1, 0))
    if bad > 1 and good == 0 and share < 1:
        assert refused, "all of several records bad"
    if 0 < bad <= floor and good:
        assert not refused, "up to the floor a file with a good record loads"


def test_one_bad_record_of_a_small_file_is_quarantined_and_two_of_two_refuse(ingest: Any) -> None:
    header = "order_id,ordered_at,currency_code,net_amount\n"
    good, bad = "{},2026-01-01T10:00:00Z,EUR,1.00\n", "{},2026-01-01T10:00:00Z,EUR,x\n"
    ingest.deliver("canonical/orders/2026-01-02/a.csv", header + good.format("o1") + bad.format("o2"))
    ingest.deliver("canonical/orders/2026-01-03/a.csv", header + bad.format("o3"))
    ingest.deliver("canonical/orders/2026-01-04/a.csv", header + bad.format("o4") + bad.format("o5"))
    assert [(file.status, file.loaded, file.quarantined) for file in ingest.walk().files] == [
        ("staged", 1, 1),
        ("staged", 0, 1),
        ("refused", 0, 2),
    ]
