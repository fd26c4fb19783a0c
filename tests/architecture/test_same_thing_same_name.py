"""What a feed delivers is published under the name and type of its contract; where it is not, docs/naming.md says why."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.engines.types import arrow_type
from dagster_project.publish.dictionary import dictionary, type_word
from dagster_project.transform import project

ALIAS = re.compile(r"(?:^|,|\bselect\b(?: distinct)?)\s*(?:\w+\.)?(\w+)\s+as\s+(\w+)\s*(?=,|\n|$)", re.MULTILINE)
"""A column that is given another name and nothing else."""
ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| (.+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return project.manifest()


def feeds_of(models: dict[str, Any], name: str) -> set[str]:
    """The feeds that a model reads, through whatever it reads."""
    found, waiting = set[str](), [name]
    while waiting:
        one = waiting.pop()
        if one in models and one not in found:
            found.add(one)
            waiting += models[one]["depends_on"]["nodes"]
    return {models[one]["name"].removeprefix("stg_") for one in found if models[one]["schema"] == "staging"}


def renamed(manifest: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Columns of feeds that a model gives another name under which something is published, with one place where it does."""
    models = {node["unique_id"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    published = {column for node in models.values() if node["schema"] in ("marts", "reporting") for column in node["columns"]}
    delivered = {feed: {column.name for column in load_contract(feed).columns} for feed in feeds()}
    found = {}
    for name, node in models.items():
        for old, new in ALIAS.findall(node["raw_code"]):
            if old != new and new in published and any(old in delivered[feed] for feed in feeds_of(models, name)):
                found[old, new] = node["original_file_path"]
    return found


def test_a_column_keeps_the_name_of_its_feed_or_the_page_says_why_not(manifest: dict[str, Any], project_dir: Path) -> None:
    page = (project_dir / "docs" / "naming.md").read_text(encoding="utf-8")
    reasons = {(old, new): reason for old, new, reason in ROW.findall(page)}
    found = renamed(manifest)
    new = {f"{old} as {name} in {where}" for (old, name), where in found.items() if (old, name) not in reasons}
    assert new == set(), "publish it under the name that the contract has, or say in the table of docs/naming.md why not"
    assert reasons.keys() - found.keys() == set(), "docs/naming.md gives reasons for what nobody renames"


def test_a_name_that_feeds_and_published_tables_share_has_one_type(manifest: dict[str, Any]) -> None:
    types: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for feed in feeds():
        for column in load_contract(feed).columns:
            types[column.name].setdefault(type_word(arrow_type(column.sql_type)), f"feed {feed}")
    for name, table in dictionary(manifest).items():
        for column, kind in table.types.items():
            if column in types and not name.startswith("ops."):
                types[column].setdefault(kind, name)
    assert {column: places for column, places in types.items() if len(places) > 1} == {}
