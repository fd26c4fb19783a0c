"""Addresses, numbers and a name of one person, put wherever a company can deliver a text; and the search for them."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from dagster_project.commands.template import example_value
from dagster_project.contracts.model import Contract
from tests.privacy.landing_files import texts

ADDRESSES = "jane.{}@pii-victim.example or +49 171 555-0199, DE89 3704 0044 0532 0130 00"
NAME = "Wilhelmina Zzyzxname"
FOUND = re.compile(r"pii-victim|171.{0,3}555.{0,3}0199|0532.{0,2}0130")


def row(contract: Contract, account: str, number: int, values: dict[str, str]) -> list[str]:
    """The template's row of a feed, one of `account` with keys of its own; `values` by column."""
    cells = {column.name: example_value(contract, column) for column in contract.columns}
    for column in contract.columns:
        if column.key_position is not None and column.kind == "key" and column.name != "account_id" and number:
            cells[column.name] += f"-{number}"
    if "account_id" in cells:
        cells["account_id"] = account
    return [values.get(name, value) for name, value in cells.items()]


def full_of_texts(contract: Contract) -> dict[str, str]:
    """Addresses for every text column of a feed, and a name where people write what they like."""
    return {
        column.name: ADDRESSES.format(column.name) + (f" {NAME}" if column.is_free_text or column.restricted else "")
        for column in contract.columns
        if column.kind == "text" and not column.hashed
    } | {
        column.name: {"email": "jane@pii-victim.example", "phone": "+491715550199"}[column.hashed]
        for column in contract.columns
        if column.hashed
    }


def write_csv(path: Path, contract: Contract, rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([list(contract.names), *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(out.getvalue(), encoding="utf-8")


def found_below(folder: Path, wanted: re.Pattern[str]) -> dict[str, str]:
    """What of the wanted texts a reader finds in every file below a folder: as bytes, and as tables; by file."""
    found = {path: match.group(0) for path, text in texts(folder).items() if (match := wanted.search(text))}
    for path in folder.rglob("*"):
        if path.is_file() and (match := wanted.search(path.read_bytes().decode("latin-1"))):
            found[str(path)] = match.group(0)
    return found


def told_by_ledger(path: Path) -> str:
    """Every text of the ledger but the paths of files, which it needs to find them again."""
    with closing(sqlite3.connect(path)) as connection:
        reported = connection.execute(
            "select coalesce(error, '') || drift from deliveries union all select reason || raw_text_masked from quarantine"
            " union all select coalesce(observed, '') || coalesce(notes, '') from check_results"
            " union all select coalesce(detail, '') from runs"
        )
        return "\n".join(text for (text,) in reported)
