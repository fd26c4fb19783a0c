"""Nothing is erased before somebody said yes, and a dry run tells what would be."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from dagster_project.commands.cli import app
from dagster_project.errors import UsageError


def landed(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_nothing_is_erased_without_a_yes_and_a_dry_run_says_what_would_be(make_ingest: Callable[..., Any]) -> None:
    ingest = make_ingest("asked")
    ingest.deliver("canonical/accounts/2026-01-02/a.csv", "account_id,account_name\nA0000001,Jane\nA0000002,Joe\n")
    ingest.deliver(
        "canonical/orders/2026-01-02/o.csv", "order_id,account_id,ordered_at,currency_code\nO1,A0000001,2026-01-01T10:00:00Z,EUR\n"
    )
    ingest.walk()
    settings = ingest.settings
    where = ["--landing", str(settings.landing), "--home", str(settings.home)]
    before = landed(settings.landing)
    shown = CliRunner().invoke(app, ["forget", "A0000001", "--dry-run", *where])
    assert shown.exit_code == 0, shown.exception
    assert re.search(r" 1 +canonical/accounts/2026-01-02/", shown.stdout)
    assert re.search(r" 1 +canonical/orders/2026-01-02/", shown.stdout)
    assert "2 delivered records of the account in 2 files; 0 contacts that are its alone" in shown.stdout
    refused = CliRunner().invoke(app, ["forget", "A0000001", *where])
    assert isinstance(refused.exception, UsageError)
    assert "nothing was done" in str(refused.exception)
    assert "--yes" in str(refused.exception)
    unknown = CliRunner().invoke(app, ["forget", "A9", "--dry-run", *where])
    assert isinstance(unknown.exception, UsageError)
    assert landed(settings.landing) == before
