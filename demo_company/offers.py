"""Offers made in contacts that went well: some accepted by an order, of which a known part would have been placed anyway."""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY
from demo_company.customers import Customers
from demo_company.draws import Draws, Integers
from demo_company.fates import DELIVERED, Fates
from demo_company.files import NULL, Batch, rows, stack, take
from demo_company.outbox import Outbox
from demo_company.sales import Sales

MADE_PER_TEN_THOUSAND_CONTACTS = 600
ACCEPTED = 2_200
"""Offers accepted by an order that would not have been placed otherwise."""
LATE_SHARE = 1_000
TAKEN_OVER = 5_000
"""Offers that the account's next ordinary order within the window names as its reason."""
WITHIN_DAYS, LATE_DAYS = 20, (31, 42)


class Offers:
    """Running offer numbers, and acceptances that are in later months."""

    def __init__(self, customers: Customers, fates: Fates, sales: Sales, outbox: Outbox) -> None:
        self._customers, self._fates, self._sales, self._outbox = customers, fates, sales, outbox
        self._next = 0
        self._waiting: list[Batch] = []
        self.incremental = self.taken_over = 0

    def make(self, contacts: Batch, draws: Draws) -> None:
        """Make offers in a month's contacts that solved their matter for an account that lives."""
        able = (contacts["answered_at"] != NULL) & (contacts["_is_solved"] == 1) & (contacts["queued_at"] != NULL)
        able &= self._fates.death(contacts["_account"]) > contacts["ended_at"]
        chosen = take(contacts, able & draws.chance(rows(contacts), MADE_PER_TEN_THOUSAND_CONTACTS))
        count = rows(chosen)
        offer = {
            "offer_id": self._next + np.arange(count, dtype=np.int64),
            "interaction_id": chosen["interaction_id"],
            "agent_id": chosen["agent_id"],
            "account_id": self._customers.known_as(chosen["_account"], chosen["ended_at"]),
            "offer_kind": draws.choice(count, (4_500, 3_500, 800, 1_200)),
            "product_id": draws.integers(0, 200, count),
            "offered_at": chosen["ended_at"],
            "accepted_at": np.full(count, NULL, dtype=np.int64),
            "declined_reason": np.full(count, NULL, dtype=np.int64),
            "_account": chosen["_account"],
        }
        self._next += count
        accepted = draws.chance(count, ACCEPTED)
        late = draws.chance(count, LATE_SHARE)
        soon = draws.integers(3_600, WITHIN_DAYS * DAY, count)
        lag = np.where(late, draws.integers(LATE_DAYS[0] * DAY, LATE_DAYS[1] * DAY, count), soon)
        self._outbox.add("offers", offer, offer["offered_at"])
        open_to = ~accepted & draws.chance(count, TAKEN_OVER)
        declined = ~accepted & ~open_to
        no = take(offer, declined) | {"declined_reason": draws.integers(0, 3, int(declined.sum()))}
        self._outbox.add("offers", no, no["offered_at"] + 600)
        self._waiting.append(take(offer | {"_at": offer["offered_at"] + lag, "_is_extra": accepted.astype(np.int64)}, accepted | open_to))

    def accept(self, end: int, draws: Draws) -> Batch:
        """Place the orders whose time has come, and let ordinary orders take offers over. Returns the lines of the extra orders.

        Call it when all fates of the month's orders are known, before the orders are delivered.
        """
        waiting = stack(self._waiting)
        extra = waiting["_is_extra"] == 1
        alive = self._fates.death(waiting["_account"]) > waiting["_at"]
        due = take(waiting, extra & alive & (waiting["_at"] < end))
        lines = self._sales.accept_offers(due["_account"], due["_at"], due["interaction_id"], due["offer_id"], draws)
        self.incremental += rows(due)
        self._accepted(due, due["_at"])
        self._take_over(take(waiting, ~extra))
        open_still = (extra & alive & (waiting["_at"] >= end)) | (~extra & (waiting["offered_at"] + WITHIN_DAYS * DAY >= end))
        self._waiting = [take(waiting, open_still & ~np.isin(waiting["offer_id"], self._used))]
        return lines

    def _take_over(self, offers: Batch) -> None:
        orders = self._sales.orders
        plain = (orders["_fate"] == DELIVERED) & (orders["order_kind"] == 0) & (orders["is_test"] == 0) & (orders["order_state"] == 0)
        place = np.flatnonzero(plain).astype(np.int64)
        key = orders["_account"][place] * 2**33 + orders["ordered_at"][place]
        order = np.argsort(key, kind="stable")
        place, key = place[order], key[order]
        wanted = offers["_account"] * 2**33 + offers["offered_at"]
        found = np.searchsorted(key, wanted, side="right")
        inside = found < len(key)
        found = np.minimum(found, max(len(key) - 1, 0))
        if len(key):
            inside &= key[found] < wanted + WITHIN_DAYS * DAY
        chosen = np.flatnonzero(inside)
        target, first = np.unique(place[found[chosen]] if len(chosen) else np.empty(0, dtype=np.int64), return_index=True)
        taken = take(offers, chosen[first] if len(chosen) else chosen)
        orders["offer_id"][target], orders["interaction_id"][target] = taken["offer_id"], taken["interaction_id"]
        self.taken_over += rows(taken)
        self._accepted(taken, orders["ordered_at"][target])
        self._used: Integers = taken["offer_id"]

    def _accepted(self, offers: Batch, at: Integers) -> None:
        self._outbox.add("offers", offers | {"accepted_at": at}, at)
