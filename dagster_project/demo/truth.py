"""What is true of the files: counted from the whole numbers at the moment of delivery, written as truth.json.

Money is in cents of the reporting currency; each amount of a line or refund is converted once at its month's average rate
and rounded half away from zero. The cost of goods of a line is first rounded to the cent in the order's currency.
Accounts count as ordering in the month of a counted sale, whether or not it was refunded later.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from dagster_project.demo import customers, interactions, offers, sales, service, surveys
from dagster_project.demo.books import RATE_SCALE, Books
from dagster_project.demo.calendar import DAY, Calendar
from dagster_project.demo.codes import COST_CATEGORIES, DEPARTMENTS, POOLS
from dagster_project.demo.draws import Flags, Integers
from dagster_project.demo.files import NULL, Batch, rows
from dagster_project.demo.sales import half_up

OFFER_WINDOW_DAYS = 30


class Truth:
    """Running sums by month over all deliveries."""

    def __init__(self, calendar: Calendar, books: Books, accounts: int) -> None:
        self._calendar, self._rates = calendar, books.rates
        months = calendar.months
        self._rows: Counter[str] = Counter()
        self._cost = np.zeros((months, len(COST_CATEGORIES), 2), dtype=np.int64)
        self._pools = np.zeros((months, len(POOLS)), dtype=np.int64)
        self._money = {
            name: np.zeros(months, dtype=np.int64) for name in ("gross_sales", "net_sales", "credits", "cost_of_goods", "refunds")
        }
        self._ordering = np.zeros((accounts, months), dtype=np.bool_)
        self._counts = {name: np.zeros(months, dtype=np.int64) for name in ("interactions", "offer_orders", "lost_accounts")}
        self._exposure = np.zeros((2, 2), dtype=np.int64)

    def delivered(self, feeds: dict[str, Batch]) -> None:
        """Count one delivery."""
        for feed, batch in feeds.items():
            self._rows[feed] += rows(batch)
        if "order_lines" in feeds:
            self._lines(feeds["order_lines"])
        if "refunds" in feeds:
            refunds = feeds["refunds"]
            amounts = self._converted(refunds["refund_amount"], refunds["currency_code"], refunds["refunded_at"])
            np.add.at(self._money["refunds"], self._calendar.month_of(refunds["refunded_at"]), amounts)
        if "ledger_actuals" in feeds:
            ledger = feeds["ledger_actuals"]
            month = self._calendar.month_of(ledger["posted_at"])
            np.add.at(self._cost, (month, ledger["cost_category"], ledger["is_in_scope"]), ledger["ledger_amount"])
            np.add.at(self._pools, (month, ledger["pool_id"]), ledger["ledger_amount"])
        for feed, at, name in (("interactions", "started_at", "interactions"), ("orders", "ordered_at", "offer_orders")):
            if feed in feeds:
                kept = feeds[feed][at][feeds[feed]["offer_id"] != NULL] if feed == "orders" else feeds[feed][at]
                np.add.at(self._counts[name], self._calendar.month_of(kept), 1)

    def survived(self, month: int, present: Flags, exposed: Flags, lost: Integers) -> None:
        """Count the accounts at risk and lost at the end of a month, without and with bad service."""
        self._counts["lost_accounts"][month] = len(lost)
        for group, flags in enumerate((present & ~exposed, present & exposed)):
            self._exposure[group] += (int(flags.sum()), int(flags[lost].sum()))

    def _lines(self, lines: Batch) -> None:
        counted = (lines["_is_test"] == 0) & (lines["_order_state"] == 0)
        lines = {name: values[counted] for name, values in lines.items()}
        month = self._calendar.month_of(lines["_ordered_at"])
        net = self._converted(lines["net_amount"], lines["_currency_code"], lines["_ordered_at"])
        goods = half_up(lines["unit_cost"] * (lines["quantity"] // 1_000), 100)
        cost = self._converted(goods, lines["_currency_code"], lines["_ordered_at"])
        gross = lines["_order_kind"] == 0
        np.add.at(self._money["gross_sales"], month[gross], net[gross])
        np.add.at(self._money["credits"], month[~gross], net[~gross])
        np.add.at(self._money["net_sales"], month, net)
        np.add.at(self._money["cost_of_goods"], month, cost)
        self._ordering[lines["_account_id"][gross & (net > 0)], month[gross & (net > 0)]] = True

    def _converted(self, amounts: Integers, currency: Integers, at: Integers) -> Integers:
        """Cents of the reporting currency for cents of the order's currency, at the average rate of the month."""
        return np.where(currency == 0, amounts, half_up(amounts * self._rates[self._calendar.month_of(at)], RATE_SCALE))

    def document(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the whole truth as plain numbers; months as YYYY-MM."""
        names = [day.strftime("%Y-%m") for day in self._calendar.starts[:-1]]
        first = np.where(self._ordering.any(axis=1), self._ordering.argmax(axis=1), -1)
        counts = self._counts | {
            "ordering_accounts": self._ordering.sum(axis=0),
            "new_accounts": np.bincount(first[first >= 0], minlength=len(names)),
        }
        return {
            "parameters": parameters,
            "true_values": _true_values(),
            "rows": dict(sorted(self._rows.items())),
            "cost_cents": {
                name: {category: int(self._cost[m, c, 1]) for c, category in enumerate(COST_CATEGORIES)} for m, name in enumerate(names)
            },
            "out_of_scope_cents": {name: int(self._cost[m, :, 0].sum()) for m, name in enumerate(names)},
            "pool_cents": {name: {pool: int(self._pools[m, p]) for p, pool in enumerate(POOLS)} for m, name in enumerate(names)},
            "money_cents": {name: {kind: int(values[m]) for kind, values in self._money.items()} for m, name in enumerate(names)},
            "counts": {name: {kind: int(values[m]) for kind, values in counts.items()} for m, name in enumerate(names)},
            "account_months": {
                group: {"at_risk": int(self._exposure[position, 0]), "lost": int(self._exposure[position, 1])}
                for position, group in enumerate(("without_bad_service", "with_bad_service"))
            },
        }


def _true_values() -> dict[str, Any]:
    return {
        "reporting_currency_code": "EUR",
        "loss_hazard_per_ten_thousand": {"without_bad_service": customers.HAZARD_BASE, "with_bad_service": customers.HAZARD_BAD_SERVICE},
        "bad_service_per_ten_thousand_tickets": dict(zip(DEPARTMENTS, service.BAD_SERVICE, strict=True)),
        "tickets_per_ten_thousand_orders": service.TICKETS_PER_TEN_THOUSAND_ORDERS,
        "orders_per_ten_thousand_weight": sales.ORDERS_PER_TEN_THOUSAND_WEIGHT,
        "loose_interactions_per_ten_thousand_weight": interactions.LOOSE_PER_TEN_THOUSAND_WEIGHT,
        "offers_accepted_per_ten_thousand_contacts": offers.ACCEPTED_PER_TEN_THOUSAND_CONTACTS,
        "offer_window_seconds": OFFER_WINDOW_DAYS * DAY,
        "csat_answers_per_ten_thousand_tickets": surveys.ANSWERS_PER_TEN_THOUSAND_TICKETS,
    }
