"""What is true of the files: counted from the whole numbers at the moment of delivery, written as truth.json.

Money is in cents of the reporting currency; each amount of a line or refund is converted once at the average rate of the order's month
and rounded half away from zero. The cost of goods of a line is first rounded to the cent in the order's currency; what a refund
puts back on the shelf (`recovered_goods`) is worth the same.
Accounts count as ordering in the month of a counted sale, whether or not it was refunded later, under the id the company knows after
all merges.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from demo_company.calendar import DAY, Calendar
from demo_company.codes import AGENT_STATES, COST_CATEGORIES, PHONE, POOLS, STATE
from demo_company.draws import Flags, Integers
from demo_company.files import NULL, Batch, rows, take
from demo_company.loyalty import Loyalty
from demo_company.money import Rates
from demo_company.tallies import Tallies
from demo_company.timelines import Timelines

WITHIN_SECONDS, THIRD_RING = 20, 3
LEADING_QUESTIONS = (0, 2)
"""Satisfaction after a ticket, recommendation about the relationship."""
_MONEY = ("gross_sales", "net_sales", "credits", "cost_of_goods", "refunds", "recovered_goods")
_COUNTS = (
    *("tickets_created", "tickets_solved", "complaints", "problem_reports", "interactions", "handled", "calls", "queued", "abandoned"),
    *("answered_within_20_seconds", "answered_before_third_ring", "offer_orders", "problem_events", "invited", "invitations_delivered"),
    *(
        "answered",
        "paid_seconds",
        "handling_seconds",
        "available_seconds",
        "absence_seconds",
        "overtime_seconds",
        "trainings",
        "separations",
    ),
)
_PROMOTION = ("detractors", "passives", "promoters")
_CAME = ("ordering_accounts", "new_accounts")


class Truth:
    """Running sums by month over all deliveries."""

    def __init__(self, calendar: Calendar, rates: Rates, accounts: int, timelines: Timelines) -> None:
        self._calendar, self._rates, self._timelines = calendar, rates, timelines
        self._tallies = Tallies(calendar)
        months = calendar.months
        self._rows: Counter[str] = Counter()
        self._cost = np.zeros((months, len(COST_CATEGORIES), 2), dtype=np.int64)
        self._pools = np.zeros((months, len(POOLS)), dtype=np.int64)
        self._money = {name: np.zeros(months, dtype=np.int64) for name in _MONEY}
        self._counts = {name: np.zeros(months, dtype=np.int64) for name in (*_COUNTS, *_CAME)}
        self._promotion = np.zeros((months, 2, len(_PROMOTION)), dtype=np.int64)
        self._surviving = np.arange(accounts, dtype=np.int64)
        self._bought: list[Integers] = [np.empty((2, 0), dtype=np.int64)]  # account and day of counted sales
        self._loyalty = Loyalty(calendar, accounts)

    def delivered(self, feeds: dict[str, Batch]) -> None:
        """Count one delivery."""
        for feed, batch in feeds.items():
            self._rows[feed] += rows(batch)
            counter = getattr(self, f"_{feed}", None) or getattr(self._tallies, feed, None)
            if counter:
                counter(batch)

    def opinions(self, month: int, everyone: Integers, answers: Integers) -> None:
        """Detractors, passives and promoters among all customers and among those who answered."""
        self._promotion[month] = (everyone, answers)

    def _survey_invitations(self, batch: Batch) -> None:
        """Count invitations by the month of asking: not suppressed, delivered."""
        month = self._calendar.month_of(batch["invited_at"])
        asked = (batch["suppressed_reason"] == NULL) & (batch["opened_at"] == NULL)
        self._add("invited", month, asked)
        self._add("invitations_delivered", month, asked & (batch["delivered_at"] != NULL))

    def _survey_responses(self, batch: Batch) -> None:
        """Count answered invitations by the month of asking; each answers exactly one of the leading questions."""
        self._add("answered", self._calendar.month_of(batch["invited_at"]), np.isin(batch["question_key"], LEADING_QUESTIONS))

    def _account_merges(self, batch: Batch) -> None:
        self._surviving[batch["from_account_id"]] = batch["to_account_id"]

    def _merged(self) -> Integers:
        """Return the account that each account is after all merges."""
        surviving = self._surviving
        while np.any(surviving != surviving[surviving]):
            surviving = surviving[surviving]
        return surviving

    def _who_came(self, surviving: Integers) -> None:
        """Count who ordered in each month, and who did so for the first time."""
        account, day = np.concatenate(self._bought, axis=1)
        account, month = surviving[account], self._calendar.month_of(day * DAY)
        first = np.full(len(surviving), self._calendar.months, dtype=np.int64)
        np.minimum.at(first, account, month)
        for at in range(self._calendar.months):
            self._counts["ordering_accounts"][at] = len(np.unique(account[month == at]))
            self._counts["new_accounts"][at] = int((first == at).sum())

    def _add(self, name: str, month: Integers, chosen: Flags) -> None:
        np.add.at(self._counts[name], month[chosen], 1)

    def _tickets(self, batch: Batch) -> None:
        created = self._calendar.month_of(batch["created_at"])
        fresh = (batch["_is_first"] == 1) & (created >= 0)
        self._add("tickets_created", created, fresh)
        self._add("complaints", created, fresh & (batch["is_complaint"] == 1))
        self._add("problem_reports", created, fresh & (batch["is_problem_report"] == 1))
        solved = np.isin(batch["ticket_state"], (STATE["solved"], STATE["closed"]))
        self._add("tickets_solved", self._calendar.month_of(np.where(solved, batch["last_solved_at"], 0)), solved)

    def _ticket_events(self, batch: Batch) -> None:
        self._timelines.add(batch)

    def _interactions(self, batch: Batch) -> None:
        month = self._calendar.month_of(batch["started_at"])
        every = month >= 0
        answered = batch["answered_at"] != NULL
        queued = batch["queued_at"] != NULL
        self._add("interactions", month, every)
        self._add("handled", month, answered)
        self._add("calls", month, batch["channel"] == PHONE)
        self._add("queued", month, queued)
        self._add("answered_before_third_ring", month, answered & (batch["channel"] == PHONE) & (batch["ring_count"] < THIRD_RING))
        self._add("abandoned", month, queued & ~answered)
        self._add("answered_within_20_seconds", month, queued & answered & (batch["queue_seconds"] <= WITHIN_SECONDS))

    def _agent_time(self, batch: Batch) -> None:
        month, state, seconds = self._calendar.month_of(batch["work_date"]), batch["agent_state"], batch["state_seconds"]
        handling = np.isin(state, [AGENT_STATES.index(name) for name in ("talk", "hold", "wrap", "chat", "case_work")])
        for name, of_state in (
            ("paid_seconds", seconds),
            ("handling_seconds", seconds * handling),
            ("available_seconds", seconds * (state == AGENT_STATES.index("available"))),
            ("absence_seconds", seconds * (state == AGENT_STATES.index("absence"))),
            ("overtime_seconds", batch["overtime_seconds"]),
        ):
            np.add.at(self._counts[name], month, of_state)

    def _training_events(self, batch: Batch) -> None:
        month = self._calendar.month_of(batch["started_at"])
        self._add("trainings", month, month >= 0)

    def _agents(self, batch: Batch) -> None:
        """Count who left by the month of the last day; the row of each team says it."""
        gone = batch["separation_date"] != NULL
        leavers, first = np.unique(batch["agent_id"][gone], return_index=True)
        month = self._calendar.month_of(batch["separation_date"][gone][first])
        self._add("separations", month, (month >= 0) & (leavers >= 0))

    def _orders(self, batch: Batch) -> None:
        self._add("offer_orders", self._calendar.month_of(batch["ordered_at"]), batch["offer_id"] != NULL)

    def _problem_events(self, batch: Batch) -> None:
        month = self._calendar.month_of(batch["occurred_at"])
        self._add("problem_events", month, batch["_is_first"] == 1)

    def _refunds(self, refunds: Batch) -> None:
        amounts = self._rates.to_euro(refunds["refund_amount"], refunds["currency_code"], refunds["_ordered_at"])
        month, goods = self._calendar.month_of(refunds["refunded_at"]), refunds["_goods"] * refunds["is_restocked"]
        np.add.at(self._money["refunds"], month, amounts)
        recovered = self._rates.to_euro(goods, refunds["currency_code"], refunds["_ordered_at"])
        np.add.at(self._money["recovered_goods"], month, recovered)
        self._loyalty.refunded(refunds)

    def _ledger_actuals(self, ledger: Batch) -> None:
        month = ledger["fiscal_period"] - self._calendar.first_position
        np.add.at(self._cost, (month, ledger["cost_category"], ledger["is_in_scope"]), ledger["ledger_amount"])
        np.add.at(self._pools, (month, ledger["pool_id"]), ledger["ledger_amount"])

    def _order_lines(self, lines: Batch) -> None:
        counted = (lines["_is_test"] == 0) & (lines["_order_state"] == 0)
        lines = {name: values[counted] for name, values in lines.items()}
        at, currency = lines["_ordered_at"], lines["_currency_code"]
        month = self._calendar.month_of(at)
        net = self._rates.to_euro(lines["net_amount"], currency, at)
        gross = lines["_order_kind"] == 0
        np.add.at(self._money["gross_sales"], month[gross], net[gross])
        np.add.at(self._money["credits"], month[~gross], net[~gross])
        np.add.at(self._money["net_sales"], month, net)
        np.add.at(self._money["cost_of_goods"], month, self._rates.to_euro(lines["_goods"], currency, at))
        sold = gross & (net > 0)
        self._bought.append(np.unique(np.stack([lines["_account_id"][sold], at[sold] // DAY]), axis=1))
        self._loyalty.sold(take(lines, gross))

    def document(self) -> dict[str, Any]:
        """Return the counted truth as plain numbers; months by their fiscal period."""
        surviving = self._merged()
        self._who_came(surviving)
        histories = self._timelines.document()
        counts = self._counts | self._timelines.counts | self._tallies.counts
        names, loyal = [period.label for period in self._calendar.periods], self._loyalty.months(surviving)
        return {
            "rows": dict(sorted(self._rows.items())),
            "cost_cents": {
                name: {category: int(self._cost[m, c, 1]) for c, category in enumerate(COST_CATEGORIES)} for m, name in enumerate(names)
            },
            "out_of_scope_cents": {name: int(self._cost[m, :, 0].sum()) for m, name in enumerate(names)},
            "pool_cents": {name: {pool: int(self._pools[m, p]) for p, pool in enumerate(POOLS)} for m, name in enumerate(names)},
            "allocated_cents": {name: int(self._cost[m, :, 1].sum()) for m, name in enumerate(names)},
            "money_cents": {name: {kind: int(values[m]) for kind, values in self._money.items()} for m, name in enumerate(names)},
            "counts": {name: {kind: int(values[m]) for kind, values in counts.items()} for m, name in enumerate(names)},
            "retention": {name: {kind: int(values[m]) for kind, values in loyal.items()} for m, name in enumerate(names)},
            "recommendation": {
                name: {
                    group: {kind: int(self._promotion[m, g, k]) for k, kind in enumerate(_PROMOTION)}
                    for g, group in enumerate(("everyone", "answered"))
                }
                for m, name in enumerate(names)
            },
            **histories,
            **self._tallies.document(),
        }
