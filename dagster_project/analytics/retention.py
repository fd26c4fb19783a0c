"""Retention month by month and by cohort: customers are counted chunk by chunk, counts summed, rates made. Identified accounts only."""

from __future__ import annotations

from functools import partial

import pandas as pd
import pyarrow as pa

from dagster_project.analytics.frames import DATE, FLAG, REAL, TEXT, WHOLE, framed, optional, required, to_table
from dagster_project.analytics.inputs import Inputs
from dagster_project.analytics.subject import SETTINGS, Subject, Table
from dagster_project.engines.described import described
from dagster_project.engines.engine import Engine
from dagster_project.metrics.retention import (
    ADDITIVE,
    COHORT_ADDITIVE,
    FIRSTS,
    MOVEMENT,
    RATES,
    REASONS,
    cohort_counts,
    cohort_triangle,
    month_partition,
    order_history,
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
# Every order that was delivered tells how far the history reaches, no matter who bought and what became of it.
_BEGIN = "select min(order_date) from marts.fct_order where is_counted and period_month is not null"
_MONTHS = "select period_month, start_date, end_date, is_complete_period, as_of_date from marts.dim_period order by period_month"

_RATE_TEXTS = {
    "retention_rate": ("Customers active a window ago and now / customers active a window ago", "active a window ago and now"),
    "retention_90_rate": ("The same with a window of 90 days", "active 90 days ago and now"),
    "repeat_purchase_rate": ("Customers with two orders or more in the month / with one or more", "with two orders or more in the month"),
    "repeat_to_date_rate": ("The same since the history began", "with two orders or more since the history began"),
    "repeat_days_to_date_rate": ("The same by days with an order", "with an order on two days or more since the history began"),
}
_BASES = {"retention_rate": "active a window ago", "retention_90_rate": "active 90 days ago"}
MONTH_COLUMNS = described(
    "One row per fiscal month from the first order on: identified customers new, kept, lost and back; orders taken back in full excluded.",
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
# Counts of a chunk of customers: per month (cohort_number is -1) or per cohort and months since.
_COUNTS = "scratch.retention_count"
_COUNTS_COLUMNS = pa.schema(required(measure=TEXT, cohort_number=WHOLE, month_number=WHOLE, customers=WHOLE))
_KEYS = ["cohort_number", "month_number"]
_SUMMED = f"select measure, cohort_number, month_number, cast(sum(customers) as bigint) from {_COUNTS} group by 1, 2, 3"
_MONTHLY = -1


def order_days_sql(feeds: frozenset[str] = frozenset(), taken_back_days: int = 0) -> str:
    """Query the days on which each identified customer ordered something it did not send back; orders are used where no lines come."""
    return _ORDER_DAYS.format(sales=_SALES_BY_LINES if "order_lines" in feeds else _SALES_BY_ORDERS, taken_back_days=taken_back_days)


def _count_rows(days: pd.DataFrame, *, months: pd.DataFrame, window_days: int, as_of: pd.Timestamp, begin: pd.Timestamp) -> pd.DataFrame:
    """Count a chunk of complete accounts."""
    history = order_history(days, months, window_days, begin)
    monthly = partition_counts(history, months, window_days, as_of).assign(cohort_number=_MONTHLY)
    return pd.concat([counts.melt(_KEYS, var_name="measure", value_name="customers") for counts in (monthly, cohort_counts(history))])


def _summed(engine: Engine) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the counts of all customers, wide: per month, and per cohort and month number."""
    counts = pd.DataFrame(engine.rows(_SUMMED), columns=["measure", *_KEYS, "customers"])
    wide = counts.pivot(index=_KEYS, columns="measure", values="customers").sort_index().reset_index()
    is_monthly = wide["cohort_number"] == _MONTHLY
    months = wide[is_monthly].reindex(columns=["month_number", *ADDITIVE])
    cohorts = wide[~is_monthly].reindex(columns=[*_KEYS, *COHORT_ADDITIVE])
    return months.astype("int64"), cohorts.astype("int64")


def build(engine: Engine, inputs: Inputs) -> dict[str, object]:
    """Replace `analytics.mart_retention_month` and `analytics.mart_retention_cohort`; returns rows and the latest rate.

    Grain: month from the first order on; cohort x month number. The running month is read at `as_of_date`. Without orders both tables
    are empty. Every month is counted again, whatever changed: it is cheap.
    """
    parameters, dates = inputs.parameters, ["period_month", "start_date", "end_date", "as_of_date"]
    months = pd.DataFrame(engine.rows(_MONTHS), columns=[*dates[:3], "is_complete_period", dates[3]])
    months = months.astype(dict.fromkeys(dates, "datetime64[s]") | {"is_complete_period": bool})
    window_days, as_of = parameters.activity_window_days, months["as_of_date"].max()
    ((first_day,),) = engine.rows(_BEGIN)
    begin = pd.Timestamp(first_day) if first_day else as_of
    count = partial(_count_rows, months=months, window_days=window_days, as_of=as_of, begin=begin)
    days = order_days_sql(inputs.feeds, parameters.taken_back_days)
    engine.score(days, "account_id", framed(count, _COUNTS_COLUMNS), _COUNTS, _COUNTS_COLUMNS)
    monthly, cohorts = _summed(engine)
    engine.drop(_COUNTS)
    partition, triangle = month_partition(monthly, months, window_days, as_of, begin), cohort_triangle(cohorts, months, as_of)
    first_days = months["period_month"]
    partition = partition.assign(period_month=first_days.reindex(partition["month_number"]).array, activity_window_days=window_days)
    triangle = triangle.assign(cohort_month=first_days.reindex(triangle["cohort_number"]).array)
    engine.replace("analytics.mart_retention_month", MONTH_COLUMNS, [to_table(partition, MONTH_COLUMNS)])
    engine.replace("analytics.mart_retention_cohort", COHORT_COLUMNS, [to_table(triangle, COHORT_COLUMNS)])
    done = partition[partition["is_complete_period"]]
    latest = done["retention_rate"].iloc[-1] if len(done) else None
    return {"month_rows": len(partition), "cohort_rows": len(triangle), "latest_retention_rate": None if pd.isna(latest) else float(latest)}


SUBJECT = Subject(
    name="retention",
    reads=(order_days_sql(frozenset({"order_lines"})), order_days_sql(), _BEGIN, _MONTHS, _SUMMED, *SETTINGS),
    writes={"mart_retention_month": Table(MONTH_COLUMNS), "mart_retention_cohort": Table(COHORT_COLUMNS)},
    metrics=(
        "active_customers", "active_orders", "churned_customers", "customer_retention_90_rate", "customer_retention_rate", "new_customers",
        "opening_active_customers", "ordering_customers", "reactivated_customers", "repeat_order_count", "repeat_purchase_rate",
        "retained_customers",
    ),
    build=build,
)  # fmt: skip
