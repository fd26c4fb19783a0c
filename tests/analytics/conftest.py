"""A company small enough to reckon by hand: tables of the marts with the columns that analytics reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

Company = Callable[..., duckdb.DuckDBPyConnection]

_TABLES = {
    "lake.run_parameters": """
        reporting_currency_code varchar, activity_window_days int, taken_back_days int, tier_a_share decimal(9,4),
        tier_b_share decimal(9,4), top_customer_share decimal(9,4), value_share_target decimal(9,4)""",
    "lake.feed_presence": "feed varchar, is_present boolean",
    "marts.dim_account": "account_id varchar, is_pseudo boolean",
    "marts.dim_period": "period_month date, start_date date, end_date date, is_complete_period boolean, as_of_date date",
    "marts.fct_cost_line": "period_month date, is_roi_basis boolean",
    "marts.fct_order": "order_id varchar, account_id varchar, order_kind varchar, is_counted boolean, order_date date, period_month date",
    "marts.fct_order_line_net": """
        order_id varchar, account_id varchar, is_gross_sale boolean, is_counted boolean, net_amount decimal(18,2),
        order_date date, period_month date""",
    "marts.fct_refund": "order_id varchar, is_counted boolean, refund_amount decimal(18,2), refund_date date",
    "marts.mart_account_service_month": "account_id varchar, period_month date, contacts_count bigint, service_cost_amount decimal(18,2)",
    "marts.mart_account_sales_month": """
        account_id varchar, period_month date, gross_sales_amount decimal(18,2), credit_amount decimal(18,2),
        refund_amount decimal(18,2), net_revenue_amount decimal(18,2), null_reason varchar, contribution_margin_amount decimal(18,2),
        offer_margin_amount decimal(18,2), payment_amount decimal(18,2),
        payments_count bigint generated always as ((payment_amount <> 0)::bigint)""",
}
FEEDS = ("orders", "order_lines", "interactions", "tickets", "ledger_actuals", "payments")


def month(number: int) -> date:
    """Month 0 is January 2025."""
    return date(2025 + number // 12, number % 12 + 1, 1)


@pytest.fixture
def hand_made_columns() -> dict[str, list[str]]:
    """Table -> columns of the hand-made company."""
    commas = {table: re.sub(r"\(\d+,\d+\)", "", columns) for table, columns in _TABLES.items()}
    return {table: [part.split()[0] for part in columns.split(",")] for table, columns in commas.items()}


@pytest.fixture
def company() -> Iterator[Company]:
    """Make an empty company; `months` calendar months of which the last `running` are not over; then add rows."""
    connection = duckdb.connect()

    def make(
        *, months: int = 14, running: int = 0, accounts: str = "abcde", feeds: tuple[str, ...] = FEEDS, **rows: Any
    ) -> duckdb.DuckDBPyConnection:
        connection.execute("create schema lake; create schema marts")
        for table, columns in _TABLES.items():
            connection.execute(f"create table {table} ({columns})")
        connection.execute("insert into lake.run_parameters values ('EUR', 60, 30, 0.80, 0.95, 0.20, 0.80)")
        connection.executemany("insert into lake.feed_presence values (?, true)", [[feed] for feed in feeds]) if feeds else None
        names = [[account, False] for account in accounts] + [
            [name, True] for name in ("ACCOUNT_UNKNOWN", "NON_CUSTOMER", "UNALLOCATED", "UNUSED_CAPACITY")
        ]
        connection.executemany("insert into marts.dim_account values (?, ?)", names)
        as_of = (month(months) if not running else month(months - running)).toordinal() + (9 if running else -1)
        for number in range(months):
            end = date.fromordinal(month(number + 1).toordinal() - 1)
            connection.execute(
                "insert into marts.dim_period values (?, ?, ?, ?, ?)",
                [month(number), month(number), end, number < months - running, date.fromordinal(as_of)],
            )
        for table, values in rows.items():
            if values:
                marks = ", ".join("?" * len(values[0]))
                connection.executemany(f"insert into marts.{table} values ({marks})", values)
        return connection

    yield make
    connection.close()
