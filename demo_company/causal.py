"""The causal truth: what episodes did, what they would have done, and the margin lost and kept by it, by month of the episode's end."""

from __future__ import annotations

from typing import Any

import numpy as np

from demo_company.behaviour import FCR, SILENT, Behaviour
from demo_company.calendar import Calendar
from demo_company.codes import PROBLEM_KINDS
from demo_company.customers import NEVER, Customers
from demo_company.draws import Flags, Integers
from demo_company.fates import DELIVERED, KILLED, THINNED, Fates
from demo_company.files import NULL, Batch, take
from demo_company.money import Rates
from demo_company.tables import TruthTables

_SUMS = ("episodes", "treated", "y1_of_all", "y0_of_all", "y1_of_treated", "y0_of_treated", "y_of_treated", "y_of_untreated")
_EVENTS = ("fatal_episodes", "silent_defectors", "saved_accounts", "affected", "silent", "reported")
_MARGINS = ("lost_margin", "thinned_margin", "retained_margin")
_EPISODE = (
    *("chain", "event", "account", "order", "line", "product", "issue", "severity", "stratum", "occurred_at", "first_at", "ended_at"),
    *("treated", "propensity", "waited_long", "luck_death", "luck_mood", "luck_later", "contacts", "attempts", "has_given_up", "ticket"),
)
_CHAIN = (
    *("chain", "event", "account", "issue", "ticket", "session", "occurred_at", "first_at", "created_at", "ended_at"),
    *("contacts", "attempts", "is_solved", "has_given_up", "is_quick", "waited_long", "treated", "propensity"),
)


class Causal:
    """Sums by month; months before and after the company are excluded from the sums, not from the tables."""

    def __init__(self, customers: Customers, fates: Fates, rates: Rates, tables: TruthTables, behaviour: Behaviour) -> None:
        self._customers, self._fates, self._rates = customers, fates, rates
        self._tables, self._behaviour = tables, behaviour
        self._calendar: Calendar = customers.calendar
        months = self._calendar.months
        self._sums = {name: np.zeros(months, dtype=np.int64) for name in (*_SUMS, *_EVENTS, *_MARGINS)}
        self._kinds = np.zeros((months, len(PROBLEM_KINDS), 2), dtype=np.int64)

    def ended(self, chains: Batch, outcomes: Batch) -> None:
        """Keep the ended chains of a day, problem episodes with both potential outcomes, and apply the deaths they cause."""
        event = chains["event"] != NULL
        self._fates.ended(
            chains["account"],
            chains["event"],
            chains["ended_at"],
            (outcomes["is_fatal"] == 1) & event,
            (outcomes["met"] >= 2) & event & (chains["is_reported"] == 1) & self._behaviour.service_effects,
            (outcomes["is_saved"] == 1) & event,
        )

    def keep(self, chains: Batch, outcomes: Batch) -> None:
        """Write and sum the chains that ended in a month."""
        reported = chains["is_reported"] == 1
        named = {name: chains[name] for name in _CHAIN} | {"window_fcr": _window_fcr(chains)}
        self._tables.add("chains", take(named, reported))
        problem = chains["event"] != NULL
        self._tables.add("episodes", take({name: chains[name] for name in _EPISODE} | outcomes, problem))
        month = self._calendar.month_of(chains["ended_at"])
        inside = problem & (month >= 0) & (month < self._calendar.months)
        tried, out, month = take(chains, inside), take(outcomes, inside), month[inside]
        decided = (tried["is_reported"] == 1) & (tried["treated"] != NULL)
        treated = decided & (tried["treated"] == 1)
        self._add("episodes", month, decided)
        self._add("treated", month, treated)
        for name, chosen in (("all", decided), ("treated", treated)):
            self._add(f"y1_of_{name}", month, chosen & (out["y1"] == 1))
            self._add(f"y0_of_{name}", month, chosen & (out["y0"] == 1))
        self._add("y_of_treated", month, treated & (out["y"] == 1))
        self._add("y_of_untreated", month, decided & ~treated & (out["y"] == 1))
        killed = self._fates.killer[tried["account"]] == tried["event"]
        self._add("fatal_episodes", month, killed)
        self._add("silent_defectors", month, killed & (out["met"] == SILENT))
        self._add("saved_accounts", month, (out["is_saved"] == 1) & (out["met"] == FCR))

    def affected(self, events: Batch, reported: Flags) -> None:
        """Count the problems that really happened, by kind and month of occurrence."""
        month = self._calendar.month_of(events["occurred_at"])
        inside = month < self._calendar.months
        self._add("affected", month[inside], np.ones(int(inside.sum()), dtype=np.bool_))
        self._add("silent", month[inside], ~reported[inside])
        self._add("reported", month[inside], reported[inside])
        np.add.at(self._kinds[:, :, 0], (month[inside], events["problem_kind"][inside]), 1)
        np.add.at(self._kinds[:, :, 1], (month[inside], events["problem_kind"][inside]), (~reported[inside]).astype(np.int64))

    def margins(self, orders: Batch, lines: Batch) -> None:
        """Add the margin of a month's orders that were lost to an episode or kept by one, each by the month of that episode's end."""
        counted = (lines["_is_test"] == 0) & (lines["_order_state"] == 0)
        euro = self._rates.to_euro(lines["net_amount"], lines["_currency_code"], lines["_ordered_at"])
        euro = euro - self._rates.to_euro(lines["_goods"], lines["_currency_code"], lines["_ordered_at"])
        margin = np.zeros(len(orders["order_id"]), dtype=np.int64)
        np.add.at(margin, lines["_parent"], np.where(counted, euro, 0))
        account, at, fate = orders["_account"], orders["ordered_at"], orders["_fate"]
        kept = (fate == DELIVERED) & self._fates.saved.covers(account, at)
        for name, chosen, episode, since in (
            ("lost_margin", fate == KILLED, self._fates.killer, self._fates.service_death),
            ("thinned_margin", fate == THINNED, self._fates.thin.episode, self._fates.thin.start),
            ("retained_margin", kept, self._fates.saved.episode, self._fates.saved.start),
        ):
            who = account[chosen]
            month = self._calendar.month_of(since[who])
            inside = (month >= 0) & (month < self._calendar.months) & (since[who] != NEVER)
            np.add.at(self._sums[name], month[inside], margin[chosen][inside])
            kind = np.full(int(chosen.sum()), _MARGINS.index(name), dtype=np.int64)
            self._tables.add(
                "orders_lost",
                {"account": who, "event": episode[who], "ordered_at": at[chosen], "margin_cents": margin[chosen], "kind": kind},
            )

    def _add(self, name: str, month: Integers, chosen: Flags) -> None:
        np.add.at(self._sums[name], month[chosen], 1)

    def document(self, names: list[str]) -> dict[str, Any]:
        """Per month and in total: sums, and the estimands made of them."""
        months = {label: {name: int(values[m]) for name, values in self._sums.items()} for m, label in enumerate(names)}
        total = {name: int(values.sum()) for name, values in self._sums.items()}
        kinds = self._kinds.sum(axis=0)
        return {
            "months": {label: sums | estimands(sums) for label, sums in months.items()},
            "total": total | estimands(total),
            "silent_by_problem_kind": {
                kind: {"affected": int(kinds[k, 0]), "silent": int(kinds[k, 1])} for k, kind in enumerate(PROBLEM_KINDS)
            },
        }


def _window_fcr(chains: Batch) -> Integers:
    """1 if one contact was answered and none followed within 7 days, 0 if more were; null if none was answered."""
    return np.where(chains["contacts"] == 0, NULL, (chains["contacts"] == 1).astype(np.int64))


def estimands(sums: dict[str, int]) -> dict[str, float | None]:
    """ATE, ATT, naive contrast, and naive - ATT = E[Y0 | treated] - E[Y0 | untreated], the confounding; null without both groups."""
    n, n1 = sums["episodes"], sums["treated"]
    n0 = n - n1
    if not n1 or not n0:
        return {"ate": None, "att": None, "naive": None, "confounding": None}
    att = (sums["y1_of_treated"] - sums["y0_of_treated"]) / n1
    naive = sums["y_of_treated"] / n1 - sums["y_of_untreated"] / n0
    return {"ate": (sums["y1_of_all"] - sums["y0_of_all"]) / n, "att": att, "naive": naive, "confounding": naive - att}
