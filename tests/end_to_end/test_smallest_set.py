"""The files of docs/smallest-set.md are enough for the figures that the page prints."""

from __future__ import annotations

import io
import re
from pathlib import Path

from dagster_project.orchestration.run import run_daily
from dagster_project.publish.reader import query
from dagster_project.settings import load_settings

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_files_of_the_page_give_its_figures(project_dir: Path, tmp_path: Path) -> None:
    """Tickets and ledger give a cost per ticket; then orders and their lines give an ROI."""
    page = (project_dir / "docs" / "smallest-set.md").read_text(encoding="utf-8")
    settings = load_settings(landing=tmp_path / "landing", home=tmp_path / "home", memory_limit="1GB")
    statement, shown = "", []
    for kind, name, content in BLOCK.findall(page):
        if kind == "csv":
            path = tmp_path / name
            path.parent.mkdir(parents=True)
            path.write_text(content, encoding="utf-8")
        elif kind == "sql":
            statement = content
        else:
            run_daily(settings)
            printed = io.StringIO()
            query(settings.home, statement, "csv", out=printed)
            shown.append((content, printed.getvalue()))
    assert len(shown) == 2
    for said, printed_text in shown:
        assert printed_text == said
