"""Order-based retention: the month's partition of customers, and the cohort triangle.

A customer is active on day d when there is an order in (d - W, d]. Nothing here knows why a customer is silent; nobody "cancels".
Orders before the first day of the delivered history are unknown, and so is who was active then: what needs those days is `not_mature`.
Frames of order days have a row for each customer and day with an order; frames of months one for each consecutive fiscal month, in order,
with start_date, end_date and is_complete_period; `month_number` is the position there. What is counted per customer is additive: counts of
parts of the customers sum to the counts of all, and rates are made of the sums. Source: Fader and Hardie (2009), "Probability Models for
Customer-Base Analysis", Journal of Interactive Marketing 23(1), for the non-contractual setting.
Holds formulas and their null rules. It must not hold reading or writing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHORT_WINDOW_DAYS = 90  # In addition to the long window: matures within half a year.
FIRSTS = ("new", "first_order", "repeat_order")
MOVEMENT = ("opening_active", "retained", "reactivated", "churned", "active")
COUNTS = ("active_orders", "ordering", *FIRSTS, *MOVEMENT)
RATES = ("retention_rate", "retention_90_rate", "repeat_purchase_rate", "repeat_to_date_rate", "repeat_days_to_date_rate")
REASONS = ("retention", "retention_90", "active", "new")
ADDITIVE = (*(f"{name}_count" for name in (*COUNTS, "unsure_first")), *(f"{rate}_{part}" for rate in RATES for part in ("num", "den")))
COHORT_ADDITIVE = ("active_count", "repeat_count", "unsure_count")
_PARTITION_COLUMNS = [
    "month_number", *(f"{name}_count" for name in COUNTS), *(f"{rate}{part}" for rate in RATES for part in ("_num", "_den", "")),
    *(f"{name}_null_reason" for name in REASONS), "is_complete_period",
]  # fmt: skip
_COHORT_COLUMNS = [
    "cohort_number", "month_number", "cohort_count", "active_count", "active_share", "cumulative_repeat_count",
    "cumulative_repeat_share", "null_reason", "is_complete_period",
]  # fmt: skip


def order_history(order_days: pd.DataFrame, months: pd.DataFrame, window_days: int, begin: pd.Timestamp) -> pd.DataFrame:
    """Return the order days of whole customers, sorted by customer (0, 1, …) and day, with what each day is to its customer.

    In: account_id, order_date, orders (>= 1), created_date (when the account was made, NaT where not known). Out: customer, order_date,
    orders, month_number; is_first; is_first_ever; is_second, the day of the second order, which may be the first day; is_second_day;
    is_return, the order before is more than `window_days` ago, so that the customer had lapsed.
    The first day is known to be the first ever (`is_first_ever`) when the account was made after the history began, on `begin`, and not
    after its first order (a day of tolerance for time zones), or when the history shows a complete window without an order before it.

    Raises
    ------
    ValueError
        A customer has two rows of one day.
    """
    customer = pd.factorize(order_days["account_id"])[0]
    days = order_days.assign(customer=customer).sort_values(["customer", "order_date"], ignore_index=True)
    of_customer = days.groupby("customer")
    since_last = days["order_date"] - of_customer["order_date"].shift()
    if (since_last == pd.Timedelta(0)).any():
        raise ValueError("a customer has one row for each day with an order, without repeats")
    so_far = of_customer["orders"].cumsum()
    is_first = ~days["customer"].duplicated()
    is_made_here = (days["created_date"] > begin) & (days["created_date"] <= days["order_date"] + _days(1))
    return pd.DataFrame({
        "customer": days["customer"], "order_date": days["order_date"], "orders": days["orders"],
        "month_number": month_numbers(days["order_date"], months), "is_first": is_first,
        "is_first_ever": is_first & (is_made_here | (days["order_date"] >= begin + _days(window_days))),
        "is_second": (so_far >= 2) & (so_far - days["orders"] < 2), "is_second_day": of_customer.cumcount() == 1,
        "is_return": since_last > _days(window_days),
    })  # fmt: skip


def month_numbers(dates: pd.Series, months: pd.DataFrame) -> NDArray[np.int64]:
    """Return the number of the month that each date is in."""
    return months["start_date"].searchsorted(dates, side="right") - 1


def partition_counts(history: pd.DataFrame, months: pd.DataFrame, window_days: int, as_of: pd.Timestamp) -> pd.DataFrame:
    """Additive counts of customers, one row per month up to that of `as_of`; the running month is read at `as_of`.

    `history` as `order_history` returns it.
    Bridge: opening_active + new + reactivated - churned = active = new + retained + reactivated, at month ends.
    new: first order in the month; churned: active a month ago and lapsed since; reactivated: active now and, not being new, either not
    active a month ago or lapsed and returned since; retained: active a month ago, now and in between.
    retention_rate = |active(t - W) and active(t)| / |active(t - W)|; retention_90_rate the same for 90 days.
    first_order: first order in the history; unsure_first: of these, not known to be the first ever.
    repeat_order_count = orders less first orders. repeat_purchase_rate = customers with >= 2 orders / customers with an order, in the
    month; `_to_date` since the history began, and `repeat_days_to_date` the same over distinct order days.
    """
    customer, customers = history["customer"].to_numpy(), history["customer"].nunique()

    def who(rows: pd.Series) -> NDArray[np.bool_]:
        return np.bincount(customer[rows.to_numpy()], minlength=customers) > 0

    def active(day: pd.Timestamp, width: int) -> NDArray[np.bool_]:
        return who((history["order_date"] > day - _days(width)) & (history["order_date"] <= day))

    numbers = range(int(month_numbers(pd.Series([as_of]), months)[0]) + 1)

    def by_month(rows: pd.Series) -> pd.Series:
        return history["month_number"][rows].value_counts().reindex(numbers, fill_value=0)

    of_month = history.groupby(["customer", "month_number"])["orders"].sum().reset_index()
    firsts = by_month(history["is_first"])
    counts = pd.DataFrame({
        "active_orders_count": history.groupby("month_number")["orders"].sum().reindex(numbers, fill_value=0),
        "ordering_count": of_month["month_number"].value_counts().reindex(numbers, fill_value=0),
        "first_order_count": firsts, "unsure_first_count": by_month(history["is_first"] & ~history["is_first_ever"]),
        "repeat_purchase_rate_num": of_month.loc[of_month["orders"] >= 2, "month_number"].value_counts().reindex(numbers, fill_value=0),
        "repeat_to_date_rate_num": by_month(history["is_second"]).cumsum(), "repeat_to_date_rate_den": firsts.cumsum(),
        "repeat_days_to_date_rate_num": by_month(history["is_second_day"]).cumsum(), "repeat_days_to_date_rate_den": firsts.cumsum(),
    }, index=numbers)  # fmt: skip
    counts["repeat_order_count"] = counts["active_orders_count"] - counts["first_order_count"]
    counts["repeat_purchase_rate_den"] = counts["ordering_count"]
    before, movement = np.zeros(customers, bool), []
    for number in numbers:
        day, is_here = min(months["end_date"].iloc[number], as_of), history["month_number"] == number
        now = active(day, window_days)
        new, stayed = now & who(is_here & history["is_first"]), before & now & ~who(is_here & history["is_return"])
        row = {"opening_active": before, "new": new, "retained": stayed, "reactivated": now & ~new & ~stayed, "churned": before & ~stayed}
        found = {f"{name}_count": is_so.sum() for name, is_so in (row | {"active": now}).items()}
        for rate, width in (("retention_rate", window_days), ("retention_90_rate", SHORT_WINDOW_DAYS)):
            base = active(day - _days(width), width)
            found |= {f"{rate}_num": (base & active(day, width)).sum(), f"{rate}_den": base.sum()}
        movement.append(found)
        before = now
    counts = counts.join(pd.DataFrame(movement, index=numbers))
    return counts.rename_axis("month_number").reset_index()[["month_number", *ADDITIVE]].astype("int64")


def month_partition(counts: pd.DataFrame, months: pd.DataFrame, window_days: int, as_of: pd.Timestamp, begin: pd.Timestamp) -> pd.DataFrame:
    """One row per month from the first order on, with the rates of the summed `partition_counts`; no orders: no rows.

    What needs orders from before `begin`, the first day of the history, is NA and `not_mature`: retention until the history is two
    windows old, the movement of active customers until it was one window old when the month began, new customers and first orders in
    a month in which one of them may have ordered before. A rate whose denominator is 0 is NaN, retention with `zero_denominator`.
    """
    table = counts[counts["active_orders_count"].cumsum() > 0].reset_index(drop=True)
    table = table.assign(**{name: table[name].astype("Int64") for name in table.columns if name != "month_number"})
    of_month = months.iloc[table["month_number"]].reset_index(drop=True)
    ages = (of_month["end_date"].where(of_month["end_date"] <= as_of, as_of) - begin).dt.days + 1  # days of history at each month's end
    for rate in RATES:
        table[rate] = _rate(table[f"{rate}_num"], table[f"{rate}_den"])
    for name, width in (("retention", window_days), ("retention_90", SHORT_WINDOW_DAYS)):
        is_mature, is_defined = ages >= 2 * width, table[f"{name}_rate"].notna()
        _null(table, f"{name}_null_reason", ~is_mature, (f"{name}_rate", f"{name}_rate_num", f"{name}_rate_den"))
        table.loc[is_mature & ~is_defined, f"{name}_null_reason"] = "zero_denominator"
    opening_ages = (of_month["start_date"] - begin).dt.days
    _null(table, "active_null_reason", opening_ages < window_days, [f"{name}_count" for name in MOVEMENT])
    _null(table, "new_null_reason", table["unsure_first_count"] > 0, [f"{name}_count" for name in FIRSTS])
    table["is_complete_period"] = of_month["is_complete_period"]
    return table[_PARTITION_COLUMNS]


def cohort_counts(history: pd.DataFrame) -> pd.DataFrame:
    """Additive counts of customers by cohort (month of the first order) and month number n since then, where there are any.

    `history` as `order_history` returns it. active_count = customers with an order in month n; repeat_count = customers with their
    second order in month n; unsure_count, at n = 0, of the customers whose first order is not known to be the first ever.
    """
    cohort = history.groupby("customer")["month_number"].transform("first")
    rows = history.assign(cohort_number=cohort, month_number=history["month_number"] - cohort)
    is_counted = {
        "active_count": ~history.duplicated(["customer", "month_number"]), "repeat_count": history["is_second"],
        "unsure_count": history["is_first"] & ~history["is_first_ever"],
    }  # fmt: skip
    keys = ["cohort_number", "month_number"]
    counts = rows.assign(**is_counted).groupby(keys)[list(is_counted)].sum().astype("int64")
    return counts.reset_index()


def cohort_triangle(counts: pd.DataFrame, months: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Cohort x month number, from the summed `cohort_counts`, as far as the calendar of `as_of` reaches for the oldest.

    cohort_count is fixed; n = 0 has share 1 exactly; cumulative_repeat_count = with a second order by the end of month n.
    Cells that are after `as_of`, and complete cohorts with a customer who may have ordered before, are NA, not 0. No orders: no rows.
    """
    cohorts = counts.loc[counts["month_number"] == 0, "cohort_number"]
    if cohorts.empty:
        return pd.DataFrame(columns=_COHORT_COLUMNS)
    last = int(month_numbers(pd.Series([as_of]), months)[0])
    every = pd.MultiIndex.from_product([cohorts, range(last - cohorts.min() + 1)], names=["cohort_number", "month_number"])
    table = counts.set_index(list(every.names)).reindex(every, fill_value=0).sort_index().reset_index()
    by_cohort, period = table.groupby("cohort_number"), table["cohort_number"] + table["month_number"]
    known, seen = by_cohort["unsure_count"].transform("sum") == 0, period <= last
    count, repeats = by_cohort["active_count"].transform("first"), by_cohort["repeat_count"].cumsum()
    is_complete = months["is_complete_period"].to_numpy()[np.minimum(period, last)]
    return pd.DataFrame({
        "cohort_number": table["cohort_number"], "month_number": table["month_number"],
        "cohort_count": count.astype("Int64").where(known),
        "active_count": table["active_count"].astype("Int64").where(known & seen),
        "active_share": _rate(table["active_count"], count).where(known & seen),
        "cumulative_repeat_count": repeats.astype("Int64").where(known & seen),
        "cumulative_repeat_share": _rate(repeats, count).where(known & seen),
        "null_reason": pd.Series("not_mature", table.index).where(~(known & seen), None), "is_complete_period": seen & is_complete,
    })  # fmt: skip


def _days(count: int) -> pd.Timedelta:
    return pd.Timedelta(days=count)


def _rate(num: pd.Series, den: pd.Series) -> pd.Series:
    return num.astype("float64") / den.astype("float64").where(den > 0)


def _null(table: pd.DataFrame, reason: str, where: pd.Series, names: Sequence[str]) -> None:
    table[reason] = pd.Series("not_mature", table.index).where(where.astype(bool), None)
    table.loc[where.astype(bool), list(names)] = pd.NA
