"""Service ROI per account and for the company: window sums are read, the equation is called on them, rows are written.

Accounts and company come out of the same months through the same equation, so that both tie to the cent.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from math import nan

import pandas as pd

from dagster_project.analytics.account_windows import IDENTIFIED_OWN, account_windows
from dagster_project.analytics.frames import DATE, FLAG, MONEY, REAL, TEXT, WHOLE, framed, optional, required, to_table
from dagster_project.analytics.inputs import Inputs
from dagster_project.analytics.subject import SETTINGS, WINDOWED, Subject, Table
from dagster_project.engines.described import described
from dagster_project.engines.engine import Engine
from dagster_project.metrics.roi import LINES, REASONS, VARIANTS, Moments, delta_interval, service_roi, value_lines

_MEASURES = (
    "service_cost", "cost_unknown", "unpriced", "sales_known", "margin", "margin_unknown", "offer_margin", "offer_unknown",
)  # fmt: skip
_WINDOWS = ("month", "trailing_12")
_Sampled = dict[tuple[date, str], dict[str, Moments]]  # by month, window kind and bounded variant
_OF_ACCOUNTS = ("margin_per_service_cost", "roi", "roi_hard")
_BOUNDED = ("margin_per_service_cost", "roi")
_AMOUNTS = {f"{name}_amount": MONEY for name in (*LINES, "net_benefit")}


def _reason(variant: str) -> str:
    """Name the reason column: the headline's is the table's `null_reason`, every other variant has its own."""
    return "null_reason" if variant == "roi" else f"{variant}_null_reason"


_LINE_TEXTS = {
    "service_cost": "Service cost: the ledger's, or the budget's where the ledger has none.",
    "contribution_margin": "Contribution margin: net revenue less cost of what was sold.",
    "v_hard": "Value of service with hard evidence: margin of orders that accepted an offer of service.",
    "v_modelled": "Value of service that a model estimates; not built yet.",
    "v_assumed": "Value of service that rests on an assumption, in no total; not built yet.",
    "damage": "Margin lost by problems of customers, a positive amount; not built yet.",
    "net_benefit": "Hard and modelled value less damage less service cost; null until all of them are known.",
}
_RATIO_TEXTS = {
    "margin_per_service_cost": "Contribution margin / service cost: describes, and claims no effect of service",
    "roi": "(Hard and modelled value - damage - service cost) / service cost",
    "roi_hard": "(Hard value - service cost) / service cost",
    "roi_all": "(Hard, modelled and assumed value - damage - service cost) / service cost",
    "roi_before_damage": "(Hard and modelled value - service cost) / service cost",
    "roi_cost_only": "(0 - service cost) / service cost: -1 by definition",
}
_STATE_TEXT = "complete (roi_ratio is known), partial (only roi_hard_ratio is) or undefined."
_UNPRICED_TEXT = "Order lines and refunds without an exchange rate; in none of the sums."
_AMOUNT_TEXTS = {f"{name}_amount": text for name, text in _LINE_TEXTS.items()}


def _reason_text(variant: str) -> str:
    return f"Why {variant}_ratio is null: {', '.join(REASONS)}."


ACCOUNT_COLUMNS = described(
    "One row per account, window and fiscal month at its end: what serving it cost and brought; months in which it has a row.",
    [
        *required(account_id=TEXT, period_month=DATE, window_kind=TEXT),
        *optional(**_AMOUNTS, margin_per_service_cost_ratio=REAL, roi_ratio=REAL, roi_hard_ratio=REAL), *required(roi_state=TEXT),
        *optional(null_reason=TEXT, roi_hard_null_reason=TEXT, margin_per_service_cost_null_reason=TEXT),
        *required(unpriced_count=WHOLE, is_provisional=FLAG, is_complete_period=FLAG, currency_code=TEXT),
    ],
    **_AMOUNT_TEXTS, roi_state=_STATE_TEXT, unpriced_count=_UNPRICED_TEXT,
    **{f"{name}_ratio": f"{_RATIO_TEXTS[name]}." for name in ("margin_per_service_cost", "roi", "roi_hard")},
    **{_reason(name): _reason_text(name) for name in ("margin_per_service_cost", "roi", "roi_hard")},
)  # fmt: skip

MONTH_COLUMNS = described(
    "One row per fiscal month and window that ends there: the return of the company's service, over all accounts, pseudo-accounts too.",
    [
        *required(period_month=DATE, window_kind=TEXT, months_count=WHOLE, accounts_count=WHOLE, roi_state=TEXT),
        *required(completeness_share=REAL, unpriced_count=WHOLE),
        *optional(**_AMOUNTS, **{f"{name}_null_reason": TEXT for name in LINES}),
        *(field for name in VARIANTS
          for field in optional(**{f"{name}_ratio": REAL, f"{name}_num": MONEY, f"{name}_den": MONEY, _reason(name): TEXT})),
        *optional(**{f"{name}_{bound}_ratio": REAL for name in _BOUNDED for bound in ("low95", "high95")}),
        *required(is_provisional=FLAG, is_complete_period=FLAG, currency_code=TEXT),
    ],
    months_count="Fiscal months in the window.",
    accounts_count="Identified accounts with a row in the window.",
    roi_state=_STATE_TEXT,
    completeness_share="Share of cost, margin, hard value, modelled value and damage that is measured, 0 to 1.",
    unpriced_count=_UNPRICED_TEXT,
    **_AMOUNT_TEXTS,
    **{f"{name}_null_reason": f"Why {name}_amount is null: {', '.join(REASONS[:4])}." for name in LINES},
    **{f"{name}_ratio": f"{text}; ratio of sums." for name, text in _RATIO_TEXTS.items()},
    **{f"{name}_num": f"Numerator of {name}_ratio." for name in VARIANTS},
    **{f"{name}_den": f"Denominator of {name}_ratio." for name in VARIANTS},
    **{_reason(name): _reason_text(name) for name in VARIANTS},
    **{f"{name}_{bound}_ratio": f"{word} bound of {name}_ratio, 95 %, over identified accounts; null below two accounts."
       for name in _BOUNDED for bound, word in (("low95", "Lower"), ("high95", "Upper"))},
)  # fmt: skip

# Products of DECIMAL(19,0) are DECIMAL(38,0) on both engines: exact, where a narrower product overflows on one of them.
_MOMENTS = f"""
with sampled as (
    select
        own.period_month, own.window_kind,
        cast(own.contribution_margin_amount * 1000 as decimal(19, 0)) as gross_benefit,
        cast((own.net_benefit_amount + own.service_cost_amount) * 1000 as decimal(19, 0)) as benefit,
        cast(own.service_cost_amount * 1000 as decimal(19, 0)) as cost
    from analytics.mart_service_roi_account as own where {IDENTIFIED_OWN} and {{rebuilt}}
)
select
    period_month, window_kind, count(*) as accounts_count, sum(cost) as cost, sum(cost * cost) as cost_cost,
    sum(gross_benefit) as gross, sum(gross_benefit * gross_benefit) as gross_gross, sum(gross_benefit * cost) as gross_cost,
    sum(benefit) as benefit, sum(benefit * benefit) as benefit_benefit, sum(benefit * cost) as benefit_cost
from sampled group by period_month, window_kind
"""

_LATEST = """
    select period_month, roi_hard_ratio, margin_per_service_cost_ratio from analytics.mart_service_roi_month
    where is_complete_period order by period_month desc, window_kind desc limit 1
"""


def accounts_sql(first: int = 1, last: int = 0) -> str:
    """Query what each account cost and brought, month by month and over trailing twelve months, from month number `first` to `last`."""
    return account_windows(_MEASURES, _WINDOWS, first, last, silent=False) + "order by window_number"


def _rows(sums: pd.DataFrame, calendar: pd.DataFrame, zero_reason: str, currency: str, variants: tuple[str, ...]) -> pd.DataFrame:
    """Return a row of the tables for each row of sums with a `window_number`: lines, ratios and what the calendar says of the window."""
    windows = sums.join(calendar, on="window_number")
    lines = value_lines(windows)
    rows = pd.concat([windows, lines, service_roi(lines, zero_reason, variants)], axis="columns")
    return rows.rename(columns={"unpriced": "unpriced_count", "roi_null_reason": "null_reason"}).assign(
        currency_code=pd.Categorical([currency]).repeat(len(rows))
    )


def _company_rows(inputs: Inputs, moments: _Sampled) -> pd.DataFrame:
    """Return one row per month and window: the ratio of sums over all accounts, its bounds over the identified ones."""
    calendar = inputs.windows(*_WINDOWS)
    sums = inputs.totals.loc[calendar.index].reset_index()
    rows = _rows(sums, calendar, "zero_cost", inputs.parameters.currency_code, tuple(VARIANTS))
    nobody = dict.fromkeys(_BOUNDED, Moments(0, 0, 0, 0, 0, 0))
    sampled = [moments.get((month.date(), kind), nobody) for month, kind in zip(rows["period_month"], rows["window_kind"], strict=True)]
    rows = rows.assign(
        accounts_count=[own["roi"].n for own in sampled], **{f"{name}_den": rows["service_cost_amount"] for name in VARIANTS}
    )
    for name in _BOUNDED:
        columns = zip(sampled, rows[f"{name}_num"], rows["service_cost_amount"], rows[f"{name}_ratio"].notna(), strict=True)
        bounds = [_bounds(own, name, num, cost) if is_known else (nan, nan) for own, num, cost, is_known in columns]
        for position, bound in enumerate(("low95", "high95")):
            rows[f"{name}_{bound}_ratio"] = pd.Series([pair[position] for pair in bounds], rows.index, "float64")
    return rows


def _bounds(sampled: dict[str, Moments], name: str, num: int, cost: int) -> tuple[float, float]:
    """Return the 95 % bounds of a ratio over all accounts; service cost is taken from the numerator of the ROI alone."""
    own, taken = sampled[name], int(name == "roi")
    interval = delta_interval(own, int(num) + taken * int(cost) - own.value, int(cost) - own.cost)
    return interval.low95 + (1 - taken), interval.high95 + (1 - taken)


def _read_moments(engine: Engine, rebuilt: str | None) -> _Sampled:
    found: _Sampled = {}
    for month, kind, n, *sums in engine.rows(_MOMENTS.format(rebuilt=rebuilt or "true")):
        cost, cost_cost, gross, gross_gross, gross_cost, benefit, benefit_benefit, benefit_cost = (int(number or 0) for number in sums)
        of_gross = Moments(n, gross, cost, gross_gross, gross_cost, cost_cost)
        found[month, kind] = {
            "margin_per_service_cost": of_gross,
            "roi": Moments(n, benefit, cost, benefit_benefit, benefit_cost, cost_cost),
        }
    return found


def build(engine: Engine, inputs: Inputs) -> dict[str, object]:
    """Replace `analytics.mart_service_roi_account` and `analytics.mart_service_roi_month`; returns rows written and the latest ROI.

    Grain: account x month x window (an account is in a window when it has a row there), and month x window.
    """
    currency = inputs.parameters.currency_code
    score = partial(_rows, calendar=inputs.calendar, zero_reason="no_service_cost", currency=currency, variants=_OF_ACCOUNTS)
    sql, table = accounts_sql(inputs.first, inputs.last), "analytics.mart_service_roi_account"
    accounts = engine.score(sql, None, framed(score, ACCOUNT_COLUMNS), table, ACCOUNT_COLUMNS, where=inputs.rebuilt, ordered=True)
    company = to_table(_company_rows(inputs, _read_moments(engine, inputs.rebuilt)), MONTH_COLUMNS)
    engine.replace("analytics.mart_service_roi_month", MONTH_COLUMNS, [company], where=inputs.rebuilt)
    month, roi_hard_ratio, margin_ratio = next(iter(engine.rows(_LATEST)), (None, None, None))
    return {
        "account_rows": accounts,
        "month_rows": len(company),
        "latest_complete_month": month and str(month),
        "latest_roi_hard_ratio": roi_hard_ratio,
        "latest_margin_per_service_cost_ratio": margin_ratio,
    }


SUBJECT = Subject(
    name="roi",
    reads=(accounts_sql(), _MOMENTS.format(rebuilt="true"), _LATEST, *WINDOWED, *SETTINGS),
    writes={
        "mart_service_roi_account": Table(ACCOUNT_COLUMNS, is_monthly=True),
        "mart_service_roi_month": Table(MONTH_COLUMNS),
    },
    metrics=(
        "contribution_margin", "margin_per_service_cost", "market_damage", "service_net_benefit", "service_roi", "service_roi_all",
        "service_roi_before_damage", "service_roi_hard", "service_value_assumed", "service_value_hard", "service_value_modelled",
    ),
    build=build,
)  # fmt: skip
