"""An Intercom export becomes tickets, events, contacts and answers: a conversation is a ticket, its parts are its history."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.commerce import deliver

DAY, AT = "2026-01-09", "2026-01-05 10:00:00"
PEOPLE = {
    "company_history": [{"id": "c1", "company_id": "K3", "name": "Firm", "created_at": AT, "updated_at": AT}],
    "contact_history": [
        {"id": "u1", "external_id": "P1", "email": "a@b.example", "role": "user", "created_at": AT, "updated_at": AT},
        {"id": "u2", "role": "lead", "created_at": AT, "updated_at": AT},
    ],
    "contact_company_history": [{"contact_id": "u1", "company_id": "c1", "contact_updated_at": AT, "_fivetran_active": "true"}],
    "team": [{"id": "t1", "name": "billing"}],
    "team_admin": [{"admin_id": "9", "team_id": "t1", "_fivetran_deleted": "false"}],
}
CONVERSATION = {
    "id": "1",
    "assignee_id": "9",
    "assignee_type": "admin",
    "created_at": AT,
    "priority": "priority",
    "source_author_id": "u1",
    "source_author_type": "user",
    "source_delivered_as": "customer_initiated",
    "source_type": "email",
    "state": "closed",
    "updated_at": "2026-01-07 10:00:00",
}


def part(number: int, kind: str, at: str, **more: str) -> dict[str, object]:
    return {
        "id": str(number),
        "conversation_id": "1",
        "part_type": kind,
        "created_at": at,
        "updated_at": at,
        "author_id": "9",
        "author_type": "admin",
    } | more


PARTS = [
    part(1, "comment", "2026-01-05 11:00:00", body="Hello"),
    part(2, "note", "2026-01-05 11:30:00", body="Hm"),
    part(3, "close", "2026-01-05 12:00:00"),
    part(4, "open", "2026-01-06 09:00:00", author_id="u1", author_type="user"),
    part(5, "comment", "2026-01-06 09:00:00", author_id="u1", author_type="user", body="Again"),
    part(6, "comment", "2026-01-06 09:00:10", author_id="0", author_type="bot", body="Wait"),
    part(7, "close", "2026-01-07 10:00:00"),
]


def test_a_conversation_is_a_ticket_and_its_parts_are_its_history(ingest: Any) -> None:
    tags = [
        {"conversation_id": "1", "tag_id": "7", "_fivetran_active": "true"},
        {"conversation_id": "1", "tag_id": "8", "_fivetran_active": "false"},
    ]
    names = [{"id": "7", "name": "issue_login"}, {"id": "8", "name": "complaint"}]
    deliver(
        ingest,
        "intercom",
        DAY,
        conversation_history=[CONVERSATION],
        conversation_part_history=PARTS,
        conversation_tag_history=tags,
        tag=names,
        **PEOPLE,
    )
    assert ingest.walk().refusals == []
    assert ingest.all(
        "select account_id, contact_id, ticket_state, channel, priority, issue_code, is_complaint, department_id, assignee_id,"
        " reopen_count,"
        " strftime(first_solved_at, '%d %H'), strftime(last_solved_at, '%d %H'), strftime(closed_at, '%d %H') from lake.tickets"
    ) == [("K3", "P1", "closed", "email", "high", "login", False, "billing", "9", 1, "05 12", "07 10", "07 10")]
    assert [row[0] for row in ingest.all("select event_type from lake.ticket_events order by event_number")][:4] == [
        "created",
        "public_comment",
        "internal_note",
        "status_change",
    ]
    sql = "select interaction_id, direction, channel, agent_id, account_id, department_id from lake.interactions order by 1"
    assert ingest.all(sql) == [
        ("conversation_1", "in", "email", None, "K3", "billing"),
        ("part_1", "out", "email", "9", "K3", "billing"),
        ("part_5", "in", "email", None, "K3", "billing"),
    ]  # neither the note nor the bot is a contact with an agent
    assert ingest.all("select strftime(first_reply_at, '%H') from lake.interactions where interaction_id = 'conversation_1'") == [("11",)]


def test_the_latest_version_of_a_rated_conversation_is_the_answer(ingest: Any) -> None:
    rated = {**CONVERSATION, "conversation_rating_value": "2", "conversation_rating_created_at": "2026-01-07 10:05:00"}
    again = {**rated, "conversation_rating_value": "5", "updated_at": "2026-01-08 10:00:00"}
    deliver(ingest, "intercom", DAY, conversation_history=[again, rated, CONVERSATION], **PEOPLE)
    assert ingest.walk().refusals == []
    assert ingest.all("select score::int, scale_min::int, scale_max::int, ticket_id, contact_id from lake.survey_responses") == [
        (5, 1, 5, "1", "P1")
    ]
    assert ingest.all("select count(*), max(csat_latest_score)::int from lake.tickets") == [(1, 5)]


def test_contacts_without_a_company_are_accounts_and_admins_are_agents(ingest: Any) -> None:
    deliver(ingest, "intercom", DAY, admin=[{"id": "9", "job_title": "Support", "_fivetran_deleted": "false"}], **PEOPLE)
    assert ingest.walk().refusals == []
    assert ingest.all("select account_id, account_kind, lifecycle_state from lake.accounts order by 1") == [
        ("K3", "b2b", None),
        ("u2", "b2c", "prospect"),
    ]
    assert ingest.all("select contact_id, account_id, role from lake.contacts order by 1") == [("P1", "K3", "user"), ("u2", "u2", "lead")]
    assert ingest.all("select agent_id, team_id, agent_role from lake.agents") == [("9", "billing", "Support")]


def test_a_call_is_timed_whichever_way_its_instants_are_written(ingest: Any) -> None:
    call = {"admin_id": "9", "contact_id": "u1", "conversation_id": "1", "direction": "inbound", "state": "ended"}
    calls = [
        {
            **call,
            "id": "1",
            "initiated_at": "1767607200",
            "answered_at": "1767607215",
            "ended_at": "1767607300",
            "updated_at": "1767607300",
        },
        {
            **call,
            "id": "2",
            "initiated_at": "2026-01-05T10:00:00Z",
            "ended_at": "2026-01-05T10:00:40Z",
            "updated_at": "2026-01-05T10:00:40Z",
        },
    ]
    deliver(ingest, "intercom", DAY, call=calls, **PEOPLE)
    assert ingest.walk().refusals == []
    sql = "select interaction_id, outcome, queue_seconds, talk_seconds, account_id, strftime(started_at, '%H:%M') from lake.interactions"
    assert ingest.all(f"{sql} order by 1") == [
        ("call_1", "answered", 15, 85, "K3", "10:00"),
        ("call_2", "abandoned_queue", 40, None, "K3", "10:00"),
    ]
