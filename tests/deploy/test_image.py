"""The image's recipe: what it copies is there, is enough, and passes a linter. No container engine is needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
RECIPE = PROJECT / "deploy" / "Dockerfile"


def copied() -> list[str]:
    """Return the files and folders that the image takes from the project."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", RECIPE.read_text(encoding="utf-8"), flags=re.M)
    return [source for line in lines for source in line.split()[:-1]]


def test_the_build_context_holds_what_the_image_copies_and_nothing_else() -> None:
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert sorted(rule.removeprefix("!") for rule in rules if rule.startswith("!")) == sorted(copied())
    assert all((PROJECT / source).exists() for source in copied())


def test_the_extras_that_the_image_installs_exist() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    text = RECIPE.read_text(encoding="utf-8")
    engines = set(re.findall(r"^FROM \S+ AS runtime-(\w+)$", text, flags=re.M)) - {"duckdb"}
    assert set(re.findall(r"--extra ([a-z0-9]+)", text)) | engines <= set(extras)


@pytest.mark.slow
def test_what_the_image_copies_is_enough_to_prepare_the_models_and_load_the_definitions(tmp_path: Path) -> None:
    for source in copied():
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
        else:
            shutil.copy(PROJECT / source, tmp_path / source)
    code = (
        "from dagster_project.transform.project import DBT_DIR, prepare; prepare();"
        "from dagster_project.definitions import defs; defs.resolve_job_def('daily'); print(DBT_DIR)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == str(tmp_path / "dbt")
    assert list((tmp_path / "dbt" / "target").glob("prepared-*.msgpack"))


def test_the_recipe_passes_hadolint() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    if not linter.exists():
        pytest.skip("hadolint is not installed (group deploy)")
    finished = subprocess.run([linter, "--no-color", RECIPE], check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout
