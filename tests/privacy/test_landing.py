"""Erasing an account from the landing folder: its records go, all other bytes stay, and what is loaded next adds up as before."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError, InputRefused, UsageError
from dagster_project.ledger.store import Ledger
from dagster_project.ledger.volumes import freshness
from dagster_project.privacy.records import remove
from tests.ingest.mapping_files import write_system
from tests.privacy.landing_files import ORDERS, below, erase, order

CONTACTS = "contact_id,account_id,email_hash,phone_hash,role\n"


@pytest.fixture
def company(ingest: Any) -> Any:
    """Two accounts over two days; zoe is to be forgotten, Ann's comment quotes her address."""
    ingest.deliver(
        "canonical/accounts/2026-01-02/a.csv",
        "account_id,account_name,segment,parent_account_id,free_note\n"
        "acc-zoe,Zoe Zander,gold,,knows everybody\nacc-ann,Ann,gold,acc-zoe,\n",
    )
    ingest.deliver(
        "canonical/contacts/2026-01-02/a.csv.gz",
        CONTACTS + "con-z1,acc-zoe,Zoe@Example.org,+41 44 668 18 00,buyer\ncon-a1,acc-ann,ann@example.org,,buyer\n",
    )
    ingest.deliver(
        "canonical/orders/2026-01-02/a.csv",
        ORDERS + order(1, "acc-zoe", "") + order(2, "acc-ann", "con-a1") + order(3, "", "con-z1", "5.50"),
    )
    ingest.deliver(
        "canonical/orders/2026-01-03/b.csv",
        ORDERS.replace("\n", "\r\n") + order(1, "acc-zoe", "", "12.00") + "\n" + order(4, '"acc-ann"', ""),
    )
    ingest.deliver("canonical/order_lines/2026-01-03/l.csv", "order_id,line_id,quantity,unit_price,net_amount\no1,1,1,12.00,12.00\n")
    head = "response_id,question_key,responded_at,account_id,comment\n"
    ingest.deliver(
        "canonical/survey_responses/2026-01-03/s.csv",
        head + 'r1,q,2026-01-01T00:00:00Z,acc-ann,"ask ""zoe@example.org"" or\nZoe Zander"\nr2,q,2026-01-01T00:00:00Z,acc-ann,fine\n',
    )
    ingest.walk()
    return ingest


LATEST = """
select count(*), sum(net_amount)::decimal(18, 2)::varchar from (
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
        "canonical/order_lines/2026-01-03/l.csv": 1,
        "canonical/orders/2026-01-02/a.csv": 2,
        "canonical/orders/2026-01-03/b.csv": 1,
        "canonical/survey_responses/2026-01-03/s.csv": 1,
    }
    assert (landing / "canonical/orders/2026-01-02/a.csv").read_text() == ORDERS + order(2, "acc-ann", "con-a1")
    assert (landing / "canonical/orders/2026-01-03/b.csv").read_bytes() == (
        ORDERS.replace("\n", "\r\n") + "\n" + order(4, '"acc-ann"', "")
    ).encode()
    rest = gzip.decompress((landing / "canonical/contacts/2026-01-02/a.csv.gz").read_bytes()).decode()
    assert rest == CONTACTS + "con-a1,acc-ann,ann@example.org,,buyer\n"
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
    assert sum(done["records_removed"].values()) == 8
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
def test_streams_of_a_mapped_system_are_followed_by_their_keys(make_ingest: Callable[..., Any], tmp_path: Path) -> None:
    mappings = write_system(
        tmp_path / "mappings",
        "desk",
        "time_zone: UTC\nstreams:\n  organization:\n    columns: [id, external_id, name]\n    key: [id]\n"
        "    feeds:\n      accounts: {sql: accounts.sql, records: true}\n"
        "  ticket:\n    columns: [id, organization_id, created_at]\n    unread: [subject]\n    beside: [organization]\n"
        "    feeds:\n      tickets: {sql: tickets.sql, records: true}\n"
        "ignored:\n  ticket_comment: bodies are read by no feed\n",
        accounts="select record_number, external_id as account_id, name as account_name from source",
        tickets="select s.record_number, s.id as ticket_id, o.external_id as account_id, s.created_at, 'open' as ticket_state,"
        " 'email' as channel from source as s left join organization as o on s.organization_id = o.id",
    )
    ingest = make_ingest(mappings=mappings)
    ingest.deliver("desk/organization/2026-01-02/o.csv", "id,external_id,name\n7,acc-zoe,Zoe Zander\n8,acc-ann,Ann\n")
    ingest.deliver(
        "desk/ticket/2026-01-02/t.csv",
        "id,organization_id,created_at,subject\n70,7,2026-01-01T00:00:00Z,help\n80,8,2026-01-01T00:00:00Z,7\n",
    )
    ingest.deliver("desk/ticket_comment/2026-01-02/c.csv", "id,ticket_id,body\n1,70,I live in Baker Street\n2,80,a question\n7,80,more\n")
    ingest.walk()
    delivered = ingest.all("select * from lake.sources")
    ages = freshness(ingest.ledger)
    done = erase(ingest)[1]
    assert done["records_removed"] == {
        "desk/organization/2026-01-02/o.csv": 1,
        "desk/ticket/2026-01-02/t.csv": 1,
        "desk/ticket_comment/2026-01-02/c.csv": 1,
    }
    ingest.walk()
    assert ingest.all("select ticket_id, account_id from lake.tickets order by 1") == [("70", "FORGOTTEN-1"), ("80", "acc-ann")]
    assert ingest.all("select * from lake.sources") == delivered, "what is kept under the pseudonym is no source that a month waits for"
    assert freshness(ingest.ledger) == ages
    assert b"Baker" not in below(ingest.settings.landing)
    assert b"Zoe" not in below(ingest.settings.landing)


@pytest.mark.fault("S8")
def test_a_delivery_that_cannot_be_read_is_named_before_anything_is_changed(company: Any) -> None:
    """The account may stand in it, and nobody could tell."""
    company.deliver("canonical/orders/2026-01-04/c.csv.zip", b"PK\x03\x04 is no archive")
    before = (company.settings.landing / "canonical/orders/2026-01-02/a.csv").read_bytes()
    with pytest.raises(InputRefused, match=r"c\.csv\.zip: archive damaged .*; remedy: deliver the file again"):
        erase(company)
    assert (company.settings.landing / "canonical/orders/2026-01-02/a.csv").read_bytes() == before
