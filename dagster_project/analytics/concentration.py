"""80/20 per month, window and measure, and its curves, out of histograms of the accounts' values; then the tiers.

Identified accounts only: pseudo-accounts are nobody's customers. A measure whose feed never came is NULL with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.analytics import columns, tiers
from dagster_project.analytics.account_months import WINDOWS, Calendar, Parameters, Window, present_feeds, read_history, run_parameters
from dagster_project.analytics.account_values import KINDS, VALUES, write_account_values
from dagster_project.analytics.columns import DATE, FLAG, MONEY, REAL, SHARE, TEXT, WHOLE, optional, required
from dagster_project.engines.described import described
from dagster_project.engines.engine import Engine, whole_groups
from dagster_project.metrics.concentration import Concentration, concentrate, curve

_KEY = required(period_month=DATE, window_kind=TEXT, measure_kind=TEXT)
_END = required(is_complete_period=FLAG, currency_code=TEXT)
_RESULTS = optional(
    top20_share=REAL, top20_ceiling_count=WHOLE, top20_ceiling_share=REAL, customer_share_for_80=REAL, customers_for_80_count=WHOLE,
    customers_for_80_share=REAL, gini_ratio=REAL, gini_unbiased_ratio=REAL, whale_peak_share=REAL, null_reason=TEXT, gini_null_reason=TEXT,
)  # fmt: skip
CONCENTRATION_COLUMNS = described(
    "One row per fiscal month, window and measure: how the value is spread over the identified customers, 80/20 both ways.",
    [
        *_KEY, *optional(customers_count=WHOLE, total_amount=MONEY, total_count=WHOLE, unpriced_count=WHOLE),
        *required(top_customer_share=SHARE, value_share_target=SHARE), *_RESULTS, *_END,
    ],
    customers_count="Identified customers with a row in the window.",
    total_amount="Value of all of them; null for contacts.",
    total_count="Contacts of all of them; null for money.",
    unpriced_count="What has no exchange rate and is in no sum: order lines and refunds, or payments; null for contacts.",
    top_customer_share="Share of the customers that top20 means (0.20 unless set otherwise).",
    value_share_target="Share of the value that 80 means (0.80 unless set otherwise).",
    top20_share="Share of the value that exactly top_customer_share of the customers hold, the customer on the line by a fraction."
    " Above 1 where the others lose money together.",
    top20_ceiling_count="The same in whole customers, rounded up.",
    top20_ceiling_share="Share of the value that those whole customers hold.",
    customer_share_for_80="Smallest share of the customers that holds value_share_target of the value, the last customer by a fraction.",
    customers_for_80_count="The same in whole customers.",
    customers_for_80_share="Share of the customers that those whole customers are.",
    gini_ratio="Gini coefficient: 0 all equal, near 1 all with one.",
    gini_unbiased_ratio="Gini coefficient times n / (n - 1); null for one customer.",
    whale_peak_share="Highest cumulative value, best customers first, over the total; above 1 where customers lose money.",
    null_reason="Why all is null: source_absent, fx_missing, unit_cost_absent, zero_denominator (no customers), total_not_positive.",
    gini_null_reason="Why the Gini is null: the same, and negative_values.",
)  # fmt: skip
CURVE_COLUMNS = described(
    "One row per window, measure and point of the curve of the latest month; windows trailing_12 and to_date.",
    [
        *_KEY, *required(customer_share=REAL), *optional(lorenz_share=REAL), *required(best_customers_count=WHOLE),
        *optional(best_cumulative_amount=MONEY, best_cumulative_count=WHOLE, null_reason=TEXT), *_END,
    ],
    customer_share="Share of the customers at the point, 0 to 1.",
    lorenz_share="Lorenz curve: share of the value that this share of the customers holds, smallest first.",
    best_customers_count="Customers at the point, best first (whale curve).",
    best_cumulative_amount="Value of these customers; null for contacts.",
    best_cumulative_count="Contacts of these customers; null for money.",
    null_reason="Why the Lorenz curve is null: total_not_positive.",
)  # fmt: skip
_SLICES = " union all ".join(
    f"select window_number * {len(KINDS)} + {position} as slice, {kind} as amount, count(*) as customers "
    f"from {VALUES} where {kind} is not null group by window_number, {kind}"
    for position, kind in enumerate(KINDS)
)
_HISTOGRAM = f"select slice, amount, customers from ({_SLICES}) as histogram order by slice, amount"


def _windows(calendar: Calendar) -> list[Window]:
    """All windows in published order: by month, then kind."""
    return [window for of_month in zip(*map(calendar.windows, WINDOWS), strict=True) for window in of_month]


def _unknown(kind: str, window: Window, sums: dict[str, int], feeds: frozenset[str]) -> str | None:
    """Return why a measure is not known in a window, if so; `sums` over the identified accounts."""
    source = {"contacts": {"interactions"}, "payments": {"payments"}}.get(kind, {"orders", "order_lines"})
    if not source <= feeds or not {"contacts": window.has_interactions, "payments": True}.get(kind, window.has_orders):
        return "source_absent"
    unpriced, known = ("payments_unpriced", "payments_known") if kind == "payments" else ("unpriced", "sales_known")
    if kind != "contacts" and sums[unpriced] and not sums[known]:
        return "fx_missing"
    if kind == "margin_after_service" and not window.has_cost:
        return "source_absent"
    if kind == "margin_after_service" and sums["cost_unknown"]:
        return "fx_missing"
    return "unit_cost_absent" if kind == "margin_after_service" and sums["margin_unknown"] else None


def _histograms(engine: Engine) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield number, values and customers of each slice, one at a time: memory follows the distinct values of one."""
    for chunk in whole_groups(engine.read(_HISTOGRAM), "slice"):
        slices, amounts, customers = (chunk[name].to_numpy() for name in ("slice", "amount", "customers"))
        for start, end in pairwise([*np.flatnonzero(np.diff(slices, prepend=-1)), len(slices)]):
            yield int(slices[start]), amounts[start:end], customers[start:end]


def _concentration_table(windows: list[Window], results: list[Concentration], unpriced: list[int], parameters: Parameters) -> pa.Table:
    """One row per window and kind; `results`, and how much has no rate and is in no sum, in that order."""
    rows = []
    for number, result in enumerate(results):
        window, kind = windows[number // len(KINDS)], KINDS[number % len(KINDS)]
        known = result.null_reason in (None, "zero_denominator", "total_not_positive")
        rows.append(result._asdict() | {
            "period_month": window.month.period_month, "window_kind": window.kind, "measure_kind": kind,
            "customers_count": result.customers_count if known else None,
            "total_minor": result.total if known and kind != "contacts" else None,
            "total_count": result.total if known and kind == "contacts" else None,
            "unpriced_count": None if result.null_reason == "source_absent" or kind == "contacts" else unpriced[number],
            "top_customer_share": parameters.top_customer_share, "value_share_target": parameters.value_share_target,
            "is_complete_period": window.is_complete, "currency_code": parameters.currency_code,
        })  # fmt: skip
    minor = np.array([row["total_minor"] or 0 for row in rows], np.int64)
    amounts = columns.money(minor, np.array([row["total_minor"] is not None for row in rows], bool))
    table = pa.Table.from_pylist(rows, pa.schema([field for field in CONCENTRATION_COLUMNS if field.name != "total_amount"]))
    return table.append_column("total_amount", amounts).select(CONCENTRATION_COLUMNS.names)


def _curve_table(window: Window, kind: str, values: NDArray[np.int64], customers: NDArray[np.int64], currency: str) -> pa.Table:
    drawn, is_money = curve(values, customers), kind != "contacts"
    rows, nothing = len(drawn.customer_shares), np.zeros(len(drawn.customer_shares), np.int64)
    lorenz = drawn.lorenz if drawn.lorenz is not None else np.full(rows, np.nan)
    return pa.table({
        "period_month": columns.constant(window.month.period_month, rows, DATE),
        "window_kind": columns.constant(window.kind, rows, TEXT),
        "measure_kind": columns.constant(kind, rows, TEXT),
        "customer_share": pa.array(drawn.customer_shares),
        "lorenz_share": columns.ratio(lorenz),
        "best_customers_count": pa.array(drawn.whale_counts),
        "best_cumulative_amount": columns.money(drawn.whale if is_money else nothing, np.full(rows, is_money)),
        "best_cumulative_count": pa.array(drawn.whale, mask=np.full(rows, is_money)),
        "null_reason": columns.constant(None if drawn.lorenz is not None else "total_not_positive", rows, TEXT),
        "is_complete_period": columns.constant(window.is_complete, rows, FLAG),
        "currency_code": columns.constant(currency, rows, TEXT),
    })  # fmt: skip


def build(engine: Engine, since: date | None = None) -> dict[str, object]:
    """Replace `analytics.mart_concentration`, `mart_concentration_curve` and `mart_account_tier`; returns rows and the latest 80/20.

    Grains: month x window x measure; the same keys of the latest month x curve point; account x complete month (trailing 12).
    Of the first and the last only the rows from month `since` on: nothing before it has changed.
    """
    parameters, feeds, history = run_parameters(engine), present_feeds(engine), read_history(engine)
    windows, has_tiers = _windows(history.calendar), tiers.months_with_tiers(history, feeds)
    write_account_values(engine, history.calendar, has_tiers, since)
    first, rebuilt = history.calendar.first_position(since) * len(WINDOWS), history.calendar.rebuilt(since)
    sums = {kind: history.sums(kind, with_pseudo=False) for kind in WINDOWS}
    results, unpriced = [], []
    for number, window in enumerate(windows):
        here = {name: int(values[number // len(WINDOWS)]) for name, values in sums[window.kind].items()}
        unknown = (_unknown(kind, window, here, feeds) for kind in KINDS)
        results += [Concentration.unknown(reason or "zero_denominator") for reason in unknown]
        unpriced += [here["payments_unpriced" if kind == "payments" else "unpriced"] for kind in KINDS]
    curves = []
    for number, values, customers in _histograms(engine):
        window, kind = windows[number // len(KINDS)], KINDS[number % len(KINDS)]
        if results[number].null_reason == "zero_denominator":
            results[number] = concentrate(values, customers, top=parameters.top_customer_share, target=parameters.value_share_target)
            if window.month is windows[-1].month and window.kind != "month":
                curves.append(_curve_table(window, kind, values, customers, parameters.currency_code))
    table = _concentration_table(windows, results, unpriced, parameters).slice(first * len(KINDS))
    engine.replace("analytics.mart_concentration", CONCENTRATION_COLUMNS, [table], where=rebuilt)
    curve_rows = engine.replace("analytics.mart_concentration_curve", CURVE_COLUMNS, curves)
    tier_rows = tiers.write_tiers(engine, history, parameters, rebuilt)
    engine.drop(VALUES)
    latest = dict(zip(KINDS, (result.top20_share for result in results[-len(KINDS) :]), strict=False))
    return {"concentration_rows": len(table), "curve_rows": curve_rows, "tier_rows": tier_rows, "latest_top20_share": latest}
