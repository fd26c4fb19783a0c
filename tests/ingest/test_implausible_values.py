"""Wrong but well-formed values: each is kept out with its address or lies within the contract's bounds, and the rest of its file loads.

What breaks if these fail: one cell of 31 years, 99 trillion or month 13 stops the company, or changes its figures in silence.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.commands.template import example_value
from dagster_project.contracts.model import Column, Contract, feeds, load_contract
from dagster_project.ingest.conform.casting import Casting, casting
from dagster_project.ingest.conform.rules import rules_between_columns
from dagster_project.ingest.conform.zones import instant_macro
from dagster_project.ingest.pii.masking import prepare, use_key
from dagster_project.ingest.readers.dialect import Dialect

CONNECTION = duckdb.connect()
CONNECTION.execute("set TimeZone = 'UTC'")
CONNECTION.execute(instant_macro())
prepare(CONNECTION)
use_key(CONNECTION, b"k" * 32)
DELIVERED = dt.date(2026, 1, 6)
UNBOUNDED = {
    ("interactions", "ivr_seconds"): "raw reading of the switch, of either sign; no figure is made of it",
    ("ledger_actuals", "line_number"): "a name",
    ("agent_time", "overtime_seconds"): "part of the time in the state, which is at most a day",
    ("business_hours", "start_minutes"): "before the end, which is at most 1440",
    ("business_hours", "end_minutes"): "after the start, which is at least 0",
    ("ring_cadence", "ring_cycle_seconds"): "nine digits; no figure sums it",
    ("training_events", "training_hours"): "nine digits; a check warns above a week",
    ("ticket_events", "event_number"): "a name; many systems number the events of all tickets together",
}
"""Numbers without a bound on both sides, each with its reason; scores have the bounds of their scale, another column."""
OPEN_ENDED = ("valid_to_date", "certification_valid_to_date", "separation_date")
AHEAD = ("planned_at", "promised_at", "version_effective_at", "shipped_at")
LATER = {
    "source_updated_at": "a version of the record: the source may stamp it ahead, and its own rule bounds it",
    "merged_at": "from when the merge holds",
    "posted_at": "the day of the books, which may be the last of the month",
    "accounts.closed_at": "the end of the contract, which is known before it comes",
    "fiscal_periods.closed_at": "the calendar may say when the books will be closed",
    "training_events.started_at": "a course that is booked",
}
"""Instants that may lie after the day of their delivery, each with its reason; so may plans."""
COLUMNS = [
    (feed, column)
    for feed in feeds()
    for column in load_contract(feed).columns
    if column.sql_type not in ("varchar", "boolean") or column.name == "fiscal_period"
]
NUMBERS = [(feed, column) for feed, column in COLUMNS if column.sql_type == "bigint" or column.scale is not None]


def listed(contract: Contract, changes: Sequence[dict[str, str]]) -> tuple[Casting, list[dict[str, Any]]]:
    """Cast the example record of the feed once for each change; return the plan and the rows."""
    examples = {column.name: example_value(contract, column) or None for column in contract.columns}
    records = [{**examples, **change} for change in changes]
    plan = casting(contract, dict.fromkeys(contract.names, "VARCHAR"), zone="UTC", dialect=Dialect(), day_of=lambda _: DELIVERED)
    values = [[record[name] for record in records] for name in contract.names]
    unnested = ", ".join(f"unnest(?::varchar[]) as {name}" for name in contract.names)
    CONNECTION.execute(f"create or replace temp table one as select {unnested}, unnest(range(?)) as record_number", [*values, len(records)])
    cursor = CONNECTION.execute(f"from ({plan.listing_sql('one')}) order by record_number")
    names = [entry[0] for entry in cursor.description]
    return plan, [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def broken(plan: Casting, row: dict[str, Any]) -> str | None:
    """Return the column of the first rule that a record breaks."""
    return None if row["broken_rule"] is None else plan.rules[row["broken_rule"]].column


def bounds(column: Column) -> tuple[Decimal | None, Decimal | None]:
    """Return the lowest and the highest value: those of the contract, else what a decimal of 18 digits leaves to sums."""
    largest = Decimal(10 ** (16 - (column.scale or 0))) if column.precision == 18 else None
    low = column.exclusive_minimum if column.minimum is None else column.minimum
    if column.maximum is not None:
        return low, column.maximum
    return (None if largest is None else -largest) if low is None else low, largest


def extremes(column: Column) -> list[str]:
    """Return values of the column that nobody can mean."""
    if column.name == "fiscal_period":
        return ["1999-13", "2026-00", "2026-99", "2126-01", "0001-01"]
    if column.sql_type == "timestamptz":
        offsets = ("+99:00", "-99", "+23:59", "+14:01", "+10:75")
        far = ["0001-01-01T00:00:00Z", "2126-01-01T10:00:00Z", "2199-12-31T00:00:00Z", "9999-12-31T00:00:00Z", "294247-01-10T00:00:00Z"]
        return [*far, *(f"2026-01-01T10:00:00{offset}" for offset in offsets)]
    if column.sql_type == "date":
        return ["0001-01-01", "1899-12-31", "2200-01-02", "9999-12-31"][: 2 if column.name in OPEN_ENDED else None]
    outside = [] if (highest := bounds(column)[1]) is None else [f"{highest * 10:f}"]
    return ["9" * 40, "-" + "9" * 40, "9" * 20, *outside]


@pytest.mark.fault("F20")
@pytest.mark.parametrize("feed", feeds())
def test_an_extreme_value_of_any_column_is_kept_out_by_its_column_and_the_example_loads(feed: str) -> None:
    contract = load_contract(feed)
    cases = [(column, value) for of, column in COLUMNS if of == feed for value in extremes(column)]
    plan, (example, *rows) = listed(contract, [{}, *({column.name: value} for column, value in cases)])
    assert broken(plan, example) is None
    for (column, value), row in zip(cases, rows, strict=True):
        names = (
            "fiscal_period"
            if feed == "fiscal_periods" and column.name == "fiscal_period" and value[:4] in ("2126", "0001")
            else column.name
        )
        if names == column.name and not (feed == "fiscal_periods" and value in ("2126-01", "0001-01")):
            assert broken(plan, row) == column.name, (column.name, value)


@given(st.data())
@settings(deadline=None, max_examples=25)
def test_any_number_is_kept_out_or_within_its_bounds_and_its_neighbours_load(data: st.DataObject) -> None:
    feed, column = data.draw(st.sampled_from(NUMBERS))
    scale = column.scale or 0
    numbers = data.draw(st.lists(st.decimals(min_value=-(10**20), max_value=10**20, places=scale), min_size=8, max_size=8))
    plan, (example, *rows) = listed(load_contract(feed), [{}, *({column.name: f"{number:f}"} for number in numbers)])
    assert broken(plan, example) is None
    low, high = bounds(column)
    for number, row in zip(numbers, rows, strict=True):
        is_within = (low is None or number >= low) and (high is None or number <= high)
        assert broken(plan, row) is not None or (is_within and row[column.name] == number), (feed, column.name, number)


def test_every_quantity_of_every_contract_has_bounds_on_both_sides_or_a_reason() -> None:
    without = {
        (feed, column.name)
        for feed, column in NUMBERS
        if None in bounds(column) and not column.name.endswith(("_score", "score", "scale_min", "scale_max"))
    }
    assert without == set(UNBOUNDED)


@pytest.mark.fault("F20")
@pytest.mark.parametrize(
    ("feed", "values", "column"),
    [
        ("order_lines", {"quantity": "1000000000", "unit_price": "100000000000000"}, "unit_price"),
        ("order_lines", {"quantity": "-1000000000", "unit_cost": "99999999999999"}, "unit_cost"),
        ("fx_rates", {"from_currency_code": "EUR", "to_currency_code": "EUR", "exchange_rate": "2"}, "exchange_rate"),
        ("fx_rates", {"from_currency_code": "JPY", "to_currency_code": "JPY", "exchange_rate": "0.99999999"}, "exchange_rate"),
        ("fx_rates", {"from_currency_code": "EUR", "to_currency_code": "EUR", "exchange_rate": "1.00000000"}, None),
        ("ledger_actuals", {"fiscal_period": "FY26-P13"}, None),
        ("ledger_actuals", {"fiscal_period": "2027-12"}, None),
        ("budgets", {"fiscal_period": "2019-20"}, None),
        ("budgets", {"fiscal_period": "2019-21"}, "fiscal_period"),
        ("budgets", {"fiscal_period": "2035-12"}, None),
        ("fiscal_periods", {"fiscal_period": "2026-13"}, "fiscal_period"),
        ("fiscal_periods", {"end_date": "9999-12-31"}, "end_date"),
        ("entitlements", {"valid_to_date": "9999-12-31"}, None),
        ("agents", {"separation_date": "9999-12-31"}, None),
    ],
)
def test_values_that_are_only_wrong_together_or_for_their_feed(feed: str, values: dict[str, str], column: str | None) -> None:
    plan, (row,) = listed(load_contract(feed), [values])
    assert broken(plan, row) == column


@pytest.mark.fault("F22")
@pytest.mark.parametrize(
    ("feed", "values", "rule"),
    [
        ("tickets", {"ticket_id": "T", "merged_into_ticket_id": "T"}, "self_reference"),
        ("tickets", {"ticket_id": "T", "follow_up_of_ticket_id": "T"}, "self_reference"),
        ("tickets", {"ticket_id": "T", "merged_into_ticket_id": "U"}, None),
        *(
            ("tickets", {"ticket_state": state, "closed_at": "2026-01-08T00:00:00Z"}, "future_instant")
            for state in ("new", "open", "on_hold", "solved", "closed")
        ),
        ("tickets", {"ticket_state": "open", "closed_at": "2026-01-07T23:59:59Z"}, None),
        ("accounts", {"closed_at": "2026-02-01T00:00:00Z"}, None),
        ("tickets", {"closed_at": "2026-01-01T00:00:00Z"}, "order_of_instants"),
        ("interactions", {"queued_at": "", "answered_at": "2026-01-05T08:00:00Z"}, "order_of_instants"),
        ("interactions", {"queued_at": "2026-01-05T07:59:00Z", "answered_at": "2026-01-05T08:00:00Z"}, None),
        ("orders", {"source_updated_at": "2027-01-08T00:00:00Z"}, "future_instant"),
        ("account_merges", {"to_account_id": "A-2"}, None),
    ],
)
def test_a_record_that_contradicts_itself_is_kept_out(feed: str, values: dict[str, str], rule: str | None) -> None:
    plan, (row,) = listed(load_contract(feed), [{name: value or None for name, value in values.items()}])  # type: ignore[misc]
    assert (None if row["broken_rule"] is None else plan.rules[row["broken_rule"]].rule) == rule


def test_a_plan_may_lie_years_ahead_and_what_happened_may_not() -> None:
    for name in AHEAD:
        feed = next(feed for feed, column in COLUMNS if column.name == name)
        plan, rows = listed(load_contract(feed), [{name: "2031-01-01T00:00:00Z"}, {name: "2037-01-01T00:00:00Z"}])
        assert [broken(plan, row) for row in rows] == [None, name]


@pytest.mark.fault("F17")
@pytest.mark.parametrize("feed", feeds())
def test_what_has_happened_is_no_day_after_the_next_of_its_delivery(feed: str) -> None:
    contract = load_contract(feed)
    instants = [column.name for column in contract.columns if column.sql_type == "timestamptz"]
    happened = [name for name in instants if contract.column(name).not_after_delivery]
    assert {name for name in instants if not {name, f"{feed}.{name}"} & {*LATER, *AHEAD}} == set(happened)
    late = [{name: f"{DELIVERED + dt.timedelta(days=2)}T00:00:00Z"} for name in happened]
    in_time = [dict.fromkeys(happened, f"{DELIVERED + dt.timedelta(days=1)}T23:59:59Z")]
    plan, rows = listed(contract, [*late, *in_time])
    assert [broken(plan, row) for row in rows] == [*happened, None]


@pytest.mark.fault("F20")
def test_one_bad_cell_of_each_feed_is_quarantined_by_file_record_and_column_and_all_else_loads(ingest: Any) -> None:
    bad = {
        "ledger_actuals": {"ledger_amount": "9999999999999999.99"}, "budgets": {"fiscal_period": "1999-13"},
        "tickets": {"handle_seconds": "999999999"}, "order_lines": {"quantity": "99999999999999"},
        "fx_rates": {"exchange_rate": "99999999"},
    }  # fmt: skip
    for feed, change in bad.items():
        contract = load_contract(feed)
        header, example = ",".join(contract.names), [example_value(contract, column) for column in contract.columns]
        key = contract.names.index(
            contract.primary_key[-1] if contract.column(contract.primary_key[-1]).sql_type == "varchar" else contract.primary_key[0]
        )
        rows = [[*example[:key], f"K{number}", *example[key + 1 :]] for number in range(5)]
        rows[3] = [change.get(name, value) for name, value in zip(contract.names, rows[3], strict=True)]
        ingest.deliver(f"canonical/{feed}/2026-01-06/a.csv", header + "\n" + "".join(",".join(row) + "\n" for row in rows))
    ingest.walk()
    kept = ingest.ledger.rows("select d.path, q.record_number, q.column_name from quarantine as q join deliveries as d using (file_id)")
    assert sorted(kept) == sorted((f"canonical/{feed}/2026-01-06/a.csv", 4, *change) for feed, change in bad.items())
    assert {feed: ingest.all(f"select count(*) from lake.{feed}") for feed in bad} == {feed: [(4,)] for feed in bad}


@pytest.mark.fault("D2")
@pytest.mark.parametrize("amounts", [(5, 6), (6, 5), (7, 5), (5, 6, 7), (7, 6, 5)])
@pytest.mark.parametrize("system", ["canonical", "till"])
def test_of_records_with_one_key_and_no_version_the_last_one_counts_and_it_is_said(
    till: Callable[..., Any], system: str, amounts: tuple[int, ...]
) -> None:
    ingest = till()
    if system == "canonical":
        rows = "order_id,ordered_at,currency_code,net_amount\n" + "".join(f"o,2026-01-01T00:00:00Z,EUR,{amount}\n" for amount in amounts)
        ingest.deliver("canonical/orders/2026-01-06/a.csv", rows)
    else:
        rows = "number,day,customer,net\n" + "".join(f"o,2026-01-01 00:00:00,c,{amount}\n" for amount in amounts)
        ingest.deliver("till/sales/2026-01-06/a.csv", rows)
    report = ingest.walk()
    assert ingest.all("select net_amount from lake.orders") == [(Decimal(amounts[-1]),)]
    assert any(f"{len(amounts) - 1} of {len(amounts)} records repeat the key" in warning for warning in report.warnings)


def test_the_engine_knows_every_zone_that_business_hours_may_name() -> None:
    (rule,) = [
        rule for rule in rules_between_columns(load_contract("business_hours"), {"time_zone": "VARCHAR"}) if rule.rule == "time_zone"
    ]
    zones = re.findall("'([^']+)'", rule.bad_sql)
    assert {"Europe/Berlin", "UTC", "Asia/Kolkata"} <= set(zones)
    for zone in zones:
        CONNECTION.execute("select timezone(?, timestamp '2026-01-01 12:00:00')", [zone])
