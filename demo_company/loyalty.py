"""Who was an active customer at each month's end, by the product's published definition: decision 10, returned purchases not counted."""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY, Calendar
from demo_company.draws import Integers
from demo_company.files import Batch, take

ACTIVITY_WINDOW_DAYS, TAKEN_BACK_DAYS = 365, 30
_NO_DAY = -(10**9)
COUNTS = ("opening_active", "new", "retained", "reactivated", "churned", "active")


class Loyalty:
    """One row per counted sale (order, account as the company knows it, day, net cents), and per refund."""

    def __init__(self, calendar: Calendar, accounts: int) -> None:
        self._calendar, self._accounts = calendar, accounts
        self._sales: list[Integers] = [np.empty((4, 0), dtype=np.int64)]
        self._refunds: list[Integers] = [np.empty((3, 0), dtype=np.int64)]

    def sold(self, lines: Batch) -> None:
        """Add the lines of counted sales; all lines of an order come together."""
        lines = take(lines, np.argsort(lines["order_id"], kind="stable"))
        first = np.flatnonzero(np.diff(lines["order_id"], prepend=-1))
        if len(first):
            net = np.add.reduceat(lines["net_amount"], first)
            bought = net > 0
            sale = take(lines, first)
            self._sales.append(np.stack([sale["order_id"], sale["_account_id"], sale["_ordered_at"] // DAY, net])[:, bought])

    def refunded(self, refunds: Batch) -> None:
        """Add refunds."""
        self._refunds.append(np.stack([refunds["order_id"], refunds["refunded_at"] // DAY, refunds["refund_amount"]]))

    def months(self, surviving: Integers) -> dict[str, Integers]:
        """Count accounts, merged, by month: opening_active + new + reactivated - churned = active = new + retained + reactivated."""
        account, day = self._kept()
        account = surviving[account]
        days = self._calendar.edges // DAY
        first, last = np.full(self._accounts, -_NO_DAY, dtype=np.int64), np.full(self._accounts, _NO_DAY, dtype=np.int64)
        np.minimum.at(first, account, day)
        order = np.lexsort((day, account))
        account, day = account[order], day[order]
        gap = np.diff(day, prepend=0) * (np.diff(account, prepend=-1) == 0)
        order = np.argsort(day, kind="stable")
        account, day, returned = account[order], day[order], gap[order] > ACTIVITY_WINDOW_DAYS
        bounds = np.searchsorted(day, days)
        before = np.zeros(self._accounts, dtype=np.bool_)
        counts: dict[str, list[int]] = {name: [] for name in COUNTS}
        for month in range(self._calendar.months):
            here = slice(int(bounds[month]), int(bounds[month + 1]))
            last[account[here]] = day[here]
            active = last >= days[month + 1] - ACTIVITY_WINDOW_DAYS
            new = (first >= days[month]) & (first < days[month + 1])
            stayed = before & active
            stayed[account[here][returned[here]]] = False
            groups = (before, active & new, stayed, active & ~new & ~stayed, before & ~stayed, active)
            for name, flags in zip(COUNTS, groups, strict=True):
                counts[name].append(int(flags.sum()))
            before = active
        return {name: np.array(values, dtype=np.int64) for name, values in counts.items()}

    def _kept(self) -> tuple[Integers, Integers]:
        """Accounts and days of the sales that were not refunded in full within TAKEN_BACK_DAYS."""
        number, account, day, net = np.concatenate(self._sales, axis=1)
        order = np.argsort(number, kind="stable")
        number, account, day, net = number[order], account[order], day[order], net[order]
        refund, when, amount = np.concatenate(self._refunds, axis=1)
        back = np.zeros(len(number), dtype=np.int64)
        if len(number):
            place = np.minimum(np.searchsorted(number, refund), len(number) - 1)
            soon = (number[place] == refund) & (when <= day[place] + TAKEN_BACK_DAYS)
            np.add.at(back, place[soon], amount[soon])
        return account[back < net], day[back < net]
