"""The service ROI equation: value lines less damage less cost, over cost, in tiers of evidence.

    ROI = (V - D - C) / C        V = V_hard + V_modelled (+ V_assumed, shown but never in the headline)

Source: Rust, Zahorik and Keiningham (1995), "Return on Quality", Journal of Marketing 59(2), for the equation;
Cochran (1977), "Sampling Techniques", ch. 6, for the delta-method error of a ratio.
Amounts are int64 minor units, one element per account (or one element for the company). A company ratio is the ratio of sums,
never the mean of account ratios. Holds formulas and their null rules. It must not hold reading or writing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

REASONS = ("source_absent", "fx_missing", "unit_cost_absent", "not_built", "zero_cost", "no_service_cost")
STATES = ("complete", "partial", "undefined")
KNOWN = -1
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Line:
    """One line of the equation.

    `amounts` int64 minor units, 0 where unknown. `reasons` int8 of the same shape: `KNOWN`, or the index into `REASONS`
    that says why the amount is unknown.
    """

    amounts: NDArray[np.int64]
    reasons: NDArray[np.int8]

    @classmethod
    def of(cls, amounts: NDArray[np.int64], reason: str | None = None, where: NDArray[np.bool_] | None = None) -> Line:
        """Make a line that is unknown for `reason` at the elements `where` (everywhere when `where` is not given)."""
        if reason is None:
            return cls(amounts, np.full(amounts.shape, KNOWN, np.int8))
        unknown = np.ones(amounts.shape, bool) if where is None else where
        return cls(np.where(unknown, 0, amounts), np.where(unknown, REASONS.index(reason), KNOWN).astype(np.int8))

    def unless(self, reason: str, where: NDArray[np.bool_]) -> Line:
        """Make the elements `where` unknown for `reason`, over any reason they had."""
        return Line(np.where(where, 0, self.amounts), np.where(where, REASONS.index(reason), self.reasons).astype(np.int8))

    @property
    def known(self) -> NDArray[np.bool_]:
        """True where the amount is measured."""
        return np.equal(self.reasons, KNOWN)

    def __add__(self, other: Line) -> Line:
        """Sum; unknown where either is, with the reason of the left one first."""
        reasons = np.where(self.known, other.reasons, self.reasons)
        return Line(np.where(reasons == KNOWN, self.amounts + other.amounts, 0), reasons)

    def __neg__(self) -> Line:
        return Line(-self.amounts, self.reasons)

    def __sub__(self, other: Line) -> Line:
        return self + -other

    def over(self, cost: Line, zero_reason: str) -> Ratio:
        """Divide by `cost`: float64, NaN with a reason where a part is unknown or the cost is 0."""
        reasons = np.where(cost.amounts == 0, REASONS.index(zero_reason), self.reasons)
        reasons = np.where(cost.known, reasons, cost.reasons).astype(np.int8)
        values = np.full(self.amounts.shape, np.nan)
        np.divide(self.amounts, cost.amounts, out=values, where=reasons == KNOWN)
        return Ratio(values, reasons, self, cost)


class Ratio(NamedTuple):
    """A quotient of two lines with what it was made of. `values` is NaN where `reasons` is not `KNOWN`."""

    values: NDArray[np.float64]
    reasons: NDArray[np.int8]
    num: Line
    den: Line


@dataclass(frozen=True)
class Frame:
    """The lines of the equation for the same accounts, in the same order. Damage and cost are positive amounts.

    A ratio that needs a line which is not measured (`v_modelled`, `damage`) is unknown, for the reason of that line, and `states` says
    `partial`: nothing is invented. What is measured stands in the ratios that need no more than that.
    """

    cost: Line
    margin: Line
    hard: Line
    modelled: Line
    assumed: Line
    damage: Line

    def net_benefit(self) -> Line:
        """V_hard + V_modelled - damage - cost; `V_assumed` is listed beside it and never added."""
        return self.hard + self.modelled - self.damage - self.cost

    def variants(self, zero_reason: str) -> dict[str, Ratio]:
        """Every ROI published in parallel, each (value - cost) / cost, and before them what is none.

        `zero_reason` is `zero_cost` for the company and `no_service_cost` for an account. `margin_per_service_cost` is the whole
        contribution margin over cost: it describes, and claims no effect of service. `roi_hard` takes nothing but value with hard
        evidence, so no modelled damage either. `roi_cost_only` is -1 by definition.
        """
        cost = self.cost
        nothing = Line.of(np.zeros_like(cost.amounts))
        benefits = {
            "margin_per_service_cost": self.margin,
            "roi": self.net_benefit(),
            "roi_hard": self.hard - cost,
            "roi_all": self.net_benefit() + self.assumed,
            "roi_before_damage": self.hard + self.modelled - cost,
            "roi_cost_only": nothing - cost,
        }
        return {name: benefit.over(cost, zero_reason) for name, benefit in benefits.items()}

    def states(self, ratios: dict[str, Ratio]) -> NDArray[np.int8]:
        """Index into `STATES`: complete (the headline is known), partial (only `roi_hard` is) or undefined (neither)."""
        codes = [STATES.index(state) for state in ("complete", "partial")]
        return np.select([ratios[name].reasons == KNOWN for name in ("roi", "roi_hard")], codes, STATES.index("undefined")).astype(np.int8)

    def completeness(self) -> NDArray[np.float64]:
        """Share of the five lines of the headline and its gross view that are measured, 0..1."""
        shares: NDArray[np.float64] = np.mean(
            [line.known for line in (self.cost, self.margin, self.hard, self.modelled, self.damage)], axis=0
        )
        return shares


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
