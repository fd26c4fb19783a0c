"""The books: fiscal months, exchange rates, two budget versions a year and the ledger lines of a month.

People cost is what was paid for the agents' time, not what was handled; the other lines follow it, licences follow the seats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from demo_company.calendar import DAY, KINDS, Calendar, instant
from demo_company.codes import TOOLS
from demo_company.draws import Integers
from demo_company.files import NULL, Batch
from demo_company.money import Rates, half_up
from demo_company.outbox import Outbox
from demo_company.staff import LICENCE_CENTS, seats
from demo_company.workforce import Workforce


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
    is_licence: bool = False


LINES = (
    CostLine(0, 0, 0, 0, 10_000, 600_100, behaviour=2),
    CostLine(1, 0, 0, 1, 10_000, 600_100, behaviour=2),
    CostLine(2, 1, 0, 2, 10_000, 600_100, behaviour=2),
    CostLine(0, 0, 0, 0, 212, 600_200, vendor=3, behaviour=1),
    CostLine(NULL, 0, 1, 3, 0, 610_100, vendor=0, behaviour=2, is_licence=True),
    CostLine(NULL, 0, 1, 3, 327, 610_200, vendor=1, behaviour=1),
    CostLine(2, 1, 1, 4, 471, 610_300, vendor=0),
    CostLine(NULL, 0, 2, 5, 687, 620_100, vendor=2, behaviour=2),
    CostLine(2, 1, 2, 5, 533, 620_100, vendor=2, behaviour=2),
    CostLine(NULL, 0, 3, 6, 219, 630_100, vendor=3),
    CostLine(NULL, 0, 1, 3, -37, 610_200, vendor=1, behaviour=1),
    CostLine(NULL, 0, 3, 7, 600, 640_100, direct=False, in_scope=False),
)
CREDIT_NOTE = 10
"""Position of the telephony credit note: in the ledger, never in a budget."""


class Books:
    """Ids of fiscal months, years and budget versions, and the rows of the four finance feeds."""

    def __init__(self, calendar: Calendar, workforce: Workforce, rates: Rates, outbox: Outbox) -> None:
        self._calendar, self._workforce, self._rates, self._outbox = calendar, workforce, rates, outbox
        known = calendar.fiscal_periods
        self.periods = tuple(period.label for period in known)
        first, last = known[0].fiscal_year, known[-1].fiscal_year
        self.years = tuple(f"FY{year}" for year in range(first, last + 1))
        self.versions = tuple(f"{year}-v{version}" for year in self.years for version in (1, 2))
        self._journal = 0

    def open(self) -> None:
        """Queue what is known before the first month: the fiscal months and the budgets approved by then."""
        start = instant(self._calendar.starts[0])
        count = len(self.periods)
        self._outbox.add("fiscal_periods", self._period_rows(np.arange(count), NULL), np.full(count, start, dtype=np.int64))
        for year in range(len(self.years)):
            begin = self._calendar.fiscal_periods[12 * year].start
            for version, effective in enumerate((begin - timedelta(days=31), begin + timedelta(days=182))):
                self._budget(year, version, instant(effective))
        for position, day in enumerate(self._calendar.rate_days):
            self._rate(position, day)

    def month(self, month: int, people: Integers) -> None:
        """Queue the month's ledger lines on its last day, and the closing of the month before last."""
        after = self._calendar.starts[month + 1]
        posted = instant(after) - 6 * 3_600
        count = len(LINES)
        row = np.ones(count, dtype=np.int64)
        position = self._calendar.first_position + month
        licensed = seats(self._workforce, self._calendar.days(month).start)
        ledger = self._cost_rows(LINES, position, licensed) | {
            "journal_id": self._journal + np.arange(count, dtype=np.int64) // 4,
            "line_number": np.arange(count, dtype=np.int64) % 4 + 1,
            "book_id": row * 0,
            "posted_at": row * posted,
            "document_date": row * instant(after - timedelta(days=1)),
            "ledger_amount": self._amounts(LINES, people, licensed),
            "vendor": np.array([line.vendor for line in LINES], dtype=np.int64),
        }
        self._journal += 3
        self._outbox.add("ledger_actuals", ledger, row * posted)
        if month >= 2:
            closed = instant(self._calendar.starts[month]) + 5 * DAY
            one = np.ones(1, dtype=np.int64)
            self._outbox.add("fiscal_periods", self._period_rows(np.array([position - 2]), closed), one * closed)

    def _rate(self, position: int, day: date) -> None:
        row = np.ones(2, dtype=np.int64)
        known = max(instant(day), instant(self._calendar.starts[0]))
        rates = {
            "rate_date": row * instant(day),
            "from_currency_code": np.array((1, 2), dtype=np.int64),
            "to_currency_code": row * 0,
            "rate_type": row * 0,
            "rate_source": row * 0,
            "exchange_rate": self._rates.values[1:, position],
        }
        self._outbox.add("fx_rates", rates, row * known)

    @staticmethod
    def _amounts(lines: tuple[CostLine, ...], people: Integers, licensed: int) -> Integers:
        base = np.array(
            [people.sum() if line.department == NULL or line.category != 0 else people[line.department] for line in lines], dtype=np.int64
        )
        shared = half_up(base * np.array([line.share for line in lines], dtype=np.int64), 10_000)
        return np.where([line.is_licence for line in lines], licensed * len(TOOLS) * LICENCE_CENTS, shared)

    def _budget(self, year: int, version: int, effective: int) -> None:
        planned = tuple(line for position, line in enumerate(LINES) if position != CREDIT_NOTE)
        calendar = self._calendar
        for position in range(max(12 * year, calendar.first_position), 12 * year + 12):
            month = min(position - calendar.first_position, calendar.months - 1)
            people = self._workforce.planned_cents(month) * (100 + 4 * version) // 100
            licensed = seats(self._workforce, calendar.days(month).start)
            row = np.ones(len(planned), dtype=np.int64)
            budget = self._cost_rows(planned, position, licensed) | {
                "budget_version_id": row * (2 * year + version),
                "version_state": row * version,
                "version_effective_at": row * effective,
                "line_id": 100 * position + np.arange(len(planned), dtype=np.int64) + 1,
                "line_kind": row * 0,
                "budget_amount": half_up(self._amounts(planned, people, licensed), 1_000) * 1_000,
            }
            self._outbox.add("budgets", budget, row * effective)

    def _cost_rows(self, lines: tuple[CostLine, ...], position: int, licensed: int) -> Batch:
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
            "licensed_seats": np.where([line.is_licence for line in lines], licensed * len(TOOLS), NULL),
        }

    def _period_rows(self, positions: Integers, closed_at: int) -> Batch:
        row = np.ones(len(positions), dtype=np.int64)
        periods = [self._calendar.fiscal_periods[position] for position in positions]
        first = periods[0].fiscal_year - int(positions[0]) // 12
        return {
            "fiscal_period": positions.astype(np.int64),
            "fiscal_year": np.array([period.fiscal_year - first for period in periods], dtype=np.int64),
            "start_date": np.array([instant(period.start) for period in periods], dtype=np.int64),
            "end_date": np.array([instant(period.after) - DAY for period in periods], dtype=np.int64),
            "calendar_kind": row * KINDS.index(self._calendar.kind),
            "close_state": row * (closed_at != NULL),
            "closed_at": row * closed_at,
            "closed_by": row * (NULL if closed_at == NULL else 0),
        }
