"""A run over source tables that is killed. Breaks: feeds or counts differ from those of a run never killed, rows are lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError
from dagster_project.ingest.sources.table_files import is_current, left_behind
from tests.ingest.mapping_files import write_system

YML = """
time_zone: UTC
streams:
  firm:
    columns: [id, code, name]
    key: [id]
    feeds: {accounts: {sql: accounts.sql, records: true}}
  ticket:
    columns: [id, firm_id, made, changed, state]
    key: [id]
    version: changed
    deleted: {state: deleted}
    needs: {firm_id: firm}
    feeds: {tickets: {sql: tickets.sql, records: true}}
"""
ACCOUNTS = "select record_number, code as account_id, name as account_name from source"
TICKETS = """
select s.record_number, s.id as ticket_id, f.code as account_id, s.made as created_at, s.state as ticket_state, 'email' as channel,
    f.name as issue_code
from source as s left join firm as f on s.firm_id = f.id
"""
TICKET = "id,firm_id,made,changed,state\n"
WALK = """
import sys
from pathlib import Path
from dagster_project.assumptions import load_assumptions
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ledger.store import Ledger
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.settings import load_settings
settings = load_settings(landing=Path(sys.argv[1]), home=Path(sys.argv[2]), mappings=Path(sys.argv[3]))
ledger = Ledger(settings.ops)
report = load(settings, load_assumptions(), ledger, new_files(settings.landing, ledger, Mappings(settings.mappings)), "killed")
ledger.accept("killed")
report.commit(ledger)
"""
FIRST = {
    "firm/2026-01-02/f.csv": "id,code,name\n7,a7,Seven\n8,a8,Eight\n",
    "ticket/2026-01-02/t.csv": TICKET + "70,7,2026-01-01,2026-01-01,new\n80,8,2026-01-01,2026-01-01,new\n90,9,2026-01-01,2026-01-01,new\n",
}
SECOND = {
    "firm/2026-01-03/f.csv": "id,code,name\n7,a7,Renamed\n",
    "ticket/2026-01-03/t.csv": TICKET + "80,8,2026-01-01,2026-01-03,deleted\n71,7,2026-01-03,2026-01-03,new\n",
}
REPLACED = SECOND | {"firm/2026-01-02/f.csv": "id,code,name\n7,a7,Seven\n8,a8,Mended\n"}
THIRD = {
    "firm/2026-01-04/f.csv": "id,code,name\n9,a9,Nine\n",
    "ticket/2026-01-04/t.csv": TICKET + "71,7,2026-01-03,2026-01-04,solved\n81,8,2026-01-04,2026-01-04,new\n",
}
FILES = [pytest.param(SECOND, id="new files"), pytest.param(REPLACED, id="a replaced file", marks=[pytest.mark.slow, pytest.mark.nightly])]


@pytest.fixture
def desk(make_ingest: Callable[..., Any], tmp_path: Path) -> Any:
    mappings = write_system(tmp_path / "mappings", "desk", YML, accounts=ACCOUNTS, tickets=TICKETS)
    ingest = make_ingest(mappings=mappings)
    deliver(ingest, FIRST)
    assert ingest.walk().refusals == []
    return ingest


def deliver(ingest: Any, files: dict[str, str]) -> None:
    for path, content in files.items():
        ingest.deliver(f"desk/{path}", content)


def kill(ingest: Any, point: str) -> None:
    """Load what is new in a process that is killed at a point."""
    settings = ingest.settings
    arguments = [sys.executable, "-c", WALK, str(settings.landing), str(settings.home), str(settings.mappings)]
    killed = subprocess.run(arguments, env={**os.environ, "ROI_FAULT_POINT": point}, check=False)
    assert killed.returncode == -signal.SIGKILL, f"the run never came to {point}"


def copy_of(ingest: Any, name: str) -> Any:
    """Another home over the same landing folder, as this one is now."""
    home = ingest.settings.home.with_name(name)
    shutil.copytree(ingest.settings.home, home)
    return type(ingest)(ingest.settings.model_copy(update={"home": home}), ingest.assumptions, ingest.runs)


def feeds(ingest: Any) -> dict[str, list[Any]]:
    """The rows that stand in each feed."""
    found = {}
    for feed, key, columns in (
        ("accounts", "account_id", "account_name, delivery_date"),
        ("tickets", "ticket_id", "account_id, ticket_state, issue_code, delivery_date"),
    ):
        sql = (
            f"select {key}, {columns}, is_withdrawn from lake.{feed}"
            f" qualify row_number() over (partition by {key} order by change_number desc) = 1 order by 1"
        )
        found[feed] = [row[:-1] for row in ingest.all(sql) if not row[-1]]
    return found


def figures(ingest: Any) -> list[Any]:
    """What the ledger counts of each file."""
    sql = "select path, status, physical, loaded, superseded, quarantined, waiting from deliveries where status = 'accepted' order by path"
    rows: list[Any] = ingest.ledger.rows(sql)
    return rows


def assert_same(ingest: Any, undisturbed: Any) -> None:
    assert feeds(ingest) == feeds(undisturbed)
    assert figures(ingest) == figures(undisturbed)


@pytest.mark.fault("C1")
@pytest.mark.parametrize("files", FILES)
@pytest.mark.parametrize("point", ["prescan", "loaded", "accepted", "sources"])
def test_the_next_run_ends_where_a_run_never_killed_ends(desk: Any, point: str, files: dict[str, str]) -> None:
    undisturbed = copy_of(desk, "undisturbed")
    before = feeds(desk)
    deliver(desk, files)
    undisturbed.walk()
    kill(desk, point)
    is_accepted = point in {"accepted", "sources"}
    assert feeds(desk) == (feeds(undisturbed) if is_accepted else before)
    impatient = copy_of(desk, "impatient")
    folder = desk.settings.restricted / "sources"
    assert left_behind(folder, desk.ledger) == (["desk"] if is_accepted else [])
    desk.walk()
    assert is_current(folder, desk.ledger, "desk")
    assert_same(desk, undisturbed)
    assert desk.walk().systems == []
    deliver(desk, THIRD)
    for ingest in (desk, impatient, undisturbed):
        assert ingest.walk().refusals == []
    assert_same(desk, undisturbed)
    assert_same(impatient, undisturbed)
    desk.read()
    live = desk.ledger.rows("select path, withdrawn_path from batches where status = 'accepted'")
    named = {Path(path).name for row in live for path in row if path}
    assert {path.name for path in desk.settings.lake.rglob("*.parquet")} == named, "what the crash left is swept"


@pytest.mark.fault("C1")
@pytest.mark.parametrize("point", ["loaded", "accepted", "sources"])
@pytest.mark.parametrize("files", FILES)
def test_rows_of_an_archived_file_outlive_a_crash(desk: Any, point: str, files: dict[str, str]) -> None:
    """The tables are made again from the landing folder, which has not every file any more."""
    archived = desk.settings.landing / "desk/ticket/2026-01-02/t.csv"
    archived.unlink()
    undisturbed = copy_of(desk, "undisturbed")
    deliver(desk, files)
    undisturbed.walk()
    kill(desk, point)
    deliver(desk, THIRD)
    for ingest in (desk, undisturbed):
        assert ingest.walk().refusals == []
    assert [row[0] for row in feeds(desk)["tickets"]] == ["70", "71", "81", "90"]
    assert_same(desk, undisturbed)


@pytest.mark.fault("C1")
def test_a_file_that_only_the_killed_run_read_has_to_come_back(desk: Any) -> None:
    """Its rows count, but no table holds them: without it a table made again would lose them without a word."""
    deliver(desk, SECOND)
    kill(desk, "sources")
    before = feeds(desk)
    archived = desk.settings.landing / "desk/ticket/2026-01-03/t.csv"
    archived.unlink()
    deliver(desk, THIRD)
    with pytest.raises(InfrastructureError, match=r"no table holds their rows: desk/ticket/2026-01-03/t\.csv; remedy: put them back"):
        desk.walk()
    assert feeds(desk) == before
    archived.write_text(SECOND["ticket/2026-01-03/t.csv"], encoding="utf-8")
    assert desk.walk().refusals == []
    assert [row[0] for row in feeds(desk)["tickets"]] == ["70", "71", "81", "90"]


@pytest.mark.fault("C7")
@pytest.mark.parametrize("content", [None, b"", b"no tables"])
def test_a_file_of_tables_that_is_gone_or_damaged_is_made_again(desk: Any, content: bytes | None) -> None:
    tables = desk.settings.restricted / "sources/desk.duckdb"
    tables.unlink()
    if content is not None:
        tables.write_bytes(content)
    deliver(desk, SECOND)
    assert desk.walk().refusals == []
    assert [row[0] for row in feeds(desk)["tickets"]] == ["70", "71"]
    assert is_current(tables.parent, desk.ledger, "desk")
