"""A company whose every text holds addresses and numbers: none reaches readers, logs or the ledger; and a forgotten account leaves nothing.

Breaks: a column, a message or a name of a file carries a person to those who may not read it.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.commands import cli
from dagster_project.commands.template import example_value
from dagster_project.contracts.model import Contract, feeds, load_contract
from dagster_project.ingest.pii.register import person_columns
from dagster_project.orchestration.assets.ingest import ingest
from dagster_project.orchestration.runtime import Runtime
from dagster_project.privacy.children import references
from dagster_project.privacy.forget import forget
from dagster_project.settings import Settings, load_settings
from tests.privacy.canaries import ADDRESSES, FOUND, NAME, found_below, full_of_texts, row, told_by_ledger, write_csv

DAY = "2026-01-05"
ACCOUNT = "A0000016"


@dataclass
class Company:
    """Settings of one home, and what its run printed."""

    settings: Settings
    printed: str


def children(contract: Contract) -> list[list[str]]:
    """Rows without account and contact, full of a name, that hang by one column on a record of the account: directly, and on such a row."""
    rows, own = [], {column.name: NAME for column in contract.columns if column.kind == "text" and not column.hashed}
    named = {name: parent for name, parent in references(contract.feed).items() if (name,) != contract.primary_key}
    nobody = dict.fromkeys((*named, *person_columns(contract)), "")
    if any(contract.column(name).required for name in person_columns(contract)):
        return []
    for number, (name, parent) in enumerate(named.items(), start=1):
        key = load_contract(parent).column(load_contract(parent).primary_key[0])
        for on in (16, 1600 + 1):  # row 1601 of a feed hangs by its first column
            values = {**own, **nobody, name: f"{example_value(load_contract(parent), key)}-{on}"}
            rows.append(
                row(contract, "", on * 100 + number, {k: v for k, v in values.items() if k not in contract.primary_key or k == name})
            )
    return rows


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Every feed with a row of an ordinary account and one of the account to forget, all texts full; and records in the wrong cells."""
    folder = tmp_path_factory.mktemp("leaks")
    settings = load_settings(landing=folder / "landing", home=folder / "home", memory_limit="1GB", threads=1)
    for feed in feeds():
        contract = load_contract(feed)
        rows = [row(contract, "A-1", 0, full_of_texts(contract) if feed != "accounts" else {})]
        if "account_id" in contract.names:
            own = {column.name: NAME for column in contract.columns if column.kind == "text" and not column.hashed}
            rows.append(row(contract, ACCOUNT, 16, own))
        elif feed == "referrals":
            rows.append(row(contract, "", 16, {"referrer_account_id": ACCOUNT, "referred_account_id": ""}))
        rows += children(contract)
        write_csv(settings.landing / "canonical" / feed / DAY / f"{feed}.csv", contract, rows)
    tickets = load_contract("tickets")
    wrong = [
        {"ticket_id": "T-90", "created_at": ADDRESSES.format("baddate")},
        {"ticket_id": "T-91", "ticket_state": "jane.badlist@pii-victim.example"},
        {"ticket_id": "jane.key@pii-victim.example", "created_at": f"{NAME} 0171/5550199"},
    ]
    good = [row(tickets, "A-1", number, {}) for number in range(100, 1100)]
    bad = [row(tickets, ACCOUNT, 0, values) for values in wrong]
    named = settings.landing / "canonical" / "tickets" / DAY / "jane.filename@pii-victim.example.csv"
    write_csv(named, tickets, [*good, *bad])
    named.with_name(f"{named.name}.manifest.json").write_text('{"rows": 1003, "sent by": "jane.manifest@pii-victim.example"}')
    printed = _run(settings)
    return Company(settings, printed)


def _run(settings: Settings) -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        patched.setattr(sys, "argv", ["service-roi", "run", "--landing", str(settings.landing), "--home", str(settings.home)])
        with contextlib.suppress(SystemExit):
            cli.main()
    return out.getvalue()


@pytest.mark.fault("S16")
def test_no_address_or_number_reaches_readers(company: Company) -> None:
    assert found_below(company.settings.published, FOUND) == {}
    assert found_below(company.settings.published, re.compile("Zzyzxname")) != {}, "a name in a code cannot be found by pattern"
    assert found_below(company.settings.finance, FOUND) == {}


@pytest.mark.fault("S17")
def test_no_address_or_number_is_printed_or_told(company: Company) -> None:
    assert "3 records in 1 file kept out" in company.printed or "kept out" in company.printed
    assert "published copy" in company.printed
    assert FOUND.search(company.printed) is None
    reported = told_by_ledger(company.settings.ops / "ledger.sqlite")
    assert "[email]" in reported
    assert FOUND.search(reported) is None


@pytest.mark.fault("S16")
def test_no_address_or_number_is_in_the_lake(company: Company) -> None:
    assert found_below(company.settings.lake, FOUND) == {}
    assert found_below(company.settings.warehouse.parent / "lake", re.compile("Wilhelmina.*Zzyzxname")) != {}


@pytest.mark.fault("S17")
def test_dagster_stores_no_address_or_number(tmp_path: Path) -> None:
    """Events, metadata and errors of a run that refuses one file and takes another, both named after a person."""
    settings = load_settings(landing=tmp_path / "landing", home=tmp_path / "home", memory_limit="1GB", threads=1)
    contract = load_contract("tickets")
    for name, values in (
        ("jane.good@pii-victim.example.csv", {}),
        ("jane.bad@pii-victim.example.csv", {"created_at": ADDRESSES.format("bad")}),
    ):
        path = settings.landing / "canonical" / "tickets" / DAY / name
        write_csv(path, contract, [row(contract, "A-1", number, {**values, "tags": name}) for number in range(10)])
    runtime = Runtime(settings)
    for folder in (settings.ops, tmp_path / "dagster"):
        folder.mkdir(parents=True)
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance, runtime.recorded():
        result = dg.materialize([ingest], instance=instance, resources={"runtime": runtime}, raise_on_error=False)
    assert not result.success
    stored = found_below(tmp_path / "dagster", re.compile(r"10 of 10 records refused"))
    assert stored, "the refusal is stored"
    assert found_below(tmp_path / "dagster", FOUND) == {}


@pytest.mark.fault("S19")
def test_a_forgotten_account_leaves_no_trace(company: Company) -> None:
    """Last of the module: its values stood in codes, in refused records, in messages and in the name of a file."""
    settings = company.settings
    trace = re.compile(rf"{ACCOUNT}|Zzyzxname|baddate|badlist|jane\.key|jane\.filename")
    certificate = forget(settings, ACCOUNT)
    proof = certificate.content["proof"]
    assert (proof["hits"], certificate.content["files_renamed"]) == ([], 1)
    assert certificate.content["ledger_texts_redacted"] >= len(("baddate", "badlist", "key"))
    assert proof["values"]["addresses_and_numbers"] >= 1
    assert certificate.content["not_searched"]
    for folder in (settings.home, settings.landing):
        assert found_below(folder, trace) == {}
