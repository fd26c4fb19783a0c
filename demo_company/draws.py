"""Random draws that give the same numbers on any machine and with any numpy of the same bit generator.

Only raw bits, integer arithmetic, `+ - * /`, `sqrt` and the functions of `exact` are used: these are fixed by IEEE 754, whereas
`exp`, `log` and numpy's distributions may change a last bit with the processor or a stream with the release.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from demo_company.exact import exp, log

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TEN_THOUSAND = 10_000
_POISSON_PART = 16.0
"""Means above this are drawn as a sum of parts, so that exp(-mean) never gets close to nothing."""


class Draws:
    """One stream of draws, named by the seed and a path of whole numbers."""

    def __init__(self, seed: int, *path: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, *path]))

    def _raw(self, count: int) -> NDArray[np.uint64]:
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)

    def uniform(self, count: int) -> Floats:
        """Uniform on [0, 1), 53 bits."""
        return (self._raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def integers(self, low: int | Integers, high: int | Integers, count: int) -> Integers:
        """Whole numbers in [low, high); the span must stay below 2**31 and may differ by row."""
        span = np.asarray(np.asarray(high) - np.asarray(low), dtype=np.uint64)
        return np.asarray(low + (((self._raw(count) >> np.uint64(32)) * span) >> np.uint64(32)).astype(np.int64), dtype=np.int64)

    def chance(self, count: int, per_ten_thousand: int | Integers) -> Flags:
        """Draw true with the given probability, which may differ by row."""
        return np.asarray(self.integers(0, TEN_THOUSAND, count) < per_ten_thousand)

    def choice(self, count: int, shares: tuple[int, ...]) -> Integers:
        """Positions drawn with shares that sum to 10,000."""
        if sum(shares) != TEN_THOUSAND:
            raise ValueError(f"shares sum to {sum(shares)}, not {TEN_THOUSAND}")
        return np.searchsorted(np.cumsum(shares), self.integers(0, TEN_THOUSAND, count), side="right").astype(np.int64)

    def choice_by(self, shares: Integers) -> Integers:
        """Positions drawn with one row of shares per draw, each row summing to 10,000."""
        edges = np.cumsum(shares, axis=1)
        return np.asarray((self.integers(0, TEN_THOUSAND, len(shares))[:, None] >= edges).sum(axis=1), dtype=np.int64)

    def weighted(self, weights: Integers, count: int) -> Integers:
        """Positions drawn in proportion to whole weights."""
        edges = np.cumsum(weights)
        return np.searchsorted(edges, self.integers(0, int(edges[-1]), count), side="right").astype(np.int64)

    def order(self, count: int) -> Integers:
        """Each of 0..count-1 once, in random order."""
        return np.argsort(self._raw(count), kind="stable").astype(np.int64)

    def exponential(self, count: int) -> Floats:
        """Exponential with mean 1, by inversion."""
        return -log(1.0 - self.uniform(count))

    def normal(self, count: int) -> Floats:
        """Draw standard normal numbers by the polar method (Marsaglia and Bray 1964); pairs outside the circle are drawn again."""
        found = np.empty(0)
        while len(found) < count:
            pairs = max(8, (count - len(found)) * 7 // 10)
            u, v = 2.0 * self.uniform(pairs) - 1.0, 2.0 * self.uniform(pairs) - 1.0
            square = u * u + v * v
            inside = (square > 0.0) & (square < 1.0)
            u, v, square = u[inside], v[inside], square[inside]
            factor = np.sqrt(-2.0 * log(square) / square)
            found = np.concatenate([found, u * factor, v * factor])
        return found[:count]

    def lognormal(self, medians: Floats, sigma: float) -> Floats:
        """Lognormal with the given medians, one draw each."""
        return medians * exp(sigma * self.normal(len(medians)))

    def gamma(self, shape: float, count: int) -> Floats:
        """Gamma with scale 1 (Marsaglia and Tsang 2000); below shape 1 a draw of shape + 1 times u ** (1 / shape)."""
        if shape < 1.0:
            return self.gamma(shape + 1.0, count) * exp(log(1.0 - self.uniform(count)) / shape)
        d = shape - 1.0 / 3.0
        c = 1.0 / (3.0 * float(np.sqrt(d)))
        result = np.empty(count)
        open_rows = np.arange(count)
        while len(open_rows):
            x = self.normal(len(open_rows))
            u = 1.0 - self.uniform(len(open_rows))
            v = 1.0 + c * x
            cube = np.where(v > 0.0, v * v * v, 1.0)
            kept = (v > 0.0) & (log(u) < 0.5 * x * x + d - d * cube + d * log(cube))
            result[open_rows[kept]] = d * cube[kept]
            open_rows = open_rows[~kept]
        return result

    def poisson(self, means: Floats) -> Integers:
        """Poisson counts by inversion, one for each mean."""
        parts = np.maximum(np.ceil(means / _POISSON_PART), 1.0).astype(np.int64)
        rows = np.repeat(np.arange(len(means)), parts)
        mean = means[rows] / parts[rows]
        u = self.uniform(len(rows))
        term = exp(-mean)
        total = term.copy()
        counts = np.zeros(len(rows), dtype=np.int64)
        above = np.flatnonzero(u >= total)
        while len(above):
            counts[above] += 1
            term[above] = term[above] * mean[above] / counts[above]
            total[above] += term[above]
            above = above[(u[above] >= total[above]) & (term[above] > 0.0)]
        result = np.zeros(len(means), dtype=np.int64)
        np.add.at(result, rows, counts)
        return result
