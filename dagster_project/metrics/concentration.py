"""Concentration of value on customers: 80/20 both ways, Lorenz, Gini, whale curve, tiers.

One array in, one element per customer, int64 (minor units or counts), in the order of account ids: ties are broken by that order.
Sources: Lorenz (1905), Publications of the ASA 9(70); Gini (1912); Kaplan and Narayanan (2001), Journal of Cost Management 15(5),
for the whale curve. Holds formulas and their null rules. It must not know periods, windows or tables.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dagster_project.metrics.registry import Labels, Metric

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


def concentrate(values: NDArray[np.int64], top: Decimal = Decimal("0.20"), target: Decimal = Decimal("0.80")) -> Concentration:
    """Both readings of 80/20, Gini and whale peak of one population.

    top20_share: value of exactly `top` of the customers, the boundary customer counted by its fraction.
    top20_ceiling_*: the same for ceil(top x n) whole customers. customer_share_for_80: smallest share of customers that holds
    `target` of the total, interpolated; customers_for_80_*: in whole customers. whale_peak_share: highest cumulative value over the total.
    No customers: all None, `zero_denominator`; total <= 0: all None, `total_not_positive`; Gini with a negative value:
    None, `negative_values`, since it is then not bounded; unbiased Gini of one customer: None.
    """
    n, total = len(values), int(values.sum())
    if n == 0 or total <= 0:
        return Concentration.unknown("zero_denominator" if n == 0 else "total_not_positive", n, total)
    ascending = np.sort(values)
    best = np.cumsum(ascending[::-1])
    whole, part = divmod(top.as_integer_ratio()[0] * n, top.as_integer_ratio()[1])
    fraction = part / top.as_integer_ratio()[1]
    head = int(best[whole - 1]) if whole else 0
    ceiling = whole + (part > 0)
    wanted, scale = target.as_integer_ratio()[0] * total, target.as_integer_ratio()[1]
    # The first rank whose exact cumulative value reaches the target: integers, so that no rounding moves the boundary.
    reached = int(np.argmax(best >= -(-wanted // scale)))
    before = int(best[reached - 1]) if reached else 0
    step = int(ascending[n - 1 - reached])
    gini, gini_reason = (None, "negative_values") if ascending[0] < 0 else (_gini(ascending, total), None)
    return Concentration(
        customers_count=n,
        total=total,
        top20_share=(head + (fraction * int(ascending[n - 1 - whole]) if part else 0)) / total,
        top20_ceiling_count=ceiling,
        top20_ceiling_share=int(best[ceiling - 1]) / total if ceiling else 0.0,
        customer_share_for_80=(reached + (wanted / scale - before) / step) / n,
        customers_for_80_count=reached + 1,
        customers_for_80_share=(reached + 1) / n,
        gini_ratio=gini,
        gini_unbiased_ratio=gini * n / (n - 1) if gini is not None and n > 1 else None,
        whale_peak_share=int(best.max()) / total,
        null_reason=None,
        gini_null_reason=gini_reason,
    )


def _gini(ascending: NDArray[np.int64], total: int) -> float:
    """Sum of (2i - n - 1) x_(i) over n times the total; in integers while they fit, so that equal customers give exactly 0."""
    n = len(ascending)
    weights = 2 * np.arange(1, n + 1, dtype=np.int64) - n - 1
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


def curve(values: NDArray[np.int64], points: int = 101) -> Curve:
    """Lorenz curve (ascending, linear between customers) and whale curve (descending, whole customers)."""
    n, total = len(values), int(values.sum())
    shares = np.arange(points) / (points - 1)
    ascending = np.sort(values)
    counts = -(-np.arange(points, dtype=np.int64) * n // (points - 1))
    best = np.concatenate(([0], np.cumsum(ascending[::-1])))
    lorenz = None
    if total > 0:
        cumulative = np.concatenate(([0], np.cumsum(ascending)))
        lorenz = np.interp(shares * n, np.arange(n + 1), cumulative / total)
    return Curve(shares, lorenz, counts, best[counts])


class Tiers(NamedTuple):
    """One element per customer, in the order given: rank from 1, share of the positive total up to and with it, tier index."""

    ranks: NDArray[np.int64]
    cumulative_shares: NDArray[np.float64]
    tiers: NDArray[np.int8]


def tier(values: NDArray[np.int64], a_share: Decimal, b_share: Decimal) -> Tiers:
    """Tiers by cumulative positive value: A up to `a_share`, B up to `b_share`, C the rest, D negative, N nothing.

    The customer who crosses a line belongs to the better tier, so that A alone holds at least `a_share`.
    `cumulative_shares` is NaN when no customer is positive, and stays 1 after the positive ones.
    """
    order = np.lexsort((np.arange(len(values)), -values))
    ranked = values[order]
    positive = np.cumsum(np.maximum(ranked, 0))
    total = int(positive[-1]) if len(values) else 0
    before = positive - np.maximum(ranked, 0)
    line_a, line_b = (math.ceil(share * total) for share in (a_share, b_share))
    ordered = np.select([ranked < 0, ranked == 0, before < line_a, before < line_b], [3, 4, 0, 1], 2).astype(np.int8)
    ranks, shares, tiers = np.empty(len(values), np.int64), np.full(len(values), np.nan), np.empty(len(values), np.int8)
    ranks[order] = np.arange(1, len(values) + 1)
    if total > 0:
        shares[order] = positive / total
    tiers[order] = ordered
    return Tiers(ranks, shares, tiers)


def _metric(metric_id: str, column: str, formula: str, spec: tuple[str, ...], labels: tuple[str, str, str, str, str]) -> Metric:
    en, fr, it, zh, ja = labels
    return Metric.model_validate({
        "metric_id": metric_id, "version": 1, "owner": "finance", "formula": formula, "unit": "share", "direction": "neutral",
        "sources": ("orders", "order_lines", "budgets|ledger_actuals"), "relation": "analytics.mart_concentration", "column": column,
        "spec_rows": spec, "labels": Labels(en=en, fr=fr, it=it, zh=zh, ja=ja),
    })  # fmt: skip


METRICS: tuple[Metric, ...] = (
    _metric(
        "profit_share_top20", "top20_share", "value of the best 20 % of customers (fractional boundary) / total value", ("D29",),
        ("Share of the best 20 %", "Part des 20 % meilleurs", "Quota del 20 % migliore", "前20%客户占比", "上位20%顧客の割合"),
    ),
    _metric(
        "customer_share_for_80", "customer_share_for_80", "smallest share of customers holding 80 % of the total, interpolated", ("D29",),
        ("Customers for 80 %", "Clients pour 80 %", "Clienti per l'80 %", "贡献80%价值的客户占比", "価値の80%を占める顧客の割合"),
    ),
    _metric(
        "value_gini", "gini_ratio", "sum((2i - n - 1) x_(i)) / (n sum(x)), x ascending", (),
        ("Gini of customer value", "Gini de la valeur client", "Gini del valore cliente", "客户价值基尼系数", "顧客価値のジニ係数"),
    ),
)  # fmt: skip
