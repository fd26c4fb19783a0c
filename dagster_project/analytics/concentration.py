"""80/20 per month, window and measure, and its curves: one window's customers are read at a time.

Identified accounts only: pseudo-accounts are nobody's customers. A measure whose feed never came is NULL with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from dagster_project.analytics.account_windows import IDENTIFIED_OWN, WINDOWS, account_windows
from dagster_project.analytics.frames import DATE, FLAG, MONEY, REAL, SHARE, TEXT, WHOLE, optional, required, to_frame, to_table
from dagster_project.analytics.inputs import Inputs
from dagster_project.analytics.subject import SETTINGS, WINDOWED, Subject, Table
from dagster_project.engines.described import described
from dagster_project.engines.engine import Engine, complete_groups
from dagster_project.metrics.concentration import COUNTS, REASONS, SHARES, concentrate, curve
from dagster_project.metrics.reasons import first_case, worded

KINDS = ("gross_sales", "net_revenue", "margin_after_service", "contacts", "payments")
_UNKNOWN = ("source_absent", "fx_missing", "unit_cost_absent")
_MEASURES = (
    "gross_sales", "net_revenue", "margin", "service_cost", "contacts", "payments", "payments_count", "has_sales",
)  # fmt: skip
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


def populations_sql(first: int = 1, last: int = 0) -> str:
    """Query who counts in which window and with which value; null: not in that population.

    Buyers for sales (any sale, credit or refund for net revenue), callers for contacts, payers for payments, and who bought or cost
    something for the margin after service.
    """
    return f"""
        select * from (
            select
                window_number,
                case when gross_sales > 0 then gross_sales end as gross_sales,
                case when has_sales > 0 then net_revenue end as net_revenue,
                case when has_sales > 0 or service_cost <> 0 or margin <> 0 then margin - service_cost end as margin_after_service,
                case when contacts > 0 then contacts end as contacts,
                case when payments_count > 0 then payments end as payments
            from ({account_windows(_MEASURES, WINDOWS, first, last, silent=True, where=IDENTIFIED_OWN)}) as summed
        ) as counted
        where coalesce({", ".join(KINDS)}) is not null
        order by window_number
    """


def _unknown(windows: pd.DataFrame, sums: pd.DataFrame, feeds: frozenset[str]) -> pd.DataFrame:
    """Return why a measure is not known, NA where it is: a row for each window, a column for each kind; `sums` of identified accounts."""
    absent = {name: (~windows[f"has_{name}"], "source_absent") for name in ("cost", "orders", "interactions")}
    sales = [absent["orders"], ((sums["unpriced"] > 0) & (sums["sales_known"] == 0), "fx_missing")]
    margin = [absent["cost"], (sums["cost_unknown"] > 0, "fx_missing"), (sums["margin_unknown"] > 0, "unit_cost_absent")]
    no_payments = (pd.Series("payments" not in feeds, windows.index), "source_absent")
    cases = {
        "gross_sales": sales,
        "net_revenue": sales,
        "margin_after_service": [*sales, *margin],
        "contacts": [absent["interactions"]],
        "payments": [no_payments, ((sums["payments_unpriced"] > 0) & (sums["payments_known"] == 0), "fx_missing")],
    }
    return pd.DataFrame({kind: worded(first_case(of, _UNKNOWN), _UNKNOWN, windows.index).astype("str") for kind, of in cases.items()})


def _populations(engine: Engine, inputs: Inputs) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield each window that somebody counts in, with the values of its customers: memory follows one window."""
    for chunk in complete_groups(engine.read(populations_sql(inputs.first, inputs.last)), "window_number"):
        for number, values in to_frame(chunk).groupby("window_number"):
            yield number, values[list(KINDS)]


def _concentration_rows(inputs: Inputs, found: dict[int, pd.DataFrame], unknown: pd.DataFrame) -> pd.DataFrame:
    """Return one row per window and measure: what was `found` of the windows that have customers, and why a measure is `unknown`."""
    windows, nobody = inputs.windows(*WINDOWS), concentrate(pd.DataFrame(columns=list(KINDS)))
    names = ["window_number", "measure_kind"]
    shares = pd.concat([found.get(number, nobody) for number in windows.index], keys=windows.index, names=names).reset_index()
    missing = unknown.rename_axis("window_number").melt(var_name="measure_kind", value_name="reason", ignore_index=False).reset_index()
    rows = shares.merge(missing, on=names).merge(windows, on="window_number")
    rows = rows.merge(inputs.identified[["unpriced", "payments_unpriced"]], on="window_number")
    rows.loc[rows["reason"].notna(), [*COUNTS, *SHARES]] = pd.NA
    for reason in REASONS:
        rows[reason] = rows["reason"].fillna(rows[reason])
    is_contacts, is_payments = rows["measure_kind"] == "contacts", rows["measure_kind"] == "payments"
    unpriced = rows["unpriced"].mask(is_payments, rows["payments_unpriced"]).astype("Int64")
    rows["total_amount"], rows["total_count"] = rows["total"].mask(is_contacts), rows["total"].where(is_contacts)
    rows["unpriced_count"] = unpriced.mask(is_contacts | (rows["null_reason"] == "source_absent"))
    constants = {
        "top_customer_share": inputs.parameters.top_customer_share, "value_share_target": inputs.parameters.value_share_target,
        "currency_code": inputs.parameters.currency_code,
    }  # fmt: skip
    return rows.assign(**{name: pd.Series(value, rows.index) for name, value in constants.items()})


def _curve_rows(values: pd.Series, key: Mapping[Any, Any]) -> pd.DataFrame:
    """Return the points of the curve of one window and measure: `key` has the columns that are the same in all of them."""
    points = curve(values)
    money, count = ("best_cumulative_count", "best_cumulative_amount")[:: 1 if key["measure_kind"] == "contacts" else -1]
    return points.rename(columns={"best_cumulative": money}).assign(**key, **{count: pd.array([pd.NA] * len(points), "Int64")})


def build(engine: Engine, inputs: Inputs) -> dict[str, object]:
    """Replace `analytics.mart_concentration` and `analytics.mart_concentration_curve`; returns rows and the latest 80/20.

    Grains: month x window x measure; the same keys of the latest month x curve point.
    """
    parameters, windows = inputs.parameters, inputs.windows(*WINDOWS)
    unknown = _unknown(windows, inputs.identified.loc[windows.index], inputs.feeds)
    latest = windows[(windows["month_number"] == inputs.last) & (windows["window_kind"] != "month")]
    keys = latest[["period_month", "window_kind", "is_complete_period"]].assign(currency_code=parameters.currency_code).to_dict("index")
    found, curves = {}, []
    for number, values in _populations(engine, inputs):
        found[number] = concentrate(values, parameters.top_customer_share, parameters.value_share_target)
        if number in keys:
            drawn = values.columns[unknown.loc[number].isna() & values.notna().any()]
            curves += [_curve_rows(values[kind], {**keys[number], "measure_kind": kind}) for kind in drawn]
    rows = _concentration_rows(inputs, found, unknown) if len(windows) else None
    table = CONCENTRATION_COLUMNS.empty_table() if rows is None else to_table(rows, CONCENTRATION_COLUMNS)
    engine.replace("analytics.mart_concentration", CONCENTRATION_COLUMNS, [table], where=inputs.rebuilt)
    curve_rows = engine.replace("analytics.mart_concentration_curve", CURVE_COLUMNS, [to_table(points, CURVE_COLUMNS) for points in curves])
    shares = table.select(["measure_kind", "top20_share"]).to_pylist()[-len(KINDS) :]
    latest_shares = {row["measure_kind"]: row["top20_share"] for row in shares}
    return {"concentration_rows": len(table), "curve_rows": curve_rows, "latest_top20_share": latest_shares}


SUBJECT = Subject(
    name="concentration",
    reads=(populations_sql(), *WINDOWED, *SETTINGS),
    writes={
        "mart_concentration": Table(CONCENTRATION_COLUMNS, is_monthly=True),
        "mart_concentration_curve": Table(CURVE_COLUMNS),
    },
    metrics=("customer_share_for_80", "profit_share_top20", "value_gini"),
    build=build,
)
