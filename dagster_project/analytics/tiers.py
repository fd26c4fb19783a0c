"""The tier of each account by margin after service over its trailing twelve months: the engine ranks, chunks are scored.

Every account seen so far has a row; only complete months have tiers. An account whose margin lacks something has no tier, with the
reason; what is known of it stays in the ranking, so that the tiers of the others do not move.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.analytics import columns
from dagster_project.analytics.account_months import WINDOWS, History, Parameters, Window
from dagster_project.analytics.account_values import TIER_REASONS, VALUES
from dagster_project.analytics.columns import DATE, FLAG, MONEY, REAL, TEXT, WHOLE, optional, required
from dagster_project.engines.described import described
from dagster_project.engines.engine import Engine
from dagster_project.metrics.concentration import TIERS, TierLines, tier

TIER_COLUMNS = described(
    "One row per account seen so far and complete month: its tier by margin after service over the twelve months that end there.",
    [
        *required(account_id=TEXT, period_month=DATE),
        *optional(tier_amount=MONEY, rank=WHOLE, cumulative_share=REAL, account_tier=TEXT, null_reason=TEXT),
        *required(is_complete_period=FLAG, currency_code=TEXT),
    ],
    tier_amount="Contribution margin less service cost of the account over the twelve months.",
    rank="Place among the accounts of the month, 1 for the greatest amount.",
    cumulative_share="Share of all positive amounts that the accounts up to and with this one hold, best first.",
    account_tier="A up to tier_a_share of the positive amounts, B up to tier_b_share, C the rest above 0, D below 0, N exactly 0.",
    null_reason="Why the account has no tier: source_absent, unit_cost_absent, fx_missing.",
)
_RANKING = "partition by window_number order by tier_amount desc, account_id"
_RANKED = f"""
    select
        account_id, window_number, tier_amount, tier_reason, cast(row_number() over ({_RANKING}) as bigint) as rank,
        cast(sum(greatest(tier_amount, 0)) over ({_RANKING} rows between unbounded preceding and current row) as bigint) as positive
    from {VALUES} where tier_amount is not null
"""
_POSITIVE = f"""
    select window_number, cast(sum(greatest(tier_amount, 0)) as bigint) from {VALUES} where tier_amount is not null group by window_number
"""


def months_with_tiers(history: History, feeds: frozenset[str]) -> tuple[bool, ...]:
    """Tell of each month whether it has tiers: it is over, and what was sold is known."""
    return tuple(month.is_complete and {"orders", "order_lines"} <= feeds for month in history.calendar.months)


def _unknown_months(history: History) -> NDArray[np.int64]:
    """Why no account has a tier, by month, as a position in TIER_REASONS; -1 where cost is known."""
    missing = history.sums("trailing_12", with_pseudo=False)["cost_unknown"] > 0
    absent = np.array([not (window.has_cost and window.has_orders) for window in history.calendar.windows("trailing_12")], bool)
    return np.select([absent, missing], [TIER_REASONS.index("source_absent"), TIER_REASONS.index("fx_missing")], -1)


def _tier_rows(chunk: pa.Table, *, windows: tuple[Window, ...], unknown: NDArray[np.int64], lines: TierLines, currency: str) -> pa.Table:
    """Score ranked accounts: share and tier of each. All lists by month."""
    months = chunk["window_number"].to_numpy() // len(WINDOWS)
    values = chunk["tier_amount"].to_numpy()
    tiers = tier(values, chunk["positive"].to_numpy(), months, lines)
    reasons = np.where(unknown[months] >= 0, unknown[months], chunk["tier_reason"].fill_null(-1).to_numpy())
    known = reasons < 0
    month = pa.array(months)
    return pa.table({
        "account_id": chunk["account_id"],
        "period_month": pa.array([window.month.period_month for window in windows], DATE).take(month),
        "tier_amount": columns.money(values, known),
        "rank": pa.array(chunk["rank"].to_numpy(), mask=~known),
        "cumulative_share": columns.ratio(np.where(known, tiers.cumulative_shares, np.nan)),
        "account_tier": columns.coded(np.where(known, tiers.tiers, -1).astype(np.int8), TIERS),
        "null_reason": columns.coded(reasons.astype(np.int8), TIER_REASONS),
        "is_complete_period": pa.array([window.is_complete for window in windows], FLAG).take(month),
        "currency_code": columns.constant(currency, len(months), TEXT),
    })  # fmt: skip


def write_tiers(engine: Engine, history: History, parameters: Parameters, rebuilt: str | None) -> int:
    """Replace the `rebuilt` rows of `analytics.mart_account_tier` from the accounts' values and return the number of rows written."""
    totals = [0] * len(history.calendar.months)
    for number, total in engine.rows(_POSITIVE):
        totals[number // len(WINDOWS)] = total
    lines = TierLines.of(totals, parameters.tier_a_share, parameters.tier_b_share)
    windows, currency = history.calendar.windows("trailing_12"), parameters.currency_code
    score = partial(_tier_rows, windows=windows, unknown=_unknown_months(history), lines=lines, currency=currency)
    return engine.score(_RANKED, "account_id", score, "analytics.mart_account_tier", TIER_COLUMNS, where=rebuilt)
