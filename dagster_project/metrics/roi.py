"""The service ROI equation: value lines less damage less cost, over cost, in tiers of evidence.

    ROI = (V - D - C) / C        V = V_hard + V_modelled (+ V_assumed, shown but never in the headline)

Source: Rust, Zahorik and Keiningham (1995), "Return on Quality", Journal of Marketing 59(2), for the equation;
Cochran (1977), "Sampling Techniques", ch. 6, for the delta-method error of a ratio.
Frames have a row for each account (or one for the company), amounts in whole minor units, `Int64`, NA where unknown; a column
`..._null_reason` says why. A company ratio is the ratio of sums, never the mean of account ratios.
Holds formulas and their null rules. It must not hold reading or writing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from dagster_project.metrics.reasons import KNOWN, first_case, first_code, worded

REASONS = ("source_absent", "fx_missing", "unit_cost_absent", "not_built", "zero_cost", "no_service_cost")
STATES = ("complete", "partial", "undefined")
LINES = ("service_cost", "contribution_margin", "v_hard", "v_modelled", "v_assumed", "damage")
VARIANTS = {
    "margin_per_service_cost": {"contribution_margin": 1},
    "roi": {"v_hard": 1, "v_modelled": 1, "damage": -1, "service_cost": -1},
    "roi_hard": {"v_hard": 1, "service_cost": -1},
    "roi_all": {"v_hard": 1, "v_modelled": 1, "damage": -1, "service_cost": -1, "v_assumed": 1},
    "roi_before_damage": {"v_hard": 1, "v_modelled": 1, "service_cost": -1},
    "roi_cost_only": {"service_cost": -1},
}
"""What is divided by service cost in each ratio: lines with their sign.

`margin_per_service_cost` is the complete contribution margin over cost: it describes, and claims no effect of service. `roi_hard` takes
nothing but value with hard evidence, so no modelled damage either. `roi_cost_only` is -1 by definition.
"""
_MEASURED = ("service_cost", "contribution_margin", "v_hard", "v_modelled", "damage")
_Z95 = 1.959963984540054


def value_lines(sums: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of the equation: `<line>_amount` and `<line>_null_reason` of each of `LINES`, damage and cost as positive amounts.

    `sums`, a row for each account and window: service_cost, margin, offer_margin in minor units; cost_unknown, margin_unknown,
    offer_unknown, unpriced, sales_known as counts; has_cost, has_orders, has_offers. A line whose source never came or begins later is
    unknown, never 0; sales without a rate blank it only where none has one. Modelled and assumed value and damage are not built.
    """
    absent, without_rate = ~sums["has_orders"], (sums["unpriced"] > 0) & (sums["sales_known"] == 0)
    sales = (without_rate, "fx_missing")
    built = {
        "service_cost": ("service_cost", [(sums["cost_unknown"] > 0, "fx_missing"), (~sums["has_cost"], "source_absent")]),
        "contribution_margin": ("margin", [(absent, "source_absent"), sales, (sums["margin_unknown"] > 0, "unit_cost_absent")]),
        "v_hard": (
            "offer_margin",
            [(absent | ~sums["has_offers"], "source_absent"), sales, (sums["offer_unknown"] > 0, "unit_cost_absent")],
        ),
    }
    lines = {}
    for line, (amount, cases) in built.items():
        codes = first_case(cases, REASONS)
        lines[f"{line}_amount"] = sums[amount].astype("Int64").mask(codes != KNOWN)
        lines[f"{line}_null_reason"] = worded(codes, REASONS, sums.index)
    for line in [line for line in LINES if line not in built]:
        lines[f"{line}_amount"] = pd.Series(pd.NA, sums.index, "Int64")
        lines[f"{line}_null_reason"] = worded(np.full(len(sums), REASONS.index("not_built"), np.int8), REASONS, sums.index)
    return pd.DataFrame(lines)


def service_roi(lines: pd.DataFrame, zero_reason: str, variants: Sequence[str] = tuple(VARIANTS)) -> pd.DataFrame:
    """Return `<variant>_ratio`, `<variant>_num` and `<variant>_null_reason` of each variant, each over service cost.

    And `net_benefit_amount`, the numerator of `roi`; `roi_state`: complete (the headline is known), partial (only `roi_hard` is) or
    undefined; `completeness_share`, 0..1: which part of cost, margin, hard and modelled value and damage is measured.
    `lines` as `value_lines` returns them; `variants` with `roi` and `roi_hard`. `zero_reason` is `zero_cost` for the company and
    `no_service_cost` for an account. A ratio is NaN, with the reason, where the cost is unknown or 0 or a line is unknown that it needs:
    nothing is invented.
    """
    cost = lines["service_cost_amount"]
    reasons = {line: lines[f"{line}_null_reason"].cat.codes.to_numpy().astype(np.int8) for line in LINES}
    zero = first_case([((cost == 0).fillna(value=False), zero_reason)], REASONS)
    found, codes = {}, {}
    for variant in variants:
        parts = VARIANTS[variant]
        benefit = sum((sign * lines[f"{line}_amount"] for line, sign in parts.items()), pd.Series(0, lines.index, "Int64"))
        codes[variant] = first_code([reasons["service_cost"], zero, *(reasons[line] for line in parts)])
        ratio = benefit.to_numpy("float64", na_value=np.nan) / cost.mask(codes[variant] != KNOWN).to_numpy("float64", na_value=np.nan)
        found[f"{variant}_num"] = benefit
        found[f"{variant}_ratio"] = pd.Series(ratio, lines.index)
        found[f"{variant}_null_reason"] = worded(codes[variant], REASONS, lines.index)
    states = np.select([codes["roi"] == KNOWN, codes["roi_hard"] == KNOWN], [0, 1], 2).astype(np.int8)
    found["net_benefit_amount"] = found["roi_num"]
    found["roi_state"] = worded(states, STATES, lines.index)
    found["completeness_share"] = pd.Series(np.mean([reasons[line] == KNOWN for line in _MEASURED], axis=0), lines.index)
    return pd.DataFrame(found)


class Moments(NamedTuple):
    """Exact sums over `n` sampled accounts: of value and cost in minor units, and of their products."""

    n: int
    value: int
    cost: int
    value_value: int
    value_cost: int
    cost_cost: int


class Interval(NamedTuple):
    """ROI with its standard error and 95 % bounds; NaN where not defined."""

    roi: float
    standard_error: float
    low95: float
    high95: float


def delta_interval(sampled: Moments, fixed_value: int = 0, fixed_cost: int = 0) -> Interval:
    """ROI = sum(value) / sum(cost) - 1 with its delta-method error over accounts.

    e_i = v_i - R c_i with R = V / C; se = sqrt(n) sd(e) / C, sd with n - 1. `fixed_*` are the pseudo-accounts' amounts:
    they belong to the ratio, but they are known and not sampled. Value is before cost. NaN at zero cost; error and bounds
    NaN below two accounts. Integers up to the last root: C e_i is whole, so that large sums of squares cancel exactly.
    """
    n, value, cost = sampled.n, sampled.value + fixed_value, sampled.cost + fixed_cost
    if cost == 0:
        return Interval(math.nan, math.nan, math.nan, math.nan)
    roi = value / cost - 1
    if n < 2:
        return Interval(roi, math.nan, math.nan, math.nan)
    errors = cost * sampled.value - value * sampled.cost
    squares = cost**2 * sampled.value_value - 2 * cost * value * sampled.value_cost + value**2 * sampled.cost_cost
    error = math.sqrt((n * squares - errors**2) / ((n - 1) * cost**4))
    return Interval(roi, error, roi - _Z95 * error, roi + _Z95 * error)
