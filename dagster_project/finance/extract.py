"""Write the finance extract of one complete month: CSV and Parquet with the same rows, and a manifest with their hashes.

CSV: RFC 4180 with line feeds, UTF-8, decimal point, empty for null; a text cell that a spreadsheet would run as a formula
starts with an apostrophe (Parquet keeps the text as it is). `HOME/finance/<entity>/<month>/v<n>/` appears as a whole and stays as it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.contracts.currencies import as_money
from dagster_project.errors import UsageError
from dagster_project.finance.lines import STATUS, Figures, legal_entity, read_figures
from dagster_project.finance.periods import complete_period
from dagster_project.finance.restating import latest, restatements
from dagster_project.host.disk import full_disk_reported
from dagster_project.publish.printing import csv_record
from dagster_project.publish.reader import served
from dagster_project.publish.versions import sync

PARTS = ("header", "lines", "reconciliation", "definitions", "restatements", "checks")
_BUILDING = "building"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Extract:
    """Where the extract of a month is; `is_new` is false where the latest version says the same already."""

    folder: Path
    is_new: bool


def extract(home: Path, period: str, *, finance: Path | None = None) -> Extract:
    """Write the extract of a fiscal month (its label, or YYYY-MM) from the served copy as its next version.

    A version is never changed: where the latest says the same, nothing is written; where it does not, the next one lists what it restates.
    The same copies in the same order give the same bytes on any machine.

    Raises
    ------
    UsageError
        Nothing is published, the month is unknown, running or waits for a source, has no figures, or its extract is not provisional.
    ChecksFailed
        A blocking check of the extract fails.
    InfrastructureError
        The served copy cannot be read or is damaged (an extract is never made from an older one), the latest version was changed by
        hand, or there is no room.
    """
    with served(home) as (connection, pointer):
        month = complete_period(connection, period)
        entity = legal_entity(connection)
        place = (finance or home / "finance") / _slug(entity) / _slug(month.label)
        figures = read_figures(connection, pointer, month)
    shutil.rmtree(place / _BUILDING, ignore_errors=True)  # a killed extract left it
    before = latest(place)
    if before and before.says_the_same(vars(figures)):
        return Extract(before.folder, is_new=False)
    if before and before.status != STATUS:
        raise UsageError(f"the extract in {before.folder} is {before.status} and is never written again")
    number = before.number + 1 if before else 1
    figures = replace(figures, header=_with_version(figures.header, number), restatements=restatements(before, figures.lines, number))
    files = _files(figures, f"fin_roi_extract_{_slug(entity)}_{_slug(month.label)}_v{number}")
    contents = {name: content for name, (_, content) in files.items()}
    contents["manifest.json"] = _manifest(figures, files)
    folder = place / f"v{number}"
    _write(folder, contents)
    return Extract(folder, is_new=True)


def referenced_copies(finance: Path) -> frozenset[str]:
    """Return the content hashes of the copies that the latest version of each month was made from; publish never retires these."""
    newest: dict[Path, tuple[int, Path]] = {}
    for path in finance.glob("*/*/v*/manifest.json"):
        version = path.parent.name[1:]
        if version.isdecimal():
            newest[path.parent.parent] = max(newest.get(path.parent.parent, (0, path)), (int(version), path))
    return frozenset(str(json.loads(path.read_text(encoding="utf-8"))["content_hash"]) for _, path in newest.values())


def _slug(entity: str) -> str:
    """Return the entity's name as a part of a path: letters and digits of any script, `-` and `_`; never a way out."""
    return "".join(character if character.isalnum() or character in "-_" else "-" for character in entity)


def _manifest(figures: Figures, files: dict[str, tuple[pa.Table, bytes]]) -> bytes:
    header = figures.header.to_pylist()[0]
    manifest = {
        "format_version": 1,
        "status": STATUS,
        "version": header["version"],
        **{name: header[name] for name in ("entity", "period", "currency_code", "data_as_of", "content_hash", "assumptions_sha256")},
        "files": [
            {
                "name": name,
                "rows": table.num_rows,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "sums": _sums(table),
            }
            for name, (table, content) in files.items()
        ],
    }
    return (json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _files(figures: Figures, stem: str) -> dict[str, tuple[pa.Table, bytes]]:
    files: dict[str, tuple[pa.Table, bytes]] = {}
    for part in PARTS:
        table: pa.Table = getattr(figures, part)
        files[f"{stem}_{part}.csv"] = (table, to_csv(table))
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        files[f"{stem}_{part}.parquet"] = (table, sink.getvalue())
    return files


def to_csv(table: pa.Table) -> bytes:
    """Return the table as CSV bytes; only text cells are ever prefixed, so -5.00 stays a number."""
    records = [csv_record(table.column_names), *(csv_record(map(_cell, _in_minor_units(row).values())) for row in table.to_pylist())]
    return "".join(records).encode()


def _currency_column(amount: str) -> str:
    return "transaction_currency_code" if amount.startswith("transaction_") else "currency_code"


def _in_minor_units(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with each amount written with as many decimals as its currency has."""
    money = {name: row.get(_currency_column(name)) for name in row if name.endswith("_amount") and name != "unit_amount"}
    return row | {name: as_money(row[name], code) for name, code in money.items() if code is not None and row[name] is not None}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA_STARTS) else value
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _sums(table: pa.Table) -> dict[str, dict[str, str]]:
    """Return the plain column sums of all rows by currency, so that anyone can check a file with one formula."""
    sums: dict[str, dict[str, str]] = {}
    for name in table.column_names:
        currency = _currency_column(name)
        if not name.endswith("_amount") or currency not in table.column_names or name == "unit_amount":
            continue
        totals: dict[str, Decimal] = {}
        for amount, code in zip(table[name].to_pylist(), table[currency].to_pylist(), strict=True):
            if amount is not None:
                totals[str(code)] = totals.get(str(code), Decimal(0)) + amount
        sums[name] = {code: format(as_money(total, code), "f") for code, total in sorted(totals.items())}
    return sums


def _with_version(header: pa.Table, number: int) -> pa.Table:
    at = header.column_names.index("version")
    return header.set_column(at, header.field(at), pa.array([number], pa.int32()))


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    building = folder.with_name(_BUILDING)
    with full_disk_reported(folder.parent, "no extract was written, and what was there stays"):
        try:
            building.mkdir(parents=True)
            for name, content in contents.items():
                (building / name).write_bytes(content)
                sync(building / name)
            sync(building)
        except OSError:
            shutil.rmtree(building, ignore_errors=True)
            raise
    building.rename(folder)
    sync(folder.parent)
