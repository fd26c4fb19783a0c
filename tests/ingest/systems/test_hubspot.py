"""A HubSpot Service export becomes tickets, events, contacts and answers; properties that a portal does not use may be absent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.systems.commerce import deliver

DAY, AT = "2026-01-09", "2026-01-05 10:00:00"
STAGES = [
    {"stage_id": "1", "ticket_state": "OPEN", "is_closed": "FALSE", "label": "New"},
    {"stage_id": "4", "ticket_state": "CLOSED", "is_closed": "TRUE", "label": "Done"},
]
PEOPLE = {
    "contact": [
        {
            "id": "2",
            "_fivetran_deleted": "FALSE",
            "property_createdate": AT,
            "property_email": "a@b.example",
            "property_associatedcompanyid": "3",
        }
    ],
    "owner": [{"owner_id": "9", "type": "PERSON", "created_at": AT, "updated_at": AT}],
    "owner_team": [{"owner_id": "9", "team_id": "5", "is_team_primary": "true"}],
    "team": [{"id": "5", "name": "billing"}],
}
TICKET = {
    "id": "1",
    "is_deleted": "FALSE",
    "property_createdate": AT,
    "property_closed_date": "2026-01-07 10:00:00",
    "property_hs_pipeline_stage": "4",
    "property_hs_ticket_category": "PRODUCT_ISSUE",
    "property_hs_ticket_priority": "MEDIUM",
    "property_hubspot_owner_id": "9",
}


def step(name: str, value: str, at: str) -> dict[str, object]:
    return {"ticket_id": "1", "name": name, "value": value, "source": "CRM_UI", "timestamp_instant": at}


def test_a_ticket_is_closed_when_its_stage_was(ingest: Any) -> None:
    history = [
        step("createdate", "1", AT),
        step("hs_pipeline_stage", "4", "2026-01-05 12:00:00"),
        step("hs_pipeline_stage", "1", "2026-01-06 09:00:00"),
        step("hs_pipeline_stage", "4", "2026-01-07 10:00:00"),
        step("subject", "secret", "2026-01-07 10:00:00"),
    ]
    deliver(
        ingest,
        "hubspot",
        DAY,
        ticket=[{**TICKET, "property_source_type": "FORM"}],
        ticket_property_history=history,
        ticket_pipeline_stage=STAGES,
        ticket_contact=[{"ticket_id": "1", "contact_id": "2"}],
        **PEOPLE,
    )
    assert ingest.walk().refusals == []
    assert ingest.all(
        "select account_id, contact_id, ticket_state, channel, priority, ticket_type, is_problem_report, department_id, assignee_id,"
        " reopen_count, strftime(first_solved_at, '%d %H'), strftime(closed_at, '%d %H') from lake.tickets"
    ) == [("3", "2", "closed", "web_form", "normal", "problem", True, "billing", "9", 1, "05 12", "07 10")]
    assert ingest.all("select event_type, new_value from lake.ticket_events order by event_number")[:4] == [
        ("created", None),
        ("status_change", "closed"),
        ("status_change", "open"),
        ("status_change", "closed"),
    ]
    assert ingest.all("select count(*) from lake.ticket_events where new_value = 'secret'") == [(0,)]
    assert ingest.all("select agent_id, team_id, agent_role from lake.agents") == [("9", "billing", "person")]


@pytest.mark.parametrize(
    ("status", "outcome", "seconds"),
    [("", "answered", 90), ("COMPLETED", "answered", 90), ("NO_ANSWER", "not_answered", None), ("FAILED", "failed", None)],
)
def test_a_logged_call_has_its_length_in_seconds(ingest: Any, status: str, outcome: str, seconds: int | None) -> None:
    call = {
        "engagement_id": "7",
        "_fivetran_deleted": "false",
        "property_hs_createdate": AT,
        "property_hs_timestamp": AT,
        "property_hs_call_duration": "90500",
        "property_hs_call_status": status,
        "property_hs_call_direction": "OUTBOUND",
        "property_hubspot_owner_id": "9",
    }
    links = {
        "ticket_engagement": [{"ticket_id": "1", "engagement_id": "7"}],
        "engagement_contact": [{"engagement_id": "7", "contact_id": "2"}],
    }
    deliver(ingest, "hubspot", DAY, engagement_call=[call], **links, **PEOPLE)
    assert ingest.walk().refusals == []
    sql = "select interaction_id, ticket_id, account_id, contact_id, direction, outcome, talk_seconds, purpose, department_id"
    assert ingest.all(f"{sql} from lake.interactions") == [("engagement_7", "1", "3", "2", "out", outcome, seconds, "service", "billing")]


def test_emails_and_messages_are_contacts_and_those_without_a_ticket_are_marked(ingest: Any) -> None:
    plain = {"_fivetran_deleted": "false", "property_hs_createdate": AT, "property_hs_timestamp": AT}
    email = {**plain, "engagement_id": "1", "property_hs_email_direction": "INCOMING_EMAIL", "property_hs_lastmodifieddate": AT}
    message = {**plain, "engagement_id": "2", "property_hs_communication_channel_type": "SMS"}
    deliver(ingest, "hubspot", DAY, engagement_email=[email], engagement_communication=[message])
    assert ingest.walk().refusals == []
    assert ingest.all("select interaction_id, channel, direction, purpose from lake.interactions order by 1") == [
        ("engagement_1", "email", "in", "other"),
        ("engagement_2", "sms", "out", "other"),
    ]


@pytest.mark.parametrize(("kind", "metric", "low", "high"), [("NPS", "nps", 0, 10), ("CES", "ces", 1, 7), ("CSAT", "csat", None, None)])
def test_a_submission_is_an_answer_on_its_scale(ingest: Any, kind: str, metric: str, low: int | None, high: int | None) -> None:
    submission = {
        "id": "8",
        "property_hs_content": "Fine",
        "property_hs_submission_timestamp": AT,
        "property_hs_survey_type": kind,
        "property_hs_value": "6",
        "property_hs_contact_id": "2",
    }
    deliver(ingest, "hubspot", DAY, feedback_submission=[submission], **PEOPLE)
    assert ingest.walk().refusals == []
    sql = "select survey_metric, score::int, scale_min::int, scale_max::int, account_id from lake.survey_responses"
    assert ingest.all(sql) == [(metric, 6, low, high, "3")]


def test_a_contact_without_a_company_and_a_company_are_accounts(ingest: Any) -> None:
    company = {"id": "3", "is_deleted": "false", "property_name": "Firm", "property_createdate": AT, "property_industry": "RETAIL"}
    alone = {"id": "4", "_fivetran_deleted": "FALSE", "property_createdate": AT, "property_lifecyclestage": "customer"}
    deliver(ingest, "hubspot", DAY, company=[company], contact=[*PEOPLE["contact"], alone])
    assert ingest.walk().refusals == []
    assert ingest.all("select account_id, account_kind, lifecycle_state from lake.accounts order by 1") == [
        ("3", "b2b", None),
        ("4", "b2c", "active"),
    ]
