"""The products and the lines of an order: what an account of a given value puts into its basket, to the cent."""

from __future__ import annotations

import numpy as np

from demo_company.draws import Draws, Floats, Integers
from demo_company.files import Batch
from demo_company.money import half_up

PRODUCTS, FAMILIES = 200, 8
TAX_PERCENT = 20
_LEVEL = 1_000_000
_COPIED = ("account_id", "_account", "ordered_at", "currency_code", "order_kind", "is_test", "order_state", "_luck")


class Catalogue:
    """Prices in cents and cost of goods in 1/10,000 of the price."""

    def __init__(self, seed: int) -> None:
        draws = Draws(seed, 2)
        self._price = draws.integers(900, 17_000, PRODUCTS)
        self._cost_share = draws.integers(3_500, 6_500, PRODUCTS)

    def lines(self, order: Batch, value: Floats, draws: Draws) -> Batch:
        """Draw the lines of orders, one to five each; `value` is the value index of each order's account.

        An order is worth its account's value in the mean: above 1 the account buys more units, below 1 smaller packs.
        """
        sizes = draws.integers(1, 6, len(value))
        parent = np.repeat(np.arange(len(sizes)), sizes)
        count = len(parent)
        product = (draws.uniform(count) * draws.uniform(count) * PRODUCTS).astype(np.int64)
        level = np.maximum((np.minimum(value, 1.0) * _LEVEL).astype(np.int64), 1)[parent]
        price = np.maximum(half_up(self._price[product] * level, _LEVEL), 1)
        many = np.maximum(value, 1.0)[parent]
        units = np.maximum((many * (0.5 + draws.uniform(count)) + draws.uniform(count)).astype(np.int64), 1)
        sign = np.where(order["order_kind"][parent] == 1, -1, 1)
        gross = sign * units * price
        percent = np.array((0, 5, 10, 20), dtype=np.int64)[draws.choice(count, (8_000, 800, 800, 400))]
        discount = np.where(sign > 0, half_up(gross * percent, 100), 0)
        unit_cost = price * self._cost_share[product] // 100
        return {(name if name.startswith("_") else f"_{name}"): order[name][parent] for name in _COPIED} | {
            "order_id": order["order_id"][parent],
            "line_id": np.arange(count, dtype=np.int64) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1,
            "product_id": product,
            "product_family": product % FAMILIES,
            "line_kind": np.zeros(count, dtype=np.int64),
            "quantity": sign * units * 1_000,
            "unit_price": price * 100,
            "gross_amount": gross,
            "discount_amount": discount,
            "tax_amount": half_up((gross - discount) * TAX_PERCENT, 100),
            "net_amount": gross - discount,
            "unit_cost": unit_cost,
            "_goods": half_up(unit_cost * sign * units, 100),
            "_parent": parent,
        }


def first_lines(lines: Batch) -> Integers:
    """Positions of the first line of each order."""
    return np.flatnonzero(lines["line_id"] == 1).astype(np.int64)
