"""Service ROI per account and for the company: accounts are scored chunk by chunk, the company is made of exact sums.

Accounts and company come out of the same months through the same equation, so that both tie to the cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.analytics import columns
from dagster_project.analytics.account_months import (
    IDENTIFIED_OWN,
    Calendar,
    History,
    Window,
    account_months,
    present_feeds,
    read_history,
    run_parameters,
    window_sums,
)
from dagster_project.analytics.columns import DATE, FLAG, MONEY, REAL, TEXT, WHOLE, optional, required
from dagster_project.engines.described import described
from dagster_project.engines.engine import Engine
from dagster_project.metrics.roi import KNOWN, REASONS, STATES, Frame, Line, Moments, delta_interval

_MEASURES = (
    "service_cost", "cost_unknown", "unpriced", "sales_known", "margin", "margin_unknown", "offer_margin", "offer_unknown",
)  # fmt: skip
_WINDOWS = ("month", "trailing_12")
_LINES = {
    "service_cost": "cost", "contribution_margin": "margin",
    "v_hard": "hard", "v_modelled": "modelled", "v_assumed": "assumed", "damage": "damage",
}  # fmt: skip
_Sampled = dict[tuple[date, str], dict[str, Moments]]  # by month, window kind and bounded variant
_VARIANTS = ("margin_per_service_cost", "roi", "roi_hard", "roi_all", "roi_before_damage", "roi_cost_only")
_BOUNDED = ("margin_per_service_cost", "roi")
_AMOUNTS = {f"{name}_amount": MONEY for name in (*_LINES, "net_benefit")}


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
        *optional(**_AMOUNTS, **{f"{name}_null_reason": TEXT for name in _LINES}),
        *(field for name in _VARIANTS
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
    **{f"{name}_null_reason": f"Why {name}_amount is null: {', '.join(REASONS[:4])}." for name in _LINES},
    **{f"{name}_ratio": f"{text}; ratio of sums." for name, text in _RATIO_TEXTS.items()},
    **{f"{name}_num": f"Numerator of {name}_ratio." for name in _VARIANTS},
    **{f"{name}_den": f"Denominator of {name}_ratio." for name in _VARIANTS},
    **{_reason(name): _reason_text(name) for name in _VARIANTS},
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


def _frame(sums: dict[str, NDArray[np.int64]], known: dict[str, NDArray[np.bool_]], feeds: frozenset[str]) -> Frame:
    """Return the equation's lines of accounts or of the company; a line whose feed never came, or begins later, is unknown, never 0."""
    not_built, absent = (Line.of(np.zeros_like(sums["margin"]), reason) for reason in ("not_built", "source_absent"))
    sells = {"orders", "order_lines"} <= feeds
    margin = hard = absent
    without_rate = (sums["unpriced"] > 0) & (sums["sales_known"] == 0)  # else the sums are of what has one
    if sells:
        margin = Line.of(sums["margin"], "unit_cost_absent", sums["margin_unknown"] > 0).unless("fx_missing", without_rate)
        margin = margin.unless("source_absent", ~known["orders"])
        hard = Line.of(sums["offer_margin"], "unit_cost_absent", sums["offer_unknown"] > 0).unless("fx_missing", without_rate)
        hard = hard.unless("source_absent", ~(known["orders"] & known["offers"]))
    cost = Line.of(sums["service_cost"], "source_absent", ~known["cost"]).unless("fx_missing", sums["cost_unknown"] > 0)
    return Frame(cost=cost, margin=margin, hard=hard, modelled=not_built, assumed=not_built, damage=not_built)


def _known(windows: Sequence[Window]) -> dict[str, NDArray[np.bool_]]:
    """Whether cost, orders and offers are known in all months of each window."""
    return {name: np.array([getattr(window, f"has_{name}") for window in windows], bool) for name in ("cost", "orders", "offers")}


def _headline(frame: Frame, windows: tuple[Window, ...], months: NDArray[np.int64], zero_reason: str, currency: str) -> dict[str, pa.Array]:
    """Columns that an account's row and the company's row share; `months` is the position in `windows` of each row."""
    ratios = frame.variants(zero_reason)
    lines = {name: getattr(frame, field) for name, field in _LINES.items()} | {"net_benefit": frame.net_benefit()}
    return {
        "period_month": pa.array([window.month.period_month for window in windows], DATE).take(pa.array(months)),
        "window_kind": columns.constant(windows[0].kind, len(months), TEXT),
        **{f"{name}_amount": columns.money(line.amounts, line.known) for name, line in lines.items()},
        **{f"{name}_ratio": columns.ratio(ratio.values) for name, ratio in ratios.items()},
        **{_reason(name): columns.coded(ratio.reasons, REASONS) for name, ratio in ratios.items()},
        "roi_state": columns.coded(frame.states(ratios), STATES),
        "is_provisional": pa.array(np.array([window.is_provisional for window in windows], bool)[months]),
        "is_complete_period": pa.array(np.array([window.is_complete for window in windows], bool)[months]),
        "currency_code": columns.constant(currency, len(months), TEXT),
    }


def _account_rows(chunk: pa.Table, *, calendar: Calendar, feeds: frozenset[str], currency: str, since: date | None) -> pa.Table:
    """Score a chunk of whole accounts: one row per account and window, from `since` on, that holds a month of it."""
    parts, first = [], calendar.first_position(since)
    for sums in window_sums(chunk, calendar, _MEASURES, _WINDOWS, first):
        here = sums.measures["months"] > 0
        accounts, months = np.nonzero(here)
        windows = calendar.windows(sums.kind)[first:]
        known = {name: values[months] for name, values in _known(windows).items()}
        frame = _frame({name: values[here] for name, values in sums.measures.items()}, known, feeds)
        row = {"account_id": sums.account_ids.take(pa.array(accounts)), "unpriced_count": pa.array(sums.measures["unpriced"][here])}
        row |= _headline(frame, windows, months, "no_service_cost", currency)
        parts.append(pa.table({name: row[name] for name in ACCOUNT_COLUMNS.names}))
    return pa.concat_tables(parts)


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


def _company_rows(history: History, kind: str, moments: _Sampled, feeds: frozenset[str], currency: str) -> pa.Table:
    """Return one row per month: the ratio of sums over all accounts, its bounds over the identified ones."""
    windows = history.calendar.windows(kind)
    sums = history.sums(kind, with_pseudo=True)
    company = _frame(sums, _known(windows), feeds)
    ratios = company.variants("zero_cost")
    nobody = dict.fromkeys(_BOUNDED, Moments(0, 0, 0, 0, 0, 0))
    own = [moments.get((window.month.period_month, kind), nobody) for window in windows]
    values = _headline(company, windows, np.arange(len(windows)), "zero_cost", currency) | {
        "months_count": pa.array([window.months_count for window in windows]),
        "accounts_count": pa.array([sampled["roi"].n for sampled in own]),
        "completeness_share": pa.array(company.completeness()),
        "unpriced_count": pa.array(sums["unpriced"]),
    }
    for name, field in _LINES.items():
        values[f"{name}_null_reason"] = columns.coded(getattr(company, field).reasons, REASONS)
    for name, ratio in ratios.items():
        values[f"{name}_num"] = columns.money(ratio.num.amounts, ratio.num.known)
        values[f"{name}_den"] = columns.money(ratio.den.amounts, ratio.den.known)
    benefits = {"margin_per_service_cost": company.margin, "roi": company.net_benefit() + company.cost}
    for name in _BOUNDED:
        low, high = np.full((2, len(windows)), np.nan)
        for number in np.flatnonzero(ratios[name].reasons == KNOWN):
            sampled, value, cost = own[number][name], int(benefits[name].amounts[number]), int(company.cost.amounts[number])
            low[number], high[number] = delta_interval(sampled, value - sampled.value, cost - sampled.cost)[2:]
        if name == "margin_per_service_cost":  # a quotient, from which no cost is taken
            low, high = low + 1, high + 1
        values[f"{name}_low95_ratio"], values[f"{name}_high95_ratio"] = columns.ratio(low), columns.ratio(high)
    return pa.table({name: values[name] for name in MONTH_COLUMNS.names}).cast(MONTH_COLUMNS)


def build(engine: Engine, since: date | None = None) -> dict[str, object]:
    """Replace `analytics.mart_service_roi_account` and `analytics.mart_service_roi_month`; returns rows written and the latest ROI.

    Grain: account x month x window (an account is in a window when it has a row there), and month x window. Only the rows from
    month `since` on: nothing before it has changed.
    """
    currency, feeds, history = run_parameters(engine).currency_code, present_feeds(engine), read_history(engine)
    calendar, rebuilt = history.calendar, history.calendar.rebuilt(since)
    score = partial(_account_rows, calendar=calendar, feeds=feeds, currency=currency, since=since)
    months = account_months(_MEASURES, calendar.folded(since))
    rows = engine.score(months, "account_id", score, "analytics.mart_service_roi_account", ACCOUNT_COLUMNS, where=rebuilt)
    moments = _read_moments(engine, rebuilt)
    kinds = _WINDOWS if history.calendar.months else ()
    of_kinds = (_company_rows(history, kind, moments, feeds, currency).slice(calendar.first_position(since)) for kind in kinds)
    company = pa.concat_tables([MONTH_COLUMNS.empty_table(), *of_kinds])
    engine.replace("analytics.mart_service_roi_month", MONTH_COLUMNS, [company], where=rebuilt)
    month, roi_hard_ratio, margin_ratio = next(iter(engine.rows(_LATEST)), (None, None, None))
    return {
        "account_rows": rows,
        "month_rows": len(company),
        "latest_complete_month": month and str(month),
        "latest_roi_hard_ratio": roi_hard_ratio,
        "latest_margin_per_service_cost_ratio": margin_ratio,
    }
