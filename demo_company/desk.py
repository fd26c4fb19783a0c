"""The service desk, day by day: contacts fall due, are answered or not, solve their matter or come again."""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY, Calendar
from demo_company.chains import Agenda, Chains
from demo_company.codes import CHAT, EMAIL, FORM, PHONE
from demo_company.draws import Draws, Flags, Integers
from demo_company.fates import DELIVERED, Fates
from demo_company.files import NULL, Batch, rows, stack, take
from demo_company.handling import Handling
from demo_company.queue import NOBODY
from demo_company.workforce import Workforce

UNLOGGED_FORMS = 4_000
"""Web forms that the ticket alone records: no interaction, the work is reported on the ticket."""
_SOLVED_SECOND, _THIRD_TRY = 7_000, 4_500
_SAME_CHANNEL = 6_000
_AFTER = 60


class Desk:
    """Running ticket numbers; the contacts and the ended chains of the current month."""

    def __init__(self, workforce: Workforce, fates: Fates, calendar: Calendar, behaviour: Behaviour) -> None:
        self.chains, self.agenda = Chains(), Agenda()
        self._workforce, self._fates, self._behaviour = workforce, fates, behaviour
        self._handling = Handling(workforce, calendar, behaviour)
        self._mail: list[Batch] = []
        self._next_ticket = 0
        self.begin_month()

    def begin_month(self) -> None:
        """Forget the contacts, and the opened and ended chains, of the month before."""
        self.contacts: list[Batch] = []
        self.opened: list[Integers] = [np.empty(0, dtype=np.int64)]
        self.ended: list[Integers] = [np.empty(0, dtype=np.int64)]

    def day(self, day: int, month: int, order_fates: Integers, draws: Draws) -> Integers:
        """Everything that falls due on a day; `order_fates` are those of the month's orders. Returns the chains that end because of it."""
        ids, at = self.agenda.take(day)
        due = self.chains.of(ids)
        void = self._void(due, at, month, order_fates)
        self.chains.set(ids[void], is_void=1)
        ids, at, due = ids[~void], at[~void], take(due, ~void)
        silent = due["is_reported"] == 0
        self.chains.set(ids[silent], ended_at=due["occurred_at"][silent] + 7 * DAY)
        contacts = {"chain": ids, "at": at, "channel": due["channel"], "department": due["department"]}
        contacts = take(contacts, ~silent)
        written = (contacts["channel"] == EMAIL) | (contacts["channel"] == FORM)
        self._mail.append(take(contacts, written))
        ended = [ids[silent]]
        if self._workforce.hours.is_open(day):
            shift, absent = self._workforce.shift(day)
            done = self._handling.live(day, take(contacts, ~written), shift, draws)
            mail, self._mail = stack(self._mail), []
            answers = self._handling.written(day, take(mail, np.argsort(mail["at"], kind="stable")), shift, draws)
            batch = stack([done, answers])
            ended.append(self._outcome(batch, day, draws))
            self._handling.timesheet(day, batch, shift, absent)
        finished = np.concatenate(ended)
        self.ended.append(finished)
        return finished

    @property
    def handling(self) -> Handling:
        """How contacts are handled; keeps the timesheets."""
        return self._handling

    def _void(self, due: Batch, at: Integers, month: int, order_fates: Integers) -> Flags:
        """Tell which first contacts do not come: its order of this month or the one before was never placed, or the account is gone."""
        first = (due["contacts"] == 0) & (due["attempts"] == 0)
        now = due["order_month"] == month
        place = np.where(now & (due["order"] != NULL), due["order_place"], 0)
        fate = order_fates[place] if len(order_fates) else np.zeros(len(at), dtype=np.int64)
        ghost = (due["order"] != NULL) & now & (fate != DELIVERED)
        gone = (due["order"] == NULL) & (self._fates.death(due["account"]) <= at)
        return np.asarray((due["is_void"] == 1) | (first & (ghost | gone)))

    def _outcome(self, batch: Batch, day: int, draws: Draws) -> Integers:
        """Work out what the day's contacts lead to; returns the chains that end."""
        ids = batch["chain"]
        due, b, count = self.chains.of(ids), self._behaviour, len(batch["chain"])
        answered = batch["agent"] != NOBODY
        slow = np.where(batch["is_written"] == 1, b.long_reply_seconds, b.long_wait_seconds)
        first = answered & (due["contacts"] == 0)
        propensity = np.clip(due["fcr"] + self._fcr_of_agents(batch["agent"], day), 300, 9_700)
        solved_first = draws.chance(count, propensity)
        later = due["luck_later"] < np.where(
            due["event"] == NULL, 10_000, np.array(b.later_by_severity, dtype=np.int64)[np.maximum(due["severity"], 1) - 1]
        )
        solved_later = later & ((due["contacts"] >= 2) | draws.chance(count, _SOLVED_SECOND))
        solved = answered & np.where(due["contacts"] == 0, solved_first, solved_later)
        again = answered & ~solved & ((due["contacts"] == 0) | later | ((due["contacts"] == 1) & draws.chance(count, _THIRD_TRY)))
        retry = ~answered & ((due["contacts"] > 0) | (draws.chance(count, b.calls_again) & (due["attempts"] < 2)))
        batch["is_first"], batch["place"], batch["is_solved"] = first.astype(np.int64), due["contacts"], solved.astype(np.int64)
        self._tickets(batch, due, answered, solved)
        self.chains.set(
            ids,
            contacts=due["contacts"] + answered,
            attempts=due["attempts"] + ~answered,
            treated=np.where(first, solved.astype(np.int64), due["treated"]),
            propensity=np.where(first, propensity, due["propensity"]),
            waited_long=np.maximum(due["waited_long"], batch["waited"] > slow),
            first_at=np.where(due["first_at"] == NULL, batch["at"], due["first_at"]),
            is_solved=solved.astype(np.int64),
            transfers=due["transfers"] + batch["transfer_count"],
        )
        ends = ~again & ~retry
        self.chains.set(ids[ends], ended_at=batch["ended_at"][ends] + _AFTER, has_given_up=(~answered)[ends].astype(np.int64))
        self._come_again(take(batch, again | retry), draws)
        self.contacts.append(batch)
        return np.asarray(ids[ends])

    def _fcr_of_agents(self, agents: Integers, day: int) -> Integers:
        known = np.maximum(agents, 0)
        training = self._behaviour.fcr_per_module * self._workforce.modules(known, day)
        beginner = self._behaviour.fcr_of_beginners * self._workforce.beginner(known, day)
        return np.asarray(training + beginner.astype(np.int64))

    def _tickets(self, batch: Batch, due: Batch, answered: Flags, solved: Flags) -> None:
        """Open the tickets of answered contacts, unless a quick one was solved without; some forms are recorded on the ticket alone."""
        quick = (due["is_quick"] == 1) & (due["contacts"] == 0) & solved & (batch["is_written"] == 0)
        opens = np.flatnonzero(answered & ~quick & (due["ticket"] == NULL))
        number = self._next_ticket + np.arange(len(opens), dtype=np.int64)
        self._next_ticket += len(opens)
        ids = batch["chain"]
        self.chains.set(ids[opens], ticket=number, created_at=batch["at"][opens], assignee=batch["agent"][opens])
        self.chains.set(ids[answered], last_agent=batch["agent"][answered], last_channel=batch["channel"][answered])
        self.opened.append(ids[opens])
        unlogged = (batch["channel"] == FORM) & (due["contacts"] == 0) & solved & (batch["luck"] < UNLOGGED_FORMS)
        self.chains.set(ids[unlogged], work=batch["talk_seconds"][unlogged])
        batch["is_logged"] = (~unlogged).astype(np.int64)
        batch["ticket"] = self.chains.of(ids)["ticket"]

    def new_tickets(self, count: int) -> Integers:
        """Numbers for tickets that no chain opens: spam and duplicates."""
        self._next_ticket += count
        return np.arange(self._next_ticket - count, self._next_ticket, dtype=np.int64)

    def _come_again(self, batch: Batch, draws: Draws) -> None:
        """Enter the next contact: after an answer within the week, after an unanswered try on the next open day."""
        count = rows(batch)
        if not count:
            return
        ids, tried = batch["chain"], batch["agent"] == NOBODY
        lag = np.where(tried, 18 * 3_600, DAY // 2) + (draws.uniform(count) * np.where(tried, DAY, 3 * DAY)).astype(np.int64)
        at = np.maximum(batch["ended_at"] + lag, (batch["ended_at"] // DAY + 1) * DAY + 8 * 3_600)
        other = draws.choice(count, (3_000, 5_000, 2_000))
        channel = np.where(draws.chance(count, np.where(tried, 8_000, _SAME_CHANNEL)), batch["channel"], other)
        channel = np.where(tried & (channel != batch["channel"]), EMAIL, channel)
        live = (channel == PHONE) | (channel == CHAT)
        at = np.where(live, self._workforce.hours.into(at, draws.uniform(count)), at)
        department = np.where(channel == CHAT, 0, batch["department"])
        self.chains.set(ids, channel=channel, department=department)
        self.agenda.add(ids, at)
