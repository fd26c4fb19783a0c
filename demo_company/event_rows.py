"""How rows of ticket_events are put together: their numbers, the coding of their mixed columns, and which repeated rows are dropped."""

from __future__ import annotations

import numpy as np

from demo_company.codes import EVENT, TICKET_STATUS
from demo_company.draws import Integers
from demo_company.files import NULL, PACK, Batch, rows, take

AGENT_ACTOR, CUSTOMER, BOT, SYSTEM = range(4)
"""Positions in the roles of actors."""
STATUS, DEPARTMENT_FIELD, ASSIGNEE_FIELD = range(3)
_RANKS = 32
"""Events of one ticket in one second at most."""
_DEPARTMENT, _AGENT, _REVIEW = PACK, 2 * PACK, 3 * PACK


def status_value(name: str) -> int:
    """Code a state as new value."""
    return TICKET_STATUS.index(name)


def department_value(departments: Integers) -> Integers:
    """Code departments as new values."""
    return _DEPARTMENT + departments


def agent_value(agents: Integers) -> Integers:
    """Code agents as new values."""
    return _AGENT + agents


def review_value(passed: Integers) -> Integers:
    """Code results of reviews as new values, 1 for passed."""
    return _REVIEW + passed


def events(of: Batch, name: str, rank: int, at: Integers, actor: Integers | None, role: int, **values: Integers | int) -> Batch:
    """Rows of one kind; `of` has the columns ticket, created_at, and known_at if they may be known later than they happened."""
    count = len(at)

    def column(value: Integers | int) -> Integers:
        return np.full(count, value, dtype=np.int64) if isinstance(value, int) else value

    if actor is None:
        actor = column(NULL)
    elif role == CUSTOMER:
        actor = np.where(actor == NULL, NULL, actor + PACK)
    return {
        "ticket_id": of["ticket"],
        "event_number": (at - of["created_at"]) * _RANKS + rank,
        "event_at": at,
        "actor_id": actor,
        "actor_role": column(role),
        "event_type": column(EVENT[name]),
        "field_name": column(values.get("field_name", NULL)),
        "old_value": column(values.get("old_value", NULL)),
        "new_value": column(values.get("new_value", NULL)),
        "department_id": column(values.get("department_id", NULL)),
        "blocked_reason": column(values.get("blocked_reason", NULL)),
        "sentiment_score": column(values.get("sentiment_score", NULL)),
        "_known_at": of.get("known_at", at),
    }


def in_order(batch: Batch) -> Batch:
    """One row a number in order of time, without steps from a state to the same state.

    A reopening takes the place of the change of state with its number. Steps of a ticket that was created in an earlier batch stay: a row
    between two of them may have been written before.
    """
    reopened = batch["event_type"] == EVENT["reopened"]
    batch = take(batch, np.lexsort((~reopened, batch["event_number"], batch["ticket_id"])))
    ticket, number = batch["ticket_id"], batch["event_number"]
    first = np.ones(rows(batch), dtype=np.bool_)
    first[1:] = (ticket[1:] != ticket[:-1]) | (number[1:] != number[:-1])
    batch = take(batch, first)
    ticket = batch["ticket_id"]
    place = np.flatnonzero(batch["field_name"] == STATUS)
    same = np.zeros(rows(batch), dtype=np.bool_)
    value = batch["new_value"][place]
    same[place[1:]] = (ticket[place[1:]] == ticket[place[:-1]]) & (value[1:] == value[:-1])
    fresh = np.isin(ticket, ticket[batch["event_type"] == EVENT["created"]])
    return take(batch, ~(same & fresh & (batch["event_type"] == EVENT["status_change"])))
