"""A Zendesk export becomes tickets, events, contacts and surveys; the demo company through Zendesk has the figures of the demo company."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.contracts.model import load_contract
from demo_company.company import write_company
from tests.ingest.systems.commerce import counts, deliver

AT = "2026-01-05 10:00:00"
CUSTOMER = {
    "id": "2",
    "role": "end-user",
    "active": "TRUE",
    "organization_id": "3",
    "created_at": AT,
    "updated_at": AT,
    "email": "a@b.example",
}
AGENT = {"id": "9", "role": "agent", "active": "TRUE", "external_id": "E9", "created_at": AT, "updated_at": AT}
FIRM = {"id": "3", "external_id": "K3", "name": "Firm", "created_at": AT, "updated_at": AT}
TICKET = {"id": "1", "created_at": AT, "updated_at": AT, "status": "solved", "requester_id": "2", "via_channel": "web", "group_id": "5"}
CALL = {
    "id": "7",
    "created_at": AT,
    "updated_at": AT,
    "agent_id": "9",
    "customer_id": "2",
    "completion_status": "completed",
    "direction": "inbound",
    "duration": "400",
    "wait_time": "20",
    "time_to_answer": "20",
    "talk_time": "300",
    "hold_time": "50",
    "wrap_up_time": "30",
    "voicemail": "false",
    "ticket_id": "1",
}


def change(value: str, updated: str, field_name: str = "status", ticket_id: str = "1") -> dict[str, object]:
    return {"ticket_id": ticket_id, "field_name": field_name, "updated": updated, "value": value}


def test_a_call_of_two_legs_is_one_contact_and_its_times_are_those_of_the_call(ingest: Any) -> None:
    legs = [
        {"id": "71", "call_id": "7", "type": "agent", "agent_id": "8", "completion_status": "completed", "talk_time": "100"},
        {"id": "72", "call_id": "7", "type": "agent", "agent_id": "9", "completion_status": "completed", "talk_time": "200"},
    ]
    deliver(ingest, "zendesk", call=[CALL], call_leg=legs, user=[CUSTOMER, AGENT], organization=[FIRM], ticket=[TICKET])
    assert ingest.walk().refusals == []
    assert ingest.all(
        "select interaction_id, account_id, contact_id, agent_id, outcome, queue_seconds, talk_seconds, hold_seconds, wrap_seconds,"
        " transfer_count, strftime(answered_at, '%H:%M:%S'), strftime(ended_at, '%H:%M:%S') from lake.interactions"
    ) == [("call_7", "K3", "2", "E9", "answered", 20, 300, 50, 30, 1, "10:00:20", "10:06:40")]


@pytest.mark.parametrize(
    ("status", "voicemail", "outcome"),
    [
        ("abandoned_in_queue", "false", "abandoned_queue"),
        ("abandoned_in_ivr", "false", "abandoned_ivr"),
        ("abandoned_on_hold", "false", "abandoned_hold"),
        ("abandoned_in_voicemail", "false", "abandoned_queue"),
        ("completed", "true", "voicemail"),
        ("not_answered", "false", "not_answered"),
    ],
)
def test_the_completion_of_a_call_is_an_outcome(ingest: Any, status: str, voicemail: str, outcome: str) -> None:
    deliver(ingest, "zendesk", call=[{**CALL, "completion_status": status, "voicemail": voicemail}])
    assert ingest.walk().refusals == []
    assert ingest.all("select outcome from lake.interactions") == [(outcome,)]


def test_an_unknown_completion_is_quarantined_by_its_word(ingest: Any) -> None:
    deliver(ingest, "zendesk", call=[{**CALL, "completion_status": "lost_in_space"}])
    assert '"lost_in_space" is not one of answered' in ingest.walk().rejections[0]


def test_a_ticket_is_solved_when_its_history_says_so_in_whatever_delivery_that_came(ingest: Any) -> None:
    first = [change("open", AT), change("solved", "2026-01-05 11:00:00")]
    deliver(ingest, "zendesk", "2026-01-05", ticket=[TICKET], ticket_field_history=first, group=[{"id": "5", "name": "billing"}])
    later = [change("open", "2026-01-07 09:00:00"), change("solved", "2026-01-07 10:00:00"), change("bad", AT, "satisfaction_score")]
    deliver(ingest, "zendesk", "2026-01-07", ticket=[{**TICKET, "updated_at": "2026-01-07 10:00:00"}], ticket_field_history=later)
    assert ingest.walk().refusals == []
    latest = "qualify row_number() over (partition by ticket_id order by source_updated_at desc) = 1"
    assert ingest.all(
        "select strftime(first_solved_at, '%d %H'), strftime(last_solved_at, '%d %H'), reopen_count, csat_latest_score::int, department_id,"
        f" channel from lake.tickets {latest}"
    ) == [("05 11", "07 10", 1, 0, "billing", "web_form")]


def test_an_event_has_the_same_number_in_whatever_file_it_comes(make_ingest: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "landing-apart").mkdir()
    changes = [change("open", AT), change("high", AT, "priority"), change("solved", "2026-01-05 11:00:00")]
    together, apart = make_ingest("together"), make_ingest("apart", landing=tmp_path / "landing-apart")
    deliver(together, "zendesk", ticket_field_history=changes, ticket=[TICKET])
    deliver(apart, "zendesk", "2026-01-06", ticket_field_history=changes[2:], ticket=[TICKET])
    deliver(apart, "zendesk", "2026-01-05", ticket_field_history=changes[1::-1], ticket=[TICKET])
    events = []
    for ingest in (together, apart):
        assert ingest.walk().refusals == []
        events.append(ingest.all("select event_number, event_type, field_name, new_value from lake.ticket_events order by 1"))
    assert events[0] == events[1]
    assert [row[1] for row in events[0]] == ["created", "field_change", "status_change"]


def test_a_merged_ticket_names_its_surviving_ticket_and_a_note_is_no_contact(ingest: Any) -> None:
    tags = [{"ticket_id": "1", "tag": tag} for tag in ("closed_by_merge", "closed_by_merge", "issue_login", "order_17", "escalation_2")]
    comments = [
        {"id": "11", "ticket_id": "1", "user_id": "2", "public": "TRUE", "created": AT, "body": "Help!"},
        {"id": "12", "ticket_id": "1", "user_id": "9", "public": "TRUE", "created": AT, "body": "Here."},
        {
            "id": "13",
            "ticket_id": "1",
            "user_id": "9",
            "public": "FALSE",
            "created": AT,
            "body": "This was closed and merged into request #42",
        },
        {"id": "14", "ticket_id": "1", "user_id": "9", "public": "TRUE", "voice_comment": "TRUE", "created": AT, "body": "Call from: …"},
    ]
    deliver(ingest, "zendesk", ticket=[TICKET], ticket_tag=tags, ticket_comment=comments, user=[CUSTOMER, AGENT], organization=[FIRM])
    assert ingest.walk().refusals == []
    sql = "select ticket_state, merged_into_ticket_id, issue_code, order_id, escalation_level, account_id, tags from lake.tickets"
    assert ingest.all(sql) == [("merged", "42", "login", "17", 2, "K3", "closed_by_merge,escalation_2,issue_login,order_17")]
    assert ingest.all("select interaction_id, direction, channel, agent_id, account_id, contact_id from lake.interactions order by 1") == [
        ("comment_11", "in", "web_form", None, "K3", "2"),
        ("comment_12", "out", "web_form", "E9", "K3", "2"),
    ]
    assert ingest.all("select event_type, actor_role, count(*) from lake.ticket_events group by all order by all") == [
        ("internal_note", "agent", 1),
        ("public_comment", "agent", 2),
        ("public_comment", "customer", 1),
    ]
    assert counts(ingest)["ticket_comment"] == (4, 4, 0, 0)


def test_a_customer_without_an_organisation_is_an_account_of_their_own(ingest: Any) -> None:
    alone = {**CUSTOMER, "id": "4", "organization_id": "", "external_id": "shop-4"}
    deliver(ingest, "zendesk", user=[alone, CUSTOMER, AGENT], organization=[FIRM], ticket=[{**TICKET, "requester_id": "4"}])
    assert ingest.walk().refusals == []
    assert ingest.all("select account_id, account_kind from lake.accounts order by 1") == [("K3", "b2b"), ("shop-4", "b2c")]
    assert ingest.all("select contact_id, account_id from lake.contacts order by 1") == [("2", "K3"), ("shop-4", "shop-4")]
    assert ingest.all("select agent_id, agent_role from lake.agents") == [("E9", "agent")]
    assert ingest.all("select account_id, contact_id from lake.tickets") == [("shop-4", "shop-4")]


def test_a_chat_is_timed_by_its_events_and_never_lost_without_them(ingest: Any) -> None:
    def event(number: int, kind: str, actor: str, second: int) -> dict[str, object]:
        return {"chat_id": "c1", "chat_index": number, "type": kind, "actor_id": actor, "created_at": f"2026-01-05 10:00:{second:02}"}

    events = [
        event(0, "ChatStarted", "visitor", 0),
        event(1, "ChatMessage", "agent:1", 1),  # a bot writes as an agent, but never joins
        event(2, "ChatJoin", "agent:9", 20),
        event(3, "ChatMessage", "visitor", 25),
        event(4, "ChatEnded", "__system", 50),
    ]
    chats = [{"chat_id": name, "channel": "chat", "ticket_id": "1", "user_id": "2"} for name in ("c1", "c2")]
    deliver(ingest, "zendesk", ticket_chat=chats, ticket_chat_event=events, user=[CUSTOMER, AGENT], ticket=[TICKET], organization=[FIRM])
    assert ingest.walk().refusals == []
    sql = "select interaction_id, outcome, queue_seconds, talk_seconds, agent_id, messages_customer_count from lake.interactions order by 1"
    assert ingest.all(sql) == [("chat_c1", "answered", 20, 30, "E9", 1), ("chat_c2", "not_answered", None, None, None, None)]


def test_a_rating_is_an_invitation_and_a_given_one_is_an_answer_too(ingest: Any) -> None:
    ratings = [
        {"id": str(number), "ticket_id": "1", "requester_id": "2", "score": score, "created_at": AT, "updated_at": "2026-01-05 12:00:00"}
        for number, score in enumerate(("offered", "unoffered", "good", "bad"))
    ]
    deliver(ingest, "zendesk", satisfaction_rating=ratings, user=[CUSTOMER], organization=[FIRM], ticket=[TICKET])
    assert ingest.walk().refusals == []
    assert ingest.all("select invitation_id, suppressed_reason, account_id from lake.survey_invitations order by 1") == [
        ("0", None, "K3"), ("1", "not offered", "K3"), ("2", None, "K3"), ("3", None, "K3"),
    ]  # fmt: skip
    sql = "select response_id, invitation_id, score::int, scale_min::int, scale_max::int, ticket_id from lake.survey_responses order by 1"
    assert ingest.all(sql) == [("2", "2", 1, 0, 1, "1"), ("3", "3", 0, 0, 1, "1")]


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same company twice: as canonical files, and as Zendesk exports it."""
    folder = tmp_path_factory.mktemp("companies")
    for name, systems in (("plain", ()), ("zendesk", ("zendesk",))):
        write_company(folder / name, 120, 2, 11, daily=1, systems=systems)
        for canonical in (folder / name / "canonical").iterdir():
            if canonical.name not in ("tickets", "ticket_events", "accounts", "contacts", "interactions"):
                shutil.rmtree(canonical)
    return folder / "plain", folder / "zendesk"


KEYS = {"tickets": "ticket_id", "accounts": "account_id", "contacts": "contact_id", "interactions": "interaction_id"}
SAME = {
    "tickets": """
        select {number} as id, created_at, first_solved_at, last_solved_at, closed_at,
            case when is_deleted then 'deleted' else ticket_state end,
            regexp_extract(merged_into_ticket_id, '[0-9]+$')::bigint, channel, priority, ticket_type, issue_code,
            regexp_extract(order_id, '[0-9]+$')::bigint, department_id, assignee_id, escalation_level, is_complaint, is_problem_report,
            reopen_count, handle_seconds, is_deleted""",
    "accounts": """
        select account_id, account_name, account_kind, lifecycle_state, segment, country_code, currency_code, language_code, created_at,
            closed_at, close_reason""",
    "contacts": "select contact_id, account_id, role, is_shared_mailbox",
    "interactions": """
        select case when channel in ('phone', 'chat') then channel else 'written' end, outcome, date_trunc('month', started_at), direction,
            count(*), count(distinct {number}), sum(queue_seconds), sum(talk_seconds) filter (where channel = 'phone'),
            sum(hold_seconds) filter (where channel = 'phone'), sum(wrap_seconds) filter (where channel = 'phone'),
            count(distinct agent_id) filter (where channel in ('phone', 'chat'))""",
}
"""What Zendesk can carry; what it cannot is listed in docs/mappings.md."""
STEPS = """
    select distinct regexp_extract(ticket_id, '[0-9]+$')::bigint as id, event_at, new_value
    from (from lake.ticket_events
        where field_name in ('status', 'assignee', 'assignee_id') and new_value not in ('merged', 'spam', 'deleted')
        qualify row_number() over (partition by ticket_id, left(field_name, 6), event_at order by event_number desc) = 1)"""
HOLDERS = """
    select distinct regexp_extract(ticket_id, '[0-9]+$')::bigint as id, event_at, department_id
    from (from lake.ticket_events where department_id is not null
        qualify row_number() over (partition by ticket_id, event_at order by event_number desc) = 1)"""
"""The last state, agent or department of a second: Zendesk keeps one change of a field a second."""


def test_the_demo_company_through_zendesk_is_the_demo_company(companies: tuple[Path, Path], make_ingest: Callable[..., Any]) -> None:
    ingests = [make_ingest(landing.name, landing=landing) for landing in companies]
    for ingest in ingests:
        report = ingest.walk()
        assert (report.refusals, report.rejections) == ([], [])
    for feed, select in SAME.items():
        key = KEYS[feed]
        latest = (
            f"from lake.{feed} qualify row_number() over (partition by {key} order by source_updated_at desc nulls last, row_hash desc) = 1"
        )
        grouped = "group by all order by all" if "count(" in select else "order by all"
        number = f"regexp_extract({key}, '[0-9]+$')::bigint"
        plain, exported = (ingest.all(f"{select.format(number=number)} from (select * {latest}) {grouped}") for ingest in ingests)
        assert len(plain) > 4
        assert plain == exported, feed
    for select in (STEPS, HOLDERS):
        plain, exported = (ingest.all(f"{select} order by all") for ingest in ingests)
        assert len(plain) > 100
        assert plain == exported
    named = "select distinct regexp_extract(ticket_id, '[0-9]+$')::bigint, account_id from lake.tickets where account_id is not null"
    plain, exported = (set(ingest.all(named)) for ingest in ingests)
    assert plain <= exported  # the requester's organisation tells a few more


def test_days_one_by_one_give_the_rows_of_all_days_at_once(companies: tuple[Path, Path], make_ingest: Callable[..., Any]) -> None:
    at_once, one_by_one = (make_ingest(name, landing=companies[1], hash_key="k" * 32) for name in ("at-once", "one-by-one"))
    at_once.walk()
    days = sorted({path.name for path in companies[1].glob("zendesk/*/*")})
    assert len(days) > 1
    for day in days:
        assert one_by_one.walk(until=day).refusals == []
    for feed in (*KEYS, "ticket_events", "agents"):
        keys = ", ".join(load_contract(feed).primary_key)
        own = "batch_id, record_number, delivery_date, change_number, file_order"
        latest = f"row_number() over (partition by {keys} order by change_number desc) = 1"
        sql = f"select * exclude ({own}) from (from lake.{feed} qualify {latest}) where not is_withdrawn order by all"
        rows = at_once.all(sql)
        assert rows
        assert one_by_one.all(sql) == rows, feed
