"""Service ROI per account and for the company: reads account months, writes the two ROI tables in one pass.

The company's row is summed from the very arrays that become the account rows, so that both tie to the cent.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from dagster_project.analytics import columns
from dagster_project.analytics.account_months import AccountMonths, Parameters, Window, present_feeds, run_parameters
from dagster_project.engines.duckdb import replace_table
from dagster_project.metrics.roi import REASONS, STATES, Frame, Line, delta_interval

_MEASURES = ("service_cost", "fx_missing", "margin", "margin_unknown", "offer_margin", "offer_unknown")
_LINES = {
    "service_cost": "cost", "contribution_margin": "margin",
    "v_hard": "hard", "v_modelled": "modelled", "v_assumed": "assumed", "damage": "damage",
}  # fmt: skip
_VARIANTS = ("gross_roi", "roi", "roi_hard", "roi_hard_modelled", "roi_all", "roi_before_damage", "roi_cost_only")
_BOUNDED = ("gross_roi", "roi")
_AMOUNTS = ", ".join(f"{name}_amount decimal(18,2)" for name in (*_LINES, "net_benefit"))


def _reason(variant: str) -> str:
    """Name the reason column: the headline's is the table's `null_reason`, every other variant has its own."""
    return "null_reason" if variant == "roi" else f"{variant}_null_reason"


ACCOUNT_COLUMNS = f"""account_id varchar not null, period_month date not null, window_kind varchar not null, {_AMOUNTS},
gross_roi_ratio double, roi_ratio double, roi_state varchar not null, null_reason varchar, gross_roi_null_reason varchar,
is_complete_period boolean not null, currency_code varchar not null"""

MONTH_COLUMNS = ", ".join([
    "period_month date not null", "window_kind varchar not null", "months_count bigint not null", "accounts_count bigint not null",
    "roi_state varchar not null", "completeness_share double not null", _AMOUNTS,
    *(f"{name}_null_reason varchar" for name in _LINES),
    *(f"{name}_ratio double, {name}_num decimal(18,2), {name}_den decimal(18,2), {_reason(name)} varchar" for name in _VARIANTS),
    *(f"{name}_low95_ratio double, {name}_high95_ratio double" for name in _BOUNDED),
    "is_complete_period boolean not null", "currency_code varchar not null",
])  # fmt: skip


def _frame(window: Window, here: np.ndarray, feeds: frozenset[str]) -> Frame:
    """Return the equation's lines of the accounts `here`; a line whose feed never came is unknown, never 0."""
    sums = {name: values[here] for name, values in window.sums.items()}
    absent = np.zeros(len(here), np.int64)
    sells, serves = {"orders", "order_lines"} <= feeds, "interactions" in feeds
    margin = hard = cost = Line.of(absent, "source_absent")
    if sells:
        margin = Line.of(sums["margin"], "unit_cost_absent", sums["margin_unknown"] > 0).unless("fx_missing", sums["fx_missing"] > 0)
    if sells and serves:
        hard = Line.of(sums["offer_margin"], "unit_cost_absent", sums["offer_unknown"] > 0).unless("fx_missing", sums["fx_missing"] > 0)
    if window.has_cost:
        cost = Line.of(sums["service_cost"])
    not_built = Line.of(absent, "not_built")
    return Frame(cost=cost, margin=margin, hard=hard, modelled=not_built, assumed=not_built, damage=not_built)


def _account_table(window: Window, frame: Frame, account_ids: pa.Array, currency: str) -> pa.Table:
    ratios = frame.variants("no_service_cost")
    rows = len(account_ids)
    lines = {name: getattr(frame, field) for name, field in _LINES.items()} | {"net_benefit": frame.net_benefit()}
    return pa.table({
        "account_id": account_ids,
        "period_month": columns.constant(window.month.period_month, rows, pa.date32()),
        "window_kind": columns.constant(window.kind, rows, pa.string()),
        **{f"{name}_amount": columns.money(line.amounts, line.known) for name, line in lines.items()},
        "gross_roi_ratio": columns.ratio(ratios["gross_roi"].values),
        "roi_ratio": columns.ratio(ratios["roi"].values),
        "roi_state": columns.coded(frame.states(ratios["roi"]), STATES),
        "null_reason": columns.coded(ratios["roi"].reasons, REASONS),
        "gross_roi_null_reason": columns.coded(ratios["gross_roi"].reasons, REASONS),
        "is_complete_period": columns.constant(window.is_complete, rows, pa.bool_()),
        "currency_code": columns.constant(currency, rows, pa.string()),
    })  # fmt: skip


def _month_table(window: Window, accounts: Frame, pseudo: np.ndarray, currency: str) -> pa.Table:
    company = accounts.total()
    ratios = company.variants("zero_cost")
    values: dict[str, pa.Array] = {
        "period_month": columns.constant(window.month.period_month, 1, pa.date32()),
        "window_kind": columns.constant(window.kind, 1, pa.string()),
        "months_count": columns.constant(window.months_count, 1, pa.int64()),
        "accounts_count": columns.constant(int((~pseudo).sum()), 1, pa.int64()),
        "roi_state": columns.coded(company.states(ratios["roi"]), STATES),
        "completeness_share": columns.constant(accounts.completeness(), 1, pa.float64()),
        "is_complete_period": columns.constant(window.is_complete, 1, pa.bool_()),
        "currency_code": columns.constant(currency, 1, pa.string()),
    }
    for name, field in _LINES.items():
        line: Line = getattr(company, field)
        values[f"{name}_amount"] = columns.money(line.amounts, line.known)
        values[f"{name}_null_reason"] = columns.coded(line.reasons, REASONS)
    net = company.net_benefit()
    values["net_benefit_amount"] = columns.money(net.amounts, net.known)
    for name, ratio in ratios.items():
        values[f"{name}_ratio"] = columns.ratio(ratio.values)
        values[f"{name}_num"] = columns.money(ratio.num.amounts, ratio.num.known)
        values[f"{name}_den"] = columns.money(ratio.den.amounts, ratio.den.known)
        values[_reason(name)] = columns.coded(ratio.reasons, REASONS)
    benefits = {"gross_roi": accounts.margin, "roi": accounts.net_benefit() + accounts.cost}
    for name in _BOUNDED:
        low, high = np.full(1, np.nan), np.full(1, np.nan)
        if ratios[name].reasons[0] < 0:
            value, cost = benefits[name].amounts, accounts.cost.amounts
            bounds = delta_interval(value[~pseudo], cost[~pseudo], int(value[pseudo].sum()), int(cost[pseudo].sum()))
            low[0], high[0] = bounds.low95, bounds.high95
        values[f"{name}_low95_ratio"], values[f"{name}_high95_ratio"] = columns.ratio(low), columns.ratio(high)
    return pa.table(values)


def build(connection: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """Replace `analytics.mart_service_roi_account` and `analytics.mart_service_roi_month`; returns rows written and the latest ROI.

    Grain: account x month x window (an account is in a window when it has a row there), and month x window.
    """
    parameters: Parameters = run_parameters(connection)
    feeds = present_feeds(connection)
    company: list[pa.Table] = []

    with AccountMonths(connection) as base:

        def batches() -> Iterator[pa.Table]:
            for window in base.windows(_MEASURES, ("month", "trailing_12")):
                here = np.flatnonzero(window.sums["months"])
                frame = _frame(window, here, feeds)
                company.append(_month_table(window, frame, base.is_pseudo[here], parameters.currency_code))
                yield _account_table(window, frame, base.account_ids.take(pa.array(here)), parameters.currency_code)

        rows = replace_table(connection, "analytics", "mart_service_roi_account", ACCOUNT_COLUMNS, columns.bulk(batches()))
    replace_table(connection, "analytics", "mart_service_roi_month", MONTH_COLUMNS, company)
    latest = next((table for table in reversed(company) if table["is_complete_period"][0].as_py()), None)
    return {
        "account_rows": rows,
        "month_rows": len(company),
        "latest_complete_month": str(latest["period_month"][0].as_py()) if latest is not None else None,
        "latest_roi_ratio": latest["roi_ratio"][0].as_py() if latest is not None else None,
        "latest_gross_roi_ratio": latest["gross_roi_ratio"][0].as_py() if latest is not None else None,
    }
