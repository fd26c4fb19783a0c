"""Answers: satisfaction and effort after a ticket, likelihood to recommend once in a while; lower after bad service."""

from __future__ import annotations

import numpy as np

from dagster_project.demo.calendar import DAY
from dagster_project.demo.codes import COMMENTS, TICKET_STATES
from dagster_project.demo.customers import Customers
from dagster_project.demo.draws import Draws, Flags, Integers
from dagster_project.demo.files import NULL, Batch, take
from dagster_project.demo.outbox import Outbox

ANSWERS_PER_TEN_THOUSAND_TICKETS = 1_800
NPS_ANSWERS_PER_TEN_THOUSAND_ACCOUNTS = 550
_CSAT_GOOD, _CSAT_BAD = (200, 300, 1_000, 3_500, 5_000), (3_500, 3_000, 2_000, 1_000, 500)
_NPS_GOOD = (100, 50, 50, 100, 100, 400, 700, 1_500, 2_500, 2_500, 2_000)
_NPS_BAD = (1_500, 800, 900, 1_200, 1_300, 1_300, 1_000, 800, 600, 400, 200)
_ASKED = (TICKET_STATES.index("solved"), TICKET_STATES.index("closed"))


class Surveys:
    """Running response numbers."""

    def __init__(self, customers: Customers, outbox: Outbox) -> None:
        self._customers, self._outbox = customers, outbox
        self._next = 0

    def after_tickets(self, tickets: Batch, draws: Draws) -> None:
        """One csat answer to a share of the solved tickets; every fourth answers the effort question too (same response)."""
        asked = take(
            tickets, np.isin(tickets["ticket_state"], _ASKED) & draws.chance(len(tickets["ticket_id"]), ANSWERS_PER_TEN_THOUSAND_TICKETS)
        )
        count = len(asked["ticket_id"])
        number = self._number(count)
        bad = asked["_bad"] == 1
        at = asked["_solved_at"] + draws.integers(3_600, 3 * DAY, count)
        score = 1 + np.where(bad, draws.choice(count, _CSAT_BAD), draws.choice(count, _CSAT_GOOD))
        self._ask(number, 0, (1, 5), score, asked["account_id"], asked["contact_id"], asked["ticket_id"], asked["channel"], at, draws)
        some = draws.chance(count, 2_500)
        effort = np.minimum(score[some] + draws.integers(0, 3, int(some.sum())), 7)
        also = take(asked, some)
        self._ask(
            number[some], 1, (1, 7), effort, also["account_id"], also["contact_id"], also["ticket_id"], also["channel"], at[some], draws
        )

    def relationship(self, month: int, exposed: Flags, draws: Draws) -> None:
        """Likelihood to recommend, asked of present customers in the second half of the month."""
        asked = np.flatnonzero(self._customers.present(month) & draws.chance(self._customers.count, NPS_ANSWERS_PER_TEN_THOUSAND_ACCOUNTS))
        count = len(asked)
        end = int(self._customers.calendar.edges[month + 1])
        at = draws.integers(np.maximum(end - 14 * DAY, self._customers.created_at[asked]), end, count)
        score = np.where(exposed[asked], draws.choice(count, _NPS_BAD), draws.choice(count, _NPS_GOOD))
        nothing = np.full(count, NULL, dtype=np.int64)
        self._ask(
            self._number(count),
            2,
            (0, 10),
            score,
            asked,
            self._customers.contact_of(asked, draws),
            nothing,
            np.zeros(count, dtype=np.int64),
            at,
            draws,
        )

    def _number(self, count: int) -> Integers:
        self._next += count
        return np.arange(self._next - count, self._next, dtype=np.int64)

    def _ask(
        self,
        number: Integers,
        question: int,
        scale: tuple[int, int],
        score: Integers,
        accounts: Integers,
        contacts: Integers,
        tickets: Integers,
        channel: Integers,
        at: Integers,
        draws: Draws,
    ) -> None:
        count = len(number)
        same = np.ones(count, dtype=np.int64)
        answer = {
            "response_id": number,
            "question_key": same * question,
            "survey_kind": same * (question == 2),
            "survey_metric": same * question,
            "scale_min": same * scale[0] * 10_000,
            "scale_max": same * scale[1] * 10_000,
            "score": score * 10_000,
            "comment": np.where(draws.chance(count, 1_000), draws.integers(0, len(COMMENTS), count), NULL),
            "account_id": accounts,
            "contact_id": contacts,
            "ticket_id": tickets,
            "channel": channel,
            "responded_at": at,
        }
        self._outbox.add("survey_responses", answer, at)
