"""A quarantined record from its first day to the file that mends it, as the ledger, the run and `ops.quarantine` tell it."""

from __future__ import annotations

import itertools
from typing import Any

import duckdb
import pytest

from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.publish.operations import write_ops_tables

HEADER = "order_id,ordered_at,currency_code,account_id,net_amount\n"
GOOD = "".join(f"g{number},2026-01-01T10:00:00Z,EUR,a1,1.00\n" for number in range(400))
BAD = "o1,2026-01-01T10:00:00Z,EUR,a1,bad\n"
MENDED = "o1,2026-01-01T10:00:00Z,EUR,a1,2.00\n"
LIFE = "select quarantine_state, resolving_run_id, resolved_by_path from quarantine_life order by quarantine_id"


def day(number: int, name: str = "a.csv") -> str:
    return f"canonical/orders/2026-01-{number:02}/{name}"


def ops(door: Any) -> duckdb.DuckDBPyConnection:
    lake = door.lake()
    lake.execute("create schema ops")
    write_ops_tables(DuckDBEngine(lake), door.ledger, {"nodes": {}, "semantic_models": {}, "metrics": {}})
    return lake  # type: ignore[no-any-return]


def test_a_later_file_with_the_key_resolves_the_record_once_it_is_accepted(door: Any) -> None:
    door.deliver(day(2), HEADER + GOOD + BAD)
    report = door.walk()
    assert report.notices == ["quarantine: 1 records are open: orders 1 (oldest 0 days, since 2026-01-02); see ops.quarantine"]
    door.deliver(day(9), HEADER + MENDED)
    assert door.read().notices == [], "what this run mends is not told as open"
    assert door.ledger.rows(LIFE) == [("open", None, None)], "nothing is mended before it is accepted"
    door.ledger.accept("run-2")
    assert door.ledger.rows(LIFE) == [("resolved", "run-2", day(9))]
    assert door.all("select count(*), count(*) filter (where order_id = 'o1') from lake.orders") == [(401, 1)]


def test_a_mending_file_that_its_checks_refuse_mends_nothing(door: Any) -> None:
    door.deliver(day(2), HEADER + GOOD + BAD)
    door.walk()
    door.deliver(day(9), HEADER + MENDED)
    door.read()
    door.ledger.accept("run-2", {"orders": "a rule failed"})
    assert door.ledger.rows(LIFE) == [("open", None, None)]


def test_the_record_is_open_again_when_the_file_that_mended_it_loses_the_key(door: Any) -> None:
    door.deliver(day(2), HEADER + GOOD + BAD)
    door.walk()
    door.deliver(day(9), HEADER + MENDED)
    door.walk()
    door.deliver(day(9), HEADER + MENDED.replace("o1", "o2"))
    door.walk()
    assert door.ledger.rows(LIFE) == [("open", None, None)]


def test_an_earlier_good_version_does_not_resolve_a_later_bad_one(door: Any) -> None:
    door.deliver(day(2), HEADER + GOOD + MENDED)
    door.walk()
    door.deliver(day(3), HEADER + GOOD + BAD)
    door.walk()
    assert door.ledger.rows(LIFE) == [("open", None, None)]


@pytest.mark.fault("D3")
@pytest.mark.parametrize("order", list(itertools.permutations([(2, GOOD + BAD), (9, MENDED)])))
@pytest.mark.parametrize("is_together", [True, False])
def test_the_order_of_arrival_decides_nothing(door: Any, order: Any, is_together: bool) -> None:
    for number, rows in order:
        door.deliver(day(number), HEADER + rows)
        if not is_together:
            door.walk()
    if is_together:
        door.walk()
    assert [row[0] for row in door.ledger.rows(LIFE)] == ["resolved"]


def test_the_same_path_delivered_again_resolves_records_without_a_readable_key(door: Any) -> None:
    door.deliver(day(2), HEADER + GOOD + "o1,2026-01-01T10:00:00Z\n")
    door.walk()
    assert door.ledger.rows("select rule, key_sha256 from quarantine") == [("field_count", None)]
    door.deliver(day(9), HEADER + MENDED)
    door.walk()
    assert door.ledger.rows(LIFE) == [("open", None, None)]
    door.deliver(day(2), HEADER + GOOD + MENDED)
    door.walk()
    assert door.ledger.rows(LIFE) == [("resolved", "run-3", day(2))]


def test_records_of_a_refused_file_are_resolved_by_its_redelivery_under_another_name(door: Any) -> None:
    path = door.deliver(day(2), HEADER + BAD + BAD.replace("o1", "o2"))
    assert door.walk().refusals
    path.unlink()
    door.deliver(day(3, "again.csv"), HEADER + MENDED + MENDED.replace("o1", "o2"))
    door.walk()
    assert door.ledger.rows(LIFE) == [("resolved", "run-2", day(3, "again.csv"))] * 2


def test_a_key_of_several_typed_columns_is_found_however_it_was_written(door: Any) -> None:
    head = "rate_date,from_currency_code,to_currency_code,rate_type,rate_source,exchange_rate\n"
    good = "".join(f"2026-01-{number % 28 + 1:02},CA{chr(65 + number // 28)},EUR,average,ecb,1.5\n" for number in range(400))
    door.deliver("canonical/fx_rates/2026-01-02/a.csv", head + good + "2026-01-01,USD,EUR,average,ecb,none\n")
    assert not door.walk().refusals
    door.deliver("canonical/fx_rates/2026-01-05/a.csv", head + "2026-01-01,USD,EUR,average,other,1.1\n")
    door.walk()
    assert [row[0] for row in door.ledger.rows(LIFE)] == ["open"], "another source of the rate is another key"
    door.deliver("canonical/fx_rates/2026-01-06/a.csv", head + "2026-01-01,USD,EUR,average,ecb,1.1\n")
    door.walk()
    assert [row[0] for row in door.ledger.rows(LIFE)] == ["resolved"]


def test_ops_shows_age_and_state_and_the_run_names_the_oldest_first(door: Any) -> None:
    head = "ticket_id,created_at,ticket_state,channel\n"
    tickets = "".join(f"t{number},2026-01-01T00:00:00Z,open,email\n" for number in range(400))
    door.deliver(day(2), HEADER + GOOD + BAD)
    door.deliver(day(3), HEADER + GOOD + BAD.replace("o1", "o2"))
    door.deliver("canonical/tickets/2026-01-30/a.csv", head + tickets + "bad,2026-01-01T00:00:00Z,asleep,email\n")
    assert door.walk().notices[-1:] == [
        "quarantine: 3 records are open: orders 2 (oldest 28 days, since 2026-01-02), tickets 1 (oldest 0 days, since 2026-01-30);"
        " see ops.quarantine"
    ]
    door.deliver(day(31), HEADER + MENDED.replace("o1", "o2"))
    door.walk()
    found = ops(door).execute(
        "select feed, first_seen_date::varchar, age_days, quarantine_state, resolved_by_run_id, resolved_by_path from ops.quarantine"
        " order by feed, first_seen_date"
    )
    assert found.fetchall() == [
        ("orders", "2026-01-02", 29, "open", None, None),
        ("orders", "2026-01-03", None, "resolved", "run-2", day(31)),
        ("tickets", "2026-01-30", 1, "open", None, None),
    ]


@pytest.mark.fault("S7")
def test_ops_shows_no_value_but_the_key_and_the_wrong_one(door: Any) -> None:
    door.deliver(day(2), HEADER + GOOD + BAD.replace("a1", "secret-account"))
    door.walk()
    text = str(ops(door).execute("select * from ops.quarantine").fetchall())
    assert "order_id=o1" in text
    assert "secret-account" not in text
