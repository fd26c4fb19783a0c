"""Invitations and answers: after a matter is over, and about the relationship. Who answers depends on what there is to say."""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY
from demo_company.codes import EMAIL, SCALES
from demo_company.customers import Customers
from demo_company.draws import Draws, Flags, Integers
from demo_company.effects import episodes
from demo_company.files import NULL, Batch, rows, take
from demo_company.outbox import Outbox

ASKED_AFTER_TICKETS, ASKED_ABOUT_RELATIONSHIP = 5_000, 2_000
FATIGUE_DAYS = 30
BOUNCED, SAME_CHANNEL = 200, 7_000
ANSWERS = (2_300, 3_600)
"""Chance of an answer of the satisfied and the dissatisfied after a ticket."""
ANSWERS_BY_PROMOTION = (4_200, 2_000, 3_000)
"""Chance of an answer of detractors, passives and promoters about the relationship."""
BAD_MEMORY_DAYS = 90
COMMENTED = (1_000, 4_500)
_CSAT_GOOD, _CSAT_BAD = (100, 300, 1_200, 3_700, 4_700), (4_000, 3_200, 1_800, 700, 300)
NPS_GOOD = (100, 50, 50, 100, 100, 400, 700, 1_500, 2_500, 2_500, 2_000)
NPS_BAD = (1_500, 800, 900, 1_200, 1_300, 1_300, 1_000, 800, 600, 400, 200)
_CSAT, _CES, _NPS, _ACSI = 0, 1, 2, 3
_LAST_SEEN = -(10**15)


class Surveys:
    """Running numbers, when each account was asked last, and when it was last left dissatisfied."""

    def __init__(self, customers: Customers, outbox: Outbox, behaviour: Behaviour) -> None:
        self._customers, self._outbox, self._behaviour = customers, outbox, behaviour
        self._next_invitation = self._next_response = 0
        self._asked_at = np.full(customers.count, _LAST_SEEN, dtype=np.int64)
        self._hurt_at = np.full(customers.count, _LAST_SEEN, dtype=np.int64)

    def after_tickets(self, ended: Batch, draws: Draws) -> None:
        """Ask about tickets whose matter is over: satisfaction, of every fourth effort too."""
        over = take(ended, ended["ticket"] != NULL)
        bad = episodes(over, self._customers.natural_death[over["account"]], self._behaviour)["is_dissatisfied"]
        np.maximum.at(self._hurt_at, over["account"][bad == 1], over["ended_at"][bad == 1])
        chosen = draws.chance(rows(over), ASKED_AFTER_TICKETS)
        over, bad = take(over, chosen), bad[chosen]
        count = rows(over)
        same = draws.chance(count, SAME_CHANNEL)
        channel = np.where(same, over["last_channel"], EMAIL)
        lag = 300 + (draws.uniform(count) * draws.uniform(count) * DAY).astype(np.int64)
        invitation = self._invite(over["account"], over["contact"], over["ticket"], channel, over["ended_at"] + lag, 0, draws)
        at, answered = self._answer(invitation, np.array(ANSWERS, dtype=np.int64)[bad], draws)
        asked, bad, at = take(invitation, answered), bad[answered], at[answered]
        count = rows(asked)
        number = self._number(count)
        score = 1 + np.where(bad == 1, draws.choice(count, _CSAT_BAD), draws.choice(count, _CSAT_GOOD))
        self._ask(number, _CSAT, score, bad, asked, at, draws)
        some = draws.chance(count, 2_500)
        effort = np.minimum(score[some] + draws.integers(0, 3, int(some.sum())), 7)
        self._ask(number[some], _CES, effort, bad[some], take(asked, some), at[some], draws)

    def relationship(self, month: int, present: Flags, draws: Draws) -> tuple[Integers, Integers]:
        """Ask present customers in the second half of the month; every customer has an opinion, some are asked, some of these answer.

        Returns the numbers of detractors, passives and promoters among all present and among the answers.
        """
        c = self._customers
        everyone = np.flatnonzero(present).astype(np.int64)
        end = int(c.calendar.edges[month + 1])
        hurt = self._hurt_at[everyone] > end - BAD_MEMORY_DAYS * DAY
        opinion = np.where(hurt, draws.choice(len(everyone), NPS_BAD), draws.choice(len(everyone), NPS_GOOD))
        chosen = draws.chance(len(everyone), ASKED_ABOUT_RELATIONSHIP)
        accounts, opinions, hurt = everyone[chosen], opinion[chosen], hurt[chosen]
        count = len(accounts)
        at = draws.integers(np.maximum(end - 14 * DAY, c.created_at[accounts]), end, count)
        nothing = np.full(count, NULL, dtype=np.int64)
        channel = np.full(count, EMAIL, dtype=np.int64)
        invitation = self._invite(accounts, c.contact_of(accounts, draws), nothing, channel, at, 2, draws)
        responded, answered = self._answer(invitation, np.array(ANSWERS_BY_PROMOTION, dtype=np.int64)[promotion(opinions)], draws)
        asked, score, at, bad = take(invitation, answered), opinions[answered], responded[answered], hurt[answered].astype(np.int64)
        number = self._number(rows(asked))
        self._ask(number, _NPS, score, bad, asked, at, draws)
        for item in range(3):
            self._ask(number, _ACSI + item, np.clip(score + draws.integers(-1, 2, len(score)) - item // 2, 1, 10), bad, asked, at, draws)
        return np.bincount(promotion(opinion), minlength=3), np.bincount(promotion(score), minlength=3)

    def _invite(
        self, accounts: Integers, contacts: Integers, tickets: Integers, channel: Integers, at: Integers, kind: int, draws: Draws
    ) -> Batch:
        count = len(accounts)
        suppressed = np.zeros(count, dtype=np.bool_)
        asked_at = self._asked_at
        for position in np.argsort(at, kind="stable").tolist():
            account, when = accounts[position], at[position]
            if when - asked_at[account] < FATIGUE_DAYS * DAY:
                suppressed[position] = True
            else:
                asked_at[account] = when
        bounced = ~suppressed & draws.chance(count, BOUNCED)
        invitation = {
            "invitation_id": self._next_invitation + np.arange(count, dtype=np.int64),
            "survey_kind": np.full(count, kind, dtype=np.int64),
            "ticket_id": tickets,
            "account_id": self._customers.known_as(accounts, at),
            "contact_id": contacts,
            "channel": channel,
            "invited_at": at,
            "delivered_at": np.where(suppressed | bounced, NULL, at + 30),
            "opened_at": np.full(count, NULL, dtype=np.int64),
            "started_at": np.full(count, NULL, dtype=np.int64),
            "is_bounced": bounced.astype(np.int64),
            "suppressed_reason": np.where(suppressed, 0, NULL),
            "sampling_rate": np.full(count, 100 * (ASKED_ABOUT_RELATIONSHIP if kind else ASKED_AFTER_TICKETS), dtype=np.int64),
            "_account": accounts,
        }
        self._next_invitation += count
        self._outbox.add("survey_invitations", invitation, at + 30)
        return invitation

    def _answer(self, invitation: Batch, chance: Integers, draws: Draws) -> tuple[Integers, Flags]:
        """When an answer comes, and whether it does; the invitation's row is sent again when it was opened."""
        count = rows(invitation)
        delivered = invitation["delivered_at"] != NULL
        answered = delivered & draws.chance(count, chance)
        opened = delivered & (answered | draws.chance(count, 3_000))
        opened_at = invitation["invited_at"] + 60 + (draws.uniform(count) * draws.uniform(count) * 4 * DAY).astype(np.int64)
        again = invitation | {"opened_at": opened_at, "started_at": np.where(answered, opened_at + 20, NULL)}
        again = take(again, opened)
        self._outbox.add("survey_invitations", again, again["opened_at"] + 20)
        return opened_at + draws.integers(40, 400, count), answered

    def _number(self, count: int) -> Integers:
        self._next_response += count
        return np.arange(self._next_response - count, self._next_response, dtype=np.int64)

    def _ask(self, number: Integers, question: int, score: Integers, bad: Integers, asked: Batch, at: Integers, draws: Draws) -> None:
        count = len(number)
        same = np.ones(count, dtype=np.int64)
        language = self._customers.language[asked["_account"]]
        commented = draws.chance(count, np.array(COMMENTED, dtype=np.int64)[bad] * (question in (_CSAT, _NPS)))
        answer = {
            "response_id": number,
            "question_key": same * question,
            "invitation_id": asked["invitation_id"],
            "survey_kind": asked["survey_kind"],
            "survey_metric": same * question,
            "scale_min": same * SCALES[question][0] * 10_000,
            "scale_max": same * SCALES[question][1] * 10_000,
            "score": score * 10_000,
            "comment": np.where(commented, 18 * bad + 3 * language + draws.integers(0, 3, count), NULL),
            "account_id": asked["account_id"],
            "contact_id": asked["contact_id"],
            "ticket_id": asked["ticket_id"],
            "channel": asked["channel"],
            "invited_at": asked["invited_at"],
            "responded_at": at,
            "language_code": language,
        }
        self._outbox.add("survey_responses", answer, at)


def promotion(scores: Integers) -> Integers:
    """0 detractor (0..6), 1 passive (7, 8), 2 promoter (9, 10)."""
    return np.asarray((scores > 6).astype(np.int64) + (scores > 8), dtype=np.int64)
