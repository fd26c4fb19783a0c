"""What customers say of products and what comes of it, how staff feel, and what the company is thought of: feedback, changes, scores."""

from __future__ import annotations

from datetime import date

import numpy as np

from demo_company.calendar import DAY, Calendar, instant
from demo_company.catalogue import PRODUCTS
from demo_company.codes import AUDIENCES, ISSUE_DEPARTMENT, STAFF_ITEMS, TEAMS
from demo_company.customers import Customers
from demo_company.draws import Draws, Integers
from demo_company.files import NULL, Batch, rows, take
from demo_company.outbox import Outbox
from demo_company.workforce import Workforce

_SAID, _SAID_OF_PRODUCTS = 400, 5_000
_ROUTED, _ACCEPTED, _COMPETITOR = 7_000, 6_000, 1_200
_ANSWERED_PERCENT = 80
_ASKED_AFTER = 45 * DAY
_STRAIN = (15_000, -10_000, -8_000, -6_000, -500_000)
_AT_EASE = (22_000, 40_000, 38_000, 36_000, 250_000)
"""Mean answer of a team without beginners, and what a team of beginners only adds, in 1/10,000, by item."""
_FIX, _FEATURE = 0, 1


class Voices:
    """Running numbers of feedback and of product changes."""

    def __init__(self, customers: Customers, workforce: Workforce, calendar: Calendar, outbox: Outbox, seed: int) -> None:
        self._customers, self._workforce, self._calendar, self._outbox, self._seed = customers, workforce, calendar, outbox, seed
        self._next_item = self._next_change = 0

    def month(self, month: int, ended: Batch, everyone: Integers, answers: Integers) -> None:
        """Queue what is said about the matters that ended; `everyone` and `answers` are detractors, passives and promoters."""
        draws = Draws(self._seed, 42, month)
        self._feedback(ended, draws)
        self._releases(month, draws)
        self._scores(month, everyone, answers, draws)
        self._staff(month)

    def _feedback(self, ended: Batch, draws: Draws) -> None:
        about = ended["product"] != NULL
        said = draws.chance(rows(ended), np.where(about, _SAID_OF_PRODUCTS, _SAID)) & (ended["ticket"] != NULL)
        over = take(ended, said)
        count = rows(over)
        at = over["ended_at"] + draws.integers(600, 2 * DAY, count)
        bad = over["product"] != NULL
        nothing = np.full(count, NULL, dtype=np.int64)
        rival = draws.chance(count, _COMPETITOR)
        language = self._customers.language[over["account"]]
        item = {
            "feedback_item_id": self._next_item + np.arange(count, dtype=np.int64),
            "feedback_source": draws.integers(0, 3, count),
            "account_id": self._customers.known_as(over["account"], at),
            "ticket_id": over["ticket"],
            "product_id": over["product"],
            "theme": over["issue"],
            "attribute": draws.integers(0, 4, count),
            "competitor": np.where(rival, draws.integers(0, 2, count), NULL),
            "polarity": np.where(bad, draws.choice(count, (500, 1_500, 8_000)), draws.integers(0, 3, count)),
            "feedback_text": np.where(draws.chance(count, 5_000), 18 * bad + 3 * language + draws.integers(0, 3, count), NULL),
            "received_at": at,
            "routed_to_department_id": nothing,
            "routed_at": nothing,
            "accepted_at": nothing,
            "product_change_id": nothing,
        }
        self._next_item += count
        self._outbox.add("feedback_items", item | {"_step": nothing * 0}, at)
        routed = draws.chance(count, _ROUTED)
        routed_at = at + 3_600 + (draws.uniform(count) * 5 * DAY).astype(np.int64)
        accepted = draws.chance(count, _ACCEPTED) & bad
        accepted_at = routed_at + DAY + (draws.uniform(count) * 20 * DAY).astype(np.int64)
        item |= {"routed_at": routed_at, "routed_to_department_id": np.array(ISSUE_DEPARTMENT, dtype=np.int64)[over["issue"]]}
        sent = take(item, routed)
        self._outbox.add("feedback_items", sent | {"_step": np.ones(rows(sent), dtype=np.int64)}, sent["routed_at"])
        taken = take(item | {"accepted_at": accepted_at}, routed & accepted)
        products, change = np.unique(taken["product_id"], return_inverse=True)
        first = np.full(len(products), np.iinfo(np.int64).max, dtype=np.int64)
        np.minimum.at(first, change, taken["accepted_at"])
        number = self._change(products.astype(np.int64), np.full(len(products), _FIX, dtype=np.int64), first, draws)
        taken |= {"product_change_id": number[change], "_step": np.full(rows(taken), 2, dtype=np.int64)}
        self._outbox.add("feedback_items", taken, taken["accepted_at"])

    def _change(self, products: Integers, kind: Integers, known_at: Integers, draws: Draws) -> Integers:
        """Queue changes when they are decided, and four in five again when they are shipped."""
        count = len(products)
        number = self._next_change + np.arange(count, dtype=np.int64)
        self._next_change += count
        change = {
            "product_change_id": number,
            "product_id": products,
            "change_kind": kind,
            "shipped_at": np.full(count, NULL, dtype=np.int64),
        }
        self._outbox.add("product_changes", change, known_at)
        shipped = known_at + 10 * DAY + (draws.uniform(count) * 90 * DAY).astype(np.int64)
        again = take(change | {"shipped_at": shipped}, draws.chance(count, 8_000))
        self._outbox.add("product_changes", again, again["shipped_at"])
        return number

    def _releases(self, month: int, draws: Draws) -> None:
        """Each month decides on a new feature of one product."""
        at = draws.integers(int(self._calendar.edges[month]), int(self._calendar.edges[month + 1]), 1)
        self._change(draws.integers(0, PRODUCTS, 1), np.full(1, _FEATURE, dtype=np.int64), at, draws)

    def _scores(self, month: int, everyone: Integers, answers: Integers, draws: Draws) -> None:
        """Score the last day of the month: the public follows what all customers think, applicants follow how staff feel."""
        day = int(self._calendar.edges[month + 1]) - DAY
        total = max(int(everyone.sum()), 1)
        liked = 10_000 + 40_000 * (2 * int(everyone[2]) + int(everyone[1])) // (2 * total)
        scores = np.clip(
            np.array([liked, liked + 2_000, self._mean(month, 1)], dtype=np.int64) + draws.integers(-500, 501, 3), 10_000, 50_000
        )
        row = np.ones(len(AUDIENCES), dtype=np.int64)
        self._outbox.add("reputation_scores", {
            "score_date": row * day,
            "reputation_source": np.arange(len(AUDIENCES), dtype=np.int64),
            "audience": np.arange(len(AUDIENCES), dtype=np.int64),
            "reputation_score": scores,
            "scale_min": row * 10_000,
            "scale_max": row * 50_000,
            "answers_count": np.array([int(answers.sum()), 6, 12], dtype=np.int64),
        }, row * (day + 20 * 3_600))  # fmt: skip

    def _mean(self, month: int, item: int) -> int:
        day = int(self._calendar.edges[month]) // DAY
        paid = self._workforce.employed(day)
        share = int((self._workforce.beginner(paid, day) * 10_000).astype(np.int64).sum()) // max(len(paid), 1)
        return _AT_EASE[item] + _STRAIN[item] * share // 10_000

    def _staff(self, month: int) -> None:
        """Ask every team in the middle of each calendar quarter; beginners feel the strain."""
        first, after = (int(edge) for edge in self._calendar.edges[month : month + 2])
        for quarter in _quarters(self._calendar):
            at = instant(quarter) + _ASKED_AFTER
            if not first <= at < after:
                continue
            day, draws = at // DAY, Draws(self._seed, 43, at // DAY)
            paid = self._workforce.employed(day)
            team, items = self._workforce.team_on(day)[paid], len(STAFF_ITEMS)
            there = np.bincount(team, minlength=len(TEAMS))
            new = np.zeros(len(TEAMS), dtype=np.int64)
            np.add.at(new, team, (self._workforce.beginner(paid, day) * 10_000).astype(np.int64))
            share = new // np.maximum(there, 1)
            of, item = np.repeat(np.flatnonzero(there), items), np.tile(np.arange(items), int((there > 0).sum()))
            ease, strain = np.array(_AT_EASE, dtype=np.int64)[item], np.array(_STRAIN, dtype=np.int64)[item]
            low, high = np.where(item == items - 1, -1_000_000, 10_000), np.where(item == items - 1, 1_000_000, 50_000)
            noise = draws.integers(-3_000, 3_001, len(item)) * np.where(item == items - 1, 20, 1)
            row = np.ones(len(item), dtype=np.int64)
            self._outbox.add("staff_surveys", {
                "team_id": of,
                "quarter_start_date": row * instant(quarter),
                "item_key": item,
                "item_kind": item,
                "item_version": row * 0,
                "item_text": item,
                "scale_min": low,
                "scale_max": high,
                "mean_score": np.clip(ease + strain * share[of] // 10_000 + noise, low, high),
                "answers_count": np.maximum(there[of] * _ANSWERED_PERCENT // 100, 1),
            }, row * at)  # fmt: skip


def _quarters(calendar: Calendar) -> list[date]:
    years = range(calendar.starts[0].year - 1, calendar.starts[-1].year + 1)
    return [date(year, month, 1) for year in years for month in (1, 4, 7, 10)]
