"""The company from month to month: orders are drawn ahead, the desk works day by day, the rest follows when the month is over."""

from __future__ import annotations

from typing import Any

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.books import Books
from demo_company.calendar import DAY, Calendar
from demo_company.causal import Causal
from demo_company.customers import NEVER, Customers
from demo_company.desk import Desk
from demo_company.draws import Draws, Integers
from demo_company.effects import episodes
from demo_company.fates import Fates
from demo_company.files import NULL, Batch, rows, stack, take
from demo_company.histories import Histories
from demo_company.interactions import Interactions
from demo_company.matters import Matters
from demo_company.money import Rates
from demo_company.offers import Offers
from demo_company.outbox import Outbox
from demo_company.problems import Problems
from demo_company.promises import Promises
from demo_company.recovery import Recovery
from demo_company.relations import Relations
from demo_company.sales import Sales, delivered
from demo_company.schedules import Schedules
from demo_company.staff import Staff
from demo_company.surveys import Surveys
from demo_company.tables import TruthTables
from demo_company.tickets import Tickets
from demo_company.timelines import Timelines
from demo_company.truth import Truth
from demo_company.voices import Voices
from demo_company.workforce import Workforce

_GHOST_DAYS = 28
CLOSES = 2_000
"""Lost accounts that say so."""
_LINE = ("order_id", "line_id", "net_amount", "tax_amount", "quantity", "_currency_code", "_goods", "_ordered_at")


class Simulation:
    """Call `month` for each month in order, deliver what is in the outbox, then call `month_over`."""

    def __init__(self, accounts: int, calendar: Calendar, seed: int, behaviour: Behaviour, tables: TruthTables) -> None:
        self._seed, self._calendar, self._behaviour, self._tables = seed, calendar, behaviour, tables
        self.outbox = Outbox(calendar.cutoffs)
        self.customers = Customers(accounts, calendar, seed, behaviour)
        self.fates = Fates(self.customers, behaviour)
        self.workforce = Workforce(self.customers, calendar, seed, behaviour)
        rates = Rates(calendar, seed)
        self._sales = Sales(self.customers, self.fates, self.outbox, seed)
        self._desk = Desk(self.workforce, self.fates, calendar, behaviour)
        self._problems = Problems(self.customers, self.workforce.hours, behaviour)
        self._matters = Matters(self.customers, self.workforce.hours, behaviour)
        self._tickets = Tickets(self.customers, self._desk, self.outbox)
        self._histories = Histories(self._desk, self.outbox, seed)
        self._interactions = Interactions(self.customers, self._desk, self.outbox)
        self._surveys = Surveys(self.customers, self.outbox, behaviour)
        self._offers = Offers(self.customers, self.fates, self._sales, self.outbox)
        self._recovery = Recovery(self.customers, self._sales, self.outbox)
        self._staff = Staff(self.workforce, calendar, self.outbox, seed)
        self.books = Books(calendar, self.workforce, rates, self.outbox)
        self._schedules = Schedules(calendar)
        self.truth = Truth(calendar, rates, accounts, Timelines(calendar, self._schedules, tables))
        self._promises = Promises(self.customers, calendar, self.outbox)
        self._relations = Relations(self.customers, self.outbox, seed)
        self._voices = Voices(self.customers, self.workforce, calendar, self.outbox, seed)
        self._causal = Causal(self.customers, self.fates, rates, tables, behaviour)
        self._troubled: Batch | None = None
        self._resolved: list[Batch] = []
        self.books.open()
        self._staff.open()
        self._schedules.deliver(self.outbox)
        self._promises.open()
        self._join(-1)

    def month(self, month: int) -> None:
        """Everything that starts in the month; later consequences wait in the outbox."""
        start, end = (int(edge) for edge in self._calendar.edges[month : month + 2])
        draws = Draws(self._seed, 10, month)
        self._join(month)
        self._desk.chains.forget()
        self._desk.begin_month()
        present = self.fates.present(start) | (self.customers.join_month == month)
        self._sales.begin(start, end, draws)
        orders, lines = self._sales.orders, self._sales.lines
        events, reported = self._open_problems(lines, month, draws)
        sessions = self._open_matters(orders, month, present, draws)
        for day in self._calendar.days(month):
            self._day(day, month)
        seen = delivered(orders)
        chains = self._desk.chains
        ended = chains.of(np.concatenate(self._desk.ended))
        outcomes = episodes(ended, self.customers.natural_death[ended["account"]], self._behaviour)
        self._causal.keep(ended, outcomes)
        happened = seen[events["_parent"]]
        self._report_problems(take(events, happened), reported[happened], ended)
        self._histories.month(month, start, self._tickets.month(start, end, draws))
        contacts = self._interactions.month(draws)
        self._offers.make(contacts, draws)
        self._offers.accept(end, draws)
        self._deliver_orders(orders, lines, draws)
        self._recovery.month(ended, self._troubled or {}, draws)
        self._report_sessions(sessions, orders)
        self._surveys.after_tickets(ended, draws)
        everyone, answers = self._surveys.relationship(month, self.fates.present(end - 1), draws)
        self.truth.opinions(month, everyone, answers)
        self._voices.month(month, ended, everyone, answers)
        self._relations.month(month, present)
        self._close(start, end, draws)
        timesheets, people = self._desk.handling.timesheets.month()
        self._staff.month(month, timesheets)
        self.books.month(month, people)
        merges = self.customers.merge_rows(start, end)
        self.outbox.add("account_merges", merges, merges["merged_at"])

    def month_over(self, month: int) -> None:
        """After the last month let the ghosts of the lost accounts run out."""
        if month == self._calendar.months - 1:
            self._afterwards()

    def _day(self, day: int, month: int) -> None:
        finished = self._desk.day(day, month, self._sales.orders["_fate"], Draws(self._seed, 20, day))
        over = self._desk.chains.of(finished)
        outcomes = episodes(over, self.customers.natural_death[over["account"]], self._behaviour)
        self._causal.ended(over, outcomes)
        self._sales.finish_day(day * DAY, (day + 1) * DAY)

    def _open_problems(self, lines: Batch, month: int, draws: Draws) -> tuple[Batch, Integers]:
        events, chains, due = self._problems.of_lines(lines, month, draws)
        self._desk.agenda.add(self._desk.chains.open(chains), due)
        known = {name: events.pop(f"_line_{name}") for name in _LINE} | {"event": events["problem_event_id"]}
        self._troubled = known if self._troubled is None else stack([self._troubled, known])
        running = self._desk.chains.table["event"]
        if (running != NULL).any():
            self._troubled = take(self._troubled, self._troubled["event"] >= running[running != NULL].min())
        return events, chains["is_reported"]

    def _open_matters(self, orders: Batch, month: int, present: np.ndarray, draws: Draws) -> Batch:
        chains, sessions, due = self._matters.month(month, orders, present, draws)
        self._desk.agenda.add(self._desk.chains.open(chains), due)
        return sessions

    def _report_problems(self, events: Batch, reported: Integers, ended: Batch) -> None:
        """Report the list of known affected, and again each event whose chain has ended solved."""
        self._causal.affected(events, reported == 1)
        fresh = events | {
            "resolved_at": np.full(rows(events), NULL, dtype=np.int64),
            "_is_first": np.ones(rows(events), dtype=np.int64),
        }
        self.outbox.add("problem_events", fresh, events["occurred_at"])
        self._resolved.append(fresh)
        known = stack(self._resolved)
        solved = take(ended, (ended["event"] != NULL) & (ended["is_solved"] == 1))
        order = np.argsort(known["problem_event_id"], kind="stable")
        place = order[np.searchsorted(known["problem_event_id"][order], solved["event"])] if rows(solved) else order[:0]
        again = take(known, place) | {
            "resolved_at": solved["ended_at"],
            "_is_first": np.zeros(rows(solved), dtype=np.int64),
        }
        self.outbox.add("problem_events", again, solved["ended_at"])
        running = self._desk.chains.table["event"]
        oldest = int(running[running != NULL].min()) if (running != NULL).any() else 0
        self._resolved = [take(known, known["problem_event_id"] >= oldest)]

    def _deliver_orders(self, orders: Batch, lines: Batch, draws: Draws) -> None:
        """Deliver the orders of the living; the chains of the others never happened."""
        seen = delivered(orders)
        seen_lines = seen[lines["_parent"]]
        self._sales.deliver(take(orders, seen), take(lines, seen_lines), draws)
        troubled = self._troubled or {}
        key = lines["order_id"] * 8 + lines["line_id"]
        hit = np.flatnonzero(np.isin(key[seen_lines], troubled["order_id"] * 8 + troubled["line_id"]))
        self._recovery.returns(take(lines, seen_lines), hit, draws)
        self._causal.margins(orders, lines)
        table = self._desk.chains.table
        now = (table["order"] != NULL) & (table["contacts"] == 0) & (table["attempts"] == 0) & (table["ended_at"] == NULL)
        now &= np.isin(table["order"], orders["order_id"][~seen])
        table["is_void"][now] = 1

    def _report_sessions(self, sessions: Batch, orders: Batch) -> None:
        place = np.where(sessions["_order_place"] == NULL, 0, sessions["_order_place"])
        about = sessions["_order_place"] != NULL
        ordered = delivered(orders)[place] if rows(orders) else ~about
        alive = np.where(about, ordered, self.fates.death(sessions["_account"]) > sessions["started_at"])
        happened = take(sessions, alive.astype(np.bool_))
        self.outbox.add("self_service_sessions", happened, happened["ended_at"])
        came = happened["_contact_at"]
        demand = (came != NULL) & (came - happened["ended_at"] <= DAY)
        named = ("session_id", "_account", "started_at", "ended_at", "intent", "outcome", "_is_contained", "_contact_at")
        self._tables.add("sessions", {name.lstrip("_"): happened[name] for name in named} | {"is_failure_demand": demand.astype(np.int64)})

    def _join(self, month: int) -> None:
        c = self.customers
        joined = np.flatnonzero(c.join_month == month).astype(np.int64)
        nothing = np.full(len(joined), NULL, dtype=np.int64)
        self.outbox.add("accounts", c.account_rows(joined, nothing, nothing), c.present_from[joined])
        contacts = c.contact_rows(joined)
        self.outbox.add("contacts", contacts, c.present_from[contacts["account_id"]])

    def _close(self, start: int, end: int, draws: Draws) -> None:
        """One lost account in five says so a little later: a second version of its row. An id that others were merged into stays."""
        c = self.customers
        own = np.bincount(c.surviving, minlength=c.count) <= 1
        death = self.fates.death(np.arange(c.count, dtype=np.int64))
        lost = np.flatnonzero((death >= start) & (death < end) & (c.merged_at > end) & own).astype(np.int64)
        lost = lost[draws.chance(len(lost), CLOSES)]
        at = death[lost] + draws.integers(3_600, 20 * DAY, len(lost))
        by_service = self.fates.service_death[lost] < c.natural_death[lost]
        self.outbox.add("accounts", c.account_rows(lost, at, np.where(by_service, 0, 1)), at)

    def _afterwards(self) -> None:
        """Draw on, after the end, the orders of accounts whose lost or retained margin is still running."""
        b, end = self._behaviour, int(self._calendar.edges[-1])
        killed = self.fates.service_death
        limit = np.where(killed == NEVER, 0, np.minimum(killed, end) + b.margin_days * DAY)
        saved = np.where(self.fates.saved.end == NEVER, 0, self.fates.saved.end)
        for chunk in range(-(-b.margin_days // _GHOST_DAYS) + 1):
            start = end + chunk * _GHOST_DAYS * DAY
            only = (np.maximum(limit, saved) > start) & (self.customers.present_from < end)
            self._sales.begin(start, start + _GHOST_DAYS * DAY, Draws(self._seed, 30, chunk), only=only)
            self._sales.finish_day(start, start + _GHOST_DAYS * DAY)
            self._causal.margins(self._sales.orders, self._sales.lines)

    def document(self) -> dict[str, Any]:
        """Return all of the truth as plain numbers, and write the tables of accounts, agents and months."""
        c, w = self.customers, self.workforce
        self._tables.add("accounts", {
            "account": np.arange(c.count, dtype=np.int64), "created_at": c.created_at, "value": c.value, "stratum": c.stratum,
            "order_rate": c.order_rate, "death_rate": c.death_rate, "natural_death": c.natural_death,
            "service_death": np.where(self.fates.service_death == NEVER, NULL, self.fates.service_death), "killer": self.fates.killer,
            "merged_at": np.where(c.merged_at == NEVER, NULL, c.merged_at), "surviving": c.surviving, "contact_weight": c.contact_weight,
        })  # fmt: skip
        self._tables.add("agents", {
            "agent": np.arange(w.count, dtype=np.int64), "team": w.team, "hired": w.hired, "floor": w.floor, "left": w.left,
            "moved": w.moved, "next_team": w.next_team, "hourly_cents": w.hourly_cents,
        })  # fmt: skip
        names = [period.label for period in self._calendar.periods]
        causal = self._causal.document(names)
        first = causal["months"][names[0]]
        self._tables.add("months", {"month": self._calendar.edges[:-1]} | {
            name: np.array([causal["months"][label][name] for label in names], dtype=np.int64) for name, value in first.items()
            if isinstance(value, int)
        })  # fmt: skip
        offers = {"incremental": self._offers.incremental, "taken_over": self._offers.taken_over}
        return {
            "true_values": {"reporting_currency_code": "EUR", "offers": offers, "initiative_effect": 0},
            **self.truth.document(),
            "causal": causal,
        }
