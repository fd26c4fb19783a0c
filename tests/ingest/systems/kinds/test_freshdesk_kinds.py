"""Freshdesk: what comes late, changes or goes reaches what was delivered before, in whatever order the days arrive."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.kinds.histories import History, Rows, check, each_order

D1, D2, D3 = "2026-01-10", "2026-01-12", "2026-02-03"
AT, LATER = "2026-01-05T08:00:00Z", "2026-01-12T08:00:00Z"
CONTACT = {"id": "2", "deleted": "false", "created_at": AT, "updated_at": AT}
COMPANY = {"id": "3", "name": "Firm", "created_at": AT, "updated_at": AT}
TICKET = {
    "id": "1",
    "status": "2",
    "source": "1",
    "requester_id": "2",
    "deleted": "false",
    "spam": "false",
    "tags": "[]",
    "created_at": AT,
    "updated_at": AT,
}
CLOSED = {**TICKET, "status": "5", "stats__resolved_at": "2026-01-07T08:00:00Z", "stats__closed_at": "2026-01-07T08:00:00Z"}
AGAIN = {**CLOSED, "updated_at": LATER}
REPLY = {
    "id": "11",
    "ticket_id": "1",
    "user_id": "2",
    "incoming": "true",
    "private": "false",
    "source": "0",
    "created_at": AT,
    "updated_at": AT,
}
MERGE = {**REPLY, "id": "12", "incoming": "false", "private": "true", "body_text": "This ticket is closed and merged into ticket 42"}
ENTRY = {"id": "7", "ticket_id": "1", "time_spent": "01:00", "updated_at": AT}
RATING = {
    "id": "8",
    "survey_id": "1",
    "user_id": "2",
    "ticket_id": "1",
    "created_at": AT,
    "updated_at": AT,
    "ratings": '{"default_question": 103}',
}

HISTORIES = [
    History(
        "the contact comes later",
        {D1: {"tickets": [TICKET]}, D2: {"contacts": [{**CONTACT, "unique_external_id": "C9"}]}},
        "tickets",
        "account_id, contact_id",
        [("C9", "C9")],
    ),
    History(
        "the contact gets a number later",
        {
            D1: {"tickets": [TICKET], "contacts": [CONTACT]},
            D2: {"contacts": [{**CONTACT, "unique_external_id": "C9", "updated_at": LATER}]},
        },
        "tickets",
        "account_id, contact_id",
        [("C9", "C9")],
    ),
    History(
        "the contact joins a company later",
        {
            D1: {"tickets": [TICKET], "contacts": [CONTACT]},
            D2: {"contacts": [{**CONTACT, "company_id": "3", "updated_at": LATER}], "companies": [COMPANY]},
        },
        "accounts",
        "account_id",
        [("3",)],
    ),
    History(
        "an older version that comes later says nothing",
        {D1: {"tickets": [AGAIN]}, D2: {"tickets": [TICKET]}},
        "tickets",
        "ticket_state",
        [("closed",)],
    ),
    History(
        "a reply before its ticket and its contact",
        {D1: {"conversations": [REPLY]}, D2: {"tickets": [TICKET]}, D3: {"contacts": [{**CONTACT, "company_id": "3"}]}},
        "interactions",
        "interaction_id, account_id",
        [("conversation_11", "3"), ("ticket_1", "3")],
    ),
    History(
        "the group gets its name later",
        {D1: {"tickets": [{**TICKET, "group_id": "5"}]}, D2: {"groups": [{"id": "5", "name": "billing"}]}},
        "tickets",
        "department_id",
        [("billing",)],
    ),
    History(
        "a rating before its ticket",
        {D1: {"satisfaction_ratings": [RATING]}, D2: {"tickets": [{**TICKET, "company_id": "3"}]}},
        "survey_responses",
        "account_id, score::int",
        [("3", 3)],
    ),
    History(
        "a tag removed",
        {D1: {"tickets": [{**TICKET, "tags": '["issue_login", "vip"]'}]}, D2: {"tickets": [{**AGAIN, "tags": '["vip"]'}]}},
        "tickets",
        "tags, issue_code",
        [("vip", None)],
    ),
    History(
        "merged, then touched without its note",
        {D1: {"tickets": [CLOSED], "conversations": [MERGE]}, D2: {"tickets": [AGAIN]}},
        "tickets",
        "ticket_state, merged_into_ticket_id",
        [("merged", "42")],
    ),
    History(
        "the note of a merge comes later",
        {D1: {"tickets": [CLOSED]}, D2: {"conversations": [MERGE]}},
        "tickets",
        "ticket_state, merged_into_ticket_id",
        [("merged", "42")],
    ),
    History(
        "who writes about a merge merges nothing",
        {D1: {"tickets": [CLOSED], "conversations": [{**MERGE, "body_text": "May be merged into ticket 42"}]}},
        "tickets",
        "ticket_state",
        [("closed",)],
    ),
    History(
        "spam, found later",
        {D1: {"tickets": [CLOSED]}, D2: {"tickets": [{**AGAIN, "spam": "true"}]}},
        "tickets",
        "ticket_state",
        [("spam",)],
    ),
    History(
        "deleted after it counted",
        {D1: {"tickets": [CLOSED]}, D2: {"tickets": [{**AGAIN, "deleted": "true"}]}},
        "tickets",
        "ticket_state, is_deleted",
        [("deleted", True)],
    ),
    History(
        "a reply made private is no contact",
        {D1: {"conversations": [REPLY]}, D2: {"conversations": [{**REPLY, "private": "true", "updated_at": LATER}]}},
        "interactions",
        "interaction_id",
        [],
    ),
    History(
        "a corrected time counts once",
        {D1: {"tickets": [TICKET], "time_entries": [ENTRY]}, D2: {"time_entries": [{**ENTRY, "time_spent": "00:30", "updated_at": LATER}]}},
        "tickets",
        "handle_seconds::int",
        [(1_800,)],
    ),
    History(
        "closed after a reopening, told by the ticket alone",
        {D1: {"tickets": [{**CLOSED, "stats__reopened_at": "2026-01-08T08:00:00Z", "stats__closed_at": "2026-01-09T08:00:00Z"}]}},
        "tickets",
        "day(last_solved_at)::int",
        [(9,)],
    ),
    History(
        "a merged ticket that is opened again is a ticket of its own",
        {D1: {"tickets": [CLOSED], "conversations": [MERGE]}, D2: {"tickets": [{**TICKET, "updated_at": LATER}]}},
        "tickets",
        "ticket_state, merged_into_ticket_id",
        [("open", None)],
    ),
    History(
        "a note that tells of the merge of another ticket",
        {D1: {"tickets": [CLOSED]}, D2: {"conversations": [{**MERGE, "body_text": "Ticket 9 was closed and merged into ticket 42"}]}},
        "tickets",
        "ticket_state, merged_into_ticket_id",
        [("closed", None)],
    ),
]

STATES = {  # states on consecutive days: reopenings, first and last day of solving
    "Open,Resolved,Open,Pending,Open,Resolved,Closed": (1, 2, 6),
    "Open,Resolved,Waiting on Customer,Open,Closed": (1, 2, 5),
    "2,4,3,4,2,7,5": (2, 2, 7),
    "Open,Closed": (0, 2, 2),
    "Open,Resolved,Closed": (0, 2, 2),
    "Open,Closed,Open": (1, 2, 2),
    "Open,Pending": (0, None, None),
}


def solved(states: str, days: int) -> History:
    rows: Rows = [
        {
            "ticket_id": "1",
            "performed_at": f"{day:02}-01-2026 08:00:00 +0000",
            "performer_type": "user",
            "activity": f'{{"status": "{state}"}}',
        }
        for day, state in enumerate(states.split(","), start=1)
    ]
    size = -(-len(rows) // days)
    parts = {f"2026-02-0{at + 1}": {"ticket_activities": rows[at * size : (at + 1) * size]} for at in range(days)}
    ticket = {"tickets": [{**TICKET, "created_at": "2026-01-01T08:00:00Z"}]}
    return History(
        f"{states} in {days}",
        {**parts, "2026-02-01": {**parts["2026-02-01"], **ticket}},
        "tickets",
        "reopen_count::int, day(first_solved_at)::int, day(last_solved_at)::int",
        [STATES[states]],
    )


@each_order(HISTORIES + [solved(states, days) for states in STATES for days in (1, 2)])
def test_the_current_rows_are_right(history: History, order: str, ingest: Any) -> None:
    check(ingest, "freshdesk", history, order)
