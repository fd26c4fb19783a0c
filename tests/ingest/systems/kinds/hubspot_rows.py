"""Records of HubSpot that cases start from."""

from __future__ import annotations

from tests.ingest.systems.kinds.histories import Rows

D1, D2, D3 = "2026-01-10", "2026-01-12", "2026-02-03"
AT, LATER = "2026-01-05 08:00:00", "2026-01-12 08:00:00"
STAGES = [
    {"stage_id": "1", "ticket_state": "OPEN", "is_closed": "false"},
    {"stage_id": "3", "ticket_state": "OPEN", "is_closed": "false"},
    {"stage_id": "4", "ticket_state": "CLOSED", "is_closed": "true"},
    {"stage_id": "5", "ticket_state": "CLOSED", "is_closed": "true"},
]
CONTACT = {"id": "2", "_fivetran_deleted": "false", "property_createdate": AT, "property_lastmodifieddate": AT}
COMPANY = {"id": "20", "is_deleted": "false", "property_createdate": AT, "property_hs_lastmodifieddate": AT}
TICKET = {
    "id": "1",
    "is_deleted": "false",
    "property_createdate": AT,
    "property_hs_pipeline_stage": "1",
    "property_hs_lastmodifieddate": AT,
}
AGAIN = {**TICKET, "property_hs_lastmodifieddate": LATER}
CALL = {
    "engagement_id": "7",
    "_fivetran_deleted": "false",
    "property_hs_createdate": AT,
    "property_hs_timestamp": AT,
    "property_hs_lastmodifieddate": AT,
}
ANSWER = {
    "id": "8",
    "property_hs_survey_type": "NPS",
    "property_hs_value": "9",
    "property_hs_contact_id": "2",
    "property_hs_submission_timestamp": AT,
    "property_hs_lastmodifieddate": AT,
}
MERGED = {**CONTACT, "property_lastmodifieddate": LATER}


def of(company: str) -> Rows:
    return [{"ticket_id": "1", "company_id": company}]


def by(contact: str) -> Rows:
    return [{"ticket_id": "1", "contact_id": contact}]
