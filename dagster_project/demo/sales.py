"""Orders, their lines, payments and refunds. A line's net is quantity x price - discount to the cent; an order is the sum of its lines."""

from __future__ import annotations

import numpy as np

from dagster_project.demo.calendar import DAY
from dagster_project.demo.customers import WEIGHT, Customers
from dagster_project.demo.draws import Draws, Integers
from dagster_project.demo.files import NULL, Batch, take
from dagster_project.demo.outbox import Outbox

ORDERS_PER_TEN_THOUSAND_WEIGHT = 3_050
"""Orders a month for 10,000 units of order weight."""
_PRODUCTS = 200
_TAX_PERCENT = 20
_FREE_SHIPPING_FROM, _SHIPPING = 10_000, 495


def half_up(numerator: Integers, denominator: int) -> Integers:
    """Quotient rounded half away from zero, in whole numbers."""
    magnitude: Integers = (2 * np.abs(numerator) + denominator) // (2 * denominator)
    return np.where(numerator < 0, -magnitude, magnitude)


class Sales:
    """The catalogue and the running numbers of orders, payments and refunds."""

    def __init__(self, customers: Customers, outbox: Outbox, seed: int) -> None:
        draws = Draws(seed, 2)
        self._customers, self._outbox = customers, outbox
        self._price = draws.integers(299, 6_000, _PRODUCTS)
        self._cost = self._price * draws.integers(3_500, 6_500, _PRODUCTS) // 100
        self._next_order = self._next_payment = self._next_refund = 0

    def month(self, month: int, draws: Draws) -> Batch:
        """Queue the ordinary orders of a month with their lines and payments; returns the orders for the service desk."""
        weights = np.where(self._customers.present(month), self._customers.order_weight, 0)
        count = int(weights.sum()) * ORDERS_PER_TEN_THOUSAND_WEIGHT // (10_000 * WEIGHT)
        if count == 0:
            return self._place(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), draws)
        accounts = draws.weighted(weights, count)
        start, end = self._customers.calendar.edges[month : month + 2]
        return self._place(accounts, draws.integers(np.maximum(start, self._customers.created_at[accounts]), int(end), count), draws)

    def accept_offers(self, accounts: Integers, ordered_at: Integers, interactions: Integers, offers: Integers, draws: Draws) -> None:
        """Orders that accept an offer made in a service interaction; always plain sales."""
        self._place(accounts, ordered_at, draws, interactions, offers)

    def _place(
        self, accounts: Integers, at: Integers, draws: Draws, interactions: Integers | None = None, offers: Integers | None = None
    ) -> Batch:
        count = len(accounts)
        number = self._next_order + np.arange(count, dtype=np.int64)
        self._next_order += count
        null = np.full(count, NULL, dtype=np.int64)
        plain = offers is None
        fate = (
            draws.choice(count, (9_690, 150, 60, 100)) if plain else np.zeros(count, dtype=np.int64)
        )  # sale, credit memo, test, cancelled
        order: Batch = {
            "order_id": number,
            "account_id": accounts,
            "contact_id": self._customers.contact_of(accounts, draws),
            "order_kind": (fate == 1).astype(np.int64),
            "ordered_at": at,
            "sales_channel": draws.choice(count, (7_000, 2_000, 1_000)),
            "currency_code": self._customers.currency[accounts],
            "financial_state": (fate == 3).astype(np.int64),
            "order_state": (fate == 3).astype(np.int64),
            "cancelled_at": np.where(fate == 3, at + 600, NULL),
            "is_test": (fate == 2).astype(np.int64),
            "offer_id": null if offers is None else offers,
            "interaction_id": null if interactions is None else interactions,
        }
        lines = self._lines(order, draws)
        first = np.flatnonzero(lines["line_id"] == 1)
        for name in ("gross_amount", "discount_amount", "tax_amount", "net_amount"):
            order[name] = np.add.reduceat(lines[name], first) if count else null
        order["shipping_amount"] = np.where((fate == 1) | (order["net_amount"] >= _FREE_SHIPPING_FROM), 0, _SHIPPING)
        order["_counted"] = ((fate == 0) | (fate == 1)).astype(np.int64)
        for name in ("net_amount", "tax_amount", "quantity"):
            order[f"_line_{name}"] = lines[name][first]
        self._outbox.add("orders", order, at)
        self._outbox.add("order_lines", lines, lines["_ordered_at"])
        self._pay(take(order, fate == 0), draws)
        return order

    def _lines(self, order: Batch, draws: Draws) -> Batch:
        sizes = draws.integers(1, 6, len(order["order_id"]))
        parent = np.repeat(np.arange(len(sizes)), sizes)
        count = len(parent)
        product = (draws.uniform(count) * draws.uniform(count) * _PRODUCTS).astype(np.int64)
        root = self._customers.value_root[order["account_id"][parent]]
        units = 1 + (draws.uniform(count) * draws.uniform(count) * (1.0 + root) * 2.0).astype(np.int64)
        sign = np.where(order["order_kind"][parent] == 1, -1, 1)
        gross = sign * units * self._price[product]
        percent = np.array((0, 5, 10, 20), dtype=np.int64)[draws.choice(count, (8_000, 800, 800, 400))]
        discount = np.where(sign > 0, half_up(gross * percent, 100), 0)
        copied = {
            f"_{name}": order[name][parent]
            for name in ("account_id", "ordered_at", "currency_code", "order_kind", "is_test", "order_state")
        }
        return copied | {
            "order_id": order["order_id"][parent],
            "line_id": np.arange(count, dtype=np.int64) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1,
            "product_id": product,
            "product_family": product % 8,
            "line_kind": np.zeros(count, dtype=np.int64),
            "quantity": sign * units * 1_000,
            "unit_price": self._price[product] * 100,
            "gross_amount": gross,
            "discount_amount": discount,
            "tax_amount": half_up((gross - discount) * _TAX_PERCENT, 100),
            "net_amount": gross - discount,
            "unit_cost": self._cost[product],
        }

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

    def refund(self, order: Batch, at: Integers, draws: Draws) -> None:
        """Refund the first line of each order; half of the goods go back on the shelf."""
        count = len(at)
        refund = {
            "refund_id": self._next_refund + np.arange(count, dtype=np.int64),
            "order_id": order["order_id"],
            "line_id": np.ones(count, dtype=np.int64),
            "refunded_at": at,
            "refund_amount": order["_line_net_amount"],
            "tax_amount": order["_line_tax_amount"],
            "currency_code": order["currency_code"],
            "refund_reason": draws.choice(count, (4_000, 2_500, 2_000, 1_500)),
            "is_chargeback": draws.chance(count, 200).astype(np.int64),
            "returned_quantity": order["_line_quantity"],
            "is_restocked": draws.chance(count, 5_000).astype(np.int64),
        }
        self._next_refund += count
        self._outbox.add("refunds", refund, at)
