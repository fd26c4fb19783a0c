"""A Freshdesk export (API v2, nested objects flattened) becomes tickets, events, contacts and answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.systems.commerce import counts, deliver

DAY, AT = "2026-01-09", "2026-01-05T10:00:00Z"
COMPANY = {"id": "3", "name": "Firm", "industry": "Retail", "account_tier": "Premium", "created_at": AT, "updated_at": AT}
CONTACT = {
    "id": "2",
    "company_id": "3",
    "email": "a@b.example",
    "unique_external_id": "K2",
    "created_at": AT,
    "updated_at": AT,
    "deleted": "false",
}
TICKET = {
    "id": "1",
    "company_id": "3",
    "created_at": AT,
    "updated_at": AT,
    "deleted": "false",
    "spam": "false",
    "is_escalated": "true",
    "group_id": "5",
    "priority": "4",
    "requester_id": "2",
    "responder_id": "9",
    "source": "9",
    "status": "5",
    "stats__resolved_at": "2026-01-06T12:00:00Z",
    "stats__closed_at": "2026-01-08T12:00:00Z",
    "tags": '["issue_login", "order_17", "vip"]',
    "type": "Feature Request",
}
PEOPLE = {"companies": [COMPANY], "contacts": [CONTACT], "groups": [{"id": "5", "name": "billing"}]}


def activity(at: str, what: str) -> dict[str, object]:
    return {"performed_at": at, "ticket_id": "1", "performer_type": "user", "performer_id": "9", "activity": what}


def test_a_ticket_with_its_codes_tags_moments_and_time(ingest: Any) -> None:
    activities = [
        activity("05-01-2026 10:00:00 +0000", '{"new_ticket": true, "status": "Open"}'),
        activity("05-01-2026 11:00:00 +0000", '{"status": "Resolved"}'),
        activity("06-01-2026 09:00:00 +0000", '{"status": "Open"}'),
        activity("06-01-2026 09:30:00 +0000", '{"group": "billing", "automation": {"rule": "x"}}'),
        activity("06-01-2026 12:00:00 +0000", '{"status": "Resolved", "agent_id": 9}'),
        activity("06-01-2026 12:00:01 +0000", '{"note": {"id": 77, "type": 0}}'),
    ]
    entries = [{"id": "1", "ticket_id": "1", "time_spent": "01:30"}, {"id": "2", "ticket_id": "1", "time_spent": "00:05"}]
    deliver(ingest, "freshdesk", DAY, tickets=[TICKET], ticket_activities=activities, time_entries=entries, **PEOPLE)
    assert ingest.walk().refusals == []
    assert ingest.all(
        "select account_id, contact_id, ticket_state, channel, priority, ticket_type, issue_code, order_id, department_id, assignee_id,"
        " escalation_level, reopen_count, handle_seconds, is_handle_time_total, tags from lake.tickets"
    ) == [
        ("3", "K2", "closed", "web_form", "urgent", "request", "login", "17", "billing", "9", 1, 1, 5_700, True, "issue_login,order_17,vip")
    ]  # fmt: skip
    moments = "select strftime(first_solved_at, '%d %H'), strftime(last_solved_at, '%d %H'), strftime(closed_at, '%d %H') from lake.tickets"
    assert ingest.all(moments) == [("05 11", "06 12", "08 12")]
    assert ingest.all("select event_type, new_value from lake.ticket_events order by event_number") == [
        ("created", "Open"),
        ("status_change", "Resolved"),
        ("status_change", "Open"),
        ("group_change", "billing"),
        ("status_change", "Resolved"),
        ("field_change", None),
    ]
    assert ingest.all("select account_name, industry, segment from lake.accounts") == [("Firm", "Retail", "Premium")]


@pytest.mark.parametrize(
    ("status", "state"),
    [("2", "open"), ("3", "pending"), ("4", "solved"), ("5", "closed"), ("6", "pending"), ("7", "on_hold"), ("12", "open")],
)
def test_a_code_is_a_state_and_a_state_of_the_companys_own_is_open(ingest: Any, status: str, state: str) -> None:
    deliver(ingest, "freshdesk", DAY, tickets=[{**TICKET, "status": status, "stats__resolved_at": "", "stats__closed_at": ""}])
    assert ingest.walk().refusals == []
    assert ingest.all("select ticket_state from lake.tickets") == [(state,)]


def test_the_description_and_public_replies_are_contacts_and_a_merge_names_its_surviving_ticket(ingest: Any) -> None:
    said = {"ticket_id": "1", "source": "0", "created_at": AT, "updated_at": AT}
    conversations = [
        {**said, "id": "21", "user_id": "9", "incoming": "false", "private": "false"},
        {**said, "id": "22", "user_id": "2", "incoming": "true", "private": "false"},
        {
            **said,
            "id": "23",
            "user_id": "9",
            "incoming": "false",
            "private": "true",
            "body_text": "This ticket is closed and merged into ticket 42",
        },
    ]
    deliver(ingest, "freshdesk", DAY, tickets=[TICKET], conversations=conversations, **PEOPLE)
    assert ingest.walk().refusals == []
    assert ingest.all("select ticket_state, merged_into_ticket_id from lake.tickets") == [("merged", "42")]
    assert ingest.all("select interaction_id, direction, channel, agent_id, account_id from lake.interactions order by 1") == [
        ("conversation_21", "out", "email", "9", "3"),
        ("conversation_22", "in", "email", None, "3"),
        ("ticket_1", "in", "web_form", None, "3"),
    ]
    assert counts(ingest)["conversations"] == (3, 3, 0, 0)


@pytest.mark.parametrize(("code", "score"), [(103, 3), (100, 0), (-101, -1), (-103, -3)])
def test_a_rating_is_between_minus_three_and_three(ingest: Any, code: int, score: int) -> None:
    rating = {"id": "8", "survey_id": "1", "user_id": "2", "ticket_id": "1", "feedback": "Thanks", "created_at": AT, "updated_at": AT}
    deliver(
        ingest,
        "freshdesk",
        DAY,
        satisfaction_ratings=[{**rating, "ratings": f'{{"default_question": {code}, "question_2": 103}}'}],
        **PEOPLE,
    )
    assert ingest.walk().refusals == []
    assert ingest.all("select score::int, scale_min::int, scale_max::int, contact_id from lake.survey_responses") == [(score, -3, 3, "K2")]


def test_a_contact_without_a_company_is_an_account_of_their_own(ingest: Any) -> None:
    alone = {**CONTACT, "id": "4", "company_id": "", "unique_external_id": "", "language": "it"}
    agent = {"id": "9", "occasional": "false", "type": "support_agent", "created_at": AT, "updated_at": AT}
    deliver(ingest, "freshdesk", DAY, contacts=[alone], agents=[agent], tickets=[{**TICKET, "company_id": "", "requester_id": "4"}])
    assert ingest.walk().refusals == []
    assert ingest.all("select account_id, account_kind, language_code from lake.accounts") == [("4", "b2c", "it")]
    assert ingest.all("select account_id from lake.tickets") == [("4",)]
    assert ingest.all("select agent_id, agent_role, valid_from_date::varchar from lake.agents") == [("9", "support_agent", "2026-01-05")]
