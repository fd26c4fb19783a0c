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
from dagster_project.engines.described import described
from dagster_project.engines.engine import Engine
from dagster_project.metrics.retention import (
    ADDITIVE,
    FIRSTS,
    MOVEMENT,
    NEVER,
    RATES,
    REASONS,
    OrderDays,
    Periods,
    cohort_counts,
    cohort_triangle,
    first_ever,
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
    select
        refund.order_key, sum(refund.refund_amount) as refund_amount, sum(refund.transaction_refund_amount) as transaction_refund_amount,
        min(refund.transaction_currency_code) as first_code, max(refund.transaction_currency_code) as last_code
    from marts.fct_refund as refund inner join marts.fct_order as bought on refund.order_key = bought.order_key
    where refund.is_counted and refund.refund_date <= date_add(bought.order_date, {taken_back_days})
    group by refund.order_key
), taken_back as (
    select line.order_key
    from marts.fct_order_line_net as line inner join refunded on line.order_key = refunded.order_key
    where line.is_counted
    group by
        line.order_key, refunded.refund_amount, refunded.transaction_refund_amount, refunded.first_code, refunded.last_code
    having
        case
            when least(min(line.transaction_currency_code), refunded.first_code)
                = greatest(max(line.transaction_currency_code), refunded.last_code)
                then sum(line.transaction_net_amount) <= refunded.transaction_refund_amount
            else sum(line.net_amount) <= refunded.refund_amount
        end
), account as (
    select surviving_account_id as account_id, case when count(*) = count(created_at) then cast(min(created_at) as date) end as created_date
    from marts.dim_account where not is_pseudo group by surviving_account_id
)
select sale.account_id, sale.order_date, account.created_date, count(*) as orders
from sale inner join account on sale.account_id = account.account_id
where not exists (select 1 from taken_back where taken_back.order_key = sale.order_key)
group by sale.account_id, sale.order_date, account.created_date
"""
# Every order that was delivered tells how far the history reaches, whoever bought and whatever became of it.
_BEGIN = "select min(order_date) from marts.fct_order where is_counted and period_month is not null"
_CALENDAR = "select period_month, start_date, end_date, is_complete_period, as_of_date from marts.dim_period order by period_month"

_RATE_TEXTS = {
    "retention_rate": ("Customers active a window ago and now / customers active a window ago", "active a window ago and now"),
    "retention_90_rate": ("The same with a window of 90 days", "active 90 days ago and now"),
    "repeat_purchase_rate": ("Customers with two orders or more in the month / with one or more", "with two orders or more in the month"),
    "repeat_to_date_rate": ("The same since the history began", "with two orders or more since the history began"),
    "repeat_days_to_date_rate": ("The same by days with an order", "with an order on two days or more since the history began"),
}
_BASES = {"retention_rate": "active a window ago", "retention_90_rate": "active 90 days ago"}
MONTH_COLUMNS = described(
    "One row per fiscal month from the first order on: identified customers new, kept, lost and back; orders taken back in full left out.",
    [
        *required(period_month=DATE, active_orders_count=WHOLE, ordering_count=WHOLE),
        *optional(**{f"{name}_count": WHOLE for name in (*FIRSTS, *MOVEMENT)}),
        *(field for rate in RATES for field in optional(**{rate: REAL, f"{rate}_num": WHOLE, f"{rate}_den": WHOLE})),
        *optional(**{f"{name}_null_reason": TEXT for name in REASONS}), *required(activity_window_days=WHOLE, is_complete_period=FLAG),
    ],
    active_orders_count="Orders of the month.",
    ordering_count="Customers with an order in the month.",
    new_count="Customers active at the month's end whose first order ever is in the month.",
    first_order_count="Customers whose first order ever is in the month.",
    repeat_order_count="Orders of the month less first orders ever.",
    opening_active_count="Customers active at the end of the month before.",
    retained_count="Customers active at the end of the month before, at this one's and all the time between.",
    reactivated_count="Customers active at the month's end who had lapsed before it, or lapsed and came back in it.",
    churned_count="Customers active at the end of the month before who lapsed in the month.",
    active_count="Customers active at the month's end: new + retained + reactivated, and opening + new + reactivated - churned.",
    **{rate: f"{text}, 0 to 1." for rate, (text, _) in _RATE_TEXTS.items()},
    **{f"{rate}_num": f"Customers {text}." for rate, (_, text) in _RATE_TEXTS.items()},
    **{f"{rate}_den": f"Customers {_BASES.get(rate, 'with an order there')}." for rate in RATES},
    retention_null_reason="Why the retention is null: not_mature until the orders reach back two windows, zero_denominator.",
    retention_90_null_reason="Why the retention over 90 days is null: not_mature until the orders reach back 180 days, zero_denominator.",
    active_null_reason="Why the movement of active customers is null: not_mature until the orders reach back one window before the month.",
    new_null_reason="Why new customers and first orders are null: not_mature while one may have ordered before the first delivered day.",
    activity_window_days="Days after an order for which its customer counts as active.",
)  # fmt: skip
COHORT_COLUMNS = described(
    "One row per cohort (fiscal month of the first order ever) and number of months since then; identified customers.",
    [
        *required(cohort_month=DATE, month_number=WHOLE),
        *optional(cohort_count=WHOLE, active_count=WHOLE, active_share=REAL, cumulative_repeat_count=WHOLE, cumulative_repeat_share=REAL),
        *optional(null_reason=TEXT),
        *required(is_complete_period=FLAG),
    ],
    cohort_month="First day of the fiscal month of the first order.",
    month_number="Months since the first order, 0 for the month itself.",
    cohort_count="Customers of the cohort.",
    active_count="Customers of the cohort with an order in that month.",
    active_share="Share of the cohort with an order in that month.",
    cumulative_repeat_count="Customers of the cohort with a second order by the end of that month.",
    cumulative_repeat_share="Share of the cohort with a second order by the end of that month.",
    null_reason="Why the cell is null: not_mature where the month has not come or a customer may have ordered before the first day.",
    is_complete_period="The month that the number leads to is over and waits for no source.",
)  # fmt: skip
# Counts of a chunk of customers: per month (cohort_number is -1, number the month) or per cohort and months since.
_COUNTS = "scratch.retention_count"
_COUNTS_COLUMNS = pa.schema(required(measure=TEXT, cohort_number=WHOLE, number=WHOLE, customers=WHOLE))
_MONTHLY = -1


def _days(values: list[date]) -> NDArray[np.int64]:
    return np.array(values, "datetime64[D]").astype(np.int64)


def _count_rows(chunk: pa.Table, *, periods: Periods, window_days: int, as_of_day: int, begin_day: int) -> pa.Table:
    """Count a chunk of whole accounts."""
    _, customers = columns.numbered(chunk["account_id"])
    days = columns.days(chunk["order_date"])
    order = np.lexsort((days, customers))
    history = OrderDays(customers[order], days[order], chunk["orders"].to_numpy()[order])
    created = chunk["created_date"].cast(pa.int32()).fill_null(NEVER).to_numpy()[order][history.firsts]
    is_first_ever = first_ever(history, begin_day, created, window_days)
    months = partition_counts(history, is_first_ever, periods, window_days, as_of_day).assign(cohort_number=_MONTHLY)
    parts = [
        counts.melt(["cohort_number", number], var_name="measure", value_name="customers").rename(columns={number: "number"})
        for counts, number in ((months, "period_number"), (cohort_counts(history, is_first_ever, periods), "month_number"))
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
    cohorts = cohorts.reindex(columns=["cohort_number", "month_number", "active_count", "repeat_count", "unsure_count"])
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
    window_days = parameters.activity_window_days
    begin = int(_days([day for (day,) in engine.rows(_BEGIN) if day]).min(initial=as_of))
    count = partial(_count_rows, periods=periods, window_days=window_days, as_of_day=as_of, begin_day=begin)
    engine.score(order_days, "account_id", count, _COUNTS, _COUNTS_COLUMNS)
    monthly, cohorts = _summed(engine)
    engine.drop(_COUNTS)
    partition = month_partition(monthly, periods, window_days, as_of, begin)
    triangle = cohort_triangle(cohorts, periods, as_of)
    of_number = np.array(months, "datetime64[D]")
    partition = partition.assign(period_month=of_number[partition["period_number"]], activity_window_days=window_days)
    triangle = triangle.assign(cohort_month=of_number[triangle["cohort_number"]])
    for table, schema, frame in (("month", MONTH_COLUMNS, partition), ("cohort", COHORT_COLUMNS, triangle)):
        engine.replace(f"analytics.mart_retention_{table}", schema, [pa.Table.from_pandas(frame, schema, preserve_index=False)])
    done = partition[partition["is_complete_period"]]
    latest = done["retention_rate"].iloc[-1] if len(done) else None
    return {"month_rows": len(partition), "cohort_rows": len(triangle), "latest_retention_rate": None if pd.isna(latest) else float(latest)}
