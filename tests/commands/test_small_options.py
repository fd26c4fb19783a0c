"""What a command asks before it acts, and what it says when there is nothing to do."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from dagster_project.commands.cli import app
from dagster_project.commands.terminal import confirm
from dagster_project.errors import UsageError
from dagster_project.settings import load_settings


def test_the_version_is_that_of_the_package() -> None:
    ended = CliRunner().invoke(app, ["--version"])
    assert ended.exit_code == 0
    assert re.fullmatch(r"service-roi \d+\.\d+\.\d+\n", ended.output)


@pytest.mark.parametrize(
    ("name", "value"),
    [("threads", "0"), ("threads", "-2"), ("threads", "many"), ("memory_limit", "plenty"), ("memory_limit", "0GB"),
     ("memory_limit", "-4GB"), ("copy_limit_bytes", "-1")],
)  # fmt: skip
def test_a_setting_that_means_nothing_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ROI_{name.upper()}", value)
    with pytest.raises(UsageError, match=f"setting {name}: "):
        load_settings()


@pytest.mark.parametrize("is_yes", [True, False])
def test_who_sits_at_the_terminal_is_asked(monkeypatch: pytest.MonkeyPatch, is_yes: bool) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: is_yes)
    with (
        nullcontext() if is_yes else pytest.raises(UsageError, match="nothing was done: the answer was no; remedy: answer y, or add --yes")
    ):
        confirm("erase?", "--yes")


def test_without_its_package_the_demo_company_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("demo_company", "demo_company.behaviour"):
        monkeypatch.setitem(sys.modules, name, None)
    ended = CliRunner().invoke(app, ["demo", "--landing", str(tmp_path / "landing")])
    assert isinstance(ended.exception, UsageError)
    assert "not part of the installed package; remedy: run service-roi demo in a clone" in str(ended.exception)
    assert list(tmp_path.iterdir()) == []
