"""Forgetting an account of a help desk: each stream names its records in its own way. Breaks: what a customer wrote stays behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.privacy.proof import look
from dagster_project.privacy.purge import remove_older_batches
from demo_company.company import write_company
from tests.ingest.systems.commerce import deliver
from tests.privacy.landing_files import erase

DAY, AT, DATE = "2026-01-09", "2026-01-05 10:00:00", "2026-01-05T10:00:00Z"


def hubspot(at: int, text: str) -> dict[str, list[dict[str, object]]]:
    plain = {"_fivetran_deleted": "false", "property_hs_createdate": AT, "property_hs_timestamp": AT}
    call = plain | {"engagement_id": f"7{at}", "property_hs_call_body": text, "property_hs_call_duration": "9000"}
    mail = plain | {"engagement_id": f"8{at}", "property_hs_email_text": text, "property_hs_email_direction": "INCOMING_EMAIL"}
    return {
        "company": [{"id": f"3{at}", "is_deleted": "FALSE", "property_createdate": AT, "property_name": f"Firm {text}"}],
        "contact": [
            {
                "id": f"2{at}",
                "_fivetran_deleted": "FALSE",
                "property_createdate": AT,
                "property_email": f"{text}@b.example",
                "property_associatedcompanyid": f"3{at}",
            }
        ],
        "ticket": [
            {"id": f"1{at}", "is_deleted": "FALSE", "property_createdate": AT, "property_hs_pipeline_stage": "1", "property_subject": text}
        ],
        "ticket_property_history": [
            {"ticket_id": f"1{at}", "name": "content", "value": text, "timestamp_instant": AT, "_fivetran_start": AT, "source": "CRM_UI"}
        ],
        "ticket_contact": [{"ticket_id": f"1{at}", "contact_id": f"2{at}"}],
        "ticket_engagement": [{"ticket_id": f"1{at}", "engagement_id": f"{kind}{at}"} for kind in (7, 8)],
        "engagement_contact": [{"engagement_id": f"{kind}{at}", "contact_id": f"2{at}"} for kind in (7, 8)],
        "engagement_call": [call],
        "engagement_email": [mail],
    }


def intercom(at: int, text: str) -> dict[str, list[dict[str, object]]]:
    part = {"conversation_id": f"1{at}", "created_at": AT, "updated_at": AT, "body": text}
    return {
        "company_history": [{"id": f"c{at}", "company_id": f"K{at}", "name": f"Firm {text}", "created_at": AT, "updated_at": AT}],
        "contact_history": [
            {"id": f"u{at}", "external_id": f"P{at}", "email": f"{text}@b.example", "role": "user", "created_at": AT, "updated_at": AT}
        ],
        "contact_company_history": [{"contact_id": f"u{at}", "company_id": f"c{at}", "contact_updated_at": AT, "_fivetran_active": "true"}],
        "conversation_history": [
            {
                "id": f"1{at}",
                "created_at": AT,
                "updated_at": AT,
                "source_author_id": f"u{at}",
                "source_author_type": "user",
                "source_type": "email",
                "source_body": text,
                "state": "open",
            }
        ],
        "conversation_part_history": [
            part | {"id": f"5{at}", "part_type": "comment", "author_id": f"u{at}", "author_type": "user"},
            part | {"id": f"6{at}", "part_type": "note", "author_id": "9", "author_type": "admin"},
        ],
        "conversation_contact_history": [{"conversation_id": f"1{at}", "contact_id": f"u{at}"}],
    }


def freshdesk(at: int, text: str) -> dict[str, list[dict[str, object]]]:
    lived = {"created_at": DATE, "updated_at": DATE}
    ticket = lived | {"id": f"1{at}", "company_id": f"3{at}", "requester_id": f"2{at}", "status": "2", "source": "1", "priority": "1"}
    said = lived | {"ticket_id": f"1{at}", "body_text": text, "source": "0"}
    return {
        "companies": [lived | {"id": f"3{at}", "name": f"Firm {text}"}],
        "contacts": [
            lived
            | {"id": f"2{at}", "company_id": f"3{at}", "email": f"{text}@b.example", "unique_external_id": f"K{at}", "deleted": "false"}
        ],
        "tickets": [ticket | {"deleted": "false", "spam": "false", "is_escalated": "false", "subject": text}],
        "conversations": [
            said | {"id": f"5{at}", "user_id": f"2{at}", "incoming": "true", "private": "false"},
            said | {"id": f"6{at}", "user_id": "9", "incoming": "false", "private": "true"},
        ],
        "ticket_activities": [
            {
                "performed_at": "05-01-2026 10:00:00 +0000",
                "ticket_id": f"1{at}",
                "performer_type": "user",
                "performer_id": f"2{at}",
                "activity": f'{{"new_ticket": true, "subject": "{text}"}}',
            }
        ],
    }


@pytest.mark.fault("S8")
@pytest.mark.parametrize("export", [hubspot, intercom, freshdesk], ids=lambda export: export.__name__)
def test_no_record_of_the_account_stays_and_each_of_the_other_does(ingest: Any, export: Any) -> None:
    """Ids are too short to be searched in bytes: all hangs on how the streams name each other."""
    system = export.__name__
    both = [export(1, "zoe"), export(2, "ann")]
    streams = {name: [*both[0][name], *both[1][name]] for name in both[0]}
    for name, rows in streams.items():
        described = ingest.mappings.system(system).stream(name)
        known = {*described.columns, *described.optional, *described.unread}
        streams[name] = [{column: value for column, value in row.items() if column in known} for row in rows]
    deliver(ingest, system, DAY, **streams)
    assert not ingest.walk().refusals
    ((account,),) = ingest.all("select account_id from lake.tickets where ticket_id = '11'")
    erase(ingest, account)
    assert not ingest.walk().refusals
    for name, rows in streams.items():
        text = (ingest.settings.landing / system / name / DAY / f"{name}.csv").read_text()
        assert (name, "zoe" in text) == (name, False)
        assert (name, len(text.splitlines()) - 1) == (name, len(rows) // 2)
    assert ingest.all("select count(*), count(distinct account_id) from lake.tickets") == [(2, 2)]
    assert ingest.all("select count(*) from lake.tickets where account_id like 'FORGOTTEN%'") == [(1,)]


@pytest.mark.fault("S8")
@pytest.mark.slow
def test_an_account_leaves_every_stream_of_the_built_in_systems(ingest: Any) -> None:
    """The busiest account of a company exported by four systems; sums stay, ids and words are nowhere."""
    landing, home = ingest.settings.landing, ingest.settings.home
    landing.rmdir()
    write_company(landing, 80, 2, 23, daily=2, systems=("zendesk", "shopify", "quickbooks", "qualtrics"))
    assert not ingest.walk().refusals
    commented = "select account_id from lake.survey_responses where comment is not null"
    ((account,),) = ingest.all(
        f"select account_id from lake.orders where account_id in ({commented}) group by 1 order by count(*) desc, 1 limit 1"
    )
    counted = ", ".join(f"(select count(*) from lake.{feed})" for feed in ("tickets", "interactions", "ticket_events", "survey_responses"))
    sums = f"select (select sum(net_amount) from lake.order_lines), (select sum(refund_amount) from lake.refunds), {counted}"
    before = ingest.all(sums)
    person, done = erase(ingest, account)
    streams = {tuple(path.split("/")[:2]) for path in done["records_removed"]}
    assert {("zendesk", "organization"), ("zendesk", "ticket"), ("zendesk", "call"), ("zendesk", "ticket_comment")} <= streams
    assert {("shopify", "customer"), ("shopify", "order"), ("shopify", "order_line"), ("qualtrics", "question_response")} <= streams
    assert not ingest.walk().refusals
    remove_older_batches(ingest.settings, ingest.ledger)
    assert len(person.contact_ids) > 0
    assert look([landing, home / "lake", home / "restricted"], person.pattern()).hits == []
    assert ingest.all(sums) == before
    assert left_behind(landing) == []


def left_behind(landing: Path) -> list[str]:
    """Children of what was removed: no record may name a ticket, call, chat or answer that is gone."""
    with duckdb.connect() as connection:
        found = []
        for child, column, parent, own in (
            ("zendesk/ticket_comment", "ticket_id", "zendesk/ticket", "id"),
            ("zendesk/ticket_tag", "ticket_id", "zendesk/ticket", "id"),
            ("zendesk/ticket_field_history", "ticket_id", "zendesk/ticket", "id"),
            ("zendesk/ticket_chat_event", "chat_id", "zendesk/ticket_chat", "chat_id"),
            ("shopify/tax_line", "order_line_id", "shopify/order_line", "id"),
            ("shopify/transaction", "order_id", "shopify/order", "id"),
            ("qualtrics/question_response", "response_id", "qualtrics/survey_response", "id"),
            ("qualtrics/survey_response", "id", "qualtrics/survey_embedded_data", "response_id"),
        ):
            rows, of = (f"read_csv('{landing}/{stream}/*/*.csv', all_varchar = true)" for stream in (child, parent))
            lost = f"select count(*) from {rows} where {column} not in (select {own} from {of})"
            found += [child for (count,) in connection.execute(lost).fetchall() if count]
        return found
