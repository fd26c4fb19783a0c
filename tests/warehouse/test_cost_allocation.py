"""Cost lines to tickets, interactions and units, reckoned by hand on the company that has every feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest

JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
Connection = duckdb.DuckDBPyConnection


def cents(connection: Connection, sql: str, *parameters: Any) -> dict[Any, int]:
    return {row[0]: int(row[1] * 100) for row in connection.execute(sql, list(parameters)).fetchall()}


@pytest.mark.spec("C23")
def test_the_golden_fixture_comes_out_of_the_mart_to_the_cent(whole: Connection, golden: dict[int, list[int]]) -> None:
    for amount, expected in golden.items():
        got = cents(
            whole,
            "select ticket_id, shares.cost_amount from marts.mart_cost_allocation_ticket as shares join "
            "marts.fct_cost_line as lines using (period_month, cost_line_id) "
            "where period_month = ? and lines.cost_amount = ? order by 1",
            JANUARY, Decimal(amount) / 100,
        )  # fmt: skip
        assert list(got.items()) == list(zip(["T1", "T2", "T3", "T4", "T5", "T6"], expected, strict=True))


@pytest.mark.spec("C23")
def test_both_levels_add_up_to_every_cost_line(whole: Connection) -> None:
    lines = "select cost_line_id, cost_amount from marts.fct_cost_line where is_roi_basis and cost_amount is not null"
    for level in ("ticket", "interaction"):
        got = cents(whole, f"select cost_line_id, sum(cost_amount) from marts.mart_cost_allocation_{level} group by 1")
        assert got == cents(whole, lines)


def test_a_reversal_mirrors_its_line_object_by_object(whole: Connection) -> None:
    got = whole.execute(
        "select object_id, sum(cost_amount), count(*) from marts.mart_cost_allocation_interaction "
        "where period_month = ? and cost_line_id in ('ledger|primary|J2025-02|1', 'ledger|primary|J2025-02|2') group by 1",
        [FEBRUARY],
    ).fetchall()
    assert len(got) > 5
    assert {(total, count) for _, total, count in got} == {(Decimal("0.00"), 2)}


def weights(connection: Connection, month: date) -> dict[str, tuple[Any, ...]]:
    rows = connection.execute(
        "select distinct object_id, object_kind, account_id, driver, driver_count, handle_time_source from "
        "marts.mart_cost_allocation_ticket where period_month = ?",
        [month],
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def test_objects_carry_their_account_weight_and_its_source(whole: Connection) -> None:
    got = weights(whole, FEBRUARY)
    assert got.pop("UNALLOCATED") == ("unallocated", "UNALLOCATED", "none", 0, "none")
    assert got["SPAM"] == ("ticket", "NON_CUSTOMER", "handle_seconds", 100, "measured")
    assert got["S"] == ("ticket", "b", "handle_seconds", 7 + 11 + 13, "measured")  # the chain's calls, 27 s at concurrency 2 = 13
    assert got["OWN"] == ("ticket", "ACCOUNT_UNKNOWN", "handle_seconds", 200, "reported")
    assert got["UNTIMED"] == (
        "interaction",
        "a",
        "handle_seconds",
        (7 + 11 + 13) // 3,
        "standard",
    )  # mean of its channel
    month_mean = (7 + 11 + 13 + 30 + 40) // 5  # C7, C11, C13, ORPHAN, MIDNIGHT: measured contacts of customers, no spam, no reported time
    assert got["BLANK"] == ("ticket", "b", "handle_seconds", month_mean, "standard")  # worked when solved; no measured chat
    assert got["NOMEAN"] == ("interaction", "b", "handle_seconds", month_mean, "standard")  # no measured letter: mean of the month
    assert got["ORPHAN"] == ("interaction", "ACCOUNT_UNKNOWN", "handle_seconds", 30, "measured")
    assert got["MIDNIGHT"] == ("interaction", "c", "handle_seconds", 40, "measured")
    assert {"X1", "X2"} <= set(got)  # a cycle of merges keeps its cost where it is
    assert not {"M1", "M2", "ABANDONED"} & set(got)


def test_a_month_without_any_time_splits_equally_by_contact(whole: Connection) -> None:
    got = weights(whole, MARCH)
    assert {name: row[2:] for name, row in got.items()} == dict.fromkeys(("E1", "E2", "MARCHCALL"), ("contacts", 1, "equal"))
    assert cents(whole, "select object_id, cost_amount from marts.mart_cost_allocation_ticket where period_month = ?", MARCH) == {
        "E1": 33_34,
        "E2": 33_33,
        "MARCHCALL": 33_33,
    }


def test_a_departments_line_reaches_only_its_own_objects(whole: Connection) -> None:
    got = cents(
        whole, "select object_id, cost_amount from marts.mart_cost_allocation_ticket where cost_line_id = 'ledger|primary|J2025-02|3'"
    )
    assert got == {"S": 10_00}


def test_a_line_without_objects_is_kept_as_unallocated(whole: Connection) -> None:
    got = cents(
        whole, "select account_id, cost_amount from marts.mart_cost_allocation_interaction where cost_line_id = 'ledger|primary|J2025-02|4'"
    )
    assert got == {"UNALLOCATED": 5_55}


def test_the_second_level_splits_a_tickets_cents_over_its_calls(whole: Connection) -> None:
    got = cents(
        whole,
        "select interaction_id, cost_amount from marts.mart_cost_allocation_interaction where cost_line_id = 'ledger|primary|J2025-02|3'",
    )
    assert got == {"C7": 2_26, "C11": 3_55, "C13": 4_19}


def test_the_short_way_of_the_second_level_equals_the_general_one(
    whole: Connection, hamilton: Callable[[int, list[int]], list[int]]
) -> None:
    tickets = whole.execute(
        "select cost_line_id, ticket_id, list(driver_count order by driver_count desc, object_id), list((cost_amount * "
        "100)::bigint order by driver_count desc, object_id) "
        "from marts.mart_cost_allocation_interaction where ticket_id = 'S' group by all"
    ).fetchall()
    assert tickets
    for _, _, driver_counts, got in tickets:
        assert got == hamilton(sum(got), driver_counts)


def test_work_on_the_ticket_itself_stays_with_the_ticket(whole: Connection) -> None:
    rows = whole.execute(
        "select distinct object_kind, interaction_id from marts.mart_cost_allocation_interaction where ticket_id = 'OWN'"
    ).fetchall()
    assert rows == [("ticket_work", None)]


def test_foreign_cost_is_converted_once_at_the_average_rate_and_a_missing_rate_is_no_rate(whole: Connection) -> None:
    rows = whole.execute(
        "select pool_id, transaction_currency_code, cost_amount, is_fx_missing, is_roi_basis from "
        "marts.fct_cost_line where transaction_currency_code <> 'EUR' order by 2"
    ).fetchall()
    assert rows == [
        ("facilities", "GBP", Decimal("120.35"), False, True),
        ("facilities", "JPY", None, True, True),
    ]  # 120.345 rounds away from zero


def test_the_ledger_counts_and_the_budget_in_force_is_next_to_it(whole: Connection) -> None:
    rows = whole.execute(
        "select cost_source, is_in_force, is_counted from marts.fct_cost_line where period_month = ? group by all order by 1", [JANUARY]
    ).fetchall()
    assert rows == [("budget", True, False), ("ledger", True, True)]


@pytest.mark.spec("C22")
def test_categories_add_up_to_the_ledger_and_nothing_differs(whole: Connection) -> None:
    rows = whole.execute(
        "select cost_category, sum(ledger_amount), sum(out_of_scope_amount), sum(allocated_amount), "
        "sum(unallocated_amount), sum(non_customer_amount), sum(difference_amount) "
        "from marts.mart_cost_reconciliation where period_month = ? group by 1 order by 1",
        [FEBRUARY],
    ).fetchall()
    assert [row[0] for row in rows] == ["facilities", "it", "other", "people"]
    assert [row[6] for row in rows] == [Decimal("0.00")] * 4
    assert sum(row[1] for row in rows) == Decimal("120.35") + Decimal("10.00") + Decimal("5.55") + Decimal("77.00")
    assert rows[2][1:5] == (Decimal("82.55"), Decimal("77.00"), Decimal("0.00"), Decimal("5.55"))
    assert rows[0][5] > 0  # the spam call took its share of the shared line


def unit_costs(connection: Connection, month: date, kind: str) -> dict[str, tuple[Any, ...]]:
    rows = connection.execute(
        "select channel, cost_amount, volume_count, unit_cost_amount, null_reason from "
        "marts.mart_cost_per_unit where period_month = ? and unit_kind = ?",
        [month, kind],
    )
    return {row[0]: row[1:] for row in rows.fetchall()}


def test_cost_per_ticket_is_the_cost_of_tickets_over_the_tickets_closed(whole: Connection) -> None:
    january = unit_costs(whole, JANUARY, "ticket_closed")
    assert january == {channel: (Decimal("10000.00"), 6, Decimal("1666.6667"), None) for channel in ("all", "phone")}
    february = unit_costs(whole, FEBRUARY, "ticket_closed")
    channels = {name: row for name, row in february.items() if name != "all"}
    assert february["all"][:2] == tuple(sum(column) for column in zip(*(row[:2] for row in channels.values()), strict=True))
    raw = whole.execute(
        "select sum(cost_amount) from marts.mart_cost_allocation_ticket where period_month = ? and "
        "ticket_id is not null and account_id <> 'NON_CUSTOMER'",
        [FEBRUARY],
    ).fetchone()
    assert raw is not None
    assert raw[0] == february["all"][0]
    assert february["all"][1] == 3  # S, OWN, BLANK: spam and merged tickets are no tickets
    exact = Fraction(raw[0]) / 3
    assert abs(Fraction(february["all"][2]) - exact) <= Fraction(1, 20_000)
    assert (
        unit_costs(whole, FEBRUARY, "ticket_created")["all"][1] == 4
    )  # with X1 and X2, merged into each other; BLANK was created in January


@pytest.mark.spec("C27")
def test_cost_per_interaction_adds_up_over_channels(whole: Connection) -> None:
    february = unit_costs(whole, FEBRUARY, "interaction")
    channels = {name: row for name, row in february.items() if name != "all"}
    assert set(channels) == {"email", "letter", "phone"}
    assert february["all"][:2] == tuple(sum(column) for column in zip(*(row[:2] for row in channels.values()), strict=True))
    assert february["all"][1] == 7  # abandoned and spam contacts are excluded


def test_cost_per_call_counts_handled_calls_only(whole: Connection) -> None:
    assert unit_costs(whole, JANUARY, "call")["all"] == (Decimal("10000.00"), 6, Decimal("1666.6667"), None)


def test_cost_per_unit_of_sales_is_service_cost_over_net_revenue(whole: Connection) -> None:
    row = whole.execute(
        "select cost_amount, net_amount, unit_cost_amount, null_reason from marts.mart_cost_per_unit "
        "where period_month = ? and unit_kind = 'sales_unit'",
        [JANUARY],
    ).fetchone()
    assert row == (Decimal("10000.00"), Decimal("160.00"), Decimal("62.5000"), None)
    march = whole.execute(
        "select net_amount, unit_cost_amount, null_reason from marts.mart_cost_per_unit where "
        "period_month = ? and unit_kind = 'sales_unit'",
        [MARCH],
    ).fetchone()
    # 70.00 sold, 85.00 given back; the line in yen has no rate and is in no sum.
    assert march[:1] + march[2:] == (Decimal("-15.00"), None)


def test_unit_costs_without_units_are_null_with_a_reason(whole: Connection) -> None:
    rows = whole.execute(
        "select distinct unit_cost_amount, null_reason from marts.mart_cost_per_unit where volume_count = 0 and cost_amount is not null"
    ).fetchall()
    assert rows == [(None, "zero_denominator")]
