"""The accounts' months and their windows: one query over the two account marts, the calendar, exact sums of whole accounts.

A chunk of whole accounts is summed at a time, so that memory follows the chunk, not the number of accounts. Holds reading and
window sums only. It must not hold a formula of a metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dagster_project.analytics import columns
from dagster_project.engines.engine import Engine

TRAILING_MONTHS = 12
WINDOWS = ("month", "trailing_12", "to_date")
_CELLS = 1 << 17  # accounts x months that are summed at once
# Thousandths of the currency as integers; what is unknown counts beside it, so that a window can tell "0" from "not known". Sums are of
# what has a rate, and a margin or an offer is unknown where net revenue is not when a unit cost is. Up to two rows for an account and
# month, one of service and one of sales: every measure is summed anyway.
_SERVICE = {
    "service_cost": "cast(coalesce(service_cost_amount, 0) * 1000 as bigint)",
    "cost_unknown": "cast(coalesce(null_reason = 'fx_missing', false) as bigint)",
    "contacts": "cast(coalesce(contacts_count, 0) as bigint)",
}
_SALES = {
    "margin": "cast(coalesce(contribution_margin_amount, 0) * 1000 as bigint)",
    "margin_unknown": "cast(contribution_margin_amount is null and net_revenue_amount is not null as bigint)",
    "offer_margin": "cast(coalesce(offer_margin_amount, 0) * 1000 as bigint)",
    "offer_unknown": "cast(offer_margin_amount is null and net_revenue_amount is not null as bigint)",
    "gross_sales": "cast(coalesce(gross_sales_amount, 0) * 1000 as bigint)",
    "net_revenue": "cast(coalesce(net_revenue_amount, 0) * 1000 as bigint)",
    "payments": "cast(coalesce(payment_amount, 0) * 1000 as bigint)",
    "payments_count": "cast(coalesce(payments_count, 0) as bigint)",
    "payments_known": "cast(payment_amount is not null as bigint)",
    "payments_unpriced": "cast(coalesce(unpriced_payments_count, 0) as bigint)",
    "sales_known": "cast(net_revenue_amount is not null as bigint)",
    "unpriced": "cast(coalesce(unpriced_count, 0) as bigint)",
    "has_sales": "cast(coalesce(gross_sales_amount <> 0 or credit_amount <> 0 or refund_amount <> 0, false) as bigint)",
}
MEASURES = (*_SERVICE, *_SALES)


def _movements(names: Sequence[str]) -> str:
    """Query the measures of these names, not summed yet."""
    parts = []
    for table, own in (("mart_account_service_month", _SERVICE), ("mart_account_sales_month", _SALES)):
        values = ", ".join(f"{own.get(name, 'cast(0 as bigint)')} as {name}" for name in names)
        parts.append(f"select account_id, period_month, {values} from marts.{table}")
    return " union all ".join(parts)


IDENTIFIED_OWN = "not exists (select 1 from marts.dim_account as pseudo where pseudo.is_pseudo and pseudo.account_id = own.account_id)"
_SUMS = ", ".join(f"cast(sum(own.{name}) as bigint) as {name}" for name in MEASURES)
_TOTALS = f"""
    select
        case when account.is_pseudo then 'pseudo' else 'identified' end as account_id, own.period_month, {_SUMS},
        count(*) filter (where account.account_id is null or period.period_month is null) as orphans
    from ({_movements(MEASURES)}) as own
    left join marts.dim_account as account on own.account_id = account.account_id
    left join marts.dim_period as period on own.period_month = period.period_month
    group by account.is_pseudo, own.period_month
"""
_TOTALS_COLUMNS = pa.schema([
    ("account_id", columns.TEXT), ("period_month", columns.DATE), *((name, columns.WHOLE) for name in (*MEASURES, "orphans")),
])  # fmt: skip
_CALENDAR = """
    select period.period_month, period.is_complete_period, cost.period_month is not null as has_cost,
        coalesce(cost.is_provisional, false) as is_provisional, period.has_orders, period.has_offers, period.has_interactions
    from marts.dim_period as period
    left join (
        select period_month, bool_or(is_provisional) as is_provisional from marts.fct_cost_line where is_roi_basis group by 1
    ) as cost
        on period.period_month = cost.period_month
    order by period.period_month
"""


def account_months(names: Sequence[str], month: str = "own.period_month", where: str = "true") -> str:
    """Query the sums of these measures, grain account x month, of the rows `own` that meet a condition.

    `month` is the month a row counts in, as `Calendar.folded` gives it where only some windows are asked for.
    """
    sums = ", ".join(f"cast(sum(own.{name}) as bigint) as {name}" for name in names)
    return (
        f"select own.account_id, {month} as period_month, {sums} from ({_movements(names)}) as own where {where} "
        f"group by own.account_id, {month}"
    )


@dataclass(frozen=True)
class Month:
    """One fiscal month of the data: its date, whether it is over, whether any cost line of it was loaded, whether a budget stands in.

    `has_orders`, `has_offers`, `has_interactions`: the feed has a record of this month or an earlier one.
    """

    period_month: date
    is_complete: bool
    has_cost: bool
    is_provisional: bool
    has_orders: bool
    has_offers: bool
    has_interactions: bool


@dataclass(frozen=True)
class Window:
    """One window that ends with `month`. A trailing one is complete when all its twelve months exist and are over."""

    month: Month
    kind: str
    months_count: int
    is_complete: bool
    has_cost: bool
    is_provisional: bool
    has_orders: bool
    has_offers: bool
    has_interactions: bool


@dataclass(frozen=True)
class Calendar:
    """The months from the first to the last that any account has, without a gap."""

    months: tuple[Month, ...]

    def first_position(self, since: date | None) -> int:
        """Position of the first month from which on rows are rebuilt: 0 without such a month, the last one at the latest."""
        return min(sum(month.period_month < since for month in self.months), max(len(self.months) - 1, 0)) if since else 0

    def folded(self, since: date | None) -> str:
        """Express the month a row of `own` counts in, as far as the windows that end from `since` on tell months apart.

        Months before all trailing ones are summed into one, and so are those that all of these windows hold: few rows to read,
        however long the history is.
        """
        months = [f"cast('{month.period_month}' as date)" for month in self.months]
        first = self.first_position(since)
        opening, shared = first - TRAILING_MONTHS, max(len(months) - TRAILING_MONTHS, 0)
        folds = [(months[0], months[opening])] if opening > 0 else []
        folds += [(months[shared], months[first - 1])] if shared < first - 1 else []
        cases = "".join(f" when own.period_month between {start} and {end} then {end}" for start, end in folds)
        return f"case{cases} else own.period_month end" if cases else "own.period_month"

    def windows(self, kind: str) -> tuple[Window, ...]:
        """One window of this kind per month, in order."""
        width = {"month": 1, "trailing_12": TRAILING_MONTHS, "to_date": len(self.months)}[kind]
        found = []
        for end, month in enumerate(self.months, start=1):
            span = self.months[max(end - width, 0) : end]
            is_whole = kind != "trailing_12" or (len(span) == width and all(one.is_complete for one in span))
            has_cost, is_provisional = all(one.has_cost for one in span), any(one.is_provisional for one in span)
            has_feeds = (all(getattr(one, name) for one in span) for name in ("has_orders", "has_offers", "has_interactions"))
            found.append(Window(month, kind, len(span), month.is_complete and is_whole, has_cost, is_provisional, *has_feeds))
        return tuple(found)

    def rebuilt(self, since: date | None) -> str | None:
        """Condition on the rows of a table by month that are rebuilt; None: all of them."""
        first = self.first_position(since)
        return f"period_month >= cast('{self.months[first].period_month}' as date)" if first else None

    @cached_property
    def days(self) -> NDArray[np.int64]:
        """First days of the months, since 1970-01-01."""
        return np.array([month.period_month for month in self.months], "datetime64[D]").astype(np.int64)


@dataclass(frozen=True)
class Sums:
    """Windows of one kind of some accounts: by measure, and `months` (months that were read in the window), arrays accounts x months.

    `seen`: the account had a month by then, in the window or before it.
    """

    kind: str
    account_ids: pa.Array
    measures: dict[str, NDArray[np.int64]]
    seen: NDArray[np.bool_]


def window_sums(chunk: pa.Table, calendar: Calendar, names: Sequence[str], kinds: Sequence[str], first: int = 0) -> Iterator[Sums]:
    """Sum the months of a chunk of whole accounts to windows, exactly; some accounts at a time, each once per kind.

    Only the windows that end with the month at position `first` or later.
    """
    ids, accounts = columns.numbered(chunk["account_id"])
    months = np.searchsorted(calendar.days, columns.days(chunk["period_month"]))
    read = {name: chunk[name].to_numpy() for name in names} | {"months": 1}
    step = max(_CELLS // max(len(calendar.months), 1), 1)
    for start in range(0, len(ids), step):
        some = ids[start : start + step]
        here = np.flatnonzero((accounts >= start) & (accounts < start + step))
        month = np.zeros((len(read), len(some), len(calendar.months)), np.int64)
        for values, column in zip(month, read.values(), strict=True):
            values[accounts[here] - start, months[here]] = column if isinstance(column, int) else column[here]
        to_date = month.cumsum(axis=2)
        trailing = to_date.copy()
        trailing[..., TRAILING_MONTHS:] -= to_date[..., :-TRAILING_MONTHS]
        of_kind = {"month": month, "trailing_12": trailing, "to_date": to_date}
        for kind in kinds:
            yield Sums(kind, some, dict(zip(read, of_kind[kind][..., first:], strict=True)), to_date[-1, :, first:] > 0)


@dataclass(frozen=True)
class History:
    """The calendar, and the exact totals of each month: of identified accounts and of pseudo-accounts."""

    calendar: Calendar
    totals: pa.Table

    def sums(self, kind: str, *, with_pseudo: bool) -> dict[str, NDArray[np.int64]]:
        """Sum every measure over the accounts: one element per month, for the windows of this kind."""
        of = self.totals if with_pseudo else self.totals.filter(pc.equal(self.totals["account_id"], "identified"))
        found = {name: np.zeros(len(self.calendar.months), np.int64) for name in MEASURES}
        for part in window_sums(of, self.calendar, MEASURES, (kind,)):
            for name, values in found.items():
                values += part.measures[name].sum(axis=0)
        return found


def read_history(engine: Engine) -> History:
    """Read calendar and totals.

    Raises
    ------
    ValueError
        A mart names an account or a month that its dimension lacks: sums would silently lose it.
    """
    rows = [dict(zip(_TOTALS_COLUMNS.names, row, strict=True)) for row in engine.rows(_TOTALS)]
    if orphans := sum(row["orphans"] for row in rows):
        raise ValueError(f"{orphans} account-months name an account or a month that marts.dim_account or marts.dim_period lacks")
    span = {row["period_month"] for row in rows}
    months = (Month(*row) for row in engine.rows(_CALENDAR))
    here = tuple(month for month in months if span and min(span) <= month.period_month <= max(span))
    return History(Calendar(here), pa.Table.from_pylist(rows, _TOTALS_COLUMNS))


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


def run_parameters(engine: Engine) -> Parameters:
    """Read what the business believes for this run."""
    names = (
        "reporting_currency_code, activity_window_days, taken_back_days, tier_a_share, tier_b_share, top_customer_share, value_share_target"
    )
    rows = engine.rows(f"select {names} from lake.run_parameters")
    if not rows:
        raise ValueError("lake.run_parameters is empty; ingest writes its one row")
    return Parameters(*rows[0])


def present_feeds(engine: Engine) -> frozenset[str]:
    """Read which feeds have at least one accepted batch."""
    return frozenset(feed for (feed,) in engine.rows("select feed from lake.feed_presence where is_present"))
