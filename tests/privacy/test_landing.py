"""Erasing an account from the landing folder: its records go, all other bytes stay, and what is loaded next adds up as before."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import python_calamine
from backports import zstd

from dagster_project.demo.company import write_company
from dagster_project.door.dialect import Dialect
from dagster_project.door.ledger import Ledger
from dagster_project.errors import InfrastructureError, InputRefused, UsageError
from dagster_project.privacy.forget import erase_from_landing
from dagster_project.privacy.proof import look
from dagster_project.privacy.purge import remove_older_batches
from dagster_project.privacy.records import delivered_records, remove
from tests.door.formats_workbook import Raw, sheet, workbook

ORDERS = "order_id,account_id,contact_id,ordered_at,currency_code,net_amount,source_updated_at\n"
CONTACTS = "contact_id,account_id,email_hash,phone_hash,role\n"


def order(number: int, account: str, contact: str, net: str = "10.00") -> str:
    return f"o{number},{account},{contact},2026-01-01T10:00:00Z,EUR,{net},\n"


@pytest.fixture
def company(door: Any) -> Any:
    """Two accounts over two days; zoe is to be forgotten, Ann's comment quotes her address."""
    door.deliver(
        "canonical/accounts/2026-01-02/a.csv",
        "account_id,account_name,segment,parent_account_id,free_note\n"
        "acc-zoe,Zoe Zander,gold,,knows everybody\nacc-ann,Ann,gold,acc-zoe,\n",
    )
    door.deliver(
        "canonical/contacts/2026-01-02/a.csv.gz",
        CONTACTS + "con-z1,acc-zoe,Zoe@Example.org,+41 44 668 18 00,buyer\ncon-a1,acc-ann,ann@example.org,,\n",
    )
    door.deliver(
        "canonical/orders/2026-01-02/a.csv",
        ORDERS + order(1, "acc-zoe", "") + order(2, "acc-ann", "con-a1") + order(3, "", "con-z1", "5.50"),
    )
    door.deliver(
        "canonical/orders/2026-01-03/b.csv",
        ORDERS.replace("\n", "\r\n") + order(1, "acc-zoe", "", "12.00") + "\n" + order(4, '"acc-ann"', ""),
    )
    door.deliver("canonical/order_lines/2026-01-03/l.csv", "order_id,line_id,quantity,unit_price,net_amount\no1,1,1,12.00,12.00\n")
    head = "response_id,question_key,responded_at,account_id,comment\n"
    door.deliver(
        "canonical/survey_responses/2026-01-03/s.csv",
        head + 'r1,q,2026-01-01T00:00:00Z,acc-ann,"ask ""zoe@example.org"" or\nZoe Zander"\nr2,q,2026-01-01T00:00:00Z,acc-ann,fine\n',
    )
    door.walk()
    return door


def erase(door: Any, account: str = "acc-zoe") -> Any:
    return erase_from_landing(door.settings, door.ledger, account, lambda _: None)


def pack(path: Path, text: bytes) -> None:
    """Write a file as its suffix says; a zip holds one of its own name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(path.stem, text)
    else:
        path.write_bytes({".gz": gzip.compress, ".zst": zstd.compress}.get(suffix, bytes)(text))


def unpack(path: Path) -> bytes:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(path.stem)
    return {".gz": gzip.decompress, ".zst": zstd.decompress}.get(suffix, bytes)(path.read_bytes())


def below(folder: Path) -> bytes:
    return b"".join(unpack(path) for path in sorted(folder.rglob("*")) if path.is_file())


LATEST = """
select count(*), sum(net_amount)::varchar from (
    select order_id, last(net_amount order by delivery_date) as net_amount from lake.orders group by 1
)"""


@pytest.mark.fault("S8")
def test_records_of_the_account_go_and_every_other_byte_stays(company: Any) -> None:
    landing = company.settings.landing
    person, done = erase(company)
    assert (person.pseudonym, person.contact_ids) == ("FORGOTTEN-1", {"con-z1"})
    assert done["records_removed"] == {
        "canonical/accounts/2026-01-02/a.csv": 2,
        "canonical/contacts/2026-01-02/a.csv.gz": 1,
        "canonical/orders/2026-01-02/a.csv": 2,
        "canonical/orders/2026-01-03/b.csv": 1,
        "canonical/survey_responses/2026-01-03/s.csv": 1,
    }
    assert (landing / "canonical/orders/2026-01-02/a.csv").read_text() == ORDERS + order(2, "acc-ann", "con-a1")
    assert (landing / "canonical/orders/2026-01-03/b.csv").read_bytes() == (
        ORDERS.replace("\n", "\r\n") + "\n" + order(4, '"acc-ann"', "")
    ).encode()
    rest = gzip.decompress((landing / "canonical/contacts/2026-01-02/a.csv.gz").read_bytes()).decode()
    assert rest == CONTACTS + "con-a1,acc-ann,ann@example.org,,\n"
    for word in (b"acc-zoe", b"con-z1", b"Zoe", b"zoe@example.org", b"44 668 18 00", b"knows everybody"):
        assert word not in below(landing)


@pytest.mark.fault("S8")
def test_the_sums_stay_under_the_pseudonym_and_others_keep_what_is_theirs(company: Any) -> None:
    before = company.all(LATEST)
    erase(company)
    report = company.walk()
    assert not report.refusals
    assert company.all(LATEST) == before == [(4, "37.50")]
    assert company.all("select distinct account_id, contact_id from lake.orders order by all") == [
        ("FORGOTTEN-1", None),
        ("acc-ann", "con-a1"),
        ("acc-ann", None),
        (None, "FORGOTTEN-1-1"),
    ]
    assert company.all("select account_id, account_name, segment, parent_account_id from lake.accounts order by 1") == [
        ("FORGOTTEN-1", None, "gold", None),
        ("acc-ann", "Ann", "gold", "FORGOTTEN-1"),
    ]
    assert company.all("select contact_id, account_id, email_hash is null, role from lake.contacts where account_id <> 'acc-ann'") == [
        ("FORGOTTEN-1-1", "FORGOTTEN-1", True, "buyer")
    ]
    assert company.all("select response_id, account_id, comment from lake.survey_responses order by 1") == [
        ("r1", "acc-ann", None),
        ("r2", "acc-ann", "fine"),
    ]
    assert company.all("select order_id from lake.order_lines") == [("o1",)]


@pytest.mark.fault("S8")
@pytest.mark.parametrize("stop", ["take_out", "remove"])
def test_what_was_interrupted_is_finished_by_forgetting_again(company: Any, monkeypatch: pytest.MonkeyPatch, stop: str) -> None:
    from dagster_project.privacy import forget, redaction

    before = company.all(LATEST)
    calls: list[object] = []

    def interrupted(*arguments: Any) -> None:
        calls.append(arguments)
        if stop == "take_out" or len(calls) == 3:
            raise KeyboardInterrupt
        remove(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(forget if stop == "take_out" else redaction, stop, interrupted)
        with pytest.raises(KeyboardInterrupt):
            erase(company)
    done = erase(company)[1]
    assert sum(done["records_removed"].values()) == 7
    company.walk()
    assert company.all(LATEST) == before
    assert company.all("select count(*), count(distinct order_id || delivery_date) from lake.orders") == [(5, 5)]
    assert b"acc-zoe" not in below(company.settings.landing)


@pytest.mark.fault("S8")
def test_a_file_delivered_again_is_cleaned_by_forgetting_again(company: Any) -> None:
    erase(company)
    company.walk()
    company.deliver(
        "canonical/contacts/2026-01-05/again.csv", CONTACTS + "con-z1,acc-zoe,Zoe@Example.org,,\ncon-z2,acc-zoe,z2@example.org,,\n"
    )
    assert "1 rows" not in company.walk().warnings[0]
    person, done = erase(company)
    assert person.pseudonym == "FORGOTTEN-1"
    assert done["records_removed"]["canonical/contacts/2026-01-05/again.csv"] == 2
    company.walk()
    assert b"acc-zoe" not in below(company.settings.landing)
    assert company.all("select count(*) from lake.contacts where account_id = 'acc-zoe'") == [(0,)]


def test_an_unknown_account_is_a_usage_error_and_changes_nothing(company: Any) -> None:
    before = below(company.settings.landing)
    with pytest.raises(UsageError, match="no account acc-nobody in"):
        erase(company, "acc-nobody")
    assert below(company.settings.landing) == before
    assert Ledger(company.settings.ops).rows("select count(*) from tombstones") == [(0,)]


@pytest.mark.fault("S8")
def test_an_archived_file_has_to_come_back_first(company: Any) -> None:
    (company.settings.landing / "canonical/orders/2026-01-02/a.csv").unlink()
    with pytest.raises(InfrastructureError, match=r"canonical/orders/2026-01-02/a\.csv; remedy: put them back"):
        erase(company)
    assert b"acc-zoe" in below(company.settings.landing)


@pytest.mark.fault("S8")
def test_streams_of_a_mapped_system_are_followed_by_their_keys(make_door: Callable[..., Any], tmp_path: Path) -> None:
    desk = tmp_path / "mappings" / "desk"
    desk.mkdir(parents=True)
    (desk / "desk.yml").write_text(
        "time_zone: UTC\nstreams:\n  organization:\n    columns: [id, external_id, name]\n    key: [id]\n"
        "    feeds:\n      accounts: {sql: accounts.sql, records: true}\n"
        "  ticket:\n    columns: [id, organization_id, created_at]\n    unread: [subject]\n    beside: [organization]\n"
        "    feeds:\n      tickets: {sql: tickets.sql, records: true}\n"
        "ignored:\n  ticket_comment: bodies are read by no feed\n"
    )
    (desk / "accounts.sql").write_text("select record_number, external_id as account_id, name as account_name from source")
    (desk / "tickets.sql").write_text(
        "select s.record_number, s.id as ticket_id, o.external_id as account_id, s.created_at, 'open' as ticket_state, 'email' as channel\n"
        "from source as s left join organization as o on s.organization_id = o.id"
    )
    door = make_door(mappings=tmp_path / "mappings")
    door.deliver("desk/organization/2026-01-02/o.csv", "id,external_id,name\n7,acc-zoe,Zoe Zander\n8,acc-ann,Ann\n")
    door.deliver(
        "desk/ticket/2026-01-02/t.csv",
        "id,organization_id,created_at,subject\n70,7,2026-01-01T00:00:00Z,help\n80,8,2026-01-01T00:00:00Z,7\n",
    )
    door.deliver("desk/ticket_comment/2026-01-02/c.csv", "id,ticket_id,body\n1,70,I live in Baker Street\n2,80,a question\n7,80,more\n")
    door.walk()
    done = erase(door)[1]
    assert done["records_removed"] == {
        "desk/organization/2026-01-02/o.csv": 1,
        "desk/ticket/2026-01-02/t.csv": 1,
        "desk/ticket_comment/2026-01-02/c.csv": 1,
    }
    door.walk()
    assert door.all("select ticket_id, account_id from lake.tickets order by 1") == [("70", "FORGOTTEN-1"), ("80", "acc-ann")]
    assert b"Baker" not in below(door.settings.landing)
    assert b"Zoe" not in below(door.settings.landing)


@pytest.mark.fault("S8")
@pytest.mark.slow
def test_an_account_leaves_every_stream_of_the_built_in_systems(door: Any) -> None:
    """The busiest account of a company exported by four systems; sums stay, ids and words are nowhere."""
    landing, home = door.settings.landing, door.settings.home
    landing.rmdir()
    write_company(landing, 80, 2, 23, systems=("zendesk", "shopify", "quickbooks", "qualtrics"))
    assert not door.walk().refusals
    told = "select account_id from lake.survey_responses where comment is not null"
    ((account,),) = door.all(
        f"select account_id from lake.orders where account_id in ({told}) group by 1 order by count(*) desc, 1 limit 1"
    )
    counted = ", ".join(f"(select count(*) from lake.{feed})" for feed in ("tickets", "interactions", "ticket_events", "survey_responses"))
    sums = f"select (select sum(net_amount) from lake.order_lines), (select sum(refund_amount) from lake.refunds), {counted}"
    before = door.all(sums)
    person, done = erase(door, account)
    streams = {tuple(path.split("/")[:2]) for path in done["records_removed"]}
    assert {("zendesk", "organization"), ("zendesk", "ticket"), ("zendesk", "call"), ("zendesk", "ticket_comment")} <= streams
    assert {("shopify", "customer"), ("shopify", "order"), ("shopify", "order_line"), ("qualtrics", "question_response")} <= streams
    assert not door.walk().refusals
    remove_older_batches(door.settings, door.ledger)
    assert len(person.contact_ids) > 0
    assert look([landing, home / "lake", home / "restricted"], person.pattern()).hits == []
    assert door.all(sums) == before
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.tsv.zst", "a.txt.zip", "A.CSV.GZ"])
def test_all_other_bytes_are_kept_in_any_encoding(tmp_path: Path, encoding: str, name: str) -> None:
    delimiter = "," if ".csv" in name.lower() else "\t"
    records = ["id,text\r\n", "1,é\n", '2,"two\r\nlines ""x"""\r\n', "\r\n", '3,broken"quote\n', "4,last"]
    lines = [record.replace(",", delimiter) for record in records]
    path = tmp_path / name

    def bytes_of(*left_out: int) -> bytes:
        return "".join(line for at, line in enumerate(lines) if at not in left_out).encode(encoding)

    pack(path, bytes_of())
    remove(path, Dialect(encoding=encoding), {2})
    assert unpack(path) == bytes_of(2)
    records_left = [record for record in delivered_records(path, Dialect(encoding=encoding)) if record.number]
    assert [(record.number, record.values["id"]) for record in records_left[::2]] == [(1, "1"), (3, "4")]


@pytest.mark.fault("S8")
@pytest.mark.parametrize("suffix", ["csv.zip", "csv.zst", "zip"])
def test_packed_deliveries_are_cleaned_too(door: Any, suffix: str) -> None:
    path: Path = door.settings.landing / f"canonical/orders/2026-01-02/a.{suffix}"
    if suffix == "zip":
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner.csv", ORDERS + order(1, "acc-zoe", "") + order(2, "acc-ann", ""))
    else:
        pack(path, (ORDERS + order(1, "acc-zoe", "") + order(2, "acc-ann", "")).encode())
    door.deliver("canonical/accounts/2026-01-02/a.csv", "account_id,account_name\nacc-zoe,Zoe Zander\nacc-ann,Ann\n")
    door.walk()
    assert hits(door) == ["accounts/2026-01-02/a.csv", f"orders/2026-01-02/a.{suffix}"]
    assert erase(door)[1]["records_removed"][f"canonical/orders/2026-01-02/a.{suffix}"] == 1
    assert hits(door) == []
    assert not door.walk().refusals
    assert door.all("select order_id, account_id from lake.orders order by 1") == [("o1", "FORGOTTEN-1"), ("o2", "acc-ann")]


def hits(door: Any) -> list[str]:
    landing = door.settings.landing
    return [Path(hit).relative_to(landing / "canonical").as_posix() for hit in look([landing], re.compile("acc-zoe")).hits]


@pytest.mark.fault("S8")
def test_rows_of_a_worksheet_are_emptied_and_texts_that_only_they_showed(door: Any) -> None:
    """Shared texts: 0 the person's name, 1 a segment that others have too, 2 a name with a break, 3 another's name on the second sheet."""
    shared = "".join(f"<si><t>{text}</t></si>" for text in ("Zoe Zander", "gold", "A&amp;B&#13;\n Ltd", "Eve"))
    head, blank = ["account_id", "account_name", "segment"], Raw('t="s"><v>1</v>')
    rows: list[list[object]] = [
        head,
        ["acc-zoe", Raw('t="s"><v>0</v>'), blank],
        [],
        ["acc-ann", Raw('t="s"><v>2</v>'), blank],
        ["acc-zoe", Raw("><f>1/0</f><v>7</v>"), None],
    ]
    path = door.settings.landing / "canonical/accounts/2026-01-02/a.xlsx"
    path.parent.mkdir(parents=True)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheets = {"Accounts": sheet(rows), "Notes": sheet([[Raw('t="s"><v>3</v>')]])}
    path.write_bytes(workbook(sheets, {"xl/sharedStrings.xml": f'<sst xmlns="{main}">{shared}</sst>'}))
    door.walk()
    read = "select account_id, account_name, segment from lake.accounts order by record_number"
    before = door.all(read)
    assert before[1] == ("acc-ann", "A&B\r\n Ltd", "gold")
    assert hits(door) == ["accounts/2026-01-02/a.xlsx"]

    assert erase(door)[1]["records_removed"] == {"canonical/accounts/2026-01-02/a.xlsx": 2}
    assert hits(door) == []
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    assert book.get_sheet_by_name("Accounts").to_python() == [head, ["", "", ""], ["", "", ""], ["acc-ann", "A&B\r\n Ltd", "gold"]]
    assert book.get_sheet_by_name("Notes").to_python() == [["Eve"]]
    assert b"Zoe" not in b"".join(read_members(path))
    assert not door.walk().refusals
    assert door.all(read.replace("order by", "where account_id not like 'FORGOTTEN%' order by")) == [before[1]]


def read_members(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()]


@pytest.mark.fault("S8")
def test_a_delivery_that_cannot_be_read_is_named_before_anything_is_changed(company: Any) -> None:
    """The account may stand in it, and nobody could tell."""
    company.deliver("canonical/orders/2026-01-04/c.csv.zip", b"PK\x03\x04 is no archive")
    before = (company.settings.landing / "canonical/orders/2026-01-02/a.csv").read_bytes()
    with pytest.raises(InputRefused, match=r"c\.csv\.zip: archive damaged .*; remedy: deliver the file again"):
        erase(company)
    assert (company.settings.landing / "canonical/orders/2026-01-02/a.csv").read_bytes() == before


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst", "csv.zip", "CSV.GZ"])
def test_a_word_that_two_pieces_of_the_search_share_is_found(tmp_path: Path, suffix: str) -> None:
    pack(tmp_path / f"a.{suffix}", b" " * ((4 << 20) - 4) + b"acc-zoe" + b" " * 9)
    proof = look([tmp_path], re.compile("acc-zoe"))
    assert proof.hits == [str(tmp_path / f"a.{suffix}")]
    assert proof.unpacked_bytes == (0 if suffix == "csv" else (4 << 20) + 12)


def test_json_lines_and_parquet_lose_the_records_by_number(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"id": 1}\n\n{"id": "zoe"}\n{"id": 3}\n')
    remove(lines, Dialect(), {2})
    assert lines.read_text() == '{"id": 1}\n\n{"id": 3}\n'
    parquet = tmp_path / "a.parquet"
    duckdb.sql(f"copy (select i as id, 'r' || i as name from range(5) t(i)) to '{parquet}'")
    remove(parquet, Dialect(), {1, 5})
    assert duckdb.sql(f"select id, name from read_parquet('{parquet}')").fetchall() == [(1, "r1"), (2, "r2"), (3, "r3")]
    assert [record.values["name"] for record in delivered_records(parquet, Dialect())] == ["r1", "r2", "r3"]
