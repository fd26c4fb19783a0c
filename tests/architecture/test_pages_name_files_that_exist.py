"""The pages name files and headings of the project; without this a reader is sent to one that was renamed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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


def pages(project_dir: Path) -> list[Path]:
    return [*project_dir.glob("*.md"), *(project_dir / "docs").rglob("*.md")]


def anchors(text: str) -> set[str]:
    """Return the anchors that a renderer makes of the headings of a page: small letters, hyphens for blanks, no other signs."""
    headings = re.findall(r"^#+ +(.+?) *$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "]", heading).lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path, text: str) -> list[str]:
    """Return the links of a page to a file, or to a heading of a page, that is not there."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        name, _, anchor = link.partition("#")
        target = page.parent / name
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8") if name else text)):
            dead.append(link)
    return dead


def test_every_link_of_a_page_leads_to_a_file_and_a_heading_that_are_there(project_dir: Path) -> None:
    dead = {page.relative_to(project_dir).as_posix(): dead_links(page, page.read_text(encoding="utf-8")) for page in pages(project_dir)}
    assert {page: links for page, links in dead.items() if links} == {}


@pytest.mark.parametrize("link", ["#gone", "gone.md", "README.md#gone"])
def test_a_dead_link_is_found(project_dir: Path, link: str) -> None:
    text = f"# One `two`, three\n[here](#one-two-three) [x]({link}) [far](https://example.com/#a) [page](README.md#ask-it)"
    assert dead_links(project_dir / "page.md", text) == [link]
