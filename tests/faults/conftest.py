"""One small company for the tests of files that nobody can read and of commands over broken parts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.commands.cli import app
from tests.faults import damage

PROJECT = Path(__file__).resolve().parents[2]
AS_A_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
BLOCK = re.compile(r"^```csv (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[damage.Day]:
    folder = tmp_path_factory.mktemp("unreadable")
    landing, home = folder / "landing", folder / "home"
    for name, content in BLOCK.findall((PROJECT / "docs" / "smallest-set.md").read_text(encoding="utf-8")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    damage.write_unreadable(landing)
    (landing / damage.DAY / "whole.csv").write_text(damage.ORDERS + damage.order(7), encoding="utf-8")
    arguments = ["--landing", str(landing), "--home", str(home)]
    as_a_user = AS_A_USER if os.getuid() == 0 else []
    command = [*as_a_user, sys.executable, "-m", "dagster_project.commands.cli", "plan", *arguments]
    planned = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    ran, again = (CliRunner().invoke(app, ["run", *arguments]) for _ in range(2))
    yield damage.Day(landing, home, planned, ran, again)
    (landing / damage.DAY / "locked.csv").chmod(0o644)
