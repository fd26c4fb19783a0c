"""A source changes its columns or its values: what each mode of a contract does, what is said, and where nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from dagster_project.contracts.model import load_contract
from dagster_project.errors import UsageError
from tests.ingest.mapping_files import write_system

HEADER = "order_id,ordered_at,currency_code,account_id,net_amount"
MODE = "status: active\ncustomProperties:\n  - {property: %s, value: %s}"
Amend = Callable[[str, str, str], None]


def file(*more: str, header: str = HEADER, good: int = 400) -> str:
    rows = [f"g{number},2026-01-01T10:00:00Z,EUR,a1,1.00" + "," * (header.count(",") - HEADER.count(",")) for number in range(good)]
    return "\n".join([header, *rows, *more]) + "\n"


def mode(amend_contract: Amend, feed: str, name: str, value: str) -> None:
    amend_contract(feed, "status: active", MODE % (name, value))


def counts(report: Any) -> list[tuple[int, int, int, int]]:
    return [(file.physical, file.loaded, file.superseded, file.quarantined) for file in report.files]


def extras(ingest: Any) -> list[tuple[Any, ...]]:
    files = str(ingest.settings.home / "restricted" / "extras" / "*.parquet")
    sql = f"select stream_name, delivery_date::varchar, file_path, record_number, extras from read_parquet('{files}') order by all"
    return duckdb.sql(sql).fetchall()


@pytest.mark.fault("F9")
def test_values_of_a_new_column_are_kept_aside_and_found_by_file_and_record(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", file())
    assert ingest.walk().warnings == []
    ingest.deliver(
        "canonical/orders/2026-01-03/b.csv", file('o1,2026-01-01T10:00:00Z,EUR,a1,1.00,"calm, ""x""",2', header=HEADER + ",mood,it's")
    )
    report = ingest.walk()
    assert counts(report) == [(401, 401, 0, 0)]
    assert report.warnings == [
        "canonical/orders/2026-01-03/b.csv: new column mood (values kept in extras); new column it's (values kept in extras)"
    ]
    ((stream, day, path, record, document),) = extras(ingest)
    assert (stream, day, path, record) == ("orders", "2026-01-03", "canonical/orders/2026-01-03/b.csv", 401)
    assert json.loads(document) == {"mood": 'calm, "x"', "it's": "2"}
    (kept,) = ingest.ledger.rows("select drift, extras_path from deliveries where drift like '%mood%'")
    assert json.loads(kept[0])["added"] == ["mood", "it's"]
    assert (ingest.settings.home / kept[1]).is_file()
    assert (ingest.settings.home / "restricted").stat().st_mode & 0o077 == 0
    assert "mood" not in {column for (column,) in ingest.all("select column_name from (describe lake.orders)")}


@pytest.mark.fault("F9")
def test_extras_go_with_the_file_that_brought_them(ingest: Any) -> None:
    path = "canonical/orders/2026-01-03/b.csv"
    ingest.deliver(path, file("o1,2026-01-01T10:00:00Z,EUR,a1,1.00,calm", header=HEADER + ",mood"))
    ingest.walk()
    ingest.deliver(path, file("o1,2026-01-01T10:00:00Z,EUR,a1,1.00,cross", header=HEADER + ",mood"))
    ingest.walk()
    ingest.read()
    assert [json.loads(row[4]) for row in extras(ingest)] == [{"mood": "cross"}], "what was replaced is swept by the next run"


@pytest.mark.fault("F9")
def test_an_empty_new_column_leaves_no_file_behind(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-03/b.csv", file(header=HEADER + ",mood"))
    ingest.walk()
    assert not list((ingest.settings.home / "restricted" / "extras").iterdir())


@pytest.mark.fault("F9")
def test_unlisted_columns_of_a_mapped_stream_are_kept_too(make_ingest: Callable[..., Any], tmp_path: Any) -> None:
    mappings = write_system(
        tmp_path / "mappings",
        "till",
        "time_zone: UTC\nstreams:\n  sales:\n    columns: [id, sold]\n    unread: [note]\n"
        "    feeds:\n      orders: {sql: o.sql, records: true}\n",
        o="select record_number, id as order_id, sold as ordered_at, 'EUR' as currency_code from source",
    )
    ingest = make_ingest(mappings=mappings)
    ingest.deliver("till/sales/2026-01-02/a.csv", "id,sold,note,mood\n1,2026-01-01 10:00:00,x,calm\n2,2026-01-01 10:00:00,x,\n")
    assert ingest.walk().warnings == ["till/sales/2026-01-02/a.csv: new column mood (values kept in extras)"]
    assert [(row[3], json.loads(row[4])) for row in extras(ingest)] == [(1, {"mood": "calm"})]


@pytest.mark.fault("F9", "F10", "F11")
def test_what_changed_since_the_last_delivery_is_told_once_a_stream(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", file())
    ingest.walk()
    for day in (3, 4):
        ingest.deliver(
            f"canonical/orders/2026-01-0{day}/a.csv",
            file(header=HEADER.replace("account_id", "accountid")) + f"x{day},2026-01-01T10:00:00Z,EUR,a,1.00\n",
        )
    assert ingest.walk().warnings == [
        "canonical/orders/2026-01-03/a.csv: new column accountid (values kept in extras); account_id came until now and is missing;"
        " did accountid replace account_id?",
        "canonical/orders/2026-01-04/a.csv: new column accountid (values kept in extras); did accountid replace account_id?",
    ]
    ingest.deliver(
        "canonical/orders/2026-01-05/a.csv", "ordered_at,order_id,currency_code,account_id,net_amount\n2026-01-01T10:00:00Z,o9,EUR,a,1.00\n"
    )
    assert ingest.walk().warnings == ["canonical/orders/2026-01-05/a.csv: columns in another order than until now, read by name"]
    ingest.deliver("canonical/orders/2026-01-06/a.csv", file())
    assert ingest.walk().warnings == [], "what is as it should be again is not reported"


@pytest.mark.fault("F9")
def test_a_frozen_contract_refuses_a_new_column(ingest: Any, amend_contract: Amend) -> None:
    mode(amend_contract, "orders", "newColumns", "freeze")
    ingest.deliver("canonical/orders/2026-01-02/a.csv", file(header=HEADER + ",mood"))
    assert "a.csv: new column mood in a frozen contract; remedy: add it to the contract" in ingest.walk().refusals[0]
    assert not (ingest.settings.restricted / "extras").exists()


@pytest.mark.fault("F9")
def test_new_columns_may_be_left_out_with_a_warning(ingest: Any, amend_contract: Amend) -> None:
    mode(amend_contract, "orders", "newColumns", "discard_value")
    ingest.deliver("canonical/orders/2026-01-02/a.csv", file("o1,2026-01-01T10:00:00Z,EUR,a1,1.00,calm", header=HEADER + ",mood"))
    report = ingest.walk()
    assert report.warnings == ["canonical/orders/2026-01-02/a.csv: new column mood (values excluded)"]
    assert counts(report) == [(401, 401, 0, 0)]
    assert not (ingest.settings.restricted / "extras").exists()


@pytest.mark.fault("F9")
def test_records_that_fill_a_new_column_may_be_quarantined(ingest: Any, amend_contract: Amend) -> None:
    mode(amend_contract, "orders", "newColumns", "discard_row")
    ingest.deliver("canonical/orders/2026-01-02/a.csv", file("o1,2026-01-01T10:00:00Z,EUR,a1,1.00,calm", header=HEADER + ",mood"))
    report = ingest.walk()
    assert counts(report) == [(401, 400, 0, 1)]
    assert "record 401 (line 402) fills mood, which no contract knows" in report.rejections[0]
    assert ingest.ledger.rows("select rule, record_number from quarantine") == [("new_column", 401)]
    assert ingest.all("select count(*), count(*) filter (where order_id = 'o1') from lake.orders") == [(400, 0)]


@pytest.mark.fault("F12")
@pytest.mark.parametrize(
    ("value", "status", "numbers", "loaded"),
    [
        ("evolve", "staged", (401, 400, 0, 1), None),
        ("discard_row", "staged", (401, 400, 0, 1), None),
        ("discard_value", "staged", (401, 401, 0, 0), (None, "EUR")),
        ("freeze", "refused", (401, 0, 0, 1), None),
    ],
)
def test_a_value_that_breaks_its_contract_is_met_as_the_mode_says(
    ingest: Any, amend_contract: Amend, value: str, status: str, numbers: tuple[int, ...], loaded: tuple[Any, ...] | None
) -> None:
    mode(amend_contract, "orders", "badValues", value)
    ingest.deliver("canonical/orders/2026-01-02/a.csv", file("o1,2026-01-01T10:00:00Z,EUR,a1,1.005"))
    report = ingest.walk()
    assert [found.status for found in report.files] == [status]
    assert counts(report) == [numbers]
    found = ingest.all("select net_amount, currency_code from lake.orders where order_id = 'o1'")
    assert found == ([] if loaded is None else [loaded])
    if value == "discard_value":
        assert report.warnings == ["canonical/orders/2026-01-02/a.csv: 1 values of net_amount break its contract and were excluded"]


@pytest.mark.fault("F12", "F13")
def test_a_value_that_is_needed_is_never_left_out(ingest: Any, amend_contract: Amend) -> None:
    mode(amend_contract, "orders", "badValues", "discard_value")
    ingest.deliver("canonical/orders/2026-01-02/a.csv", file("o1,2026-01-01T10:00:00Z,,a1,1.00", "o2,soon,EUR,a1,x", good=800))
    assert counts(ingest.walk()) == [(802, 800, 0, 2)]
    assert ingest.ledger.rows("select column_name, rule from quarantine order by record_number") == [
        ("currency_code", "required"),
        ("ordered_at", "instant_format"),
    ]


@pytest.mark.fault("F12")
@pytest.mark.parametrize(("value", "channels"), [("evolve", ["other"]), ("discard_value", ["other"]), ("discard_row", []), ("freeze", [])])
def test_a_new_word_of_a_list_follows_the_mode_too(ingest: Any, amend_contract: Amend, value: str, channels: list[str]) -> None:
    mode(amend_contract, "tickets", "badValues", value)
    rows = "".join(f"t{number},2026-01-01T00:00:00Z,open,email\n" for number in range(400))
    ingest.deliver(
        "canonical/tickets/2026-01-02/a.csv",
        "ticket_id,created_at,ticket_state,channel\n" + rows + "new,2026-01-01T00:00:00Z,open,telegram\n",
    )
    ingest.walk()
    assert [row[0] for row in ingest.all("select channel from lake.tickets where ticket_id = 'new'")] == channels
    assert ingest.ledger.rows("select rule from quarantine") == ([] if channels else [("closed_list",)])


@pytest.mark.fault("F12")
def test_a_column_that_changes_its_type_stops_the_file(ingest: Any) -> None:
    head = "agent_id,work_date,agent_state,state_seconds\n"
    ingest.deliver(
        "canonical/agent_time/2026-01-02/a.csv", head + "".join(f"a{number},2026-01-01,talk,1h{number}m\n" for number in range(9))
    )
    refusal = ingest.walk().refusals[0]
    assert "9 of 9 records refused" in refusal
    assert 'column state_seconds: "1h0m" is not a plain number' in refusal


def test_a_contract_may_set_its_own_threshold(ingest: Any, amend_contract: Amend) -> None:
    mode(amend_contract, "orders", "quarantineThresholdRate", "0.5")
    ingest.deliver("canonical/orders/2026-01-02/a.csv", file("o1,2026-01-01T10:00:00Z,EUR,a1,x", good=1))
    report = ingest.walk()
    assert counts(report) == [(2, 1, 0, 1)]
    assert "threshold 50.00 %" in report.rejections[0]
    assert load_contract("orders").quarantine_threshold_rate == Decimal("0.5")


@pytest.mark.parametrize(("name", "value"), [("newColumns", "guess"), ("quarantineThresholdRate", "2")])
def test_a_word_that_is_no_mode_is_an_error_of_the_contract(amend_contract: Amend, name: str, value: str) -> None:
    mode(amend_contract, "orders", name, value)
    with pytest.raises(UsageError, match=r"orders\.odcs\.yaml"):
        load_contract("orders")
