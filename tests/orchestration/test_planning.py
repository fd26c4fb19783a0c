"""A plan and the run after it agree; a plan makes no home, no key and no file."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.commands.cli import app
from dagster_project.commands.plan import plan
from dagster_project.commands.plan_text import report_of
from dagster_project.errors import InputRefused, UsageError
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger
from dagster_project.settings import Settings, load_settings
from dagster_project.transform import compiled

CONTACTS = "contact_id,account_id,contact_email\n"
ORDERS = "order_id,ordered_at,currency_code,net_amount\n"
GOOD, BAD = "{},2026-01-01T10:00:00Z,EUR,1.00\n", "{},2026-01-01T10:00:00Z,EUR,x\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "landing").mkdir()
    return load_settings(landing=tmp_path / "landing", home=tmp_path / "home", memory_limit="1GB")


def deliver(settings: Settings, relative: str, text: str) -> Path:
    path = settings.landing / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def loaded(settings: Settings, run: str = "run-1") -> list[tuple[str, int, int]]:
    from dagster_project.assumptions import load_assumptions

    ledger = Ledger(settings.ops)
    files = new_files(settings.landing, ledger, Mappings(settings.mappings))
    report = load(settings, load_assumptions(), ledger, files, run)
    ledger.accept(run)
    report.commit(ledger)
    return sorted((f"{file.system}/{file.stream}", file.physical, file.quarantined) for file in report.files)


def planned(settings: Settings) -> list[tuple[str, int, int]]:
    return sorted((item.stream, item.records, item.kept_out) for item in plan(settings).files)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "run.lock"
    }


def test_a_plan_for_a_home_that_is_not_there_reads_the_files_and_makes_nothing(settings: Settings) -> None:
    deliver(settings, "canonical/orders/2026-01-02/a.csv", ORDERS + GOOD.format("o1") + BAD.format("o2"))
    deliver(settings, "canonical/contacts/2026-01-02/a.csv", CONTACTS + "c1,a1,anna@example.com\n")
    deliver(settings, "acme/orders/2026-01-02/a.csv", ORDERS)
    found = plan(settings)
    text = report_of(found)
    assert not settings.home.exists()
    assert found.rebuild_all == "there is no warehouse yet"
    assert found.feeds == ("contacts", "orders")
    assert "would rebuild every month, because there is no warehouse yet" in text
    assert "a run would make it" in text
    assert "not read, 1 file: " in text
    assert "unknown system acme" in text
    assert "orders, column net_amount, rule number_format: 1 record in 1 file kept out" in text
    assert planned(settings) == loaded(settings)


def test_a_plan_uses_the_key_that_a_run_made_and_leaves_it(settings: Settings) -> None:
    deliver(settings, "canonical/contacts/2026-01-02/a.csv", CONTACTS + "c1,a1,anna@example.com\n")
    loaded(settings)
    deliver(settings, "canonical/contacts/2026-01-03/a.csv", CONTACTS + "c2,a2,bea@example.com\n")
    before = tree(settings.home)
    assert "restricted/hash_key" in before
    found = planned(settings)
    assert tree(settings.home) == before
    assert found == [("canonical/contacts", 1, 0)]
    (settings.restricted / "hash_key").unlink()
    with pytest.raises(UsageError, match="restore the file from a backup") as caught:
        plan(settings)
    assert str(settings.restricted / "hash_key") in str(caught.value), "the path is that of the home"
    assert not (settings.restricted / "hash_key").exists()


def test_a_plan_after_a_forgotten_account_uses_the_key_for_any_file(settings: Settings) -> None:
    deliver(settings, "canonical/contacts/2026-01-02/a.csv", CONTACTS + "c1,a1,anna@example.com\n")
    loaded(settings)
    ledger = Ledger(settings.ops)
    columns = [str(row[1]) for row in ledger.rows("pragma table_info(tombstones)")]
    assert columns
    ledger.write(
        [(f"insert into tombstones values ({', '.join('?' * len(columns))})", ("account_id", "0" * 64, "x", "x", "x")[: len(columns)])]
    )
    deliver(settings, "canonical/orders/2026-01-03/a.csv", ORDERS + GOOD.format("o1"))
    assert planned(settings) == [("canonical/orders", 1, 0)]


def test_a_plan_with_open_quarantine_reads_what_was_loaded_before(settings: Settings) -> None:
    deliver(settings, "canonical/orders/2026-01-02/a.csv", ORDERS + GOOD.format("o1") + BAD.format("o2"))
    loaded(settings)
    deliver(settings, "canonical/orders/2026-01-03/a.csv", ORDERS + GOOD.format("o2") + GOOD.format("o1"))
    before = tree(settings.home)
    found = planned(settings)
    assert tree(settings.home) == before
    assert found == loaded(settings, "run-2")


def test_a_plan_of_a_refused_run_ends_as_the_run_with_its_text(settings: Settings) -> None:
    deliver(settings, "canonical/orders/2026-01-02/a.csv", ORDERS + BAD.format("o1") + BAD.format("o2"))
    found = plan(settings)
    with pytest.raises(InputRefused) as caught:
        found.raise_if_refused()
    arguments = ["--landing", str(settings.landing), "--home", str(settings.home)]
    ended = CliRunner().invoke(app, ["plan", *arguments])
    assert isinstance(ended.exception, InputRefused)
    assert str(ended.exception) == str(caught.value)
    assert "would then stop and publish nothing: 1 file refused" in ended.output


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(("landing", "home"), [("x", "x"), ("x", "x/home"), ("x/landing", "x"), ("x", "link/home")])
def test_folders_one_inside_the_other_are_refused_before_anything_is_written(tmp_path: Path, command: str, landing: str, home: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "x")
    (tmp_path / landing).mkdir(exist_ok=True)
    before = set(tmp_path.rglob("*"))
    ended = CliRunner().invoke(app, [command, "--landing", str(tmp_path / landing), "--home", str(tmp_path / home)])
    assert isinstance(ended.exception, UsageError), ended.output
    assert str(tmp_path / "x") in str(ended.exception)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", [["sql", "select 1"], ["extract", "2026-10"], ["doctor"], ["rollback", "1"], ["forget", "a1"]])
@pytest.mark.parametrize("exists", [True, False])
def test_a_mistyped_home_is_named_and_not_made(settings: Settings, command: list[str], exists: bool) -> None:
    if exists:
        settings.home.mkdir()
    more = ["--landing", str(settings.landing)] if command[0] == "forget" else []
    ended = CliRunner().invoke(app, [*command, "--home", str(settings.home), *more])
    assert isinstance(ended.exception, UsageError), ended.output
    assert str(settings.home) in str(ended.exception)
    assert settings.home.exists() is exists
    assert not exists or list(settings.home.iterdir()) == []


def test_a_plan_says_which_rows_it_would_take_back(settings: Settings, tmp_path: Path) -> None:
    mapping = tmp_path / "mappings" / "till"
    mapping.mkdir(parents=True)
    (mapping / "till.yml").write_text(
        "time_zone: UTC\nstreams:\n  sale:\n    columns: [id, gone]\n    key: [id]\n    deleted: {gone: true}\n"
        "    feeds: {orders: {sql: orders.sql, records: true}}\n"
    )
    (mapping / "orders.sql").write_text(
        "select record_number, id as order_id, 'k1' as account_id, '2026-01-01' as ordered_at, 'EUR' as currency_code, '1' as net_amount"
        " from source"
    )
    settings = settings.model_copy(update={"mappings": mapping.parent})
    deliver(settings, "till/sale/2026-01-02/a.csv", "id,gone\n1,\n2,\n3,\n")
    loaded(settings)
    deliver(settings, "till/sale/2026-01-03/a.csv", "id,gone\n2,true\n3,true\n4,\n")
    found = plan(settings)
    assert found.withdrawn == {"orders": 2}
    assert "would take back 2 rows of orders" in report_of(found).splitlines()


def test_compiling_what_a_plan_asks_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """The first plan after a change of the project printed four hundred lines of SQL before its answer."""
    assert compiled._compile()["others"]
    assert capfd.readouterr().out == ""
