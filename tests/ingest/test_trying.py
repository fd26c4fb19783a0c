"""try-mapping shows what a run would make of one file, and leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dagster_project.commands.cli import app
from dagster_project.commands.try_mapping import try_mapping
from dagster_project.errors import InputRefused, UsageError
from dagster_project.ingest.mapping.systems import BUILT_IN

TICKETS = (
    "id,assignee_id,created_at,group_id,organization_id,priority,requester_id,status,submitter_id,type,updated_at,via_channel,via_followup_source_id\n"
    "1,,2026-01-05 10:00:00,5,,high,2,solved,2,question,2026-01-05 12:00:00,email,\n"
    "1,,2026-01-05 10:00:00,5,,high,2,open,2,question,2026-01-05 11:00:00,email,\n"
    "2,,2026-01-05 10:00:00,5,,silver,2,open,2,question,2026-01-05 11:00:00,email,\n"
)
HISTORY = "ticket_id,field_name,updated,user_id,value\n1,status,2026-01-05 12:00:00,,solved\n"


def shown(ingest: Any, path: Path, system: str = "zendesk", stream: str | None = None) -> list[str]:
    return list(try_mapping(ingest.settings, ingest.assumptions, path, system, stream).lines())


def everything_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_a_file_in_the_landing_layout_is_read_with_what_is_next_to_it(ingest: Any, tmp_path: Path) -> None:
    path = ingest.deliver("zendesk/ticket/2026-01-05/t.csv", TICKETS)
    ingest.deliver("zendesk/ticket_field_history/2026-01-05/h.csv", HISTORY)
    before = everything_below(tmp_path)
    lines = shown(ingest, path)
    assert everything_below(tmp_path) == before
    assert lines[0] == f"{path}: stream ticket of zendesk (by its path)"
    assert lines[1] == "3 records = 1 loaded + 1 superseded (repeat a key, or excluded) + 1 refused"
    assert "read with it: ticket_field_history, 1 files" in lines
    assert "read with it: ticket_tag, no file in the landing folder: taken as empty" in lines
    refused = 'refused for tickets: record 3 (line 4) column priority: "silver" is not one of low, normal, high, urgent; remedy:'
    assert any(line.startswith(refused) and line.endswith("rule closed_list") for line in lines)
    assert "feed tickets: 1 rows" in lines
    assert ["first_solved_at", "2026-01-05T12:00:00+00:00"] in [line.split() for line in lines]
    assert not any("whole file" in line for line in lines), "one record of three is quarantined"


def test_the_stream_of_a_file_elsewhere_is_told_or_guessed_by_its_header(ingest: Any, tmp_path: Path) -> None:
    path = tmp_path / "export of january.csv"
    path.write_text(TICKETS)
    named, guessed = shown(ingest, path, stream="ticket"), shown(ingest, path)
    assert named[0] == f"{path}: stream ticket of zendesk (as asked)"
    assert guessed[0] == f"{path}: stream ticket of zendesk (guessed by its header: 13 columns known)"
    assert named[1:] == guessed[1:]
    assert not any("first_solved_at" in line for line in named), "nothing is next to it"
    path.write_text(HISTORY)
    assert "feed ticket_events: 1 rows" in shown(ingest, path)


def test_a_header_that_fits_no_stream_names_the_nearest_and_what_it_lacks(ingest: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("field_name,ticket_id,updated,value\nstatus,1,2026-01-05 12:00:00,solved\n")
    with pytest.raises(
        UsageError, match=r"its header fits no stream; nearest is ticket_field_history, which also needs user_id; remedy: .*--stream"
    ):
        shown(ingest, path)


@pytest.mark.parametrize(
    ("system", "stream", "message"),
    [
        ("zendesk", "brand", "system zendesk reads no stream brand: brands have no feed"),
        ("zendesk", "tickets", "system zendesk has no stream tickets; known streams: call, "),
        ("zendisk", None, "unknown system zendisk"),
    ],
)
def test_a_wrong_question_is_named(ingest: Any, tmp_path: Path, system: str, stream: str | None, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(TICKETS)
    with pytest.raises(UsageError, match=message):
        shown(ingest, path, system, stream)
    with pytest.raises(UsageError, match="there is no such file"):
        shown(ingest, tmp_path / "y.csv", system, stream)


def test_a_file_that_no_run_would_read_is_refused_with_its_reason(ingest: Any) -> None:
    path = ingest.deliver("zendesk/ticket/2026-01-05/t.csv", TICKETS.replace("priority", "prio", 1))
    with pytest.raises(InputRefused, match=r"required column priority is missing; did prio replace it\?"):
        shown(ingest, path)


def test_a_wrong_select_of_the_users_own_is_named_by_file_and_line(make_ingest: Any, tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "zendesk"
    shutil.copytree(BUILT_IN / "zendesk", folder)
    select = folder / "tickets.sql"
    select.write_text(select.read_text().replace("source.priority,", "source.urgency,"))
    ingest = make_ingest(mappings=folder.parent)
    path = ingest.deliver("zendesk/ticket/2026-01-05/t.csv", TICKETS)
    with pytest.raises(UsageError, match=r"mappings/zendesk/tickets\.sql:\d+: Binder Error: .*urgency"):
        shown(ingest, path)


def test_the_command_prints_the_trial_and_ends_as_a_run_would(ingest: Any, tmp_path: Path) -> None:
    more = "".join(TICKETS.splitlines(keepends=True)[3].replace("2,", f"{number},", 1) for number in range(3, 8))
    path = ingest.deliver("zendesk/ticket/2026-01-05/t.csv", TICKETS + more)
    refused = CliRunner().invoke(app, ["try-mapping", str(path), "--system", "zendesk"])
    assert refused.exit_code == 3
    assert "feed tickets: 1 rows" in refused.stdout
    rule = "more records are refused than 0.50 % of a file's records, and more than 5 of them or all"
    assert refused.stdout.endswith(f"a run would refuse the complete file: {rule}\n")
    path.write_text(TICKETS.replace("silver", "low"))
    assert CliRunner().invoke(app, ["try-mapping", str(path), "--system", "zendesk"]).exit_code == 0


def test_personal_values_are_shown_by_their_length(ingest: Any, tmp_path: Path) -> None:
    path = tmp_path / "organization.csv"
    path.write_text("id,created_at,external_id,name,notes,updated_at\n3,2026-01-05 10:00:00,K3,Anna Rossi,,2026-01-05 10:00:00\n")
    lines = shown(ingest, path)
    assert any(line.split() == ["account_name", "(10", "characters)"] for line in lines)
    assert not any("Rossi" in line for line in lines)


def test_a_derived_feed_that_refuses_too_much_refuses_the_file_in_the_trial_as_in_the_run(ingest: Any) -> None:
    columns = (
        "id,assignee_id,assignee_type,conversation_rating_created_at,conversation_rating_remark,conversation_rating_value,created_at,priority,"
        "source_author_id,source_author_type,source_delivered_as,source_type,state,updated_at\n"
    )
    rated = "".join(f"{at},,,2026-01-05 11:00:00,,9,2026-01-05 10:00:00,,7,user,,email,open,2026-01-05 11:00:00\n" for at in range(1, 9))
    path = ingest.deliver("intercom/conversation_history/2026-01-05/c.csv", columns + rated)
    lines = shown(ingest, path, "intercom")
    assert lines[1] == "8 records = 8 loaded + 0 superseded (repeat a key, or excluded) + 0 refused"
    examples = [line for line in lines if line.startswith("refused for survey_responses: record")]
    assert [line.split()[4] for line in examples] == ["1", "2", "3"]
    assert "refused for survey_responses: 5 more by rule scale in column score" in lines
    assert lines[-1].startswith("a run would refuse the complete file")
    (message,) = ingest.walk().refusals
    assert "scale" in message
