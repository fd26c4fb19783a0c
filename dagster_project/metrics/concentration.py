"""Concentration of value on customers: 80/20 both ways, Lorenz, Gini, whale curve, tiers.

A population comes as a histogram: values, int64 (minor units or counts), in any order, and how many customers have each; without
counts each value is one customer. Which of two equal customers comes first changes no share.
Sources: Lorenz (1905), Publications of the ASA 9(70); Gini (1912); Kaplan and Narayanan (2001), Journal of Cost Management 15(5),
for the whale curve. Holds formulas and their null rules. It must not know periods, windows or tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TIERS = ("A", "B", "C", "D", "N")


class Concentration(NamedTuple):
    """Shares are of the total, 0..1 (above 1 is possible when some customers are negative); None where `null_reason` says why."""

    customers_count: int
    total: int
    top20_share: float | None
    top20_ceiling_count: int | None
    top20_ceiling_share: float | None
    customer_share_for_80: float | None
    customers_for_80_count: int | None
    customers_for_80_share: float | None
    gini_ratio: float | None
    gini_unbiased_ratio: float | None
    whale_peak_share: float | None
    null_reason: str | None
    gini_null_reason: str | None

    @classmethod
    def unknown(cls, reason: str, customers_count: int = 0, total: int = 0) -> Concentration:
        """No shares at all, for `reason`."""
        return cls(customers_count, total, None, None, None, None, None, None, None, None, None, reason, reason)


class _Ranking:
    """Customers in one order, as values and counts: exact sums of the first so many of them."""

    def __init__(self, values: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        self.values = values
        self.ranks = np.concatenate(([0], np.cumsum(counts)))
        self.sums = np.concatenate(([0], np.cumsum(values * counts)))

    def first(self, customers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Value of the first `customers` customers, 0 up to all of them."""
        group = np.minimum(np.searchsorted(self.ranks, customers, side="right"), len(self.values)) - 1
        sums: NDArray[np.int64] = self.sums[group] + (customers - self.ranks[group]) * self.values[group]
        return sums


def _ascending(values: NDArray[np.int64], counts: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    order = np.argsort(values, kind="stable")
    return values[order], np.ones_like(values) if counts is None else counts[order]


def concentrate(
    values: NDArray[np.int64],
    counts: NDArray[np.int64] | None = None,
    *,
    top: Decimal = Decimal("0.20"),
    target: Decimal = Decimal("0.80"),
) -> Concentration:
    """Both readings of 80/20, Gini and whale peak of one population.

    top20_share: value of exactly `top` of the customers, the boundary customer counted by its fraction.
    top20_ceiling_*: the same for ceil(top x n) whole customers. customer_share_for_80: smallest share of customers that holds
    `target` of the total, interpolated; customers_for_80_*: in whole customers. whale_peak_share: highest cumulative value over the total.
    No customers: all None, `zero_denominator`; total <= 0: all None, `total_not_positive`; Gini with a negative value:
    None, `negative_values`, since it is then not bounded; unbiased Gini of one customer: None.
    """
    ascending, counts = _ascending(values, counts)
    n, total = int(counts.sum()), int(np.dot(ascending, counts))
    if n == 0 or total <= 0:
        return Concentration.unknown("zero_denominator" if n == 0 else "total_not_positive", n, total)
    best = _Ranking(ascending[::-1], counts[::-1])
    whole, part = divmod(top.as_integer_ratio()[0] * n, top.as_integer_ratio()[1])
    fraction = part / top.as_integer_ratio()[1]
    ceiling = whole + (part > 0)
    head, ceiling_head = map(int, best.first(np.array([whole, ceiling])))
    wanted, scale = target.as_integer_ratio()[0] * total, target.as_integer_ratio()[1]
    # The first rank whose exact cumulative value reaches the target: integers, so that no rounding moves the boundary.
    least = -(-wanted // scale)
    group = int(np.argmax(best.sums >= least)) - 1
    step = int(best.values[group])
    equals = -(-(least - int(best.sums[group])) // step) - 1
    reached, before = int(best.ranks[group]) + equals, int(best.sums[group]) + equals * step
    gini, gini_reason = (None, "negative_values") if ascending[0] < 0 else (_gini(ascending, counts, n, total), None)
    return Concentration(
        customers_count=n,
        total=total,
        top20_share=(head + (fraction * (ceiling_head - head) if part else 0)) / total,
        top20_ceiling_count=ceiling,
        top20_ceiling_share=ceiling_head / total,
        customer_share_for_80=(reached + (wanted / scale - before) / step) / n,
        customers_for_80_count=reached + 1,
        customers_for_80_share=(reached + 1) / n,
        gini_ratio=gini,
        gini_unbiased_ratio=gini * n / (n - 1) if gini is not None and n > 1 else None,
        whale_peak_share=int(best.sums.max()) / total,
        null_reason=None,
        gini_null_reason=gini_reason,
    )


def _gini(ascending: NDArray[np.int64], counts: NDArray[np.int64], n: int, total: int) -> float:
    """Sum of (2i - n - 1) x_(i) over n times the total; in integers while they fit, so that equal customers give exactly 0."""
    weights = counts * (2 * np.cumsum(counts) - counts - n)  # sum of 2i - n - 1 over the ranks i of equal customers
    exact = n * total < 2**62
    moment = int(np.dot(weights, ascending)) if exact else float(np.dot(weights.astype(np.longdouble), ascending.astype(np.longdouble)))
    return moment / (n * total)


class Curve(NamedTuple):
    """Points of one population at customer shares 0, 1/(points-1), ... 1.

    `lorenz` value share of the poorest share (None when the total is not positive); `whale_counts` whole best customers
    and `whale` their exact cumulative value, which is drawn whatever the sign of the total.
    """

    customer_shares: NDArray[np.float64]
    lorenz: NDArray[np.float64] | None
    whale_counts: NDArray[np.int64]
    whale: NDArray[np.int64]


def curve(values: NDArray[np.int64], counts: NDArray[np.int64] | None = None, points: int = 101) -> Curve:
    """Lorenz curve (ascending, linear between customers) and whale curve (descending, whole customers)."""
    ascending, counts = _ascending(values, counts)
    n, total = int(counts.sum()), int(np.dot(ascending, counts))
    shares = np.arange(points) / (points - 1)
    whole = -(-np.arange(points, dtype=np.int64) * n // (points - 1))
    lorenz = None
    if total > 0:
        poorest, below = _Ranking(ascending, counts), np.floor(shares * n).astype(np.int64)
        low, high = poorest.first(below) / total, poorest.first(np.minimum(below + 1, n)) / total
        lorenz = low + (high - low) * (shares * n - below)
    return Curve(shares, lorenz, whole, _Ranking(ascending[::-1], counts[::-1]).first(whole))


class TierLines(NamedTuple):
    """One element per population, minor units: its positive total, and the cumulative values where tiers A and B end."""

    totals: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]

    @classmethod
    def of(cls, totals: Sequence[int], a_share: Decimal, b_share: Decimal) -> TierLines:
        """Draw the lines at these shares of each positive total; exact, rounded up to whole units."""
        lines = ([math.ceil(share * total) for total in totals] for share in (Decimal(1), a_share, b_share))
        return cls(*(np.array(line, np.int64) for line in lines))


class Tiers(NamedTuple):
    """One element per customer: share of the positive total up to and with it, tier as an index into `TIERS`."""

    cumulative_shares: NDArray[np.float64]
    tiers: NDArray[np.int8]


def tier(values: NDArray[np.int64], positive: NDArray[np.int64], population: NDArray[np.int64], lines: TierLines) -> Tiers:
    """Tiers by cumulative positive value: A up to the first line, B up to the second, C the rest, D negative, N nothing.

    `positive` is the sum of the positive values of all customers ranked before and of this one, best first; `population`
    the element of `lines` that a customer belongs to. The customer who crosses a line belongs to the better tier, so that A
    alone holds at least its share. `cumulative_shares` is NaN when no customer is positive, and stays 1 after the positive ones.
    """
    totals, before = lines.totals[population], positive - np.maximum(values, 0)
    conditions = [values < 0, values == 0, before < lines.a[population], before < lines.b[population]]
    shares = np.full(len(values), np.nan)
    np.divide(positive, totals, out=shares, where=totals > 0)
    return Tiers(shares, np.select(conditions, [3, 4, 0, 1], 2).astype(np.int8))
