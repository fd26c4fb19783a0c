"""The tier of each account over its trailing twelve months: the engine ranks, chunks of ranked accounts are scored.

Every account seen so far has a row; only complete months have tiers.
"""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from dagster_project.analytics import columns
from dagster_project.analytics.account_months import WINDOWS, Calendar, History, Parameters, Window
from dagster_project.analytics.account_values import VALUES
from dagster_project.analytics.columns import DATE, FLAG, MONEY, REAL, TEXT, WHOLE, optional, required
from dagster_project.engines.engine import Engine
from dagster_project.metrics.concentration import TIERS, TierLines, tier

TIER_COLUMNS = pa.schema([
    *required(account_id=TEXT, period_month=DATE, tier_measure=TEXT, tier_amount=MONEY, rank=WHOLE), *optional(cumulative_share=REAL),
    *required(account_tier=TEXT, is_complete_period=FLAG, currency_code=TEXT),
])  # fmt: skip
_RANKING = "partition by window_number order by tier_amount desc, account_id"
_RANKED = f"""
    select
        account_id, window_number, tier_amount, cast(row_number() over ({_RANKING}) as bigint) as rank,
        cast(sum(greatest(tier_amount, 0)) over ({_RANKING} rows between unbounded preceding and current row) as bigint) as positive
    from {VALUES} where tier_amount is not null
"""
_POSITIVE = f"""
    select window_number, cast(sum(greatest(tier_amount, 0)) as bigint) from {VALUES} where tier_amount is not null group by window_number
"""


def choose_measures(history: History, feeds: frozenset[str]) -> tuple[str | None, ...]:
    """Name what each month is tiered by; None for a month without tiers."""
    sums = history.sums("trailing_12", with_pseudo=False)
    return tuple(
        _measure(window, sums["margin_unknown"][number], sums["cost_unknown"][number])
        if window.month.is_complete and {"orders", "order_lines"} <= feeds
        else None
        for number, window in enumerate(history.calendar.windows("trailing_12"))
    )


def _measure(window: Window, margin_unknown: int, cost_unknown: int) -> str:
    """Tier by margin after service; where service cost or unit cost is not known, by the next measure that is."""
    return "net_revenue" if margin_unknown else "margin_after_service" if window.has_cost and not cost_unknown else "contribution_margin"


def _tier_rows(
    chunk: pa.Table, *, windows: tuple[Window, ...], tier_measures: tuple[str | None, ...], lines: TierLines, currency: str
) -> pa.Table:
    """Score ranked accounts: share and tier of each. All lists by month."""
    months = chunk["window_number"].to_numpy() // len(WINDOWS)
    values = chunk["tier_amount"].to_numpy()
    tiers = tier(values, chunk["positive"].to_numpy(), months, lines)
    month = pa.array(months)
    return pa.table({
        "account_id": chunk["account_id"],
        "period_month": pa.array([window.month.period_month for window in windows], DATE).take(month),
        "tier_measure": pa.array(tier_measures, TEXT).take(month),
        "tier_amount": columns.money(values),
        "rank": chunk["rank"],
        "cumulative_share": columns.ratio(tiers.cumulative_shares),
        "account_tier": columns.coded(tiers.tiers, TIERS),
        "is_complete_period": pa.array([window.is_complete for window in windows], FLAG).take(month),
        "currency_code": columns.constant(currency, len(months), TEXT),
    })  # fmt: skip


def write_tiers(
    engine: Engine, calendar: Calendar, tier_measures: tuple[str | None, ...], parameters: Parameters, rebuilt: str | None
) -> int:
    """Replace the `rebuilt` rows of `analytics.mart_account_tier` from the accounts' values and return the number of rows written."""
    totals = [0] * len(calendar.months)
    for number, total in engine.rows(_POSITIVE):
        totals[number // len(WINDOWS)] = total
    lines = TierLines.of(totals, parameters.tier_a_share, parameters.tier_b_share)
    windows, currency = calendar.windows("trailing_12"), parameters.currency_code
    score = partial(_tier_rows, windows=windows, tier_measures=tier_measures, lines=lines, currency=currency)
    return engine.score(_RANKED, "account_id", score, "analytics.mart_account_tier", TIER_COLUMNS, where=rebuilt)
