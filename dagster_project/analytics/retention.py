"""Retention month by month and by cohort: reads order days, writes the two retention tables. Identified accounts only."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.analytics.account_months import present_feeds, run_parameters
from dagster_project.engines.duckdb import read_chunks, replace_table
from dagster_project.metrics.retention import COUNTS, RATES, OrderDays, Periods, cohort_triangle, month_partition

_SALES_BY_LINES = """
    select account_id, order_id, order_date
    from marts.fct_order_line_net
    where is_gross_sale and is_counted and period_month is not null
    group by account_id, order_id, order_date
"""
_SALES_BY_ORDERS = """
    select account_id, order_id, order_date from marts.fct_order where order_kind = 'sale' and is_counted and period_month is not null
"""
_ORDER_DAYS = """
with numbered as (
    select account_id, row_number() over (order by account_id) - 1 as account_number from marts.dim_account where not is_pseudo
), sale as ({sales}), refunded as (
    select refund.order_id, sum(refund.refund_amount) as refund_amount
    from marts.fct_refund as refund inner join marts.fct_order as bought on refund.order_id = bought.order_id
    where refund.is_counted and refund.refund_date - bought.order_date <= {taken_back_days}
    group by refund.order_id
), taken_back as (
    select line.order_id
    from marts.fct_order_line_net as line inner join refunded on line.order_id = refunded.order_id
    where line.is_counted
    group by line.order_id, refunded.refund_amount
    having sum(line.net_amount) <= refunded.refund_amount
)
select
    numbered.account_number::bigint as account_number, (sale.order_date - date '1970-01-01')::bigint as order_day, count(*) as orders
from sale inner join numbered on sale.account_id = numbered.account_id
where sale.order_id not in (select order_id from taken_back)
group by all
order by 1, 2
"""

_CALENDAR = "select period_month, start_date, end_date, is_complete_period, as_of_date from marts.dim_period order by period_month"

MONTH_COLUMNS = ", ".join([
    "period_month date not null", *(f"{name}_count bigint not null" for name in COUNTS),
    *(f"{rate} double, {rate}_num bigint not null, {rate}_den bigint not null" for rate in RATES),
    "retention_null_reason varchar", "activity_window_days bigint not null", "is_complete_period boolean not null",
])  # fmt: skip
COHORT_COLUMNS = """cohort_month date not null, month_number bigint not null, cohort_count bigint not null,
active_count bigint, active_share double, cumulative_repeat_count bigint, cumulative_repeat_share double, null_reason varchar,
is_complete_period boolean not null"""


def _days(values: list[date]) -> NDArray[np.int64]:
    return np.array(values, "datetime64[D]").astype(np.int64)


def _order_days(connection: duckdb.DuckDBPyConnection) -> OrderDays:
    sales = _SALES_BY_LINES if "order_lines" in present_feeds(connection) else _SALES_BY_ORDERS
    sql = _ORDER_DAYS.format(sales=sales, taken_back_days=run_parameters(connection).taken_back_days)
    parts = [chunk.to_numpy(np.int64) for chunk in read_chunks(connection, sql)]
    rows = np.concatenate(parts) if parts else np.zeros((0, 3), np.int64)
    return OrderDays(*np.ascontiguousarray(rows.T))


def build(connection: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """Replace `analytics.mart_retention_month` and `analytics.mart_retention_cohort`; returns rows and the latest rate.

    Grain: month from the first order on; cohort x month number. The running month is read at `as_of_date`.
    Without orders both tables stand empty.
    """
    window_days = run_parameters(connection).activity_window_days
    calendar = connection.execute(_CALENDAR).fetchall()
    months, starts, ends, complete, knowledge = zip(*calendar, strict=True) if calendar else ((), (), (), (), ())
    periods = Periods(_days(list(starts)), _days(list(ends)), np.array(complete, bool))
    history = _order_days(connection)
    as_of = int(_days(list(knowledge)).max(initial=0))
    months_array = np.array(months, "datetime64[D]")
    partition = month_partition(history, periods, window_days, as_of)
    triangle = cohort_triangle(history, periods, as_of)
    partition = partition.assign(period_month=months_array[partition.pop("period_number")], activity_window_days=window_days)
    triangle = triangle.assign(cohort_month=months_array[triangle.pop("cohort_number")])
    replace_table(connection, "analytics", "mart_retention_month", MONTH_COLUMNS, [_arrow(partition)])
    replace_table(connection, "analytics", "mart_retention_cohort", COHORT_COLUMNS, [_arrow(triangle)])
    done = partition[partition["is_complete_period"]]
    latest = done["retention_rate"].iloc[-1] if len(done) else None
    return {"month_rows": len(partition), "cohort_rows": len(triangle), "latest_retention_rate": None if pd.isna(latest) else float(latest)}


def _arrow(frame: pd.DataFrame) -> pa.Table:
    """Arrow with dates as dates, absent numbers as nulls (never NaN) and text typed even when all of it is absent."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for position, (name, kind) in enumerate(zip(table.column_names, table.schema.types, strict=True)):
        if name.endswith("_month"):
            table = table.set_column(position, name, table[name].cast(pa.date32()))
        elif pa.types.is_null(kind):
            table = table.set_column(position, name, table[name].cast(pa.string()))
    return table
