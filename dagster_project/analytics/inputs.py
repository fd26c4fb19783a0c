"""What every subject is handed: the calendar with its windows, the parameters, the feeds, the totals of the months.

Holds reading, once for a subject, and what follows from the calendar alone. It must not hold a formula of a metric.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

import pandas as pd

from dagster_project.analytics.account_windows import MEASURES, MONTHS, TRAILING_MONTHS, WINDOWS, movements
from dagster_project.engines.engine import Engine

PARAMETERS = """
    select
        reporting_currency_code, activity_window_days, taken_back_days, tier_a_share, tier_b_share, top_customer_share, value_share_target
    from lake.run_parameters
"""
FEEDS = "select feed from lake.feed_presence where is_present"
CALENDAR = f"""
    select numbered.month_number, period.period_month, period.is_complete_period, cost.period_month is not null as has_cost,
        coalesce(cost.is_provisional, false) as is_provisional, period.has_orders, period.has_offers, period.has_interactions
    from marts.dim_period as period inner join ({MONTHS}) as numbered on period.period_month = numbered.period_month
    left join (
        select period_month, bool_or(is_provisional) as is_provisional from marts.fct_cost_line where is_roi_basis group by 1
    ) as cost
        on period.period_month = cost.period_month
    order by period.period_month
"""
_SUMS = ", ".join(f"cast(sum(own.{name}) as bigint) as {name}" for name in MEASURES)
TOTALS = f"""
    select own.period_month, account.is_pseudo, {_SUMS},
        cast(sum(case when account.account_id is null or period.period_month is null then 1 else 0 end) as bigint) as orphans
    from ({movements(MEASURES)}) as own
    left join marts.dim_account as account on own.account_id = account.account_id
    left join marts.dim_period as period on own.period_month = period.period_month
    group by own.period_month, account.is_pseudo
"""
_FLAGS = ("has_cost", "has_orders", "has_offers", "has_interactions")


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


@dataclass(frozen=True)
class Inputs:
    """What a subject is given in addition to the engine. `since`: rows of months before it are as they were; None: everything is built."""

    since: date | None
    _engine: Engine = field(repr=False)

    @cached_property
    def parameters(self) -> Parameters:
        """What the business believes for this run."""
        rows = self._engine.rows(PARAMETERS)
        if not rows:
            raise ValueError("lake.run_parameters is empty; ingest writes its one row")
        return Parameters(*rows[0])

    @cached_property
    def feeds(self) -> frozenset[str]:
        """Which feeds have at least one accepted batch."""
        return frozenset(feed for (feed,) in self._engine.rows(FEEDS))

    @cached_property
    def calendar(self) -> pd.DataFrame:
        """The windows: a row for each month from the first to the last that any account has, and kind; the index is `window_number`.

        Columns: period_month, month_number, window_kind, months_count; is_complete_period (a trailing one: all its twelve months exist and
        are over), has_cost, has_orders, has_offers, has_interactions (in all months of the window; sales need both feeds of orders), and
        is_provisional (a budget replaces one).
        """
        names = ["month_number", "period_month", "is_complete_period", "has_cost", "is_provisional", *_FLAGS[1:]]
        months = pd.DataFrame(self._engine.rows(CALENDAR), columns=names).astype({"month_number": "int64", "period_month": "datetime64[s]"})
        span = self._monthly["period_month"]
        months = months[months["period_month"].between(span.min(), span.max())].reset_index(drop=True)
        months["has_orders"] &= {"orders", "order_lines"} <= self.feeds
        months["has_interactions"] &= "interactions" in self.feeds
        return pd.concat([_windows(months, kind) for kind in WINDOWS]).sort_index()

    @cached_property
    def totals(self) -> pd.DataFrame:
        """Every measure of each window, summed over all accounts, pseudo-accounts too; the index is that of `calendar`."""
        return self._totals(self._monthly)

    @cached_property
    def identified(self) -> pd.DataFrame:
        """The same over identified accounts only."""
        return self._totals(self._monthly[~self._monthly["is_pseudo"].astype(bool)])

    @cached_property
    def first(self) -> int:
        """Number of the first month that is rebuilt: the last one at the latest."""
        months = self.calendar["month_number"]
        later = months[self.calendar["period_month"] >= pd.Timestamp(self.since)] if self.since else months
        return int(later.min() if len(later) else months.max()) if len(months) else 1

    @cached_property
    def last(self) -> int:
        """Number of the last month; 0 without any."""
        return int(self.calendar["month_number"].max()) if len(self.calendar) else 0

    @property
    def rebuilt(self) -> str | None:
        """Condition on the rows of a table by month that are rebuilt; None: all of them."""
        months = self.calendar.loc[self.calendar["month_number"] == self.first, "period_month"]
        is_all = not len(months) or self.first == self.calendar["month_number"].min()
        return None if is_all else f"period_month >= cast('{months.iloc[0].date()}' as date)"

    def windows(self, *kinds: str) -> pd.DataFrame:
        """Return the windows of these kinds that are rebuilt."""
        return self.calendar[self.calendar["window_kind"].isin(kinds) & (self.calendar["month_number"] >= self.first)]

    @cached_property
    def _monthly(self) -> pd.DataFrame:
        """Every measure by month: of pseudo-accounts and of the others.

        Raises
        ------
        ValueError
            A mart names an account or a month that its dimension lacks: sums would silently lose it.
        """
        names = ["period_month", "is_pseudo", *MEASURES, "orphans"]
        monthly = pd.DataFrame(self._engine.rows(TOTALS), columns=names)
        if orphans := monthly.pop("orphans").sum():
            raise ValueError(f"{orphans} account-months name an account or a month that marts.dim_account or marts.dim_period lacks")
        return monthly.astype({"period_month": "datetime64[s]", **dict.fromkeys(MEASURES, "int64")})

    def _totals(self, monthly: pd.DataFrame) -> pd.DataFrame:
        months = self.calendar.loc[self.calendar["window_kind"] == "month", ["month_number", "period_month"]]
        sums = monthly.groupby("period_month")[list(MEASURES)].sum().reindex(months["period_month"], fill_value=0)
        sums.index = pd.Index(months["month_number"])
        to_date = sums.cumsum()
        before = to_date.shift(TRAILING_MONTHS, fill_value=0)
        of_kind = {"month": sums, "trailing_12": to_date - before, "to_date": to_date}
        return pd.concat([of_kind[kind].set_index(window_numbers(sums.index, kind)) for kind in WINDOWS]).sort_index()


def window_numbers(month_numbers: Iterable[int], kind: str) -> pd.Index:
    """Return the numbers of the windows of a kind that end with these months, as the SQL of `account_windows` does."""
    return pd.Index([number * len(WINDOWS) + WINDOWS.index(kind) for number in month_numbers], name="window_number", dtype="int64")


def _windows(months: pd.DataFrame, kind: str) -> pd.DataFrame:
    """One window of this kind for each month of a gapless calendar."""
    width = {"month": 1, "trailing_12": TRAILING_MONTHS, "to_date": max(len(months), 1)}[kind]
    flags = months[["is_complete_period", "is_provisional", *_FLAGS]].astype("int64")
    every, some = flags.rolling(width, min_periods=1).min().astype(bool), flags.rolling(width, min_periods=1).max().astype(bool)
    is_complete = every["is_complete_period"] & (months.index >= width - 1) if kind == "trailing_12" else months["is_complete_period"]
    return pd.DataFrame({
        "period_month": months["period_month"], "month_number": months["month_number"],
        "window_kind": pd.Categorical([kind] * len(months), WINDOWS),
        "months_count": (months.index + 1).to_series(index=months.index).clip(upper=width), "is_complete_period": is_complete.astype(bool),
        "is_provisional": some["is_provisional"], **{name: every[name] for name in _FLAGS},
    }).set_index(window_numbers(months["month_number"], kind))  # fmt: skip
