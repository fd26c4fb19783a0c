"""The tier of each account by margin after service over its trailing twelve months: the engine ranks, the formula is called on ranked rows.

Every account seen so far has a row; only complete months have tiers.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

import pandas as pd

from dagster_project.analytics.account_windows import IDENTIFIED_OWN, account_windows
from dagster_project.analytics.frames import DATE, FLAG, MONEY, REAL, TEXT, WHOLE, framed, optional, required
from dagster_project.analytics.inputs import Inputs, window_numbers
from dagster_project.analytics.subject import SETTINGS, WINDOWED, Subject, Table
from dagster_project.engines.described import described
from dagster_project.engines.engine import Engine
from dagster_project.metrics.tiers import account_tiers

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
_MEASURES = ("margin", "margin_unknown", "unpriced", "service_cost")
_RANKING = "partition by window_number order by amount desc, account_id"


def ranking_sql(windows: Iterable[int] = (0,), first: int = 1, last: int = 0) -> str:
    """Query the accounts of these windows, ranked, with the sum of the positive amounts up to each and of all of them."""
    sums = account_windows(_MEASURES, ("trailing_12",), first, last, silent=True, where=IDENTIFIED_OWN)
    return f"""
        select
            account_id, window_number, amount, unpriced, margin_unknown, cast(row_number() over ({_RANKING}) as bigint) as rank,
            cast(sum(greatest(amount, 0)) over ({_RANKING} rows between unbounded preceding and current row) as bigint) as positive,
            cast(sum(greatest(amount, 0)) over (partition by window_number) as bigint) as positive_total
        from (
            select *, margin - service_cost as amount from ({sums}) as summed
            where window_number in ({", ".join(map(str, windows))})
        ) as own
        order by window_number
    """


def _rows(ranked: pd.DataFrame, *, calendar: pd.DataFrame, a_share: Decimal, b_share: Decimal, currency: str) -> pd.DataFrame:
    windows = ranked.join(calendar, on="window_number")
    keys = windows[["account_id", "period_month", "is_complete_period"]]
    return pd.concat([keys, account_tiers(windows, a_share, b_share)], axis="columns").assign(
        currency_code=pd.Categorical([currency]).repeat(len(keys))
    )


def build(engine: Engine, inputs: Inputs) -> dict[str, object]:
    """Replace `analytics.mart_account_tier` and return the number of rows. Grain: account x complete month (trailing 12)."""
    months, parameters = inputs.windows("month"), inputs.parameters
    has_tiers = months["is_complete_period"] & ({"orders", "order_lines"} <= inputs.feeds)
    windows = window_numbers(months.loc[has_tiers, "month_number"], "trailing_12")
    calendar = inputs.calendar.assign(cost_unknown=inputs.identified["cost_unknown"])
    score = partial(
        _rows, calendar=calendar, a_share=parameters.tier_a_share, b_share=parameters.tier_b_share, currency=parameters.currency_code
    )
    sql = ranking_sql(windows if len(windows) else (0,), inputs.first, inputs.last)
    rows = engine.score(
        sql, None, framed(score, TIER_COLUMNS), "analytics.mart_account_tier", TIER_COLUMNS, where=inputs.rebuilt, ordered=True
    )
    return {"tier_rows": rows}


SUBJECT = Subject(
    name="tiers",
    reads=(ranking_sql(), *WINDOWED, *SETTINGS),
    writes={"mart_account_tier": Table(TIER_COLUMNS, is_monthly=True)},
    metrics=(),
    build=build,
)
