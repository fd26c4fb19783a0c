"""Forgetting an account whose rows stand in source tables. Breaks: a table, a change or a withdrawn key still tells of the person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError
from dagster_project.ingest.sources.table_files import rewrite
from dagster_project.privacy.forget import left_of
from dagster_project.privacy.messages import clean_texts
from dagster_project.privacy.proof import look
from dagster_project.privacy.purge import remove_older_batches
from tests.ingest.mapping_files import write_system
from tests.privacy.landing_files import erase, texts

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
  note:
    columns: [ticket_id, word]
    complete_per: ticket_id
"""
ACCOUNTS = "select record_number, code as account_id, name as account_name from source"
TICKETS = """
select s.record_number, s.id as ticket_id, f.code as account_id, s.made as created_at, s.state as ticket_state, 'email' as channel,
    (select count(word)::varchar from note where note.ticket_id = s.id) as issue_code
from source as s left join firm as f on s.firm_id = f.id
"""
FIRMS = "id,code,name\n7,acc-zoe,Zoe Zander\n8,acc-ann,Ann\n"
TICKET = "id,firm_id,made,changed,state\n"
MADE = "2026-01-01T00:00:00Z"
WORDS = ("acc-zoe", "Zoe Zander", "zoe-said-this")


@pytest.fixture
def desk(make_ingest: Callable[..., Any], tmp_path: Path) -> Any:
    """Three days: a ticket of each firm, then newer versions and one more, which is deleted on the third day."""
    ingest = make_ingest(mappings=write_system(tmp_path / "mappings", "desk", YML, accounts=ACCOUNTS, tickets=TICKETS))
    ingest.deliver("desk/firm/2026-01-02/f.csv", FIRMS)
    ingest.deliver("desk/note/2026-01-02/n.csv", "ticket_id,word\n70,zoe-said-this\n80,other\n")
    ingest.deliver("desk/ticket/2026-01-02/t.csv", TICKET + f"70,7,{MADE},{MADE},new\n80,8,{MADE},{MADE},new\n")
    assert ingest.walk().refusals == []
    ingest.deliver("desk/ticket/2026-01-03/t.csv", TICKET + f"70,7,{MADE},2026-01-03T00:00:00Z,open\n71,7,{MADE},{MADE},new\n")
    assert ingest.walk().refusals == []
    ingest.deliver("desk/ticket/2026-01-04/t.csv", TICKET + f"71,7,{MADE},2026-01-04T00:00:00Z,deleted\n")
    assert ingest.walk().refusals == []
    return ingest


def finish(ingest: Any, person: Any) -> None:
    """Load what was erased and remove what is older."""
    assert ingest.walk().refusals == []
    remove_older_batches(ingest.settings, ingest.ledger)
    rewrite(ingest.settings)
    clean_texts(ingest.settings, ingest.ledger, person)


def standing(ingest: Any) -> list[Any]:
    """The tickets that stand: of each key of a system the latest change."""
    sql = (
        "select ticket_id, account_id, ticket_state, is_withdrawn from lake.tickets qualify row_number() over (partition by ticket_id"
        " order by change_number desc, delivery_date desc) = 1 order by 1"
    )
    return [row[:3] for row in ingest.all(sql) if not row[3]]


@pytest.mark.fault("S8")
def test_no_table_change_or_withdrawn_key_tells_of_the_account(desk: Any) -> None:
    home = desk.settings.home
    reported = "".join(texts(home).values())
    assert all(word in reported for word in WORDS), "the person is nowhere before: the test would prove nothing"
    assert any("withdrawn" in path for path in texts(home))
    assert standing(desk) == [("70", "acc-zoe", "open"), ("80", "acc-ann", "new")]
    person, done = erase(desk)
    assert done["records_removed"] == {
        "desk/firm/2026-01-02/f.csv": 1,
        "desk/note/2026-01-02/n.csv": 1,
        "desk/ticket/2026-01-02/t.csv": 1,
        "desk/ticket/2026-01-03/t.csv": 2,
        "desk/ticket/2026-01-04/t.csv": 1,
    }
    assert done["rows_kept_under_pseudonym"] == 2, "the account and its one ticket that stands, not older versions or what is taken back"
    finish(desk, person)
    assert [(path, word) for path, text in texts(home).items() for word in (*WORDS, "'71'") if word in text] == []
    assert look([desk.settings.landing, home], person.pattern()).hits == []
    assert left_of(desk.settings, desk.ledger, person) == []
    assert standing(desk) == [("70", "FORGOTTEN-1", "open"), ("80", "acc-ann", "new")]
    assert desk.all("select issue_code from lake.tickets where ticket_id = '80'") == [("1",)]


@pytest.mark.fault("S8")
def test_a_file_delivered_again_brings_nobody_back(desk: Any) -> None:
    person, _ = erase(desk)
    finish(desk, person)
    desk.deliver("desk/firm/2026-01-05/again.csv", FIRMS)
    desk.deliver("desk/ticket/2026-01-05/again.csv", TICKET + f"72,7,{MADE},{MADE},new\n")
    report = desk.walk()
    assert "desk: 2 rows of forgotten accounts came again and were made nameless; remedy: forget the account again" in report.warnings
    assert desk.all("select count(*) from lake.accounts where account_id = 'acc-zoe' or account_name = 'Zoe Zander'") == [(0,)]
    assert ("72", "FORGOTTEN-1", "new") in standing(desk)
    assert left_of(desk.settings, desk.ledger, person) != [], "the delivered file and the table hold the person until forgotten again"
    again, done = erase(desk)
    assert again.pseudonym == "FORGOTTEN-1"
    assert {path: count for path, count in done["records_removed"].items() if "again" in path} == {
        "desk/firm/2026-01-05/again.csv": 1,
        "desk/ticket/2026-01-05/again.csv": 1,
    }
    finish(desk, again)
    assert [(path, word) for path, text in texts(desk.settings.home).items() for word in WORDS if word in text] == []
    assert ("72", "FORGOTTEN-1", "new") in standing(desk)
    assert left_of(desk.settings, desk.ledger, again) == []


@pytest.mark.fault("S8")
@pytest.mark.parametrize("gone", ["desk/firm/2026-01-02/f.csv", "desk/note/2026-01-02/n.csv", "desk/ticket/2026-01-03/t.csv"])
def test_rows_of_an_archived_file_are_named_and_nothing_changes(desk: Any, gone: str) -> None:
    """Rows that make no feed of their own stand in the tables only."""
    archived = (desk.settings.landing / gone).read_bytes()
    (desk.settings.landing / gone).unlink()
    with pytest.raises(InfrastructureError, match=f"{gone}; remedy: put them back"):
        erase(desk)
    assert "acc-zoe" in "".join(texts(desk.settings.home).values())
    desk.deliver(gone, archived)
    person, _ = erase(desk)
    finish(desk, person)
    assert left_of(desk.settings, desk.ledger, person) == []


@pytest.mark.fault("S8")
def test_rows_of_others_from_archived_files_stay(desk: Any) -> None:
    path = desk.deliver("desk/ticket/2026-01-05/ann.csv", TICKET + f"81,8,{MADE},{MADE},new\n")
    desk.walk()
    path.unlink()
    person, _ = erase(desk)
    finish(desk, person)
    assert standing(desk) == [("70", "FORGOTTEN-1", "open"), ("80", "acc-ann", "new"), ("81", "acc-ann", "new")]
    assert [(path, word) for path, text in texts(desk.settings.home).items() for word in WORDS if word in text] == []
