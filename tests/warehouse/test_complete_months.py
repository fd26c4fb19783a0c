"""A month is complete when every source it needs delivered after its last day. Breaks: half a month passes for a complete one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
LATER = {f"canonical/{feed}": "2025-04-02" for feed in ("tickets", "orders", "order_lines", "ledger_actuals")}


def rows(ledger: str = "1 2 3", last_ticket: str = "2025-03-05", **more: Any) -> dict[str, list[dict[str, Any]]]:
    """Three months of a company: a ticket and an order at the beginning of each, ledger lines of the months that are named."""
    days = ("2025-01-03", "2025-02-04", last_ticket)
    return {
        "tickets": [
            {"ticket_id": f"T{day}", "account_id": "a", "created_at": f"{day}T10:00:00+00", "ticket_state": "open", "channel": "email"}
            for day in days
        ],
        "orders": [
            {"order_id": f"O{day}", "account_id": "a", "ordered_at": f"{day[:8]}01T10:00:00+00", "currency_code": "EUR"} for day in days
        ],
        "order_lines": [
            {"order_id": f"O{day}", "line_id": "1", "quantity": 1, "unit_price": "9", "net_amount": "9", "unit_cost": "4"} for day in days
        ],
        "ledger_actuals": [
            {"journal_id": f"J{month}", "line_number": 1, "book_id": "b", "legal_entity": "E", "cost_centre": "C", "gl_account": "6",
             "fiscal_period": f"2025-0{month}", "posted_at": f"2025-0{month}-27T10:00:00+00", "cost_category": "people", "pool_id": "p",
             "ledger_amount": "100.00", "currency_code": "EUR"}
            for month in ledger.split()
        ],
        **more,
    }  # fmt: skip


def waits(connection: duckdb.DuckDBPyConnection) -> dict[str, str | None]:
    """What each month waits for; nothing at all where it is complete, `running` where it waits for no source and is not complete."""
    months = connection.execute(
        "select strftime(period_month, '%m'), case when not is_complete_period then coalesce(waits_for, 'running') end"
        " from marts.dim_period where period_month between date '2025-01-01' and date '2025-04-01' order by 1"
    )
    return dict(months.fetchall())


def test_a_month_is_complete_when_every_source_delivered_after_its_last_day_however_quiet_its_end(quick: Build) -> None:
    everything = "canonical/ledger_actuals, canonical/order_lines, canonical/orders, canonical/tickets"
    assert waits(quick(rows(), sources=LATER, latest_delivery_date="2025-04-02")) == {"01": None, "02": None, "03": None, "04": everything}


@pytest.mark.parametrize("feed", ["tickets", "orders", "order_lines", "ledger_actuals"])
def test_each_source_is_waited_for_by_name_whatever_the_others_delivered(quick: Build, feed: str) -> None:
    sources = LATER | {f"canonical/{feed}": "2025-03-31"}
    found = waits(quick(rows(), sources=sources, latest_delivery_date="2025-04-02"))
    assert found["02"] is None
    assert found["03"] == f"canonical/{feed}"


def test_delivered_cost_without_a_line_of_the_month_is_waited_for_from_its_first_month_on(quick: Build) -> None:
    found = waits(quick(rows(ledger="2"), sources=LATER, latest_delivery_date="2025-04-02"))
    assert (found["01"], found["02"], found["03"]) == (None, None, "canonical/ledger_actuals")


@pytest.mark.parametrize("feed", ["survey_responses", "refunds", "account_merges", "payments"])
def test_a_source_that_is_quiet_by_nature_is_not_waited_for(quick: Build, feed: str) -> None:
    sources = LATER | {f"canonical/{feed}": "2025-01-05"}
    assert waits(quick(rows(), sources=sources, latest_delivery_date="2025-04-02"))["03"] is None


def test_a_budget_alone_is_waited_for_where_it_has_no_line_and_not_for_a_delivery(quick: Build) -> None:
    budget = {
        "budget_version_id": "V", "line_id": "L", "legal_entity": "E", "cost_centre": "C", "fiscal_period": "2025-02",
        "line_kind": "expense", "cost_category": "people", "pool_id": "p", "budget_amount": "5.00", "currency_code": "EUR",
        "version_state": "approved", "version_effective_at": "2025-01-01T00:00:00+00",
    }  # fmt: skip
    sources = {name: day for name, day in LATER.items() if "ledger" not in name} | {"canonical/budgets": "2025-01-02"}
    found = waits(quick(rows(ledger="", budgets=[budget]), sources=sources, latest_delivery_date="2025-04-02"))
    assert (found["01"], found["02"], found["03"]) == (None, None, "canonical/budgets")


def test_one_event_after_the_latest_delivery_moves_nothing(quick: Build) -> None:
    """The ticket of March says 1 April; everything was delivered on 31 March."""
    sources = dict.fromkeys(LATER, "2025-03-31")
    built = quick(rows(last_ticket="2025-04-01"), sources=sources, latest_delivery_date="2025-03-31")
    assert waits(built) == waits(quick(rows(), sources=sources, latest_delivery_date="2025-03-31")) | {"04": waits(built)["04"]}
    assert waits(built)["03"] is not None
    assert built.execute("select max(as_of_date)::varchar from marts.dim_period").fetchone() == ("2025-03-31",)
    assert built.execute("select count(*) from marts.mart_cost_per_unit where period_month >= date '2025-04-01'").fetchone() == (0,)


def test_months_after_the_last_event_are_not_complete_however_late_the_delivery(quick: Build) -> None:
    sources = {name: "2026-01-02" for name in LATER if "ledger" not in name}
    found = waits(quick(rows(ledger=""), sources=sources, latest_delivery_date="2026-01-02"))
    assert (found["03"], found["04"]) == (None, "running")


def test_before_the_first_record_of_a_feed_its_figures_are_unknown_and_after_it_nought_is_nought(quick: Build) -> None:
    """Books and tickets from January, orders from March: nobody knows what was sold in January and February."""
    begun = rows()
    begun["orders"], begun["order_lines"] = begun["orders"][2:], begun["order_lines"][2:]
    built = quick(begun, sources=LATER, latest_delivery_date="2025-04-02")
    units = built.execute(
        "select strftime(period_month, '%m'), net_amount, null_reason from marts.mart_cost_per_unit where unit_kind = 'sales_unit'"
        " and period_month between date '2025-01-01' and date '2025-03-01' order by 1"
    ).fetchall()
    assert units == [("01", None, "source_absent"), ("02", None, "source_absent"), ("03", 9, None)]
    flags = "select strftime(period_month, '%m'), has_tickets, has_orders, has_offers, has_interactions from marts.dim_period"
    found = built.execute(f"{flags} where period_month <= date '2025-03-01' order by 1").fetchall()
    assert found[-3:] == [("01", True, False, False, False), ("02", True, False, False, False), ("03", True, True, False, False)]
