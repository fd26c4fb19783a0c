"""Whole cents: rounding, and the monthly average exchange rates into the reporting currency."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from demo_company.calendar import DAY, Calendar
from demo_company.draws import Draws, Integers

RATE_SCALE = 100_000_000
_RATES = ((RATE_SCALE, 0), (117_000_000, 2_500_000), (92_000_000, 2_000_000))
"""Euro for one unit of EUR, GBP, USD, and how far a month's average is from it at most."""


def half_up(numerator: Integers, denominator: int) -> Integers:
    """Quotient rounded half away from zero, in whole numbers."""
    magnitude: Integers = (2 * np.abs(numerator) + denominator) // (2 * denominator)
    return np.where(numerator < 0, -magnitude, magnitude)


class Rates:
    """Average rates by currency and calendar month, in 1 / RATE_SCALE euro, and amounts converted at those of fiscal months."""

    def __init__(self, calendar: Calendar, seed: int) -> None:
        draws, months = Draws(seed, 3), len(calendar.rate_days)
        self._calendar, self._edges = calendar, calendar.rate_edges
        self.values = np.array([level + draws.integers(-spread, spread + 1, months) for level, spread in _RATES], dtype=np.int64)

    def to_euro(self, amounts: Integers, currency: Integers, at: Integers) -> Integers:
        """Euro cents for cents of a currency, each amount rounded once, at the average of its fiscal month (the last one after the end)."""
        month = np.clip(self._calendar.month_of(at), 0, self._calendar.months - 1)
        return np.where(currency == 0, amounts, half_up(amounts * self._of_months[currency, month], RATE_SCALE))

    @cached_property
    def _of_months(self) -> Integers:
        """Average rates by currency and fiscal month: each day counts with the rate of its calendar month."""
        means = []
        for month in range(self._calendar.months):
            days = np.array(self._calendar.days(month), dtype=np.int64) * DAY
            means.append(half_up(self.values[:, np.searchsorted(self._edges, days, side="right") - 1].sum(axis=1), len(days)))
        return np.array(means, dtype=np.int64).T
