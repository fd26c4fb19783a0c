"""Order-based retention: the month's partition of customers, and the cohort triangle.

A customer is active on day d when there is an order in (d - W, d]. Nothing here knows why a customer is silent; nobody "cancels".
Input is one element per customer and order day; days are integers since 1970-01-01. What is counted per customer is additive: counts
of parts of the customers sum to the counts of all, and rates are made of the sums. Source: Fader and Hardie (2009), "Probability
Models for Customer-Base Analysis", Journal of Interactive Marketing 23(1), for the non-contractual setting.
Holds formulas and their null rules. It must not hold reading or writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dagster_project.metrics.registry import Labels, Metric

_STRIDE = 1 << 24  # Larger than any day number: customer and day share one sortable integer.


@dataclass(frozen=True)
class Periods:
    """Consecutive fiscal months: first and last day of each, and whether the month is over."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    complete: NDArray[np.bool_]

    def of(self, days: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the month that each day lies in."""
        return np.searchsorted(self.starts, days, side="right") - 1


@dataclass(frozen=True)
class OrderDays:
    """Customer x order day, sorted, unique: customer number, day, number of orders on it (>= 1).

    Raises
    ------
    ValueError
        Rows are not sorted by customer and day, or repeat.
    """

    customers: NDArray[np.int64]
    days: NDArray[np.int64]
    orders: NDArray[np.int64]

    def __post_init__(self) -> None:
        if np.any(np.diff(self._keys) <= 0):
            raise ValueError("order days must be sorted by customer and day, without repeats")

    @cached_property
    def _keys(self) -> NDArray[np.int64]:
        return self.customers * _STRIDE + self.days

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """Position of each customer's first order day; one element per customer."""
        return np.flatnonzero(np.diff(self.customers, prepend=-1) != 0)

    @cached_property
    def second_days(self) -> NDArray[np.int64]:
        """Day of each customer's second order, -1 where there is none; two orders on the first day count."""
        following = np.minimum(self.firsts + 1, max(len(self.days) - 1, 0))
        has_later = (following > self.firsts) & (self.customers[following] == self.customers[self.firsts])
        later = np.where(has_later, self.days[following], -1)
        return np.where(self.orders[self.firsts] >= 2, self.days[self.firsts], later)

    def active(self, day: int, window_days: int) -> NDArray[np.bool_]:
        """Per customer: is there an order in (day - window_days, day]."""
        last = np.searchsorted(self._keys, self.customers[self.firsts] * _STRIDE + day, side="right") - 1
        return (last >= self.firsts) & (self.days[last] > day - window_days)


def _rate(num: NDArray[np.int64], den: NDArray[np.int64]) -> NDArray[np.float64]:
    rates = np.full(len(num), np.nan)
    np.divide(num, den, out=rates, where=den > 0)
    return rates


def partition_counts(history: OrderDays, periods: Periods, window_days: int, as_of_day: int) -> pd.DataFrame:
    """Additive counts of customers, one row per month up to that of `as_of_day`; the running month is read at `as_of_day`.

    Bridge: opening_active + new + reactivated - churned = active = new + retained + reactivated, at month ends.
    new: first order in the month; reactivated: active now, not a month ago, not new; churned: active a month ago, not now.
    retention_rate = |active(t - W) and active(t)| / |active(t - W)|; seasoned: first order at t - W or before.
    repeat_order_count = orders less first orders. repeat_purchase_rate = customers with >= 2 orders / customers with an order, in the
    month; `_to_date` since the beginning, and `repeat_days_to_date` the same over distinct order days.
    """
    first_days, order_period = history.days[history.firsts], periods.of(history.days)
    customers = len(first_days)
    customer = np.repeat(np.arange(customers), np.diff(history.firsts, append=len(history.days)))
    orders_so_far, days_so_far, before = np.zeros(customers, np.int64), np.zeros(customers, np.int64), np.zeros(customers, bool)
    last = int(periods.of(np.array([as_of_day]))[0])
    by_period = np.argsort(order_period, kind="stable")
    bounds = np.searchsorted(order_period[by_period], np.arange(last + 2))
    rows = []
    for number in range(last + 1):
        rows_here = by_period[bounds[number] : bounds[number + 1]]
        orders_here = np.bincount(customer[rows_here], history.orders[rows_here], customers).astype(np.int64)
        orders_so_far += orders_here
        days_so_far += np.bincount(customer[rows_here], minlength=customers)
        day = min(int(periods.ends[number]), as_of_day)
        first_here = periods.of(first_days) == number
        active = history.active(day, window_days)
        base = history.active(day - window_days, window_days)
        rows.append({
            "period_number": number,
            "orders_count": orders_here.sum(), "ordering_count": (orders_here > 0).sum(), "first_order_count": first_here.sum(),
            "repeat_order_count": orders_here.sum() - first_here.sum(),
            "opening_active_count": before.sum(), "new_count": (active & ~before & first_here).sum(),
            "retained_count": (active & before).sum(), "reactivated_count": (active & ~before & ~first_here).sum(),
            "churned_count": (before & ~active).sum(), "active_count": active.sum(),
            "retention_rate_num": (base & active).sum(), "retention_rate_den": base.sum(),
            "repeat_purchase_rate_num": (orders_here >= 2).sum(), "repeat_purchase_rate_den": (orders_here >= 1).sum(),
            "repeat_to_date_rate_num": (orders_so_far >= 2).sum(), "repeat_to_date_rate_den": (orders_so_far >= 1).sum(),
            "repeat_days_to_date_rate_num": (days_so_far >= 2).sum(), "repeat_days_to_date_rate_den": (days_so_far >= 1).sum(),
            "seasoned_count": (first_days <= day - window_days).sum(),
        })  # fmt: skip
        before = active
    return pd.DataFrame(rows, columns=["period_number", *ADDITIVE], dtype="int64")


def month_partition(counts: pd.DataFrame, periods: Periods) -> pd.DataFrame:
    """One row per month from the first order on, with the rates of the summed `partition_counts`; no orders: no rows.

    A rate is NaN where its denominator is 0; retention says why: `not_mature` while the history is younger than W,
    `zero_denominator` where nobody was active then.
    """
    table = counts[counts["orders_count"].cumsum() > 0].reset_index(drop=True)
    for rate in RATES:
        table[rate] = _rate(table[f"{rate}_num"].to_numpy(), table[f"{rate}_den"].to_numpy())
    unknown = np.where(table["seasoned_count"] > 0, "zero_denominator", "not_mature")
    table["retention_null_reason"] = np.where(table["retention_rate"].notna(), None, unknown)  # type: ignore[call-overload]
    table["is_complete_period"] = periods.complete[table["period_number"].to_numpy()]
    return table[list(_PARTITION_COLUMNS)]


COUNTS = ("orders", "ordering", "first_order", "repeat_order", "opening_active", "new", "retained", "reactivated", "churned", "active")
RATES = ("retention_rate", "repeat_purchase_rate", "repeat_to_date_rate", "repeat_days_to_date_rate")
ADDITIVE = (*(f"{name}_count" for name in (*COUNTS, "seasoned")), *(f"{rate}_{part}" for rate in RATES for part in ("num", "den")))
_PARTITION_COLUMNS = [
    "period_number", *(f"{name}_count" for name in COUNTS), *(f"{rate}{part}" for rate in RATES for part in ("_num", "_den", "")),
    "retention_null_reason", "is_complete_period",
]  # fmt: skip


def cohort_counts(history: OrderDays, periods: Periods) -> pd.DataFrame:
    """Additive counts of customers by cohort (month of the first order) and month number n since then, where there are any.

    active_count = customers with an order in month n; repeat_count = customers with their second order in month n.
    """
    customer_cohort = periods.of(history.days[history.firsts])
    order_period = periods.of(history.days)
    # A customer's order days are sorted, so a month repeats only next to itself.
    fresh = np.diff(history.customers * _STRIDE + order_period, prepend=-1) != 0
    cohort = np.repeat(customer_cohort, np.diff(history.firsts, append=len(history.days)))[fresh]
    repeated = history.second_days >= 0
    again = periods.of(history.second_days[repeated])
    parts = [
        pd.DataFrame({"cohort_number": cohorts, "month_number": months - cohorts, name: np.int64(1)})
        for name, cohorts, months in (
            ("active_count", cohort, order_period[fresh]), ("repeat_count", customer_cohort[repeated], again),
        )
    ]  # fmt: skip
    keys = ["cohort_number", "month_number"]
    return pd.concat(parts).fillna(0).astype("int64").groupby(keys, as_index=False).sum()


def cohort_triangle(counts: pd.DataFrame, periods: Periods, as_of_day: int) -> pd.DataFrame:
    """Cohort x month number, from the summed `cohort_counts`, as far as the calendar of `as_of_day` reaches for the oldest.

    cohort_count is fixed; n = 0 has share 1 exactly; cumulative_repeat_count = with a second order by the end of month n.
    Cells that lie after `as_of_day` are NA, not 0. No orders: no rows.
    """
    cohorts = counts.loc[counts["month_number"] == 0, "cohort_number"].to_numpy()
    begin, last = (int(cohorts.min()), int(periods.of(np.array([as_of_day]))[0])) if len(cohorts) else (0, -1)
    every = pd.MultiIndex.from_product([cohorts, range(last - begin + 1)], names=["cohort_number", "month_number"])
    table = counts.set_index(list(every.names)).reindex(every, fill_value=0).sort_index().reset_index()
    by_cohort = table.groupby("cohort_number")
    count = by_cohort["active_count"].transform("first").to_numpy()
    repeats = by_cohort["repeat_count"].cumsum().to_numpy()
    period = (table["cohort_number"] + table["month_number"]).to_numpy()
    seen = period <= last
    table = table.assign(
        cohort_count=count, active_count=table["active_count"].astype("Int64"),
        active_share=_rate(table["active_count"].to_numpy(), count),
        cumulative_repeat_count=pd.array(repeats, "Int64"), cumulative_repeat_share=_rate(repeats, count),
        null_reason=np.where(seen, None, "not_mature"),  # type: ignore[call-overload]
        is_complete_period=seen & periods.complete[np.minimum(period, last)],
    )  # fmt: skip
    table.loc[~seen, ["active_count", "active_share", "cumulative_repeat_count", "cumulative_repeat_share"]] = pd.NA
    return table[_COHORT_COLUMNS]


_COHORT_COLUMNS = [
    "cohort_number", "month_number", "cohort_count", "active_count", "active_share", "cumulative_repeat_count",
    "cumulative_repeat_share", "null_reason", "is_complete_period",
]  # fmt: skip


def _metric(
    metric_id: str, column: str, unit: str, formula: str, spec: tuple[str, ...], labels: tuple[str, str, str, str, str], parts: bool
) -> Metric:
    en, fr, it, zh, ja = labels
    return Metric(
        metric_id=metric_id, version=1, owner="service", formula=formula, unit=unit, direction="higher_is_better",
        sources=("orders",), relation="analytics.mart_retention_month", column=column, spec_rows=spec,
        labels=Labels(en=en, fr=fr, it=it, zh=zh, ja=ja),
        numerator=f"{column}_num" if parts else None, denominator=f"{column}_den" if parts else None,
    )  # fmt: skip


METRICS: tuple[Metric, ...] = (
    _metric(
        "customer_retention_rate", "retention_rate", "rate",
        "|active(t - W) and active(t)| / |active(t - W)|, active(t) = order in (t - W, t]",
        ("C17",),
        ("Customer retention rate", "Taux de fidélisation", "Tasso di fidelizzazione", "客户保留率", "顧客維持率"), True,
    ),
    _metric(
        "repeat_purchase_rate", "repeat_purchase_rate", "rate", "customers with >= 2 orders in the month / customers with >= 1", ("C18",),
        ("Repeat purchase rate", "Taux de réachat", "Tasso di riacquisto", "复购率", "リピート購入率"), True,
    ),
    _metric(
        "repeat_order_count", "repeat_order_count", "count", "orders in the month less first orders ever", ("C18",),
        ("Repeat orders", "Commandes répétées", "Ordini ripetuti", "重复订单数", "リピート注文数"), False,
    ),
)  # fmt: skip
