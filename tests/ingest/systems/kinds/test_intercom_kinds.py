"""Intercom: what comes late, changes or goes reaches what was delivered before, in whatever order the days arrive."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.kinds.histories import History, Rows, check, each_order

D1, D2, D3 = "2026-01-10", "2026-01-12", "2026-02-03"
AT, LATER = "2026-01-05 08:00:00", "2026-01-12 08:00:00"
CONTACT = {"id": "u1", "role": "user", "created_at": AT, "updated_at": AT}
COMPANY = {"id": "c1", "company_id": "K1", "name": "Firm", "created_at": AT, "updated_at": AT}
OTHER = {**COMPANY, "id": "c2", "company_id": "K2"}
MEMBER = {"contact_id": "u1", "company_id": "c1", "contact_updated_at": AT, "_fivetran_active": "true"}
TALK = {
    "id": "1",
    "state": "open",
    "source_type": "email",
    "source_author_id": "u1",
    "source_author_type": "user",
    "source_delivered_as": "customer_initiated",
    "created_at": AT,
    "updated_at": AT,
}
AGAIN = {**TALK, "state": "closed", "updated_at": LATER}
PART = {
    "id": "p1",
    "conversation_id": "1",
    "part_type": "comment",
    "author_id": "u1",
    "author_type": "user",
    "body": "Hi",
    "created_at": AT,
    "updated_at": AT,
}
NAMES = [{"id": "7", "name": "spam"}, {"id": "8", "name": "issue_login"}]


def tag(number: str, active: str = "true") -> dict[str, object]:
    return {"conversation_id": "1", "tag_id": number, "_fivetran_active": active}


HISTORIES = [
    History(
        "the contact comes later",
        {D1: {"conversation_history": [TALK]}, D2: {"contact_history": [{**CONTACT, "external_id": "P1"}]}},
        "tickets",
        "account_id, contact_id",
        [("P1", "P1")],
    ),
    History(
        "the company comes last of all",
        {
            D1: {"conversation_history": [TALK]},
            D2: {"contact_history": [CONTACT], "contact_company_history": [MEMBER]},
            D3: {"company_history": [COMPANY]},
        },
        "tickets",
        "account_id",
        [("K1",)],
    ),
    History(
        "the contact moves to another company",
        {
            D1: {
                "conversation_history": [TALK],
                "contact_history": [CONTACT],
                "contact_company_history": [MEMBER],
                "company_history": [COMPANY, OTHER],
            },
            D2: {
                "contact_company_history": [
                    {**MEMBER, "_fivetran_active": "false"},
                    {**MEMBER, "company_id": "c2", "contact_updated_at": LATER},
                ]
            },
        },
        "tickets",
        "account_id",
        [("K2",)],
    ),
    History(
        "the contact leaves its company",
        {
            D1: {"contact_history": [CONTACT], "contact_company_history": [MEMBER], "company_history": [COMPANY]},
            D2: {"contact_company_history": [{**MEMBER, "_fivetran_active": "false"}]},
        },
        "contacts",
        "contact_id, account_id",
        [("u1", "u1")],
    ),
    History(
        "a contact who joins a company is no account any more",
        {D1: {"contact_history": [CONTACT]}, D2: {"contact_company_history": [MEMBER], "company_history": [COMPANY]}},
        "accounts",
        "account_id",
        [("K1",)],
    ),
    History(
        "a part before its conversation and contact",
        {
            D1: {"conversation_part_history": [PART]},
            D2: {"conversation_history": [TALK]},
            D3: {"contact_history": [{**CONTACT, "external_id": "P1"}]},
        },
        "interactions",
        "interaction_id, account_id, channel",
        [("conversation_1", "P1", "email"), ("part_p1", "P1", "email")],
    ),
    History(
        "a tag removed",
        {
            D1: {"conversation_history": [TALK], "tag": NAMES, "conversation_tag_history": [tag("8")]},
            D2: {"conversation_tag_history": [tag("8", "false")]},
        },
        "tickets",
        "tags, issue_code",
        [(None, None)],
    ),
    History(
        "spam, found later",
        {D1: {"conversation_history": [TALK], "tag": NAMES}, D2: {"conversation_history": [AGAIN], "conversation_tag_history": [tag("7")]}},
        "tickets",
        "ticket_state",
        [("spam",)],
    ),
    History(
        "the name of a tag comes later",
        {D1: {"conversation_history": [TALK], "conversation_tag_history": [tag("8")]}, D2: {"tag": NAMES}},
        "tickets",
        "issue_code",
        [("login",)],
    ),
    History(
        "a conversation again without its parts keeps its moments",
        {
            D1: {
                "conversation_history": [TALK],
                "conversation_part_history": [{**PART, "part_type": "close", "created_at": "2026-01-06 08:00:00"}],
            },
            D2: {"conversation_history": [AGAIN]},
        },
        "tickets",
        "ticket_state, day(first_solved_at)::int",
        [("closed", 6)],
    ),
    History(
        "an admin leaves a team",
        {
            D1: {
                "admin": [{"id": "9", "_fivetran_deleted": "false"}],
                "team": [{"id": "t1", "name": "billing"}],
                "team_admin": [{"admin_id": "9", "team_id": "t1", "_fivetran_deleted": "false"}],
            },
            D2: {"team_admin": [{"admin_id": "9", "team_id": "t1", "_fivetran_deleted": "true"}]},
        },
        "agents",
        "agent_id, team_id",
        [("9", None)],
    ),
    History(
        "a rating taken back",
        {D1: {"conversation_history": [{**TALK, "conversation_rating_value": "2"}]}, D2: {"conversation_history": [AGAIN]}},
        "survey_responses",
        "response_id",
        [],
    ),
    History(
        "a message that opens, closes or assigns a conversation is a message; the same step without a text, of a bot or as a note is none",
        {
            D1: {"conversation_history": [TALK]},
            D2: {
                "conversation_part_history": [
                    {**PART, "id": "p1", "part_type": "close", "author_type": "admin", "author_id": "a1"},
                    {**PART, "id": "p2", "part_type": "open"},
                    {**PART, "id": "p3", "part_type": "assignment", "author_type": "admin", "author_id": "a1"},
                    {**PART, "id": "p4", "part_type": "assign_and_reopen", "author_type": "admin", "author_id": "a1"},
                    {**PART, "id": "p5", "part_type": "close", "author_type": "admin", "author_id": "a1", "body": ""},
                    {**PART, "id": "p6", "part_type": "close", "author_type": "bot", "author_id": "b1"},
                    {**PART, "id": "p7", "part_type": "note", "author_type": "admin", "author_id": "a1"},
                ]
            },
        },
        "interactions",
        "interaction_id, direction",
        [("conversation_1", "in"), ("part_p1", "out"), ("part_p2", "in"), ("part_p3", "out"), ("part_p4", "out")],
    ),
]

STATES = {  # parts on consecutive days: reopenings, first and last day of closing
    "close open snoozed timer_unsnooze close": (1, 1, 5),
    "snoozed unsnoozed close": (0, 3, 3),
    "close snoozed unsnoozed open close open": (2, 1, 5),
    "close assign_and_reopen close": (1, 1, 3),
    "close close": (0, 1, 2),  # the step between them was not delivered
    "assignment open": (0, None, None),
}


def solved(states: str, days: int) -> History:
    rows: Rows = [
        {
            **PART,
            "id": f"p{day}",
            "part_type": state,
            "created_at": f"2026-01-{day:02} 09:00:00",
            "updated_at": f"2026-01-{day:02} 09:00:00",
        }
        for day, state in enumerate(states.split(), start=1)
    ]
    size = -(-len(rows) // days)
    parts = {f"2026-02-0{at + 1}": {"conversation_part_history": rows[at * size : (at + 1) * size]} for at in range(days)}
    talk = {"conversation_history": [{**TALK, "created_at": "2026-01-01 08:00:00"}]}
    return History(
        f"{states} in {days}",
        {**parts, "2026-02-01": {**parts["2026-02-01"], **talk}},
        "tickets",
        "coalesce(reopen_count, 0)::int, day(first_solved_at)::int, day(last_solved_at)::int",
        [STATES[states]],
    )


@each_order(HISTORIES + [solved(states, days) for states in STATES for days in (1, 2)])
def test_the_current_rows_are_right(history: History, order: str, ingest: Any) -> None:
    check(ingest, "intercom", history, order)
