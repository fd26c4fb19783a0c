"""Source tables that are made again, or whose rows pass from stream to stream: what an archived file had brought still counts.

Breaks: rows of archived files that are lost or stay hidden once a mapping changes, and a row that another stream takes over unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.mapping_files import write_system
from tests.ingest.test_source_tables import current_rows

CALL = "id,at,talk,state,agent_id\n"
SWITCH = """
time_zone: UTC
streams:
  call:
    columns: [id, at, state, agent_id]
    optional: [talk]
    key: [id]
    {}
    feeds: {{interactions: {{sql: calls.sql, records: true}}}}
  agent:
    columns: [agent_id, team]
    key: [agent_id]
"""
CALLS = """
select source.record_number, source.id as interaction_id, 'k' as account_id, 'phone' as channel, source.at as started_at,
    source.talk as talk_seconds, 'answered' as outcome, agent.team as department_id
from source left join agent on source.agent_id = agent.agent_id
"""


@pytest.fixture
def switch(make_ingest: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    def make(words: str = "version: at", calls: str = CALLS, yml: str = SWITCH) -> Any:
        return make_ingest("switch", mappings=write_system(tmp_path / "mappings", "switch", yml.format(words), calls=calls))

    return make


def calls(ingest: Any) -> list[Any]:
    return current_rows(ingest, "interactions", "interaction_id", "talk_seconds")


def two_days(ingest: Any, first: str) -> None:
    """Deliver call 1 and, a day later, call 2; then archive the file of call 1."""
    path = ingest.deliver("switch/call/2026-01-05/a.csv", CALL + first)
    assert ingest.walk().refusals == []
    ingest.deliver("switch/call/2026-01-06/a.csv", CALL + "2,2026-01-05 02:00,6,done,x\n")
    assert ingest.walk().refusals == []
    path.unlink()


def test_a_column_that_is_no_longer_read_loses_no_row_of_an_archived_file(switch: Callable[..., Any]) -> None:
    ingest = switch()
    two_days(ingest, "1,2026-01-05 01:00,5,done,x\n")
    ingest = switch(yml=SWITCH.replace("optional: [talk]", "unread: [talk]"), calls=CALLS.replace("source.talk", "null::bigint"))
    ingest.deliver("switch/call/2026-01-07/a.csv", CALL + "3,2026-01-05 03:00,7,done,x\n")
    report = ingest.walk()
    assert report.refusals == []
    assert any("not in the landing folder any more" in reported for reported in report.warnings)
    assert calls(ingest) == [("1", None), ("2", None), ("3", None)]


@pytest.mark.parametrize(("words", "state"), [("deleted: {state: void}", "void"), ("needs: {agent_id: agent}", "done")])
def test_a_row_of_an_archived_file_is_seen_once_nothing_hides_it(switch: Callable[..., Any], words: str, state: str) -> None:
    ingest = switch(words)
    two_days(ingest, f"1,2026-01-05 01:00,5,{state},x\n")
    assert ("1", 5) not in calls(ingest)
    ingest = switch()
    assert ingest.walk().refusals == []
    assert calls(ingest) == [("1", 5), ("2", 6)]


@pytest.mark.parametrize("is_deleted", ["true", ""])
def test_a_row_that_another_stream_takes_over_is_written_though_its_values_are_equal(
    make_ingest: Callable[..., Any], tmp_path: Path, is_deleted: str
) -> None:
    streams = "".join(
        f"  {name}:\n    columns: [id, at, s]\n    optional: [gone]\n    key: [id]\n    deleted: {{gone: true}}\n"
        f"    feeds: {{interactions: {{sql: {name}.sql, records: true}}}}\n"
        for name in ("call", "chat")
    )
    select = (
        "select record_number, id as interaction_id, 'phone' as channel, source.at as started_at, 'answered' as outcome, s as {}"
        " from source"
    )
    selects = {"call": select.format("talk_seconds"), "chat": select.format("hold_seconds")}
    ingest = make_ingest("till", mappings=write_system(tmp_path / "mappings", "till", f"time_zone: UTC\nstreams:\n{streams}", **selects))
    ingest.deliver("till/call/2026-01-05/a.csv", "id,at,s\n1,2026-01-05 01:00,5\n")
    ingest.walk()
    if is_deleted:
        ingest.deliver("till/call/2026-01-06/a.csv", "id,at,s,gone\n1,2026-01-05 01:00,5,true\n")
    ingest.deliver("till/chat/2026-01-06/a.csv", "id,at,s\n1,2026-01-05 01:00,5\n")
    ingest.walk()
    assert current_rows(ingest, "interactions", "interaction_id", "talk_seconds, hold_seconds") == [("1", None, 5)]


def test_a_draft_that_a_crash_left_is_removed_by_the_next_run(switch: Callable[..., Any]) -> None:
    ingest = switch()
    folder = ingest.settings.restricted / "sources"
    folder.mkdir(parents=True)
    for name in ("other.building", "other.building.wal"):
        (folder / name).write_bytes(b"rows")
    ingest.deliver("switch/call/2026-01-05/a.csv", CALL + "1,2026-01-05 01:00,5,done,x\n")
    ingest.walk()
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["switch.duckdb"]
