"""Real exports of help desks, a few rows a table: every record is loaded, superseded or quarantined for a reason that makes sense."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.systems.commerce import broken, counts, waiting

OTHER_ENGINES = ("_snowflake", "_postgres", "_databricks")
"""The same rows again, with the quoting of another warehouse."""

LOADED = {
    "zendesk": {"organization": 10, "user": 10, "ticket": 10, "ticket_comment": 20, "ticket_field_history": 35, "ticket_chat": 7},
    "intercom": {
        "company_history": 9,
        "contact_history": 9,
        "admin": 4,
        "conversation_history": 2,
        "conversation_part_history": 9,
    },
    "hubspot": {
        "company": 24,
        "contact": 22,
        "owner": 100,
        "ticket": 24,
        "ticket_property_history": 15,
        "engagement_call": 1,
        "engagement_email": 1,
        "engagement_communication": 1,
    },
}
SUPERSEDED = {
    ("zendesk", "ticket_field_history"): 3,  # the same change three more times
    ("zendesk", "ticket_chat"): 3,  # one chat listed under two tickets
    ("intercom", "conversation_history"): 7,  # nine versions of two conversations
}
BROKEN = {"hubspot": [("ticket", "first_solved_at", "order_of_instants")]}
"""A HubSpot ticket was closed three months before it was created: its clock is wrong, not ours."""


@pytest.mark.parametrize("system", sorted(LOADED))
def test_every_record_of_a_real_export_is_accounted_for(system: str, ingest: Any, shared_data: Path) -> None:
    ingest.assumptions = ingest.assumptions.model_copy(
        update={"quarantine_threshold_rate": Decimal(1)}
    )  # one record of 25 is more than a run lets pass
    for file in sorted((shared_data / "export_shapes" / system).glob("*.csv")):
        if not file.stem.endswith(OTHER_ENGINES):
            folder = ingest.settings.landing / system / file.stem.removesuffix("_data") / "2026-01-05"
            folder.mkdir(parents=True)
            shutil.copyfile(file, folder / file.name)
    report = ingest.walk()
    assert report.refusals == []
    found, late = counts(ingest), waiting(ingest)
    for stream, (physical, loaded, superseded, quarantined) in found.items():
        assert physical == loaded + superseded + quarantined + late.get(stream, 0), stream
        if stream in LOADED[system]:  # a stream that is only read has one current row a key
            assert superseded == SUPERSEDED.get((system, stream), 0), stream
    assert {stream: found[stream][1] for stream in LOADED[system]} == LOADED[system]
    assert broken(report) == BROKEN.get(system, [])


def test_what_the_rows_of_a_real_zendesk_export_say(ingest: Any, shared_data: Path) -> None:
    for stream in (
        "ticket",
        "ticket_comment",
        "ticket_tag",
        "ticket_field_history",
        "user",
        "organization",
        "group",
        "ticket_chat",
        "ticket_chat_event",
    ):
        folder = ingest.settings.landing / "zendesk" / stream / "2026-01-05"
        folder.mkdir(parents=True)
        shutil.copyfile(shared_data / "export_shapes" / "zendesk" / f"{stream}_data.csv", folder / f"{stream}.csv")
    assert ingest.walk().refusals == []
    assert ingest.all("select ticket_state, channel, is_deleted from lake.tickets where ticket_id = '1595'") == [
        ("deleted", "web_form", True)
    ]
    events = (
        "select event_type, new_value from lake.ticket_events where ticket_id = '11071' and field_name = 'status' order by event_number"
    )
    steps = [value for _, value in ingest.all(events)]
    assert steps == [
        "open",
        "pending",
        "on_hold",
        "pending",
        "open",
        "pending",
        "on_hold",
        "open",
        "on_hold",
        "pending",
        "open",
        "solved",
        "closed",
    ]
    assert ingest.all("select agent_role from lake.agents where agent_id = '1111'") == [("agent",)]
    assert ingest.all("select count(*) from lake.interactions where interaction_id like 'chat%'") == [(7,)]
