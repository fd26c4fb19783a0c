"""Each fault of the demo company is in its file and in truth, and nowhere else. Breaks: a fault that no product can be judged by."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dagster_project.commands.cli import app
from dagster_project.errors import UsageError
from demo_company.company import write_company
from demo_company.faults.catalogue import FEEDS, remove_refused
from demo_company.faults.landing import KEYS
from tests.demo import proofs_of_files, proofs_of_records  # noqa: F401  importing registers the proofs
from tests.demo.fault_proofs import (
    ACCOUNTS,
    IDS,
    MONTHS,
    OUTCOMES,
    PROOFS,
    SEED,
    Company,
    files,
    key,
)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Company:
    landing = tmp_path_factory.mktemp("clean") / "landing"
    return Company(landing, write_company(landing, ACCOUNTS, MONTHS, SEED))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Company:
    landing = tmp_path_factory.mktemp("faulty") / "landing"
    return Company(landing, write_company(landing, ACCOUNTS, MONTHS, SEED, faults=("all",)))


def test_every_fault_has_its_proof() -> None:
    assert set(PROOFS) == set(FEEDS)


@pytest.mark.parametrize("fault", FEEDS)
def test_the_file_shows_the_fault_and_truth_names_it(fault: str, faulty: Company, clean: Company) -> None:
    entries = faulty.of(fault)
    assert entries, f"{fault} left nothing in truth"
    for entry in entries:
        assert PROOFS[fault](faulty, clean, entry), entry
        assert entry["outcome"] in OUTCOMES
        assert entry["matrix_id"] is None or set(entry["matrix_id"].split()) <= set(IDS)
        assert (entry["redelivered_as"] is not None) is (entry["outcome"] == "refused")
        assert entry["file"].split("/")[:3] == ["canonical", entry["feed"], entry["day"]]


def test_a_refused_file_comes_again_whole_on_a_later_day(faulty: Company) -> None:
    refused = [entry for entry in faulty.faults if entry["outcome"] == "refused"]
    assert len(refused) >= 12
    for entry in refused:
        assert entry["redelivered_as"].split("/")[2] > entry["day"]
        assert len(faulty.rows(entry["redelivered_as"])) == entry["count"], entry["fault"]


def test_no_two_faults_spoil_one_file(faulty: Company) -> None:
    by_file = defaultdict(set)
    for entry in faulty.faults:
        by_file[entry["file"]].add(entry["fault"])
    assert {file: faults for file, faults in by_file.items() if len(faults) > 1} == {}


def test_bad_records_stay_below_the_share_at_which_a_file_is_refused(faulty: Company, project_dir: Path) -> None:
    assumed = yaml.safe_load((project_dir / "dagster_project" / "assumptions.yml").read_text())
    share, floor = (assumed[f"quarantine_threshold_{name}"]["value"] for name in ("rate", "records"))
    quarantined = [entry for entry in faulty.faults if entry["outcome"] == "quarantined"]
    assert len(quarantined) >= 10
    for entry in quarantined:
        lines = faulty.bytes(entry).count(b"\n") - 1
        assert entry["count"] <= max(share * lines, floor), entry


def test_every_record_of_the_company_still_arrives_unless_truth_says_it_is_withheld(faulty: Company, clean: Company) -> None:
    withheld = {name for entry in faulty.of("stale_source") + faulty.of("orphan_accounts") for name in entry["records"]}
    refused = {entry["file"] for entry in faulty.faults if entry["outcome"] == "refused"}
    for feed in KEYS:
        delivered = {
            key(feed, row)
            for path in faulty.landing.glob(f"canonical/{feed}/*/*.csv")
            if path.relative_to(faulty.landing).as_posix() not in refused
            for row in faulty.rows(path)
        }
        expected = {key(feed, row) for path in clean.landing.glob(f"canonical/{feed}/*/*.csv") for row in clean.rows(path)}
        assert expected - delivered == {name for name in expected if name in withheld}, feed


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(faulty: Company, tmp_path: Path) -> None:
    assert write_company(tmp_path / "again" / "landing", ACCOUNTS, MONTHS, SEED, faults=("all",)) == faulty.truth
    assert files(tmp_path / "again" / "landing") == files(faulty.landing)
    other = write_company(tmp_path / "other" / "landing", ACCOUNTS, MONTHS, SEED + 1, faults=("all",))
    assert [entry["records"] for entry in other["faults"]] != [entry["records"] for entry in faulty.faults]


def test_one_fault_leaves_every_other_file_as_it_was(clean: Company, tmp_path: Path) -> None:
    truth = write_company(tmp_path / "landing", ACCOUNTS, MONTHS, SEED, faults=("truncated_gzip",))
    (entry,) = truth["faults"]
    before, after = files(clean.landing), files(tmp_path / "landing")
    changed = {entry["file"], entry["redelivered_as"], entry["file"].removesuffix(".gz")}
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == changed
    assert {name: value for name, value in truth.items() if name not in ("faults", "parameters")} == {
        name: value for name, value in clean.truth.items() if name != "parameters"
    }


def test_an_operator_can_take_the_refused_files_away(tmp_path: Path) -> None:
    truth = write_company(tmp_path / "landing", ACCOUNTS, 3, SEED, faults=("zero_bytes", "manifest_mismatch", "new_column"))
    remove_refused(tmp_path / "landing", truth["faults"])
    for entry in truth["faults"]:
        assert (tmp_path / "landing" / entry["file"]).exists() is (entry["outcome"] != "refused")
    assert len(list(tmp_path.rglob("*.manifest.json"))) == 1


def test_unknown_faults_and_companies_without_room_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown fault typhoon; known faults: all, dst_nights"):
        write_company(tmp_path / "landing", 30, 1, SEED, faults=("typhoon",))
    with pytest.raises(UsageError, match=r"fault \w+ needs a .* remedy: more accounts or months"):
        write_company(tmp_path / "landing", 30, 2, SEED, faults=("all",))
    assert not (tmp_path / "landing").exists()


def test_the_command_line_takes_names_by_comma_and_lists_the_known_ones(tmp_path: Path) -> None:
    run, landing = CliRunner().invoke, str(tmp_path / "landing")
    wrong = run(app, ["demo", "--landing", landing, "--faults", "typhoon"])
    assert isinstance(wrong.exception, UsageError)
    assert wrong.exception.exit_code == 2
    assert "restated_budget" in str(wrong.exception)
    small = ["demo", "--landing", landing, "--accounts", "60", "--months", "2"]
    assert run(app, [*small, "--faults", "zero_bytes, restated_budget", "--systems", "quickbooks"]).exit_code == 0
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert [entry["fault"] for entry in truth["faults"]] == ["zero_bytes", "restated_budget"]
    assert truth["parameters"]["systems"] == ["quickbooks"]


def test_faults_and_systems_do_not_fight_over_a_feed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fault bad_crc needs files of interactions, which come from a system"):
        write_company(tmp_path / "landing", 60, 2, SEED, faults=("bad_crc",), systems=("zendesk",))
    truth = write_company(tmp_path / "landing", ACCOUNTS, 4, SEED, faults=("all",), systems=("zendesk",))
    done = {entry["fault"] for entry in truth["faults"]}
    assert "bad_crc" not in done
    assert done >= {"truncated_gzip", "restated_budget"}
