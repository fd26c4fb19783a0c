"""A company small enough to reckon by hand: tables of the marts with the columns that analytics reads, on either engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.engines.engine import Engine

Company = Callable[..., Engine]

_TEXT, _DATE, _WHOLE, _FLAG, _MONEY, _SHARE = pa.string(), pa.date32(), pa.int64(), pa.bool_(), pa.decimal128(18, 3), pa.decimal128(9, 4)
_TABLES: dict[str, dict[str, pa.DataType]] = {
    "lake.run_parameters": {
        "reporting_currency_code": _TEXT, "activity_window_days": pa.int32(), "taken_back_days": pa.int32(), "tier_a_share": _SHARE,
        "tier_b_share": _SHARE, "top_customer_share": _SHARE, "value_share_target": _SHARE,
    },
    "lake.feed_presence": {"feed": _TEXT, "is_present": _FLAG},
    "marts.dim_account": {"account_id": _TEXT, "is_pseudo": _FLAG, "surviving_account_id": _TEXT, "created_at": pa.timestamp("us", "UTC")},
    "marts.dim_period": {
        "period_month": _DATE, "start_date": _DATE, "end_date": _DATE, "is_complete_period": _FLAG, "as_of_date": _DATE,
        "has_orders": _FLAG, "has_offers": _FLAG, "has_interactions": _FLAG,
    },
    "marts.fct_cost_line": {"period_month": _DATE, "is_roi_basis": _FLAG, "is_provisional": _FLAG},
    "marts.fct_order": {
        "order_key": _TEXT, "account_id": _TEXT, "order_kind": _TEXT, "is_counted": _FLAG, "order_date": _DATE, "period_month": _DATE,
    },
    "marts.fct_order_line_net": {
        "order_key": _TEXT, "account_id": _TEXT, "is_gross_sale": _FLAG, "is_counted": _FLAG, "net_amount": _MONEY,
        "order_date": _DATE, "period_month": _DATE, "transaction_net_amount": _MONEY, "transaction_currency_code": _TEXT,
    },
    "marts.fct_refund": {
        "order_key": _TEXT, "is_counted": _FLAG, "refund_amount": _MONEY, "refund_date": _DATE, "transaction_refund_amount": _MONEY,
        "transaction_currency_code": _TEXT,
    },
    "marts.mart_account_service_month": {
        "account_id": _TEXT, "period_month": _DATE, "contacts_count": _WHOLE, "service_cost_amount": _MONEY, "null_reason": _TEXT,
    },
    "marts.mart_account_sales_month": {
        "account_id": _TEXT, "period_month": _DATE, "gross_sales_amount": _MONEY, "credit_amount": _MONEY, "refund_amount": _MONEY,
        "net_revenue_amount": _MONEY, "null_reason": _TEXT, "contribution_margin_amount": _MONEY, "offer_margin_amount": _MONEY,
        "payment_amount": _MONEY, "payments_count": _WHOLE, "unpriced_count": _WHOLE, "unpriced_payments_count": _WHOLE,
    },
}  # fmt: skip
FEEDS = ("orders", "order_lines", "offers", "interactions", "tickets", "ledger_actuals", "payments")
PSEUDO = ("ACCOUNT_UNKNOWN", "NON_CUSTOMER", "UNALLOCATED", "UNUSED_CAPACITY")


def month(number: int) -> date:
    """Month 0 is January 2025."""
    return date(2025 + number // 12, number % 12 + 1, 1)


def _table(columns: dict[str, pa.DataType], rows: list[list[Any]]) -> pa.Table:
    """Rows as a table; money may be written as text."""
    cells = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pa.table({
        name: pa.array([Decimal(cell) if pa.types.is_decimal(kind) and cell is not None else cell for cell in values], kind)
        for (name, kind), values in zip(columns.items(), cells, strict=True)
    })  # fmt: skip


def _sold(*row: Any) -> list[Any]:
    """Fill up a row of the sales of an account's month."""
    *known, paid, unpriced = row if len(row) > 10 else (*row, int(row[6] == "fx_missing"))
    return [*known, paid, None if paid is None else int(Decimal(paid) != 0), unpriced, int(paid is None)]


@pytest.fixture
def hand_made_columns() -> dict[str, list[str]]:
    """Table -> columns of the hand-made company."""
    return {table: list(columns) for table, columns in _TABLES.items()}


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=[pytest.mark.spark, pytest.mark.slow])])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Open a warehouse on each engine; whatever tables it has, `company` replaces them."""
    if request.param == "spark":
        session = request.getfixturevalue("spark_session")
        from dagster_project.engines.spark_engine import SparkEngine

        yield SparkEngine(session, tmp_path)
        return
    with duckdb.connect() as connection:
        yield DuckDBEngine(connection)


@pytest.fixture
def company(engine: Engine) -> Company:
    """Make an empty company; `months` calendar months of which the last `running` are not over; then add rows.

    When an account was made is not known unless `created` says it. Lines and refunds may leave out the amount in another currency.
    Rows of `mart_account_sales_month` end with the payment, of which one was counted unless it is 0, or with the number of lines without a
    rate after it: else one where the reason says so. Rows of `mart_account_service_month`
    may leave out the reason.
    """

    def make(*, months: int = 14, running: int = 0, accounts: str = "abcde", feeds: tuple[str, ...] = FEEDS,
             created: Mapping[str, datetime] | None = None, begins: Mapping[str, int] | None = None, **rows: Any) -> Engine:  # fmt: skip
        as_of = (month(months) if not running else month(months - running)).toordinal() + (9 if running else -1)
        made = {f"marts.{table}": values for table, values in rows.items()} | {
            "lake.run_parameters": [["EUR", 60, 30, "0.80", "0.95", "0.20", "0.80"]],
            "lake.feed_presence": [[feed, True] for feed in feeds],
            "marts.dim_account": [[account, False, account, (created or {}).get(account)] for account in accounts]
            + [[account, True, account, None] for account in PSEUDO],
            "marts.dim_period": [
                [
                    month(n),
                    month(n),
                    date.fromordinal(month(n + 1).toordinal() - 1),
                    n < months - running,
                    date.fromordinal(as_of),
                    *(feed in feeds and n >= (begins or {}).get(feed, 0) for feed in ("orders", "offers", "interactions")),
                ]
                for n in range(months)
            ],
        }
        for table, amount in (("marts.fct_order_line_net", 4), ("marts.fct_refund", 2)):
            width = len(_TABLES[table])
            made[table] = [[*row, row[amount], "EUR"] if len(row) < width else row for row in made.get(table, [])]
        sales = "marts.mart_account_sales_month"
        made[sales] = [_sold(*row) for row in made.get(sales, [])]
        service = "marts.mart_account_service_month"
        made[service] = [[*row, None][: len(_TABLES[service])] for row in made.get(service, [])]
        for table, columns in _TABLES.items():
            engine.replace(table, pa.schema(columns.items()), [_table(columns, made.pop(table, []))])
        assert not made
        return engine

    return make
