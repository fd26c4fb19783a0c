"""The accounts' months: one narrow integer table over the two account marts, read month by month with rolling windows.

Memory stays proportional to the number of accounts, not to the length of the history. Holds reading and window sums only.
It must not hold a formula of a metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.engines.duckdb import read_chunks

TRAILING_MONTHS = 12
WINDOWS = ("month", "trailing_12", "to_date")
_NUMBERED = "select account_id, is_pseudo, row_number() over (order by account_id) - 1 as account_number from marts.dim_account"
# Minor units as integers; what is unknown counts beside it, so that a window can tell "0" from "not known".
_BASE = f"""
create or replace temp table account_month as
with numbered as ({_NUMBERED}),
calendar as (select period_month, row_number() over (order by period_month) - 1 as calendar_number from marts.dim_period),
both_sides as (
    select
        coalesce(service.account_id, sales.account_id) as account_id,
        coalesce(service.period_month, sales.period_month) as period_month,
        coalesce(service.service_cost_amount, 0) as service_cost, coalesce(service.contacts_count, 0) as contacts,
        coalesce(sales.contribution_margin_amount, 0) as margin, coalesce(sales.offer_margin_amount, 0) as offer_margin,
        coalesce(sales.gross_sales_amount, 0) as gross_sales, coalesce(sales.net_revenue_amount, 0) as net_revenue,
        coalesce(sales.payment_amount, 0) as payments, coalesce(sales.payments_count, 0) as payments_count,
        coalesce(sales.null_reason = 'fx_missing', false) as fx_missing,
        sales.account_id is not null and sales.contribution_margin_amount is null as margin_unknown,
        sales.account_id is not null and sales.offer_margin_amount is null as offer_unknown,
        sales.account_id is not null and sales.payment_amount is null as payments_unknown,
        coalesce(sales.gross_sales_amount <> 0 or sales.credit_amount <> 0 or sales.refund_amount <> 0, false) as has_sales
    from marts.mart_account_service_month as service
    full outer join marts.mart_account_sales_month as sales
        on service.account_id = sales.account_id and service.period_month = sales.period_month
)
select
    numbered.account_number::integer as account_number, calendar.calendar_number::integer as calendar_number, 1 as months,
    (service_cost * 100)::bigint as service_cost, contacts::bigint as contacts,
    (margin * 100)::bigint as margin, (offer_margin * 100)::bigint as offer_margin,
    (gross_sales * 100)::bigint as gross_sales, (net_revenue * 100)::bigint as net_revenue, (payments * 100)::bigint as payments,
    payments_count::bigint as payments_count,
    fx_missing::bigint as fx_missing, margin_unknown::bigint as margin_unknown, offer_unknown::bigint as offer_unknown,
    payments_unknown::bigint as payments_unknown, has_sales::bigint as has_sales
from both_sides
left join numbered on both_sides.account_id = numbered.account_id
left join calendar on both_sides.period_month = calendar.period_month
order by 2, 1
"""


@dataclass(frozen=True)
class Month:
    """One fiscal month of the data: its date, whether it is over, whether any cost line of it was loaded."""

    period_month: date
    is_complete: bool
    has_cost: bool


@dataclass(frozen=True)
class Window:
    """Sums of one window ending with `month`, one element per account, by measure name. Valid until the next step only."""

    month: Month
    kind: str
    months_count: int
    is_complete: bool
    has_cost: bool
    sums: dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Parameters:
    """The one row of `lake.run_parameters`, as far as analytics needs it."""

    currency_code: str
    activity_window_days: int
    taken_back_days: int
    tier_a_share: Decimal
    tier_b_share: Decimal
    top_customer_share: Decimal
    value_share_target: Decimal


def run_parameters(connection: duckdb.DuckDBPyConnection) -> Parameters:
    """Read what the business believes for this run."""
    names = (
        "reporting_currency_code, activity_window_days, taken_back_days, tier_a_share, tier_b_share, top_customer_share, value_share_target"
    )
    row = connection.execute(f"select {names} from lake.run_parameters").fetchone()
    if row is None:
        raise ValueError("lake.run_parameters is empty; the door writes its one row")
    return Parameters(*row)


def present_feeds(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Read which feeds have at least one accepted batch."""
    return frozenset(feed for (feed,) in connection.execute("select feed from lake.feed_presence where is_present").fetchall())


class AccountMonths:
    """Accounts in id order and their months; use as a context so that the scratch table goes away.

    Raises
    ------
    ValueError
        A mart names an account or a month that its dimension lacks: sums would silently lose it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute(_BASE)
        orphans = connection.execute("select count(*) from account_month where account_number + calendar_number is null").fetchone()
        if orphans and orphans[0]:
            raise ValueError(f"{orphans[0]} account-months name an account or a month that marts.dim_account or marts.dim_period lacks")
        chunks = list(read_chunks(connection, f"select account_id, is_pseudo from ({_NUMBERED}) order by account_number"))
        ids = [pa.array(chunk["account_id"], pa.string()) for chunk in chunks]
        self.account_ids: pa.Array = pa.concat_arrays([pa.array([], pa.string()), *ids])
        self.is_pseudo: NDArray[np.bool_] = np.concatenate([np.zeros(0, bool), *(chunk["is_pseudo"].to_numpy(bool) for chunk in chunks)])
        self.months, self._first = self._read_months()

    def _read_months(self) -> tuple[tuple[Month, ...], int]:
        rows = self._connection.execute(
            """
            with calendar as (
                select *, row_number() over (order by period_month) - 1 as calendar_number from marts.dim_period
            ), cost as (select distinct period_month from marts.fct_cost_line where is_roi_basis),
            span as (select min(calendar_number) as low, max(calendar_number) as high from account_month)
            select calendar_number, period_month, is_complete_period, cost.period_month is not null
            from calendar cross join span left join cost using (period_month)
            where calendar_number between low and high order by calendar_number
            """
        ).fetchall()
        return tuple(Month(*row[1:]) for row in rows), rows[0][0] if rows else 0

    def __enter__(self) -> AccountMonths:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.execute("drop table if exists account_month")

    def _read(self, number: int, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        columns = ", ".join(f"{name}::bigint as {name}" for name in ("account_number", *names))
        sql = f"select {columns} from account_month where calendar_number = ?"
        parts = [chunk.to_numpy(np.int64) for chunk in read_chunks(self._connection, sql, [self._first + number])]
        rows = np.concatenate(parts) if parts else np.zeros((0, 1 + len(names)), np.int64)
        return rows[:, 0], np.ascontiguousarray(rows[:, 1:].T)

    def windows(self, names: Sequence[str], kinds: Sequence[str]) -> Iterator[Window]:
        """For each month in order, one window per kind, summed exactly over `names` plus `months` (account-months in it).

        A trailing window is complete when all its twelve months exist and are over. A month is read again when it leaves
        the trailing window, instead of being kept.
        """
        names = ("months", *names)
        size = (len(names), len(self.account_ids))
        trailing, to_date = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for number, month in enumerate(self.months):
            here, values = self._read(number, names)
            trailing[:, here] += values
            to_date[:, here] += values
            if number >= TRAILING_MONTHS:
                gone, old = self._read(number - TRAILING_MONTHS, names)
                trailing[:, gone] -= old
            alone = np.zeros(size, np.int64)
            alone[:, here] = values
            year = self.months[max(number + 1 - TRAILING_MONTHS, 0) : number + 1]
            full_year = len(year) == TRAILING_MONTHS and all(one.is_complete for one in year)
            past = self.months[: number + 1]
            of_kind = {
                "month": (alone, (month,), month.is_complete),
                "trailing_12": (trailing, year, full_year),
                "to_date": (to_date, past, month.is_complete),
            }
            for kind in kinds:
                sums, span, is_complete = of_kind[kind]
                yield Window(month, kind, len(span), is_complete, all(one.has_cost for one in span), dict(zip(names, sums, strict=True)))
