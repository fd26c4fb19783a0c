"""Zendesk: what comes late, changes or goes reaches what was delivered before, in whatever order the days arrive."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.systems.kinds.histories import History, Rows, check, each_order

D1, D2, D3 = "2026-01-10", "2026-01-12", "2026-02-03"
AT, LATER, LAST = "2026-01-05 08:00:00", "2026-01-12 08:00:00", "2026-02-03 08:00:00"
USER = {"id": "2", "role": "end-user", "active": "TRUE", "created_at": AT, "updated_at": AT}
MEMBER = {**USER, "organization_id": "3"}
AGENT = {"id": "9", "role": "agent", "active": "TRUE", "external_id": "E9", "created_at": AT, "updated_at": AT}
FIRM = {"id": "3", "name": "Firm", "external_id": "K3", "created_at": AT, "updated_at": AT}
TICKET = {"id": "1", "created_at": AT, "updated_at": AT, "status": "open", "requester_id": "2", "via_channel": "email"}
CLOSED = {**TICKET, "status": "closed"}
AGAIN = {**CLOSED, "updated_at": LATER}
COMMENT = {"id": "11", "ticket_id": "1", "user_id": "2", "public": "true", "created": AT, "body": "Help"}
MERGE = {**COMMENT, "id": "12", "user_id": "9", "public": "false", "body": 'This request was closed and merged into request #42 "Help".'}
RATING = {"id": "8", "ticket_id": "1", "requester_id": "2", "created_at": AT, "updated_at": AT, "score": "offered"}


def tags(*names: str) -> Rows:
    return [{"ticket_id": "1", "tag": name} for name in names]


HISTORIES = [
    History(
        "the user comes later",
        {D1: {"ticket": [TICKET]}, D2: {"user": [{**USER, "external_id": "C9", "updated_at": LATER}]}},
        "tickets",
        "account_id, contact_id",
        [("C9", "C9")],
    ),
    History(
        "the user gets a number later",
        {D1: {"ticket": [TICKET], "user": [USER]}, D2: {"user": [{**USER, "external_id": "C9", "updated_at": LATER}]}},
        "tickets",
        "account_id, contact_id",
        [("C9", "C9")],
    ),
    History(
        "an older version of the user that comes later says nothing",
        {D1: {"ticket": [TICKET], "user": [{**USER, "external_id": "C9", "updated_at": LATER}]}, D2: {"user": [USER]}},
        "tickets",
        "account_id, contact_id",
        [("C9", "C9")],
    ),
    History(
        "the user moves to another organisation",
        {
            D1: {"ticket": [TICKET], "user": [MEMBER], "organization": [FIRM]},
            D2: {"user": [{**MEMBER, "organization_id": "4", "updated_at": LATER}]},
            D3: {"organization": [{**FIRM, "id": "4", "external_id": "K4"}]},
        },
        "tickets",
        "account_id",
        [("K4",)],
    ),
    History(
        "the organisation comes last of all",
        {D1: {"ticket": [TICKET]}, D2: {"user": [MEMBER]}, D3: {"organization": [FIRM]}},
        "tickets",
        "account_id",
        [("K3",)],
    ),
    History(
        "a comment before its ticket and its user",
        {D1: {"ticket_comment": [COMMENT]}, D2: {"ticket": [TICKET]}, D3: {"user": [MEMBER], "organization": [FIRM]}},
        "interactions",
        "interaction_id, account_id, contact_id, channel",
        [("comment_11", "K3", "2", "email")],
    ),
    History(
        "a contact of an organisation that comes later",
        {D1: {"user": [MEMBER]}, D2: {"organization": [FIRM]}},
        "contacts",
        "contact_id, account_id",
        [("2", "K3")],
    ),
    History(
        "a user who joins an organisation is no account any more",
        {D1: {"user": [USER]}, D2: {"user": [{**MEMBER, "updated_at": LATER}]}},
        "accounts",
        "account_id",
        [],
    ),
    History(
        "the group gets its name later",
        {D1: {"ticket": [{**TICKET, "group_id": "5"}]}, D2: {"group": [{"id": "5", "name": "billing"}]}},
        "tickets",
        "department_id",
        [("billing",)],
    ),
    History(
        "events of a chat on another day",
        {
            D1: {
                "ticket_chat": [{"chat_id": "c", "channel": "chat", "ticket_id": "1", "user_id": "2"}],
                "ticket": [TICKET],
                "user": [AGENT],
            },
            D2: {
                "ticket_chat_event": [
                    {"chat_id": "c", "chat_index": "1", "created_at": AT, "actor_id": "2", "type": "ChatMessage"},
                    {"chat_id": "c", "chat_index": "2", "created_at": "2026-01-05 08:00:30", "actor_id": "agent:9", "type": "ChatJoin"},
                ]
            },
        },
        "interactions",
        "outcome, queue_seconds::int, agent_id",
        [("answered", 30, "E9")],
    ),
    History(
        "a tag removed",
        {
            D1: {"ticket": [TICKET], "ticket_tag": tags("issue_login", "vip")},
            D2: {"ticket": [{**TICKET, "updated_at": LATER}], "ticket_tag": tags("vip")},
        },
        "tickets",
        "tags, issue_code",
        [("vip", None)],
    ),
    History(
        "the last tag removed",
        {D1: {"ticket": [TICKET], "ticket_tag": tags("issue_login")}, D2: {"ticket": [{**TICKET, "updated_at": LATER}]}},
        "tickets",
        "tags, issue_code",
        [(None, None)],
    ),
    History(
        "tags before their ticket",
        {D1: {"ticket_tag": tags("issue_login")}, D2: {"ticket": [TICKET]}},
        "tickets",
        "tags",
        [("issue_login",)],
    ),
    History(
        "tags of the organisation change",
        {
            D1: {"organization": [FIRM], "organization_tag": [{"organization_id": "3", "tag": "segment_gold"}]},
            D2: {"organization": [{**FIRM, "updated_at": LATER}], "organization_tag": [{"organization_id": "3", "tag": "segment_iron"}]},
        },
        "accounts",
        "account_id, segment",
        [("K3", "iron")],
    ),
    History(
        "a ticket again without its comments keeps them",
        {D1: {"ticket": [TICKET], "ticket_comment": [COMMENT]}, D2: {"ticket": [AGAIN]}},
        "interactions",
        "interaction_id, ticket_id",
        [("comment_11", "1")],
    ),
    History(
        "merged, then touched without its note and tags",
        {D1: {"ticket": [CLOSED], "ticket_comment": [MERGE], "ticket_tag": tags("closed_by_merge")}, D2: {"ticket": [AGAIN]}},
        "tickets",
        "ticket_state, merged_into_ticket_id",
        [("merged", "42")],
    ),
    History(
        "merged by its tag in another language",
        {D1: {"ticket": [CLOSED], "ticket_tag": tags("closed_by_merge")}},
        "tickets",
        "ticket_state",
        [("merged",)],
    ),
    History(
        "who writes about a merge merges nothing",
        {D1: {"ticket": [CLOSED], "ticket_comment": [{**MERGE, "body": "It was merged into request #42, wasn't it?"}]}},
        "tickets",
        "ticket_state, merged_into_ticket_id",
        [("closed", None)],
    ),
    History(
        "an open ticket that quotes a merge is open",
        {D1: {"ticket": [TICKET], "ticket_comment": [MERGE]}},
        "tickets",
        "ticket_state",
        [("open",)],
    ),
    History(
        "spam, found later",
        {D1: {"ticket": [CLOSED]}, D2: {"ticket": [AGAIN], "ticket_tag": tags("spam")}},
        "tickets",
        "ticket_state",
        [("spam",)],
    ),
    History(
        "no spam after all",
        {D1: {"ticket": [CLOSED], "ticket_tag": tags("spam")}, D2: {"ticket": [AGAIN], "ticket_tag": tags("vip")}},
        "tickets",
        "ticket_state",
        [("closed",)],
    ),
    History(
        "deleted after it counted",
        {D1: {"ticket": [CLOSED]}, D2: {"ticket": [{**AGAIN, "status": "deleted"}]}},
        "tickets",
        "ticket_state, is_deleted",
        [("deleted", True)],
    ),
    History(
        "a comment made internal is no contact",
        {D1: {"ticket": [TICKET], "ticket_comment": [COMMENT]}, D2: {"ticket_comment": [{**COMMENT, "public": "false"}]}},
        "interactions",
        "interaction_id",
        [],
    ),
    History(
        "a rating that comes",
        {D1: {"satisfaction_rating": [RATING]}, D2: {"satisfaction_rating": [{**RATING, "score": "good", "updated_at": LATER}]}},
        "survey_responses",
        "response_id, score::int",
        [("8", 1)],
    ),
    History(
        "a rating taken back",
        {D1: {"satisfaction_rating": [{**RATING, "score": "bad"}]}, D2: {"satisfaction_rating": [{**RATING, "updated_at": LATER}]}},
        "survey_responses",
        "response_id",
        [],
    ),
    History(
        "a user deleted in the source stays, flagged",
        {D1: {"user": [USER]}, D2: {"user": [{**USER, "updated_at": LATER, "_fivetran_deleted": "true"}]}},
        "contacts",
        "contact_id, is_deleted",
        [("2", True)],
    ),
    History(
        "tracked time is all time of the ticket, that of its calls too",
        {
            D1: {
                "ticket": [CLOSED],
                "ticket_field_history": [
                    {"ticket_id": "1", "field_name": "total_time_spent_sec", "updated": "2026-01-09 08:00:00", "value": "600"}
                ],
            }
        },
        "tickets",
        "handle_seconds::int, is_handle_time_total",
        [(600, True)],
    ),
]

STATES = {  # states on consecutive days: reopenings, first and last day of solving
    "new solved open pending open solved closed": (1, 2, 6),
    "new open solved pending solved open hold solved": (2, 3, 8),
    "new solved on-hold closed": (1, 2, 4),
    "new solved open closed": (1, 2, 4),
    "new closed": (0, 2, 2),
    "new solved closed": (0, 2, 2),
    "new solved open": (1, 2, 2),
    "new closed open": (1, 2, 2),
    "new solved deleted open": (1, 2, 2),
    "new solved deleted solved": (0, 2, 4),
    "new open pending hold": (0, None, None),
    "new solved solved": (0, 2, 3),  # the step between them was not delivered
}


def steps(states: str) -> Rows:
    return [
        {"ticket_id": "1", "field_name": "status", "updated": f"2026-01-{day:02} 08:00:00", "value": state}
        for day, state in enumerate(states.split(), start=1)
    ]


def solved(states: str, rows: Rows, days: int) -> History:
    size = -(-len(rows) // days)
    parts = {f"2026-02-0{at + 1}": {"ticket_field_history": rows[at * size : (at + 1) * size]} for at in range(days)}
    ticket = {"ticket": [{**CLOSED, "created_at": "2026-01-01 08:00:00"}]}
    return History(
        f"{states} in {days}",
        {**parts, "2026-02-01": {**parts["2026-02-01"], **ticket}},
        "tickets",
        "reopen_count::int, day(first_solved_at)::int, day(last_solved_at)::int",
        [STATES[states]],
    )


@each_order(HISTORIES + [solved(states, steps(states), days) for states in STATES for days in (1, 2)])
def test_the_current_rows_are_right(history: History, order: str, ingest: Any) -> None:
    check(ingest, "zendesk", history, order)


@pytest.mark.parametrize("days", [1, 2])
def test_the_vendors_own_count_of_reopenings_wins(days: int, ingest: Any) -> None:
    counted = {"ticket_id": "1", "field_name": "reopens", "updated": "2026-01-09 08:00:00", "value": "3"}
    history = solved("new solved open", [*steps("new solved open"), counted], days)
    check(ingest, "zendesk", History(**{**vars(history), "rows": [(3, 2, 2)]}), "day by day")
