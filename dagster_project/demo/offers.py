"""Offers made in good service contacts and accepted by an order: most within the window, some too late to count."""

from __future__ import annotations

import numpy as np

from dagster_project.demo.calendar import DAY
from dagster_project.demo.customers import Customers
from dagster_project.demo.draws import Draws
from dagster_project.demo.files import Batch, take
from dagster_project.demo.sales import Sales

ACCEPTED_PER_TEN_THOUSAND_CONTACTS = 150
LATE_SHARE = 1_000
WITHIN_DAYS, LATE_DAYS = 20, (31, 42)
"""Late orders come from the first half of the month only, so that they still precede the next month's end."""


class Offers:
    """Running offer numbers."""

    def __init__(self, customers: Customers, sales: Sales) -> None:
        self._customers, self._sales = customers, sales
        self._next = 0

    def month(self, month: int, contacts: Batch, draws: Draws) -> None:
        """Orders after this month's contacts of accounts that are still there next month."""
        start, end = self._customers.calendar.edges[month : month + 2]
        able = (contacts["started_at"] < end) & self._customers.present(month + 1)[contacts["_account"]]
        chosen = take(contacts, able & draws.chance(len(able), ACCEPTED_PER_TEN_THOUSAND_CONTACTS))
        count = len(chosen["started_at"])
        late = draws.chance(count, LATE_SHARE) & (chosen["started_at"] < start + 15 * DAY)
        soon = chosen["ended_at"] + draws.integers(3_600, WITHIN_DAYS * DAY, count)
        after = chosen["started_at"] + draws.integers(LATE_DAYS[0] * DAY, LATE_DAYS[1] * DAY, count)
        offers = np.arange(self._next, self._next + count, dtype=np.int64)
        self._next += count
        self._sales.accept_offers(chosen["_account"], np.where(late, after, soon), chosen["interaction_id"], offers, draws)
