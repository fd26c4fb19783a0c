"""The laws of the house as tests: who may import whom, who may read the environment, which names are refused."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "dagster_project"
REFUSED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def modules() -> list[Path]:
    return [path for folder in ("dagster_project", "expectations", "demo_company") for path in sorted((PROJECT / folder).rglob("*.py"))]


def imported(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_great_expectations_is_never_imported_at_the_top_of_a_module_outside_the_worker(path: Path) -> None:
    if "expectations" in path.parts[len(PROJECT.parts) : len(PROJECT.parts) + 1] or path.parent.name == "checks":
        return
    assert not any(name.startswith("great_expectations") for name in imported(path))


def test_only_settings_reads_the_environment() -> None:
    offenders = []
    for path in modules():
        if path.name == "settings.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            reads = isinstance(node, ast.Call) and ast.unparse(node.func) in {"os.getenv", "os.environ.get"}
            if reads and path != PACKAGE / "transform" / "project.py":
                offenders.append(f"{path.name}:{node.lineno}")
    assert offenders == []


def test_no_folder_or_module_has_a_name_that_hides_a_missing_layer() -> None:
    offenders = [path for path in modules() if {part.removesuffix(".py") for part in path.relative_to(PROJECT).parts} & REFUSED_NAMES]
    assert offenders == []


def test_every_package_opens_with_a_charter() -> None:
    for path in modules():
        if path.name == "__init__.py":
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            assert docstring, f"{path} has no charter"
            assert len(docstring) > 60, f"{path} has no charter"


def test_the_dbt_folder_hides_no_installed_package() -> None:
    assert not list((PROJECT / "dbt").rglob("__init__.py"))


def test_importing_the_definitions_does_not_import_great_expectations() -> None:
    code = "import sys; import dagster_project.definitions; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0


def test_deciding_that_nothing_is_new_imports_no_orchestrator() -> None:
    code = (
        "import sys; import dagster_project.commands.cli, dagster_project.orchestration.run;"
        "heavy = {'dagster', 'dbt', 'great_expectations', 'pandas', 'duckdb', 'altair', 'jinja2'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_python_modules_stay_readable_in_one_sitting() -> None:
    long = {path.name: length for path in modules() if (length := len(path.read_text(encoding="utf-8").splitlines())) > 300}
    assert long == {}
