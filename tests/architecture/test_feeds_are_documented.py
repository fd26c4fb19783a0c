"""The table of feeds says what the contracts say; without this a reader delivers a file that ingest refuses."""

from __future__ import annotations

import re
from pathlib import Path

from dagster_project.contracts.model import feeds, load_contract

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (Path(__file__).resolve().parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]


def test_the_table_lists_every_feed_in_order() -> None:
    assert [row[0].strip("`") for row in ROWS] == list(feeds())


def test_grain_key_and_required_columns_are_those_of_the_contract() -> None:
    for name, grain, key, required, needed_by in ROWS:
        contract = load_contract(name.strip("`"))
        assert grain.lower() == contract.purpose.removesuffix(".").lower(), name
        assert tuple(re.findall(r"`(\w+)`", key)) == contract.primary_key, name
        assert set(re.findall(r"`(\w+)`", required)) == set(contract.required_names) - set(contract.primary_key), name
        assert needed_by, name
