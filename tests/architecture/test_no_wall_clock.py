"""How busy the machine is fails no test and no run: nothing right is given less than five minutes."""

from __future__ import annotations

import re
from pathlib import Path

import hypothesis

SHORTEST = 300
_WAIT = re.compile(r"(?<!\w)timeout=([0-9][0-9_]*(?:\.[0-9]+)?)")


def test_examples_of_hypothesis_have_no_deadline(project_dir: Path) -> None:
    assert hypothesis.settings().deadline is None
    set_otherwise = re.compile(r"deadline=(?!None)")
    wrong = [path.name for path in (project_dir / "tests").rglob("*.py") if set_otherwise.search(path.read_text(encoding="utf-8"))]
    assert wrong == [Path(__file__).name]


def test_every_wait_for_a_process_or_a_lock_is_long(project_dir: Path) -> None:
    short = {
        f"{path.relative_to(project_dir)}: {wait}"
        for folder in ("dagster_project", "tests")
        for path in (project_dir / folder).rglob("*.py")
        for wait in _WAIT.findall(path.read_text(encoding="utf-8"))
        if float(wait) < SHORTEST
    }
    assert not short
