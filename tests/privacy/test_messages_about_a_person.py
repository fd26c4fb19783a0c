"""What the quarantine, the ledger and Dagster tell of a person: keys are readable, addresses are not, and forgetting takes all of it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dagster_project.commands import terminal
from dagster_project.errors import InputRefused
from dagster_project.ingest.pii.register import ERASED, ErasedPerson, keep_erased
from dagster_project.ingest.sources.table_files import rewrite
from dagster_project.orchestration import alerts
from dagster_project.orchestration.runtime import Runtime
from dagster_project.privacy.messages import clean_texts
from dagster_project.privacy.person import Lake
from dagster_project.privacy.purge import remove_older_batches
from tests.ingest.mapping_files import write_system
from tests.privacy.canaries import found_below
from tests.privacy.landing_files import below, erase

DAY = "2026-01-02"
HEAD = "ticket_id,account_id,created_at,ticket_state,channel,tags\n"
SHOWN = "select raw_text_masked, reason from quarantine order by quarantine_id"


def ticket(number: int, account: str, created: str = "2026-01-01T10:00:00Z", tags: str = "") -> str:
    return f"t{number},{account},{created},solved,email,{tags}\n"


MAPPING = """
time_zone: UTC
streams:
  firm:
    columns: [id, code, name]
    key: [id]
    feeds: {accounts: {sql: accounts.sql, records: true}}
  ticket:
    columns: [id, firm_id, made]
    key: [id]
    feeds: {tickets: {sql: tickets.sql, records: true}}
"""


@pytest.fixture
def desk(make_ingest: Callable[..., Any], tmp_path: Path) -> Any:
    """A mapped system with two accounts; a ticket of zoe has a name in the place of its instant."""
    mappings = write_system(
        tmp_path / "mappings",
        "desk",
        MAPPING,
        accounts="select record_number, code as account_id, name as account_name from source",
        tickets="select s.record_number, s.id as ticket_id, f.code as account_id, s.made as created_at, 'open' as ticket_state,"
        " 'email' as channel from source as s left join firm as f on s.firm_id = f.id",
    )
    ingest = make_ingest(mappings=mappings)
    ingest.deliver(f"desk/firm/{DAY}/f.csv", "id,code,name\n7,acc-zoe,Zoe Zander\n8,acc-ann,Ann\n")
    good = "".join(f"{number},8,2026-01-01T00:00:00Z\n" for number in range(100, 400))
    ingest.deliver(f"desk/ticket/{DAY}/t.csv", f"id,firm_id,made\n70,7,Zoe Zyx 0171/5550199\n{good}")
    assert ingest.walk().refusals == []
    return ingest


def test_the_key_of_a_refused_record_is_readable_whether_mapped_or_not(desk: Any) -> None:
    desk.deliver(
        f"canonical/tickets/{DAY}/a.csv",
        HEAD + ticket(1, "acc-ann", "soon") + "".join(ticket(number, "acc-ann") for number in range(2, 300)),
    )
    desk.walk()
    (mapped, reason), (canonical, _) = desk.ledger.rows(SHOWN)
    assert mapped == "ticket_id=70 | id=70 | firm_id=* | made=********"
    assert '"Zoe Zyx [phone]" is not an instant' in reason
    assert canonical == "ticket_id=t1 | account_id=******* | created_at=soon | ticket_state=****** | channel=*****"


@pytest.mark.fault("S17")
def test_a_key_that_is_an_address_is_not(ingest: Any) -> None:
    rows = "".join(ticket(number, "acc-ann") for number in range(300))
    ingest.deliver(f"canonical/tickets/{DAY}/a.csv", HEAD + "jane@victim.example,a,soon,solved,email,\n" + rows)
    report = ingest.walk()
    ((shown, _),) = ingest.ledger.rows(SHOWN)
    assert shown.startswith("ticket_id=[email] | ")
    assert "victim" not in "".join(report.rejections)


@pytest.mark.fault("S16")
def test_ids_that_are_addresses_still_join(ingest: Any) -> None:
    ingest.deliver(f"canonical/accounts/{DAY}/a.csv", "account_id,account_name\nJane@victim.example,Jane Ltd\nacc-ann,Ann\n")
    ingest.deliver(f"canonical/tickets/{DAY}/t.csv", HEAD + ticket(1, "jane@victim.example ") + ticket(2, "acc-ann"))
    ingest.walk()
    joined = "select count(*) from lake.accounts join lake.tickets using (account_id)"
    assert ingest.all(joined) == [(2,)]
    assert ingest.all("select count(*) from lake.accounts where contains(account_id, '@')") == [(0,)]
    person, done = erase(ingest, "jane@victim.example")
    assert sum(done["records_removed"].values()) == 2
    ingest.walk()
    assert ingest.all("select account_id from lake.tickets order by ticket_id") == [(person.pseudonym,), ("acc-ann",)]
    assert b"victim" not in below(ingest.settings.landing)


@pytest.mark.fault("S19")
def test_refused_records_of_a_forgotten_account_are_erased_and_others_stay(desk: Any) -> None:
    desk.deliver(
        f"desk/ticket/{DAY}/u.csv", "id,firm_id,made\n71,8,yesterday\n" + "".join(f"{n},8,2026-01-01T00:00:00Z\n" for n in range(500, 800))
    )
    desk.walk()
    _, done = erase(desk)
    assert [shown for shown, _ in desk.ledger.rows(SHOWN)] == [ERASED, "ticket_id=71 | id=71 | firm_id=* | made=********"]
    assert done["ledger_texts_redacted"] == 1
    desk.walk()
    for word in (b"Zoe Zander", b"Zoe Zyx", b"5550199"):
        assert word not in below(desk.settings.landing)


@pytest.mark.fault("S19")
def test_a_refused_record_of_an_archived_file_is_erased_for_nobody_can_tell_whose_it_was(ingest: Any) -> None:
    ingest.deliver(f"canonical/accounts/{DAY}/a.csv", "account_id,account_name\nacc-zoe,Zoe Zander\nacc-ann,Ann\n")
    rows = "".join(ticket(number, "acc-ann") for number in range(300))
    archived = ingest.deliver(f"canonical/tickets/{DAY}/t.csv", HEAD + ticket(900, "acc-zoe", "Zoe Zyx") + rows)
    ingest.walk()
    archived.unlink()
    erase(ingest)
    assert [shown for shown, _ in ingest.ledger.rows(SHOWN)] == [ERASED]


@pytest.mark.fault("S19")
def test_a_refused_record_that_comes_again_is_told_without_its_values(desk: Any) -> None:
    key = (desk.settings.restricted / "hash_key").read_bytes()
    keep_erased(desk.ledger, [ErasedPerson("account", Lake(desk.settings, desk.ledger, key).hashed("acc-zoe"), "FORGOTTEN-1")])
    good = "".join(ticket(number, "acc-ann") for number in range(300))
    desk.deliver(f"canonical/tickets/{DAY}/b.csv", HEAD + ticket(900, "acc-zoe", "Zoe Zyx", "vip") + good)
    desk.deliver(
        "desk/ticket/2026-01-03/u.csv",
        "id,firm_id,made\n72,7,Zoe Zyx\n" + "".join(f"{n},8,2026-01-01T00:00:00Z\n" for n in range(500, 800)),
    )
    reported = "".join(desk.walk().rejections)
    assert "a record of a forgotten account breaks the rule instant_format" in reported
    assert "Zoe Zyx" not in reported
    assert [shown for shown, _ in desk.ledger.rows(SHOWN)][1:] == [ERASED, ERASED]


@pytest.mark.fault("S19")
def test_a_file_named_after_the_person_gets_another_name(make_ingest: Callable[..., Any]) -> None:
    ingest = make_ingest()
    ingest.deliver(f"canonical/accounts/{DAY}/a.csv", "account_id,account_name\nacc-zoe,Zoe Zander\nacc-ann,Ann\n")
    ingest.deliver(f"canonical/tickets/{DAY}/zoe@victim.example.csv", HEAD + ticket(1, "acc-zoe") + ticket(2, "acc-ann"))
    ingest.walk()
    person, done = erase(ingest)
    assert done["files_renamed"] == 1
    report = ingest.walk()
    assert not report.refusals
    names = sorted(path.name for path in (ingest.settings.landing / "canonical" / "tickets" / DAY).iterdir())
    assert "FORGOTTEN-1.csv" in names
    assert not any("zoe" in name for name in names)
    assert ingest.all("select count(*) from lake.tickets") == [(2,)]
    clean_texts(ingest.settings, ingest.ledger, person)
    assert b"zoe@" not in (ingest.settings.ops / "ledger.sqlite").read_bytes()


@pytest.mark.fault("S19")
def test_a_file_of_a_mapped_system_gets_another_name_too(desk: Any) -> None:
    good = "".join(f"{number},8,2026-01-01T00:00:00Z\n" for number in range(500, 510))
    desk.deliver("desk/ticket/2026-01-03/zoe@victim.example.csv", f"id,firm_id,made\n71,7,2026-01-01T00:00:00Z\n{good}")
    assert desk.walk().refusals == []
    before = desk.all("select count(*) from lake.tickets")
    person, done = erase(desk)
    assert done["files_renamed"] == 1
    assert desk.walk().refusals == []
    assert [path.name for path in (desk.settings.landing / "desk" / "ticket" / "2026-01-03").iterdir()] == ["FORGOTTEN-1.csv"]
    remove_older_batches(desk.settings, desk.ledger)
    rewrite(desk.settings)
    clean_texts(desk.settings, desk.ledger, person)
    assert desk.all("select count(*) from lake.tickets where not is_withdrawn and ticket_id <> '70'") == before
    assert found_below(desk.settings.home, re.compile("zoe@victim|acc-zoe|Zoe")) == {}


@pytest.mark.fault("S19")
def test_a_code_that_somebody_else_has_stays_and_one_of_its_own_goes(ingest: Any) -> None:
    ingest.deliver(
        f"canonical/accounts/{DAY}/a.csv",
        "account_id,account_name,segment,industry\nacc-zoe,Zoe Zander,gold,Zoe Zanders shop\nacc-ann,Ann,gold,bakery\n",
    )
    ingest.walk()
    erase(ingest)
    ingest.walk()
    assert ingest.all("select segment, industry from lake.accounts where account_id = 'FORGOTTEN-1'") == [("gold", None)]


@pytest.mark.fault("S19")
def test_dagsters_own_files_are_cleaned(desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = tmp_path / "dagster" / "history" / "runs" / "1.db"
    events.parent.mkdir(parents=True)
    with closing(sqlite3.connect(events)) as connection, connection:
        connection.execute("create table event_logs (id integer primary key, event text)")
        connection.execute("insert into event_logs (event) values (?)", ['{"m": "column made: Zoe Zyx 0171/5550199 of acc-zoe"}'])
    printed = tmp_path / "dagster" / "storage" / "1" / "compute_logs" / "a.err"
    printed.parent.mkdir(parents=True)
    printed.write_bytes(b"warning: 1 found, first: record 3 account_id=acc-zoe \xff Zoe Zyx 0171/5550199\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    person, _ = erase(desk)
    for file in (events, printed):
        assert b"Zoe" not in file.read_bytes()
        assert b"acc-zoe" not in file.read_bytes()
    assert b"first: record 3" in printed.read_bytes()
    assert b"\xff" in printed.read_bytes()
    assert clean_texts(desk.settings, desk.ledger, person) == 0


@pytest.mark.fault("S17")
def test_an_alert_carries_no_address(ingest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(alerts, "send", lambda settings, subject, text: sent.append(text))
    alerts.failed(ingest.settings, "daily", "run-1", "column made: jane@victim.example or +49 171 5550199")
    assert sent[0].startswith("Run run-1: column made: [email] or [phone]\n")


@pytest.mark.fault("S17")
def test_each_way_that_a_line_is_told_masks_it(ingest: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A run tells callers of its own, the command line prints what others tell, and an error is read by both and by Dagster."""
    said: list[str] = []
    line = "jane@victim.example.csv: 3 of 1,000 records, call +49 171 5550199"
    masked_line = "[email]: 3 of 1,000 records, call [phone]"
    Runtime(ingest.settings, report=said.append).report(line)
    terminal.show(line)
    terminal.note(line)
    printed = capsys.readouterr()
    assert (said, printed.out, printed.err, str(InputRefused(line))) == ([masked_line], f"{masked_line}\n", f"{masked_line}\n", masked_line)
