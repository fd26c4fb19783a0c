"""Order-based retention: the month's partition of customers, and the cohort triangle.

A customer is active on day d when there is an order in (d - W, d]. Nothing here knows why a customer is silent; nobody "cancels".
Orders before the first day of the delivered history are unknown, so whoever was active then is: what needs those days is `not_mature`.
Input is one element per customer and order day; days are integers since 1970-01-01. What is counted per customer is additive: counts
of parts of the customers sum to the counts of all, and rates are made of the sums. Source: Fader and Hardie (2009), "Probability
Models for Customer-Base Analysis", Journal of Interactive Marketing 23(1), for the non-contractual setting.
Holds formulas and their null rules. It must not hold reading or writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NEVER = -(1 << 30)  # A day before all others.
SHORT_WINDOW_DAYS = 90  # Beside the long window: matures within half a year.
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

    def last_days(self, day: int) -> NDArray[np.int64]:
        """Per customer: the last order day up to `day`, far in the past where there is none."""
        last = np.searchsorted(self._keys, self.customers[self.firsts] * _STRIDE + day, side="right") - 1
        return np.where(last >= self.firsts, self.days[last], NEVER)

    def active(self, day: int, window_days: int) -> NDArray[np.bool_]:
        """Per customer: is there an order in (day - window_days, day]."""
        return np.greater(self.last_days(day), day - window_days)

    def returned(self, window_days: int) -> NDArray[np.bool_]:
        """Per order day: the order before it is more than `window_days` ago, so that the customer had lapsed."""
        again: NDArray[np.bool_] = (np.diff(self.customers, prepend=-1) == 0) & (np.diff(self.days, prepend=0) > window_days)
        return again


def _rate(num: NDArray[np.int64], den: NDArray[np.int64]) -> NDArray[np.float64]:
    rates = np.full(len(num), np.nan)
    np.divide(num, den, out=rates, where=den > 0)
    return rates


def first_ever(history: OrderDays, begin_day: int, created_days: NDArray[np.int64], window_days: int) -> NDArray[np.bool_]:
    """Per customer: the first order day in the history, which begins on `begin_day`, is known to be the first ever.

    So it is when the account was made after the history began (`created_days` in UTC, `NEVER` where not known) and not after its
    first order, or when the history shows a whole window without an order before it.
    """
    first_days = history.days[history.firsts]
    return ((created_days > begin_day) & (created_days <= first_days + 1)) | (first_days >= begin_day + window_days)


def partition_counts(
    history: OrderDays, is_first_ever: NDArray[np.bool_], periods: Periods, window_days: int, as_of_day: int
) -> pd.DataFrame:
    """Additive counts of customers, one row per month up to that of `as_of_day`; the running month is read at `as_of_day`.

    Bridge: opening_active + new + reactivated - churned = active = new + retained + reactivated, at month ends.
    new: first order in the month; churned: active a month ago and lapsed since; reactivated: active now and, not being new, either not
    active a month ago or lapsed and returned since; retained: active a month ago, now and in between.
    retention_rate = |active(t - W) and active(t)| / |active(t - W)|; retention_90_rate the same for 90 days.
    first_order: first order in the history; unsure_first: of these, not known to be the first ever (`first_ever`).
    repeat_order_count = orders less first orders. repeat_purchase_rate = customers with >= 2 orders / customers with an order, in the
    month; `_to_date` since the history began, and `repeat_days_to_date` the same over distinct order days.
    """
    first_days, order_period = history.days[history.firsts], periods.of(history.days)
    customers = len(first_days)
    customer = np.repeat(np.arange(customers), np.diff(history.firsts, append=len(history.days)))
    returned = history.returned(window_days)
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
        stayed = before & active & (np.bincount(customer[rows_here], returned[rows_here], customers) == 0)
        new = active & first_here
        row = {
            "period_number": number,
            "active_orders_count": orders_here.sum(), "ordering_count": (orders_here > 0).sum(), "first_order_count": first_here.sum(),
            "unsure_first_count": (first_here & ~is_first_ever).sum(), "repeat_order_count": orders_here.sum() - first_here.sum(),
            "opening_active_count": before.sum(), "new_count": new.sum(), "retained_count": stayed.sum(),
            "reactivated_count": (active & ~new & ~stayed).sum(), "churned_count": (before & ~stayed).sum(), "active_count": active.sum(),
            "repeat_purchase_rate_num": (orders_here >= 2).sum(), "repeat_purchase_rate_den": (orders_here >= 1).sum(),
            "repeat_to_date_rate_num": (orders_so_far >= 2).sum(), "repeat_to_date_rate_den": (orders_so_far >= 1).sum(),
            "repeat_days_to_date_rate_num": (days_so_far >= 2).sum(), "repeat_days_to_date_rate_den": (days_so_far >= 1).sum(),
        }  # fmt: skip
        for rate, width in (("retention_rate", window_days), ("retention_90_rate", SHORT_WINDOW_DAYS)):
            base = history.active(day - width, width)
            row |= {f"{rate}_num": (base & history.active(day, width)).sum(), f"{rate}_den": base.sum()}
        rows.append(row)
        before = active
    return pd.DataFrame(rows, columns=["period_number", *ADDITIVE], dtype="int64")


def month_partition(counts: pd.DataFrame, periods: Periods, window_days: int, as_of_day: int, begin_day: int) -> pd.DataFrame:
    """One row per month from the first order on, with the rates of the summed `partition_counts`; no orders: no rows.

    What needs orders from before `begin_day`, the first day of the history, is NA and `not_mature`: retention until the history is two
    windows old, the movement of active customers until it was one window old when the month began, new customers and first orders in
    a month in which one of them may have ordered before. A rate whose denominator is 0 is NaN, retention with `zero_denominator`.
    """
    table = counts[counts["active_orders_count"].cumsum() > 0].reset_index(drop=True)
    table = table.assign(**{name: table[name].astype("Int64") for name in table.columns if name != "period_number"})
    numbers = table["period_number"].to_numpy()
    ages = np.minimum(periods.ends[numbers], as_of_day) - begin_day + 1  # days of history at each month's end
    for rate in RATES:
        table[rate] = _rate(*(table[f"{rate}_{part}"].to_numpy(np.int64) for part in ("num", "den")))
    for name, width in (("retention", window_days), ("retention_90", SHORT_WINDOW_DAYS)):
        is_mature, is_defined = ages >= 2 * width, table[f"{name}_rate"].notna()
        _null(table, f"{name}_null_reason", ~is_mature, (f"{name}_rate", f"{name}_rate_num", f"{name}_rate_den"))
        table.loc[is_mature & ~is_defined, f"{name}_null_reason"] = "zero_denominator"
    opening_ages = periods.starts[numbers] - begin_day
    _null(table, "active_null_reason", opening_ages < window_days, [f"{name}_count" for name in MOVEMENT])
    _null(table, "new_null_reason", table["unsure_first_count"].to_numpy(np.int64) > 0, [f"{name}_count" for name in FIRSTS])
    table["is_complete_period"] = periods.complete[numbers]
    return table[list(_PARTITION_COLUMNS)]


def _null(table: pd.DataFrame, reason: str, where: NDArray[np.bool_], names: Sequence[str]) -> None:
    table[reason] = np.where(where, "not_mature", None)  # type: ignore[call-overload]
    table.loc[where, list(names)] = pd.NA


FIRSTS = ("new", "first_order", "repeat_order")
MOVEMENT = ("opening_active", "retained", "reactivated", "churned", "active")
COUNTS = ("active_orders", "ordering", *FIRSTS, *MOVEMENT)
RATES = ("retention_rate", "retention_90_rate", "repeat_purchase_rate", "repeat_to_date_rate", "repeat_days_to_date_rate")
REASONS = ("retention", "retention_90", "active", "new")
ADDITIVE = (*(f"{name}_count" for name in (*COUNTS, "unsure_first")), *(f"{rate}_{part}" for rate in RATES for part in ("num", "den")))
_PARTITION_COLUMNS = [
    "period_number", *(f"{name}_count" for name in COUNTS), *(f"{rate}{part}" for rate in RATES for part in ("_num", "_den", "")),
    *(f"{name}_null_reason" for name in REASONS), "is_complete_period",
]  # fmt: skip


def cohort_counts(history: OrderDays, is_first_ever: NDArray[np.bool_], periods: Periods) -> pd.DataFrame:
    """Additive counts of customers by cohort (month of the first order) and month number n since then, where there are any.

    active_count = customers with an order in month n; repeat_count = customers with their second order in month n; unsure_count, at n = 0,
    of the customers whose first order is not known to be the first ever.
    """
    customer_cohort = periods.of(history.days[history.firsts])
    order_period = periods.of(history.days)
    # A customer's order days are sorted, so a month repeats only next to itself.
    fresh = np.diff(history.customers * _STRIDE + order_period, prepend=-1) != 0
    cohort = np.repeat(customer_cohort, np.diff(history.firsts, append=len(history.days)))[fresh]
    repeated = history.second_days >= 0
    again = periods.of(history.second_days[repeated])
    unsure = customer_cohort[~is_first_ever]
    parts = [
        pd.DataFrame({"cohort_number": cohorts, "month_number": months - cohorts, name: np.int64(1)})
        for name, cohorts, months in (
            ("active_count", cohort, order_period[fresh]), ("repeat_count", customer_cohort[repeated], again),
            ("unsure_count", unsure, unsure),
        )
    ]  # fmt: skip
    keys = ["cohort_number", "month_number"]
    return pd.concat(parts).fillna(0).astype("int64").groupby(keys, as_index=False).sum()


def cohort_triangle(counts: pd.DataFrame, periods: Periods, as_of_day: int) -> pd.DataFrame:
    """Cohort x month number, from the summed `cohort_counts`, as far as the calendar of `as_of_day` reaches for the oldest.

    cohort_count is fixed; n = 0 has share 1 exactly; cumulative_repeat_count = with a second order by the end of month n.
    Cells that lie after `as_of_day`, and whole cohorts with a customer who may have ordered before, are NA, not 0. No orders: no rows.
    """
    cohorts = counts.loc[counts["month_number"] == 0, "cohort_number"].to_numpy()
    begin, last = (int(cohorts.min()), int(periods.of(np.array([as_of_day]))[0])) if len(cohorts) else (0, -1)
    every = pd.MultiIndex.from_product([cohorts, range(last - begin + 1)], names=["cohort_number", "month_number"])
    table = counts.set_index(list(every.names)).reindex(every, fill_value=0).sort_index().reset_index()
    by_cohort = table.groupby("cohort_number")
    count = by_cohort["active_count"].transform("first").to_numpy()
    known = by_cohort["unsure_count"].transform("sum").to_numpy() == 0
    repeats = by_cohort["repeat_count"].cumsum().to_numpy()
    period = (table["cohort_number"] + table["month_number"]).to_numpy()
    seen = period <= last
    table = table.assign(
        cohort_count=pd.array(count, "Int64"), active_count=table["active_count"].astype("Int64"),
        active_share=_rate(table["active_count"].to_numpy(), count),
        cumulative_repeat_count=pd.array(repeats, "Int64"), cumulative_repeat_share=_rate(repeats, count),
        null_reason=np.where(known & seen, None, "not_mature"),  # type: ignore[call-overload]
        is_complete_period=seen & periods.complete[np.minimum(period, last)],
    )  # fmt: skip
    table.loc[~known, "cohort_count"] = pd.NA
    table.loc[~(known & seen), ["active_count", "active_share", "cumulative_repeat_count", "cumulative_repeat_share"]] = pd.NA
    return table[_COHORT_COLUMNS]


_COHORT_COLUMNS = [
    "cohort_number", "month_number", "cohort_count", "active_count", "active_share", "cumulative_repeat_count",
    "cumulative_repeat_share", "null_reason", "is_complete_period",
]  # fmt: skip
