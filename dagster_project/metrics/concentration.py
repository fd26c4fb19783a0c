"""Concentration of value on customers: 80/20 both ways, Lorenz, Gini, whale curve.

A population is a column of values, one a customer, whole minor units or counts; NA: not of this population. Which of two equal customers
comes first changes no share.
Sources: Lorenz (1905), Publications of the ASA 9(70); Gini (1912); Kaplan and Narayanan (2001), Journal of Cost Management 15(5),
for the whale curve. Holds formulas and their null rules. It must not know periods, windows or tables.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHARES = (
    "top20_share", "top20_ceiling_share", "customer_share_for_80", "customers_for_80_share", "gini_ratio", "gini_unbiased_ratio",
    "whale_peak_share",
)  # fmt: skip
COUNTS = ("customers_count", "total", "top20_ceiling_count", "customers_for_80_count")
REASONS = ("null_reason", "gini_null_reason")


def concentrate(values: pd.DataFrame, top: Decimal = Decimal("0.20"), target: Decimal = Decimal("0.80")) -> pd.DataFrame:
    """Both readings of 80/20, Gini and whale peak of each column of values; one row a column of `values`, which is the index.

    Columns: customers_count and total, exact; `SHARES` of the total or of the customers, 0..1 (above 1 is possible when some customers are
    negative); NA where `null_reason` or `gini_null_reason` says why.
    top20_share: value of exactly `top` of the customers, the boundary customer counted by its fraction.
    top20_ceiling_*: the same for ceil(top x n) whole customers. customer_share_for_80: smallest share of customers that holds
    `target` of the total, interpolated; customers_for_80_*: in whole customers. whale_peak_share: highest cumulative value over the total.
    No customers: all NA, `zero_denominator`; total <= 0: all NA, `total_not_positive`; Gini with a negative value:
    NA, `negative_values`, since it is then not bounded; unbiased Gini of one customer: NA.
    """
    rows = [_concentrate(_ascending(values[name]), top, target) for name in values]
    found = pd.DataFrame(rows, index=values.columns, columns=[*COUNTS, *SHARES, *REASONS], dtype=object)
    return found.astype({**dict.fromkeys(COUNTS, "Int64"), **dict.fromkeys(SHARES, "float64")})


def _concentrate(ascending: NDArray[np.int64], top: Decimal, target: Decimal) -> dict[str, object]:
    n, total = len(ascending), int(ascending.sum())
    if n == 0 or total <= 0:
        reason = "zero_denominator" if n == 0 else "total_not_positive"
        return {"customers_count": n, "total": total, "null_reason": reason, "gini_null_reason": reason}
    best = ascending[::-1]
    sums = np.concatenate(([0], best.cumsum()))  # value of the first so many customers, best first
    numerator, denominator = top.as_integer_ratio()
    whole, part = divmod(numerator * n, denominator)
    ceiling = whole + (part > 0)
    # The first rank whose exact cumulative value reaches the target: integers, so that no rounding moves the boundary.
    numerator, scale = target.as_integer_ratio()
    wanted = numerator * total
    reached = int(np.argmax(sums >= -(-wanted // scale))) - 1
    is_negative = ascending[0] < 0
    gini = None if is_negative else _gini(ascending, total)
    return {
        "customers_count": n,
        "total": total,
        "top20_share": (int(sums[whole]) + (part / denominator * int(best[whole]) if part else 0)) / total,
        "top20_ceiling_count": ceiling,
        "top20_ceiling_share": int(sums[ceiling]) / total,
        "customer_share_for_80": (reached + (wanted / scale - int(sums[reached])) / int(best[reached])) / n,
        "customers_for_80_count": reached + 1,
        "customers_for_80_share": (reached + 1) / n,
        "gini_ratio": gini,
        "gini_unbiased_ratio": gini * n / (n - 1) if gini is not None and n > 1 else None,
        "whale_peak_share": int(sums.max()) / total,
        "null_reason": None,
        "gini_null_reason": "negative_values" if is_negative else None,
    }


def _ascending(values: pd.Series) -> NDArray[np.int64]:
    return np.sort(values.dropna().to_numpy(np.int64))


def _gini(ascending: NDArray[np.int64], total: int) -> float:
    """Sum of (2i - n - 1) x_(i) over n times the total; in integers while they fit, so that equal customers give exactly 0."""
    n = len(ascending)
    weights = 2 * np.arange(1, n + 1, dtype=np.int64) - n - 1
    exact = n * total < 2**62
    moment = int(np.dot(weights, ascending)) if exact else float(np.dot(weights.astype(np.longdouble), ascending.astype(np.longdouble)))
    return moment / (n * total)


def curve(values: pd.Series, points: int = 101) -> pd.DataFrame:
    """Lorenz curve (poorest first, linear between customers) and whale curve (best first, whole customers), a row for each point.

    Columns: customer_share 0, 1/(points-1), ... 1; lorenz_share, value share of the poorest share, NaN with `null_reason`
    total_not_positive when the total is not positive; best_customers_count, so many whole best customers, and best_cumulative, their
    exact value, which is drawn whatever the sign of the total.
    """
    ascending = _ascending(values)
    n, total = len(ascending), int(ascending.sum())
    shares = np.arange(points) / (points - 1)
    whole = -(-np.arange(points, dtype=np.int64) * n // (points - 1))
    lorenz = np.full(points, np.nan)
    if total > 0:
        poorest, below = np.concatenate(([0], ascending.cumsum())), np.floor(shares * n).astype(np.int64)
        low, high = poorest[below] / total, poorest[np.minimum(below + 1, n)] / total
        lorenz = low + (high - low) * (shares * n - below)
    best = np.concatenate(([0], ascending[::-1].cumsum()))
    return pd.DataFrame({
        "customer_share": shares, "lorenz_share": lorenz, "best_customers_count": whole, "best_cumulative": best[whole],
        "null_reason": None if total > 0 else "total_not_positive",
    })  # fmt: skip
