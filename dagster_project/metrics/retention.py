"""Order-based retention: the month's partition of customers, and the cohort triangle.

A customer is active on day d when there is an order in (d - W, d]. Nothing here knows why a customer is silent; nobody "cancels".
Input is one element per customer and order day; days are integers since 1970-01-01. Source: Fader and Hardie (2009), "Probability
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


def month_partition(history: OrderDays, periods: Periods, window_days: int, as_of_day: int) -> pd.DataFrame:
    """One row per month from the first order to the month of `as_of_day`; the running month is read at `as_of_day`.

    Bridge: opening_active + new + reactivated - churned = active = new + retained + reactivated, at month ends.
    new: first order in the month; reactivated: active now, not a month ago, not new; churned: active a month ago, not now.
    retention_rate = |active(t - W) and active(t)| / |active(t - W)|; NaN `not_mature` while the history is younger than W,
    NaN `zero_denominator` where nobody was active then. repeat_order_count = orders less first orders.
    repeat_purchase_rate = customers with >= 2 orders / customers with an order, in the month; `_to_date` since the beginning, and
    `repeat_days_to_date` the same over distinct order days.
    """
    if not len(history.days):
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _PARTITION_COLUMNS.items()})
    first_days = history.days[history.firsts]
    begin, last = int(periods.of(history.days).min()), int(periods.of(np.array([as_of_day]))[0])
    order_period = periods.of(history.days)
    customer = np.repeat(np.arange(len(history.firsts)), np.diff(history.firsts, append=len(history.days)))
    orders_so_far, days_so_far = np.zeros(len(history.firsts), np.int64), np.zeros(len(history.firsts), np.int64)
    by_period = np.argsort(order_period, kind="stable")
    bounds = np.searchsorted(order_period[by_period], np.arange(begin, last + 2))
    before = np.zeros(len(history.firsts), bool)
    rows = []
    for number in range(begin, last + 1):
        rows_here = by_period[bounds[number - begin] : bounds[number - begin + 1]]
        orders_here = np.bincount(customer[rows_here], history.orders[rows_here], len(history.firsts)).astype(np.int64)
        orders_so_far += orders_here
        days_so_far += np.bincount(customer[rows_here], minlength=len(history.firsts))
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
            "is_mature": day - window_days >= first_days.min(), "is_complete_period": bool(periods.complete[number]),
        })  # fmt: skip
        before = active
    table = pd.DataFrame(rows)
    for rate in RATES:
        table[rate] = _rate(table[f"{rate}_num"].to_numpy(), table[f"{rate}_den"].to_numpy())
    reasons = np.where(table["retention_rate"].notna(), None, np.where(table["is_mature"], "zero_denominator", "not_mature"))  # type: ignore[call-overload]
    return table.assign(retention_null_reason=reasons)[list(_PARTITION_COLUMNS)]


COUNTS = ("orders", "ordering", "first_order", "repeat_order", "opening_active", "new", "retained", "reactivated", "churned", "active")
RATES = ("retention_rate", "repeat_purchase_rate", "repeat_to_date_rate", "repeat_days_to_date_rate")
_PARTITION_COLUMNS: dict[str, str] = {
    "period_number": "int64",
    **{f"{name}_count": "int64" for name in COUNTS},
    **{f"{rate}{part}": kind for rate in RATES for part, kind in (("_num", "int64"), ("_den", "int64"), ("", "float64"))},
    "retention_null_reason": "object",
    "is_complete_period": "bool",
}


def cohort_triangle(history: OrderDays, periods: Periods, as_of_day: int) -> pd.DataFrame:
    """Cohort (month of the first order) x month number n since then, as far as the calendar of `as_of_day` reaches for the oldest.

    cohort_count is fixed; active_count = customers of the cohort with an order in month n, so that n = 0 has share 1 exactly;
    cumulative_repeat_count = with a second order by the end of month n. Cells that lie after `as_of_day` are NA, not 0.
    """
    if not len(history.days):
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COHORT_COLUMNS.items()})
    order_period = periods.of(history.days)
    begin, last = int(order_period.min()), int(periods.of(np.array([as_of_day]))[0])
    width = last - begin + 1
    cohort = periods.of(history.days[history.firsts]) - begin
    sizes = np.bincount(cohort, minlength=width)
    customer_cohort = np.repeat(cohort, np.diff(history.firsts, append=len(history.days)))
    # A customer's order days are sorted, so a month repeats only next to itself.
    month_key = history.customers * _STRIDE + order_period
    fresh = np.diff(month_key, prepend=-1) != 0
    active = np.bincount(customer_cohort[fresh] * width + (order_period[fresh] - begin - customer_cohort[fresh]), minlength=width * width)
    repeated = history.second_days >= 0
    lag = periods.of(history.second_days[repeated]) - begin - cohort[repeated]
    repeats = np.bincount(cohort[repeated] * width + lag, minlength=width * width).reshape(width, width).cumsum(axis=1).ravel()
    cohort_number, month_number = (axis.ravel() for axis in np.indices((width, width)))
    seen = cohort_number + month_number < width
    keep = sizes[cohort_number] > 0
    count = sizes[cohort_number]
    table = pd.DataFrame({
        "cohort_number": cohort_number + begin, "month_number": month_number, "cohort_count": count,
        "active_count": pd.array(active, "Int64"), "active_share": _rate(active, count),
        "cumulative_repeat_count": pd.array(repeats, "Int64"), "cumulative_repeat_share": _rate(repeats, count),
        "null_reason": np.where(seen, None, "not_mature"),  # type: ignore[call-overload]
        "is_complete_period": seen & periods.complete[np.minimum(begin + cohort_number + month_number, last)],
    })  # fmt: skip
    table.loc[~seen, ["active_count", "active_share", "cumulative_repeat_count", "cumulative_repeat_share"]] = pd.NA
    return table[keep].reset_index(drop=True)[list(_COHORT_COLUMNS)]


_COHORT_COLUMNS: dict[str, str] = {
    "cohort_number": "int64",
    "month_number": "int64",
    "cohort_count": "int64",
    "active_count": "Int64",
    "active_share": "float64",
    "cumulative_repeat_count": "Int64",
    "cumulative_repeat_share": "float64",
    "null_reason": "object",
    "is_complete_period": "bool",
}


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
