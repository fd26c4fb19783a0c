"""Random draws that give the same numbers on any machine and with any numpy of the same bit generator.

Only raw bits, integer arithmetic, `+ - * /` and `sqrt` are used: these are exact by IEEE 754, whereas `exp`, `log`
and numpy's distributions may change a last bit with the processor or a stream with the release.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TEN_THOUSAND = 10_000


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

    def weighted(self, weights: Integers, count: int) -> Integers:
        """Positions drawn in proportion to whole weights."""
        edges = np.cumsum(weights)
        return np.searchsorted(edges, self.integers(0, int(edges[-1]), count), side="right").astype(np.int64)
