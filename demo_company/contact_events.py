"""What an answered contact of a ticket brings about, whatever comes of its matter: comments, assignments, hand-offs and waiting."""

from __future__ import annotations

import numpy as np

from demo_company.codes import BLOCKED_REASONS, DEPARTMENTS
from demo_company.draws import Draws, Flags, Integers
from demo_company.event_rows import (
    AGENT_ACTOR,
    ASSIGNEE_FIELD,
    CUSTOMER,
    DEPARTMENT_FIELD,
    STATUS,
    agent_value,
    department_value,
    events,
    status_value,
)
from demo_company.files import NULL, Batch, rows, take

KEPT = ("chain", "place", "at", "answered_at", "ended_at", "blocked_at", "unblocked_at", "held_at", "freed_at")
"""What is remembered of a contact until its chain is over."""
_HOUR = 3_600
_TRIAGED, _BLOCKED_WAITING, _BLOCKED_AFTER = 3_000, 1_200, 3_500
"""Chances per 10,000: a written ticket of another department comes to support first; a written contact is blocked before its answer; a
ticket that was not solved is blocked after it."""
_VIEWED, _VIEWED_FIRST = 5_500, 2_500
_ASKED_AGAIN, _ASKED_AGAIN_AFTER_HAND_OFF, _SUBSTITUTED = 400, 3_500, 5_000
_LONG_WAIT = 600


def seen(found: Batch, chain: Batch, draws: Draws) -> Batch:
    """Add what else is known or drawn of each answered contact: its ticket, the department after it, spans of waiting for others."""
    count = rows(found)
    order = np.lexsort((found["place"], found["chain"]))
    here, then = order[:-1], order[1:]
    after = chain["department"].copy()
    after[here] = np.where(found["chain"][then] == found["chain"][here], found["department"][then], after[here])
    last = (chain["ended_at"] != NULL) & (chain["contacts"] == found["place"] + 1)
    wait = found["answered_at"] - found["at"]
    blocked = (found["place"] == 0) & (found["is_written"] == 1) & (wait >= _HOUR) & draws.chance(count, _BLOCKED_WAITING)
    held = ~last & draws.chance(count, _BLOCKED_AFTER)
    length = draws.integers(600, 11 * _HOUR, count)
    return found | {
        **{name: chain[name] for name in ("created_at", "assignee", "contact", "severity")},
        "is_last": last.astype(np.int64),
        "department_after": np.where(last, found["department"], after),
        "blocked_at": np.where(blocked, found["at"] + wait // 3, NULL),
        "unblocked_at": np.where(blocked, found["at"] + 2 * wait // 3, NULL),
        "held_at": np.where(held, found["ended_at"], NULL),
        "freed_at": np.where(held, found["ended_at"] + length, NULL),
    }


def contact_events(found: Batch, draws: Draws) -> list[Batch]:
    """Rows of ticket_events about answered contacts."""
    count = rows(found)
    at, answered, ended, department = (found[name] for name in ("at", "answered_at", "ended_at", "department"))
    first, by_mail, unsolved = found["place"] == 0, found["is_written"] == 1, found["is_last"] == 0
    held, waits = found["held_at"] != NULL, found["blocked_at"] != NULL
    wait = answered - at
    early = by_mail & (wait >= _LONG_WAIT)
    triaged = first & early & (department != 0) & draws.chance(count, _TRIAGED)
    moved = found["transfer_count"] > 0
    begin, span = np.where(early, at, answered), np.where(early, wait, ended - answered)
    forth, back = begin + span // 3, begin + 2 * span // 3
    other = (department + draws.integers(1, len(DEPARTMENTS), count)) % len(DEPARTMENTS)
    passed = unsolved & (found["department_after"] != department)
    asked = draws.chance(count, np.where(triaged | moved, _ASKED_AGAIN_AFTER_HAND_OFF, np.where(first, 0, _ASKED_AGAIN)))
    viewed = draws.chance(count, np.where(first, _VIEWED_FIRST, _VIEWED))
    substitutes = ~first & (found["agent"] != found["assignee"]) & draws.chance(count, _SUBSTITUTED)
    mood = np.clip(4_000 - 3_000 * found["severity"] + draws.integers(-4_000, 4_001, count), -10_000, 10_000)
    reason = draws.integers(0, len(BLOCKED_REASONS), count)
    triage_end = np.where(triaged, at + wait // 8, NULL)

    def some(name: str, rank: int, chosen: Flags, instant: Integers, role: int = AGENT_ACTOR, **values: Integers | int) -> Batch:
        actor = found["agent" if role == AGENT_ACTOR else "contact"]
        given = {column: value if isinstance(value, int) else value[chosen] for column, value in values.items()}
        return events(take(found, chosen), name, rank, instant[chosen], actor[chosen], role, **given)

    def turns(state: str, rank: int, chosen: Flags, instant: Integers, role: int = AGENT_ACTOR) -> Batch:
        return some("status_change", rank, chosen, instant, role, field_name=STATUS, new_value=status_value(state))

    def moves(rank: int, chosen: Flags, instant: Integers, old: Integers, new: Integers) -> Batch:
        given: dict[str, Integers | int] = {"old_value": old, "new_value": department_value(new), "department_id": new}
        return some("department_change", rank, chosen, instant, AGENT_ACTOR, field_name=DEPARTMENT_FIELD, **given)

    def gives(rank: int, chosen: Flags, instant: Integers, agent: Integers) -> Batch:
        return some("assignment", rank, chosen, instant, field_name=ASSIGNEE_FIELD, new_value=agent_value(agent))

    def waiting(chosen: Flags, since: Integers, until: Integers) -> list[Batch]:
        return [
            turns("on_hold", 14, chosen, since),
            some("blocked", 15, chosen, since, blocked_reason=reason),
            some("unblocked", 3, chosen, until),
            turns("open", 7, chosen, until),
        ]

    came_in: dict[str, Integers | int] = {"new_value": status_value("new"), "department_id": np.where(triaged, 0, department)}
    return [
        some("created", 0, first, at, CUSTOMER, field_name=STATUS, **came_in),
        some("public_comment", 1, by_mail, at, CUSTOMER, sentiment_score=mood),
        turns("open", 2, ~first, at, CUSTOMER),
        moves(4, triaged, triage_end, np.zeros(count, dtype=np.int64), department),
        moves(4, moved, forth, department, other),
        moves(5, moved, back, other, department),
        gives(6, first | substitutes, answered, found["agent"]),
        turns("open", 7, first, answered),
        some("history_viewed", 8, viewed, np.maximum(at, answered - 20)),
        some("public_comment", 10, np.ones(count, dtype=np.bool_), answered),
        some("info_rerequested", 11, asked, np.minimum(np.maximum(answered, np.where(moved, back, 0)) + 1, ended)),
        gives(12, substitutes, ended, found["assignee"]),
        moves(13, passed, ended, department, found["department_after"]),
        turns("pending", 14, unsolved & ~held, ended),
        *waiting(held, found["held_at"], found["freed_at"]),
        *waiting(waits, found["blocked_at"], found["unblocked_at"]),
    ]
