"""The company that has every feed, with one of them taken away at a time: what stood on it is null with a reason, never 0."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

WHOLE: dict[str, list[dict[str, Any]]] = runpy.run_path(str(Path(__file__).with_name("company_rows.py")))["WHOLE"]
Build = Callable[..., duckdb.DuckDBPyConnection]
MARTS = ("mart_account_service_month", "mart_account_sales_month", "mart_cost_per_unit", "mart_customer_360", "mart_ticket_clock")
NUMBERS = (
    "select column_name from duckdb_columns() where schema_name = 'marts' and table_name = ? "
    "and (data_type in ('BIGINT', 'HUGEINT', 'DOUBLE') or data_type like 'DECIMAL%')"
)
"""Measures: money, counts, durations and scores."""
_SALES_MONTH = "mart_account_sales_month"
DEPENDS = {
    "interactions": {
        "mart_account_service_month": {"contacts_null_reason": "contacts_count calls_count handle_seconds"},
        "mart_customer_360": {"contacts_null_reason": "contacts_count", "contacts_90_null_reason": "contacts_90_count"},
    },
    "tickets": {
        "mart_account_service_month": {"tickets_null_reason": "tickets_created_count tickets_solved_count complaints_count"},
        "mart_customer_360": {"tickets_null_reason": "tickets_open_count", "complaints_365_null_reason": "complaints_365_count"},
    },
    "survey_responses": {
        "mart_account_service_month": {"csat_null_reason": "csat_num csat_response_count csat_unscaled_count"},
        "mart_customer_360": {
            "csat_latest_null_reason": "csat_latest_share",
            "csat_mean_365_null_reason": "csat_mean_365_share",
            "nps_null_reason": "nps_latest_score",
        },
    },
    "survey_invitations": {},  # who was asked has no row then; the metrics of it say so, tests/warehouse/test_survey_invitations.py
    "orders": {
        _SALES_MONTH: {
            "orders_null_reason": "orders_count order_days_count",
            "null_reason": "gross_sales_amount credit_amount net_revenue_amount",
            "margin_null_reason": "contribution_margin_amount",
            "offer_margin_null_reason": "offer_margin_amount",
        },
        "mart_customer_360": {
            "orders_null_reason": "orders_count order_days_count gross_sales_amount",
            "orders_365_null_reason": "orders_365_count",
            "revenue_null_reason": "revenue_365_amount",
            "margin_null_reason": "margin_365_amount",
            "order_gap_null_reason": "order_gap_median_days",
        },
    },
    "order_lines": {
        _SALES_MONTH: {
            "null_reason": "gross_sales_amount credit_amount net_revenue_amount",
            "margin_null_reason": "contribution_margin_amount",
            "offer_margin_null_reason": "offer_margin_amount",
        },
        "mart_customer_360": {
            "orders_null_reason": "orders_count order_days_count gross_sales_amount",
            "orders_365_null_reason": "orders_365_count",
            "revenue_null_reason": "revenue_365_amount",
            "margin_null_reason": "margin_365_amount",
            "order_gap_null_reason": "order_gap_median_days",
        },
    },
    "refunds": {
        _SALES_MONTH: {"refund_null_reason": "refund_amount"},
        "mart_customer_360": {"refunds_null_reason": "refunds_365_amount"},
    },
    "payments": {
        _SALES_MONTH: {"payment_null_reason": "payments_count payment_amount"},
        "mart_customer_360": {"payment_null_reason": "payment_amount"},
    },
    "ledger_actuals": {
        "mart_account_service_month": {
            "null_reason": "service_cost_amount people_cost_amount it_cost_amount facilities_cost_amount other_cost_amount"
        },
        "mart_cost_per_unit": {"null_reason": "cost_amount unit_cost_amount"},
        "mart_customer_360": {"cost_null_reason": "cost_to_serve_365_amount"},
    },
    "ticket_events": {
        "mart_ticket_clock": {
            "history_null_reason": "requester_wait_seconds agent_wait_seconds on_hold_seconds blocked_seconds elapsed_seconds"
            " stations_count departments_count handoffs_count ping_pongs_count information_losses_count reopens_count"
            " reopens_difference_count",
        }
    },
    "business_hours": {
        "mart_ticket_clock": {
            "business_null_reason": "first_reply_business_seconds total_reply_business_seconds first_resolution_business_seconds"
            " cycle_business_seconds requester_wait_business_seconds elapsed_business_seconds first_reply_last_schedule_seconds",
        }
    },
    "holidays": {},
    "entitlements": {},  # without a promise there is no target: its state is none
    "service_standards": {},
    "accounts": {},
    "contacts": {},
    "fx_rates": {},  # see below
    "offers": {},  # an interaction that the order names tells of them too, see below
    "budgets": {},
    **{feed: {} for feed in ("agents", "agent_time", "training_events", "tool_usage")},  # test_workforce.py takes them away
    "self_service_sessions": {},  # tests/warehouse/test_self_service.py
}
"""Measures that a feed alone makes known, by table and the column that says why they are null."""


def values(connection: duckdb.DuckDBPyConnection) -> dict[str, set[Any]]:
    """Every value of every measure of the marts."""
    found = {}
    for table in MARTS:
        for (name,) in connection.execute(NUMBERS, [table]).fetchall():
            found[f"{table}.{name}"] = {value for (value,) in connection.execute(f"select {name} from marts.{table}").fetchall()}
    return found


@pytest.fixture(scope="module")
def present(quick: Build) -> dict[str, set[Any]]:
    return values(quick(WHOLE))


def test_the_walk_takes_away_every_feed_that_a_model_reads(compiled: list[tuple[str, str, str]]) -> None:
    read = {name.removeprefix("staging.stg_") for name, _, _ in compiled if name.startswith("staging.")}
    of_queues = {"business_hours", "holidays", "queue_intervals", "ring_cadence", "service_standards"}  # test_queue_intervals.py
    # The company has no calendar and no merges: it shows their absence.
    assert set(DEPENDS) | {"fiscal_periods", "account_merges"} | of_queues == read
    assert set(DEPENDS) == set(WHOLE)


@pytest.mark.parametrize("feed", DEPENDS)
def test_without_a_feed_its_measures_are_null_with_a_reason_and_no_zero_takes_their_place(
    feed: str, quick: Build, present: dict[str, set[Any]]
) -> None:
    rows = {name: made for name, made in WHOLE.items() if name != feed}
    if feed == "ledger_actuals":
        del rows["budgets"]  # the budget stands in for a month without actuals
    connection = quick(rows)
    for table, reasons in DEPENDS[feed].items():
        for reason, measures in reasons.items():
            for measure in measures.split():
                found = connection.execute(f"select distinct {measure}, {reason} from marts.{table}").fetchall()
                assert found in ([(None, "source_absent")], []), f"{table}.{measure} without {feed}: {found}"
    # Whatever the table above forgot: a measure that was more than 0 somewhere must not be 0 everywhere.
    without = values(connection)
    false_zeros = {name for name, now in without.items() if now - {None} == {0} and present[name] - {None, 0}}
    assert false_zeros == set() or feed == "fx_rates"


def test_offers_are_unknown_only_without_both_feeds_that_tell_of_them(quick: Build) -> None:
    for absent, known in (({"offers"}, True), ({"interactions"}, True), ({"offers", "interactions"}, False)):
        connection = quick({name: made for name, made in WHOLE.items() if name not in absent})
        found = connection.execute(f"""
            select
                count(offer_margin_amount) > 0,
                count(*) filter (where coalesce(offer_margin_null_reason = 'source_absent', false) = has_offers)
            from marts.{_SALES_MONTH} inner join marts.dim_period using (period_month)""").fetchall()
        assert found == [(known, 0)], f"{absent}: null before the first offer and nowhere else"


def test_without_rates_what_is_in_another_currency_is_unknown_and_the_rest_is_not(quick: Build) -> None:
    connection = quick({name: made for name, made in WHOLE.items() if name != "fx_rates"})
    months = connection.execute(
        "select strftime(period_month, '%Y-%m'), count(service_cost_amount), any_value(null_reason) "
        "from marts.mart_account_service_month group by 1 order by 1"
    ).fetchall()
    assert [(month, known > 0, reason) for month, known, reason in months] == [
        ("2024-12", False, "fx_missing"), ("2025-01", True, None), ("2025-02", False, "fx_missing"), ("2025-03", True, None)
    ]  # fmt: skip
    sales = connection.execute(
        "select account_id, net_revenue_amount, unpriced_count from marts.mart_account_sales_month "
        "where period_month = '2025-02-01' and account_id in ('a', 'b') order by 1"
    ).fetchall()
    assert sales == [("a", Decimal("-30.00"), 1), ("b", Decimal("80.00"), 0)]  # a sold in pounds, and gave 30.00 euros back
    costs = connection.execute(
        "select distinct cost_amount, null_reason from marts.mart_cost_per_unit where period_month = '2025-02-01'"
    ).fetchall()
    assert costs == [(None, "fx_missing")]
    counted = connection.execute(
        "select ledger_amount, fx_missing_count, difference_amount from marts.mart_cost_reconciliation "
        "where pool_id = 'facilities' and period_month in ('2024-12-01', '2025-02-01')"
    ).fetchall()
    assert counted == [(0, 1, 0), (0, 1, 0)]
