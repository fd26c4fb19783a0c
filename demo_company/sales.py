"""Orders, their payments and refunds: the immortal stream of every account, of which the living part is delivered."""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY
from demo_company.catalogue import Catalogue, first_lines
from demo_company.customers import WEEK, Customers
from demo_company.draws import Draws, Flags, Integers
from demo_company.fates import DELIVERED, Fates
from demo_company.files import NULL, Batch, take
from demo_company.outbox import Outbox

_FREE_SHIPPING_FROM, _SHIPPING = 15_000, 495
_FATES = (9_690, 150, 60, 100)
"""Shares of sales, credit memos, test orders and cancelled orders."""
_MONEY = ("gross_amount", "discount_amount", "tax_amount", "net_amount")


def order_rates(customers: Customers, start: int, end: int, behaviour: Behaviour) -> tuple[Integers, np.ndarray]:
    """Begin of each account's part of [start, end), and its expected number of orders there, were it immortal."""
    begin = np.maximum(customers.present_from, start)
    weeks = np.maximum(end - begin, 0) / WEEK
    season = behaviour.season[_month_of_year((start + end) // 2)] / 100.0 if behaviour.seasonality else 1.0
    return begin, customers.order_rate * weeks * season


def _month_of_year(at: int) -> int:
    return int(np.datetime64(at, "s").astype("datetime64[M]").astype(np.int64) % 12)


class Sales:
    """The current month's orders and lines, and the running numbers of orders, payments and refunds."""

    orders: Batch
    lines: Batch

    def __init__(self, customers: Customers, fates: Fates, outbox: Outbox, seed: int) -> None:
        self._customers, self._fates, self._outbox = customers, fates, outbox
        self._catalogue = Catalogue(seed)
        self._next_order = self._next_payment = self._next_refund = 0

    def begin(self, start: int, end: int, draws: Draws, *, only: Flags | None = None) -> None:
        """Draw the immortal orders of [start, end) with their lines, in order of time; whether each is delivered is not known yet.

        `only` restricts them to some accounts: after the company's end, those whose lost or retained margin is still running.
        """
        c = self._customers
        begin, means = order_rates(c, start, end, c.behaviour)
        keep = self._fates.watched(np.arange(c.count, dtype=np.int64), begin)
        counts = draws.poisson(np.where(keep if only is None else keep & only, means, 0.0))
        accounts = np.repeat(np.arange(c.count, dtype=np.int64), counts)
        at = draws.integers(begin[accounts], end, len(accounts))
        first = np.flatnonzero((c.join_month >= 0) & (c.created_at >= start) & (c.created_at < end - 300))
        accounts, at = np.concatenate([first, accounts]), np.concatenate([c.created_at[first] + 300, at])
        alive = self._fates.watched(accounts, at)
        order = np.argsort(at[alive], kind="stable")
        self.orders, self.lines = self._place(accounts[alive][order], at[alive][order], draws)

    def finish_day(self, start: int, end: int) -> None:
        """Decide the orders of one day, once all episodes that could have ended before them are known."""
        low, high = np.searchsorted(self.orders["ordered_at"], (start, end))
        day = slice(int(low), int(high))
        o = self.orders
        o["_fate"][day] = self._fates.of_orders(o["_account"][day], o["ordered_at"][day], o["_luck"][day])

    def deliver(self, orders: Batch, lines: Batch, draws: Draws) -> None:
        """Queue orders with their lines and payments."""
        self._outbox.add("orders", orders, orders["ordered_at"])
        self._outbox.add("order_lines", lines, lines["_ordered_at"])
        self._pay(take(orders, (orders["order_kind"] == 0) & (orders["is_test"] == 0) & (orders["order_state"] == 0)), draws)

    def accept_offers(self, accounts: Integers, ordered_at: Integers, interactions: Integers, offers: Integers, draws: Draws) -> Batch:
        """Orders that would not have been placed without an offer; plain sales, outside the accounts' own streams. Returns the lines."""
        orders, lines = self._place(accounts, ordered_at, draws, interactions, offers)
        self.deliver(orders, lines, draws)
        return lines

    def _place(
        self, accounts: Integers, at: Integers, draws: Draws, interactions: Integers | None = None, offers: Integers | None = None
    ) -> tuple[Batch, Batch]:
        count = len(accounts)
        number = self._next_order + np.arange(count, dtype=np.int64)
        self._next_order += count
        null = np.full(count, NULL, dtype=np.int64)
        kind = draws.choice(count, _FATES) if offers is None else np.zeros(count, dtype=np.int64)
        order: Batch = {
            "order_id": number,
            "account_id": self._customers.known_as(accounts, at),
            "contact_id": self._customers.contact_of(accounts, draws),
            "order_kind": (kind == 1).astype(np.int64),
            "ordered_at": at,
            "sales_channel": draws.choice(count, (7_000, 2_000, 1_000)),
            "currency_code": self._customers.currency[accounts],
            "financial_state": (kind == 3).astype(np.int64),
            "order_state": (kind == 3).astype(np.int64),
            "cancelled_at": np.where(kind == 3, at + 600, NULL),
            "is_test": (kind == 2).astype(np.int64),
            "offer_id": null.copy() if offers is None else offers,
            "interaction_id": null.copy() if interactions is None else interactions,
            "_account": accounts,
            "_luck": draws.integers(0, 10_000, count),
            "_fate": null.copy(),
        }
        lines = self._catalogue.lines(order, self._customers.value[accounts], draws)
        for name in _MONEY:
            order[name] = np.add.reduceat(lines[name], first_lines(lines)) if count else null
        order["shipping_amount"] = np.where((kind == 1) | (order["net_amount"] >= _FREE_SHIPPING_FROM), 0, _SHIPPING)
        return order, lines

    def _pay(self, sales: Batch, draws: Draws) -> None:
        count = len(sales["order_id"])
        parts = 1 + draws.chance(count, 300).astype(np.int64)
        owed = sales["net_amount"] + sales["tax_amount"] + sales["shipping_amount"]
        parent = np.repeat(np.arange(count), parts)
        second = np.arange(len(parent)) != np.repeat(np.cumsum(parts) - parts, parts)
        half = owed[parent] // parts[parent]
        paid_at = sales["ordered_at"][parent] + draws.integers(60, 2 * DAY, len(parent)) + np.where(second, 20 * DAY, 0)
        payment = {
            "payment_id": self._next_payment + np.arange(len(parent), dtype=np.int64),
            "order_id": sales["order_id"][parent],
            "paid_at": paid_at,
            "payment_amount": np.where(second, owed[parent] - half, half),
            "currency_code": sales["currency_code"][parent],
            "payment_method": draws.choice(len(parent), (6_000, 2_500, 1_500)),
            "instalment_count": parts[parent],
        }
        self._next_payment += len(parent)
        self._outbox.add("payments", payment, paid_at)

    def refund(self, lines: Batch, at: Integers, reason: Integers, draws: Draws) -> None:
        """Refund full lines (`order_id`, `line_id`, `net_amount`, `tax_amount`, `quantity`, `_currency_code`, `_goods`, `_ordered_at`)."""
        count = len(at)
        refund = {
            "refund_id": self._next_refund + np.arange(count, dtype=np.int64),
            "order_id": lines["order_id"],
            "line_id": lines["line_id"],
            "refunded_at": at,
            "refund_amount": lines["net_amount"],
            "tax_amount": lines["tax_amount"],
            "currency_code": lines["_currency_code"],
            "refund_reason": reason,
            "is_chargeback": draws.chance(count, 200).astype(np.int64),
            "returned_quantity": lines["quantity"],
            "is_restocked": draws.chance(count, 5_000).astype(np.int64),
            "_goods": lines["_goods"],
            "_ordered_at": lines["_ordered_at"],
        }
        self._next_refund += count
        self._outbox.add("refunds", refund, at)


def delivered(orders: Batch) -> Flags:
    """Orders that the company saw."""
    return np.asarray(orders["_fate"] == DELIVERED)
