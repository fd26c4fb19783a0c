"""The Makefile with paths as people have them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("folder", ["my landing", "it’s here", "plain"])
def test_a_landing_folder_may_have_spaces_in_its_name(folder: str, tmp_path: Path) -> None:
    project = tmp_path / "a project"
    (project / ".venv").mkdir(parents=True)
    shutil.copy(PROJECT / "Makefile", project)
    for name in ("pyproject.toml", "uv.lock", ".venv/.installed"):
        (project / name).touch()
    ran = subprocess.run(["make", "-n", "run", f"LANDING={folder}"], cwd=project, capture_output=True, text=True, check=True)
    (command,) = (line for line in ran.stdout.splitlines() if "service-roi run" in line)
    assert shlex.split(command) == [
        f"DAGSTER_HOME={project / 'deploy' / 'local'}", ".venv/bin/service-roi", "run", "--landing", folder, "--home", f"{folder}-home",
    ]  # fmt: skip
