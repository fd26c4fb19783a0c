"""Retention month by month and by cohort: customers are counted chunk by chunk, counts summed, rates made. Identified accounts only."""

from __future__ import annotations

from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.analytics import columns
from dagster_project.analytics.account_months import present_feeds, run_parameters
from dagster_project.analytics.columns import DATE, FLAG, REAL, TEXT, WHOLE, optional, required
from dagster_project.engines.engine import Engine
from dagster_project.metrics.retention import (
    ADDITIVE,
    COUNTS,
    RATES,
    OrderDays,
    Periods,
    cohort_counts,
    cohort_triangle,
    month_partition,
    partition_counts,
)

_SALES_BY_LINES = """
    select distinct account_id, order_key, order_date
    from marts.fct_order_line_net
    where is_gross_sale and is_counted and period_month is not null
"""
_SALES_BY_ORDERS = """
    select account_id, order_key, order_date from marts.fct_order where order_kind = 'sale' and is_counted and period_month is not null
"""
_ORDER_DAYS = """
with sale as ({sales}), refunded as (
    select refund.order_key, sum(refund.refund_amount) as refund_amount
    from marts.fct_refund as refund inner join marts.fct_order as bought on refund.order_key = bought.order_key
    where refund.is_counted and refund.refund_date <= date_add(bought.order_date, {taken_back_days})
    group by refund.order_key
), taken_back as (
    select line.order_key
    from marts.fct_order_line_net as line inner join refunded on line.order_key = refunded.order_key
    where line.is_counted
    group by line.order_key, refunded.refund_amount
    having sum(line.net_amount) <= refunded.refund_amount
)
select sale.account_id, sale.order_date, count(*) as orders
from sale inner join marts.dim_account as account on sale.account_id = account.account_id
where not account.is_pseudo and not exists (select 1 from taken_back where taken_back.order_key = sale.order_key)
group by sale.account_id, sale.order_date
"""
_CALENDAR = "select period_month, start_date, end_date, is_complete_period, as_of_date from marts.dim_period order by period_month"

MONTH_COLUMNS = pa.schema([
    *required(period_month=DATE, **{f"{name}_count": WHOLE for name in COUNTS}),
    *(field for rate in RATES for field in (*optional(**{rate: REAL}), *required(**{f"{rate}_num": WHOLE, f"{rate}_den": WHOLE}))),
    *optional(retention_null_reason=TEXT), *required(activity_window_days=WHOLE, is_complete_period=FLAG),
])  # fmt: skip
COHORT_COLUMNS = pa.schema([
    *required(cohort_month=DATE, month_number=WHOLE, cohort_count=WHOLE),
    *optional(active_count=WHOLE, active_share=REAL, cumulative_repeat_count=WHOLE, cumulative_repeat_share=REAL, null_reason=TEXT),
    *required(is_complete_period=FLAG),
])  # fmt: skip
# Counts of a chunk of customers: per month (cohort_number is -1, number the month) or per cohort and months since.
_COUNTS = "scratch.retention_count"
_COUNTS_COLUMNS = pa.schema(required(measure=TEXT, cohort_number=WHOLE, number=WHOLE, customers=WHOLE))
_MONTHLY = -1


def _days(values: list[date]) -> NDArray[np.int64]:
    return np.array(values, "datetime64[D]").astype(np.int64)


def _count_rows(chunk: pa.Table, *, periods: Periods, window_days: int, as_of_day: int) -> pa.Table:
    """Count a chunk of whole accounts."""
    _, customers = columns.numbered(chunk["account_id"])
    days = columns.days(chunk["order_date"])
    order = np.lexsort((days, customers))
    history = OrderDays(customers[order], days[order], chunk["orders"].to_numpy()[order])
    months = partition_counts(history, periods, window_days, as_of_day).assign(cohort_number=_MONTHLY)
    parts = [
        counts.melt(["cohort_number", number], var_name="measure", value_name="customers").rename(columns={number: "number"})
        for counts, number in ((months, "period_number"), (cohort_counts(history, periods), "month_number"))
    ]
    return pa.Table.from_pandas(pd.concat(parts), _COUNTS_COLUMNS, preserve_index=False)


def _summed(engine: Engine) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the counts of all customers, wide: per month, and per cohort and month number."""
    keys = ["measure", "cohort_number", "number"]
    rows = engine.rows(f"select {', '.join(keys)}, cast(sum(customers) as bigint) from {_COUNTS} group by {', '.join(keys)}")
    counts = pd.DataFrame(rows, columns=[*keys, "customers"]).pivot(index=keys[1:], columns="measure", values="customers")
    wide = counts.sort_index().reset_index()
    monthly = wide["cohort_number"] == _MONTHLY
    months = wide[monthly].rename(columns={"number": "period_number"}).reindex(columns=["period_number", *ADDITIVE])
    cohorts = wide[~monthly].rename(columns={"number": "month_number"})
    cohorts = cohorts.reindex(columns=["cohort_number", "month_number", "active_count", "repeat_count"])
    return months.astype("int64"), cohorts.astype("int64")


def build(engine: Engine, since: date | None = None) -> dict[str, object]:  # noqa: ARG001  every month is counted again: it is cheap
    """Replace `analytics.mart_retention_month` and `analytics.mart_retention_cohort`; returns rows and the latest rate.

    Grain: month from the first order on; cohort x month number. The running month is read at `as_of_date`.
    Without orders both tables stand empty.
    """
    parameters = run_parameters(engine)
    calendar = engine.rows(_CALENDAR)
    months, starts, ends, complete, knowledge = zip(*calendar, strict=True) if calendar else ((), (), (), (), ())
    periods = Periods(_days(list(starts)), _days(list(ends)), np.array(complete, bool))
    as_of = int(_days(list(knowledge)).max(initial=0))
    sales = _SALES_BY_LINES if "order_lines" in present_feeds(engine) else _SALES_BY_ORDERS
    order_days = _ORDER_DAYS.format(sales=sales, taken_back_days=parameters.taken_back_days)
    count = partial(_count_rows, periods=periods, window_days=parameters.activity_window_days, as_of_day=as_of)
    engine.score(order_days, "account_id", count, _COUNTS, _COUNTS_COLUMNS)
    monthly, cohorts = _summed(engine)
    engine.drop(_COUNTS)
    partition, triangle = month_partition(monthly, periods), cohort_triangle(cohorts, periods, as_of)
    of_number = np.array(months, "datetime64[D]")
    partition = partition.assign(period_month=of_number[partition["period_number"]], activity_window_days=parameters.activity_window_days)
    triangle = triangle.assign(cohort_month=of_number[triangle["cohort_number"]])
    for table, schema, frame in (("month", MONTH_COLUMNS, partition), ("cohort", COHORT_COLUMNS, triangle)):
        engine.replace(f"analytics.mart_retention_{table}", schema, [pa.Table.from_pandas(frame, schema, preserve_index=False)])
    done = partition[partition["is_complete_period"]]
    latest = done["retention_rate"].iloc[-1] if len(done) else None
    return {"month_rows": len(partition), "cohort_rows": len(triangle), "latest_retention_rate": None if pd.isna(latest) else float(latest)}
