"""The pages name files of the project; without this a reader is sent to one that was renamed."""

from __future__ import annotations

import re
from pathlib import Path

FOLDERS = "tests|dagster_project|dbt|benchmarks|deploy|expectations|docs"


def test_every_file_that_a_page_names_is_there(project_dir: Path) -> None:
    named = {
        (page.relative_to(project_dir).as_posix(), name)
        for page in [project_dir / "README.md", *(project_dir / "docs").rglob("*.md")]
        for name in re.findall(rf"(?<![\w/.])(?:{FOLDERS})/[\w./-]+\.(?:py|sql|ya?ml|md|txt)\b", page.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    below_tests = {"docs/fault-matrix.md"}  # says so in its first line
    folders = {page: [project_dir, *([project_dir / "tests"] if page in below_tests else [])] for page, _ in named}
    assert sorted((page, name) for page, name in named if not any((folder / name).exists() for folder in folders[page])) == []
