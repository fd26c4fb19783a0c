"""The worked example of docs/mappings.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dagster_project.commands.try_mapping import try_mapping
from dagster_project.ingest.mapping.systems import BUILT_IN

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page(project_dir: Path) -> str:
    return (project_dir / "docs" / "mappings.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_shows(page: str, make_ingest: Any, tmp_path: Path) -> None:
    blocks = BLOCK.findall(page)
    for _, name, content in blocks:
        if name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
    ingest = make_ingest(mappings=tmp_path / "mappings")
    trial = try_mapping(ingest.settings, ingest.assumptions, tmp_path / "landing/desk/case/2026-01-05/cases.csv", "desk")
    (said,) = (content.splitlines() for kind, _, content in blocks if kind == "text")
    printed = list(trial.lines())
    assert [line for line in said if line not in printed] == []
    assert len(said) > 10


def test_the_sheet_of_half_hours_becomes_queue_intervals(page: str, make_ingest: Any, tmp_path: Path) -> None:
    for _, name, content in BLOCK.findall(page):
        if name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
    ingest = make_ingest(mappings=tmp_path / "mappings")
    landed = tmp_path / "landing/exchange/half_hour/2026-01-06/half_hours.csv"
    target = ingest.settings.landing / "exchange/half_hour/2026-01-06/half_hours.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(landed.read_bytes())
    assert not ingest.walk().refusals
    rows = ingest.lake().execute(
        "select queue, channel, interval_started_at::varchar, offered_count, answered_within_count, handle_seconds, blocked_count"
        " from lake.queue_intervals order by 3"
    )
    assert rows.fetchall() == [
        ("Orders", "phone", "2026-01-05 08:00:00+00", 14, 10, 2880, None), ("Orders", "phone", "2026-01-05 08:30:00+00", 9, 9, 2025, None),
    ]  # fmt: skip


def test_every_built_in_system_of_a_vendor_has_a_page_that_names_its_streams(page: str, project_dir: Path) -> None:
    companies = {"bank", "oakland", "olist", "retail"}  # real companies whose files the tests read, not vendors
    fetched = {"shopify_graphql"}  # on the page of shopify: docs/mappings/shopify.md
    for system in sorted({folder.name for folder in BUILT_IN.iterdir() if folder.is_dir()} - companies - fetched):
        assert f"[{system}](mappings/{system}.md)" in page
        assert (project_dir / "docs" / "mappings" / f"{system}.md").is_file(), system
