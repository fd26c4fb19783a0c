"""What is fixed beforehand: ring cadences, rights of accounts to service, figures of other companies, and the company's own initiatives."""

from __future__ import annotations

from datetime import date

import numpy as np

from demo_company.calendar import Calendar, instant
from demo_company.codes import BENCHMARKED, INITIATIVES
from demo_company.customers import Customers
from demo_company.draws import Integers
from demo_company.files import NULL, Batch
from demo_company.outbox import Outbox

_CYCLES = (5_000, 5_000, 5_000, 3_000, 6_000, 3_000, 5_000)
"""Milliseconds from ring to ring by country (ITU-T E.180 Supplement 2)."""
_TIERS = ((16_800, 60), (5_500, 240), (4_500, 480))
"""Hours a week in hundredths and promised minutes to the first reply of the tiers A, B and C; B's are halved in the middle."""
_ENTITLED_PER_MILLE, _ENTITLED_MINUTES = 20, 30
_QUARTILES = ((6_800, 7_700, 8_500), (7_500, 8_100, 8_800), (2_000, 3_200, 4_600), (300, 550, 900))
"""Lower quartile, median and upper quartile of the benchmarked metrics, in 1/10,000."""
_INITIATIVES = ((4, 1, 2, 1_800_000, 7_400), (0, 0, 3, 400_000, 9_200), (1, 0, 1, 2_500_000, 5_200))
"""Lever, aim, goal of the strategy, cost in cents, and baseline in 1/10,000."""


class Promises:
    """Delivered at the start; what changes in the middle comes then."""

    def __init__(self, customers: Customers, calendar: Calendar, outbox: Outbox) -> None:
        self._customers, self._calendar, self._outbox = customers, calendar, outbox
        self._start = instant(calendar.starts[0])
        self._middle = instant(calendar.starts[calendar.months // 2]) if calendar.months > 1 else None
        best = np.argsort(customers.rank, kind="stable")[: max(customers.count * _ENTITLED_PER_MILLE // 1_000, 1)]
        self.entitled: Integers = np.sort(best).astype(np.int64)
        """Accounts with a right of their own."""

    def open(self) -> None:
        """Queue all rows."""
        countries = np.arange(len(_CYCLES), dtype=np.int64)
        self._add("ring_cadence", {
            "country_code": countries,
            "ring_cycle_seconds": np.array(_CYCLES, dtype=np.int64),
            "cadence": countries,
            "cadence_source": countries * 0,
        })  # fmt: skip
        self._entitlements()
        year = self._calendar.starts[0].year
        years = np.arange(year, self._calendar.starts[-1].year + 1, dtype=np.int64)
        metric, position = np.repeat(np.arange(len(BENCHMARKED)), len(years)), np.tile(years - year, len(BENCHMARKED))
        low, middle, high = (np.array(_QUARTILES, dtype=np.int64)[metric] + 50 * position[:, None]).T
        self._add("benchmarks", {
            "metric_id": metric,
            "benchmark_year": np.tile(years, len(BENCHMARKED)),
            "benchmark_source": metric * 0,
            "lower_quartile_value": low,
            "median_value": middle,
            "upper_quartile_value": high,
            "companies_count": 180 + 12 * position,
        })  # fmt: skip
        self._initiatives()

    def _entitlements(self) -> None:
        tiers, own = len(_TIERS), len(self.entitled)
        hours, minutes = (np.array(values, dtype=np.int64) for values in zip(*_TIERS, strict=True))
        rights = {
            "entitlement_id": np.arange(tiers + own, dtype=np.int64),
            "valid_from_date": np.full(tiers + own, self._start, dtype=np.int64),
            "valid_to_date": np.full(tiers + own, NULL, dtype=np.int64),
            "account_id": np.concatenate([np.full(tiers, NULL, dtype=np.int64), self.entitled]),
            "customer_tier": np.concatenate([np.arange(tiers, dtype=np.int64), np.full(own, NULL, dtype=np.int64)]),
            "line_id": np.minimum(np.arange(tiers + own, dtype=np.int64), tiers),
            "schedule_id": np.concatenate([np.array([NULL, 0, 0], dtype=np.int64), self.entitled % 2]),
            "weekly_hours": np.concatenate([hours, np.full(own, 4_500, dtype=np.int64)]),
            "is_toll_free": (np.arange(tiers + own) % tiers == 0).astype(np.int64),
            "response_target_minutes": np.concatenate([minutes, np.full(own, _ENTITLED_MINUTES, dtype=np.int64)]),
        }
        joined = np.concatenate([np.full(tiers, self._start, dtype=np.int64), self._customers.present_from[self.entitled]])
        self._outbox.add("entitlements", rights | {"valid_from_date": joined // 86_400 * 86_400}, joined)
        if self._middle is None:
            return
        ended = {name: values[1:2] for name, values in rights.items()}
        at = np.array([self._middle], dtype=np.int64)
        self._outbox.add("entitlements", ended | {"valid_to_date": at}, at)
        self._outbox.add("entitlements", ended | {"valid_from_date": at, "response_target_minutes": minutes[1:2] // 2}, at)

    def _initiatives(self) -> None:
        number = np.arange(len(INITIATIVES), dtype=np.int64)
        lever, aim, goal, cost, baseline = (np.array(values, dtype=np.int64) for values in zip(*_INITIATIVES, strict=True))
        starts = [self._calendar.starts[place * self._calendar.months // len(INITIATIVES)] for place in range(len(INITIATIVES))]
        begin = np.array([instant(day) for day in starts], dtype=np.int64)
        rows = {
            "initiative_id": number,
            "initiative_name": number,
            "lever": lever,
            "aim": aim,
            "strategy_goal": goal,
            "start_date": begin,
            "end_date": np.array([instant(_half_a_year_later(day)) for day in starts], dtype=np.int64),
            "cost_amount": cost,
            "currency_code": number * 0,
            "target_metric_id": number,
            "baseline_value": baseline,
            "guard_metric_ids": number * 0,
        }
        self._outbox.add("initiatives", rows, begin)

    def _add(self, feed: str, rows: Batch) -> None:
        self._outbox.add(feed, rows, np.full(len(next(iter(rows.values()))), self._start, dtype=np.int64))


def _half_a_year_later(day: date) -> date:
    month = day.month + 5
    return date(day.year + month // 12, month % 12 + 1, min(day.day, 28))
