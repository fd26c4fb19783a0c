"""What a run loads: visibility, duplicates, versions, what is gone. Breaks: a row is lost, counted twice or seen too early."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.errors import UsageError
from tests.ingest.loading_files import HEADER, counts, latest, order, orders


def test_nothing_is_visible_before_it_is_accepted(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(3)))
    ingest.read()
    assert ingest.all("select count(*) from lake.orders") == [(0,)]
    ingest.ledger.accept("run-1")
    assert ingest.all("select count(*), min(record_number), max(record_number), min(delivery_date)::varchar from lake.orders") == [
        (3, 1, 3, "2026-01-02")
    ]
    assert ingest.all("select is_present, row_count from lake.feed_presence where feed = 'orders'") == [(True, 3)]


def test_every_feed_has_a_typed_relation_even_when_nothing_came(ingest: Any) -> None:
    lake = ingest.lake()
    assert lake.execute("select feed from lake.feed_presence where not is_present order by 1").fetchall() == [(feed,) for feed in feeds()]
    for feed in feeds():
        relation = lake.execute(f"select * from lake.{feed}")
        assert {column[0] for column in relation.description} > set(load_contract(feed).names)
        assert relation.fetchall() == []
    described = dict(lake.execute("select column_name, column_type from (describe lake.order_lines)").fetchall())
    assert described["net_amount"] == "DECIMAL(18,3)"
    assert described["row_hash"] == described["record_number"] == "BIGINT"
    assert lake.execute("select reporting_currency_code, company_time_zone, latest_delivery_date from lake.run_parameters").fetchone() == (
        "XXX",
        "UTC",
        None,
    )


@pytest.mark.fault("D1")
def test_the_same_content_under_another_name_is_superseded_and_moves_the_delivery_date(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(3)))
    ingest.walk()
    ingest.deliver("canonical/orders/2026-01-09/b.csv", orders(range(3)))
    ingest.deliver("canonical/orders/2026-01-05/c.csv", orders(range(3)))
    assert counts(ingest.walk()) == [(3, 0, 3, 0), (3, 0, 3, 0)]
    assert ingest.all("select count(*), min(delivery_date)::varchar from lake.orders") == [(3, "2026-01-09")]
    assert ingest.ledger.rows("select status, duplicate_of from deliveries where duplicate_of is not null") == [
        ("duplicate", 1),
        ("duplicate", 1),
    ]


def test_duplicates_carry_their_records_when_the_first_file_is_replaced(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(3)))
    ingest.deliver("canonical/orders/2026-01-03/b.csv", orders(range(3)))
    ingest.walk()
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders([7]))
    ingest.walk()
    assert [row[0] for row in latest(ingest)] == ["o0", "o1", "o2", "o7"]


@pytest.mark.fault("D2")
@pytest.mark.usefixtures("counting")
def test_a_key_twice_in_one_file_keeps_its_latest_version(ingest: Any) -> None:
    rows = (
        order(1, net="1.00", updated="2026-01-02T00:00:00Z")
        + order(1, net="2.00", updated="2026-01-03T00:00:00Z")
        + order(1, net="3.00")
        + order(2)
    )
    ingest.deliver("canonical/orders/2026-01-02/a.csv", HEADER + rows)
    assert counts(ingest.walk()) == [(4, 2, 2, 0)]
    assert ingest.all("select order_id, net_amount::decimal(18, 2)::varchar, record_number from lake.orders order by 1") == [
        ("o1", "2.00", 2),
        ("o2", "10.00", 4),
    ]
    assert json.loads(ingest.ledger.rows("select control_sums from batches")[0][0]) == {"EUR": {"net_amount": "12.000"}}


@pytest.mark.fault("D3")
@given(order_of_days=st.permutations(range(5)))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_five_deliveries_gives_the_same_latest_rows(make_ingest: Callable[..., Any], order_of_days: list[int]) -> None:
    files = {
        0: orders(range(4), net="1.00"), 1: orders(range(2, 6), net="2.00", updated="2026-01-05T00:00:00Z"),
        2: orders(range(4), net="1.00"),
        3: orders(range(3), net="3.00"), 4: orders(range(5, 8), account="a2"),
    }  # fmt: skip
    ingest = make_ingest("".join(map(str, order_of_days)))
    shutil.rmtree(ingest.settings.landing)
    ingest.settings.landing.mkdir()
    for day in order_of_days:
        ingest.deliver(f"canonical/orders/2026-01-0{day + 1}/f.csv", files[day])
        ingest.walk()
    together = make_ingest("together")
    shutil.rmtree(together.settings.home, ignore_errors=True)
    together.walk()
    assert latest(ingest) == latest(together)


def test_a_source_is_a_mapped_system_or_a_feed_of_canonical_and_any_file_of_it_is_a_delivery(till: Callable[..., Any]) -> None:
    """Also one with nothing but its header, and one that repeats another; a refused file is none, a source that ended is excluded."""
    ingest, sold = till(), "number,day,customer,net\n"
    ingest.deliver("till/sales/2026-01-02/a.csv", f"{sold}n1,2026-01-01 00:00:00,c,1.00\n")
    ingest.deliver("till/sales/2026-01-05/a.csv", sold)
    for feed, day, content in (
        ("orders", "2026-01-03", orders([7])),
        ("orders", "2026-01-04", orders([7])),
        ("accounts", "2026-01-02", "?"),
    ):
        ingest.deliver(f"canonical/{feed}/{day}/a.csv", content)
    ingest.walk()
    expected = [("canonical/orders", "orders", "2026-01-04"), ("till", "orders", "2026-01-05")]
    shown = "select source_name, feed, last_delivery_date::varchar from lake.sources order by 1"
    assert ingest.all(shown) == expected
    ingest.assumptions = ingest.assumptions.model_copy(update={"ended_sources": ("canonical/orders",)})
    assert ingest.all(shown) == expected[1:]
    ingest.assumptions = ingest.assumptions.model_copy(update={"ended_sources": ("tilt",)})
    with pytest.raises(UsageError, match="ended_sources: tilt never delivered; known: canonical/orders, till"):
        ingest.all(shown)
