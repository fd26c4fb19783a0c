"""The books: fiscal months, exchange rates, budget versions and about twelve ledger lines a month that follow the work done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from dagster_project.demo.calendar import DAY, Calendar, instant, month_start
from dagster_project.demo.draws import Draws, Integers
from dagster_project.demo.files import NULL, Batch
from dagster_project.demo.outbox import Outbox
from dagster_project.demo.sales import half_up

CENTS_PER_HOUR, UTILISATION_PERCENT = 3_200, 62
EXPECTED_SECONDS_PER_ACCOUNT = (190, 115, 95)
"""Planned handling seconds a month for each account of the company, by department: what the budget is made of."""
RATE_SCALE = 100_000_000


@dataclass(frozen=True)
class CostLine:
    """A recurring line: its share of the people cost (all departments, or its own) in 1/10,000; null department = shared."""

    department: int
    site: int
    category: int
    pool: int
    share: int
    account: int
    vendor: int = NULL
    behaviour: int = 0
    direct: bool = True
    in_scope: bool = True


LINES = (
    CostLine(0, 0, 0, 0, 10_000, 600_100, behaviour=1),
    CostLine(1, 0, 0, 1, 10_000, 600_100, behaviour=1),
    CostLine(2, 1, 0, 2, 10_000, 600_100, behaviour=1),
    CostLine(0, 0, 0, 0, 412, 600_200, behaviour=1),
    CostLine(NULL, 0, 1, 3, 913, 610_100, vendor=0),
    CostLine(NULL, 0, 1, 3, 527, 610_200, vendor=1, behaviour=1),
    CostLine(2, 1, 1, 4, 871, 610_300, vendor=0),
    CostLine(NULL, 0, 2, 5, 1_187, 620_100, vendor=2, behaviour=2),
    CostLine(2, 1, 2, 5, 1_033, 620_100, vendor=2, behaviour=2),
    CostLine(NULL, 0, 3, 6, 319, 630_100, vendor=3),
    CostLine(NULL, 0, 1, 3, -37, 610_200, vendor=1, behaviour=1),
    CostLine(NULL, 0, 3, 7, 600, 640_100, direct=False, in_scope=False),
)
CREDIT_NOTE = 10
"""Position of the telephony credit note: in the ledger, never in a budget."""


class Books:
    """Ids of fiscal months, years and budget versions, and the rows of the four finance feeds."""

    def __init__(self, calendar: Calendar, accounts: int, outbox: Outbox, seed: int) -> None:
        self._calendar, self._outbox, self._accounts = calendar, outbox, accounts
        first, last = calendar.starts[0].year, calendar.end.year
        self._days = [month_start(first, number + 1) for number in range(12 * (last - first + 1) + 1)]
        self.periods = tuple(day.strftime("%Y-%m") for day in self._days[:-1])
        self.years = tuple(f"FY{year}" for year in range(first, last + 1))
        self.versions = tuple(f"{year}-v{version}" for year in self.years for version in (1, 2))
        self.rates = 117_000_000 + Draws(seed, 3).integers(-2_500_000, 2_500_000, calendar.months)
        self._journal = 0

    def open(self) -> None:
        """Queue what is known before the first month: the fiscal months and the budgets approved by then."""
        start = instant(self._calendar.starts[0])
        count = len(self.periods)
        self._outbox.add("fiscal_periods", self._period_rows(np.arange(count), NULL), np.full(count, start, dtype=np.int64))
        for position, year in enumerate(range(self._calendar.starts[0].year, self._calendar.end.year + 1)):
            for version, effective in enumerate((date(year - 1, 12, 1), date(year, 7, 1))):
                self._budget(position, version, instant(effective))

    def month(self, month: int, seconds: Integers) -> None:
        """Queue the month's average rate on its first day, the ledger lines on its last, and the closing of the month before last."""
        first, after = self._calendar.starts[month : month + 2]
        one = np.ones(1, dtype=np.int64)
        rate = {
            "rate_date": one * instant(first),
            "from_currency_code": one,
            "to_currency_code": one * 0,
            "rate_type": one * 0,
            "rate_source": one * 0,
            "exchange_rate": one * self.rates[month],
        }
        self._outbox.add("fx_rates", rate, one * instant(first))
        posted = instant(after) - 6 * 3_600
        people = self._people(seconds)
        count = len(LINES)
        row = np.ones(count, dtype=np.int64)
        ledger = self._cost_rows(LINES, self._position(first)) | {
            "journal_id": self._journal + np.arange(count, dtype=np.int64) // 4,
            "line_number": np.arange(count, dtype=np.int64) % 4 + 1,
            "book_id": row * 0,
            "posted_at": row * posted,
            "document_date": row * instant(after - timedelta(days=1)),
            "ledger_amount": self._amounts(LINES, people),
            "vendor": np.array([line.vendor for line in LINES], dtype=np.int64),
        }
        self._journal += 3
        self._outbox.add("ledger_actuals", ledger, row * posted)
        if month >= 2:
            closed = instant(first) + 5 * DAY
            self._outbox.add(
                "fiscal_periods", self._period_rows(np.array([self._position(self._calendar.starts[month - 2])]), closed), one * closed
            )

    def _position(self, day: date) -> int:
        return self._days.index(day)

    @staticmethod
    def _people(seconds: Integers) -> Integers:
        """Cents of people cost by department for handled seconds, at the planned utilisation."""
        return half_up(seconds * CENTS_PER_HOUR * 100, 3_600 * UTILISATION_PERCENT)

    @staticmethod
    def _amounts(lines: tuple[CostLine, ...], people: Integers) -> Integers:
        base = np.array(
            [people.sum() if line.department == NULL or line.category != 0 else people[line.department] for line in lines], dtype=np.int64
        )
        return half_up(base * np.array([line.share for line in lines], dtype=np.int64), 10_000)

    def _budget(self, year: int, version: int, effective: int) -> None:
        planned = tuple(line for position, line in enumerate(LINES) if position != CREDIT_NOTE)
        people = self._people(np.array(EXPECTED_SECONDS_PER_ACCOUNT, dtype=np.int64) * self._accounts * (100 + 4 * version)) // 100
        amounts = half_up(self._amounts(planned, people), 1_000) * 1_000
        first = self._position(self._calendar.starts[0])
        for position in range(max(12 * year, first), 12 * year + 12):
            row = np.ones(len(planned), dtype=np.int64)
            budget = self._cost_rows(planned, position) | {
                "budget_version_id": row * (2 * year + version),
                "version_state": row * version,
                "version_effective_at": row * effective,
                "line_id": 100 * position + np.arange(len(planned), dtype=np.int64) + 1,
                "line_kind": row * 0,
                "budget_amount": amounts,
            }
            self._outbox.add("budgets", budget, row * effective)

    @staticmethod
    def _cost_rows(lines: tuple[CostLine, ...], position: int) -> Batch:
        row = np.ones(len(lines), dtype=np.int64)
        in_scope = np.array([line.in_scope for line in lines])
        return {
            "legal_entity": row * 0,
            "cost_centre": np.array(
                [4_000 if line.department == NULL else 4_100 + 100 * line.department for line in lines], dtype=np.int64
            ),
            "department_id": np.array([line.department for line in lines], dtype=np.int64),
            "site_id": np.array([line.site for line in lines], dtype=np.int64),
            "fiscal_period": row * position,
            "gl_account": np.array([line.account for line in lines], dtype=np.int64),
            "cost_category": np.array([line.category for line in lines], dtype=np.int64),
            "pool_id": np.array([line.pool for line in lines], dtype=np.int64),
            "currency_code": row * 0,
            "cost_behaviour": np.array([line.behaviour for line in lines], dtype=np.int64),
            "traceability": np.array([0 if line.direct else 1 for line in lines], dtype=np.int64),
            "recurrence": np.array([1 if line.share < 0 else 0 for line in lines], dtype=np.int64),
            "is_in_scope": in_scope.astype(np.int64),
            "scope_reason": np.where(in_scope, NULL, 0),
        }

    def _period_rows(self, positions: Integers, closed_at: int) -> Batch:
        row = np.ones(len(positions), dtype=np.int64)
        return {
            "fiscal_period": positions.astype(np.int64),
            "fiscal_year": (positions // 12).astype(np.int64),
            "start_date": np.array([instant(self._days[position]) for position in positions], dtype=np.int64),
            "end_date": np.array([instant(self._days[position + 1]) - DAY for position in positions], dtype=np.int64),
            "calendar_kind": row * 0,
            "close_state": row * (closed_at != NULL),
            "closed_at": row * closed_at,
            "closed_by": row * (NULL if closed_at == NULL else 0),
        }
