"""Files that a help desk's own pages write are told apart from its tables: the refusal says what the file is and what is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import InputRefused
from dagster_project.ingest.mapping.drift import compare
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ingest.readers.source import open_source
from tests.ingest.mapping_files import write_system

DESKS = ("zendesk", "freshdesk", "intercom", "hubspot")
ZENDESK_CSV = (
    "Summation column,Id,Requester,Requester id,Requester email,Assignee,Group,Subject,Tags,Status,Priority,Created at,Updated at,Solved at"
)
CASES = {
    "zendesk's csv": ("zendesk", "ticket", ZENDESK_CSV, "Zendesk's CSV export of tickets", "ticket_field_history"),
    "zendesk's short csv": (
        "zendesk",
        "ticket",
        "Id,Subject,Requester,Status,Created at",
        "Zendesk's CSV export of tickets",
        "organization",
    ),
    "in other letters": ("zendesk", "ticket", "ID,SUBJECT,REQUESTER,STATUS,CREATED AT", "Zendesk's CSV export of tickets", "ticket_tag"),
    "a view": ("zendesk", "ticket", "ID,Subject,Requester,Requested,Group", "a CSV of a view of Zendesk", "ticket_field_history"),
    "team members": ("zendesk", "user", "ID,Name,Email,Suspended,Last sign-in,Primary Group", "export of team members", "table user"),
    "the API's json": (
        "zendesk",
        "ticket",
        "url,id,via,status,tags,requester_id,custom_fields",
        "JSON export",
        "via.channel as via_channel",
    ),
    "the full json": ("zendesk", "ticket", "url,id,via,status,tags,requester,comments", "full JSON export", "ticket_comment"),
    "freshdesk's csv": (
        "freshdesk",
        "tickets",
        "Ticket ID,Subject,Status,Priority,Created time,Agent",
        "Freshdesk's CSV export",
        "conversations",
    ),
    "intercom's csv": (
        "intercom",
        "conversation_history",
        "Conversation ID,Channel,Teammate",
        "Intercom's CSV export",
        "conversation_part_history",
    ),
    "hubspot's csv": (
        "hubspot",
        "ticket",
        "Ticket ID,Ticket name,Pipeline,Ticket status",
        "own export of tickets",
        "ticket_property_history",
    ),
    "hubspot's contacts": ("hubspot", "contact", "Record ID,First Name,Last Name,Email", "own export of contacts", "contact"),
}


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[Mappings, str, str, str], str]:
    """Return what is said of a file with a header."""

    def said(mappings: Mappings, system: str, stream: str, header: str) -> str:
        relative = f"{system}/{stream}/2026-01-05/export.csv"
        path = tmp_path / "export.csv"
        path.write_text(header + "\n", encoding="utf-8")
        with duckdb.connect() as connection:
            source = open_source(connection, path, relative, mappings.system(system).stream(stream), tmp_path)
            with pytest.raises(InputRefused) as reported:
                compare(source, mappings.system(system), stream)
        return str(reported.value)

    return said


@pytest.mark.parametrize("case", CASES)
def test_a_known_file_that_is_no_table_is_refused_by_its_name(case: str, refusal: Any) -> None:
    system, stream, header, what, needed = CASES[case]
    said = refusal(Mappings(), system, stream, header)
    assert what in said
    assert needed in said.split("remedy: ")[1]
    assert "did " not in said  # no guess of a renamed column


@pytest.mark.parametrize("system", DESKS)
def test_no_table_of_the_mapping_looks_like_such_a_file(system: str) -> None:
    described = Mappings().system(system).file
    assert described.refused_headers
    for name, stream in described.streams.items():
        fitting = [known.what for known in described.refused_headers if known.fits((*stream.read_columns, *stream.unread))]
        assert not fitting, name


def test_any_other_header_without_a_required_column_is_refused_as_before(refusal: Any) -> None:
    assert "required column id is missing" in refusal(Mappings(), "zendesk", "ticket", "number,status")


def test_a_mapping_of_ones_own_names_such_files_too(tmp_path: Any, refusal: Any) -> None:
    yml = (
        "time_zone: UTC\nstreams:\n  sales:\n    columns: [number, net]\n    feeds:\n      orders: {sql: orders.sql, records: true}\n"
        "refused_headers:\n  - {what: the till's page of totals, columns: [Day, Total], remedy: export the sales}\n"
    )
    folder = write_system(Path(tmp_path) / "mappings", "till", yml, orders="select 1")
    said = refusal(Mappings(folder), "till", "sales", "day,total,note")
    assert said.endswith("export.csv: this is the till's page of totals, which lacks number; remedy: export the sales")
