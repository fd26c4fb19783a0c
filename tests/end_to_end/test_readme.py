"""The first page tells the truth: commands exist, printed figures are the demo company's, every SQL example runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from dagster_project.commands.cli import app
from dagster_project.reports.summary import summary
from dagster_project.settings import load_settings

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str = "") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def squeezed(line: str) -> str:
    return " ".join(line.split())


def test_every_command_of_the_readme_exists() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"service-roi (\w+)", README)) | {"run", "plan", "sql", "extract", "demo", "doctor", "rollback"}
    assert named <= commands


def test_the_makefile_has_the_targets_that_the_readme_names() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make (\w+)`", README)) | {"run", "test"}:
        assert re.search(rf"^{target}:", makefile, flags=re.M), target


def test_every_file_that_the_readme_links_to_is_there() -> None:
    missing = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not (PROJECT / link).exists()]
    assert missing == []


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) < 150


def test_the_printed_figures_are_those_of_the_demo_company(build_company: Any) -> None:
    demo = build_company("demo")
    printed = {squeezed(line) for line in summary(load_settings(home=demo.home), {}).splitlines()}
    block = next(text for text in blocks(README) if "margin_per_service_cost " in text)
    wanted = [squeezed(line) for line in block.splitlines() if re.match(r"\s*20\d\d-|reconciliation", line)]
    assert len(wanted) >= 3
    assert [line for line in wanted if line not in printed] == []


@pytest.mark.parametrize("name", ["README.md", "docs/querying.md", "docs/metrics.md"])
def test_every_sql_example_runs_on_the_published_copy(build_company: Any, name: str) -> None:
    demo = build_company("demo")
    text = (PROJECT / name).read_text(encoding="utf-8")
    statements = [part for block in blocks(text, "sql") for part in block.split(";") if "select" in part]
    statements += re.findall(r'service-roi sql --home HOME "(select [^"]+)"', text)
    statements += [found for found in re.findall(r"`(select [^`]+)`", text) if " from " in found]
    assert statements
    for statement in statements:
        assert demo.rows(statement), statement
