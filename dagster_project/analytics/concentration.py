"""80/20 per month, window and measure, its curves, and the tier of each account: one pass over the account months.

Identified accounts only: pseudo-accounts are nobody's customers. A measure whose feed never came is NULL with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.analytics import columns
from dagster_project.analytics.account_months import WINDOWS, AccountMonths, Parameters, Window, present_feeds, run_parameters
from dagster_project.engines.duckdb import replace_table
from dagster_project.metrics.concentration import TIERS, Concentration, concentrate, curve, tier

_MEASURES = (
    "gross_sales",
    "net_revenue",
    "margin",
    "margin_unknown",
    "fx_missing",
    "service_cost",
    "contacts",
    "payments",
    "payments_count",
    "payments_unknown",
    "has_sales",
)
KINDS = ("gross_sales", "net_revenue", "margin_after_service", "contacts", "payments")
_RESULTS = {
    "top20_share": "double", "top20_ceiling_count": "bigint", "top20_ceiling_share": "double", "customer_share_for_80": "double",
    "customers_for_80_count": "bigint", "customers_for_80_share": "double", "gini_ratio": "double", "gini_unbiased_ratio": "double",
    "whale_peak_share": "double",
}  # fmt: skip
_KEY = "period_month date not null, window_kind varchar not null, measure_kind varchar not null"
_END = "is_complete_period boolean not null, currency_code varchar not null"

_SHARES = ", ".join(f"{name} {kind}" for name, kind in _RESULTS.items())

CONCENTRATION_COLUMNS = f"""{_KEY}, customers_count bigint, total_amount decimal(18,2), total_count bigint,
top_customer_share decimal(9,4) not null, value_share_target decimal(9,4) not null, {_SHARES}, null_reason varchar,
gini_null_reason varchar, {_END}"""
CURVE_COLUMNS = f"""{_KEY}, customer_share double not null, lorenz_share double, best_customers_count bigint not null,
best_cumulative_amount decimal(18,2), best_cumulative_count bigint, null_reason varchar, {_END}"""
TIER_COLUMNS = f"""account_id varchar not null, period_month date not null, tier_measure varchar not null,
tier_amount decimal(18,2) not null, rank bigint not null, cumulative_share double, account_tier varchar not null, {_END}"""


def _population(window: Window, kind: str, real: NDArray[np.bool_], feeds: frozenset[str]) -> NDArray[np.int64] | str:
    """Return the customers' values of one measure in account order, or why it is not known.

    Who counts: buyers for sales (any sale, credit or refund for net revenue), callers for contacts, payers for payments, and who
    bought or cost something for the margin after service.
    """
    sums = window.sums
    if kind == "contacts":
        return sums["contacts"][real & (sums["contacts"] > 0)] if "interactions" in feeds else "source_absent"
    if kind == "payments":
        if "payments" not in feeds:
            return "source_absent"
        return "fx_missing" if np.any(sums["payments_unknown"][real]) else sums["payments"][real & (sums["payments_count"] > 0)]
    if not {"orders", "order_lines"} <= feeds:
        return "source_absent"
    if np.any(sums["fx_missing"][real]):
        return "fx_missing"
    if kind == "gross_sales":
        return sums["gross_sales"][real & (sums["gross_sales"] > 0)]
    if kind == "net_revenue":
        return sums["net_revenue"][real & (sums["has_sales"] > 0)]
    if not window.has_cost:
        return "source_absent"
    if np.any(sums["margin_unknown"][real]):
        return "unit_cost_absent"
    served = (sums["has_sales"] > 0) | (sums["service_cost"] != 0) | (sums["margin"] != 0)
    margin: NDArray[np.int64] = (sums["margin"] - sums["service_cost"])[real & served]
    return margin


def _concentration_row(window: Window, kind: str, values: NDArray[np.int64] | str, parameters: Parameters) -> dict[str, object]:
    shares = (parameters.top_customer_share, parameters.value_share_target)
    result = Concentration.unknown(values) if isinstance(values, str) else concentrate(values, *shares)
    known, is_money = not isinstance(values, str), kind != "contacts"
    return {
        "period_month": window.month.period_month, "window_kind": window.kind, "measure_kind": kind,
        "customers_count": result.customers_count if known else None,
        "total_minor": result.total if known and is_money else None, "total_count": result.total if known and not is_money else None,
        **{name: getattr(result, name) for name in (*_RESULTS, "null_reason", "gini_null_reason")},
        "is_complete_period": window.is_complete,
    }  # fmt: skip


def _concentration_table(rows: list[dict[str, object]], parameters: Parameters) -> pa.Table:
    kinds = {"varchar": pa.string(), "double": pa.float64(), "bigint": pa.int64()}
    types = {"period_month": pa.date32(), "is_complete_period": pa.bool_()}
    types |= dict.fromkeys(("customers_count", "total_minor", "total_count"), pa.int64())
    types |= {name: kinds[kind] for name, kind in _RESULTS.items()}
    table = pa.Table.from_pylist(rows, pa.schema([(name, types.get(name, pa.string())) for name in rows[0]]))
    minor = table["total_minor"]
    amounts = columns.money(minor.fill_null(0).to_numpy(), minor.is_valid().to_numpy())
    table = table.drop_columns("total_minor").append_column("total_amount", amounts)
    for name in ("top_customer_share", "value_share_target"):
        table = table.append_column(name, columns.constant(getattr(parameters, name), len(rows), pa.decimal128(9, 4)))
    return table.append_column("currency_code", columns.constant(parameters.currency_code, len(rows), pa.string()))


def _curve_table(window: Window, kind: str, values: NDArray[np.int64], currency: str) -> pa.Table:
    drawn, is_money = curve(values), kind != "contacts"
    rows, nothing = len(drawn.customer_shares), np.zeros(len(drawn.customer_shares), np.int64)
    lorenz = drawn.lorenz if drawn.lorenz is not None else np.full(rows, np.nan)
    return pa.table({
        "period_month": columns.constant(window.month.period_month, rows, pa.date32()),
        "window_kind": columns.constant(window.kind, rows, pa.string()),
        "measure_kind": columns.constant(kind, rows, pa.string()),
        "customer_share": pa.array(drawn.customer_shares),
        "lorenz_share": columns.ratio(lorenz),
        "best_customers_count": pa.array(drawn.whale_counts),
        "best_cumulative_amount": columns.money(drawn.whale if is_money else nothing, np.full(rows, is_money)),
        "best_cumulative_count": pa.array(drawn.whale, mask=np.full(rows, is_money)),
        "null_reason": columns.constant(None if drawn.lorenz is not None else "total_not_positive", rows, pa.string()),
        "is_complete_period": columns.constant(window.is_complete, rows, pa.bool_()),
        "currency_code": columns.constant(currency, rows, pa.string()),
    })  # fmt: skip


def _tier_table(window: Window, ever: NDArray[np.bool_], base: AccountMonths, parameters: Parameters) -> pa.Table:
    """Every identified account seen so far: who did nothing in the window is N, a row and not an absence.

    Tiered by margin after service; where service cost or unit cost is not known, by the next measure that is.
    """
    here = np.flatnonzero(ever & ~base.is_pseudo)
    sums = {name: values[here] for name, values in window.sums.items()}
    margin_known = not sums["margin_unknown"].any()
    measure = "net_revenue" if not margin_known else "margin_after_service" if window.has_cost else "contribution_margin"
    values = sums["net_revenue"] if measure == "net_revenue" else sums["margin"]
    if measure == "margin_after_service":
        values = values - sums["service_cost"]
    tiers = tier(values, parameters.tier_a_share, parameters.tier_b_share)
    rows = len(here)
    return pa.table({
        "account_id": base.account_ids.take(pa.array(here)),
        "period_month": columns.constant(window.month.period_month, rows, pa.date32()),
        "tier_measure": columns.constant(measure, rows, pa.string()),
        "tier_amount": columns.money(values),
        "rank": pa.array(tiers.ranks),
        "cumulative_share": columns.ratio(tiers.cumulative_shares),
        "account_tier": columns.coded(tiers.tiers, TIERS),
        "is_complete_period": columns.constant(window.is_complete, rows, pa.bool_()),
        "currency_code": columns.constant(parameters.currency_code, rows, pa.string()),
    })  # fmt: skip


def build(connection: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """Replace `analytics.mart_concentration`, `mart_concentration_curve` and `mart_account_tier`; returns rows and the latest 80/20.

    Grains: month x window x measure; the same keys of the latest month x curve point; account x complete month (trailing 12).
    """
    parameters, feeds = run_parameters(connection), present_feeds(connection)
    rows: list[dict[str, object]] = []
    curves: list[pa.Table] = []
    with AccountMonths(connection) as base:
        real, ever = ~base.is_pseudo, np.zeros(len(base.account_ids), bool)
        last = base.months[-1] if base.months else None

        def tiers() -> Iterator[pa.Table]:
            for window in base.windows(_MEASURES, WINDOWS):
                for kind in KINDS:
                    values = _population(window, kind, real, feeds)
                    rows.append(_concentration_row(window, kind, values, parameters))
                    if window.month is last and window.kind != "month" and not isinstance(values, str) and len(values):
                        curves.append(_curve_table(window, kind, values, parameters.currency_code))
                if window.kind == "trailing_12" and window.month.is_complete and {"orders", "order_lines"} <= feeds:
                    np.logical_or(ever, window.sums["months"] > 0, out=ever)
                    yield _tier_table(window, ever, base, parameters)

        tier_rows = replace_table(connection, "analytics", "mart_account_tier", TIER_COLUMNS, columns.bulk(tiers()))
    tables = [_concentration_table(rows, parameters)] if rows else []
    replace_table(connection, "analytics", "mart_concentration", CONCENTRATION_COLUMNS, tables)
    curve_rows = replace_table(connection, "analytics", "mart_concentration_curve", CURVE_COLUMNS, curves)
    latest = {row["measure_kind"]: row["top20_share"] for row in rows[-len(KINDS) :]}
    return {"concentration_rows": len(rows), "curve_rows": curve_rows, "tier_rows": tier_rows, "latest_top20_share": latest}
