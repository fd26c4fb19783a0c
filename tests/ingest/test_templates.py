"""A template is a file that can be delivered as it is: ingest takes its row and the feed's checks hold."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dagster_project.checks.validation import SuiteRunner
from dagster_project.commands.cli import app
from dagster_project.commands.template import write_templates
from dagster_project.contracts.model import feeds, load_contract
from dagster_project.errors import UsageError


@pytest.fixture(scope="module")
def runner() -> Iterator[SuiteRunner]:
    opened = SuiteRunner(threads=1, memory_limit="512MB")
    yield opened
    opened.close()


def test_the_template_of_every_feed_is_loaded_and_breaks_no_check(make_ingest: Any, runner: SuiteRunner, tmp_path: Path) -> None:
    ingest = make_ingest()
    write_templates(feeds(), tmp_path / "templates")
    for feed in feeds():
        ingest.deliver(f"canonical/{feed}/2026-02-01/{feed}.csv", (tmp_path / "templates" / f"{feed}.csv").read_bytes())
    report = ingest.walk()
    assert [(file.path, file.error, file.quarantine) for file in report.files if file.status == "refused" or file.quarantine] == []
    assert {file.stream: file.loaded for file in report.files} == dict.fromkeys(feeds(), 1)
    broken = {
        feed: [line.rule for line in runner.validate(feed, report.batches[feed]).expectations if not line.success] for feed in feeds()
    }
    assert {feed: rules for feed, rules in broken.items() if rules} == {}


def test_the_header_is_in_the_order_of_the_contract_and_the_page_has_its_words(tmp_path: Path) -> None:
    table, page = write_templates(["tickets"], tmp_path / "new" / "folder")
    contract = load_contract("tickets")
    rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))
    assert (rows[0], len(rows)) == (list(contract.names), 2)
    text = page.read_text(encoding="utf-8")
    for column in contract.columns:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{column.name}` |")]
        assert column.description in line
        assert (" yes |" in line) == (column.required and column.default is None)
    assert "| seconds |" in text
    assert "new, open, pending, on_hold, solved, closed, deleted, spam, merged" in text


def test_nothing_is_overwritten_unless_asked_for(tmp_path: Path) -> None:
    write_templates(["orders"], tmp_path)
    (tmp_path / "orders.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"orders\.csv.*--force"):
        write_templates(["accounts", "orders"], tmp_path)
    assert (tmp_path / "orders.csv").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "accounts.csv").exists()
    write_templates(["orders"], tmp_path, force=True)
    assert (tmp_path / "orders.csv").read_text(encoding="utf-8").startswith("order_id,")


def test_an_unknown_feed_is_named_with_the_nearest_and_all_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no feed tickts; did you mean tickets\?; known feeds: account_merges, ") as caught:
        write_templates(["orders", "tickts"], tmp_path)
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_the_files_that_it_wrote(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["template", "tickets", "refunds", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert result.output.split() == [str(tmp_path / name) for name in ("tickets.csv", "tickets.md", "refunds.csv", "refunds.md")]
