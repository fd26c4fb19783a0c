"""Write the finance extract of one complete month: CSV and Parquet with the same rows, and a manifest with their hashes.

CSV: RFC 4180 with line feeds, UTF-8, decimal point, empty for null; a text cell that a spreadsheet would run as a formula
starts with an apostrophe (Parquet keeps the text as it is). `HOME/finance/<entity>/<month>/v<n>/` is replaced as a whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.contracts.currencies import as_money
from dagster_project.errors import UsageError
from dagster_project.finance.lines import STATUS, VERSION, Figures, legal_entity, read_figures
from dagster_project.finance.periods import complete_period
from dagster_project.host.disk import full_disk_is_told
from dagster_project.publish.printing import csv_record
from dagster_project.publish.reader import served
from dagster_project.publish.versions import sync

PARTS = ("header", "lines", "reconciliation", "definitions", "restatements", "checks")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def extract(home: Path, period: str, *, finance: Path | None = None) -> Path:
    """Write the extract of a fiscal month (its label, or YYYY-MM) from the served copy and return its folder.

    The same copy gives the same bytes on any machine. A provisional extract that says something else is replaced.

    Raises
    ------
    UsageError
        Nothing is published, the month is unknown, running or waits for a source, has no figures, or its extract is not provisional.
    ChecksFailed
        A blocking check of the extract fails.
    InfrastructureError
        The served copy cannot be read or is damaged (an extract is never made from an older one), or there is no room.
    """
    with served(home) as (connection, pointer):
        month = complete_period(connection, period)
        entity = legal_entity(connection)
        folder = (finance or home / "finance") / _slug(entity) / _slug(month.label) / f"v{VERSION}"
        figures = read_figures(connection, pointer, month)
    _recover(folder)
    _require_provisional(folder)
    stem = f"fin_roi_extract_{_slug(entity)}_{_slug(month.label)}_v{VERSION}"
    files = _files(figures, stem)
    contents = {name: content for name, (_, content) in files.items()}
    contents["manifest.json"] = _manifest(figures, files)
    if not _holds(folder, contents):
        _replace(folder, contents)
    return folder


def referenced_copies(finance: Path) -> frozenset[str]:
    """Return the content hashes of the copies that extracts were made from; publish never retires these."""
    return frozenset(str(json.loads(path.read_text(encoding="utf-8"))["content_hash"]) for path in finance.glob("*/*/v*/manifest.json"))


def _slug(entity: str) -> str:
    """Return the entity's name as a part of a path: letters and digits of any script, `-` and `_`; never a way out."""
    return "".join(character if character.isalnum() or character in "-_" else "-" for character in entity)


def _manifest(figures: Figures, files: dict[str, tuple[pa.Table, bytes]]) -> bytes:
    header = figures.header.to_pylist()[0]
    manifest = {
        "format_version": 1,
        "status": STATUS,
        "version": VERSION,
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


def _require_provisional(folder: Path) -> None:
    manifest = folder / "manifest.json"
    if manifest.exists():
        status = json.loads(manifest.read_text(encoding="utf-8"))["status"]
        if status != STATUS:
            raise UsageError(f"the extract in {folder} is {status} and is never written again")


def _holds(folder: Path, contents: dict[str, bytes]) -> bool:
    return (
        folder.is_dir()
        and {path.name for path in folder.iterdir()} == set(contents)
        and all((folder / name).read_bytes() == content for name, content in contents.items())
    )


def _recover(folder: Path) -> None:
    """Finish what a killed extract left: the old version is put back unless the new one had taken its place."""
    old = folder.with_name(f"{folder.name}.replaced")
    if old.is_dir():
        if folder.is_dir():
            shutil.rmtree(old)
        else:
            old.rename(folder)
    shutil.rmtree(folder.with_name(f"{folder.name}.building"), ignore_errors=True)


def _replace(folder: Path, contents: dict[str, bytes]) -> None:
    building, old = folder.with_name(f"{folder.name}.building"), folder.with_name(f"{folder.name}.replaced")
    with full_disk_is_told(folder.parent, "no extract was written, and what was there stays"):
        try:
            building.mkdir(parents=True)
            for name, content in contents.items():
                (building / name).write_bytes(content)
                sync(building / name)
            sync(building)
        except OSError:
            shutil.rmtree(building, ignore_errors=True)
            raise
    if folder.is_dir():
        folder.rename(old)
    building.rename(folder)
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)
