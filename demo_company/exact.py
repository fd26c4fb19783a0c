"""Logarithm and exponential from + - * / and the bits of the exponent only: the same last bit on any processor.

Libraries may answer `log(x)` with one of two neighbouring floats; IEEE 754 fixes the four operations, `sqrt`, and the
splitting of a float into mantissa and exponent. Both functions are right to about 2e-16 of the result (`log` near 1: of the argument).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts; the first has 32 bits, so that a multiple of it is exact."""
_SQRT_HALF = 0.7071067811865476
_LOG_TERMS, _EXP_TERMS = 13, 15
LOWEST, HIGHEST = -700.0, 700.0


def log(x: Floats) -> Floats:
    """Natural logarithm of positive numbers: 2 atanh((m - 1) / (m + 1)) + e ln 2 for x = m 2**e, m in [0.71, 1.41)."""
    mantissa, exponent = np.frexp(np.asarray(x, dtype=np.float64))
    small = mantissa < _SQRT_HALF
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    e = (exponent - small).astype(np.float64)
    z = (mantissa - 1.0) / (mantissa + 1.0)
    square = z * z
    series = np.zeros_like(z)
    for k in range(_LOG_TERMS, 0, -1):
        series = (series + 1.0 / (2 * k + 1)) * square
    return np.asarray(e * _LN2_HIGH + (2.0 * z + (2.0 * z * series + e * _LN2_LOW)))


def exp(x: Floats) -> Floats:
    """Exponential for arguments within LOWEST..HIGHEST, clipped there: exp(r) 2**k with |r| below half of ln 2."""
    x = np.clip(np.asarray(x, dtype=np.float64), LOWEST, HIGHEST)
    k = np.rint(x / (_LN2_HIGH + _LN2_LOW))
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    series = np.ones_like(r)
    for n in range(_EXP_TERMS, 0, -1):
        series = 1.0 + series * r / n
    return np.asarray(np.ldexp(series, k.astype(np.int32)))
