"""A quarantined record from its first day to the file that repairs it, as the ledger, the run and `ops.quarantine` tell it."""

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
REPAIRED = "o1,2026-01-01T10:00:00Z,EUR,a1,2.00\n"
LIFE = "select quarantine_state, resolving_run_id, resolved_by_path from quarantine_life order by quarantine_id"


def day(number: int, name: str = "a.csv") -> str:
    return f"canonical/orders/2026-01-{number:02}/{name}"


def ops(ingest: Any) -> duckdb.DuckDBPyConnection:
    lake = ingest.lake()
    lake.execute("create schema ops")
    write_ops_tables(DuckDBEngine(lake), ingest.ledger, {"nodes": {}, "semantic_models": {}, "metrics": {}})
    return lake  # type: ignore[no-any-return]


def test_a_later_file_with_the_key_resolves_the_record_once_it_is_accepted(ingest: Any) -> None:
    ingest.deliver(day(2), HEADER + GOOD + BAD)
    report = ingest.walk()
    assert report.notices == ["quarantine: 1 records are open: orders 1 (oldest 0 days, since 2026-01-02); see ops.quarantine"]
    ingest.deliver(day(9), HEADER + REPAIRED)
    assert ingest.read().notices == [], "what this run repairs is not reported as open"
    assert ingest.ledger.rows(LIFE) == [("open", None, None)], "nothing is repaired before it is accepted"
    ingest.ledger.accept("run-2")
    assert ingest.ledger.rows(LIFE) == [("resolved", "run-2", day(9))]
    assert ingest.all("select count(*), count(*) filter (where order_id = 'o1') from lake.orders") == [(401, 1)]


def test_a_repairing_file_that_its_checks_refuse_repairs_nothing(ingest: Any) -> None:
    ingest.deliver(day(2), HEADER + GOOD + BAD)
    ingest.walk()
    ingest.deliver(day(9), HEADER + REPAIRED)
    ingest.read()
    ingest.ledger.accept("run-2", {"orders": "a rule failed"})
    assert ingest.ledger.rows(LIFE) == [("open", None, None)]


def test_the_record_is_open_again_when_the_file_that_repaired_it_loses_the_key(ingest: Any) -> None:
    ingest.deliver(day(2), HEADER + GOOD + BAD)
    ingest.walk()
    ingest.deliver(day(9), HEADER + REPAIRED)
    ingest.walk()
    ingest.deliver(day(9), HEADER + REPAIRED.replace("o1", "o2"))
    ingest.walk()
    assert ingest.ledger.rows(LIFE) == [("open", None, None)]


def test_an_earlier_good_version_does_not_resolve_a_later_bad_one(ingest: Any) -> None:
    ingest.deliver(day(2), HEADER + GOOD + REPAIRED)
    ingest.walk()
    ingest.deliver(day(3), HEADER + GOOD + BAD)
    ingest.walk()
    assert ingest.ledger.rows(LIFE) == [("open", None, None)]


@pytest.mark.fault("D3")
@pytest.mark.parametrize("order", list(itertools.permutations([(2, GOOD + BAD), (9, REPAIRED)])))
@pytest.mark.parametrize("is_together", [True, False])
def test_the_order_of_arrival_decides_nothing(ingest: Any, order: Any, is_together: bool) -> None:
    for number, rows in order:
        ingest.deliver(day(number), HEADER + rows)
        if not is_together:
            ingest.walk()
    if is_together:
        ingest.walk()
    assert [row[0] for row in ingest.ledger.rows(LIFE)] == ["resolved"]


def test_the_same_path_delivered_again_resolves_records_without_a_readable_key(ingest: Any) -> None:
    ingest.deliver(day(2), HEADER + GOOD + "o1,2026-01-01T10:00:00Z\n")
    ingest.walk()
    assert ingest.ledger.rows("select rule, key_sha256 from quarantine") == [("field_count", None)]
    ingest.deliver(day(9), HEADER + REPAIRED)
    ingest.walk()
    assert ingest.ledger.rows(LIFE) == [("open", None, None)]
    ingest.deliver(day(2), HEADER + GOOD + REPAIRED)
    ingest.walk()
    assert ingest.ledger.rows(LIFE) == [("resolved", "run-3", day(2))]


def test_records_of_a_refused_file_are_resolved_by_its_redelivery_under_another_name(ingest: Any) -> None:
    path = ingest.deliver(day(2), HEADER + BAD + BAD.replace("o1", "o2"))
    assert ingest.walk().refusals
    path.unlink()
    ingest.deliver(day(3, "again.csv"), HEADER + REPAIRED + REPAIRED.replace("o1", "o2"))
    ingest.walk()
    assert ingest.ledger.rows(LIFE) == [("resolved", "run-2", day(3, "again.csv"))] * 2


def test_a_key_of_several_typed_columns_is_found_however_it_was_written(ingest: Any) -> None:
    head = "rate_date,from_currency_code,to_currency_code,rate_type,rate_source,exchange_rate\n"
    good = "".join(f"2026-01-{number % 28 + 1:02},CA{chr(65 + number // 28)},EUR,average,ecb,1.5\n" for number in range(400))
    ingest.deliver("canonical/fx_rates/2026-01-02/a.csv", head + good + "2026-01-01,USD,EUR,average,ecb,none\n")
    assert not ingest.walk().refusals
    ingest.deliver("canonical/fx_rates/2026-01-05/a.csv", head + "2026-01-01,USD,EUR,average,other,1.1\n")
    ingest.walk()
    assert [row[0] for row in ingest.ledger.rows(LIFE)] == ["open"], "another source of the rate is another key"
    ingest.deliver("canonical/fx_rates/2026-01-06/a.csv", head + "2026-01-01,USD,EUR,average,ecb,1.1\n")
    ingest.walk()
    assert [row[0] for row in ingest.ledger.rows(LIFE)] == ["resolved"]


def test_ops_shows_age_and_state_and_the_run_names_the_oldest_first(ingest: Any) -> None:
    head = "ticket_id,created_at,ticket_state,channel\n"
    tickets = "".join(f"t{number},2026-01-01T00:00:00Z,open,email\n" for number in range(400))
    ingest.deliver(day(2), HEADER + GOOD + BAD)
    ingest.deliver(day(3), HEADER + GOOD + BAD.replace("o1", "o2"))
    ingest.deliver("canonical/tickets/2026-01-30/a.csv", head + tickets + "bad,2026-01-01T00:00:00Z,asleep,email\n")
    assert ingest.walk().notices[-1:] == [
        "quarantine: 3 records are open: orders 2 (oldest 28 days, since 2026-01-02), tickets 1 (oldest 0 days, since 2026-01-30);"
        " see ops.quarantine"
    ]
    ingest.deliver(day(31), HEADER + REPAIRED.replace("o1", "o2"))
    ingest.walk()
    found = ops(ingest).execute(
        "select feed, first_seen_date::varchar, age_days, quarantine_state, resolved_by_run_id, resolved_by_path from ops.quarantine"
        " order by feed, first_seen_date"
    )
    assert found.fetchall() == [
        ("orders", "2026-01-02", 29, "open", None, None),
        ("orders", "2026-01-03", None, "resolved", "run-2", day(31)),
        ("tickets", "2026-01-30", 1, "open", None, None),
    ]


@pytest.mark.fault("S7")
def test_ops_shows_no_value_but_the_key_and_the_wrong_one(ingest: Any) -> None:
    ingest.deliver(day(2), HEADER + GOOD + BAD.replace("a1", "secret-account"))
    ingest.walk()
    text = str(ops(ingest).execute("select * from ops.quarantine").fetchall())
    assert "order_id=o1" in text
    assert "secret-account" not in text
