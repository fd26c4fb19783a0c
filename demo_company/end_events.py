"""Events of tickets that are over: solved, reopened and solved again as their rows in tickets say, closed, merged, deleted, reviewed."""

from __future__ import annotations

import numpy as np

from demo_company.calendar import DAY
from demo_company.codes import STATE
from demo_company.contact_events import KEPT
from demo_company.draws import Draws, Flags, Integers
from demo_company.event_rows import AGENT_ACTOR, BOT, CUSTOMER, STATUS, SYSTEM, events, review_value, status_value
from demo_company.files import NULL, Batch, rows, take

_REVIEWED, _PASSED, _PASSED_UNSOLVED = 800, 9_200, 6_000
_SOON = 1_800
_NO_SOLUTION = 2
_LATER = np.iinfo(np.int64).max


def end_events(final: Batch, contacts: Batch, draws: Draws) -> list[Batch]:
    """Rows of ticket_events about the end of tickets; `contacts` are those of their chains, as kept."""
    final = final | {"ticket": final["ticket_id"], "known_at": final["last_solved_at"]}
    spam, merged = final["ticket_state"] == STATE["spam"], final["ticket_state"] == STATE["merged"]
    own = take(final, ~spam & ~merged)
    return [*_without_contact(take(final, spam), take(final, merged)), *_lives(own, contacts), *_afterwards(own, draws)]


def _turns(of: Batch, state: str, rank: int, at: Integers, role: int, name: str = "status_change", actor: Integers | None = None) -> Batch:
    return events(of, name, rank, at, actor, role, field_name=STATUS, new_value=status_value(state))


def _without_contact(spam: Batch, merged: Batch) -> list[Batch]:
    found = []
    for tickets in (spam, merged):
        new: dict[str, Integers | int] = {"field_name": STATUS, "new_value": status_value("new"), "department_id": tickets["department_id"]}
        at = tickets["created_at"]
        found.append(events(tickets | {"known_at": at}, "created", 0, at, tickets["contact_id"], CUSTOMER, **new))
    at, by = merged["last_solved_at"], merged["assignee_id"]
    return [
        *found,
        _turns(spam | {"known_at": spam["_final_at"]}, "spam", 18, spam["_final_at"], BOT),
        _turns(merged, "solved", 16, at, AGENT_ACTOR, actor=by),
        _turns(merged, "merged", 18, at, AGENT_ACTOR, "merged", by),
    ]


def _lives(own: Batch, contacts: Batch) -> list[Batch]:
    """Solutions and reopenings: the first and the last solution are given, and the ticket is reopened by what happens next to it."""
    times = _by_place(own, contacts)
    happens = np.stack([
        values for name in KEPT[2:] for place, values in enumerate(times[name]) if name != "at" or place
    ])  # fmt: skip
    solved, count = own["first_solved_at"], own["reopen_count"]
    found = [_turns(own, "solved", 16, solved, AGENT_ACTOR, actor=own["assignee_id"])]
    for place in range(1, len(times["at"])):
        more = count >= place
        came, ended = times["at"][place], times["ended_at"][place]
        again = np.where(happens > solved, happens, _LATER).min(axis=0)
        again = np.where(came > solved, again, np.minimum(again, solved + _SOON))
        customer = again == came
        for chosen, role, actor in ((more & customer, CUSTOMER, "contact_id"), (more & ~customer, AGENT_ACTOR, "assignee_id")):
            of = take(own, chosen)
            found.append(_turns(of, "open", 2, again[chosen], role, "reopened", of[actor]))
        after = times["at"][place + 1] if place + 1 < len(times["at"]) else came
        halfway = ended + np.maximum(np.where(after == NULL, 0, after) - ended, 0) // 2
        solved = np.where(count > place, np.maximum(again + _SOON, halfway), own["last_solved_at"])
        of = take(own, more)
        found.append(_turns(of, "solved", 16, solved[more], AGENT_ACTOR, actor=of["assignee_id"]))
    return found


def _by_place(own: Batch, contacts: Batch) -> dict[str, list[Integers]]:
    """Instants of the first, second, … contact of each ticket's chain; NULL where there is none."""
    order = np.argsort(own["_chain"], kind="stable")
    chains = own["_chain"][order]
    here = np.isin(contacts["chain"], chains)
    mine = take(contacts, here)
    ticket = order[np.searchsorted(chains, mine["chain"])] if rows(mine) else np.empty(0, dtype=np.int64)
    places = int(mine["place"].max()) + 1 if rows(mine) else 1
    times = {name: np.full((places, rows(own)), NULL, dtype=np.int64) for name in KEPT[2:]}
    for name, values in times.items():
        values[mine["place"], ticket] = mine[name]
    return {name: list(values) for name, values in times.items()}


def _afterwards(own: Batch, draws: Draws) -> list[Batch]:
    closed: Flags = own["closed_at"] != NULL
    deleted: Flags = own["is_deleted"] == 1
    chance = np.where(own["resolution_code"] == _NO_SOLUTION, _PASSED_UNSOLVED, _PASSED)
    reviewed, passed = draws.chance(rows(own), _REVIEWED), draws.chance(rows(own), chance).astype(np.int64)
    at = own["last_solved_at"] + DAY // 2 + draws.integers(0, 4 * DAY, rows(own))
    review: dict[str, Integers | int] = {"new_value": review_value(passed[reviewed])}
    of, gone = take(own, reviewed), take(own, deleted)
    return [
        _turns(take(own, closed), "closed", 19, own["closed_at"][closed], SYSTEM),
        _turns(gone, "deleted", 18, gone["_final_at"], AGENT_ACTOR, "deleted", gone["assignee_id"]),
        events(of, "qa_review", 17, at[reviewed], of["assignee_id"] * 0, AGENT_ACTOR, **review),
    ]
