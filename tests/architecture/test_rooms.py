"""Who may use what of whom: each room names its public modules, and each import contract refuses a module that breaks it."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ("dagster_project", "expectations", "demo_company")
STARTED = ("pyproject.toml", "Makefile", "workspace.yaml")


def module_of(path: Path, project_dir: Path) -> str:
    return ".".join(path.relative_to(project_dir).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path, modules: set[str]) -> set[str]:
    """Return the modules of this project that the file imports anywhere, also inside functions and where it only checks types."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in modules} or {node.module}
    return found & modules


@pytest.fixture(scope="module")
def used_from_outside(project_dir: Path) -> dict[str, set[str]]:
    """For each package: the names of its modules that a module outside of it imports, or that a file outside Python starts."""
    paths = {module_of(path, project_dir): path for package in PACKAGES for path in (project_dir / package).rglob("*.py")}
    rooms = {name for name, path in paths.items() if path.name == "__init__.py" and "." in name}
    started = " ".join((project_dir / name).read_text(encoding="utf-8") for name in STARTED)
    started += " ".join(path.read_text(encoding="utf-8") for path in paths.values())
    uses = [(name, wanted) for name, path in paths.items() for wanted in imports_of(path, set(paths))]
    uses += [("", name) for name in paths if re.search(rf"(-m|\"-m\",|= \"|: ) ?\"?{re.escape(name)}[\s:\"`]", started)]
    used: dict[str, set[str]] = defaultdict(set)
    for user, wanted in uses:
        for room in rooms:
            if wanted.startswith(f"{room}.") and not f"{user}.".startswith(f"{room}."):
                used[room].add(wanted.removeprefix(f"{room}.").split(".")[0])
    return {room: used[room] for room in rooms}


def test_each_room_names_the_modules_that_others_use(used_from_outside: dict[str, set[str]]) -> None:
    wrong = []
    for room, used in sorted(used_from_outside.items()):
        named = set(getattr(importlib.import_module(room), "__all__", ()))
        wrong += [f"{room}/__init__.py: `__all__` lacks {name!r}, which another room imports" for name in sorted(used - named)]
        wrong += [f"{room}/__init__.py: `__all__` names {name!r}, which no other room imports" for name in sorted(named - used)]
    assert not wrong, "a room says what others may use; add the name, or keep the module to its room:\n" + "\n".join(wrong)


def violations(contract: dict[str, Any]) -> list[tuple[str, str]]:
    """Return who imports whom, against the contract: for layers each room the one right above it."""
    if contract["type"] == "forbidden":
        return [(source, contract["forbidden_modules"][0]) for source in contract["source_modules"]]
    rows = [[name.strip() for name in row.split("|")] for row in contract["layers"]]
    above = [(lower, upper[0]) for upper, row in itertools.pairwise(rows) for lower in row]
    beside = [(one, other) for row in rows for one, other in itertools.pairwise(row)]
    return [(f"dagster_project.{one}", f"dagster_project.{other}") for one, other in above + beside]


def test_each_import_contract_refuses_what_breaks_it(project_dir: Path, tmp_path: Path) -> None:
    configured = project_dir / "pyproject.toml"
    contracts = tomllib.loads(configured.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    for package in PACKAGES:
        shutil.copytree(project_dir / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.sql", "*.csv", "*.json"))
    shutil.copy(configured, tmp_path)
    wanted: dict[str, list[tuple[str, str]]] = {contract["name"]: violations(contract) for contract in contracts}
    for number, (source, target) in enumerate(pair for pairs in wanted.values() for pair in pairs):
        place = tmp_path.joinpath(*source.split("."))
        file = place / f"violation_{number}.py" if place.is_dir() else place.with_suffix(".py")
        with file.open("a", encoding="utf-8") as module:
            module.write(f"\nimport {target}  # noqa\n")
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    ran = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path), "COLUMNS": "400"}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    kept = [name for name in wanted if re.search(re.escape(name) + r"\s*KEPT", ran.stdout)]
    assert kept == [], f"nothing breaks these contracts: {kept}\n{ran.stdout}"
    said = " ".join(ran.stdout.split())
    silent = [pair for pair in wanted[contracts[0]["name"]] if f"{pair[0]} is not allowed to import {pair[1]}" not in said]
    assert silent == [], ran.stdout
