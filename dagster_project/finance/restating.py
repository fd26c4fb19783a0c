"""The versions of a month's extract: which one is the latest, and how a new one differs from it.

A version is never changed. One that says something else becomes the next, and names each figure that it restates.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.errors import InfrastructureError

_KEY = ("line_id", "line_kind", "legal_entity", "cost_centre", "cost_category", "gl_account", "transaction_currency_code")
_SAME = ("entity", "period", "currency_code")
_COMPARED = ("lines", "reconciliation", "definitions", "checks")
_TEXT, _MONEY, _QUANTITY = pa.string(), pa.decimal128(18, 3), pa.decimal128(20, 6)
_SCHEMA = pa.schema([
    ("entity", _TEXT), ("period", _TEXT), ("version_from", pa.int32()), ("version_to", pa.int32()),
    *((name, _TEXT) for name in _KEY), ("measure", _TEXT),
    ("from_amount", _MONEY), ("to_amount", _MONEY), ("delta_amount", _MONEY), ("currency_code", _TEXT),
    ("from_quantity", _QUANTITY), ("to_quantity", _QUANTITY), ("from_text", _TEXT), ("to_text", _TEXT),
])  # fmt: skip
"""Grain: a figure (`measure`, a column of the lines) of a line that differs. Amounts, quantities and words have their own columns; a side
that is null did not know the figure, or did not have the line: then the measure `line_kind` is among its rows, null on that side."""


@dataclass(frozen=True)
class Version:
    """A version that was written and whose files are as they were."""

    folder: Path
    number: int
    status: str
    parts: dict[str, pa.Table]

    def says_the_same(self, parts: dict[str, pa.Table]) -> bool:
        """Tell whether its figures, definitions and checks are these; the copy they were read from may be another."""
        return all(self.parts[name].to_pylist() == parts[name].to_pylist() for name in _COMPARED)


def latest(month: Path) -> Version | None:
    """Return the latest version below the folder of a month, proven against its manifest; None where there is none.

    Raises
    ------
    InfrastructureError
        A file of it is gone or was changed.
    """
    numbers = [int(path.name[1:]) for path in month.glob("v*") if path.name[1:].isdecimal() and path.is_dir()]
    if not numbers:
        return None
    folder = month / f"v{max(numbers)}"
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        for file in manifest["files"]:
            if hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest() != file["sha256"]:
                raise _damaged(folder, f"{file['name']} is not as it was written")
        names = {name: next(file["name"] for file in manifest["files"] if file["name"].endswith(f"_{name}.parquet")) for name in _COMPARED}
        return Version(folder, max(numbers), manifest["status"], {part: pq.read_table(folder / name) for part, name in names.items()})
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise _damaged(folder, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'incomplete'}") from error


def restatements(before: Version | None, lines: pa.Table, number: int) -> pa.Table:
    """Return one row for each figure in which these lines differ from those of the version before; none for a first version."""
    if before is None:
        return _SCHEMA.empty_table()
    old, new = _by_key(before.parts["lines"]), _by_key(lines)
    rows = [
        row
        for key in sorted(old.keys() | new.keys(), key=lambda key: [(part is not None, part or "") for part in key])
        for row in _differences(old.get(key, {}), new.get(key, {}), before.number, number)
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _by_key(lines: pa.Table) -> dict[tuple[str | None, ...], dict[str, Any]]:
    return {tuple(row[name] for name in _KEY): row for row in lines.to_pylist()}


def _differences(old: dict[str, Any], new: dict[str, Any], number_from: int, number_to: int) -> list[dict[str, Any]]:
    line = new or old
    fixed = {name: line[name] for name in (*_KEY, "entity", "period")} | {"version_from": number_from, "version_to": number_to}
    names = [name for name in line if name not in (*_KEY, *_SAME)]
    rows = [
        fixed | {"measure": name} | _values(line, name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)
    ]
    if not old or not new:
        rows.insert(0, fixed | {"measure": "line_kind", "from_text": old.get("line_kind"), "to_text": new.get("line_kind")})
    return rows


def _values(line: dict[str, Any], name: str, old: Any, new: Any) -> dict[str, Any]:
    if name.endswith("_amount") and name != "unit_amount":
        delta = new - old if old is not None and new is not None else None
        code = line["transaction_currency_code" if name.startswith("transaction_") else "currency_code"]
        return {"from_amount": old, "to_amount": new, "delta_amount": delta, "currency_code": code}
    if isinstance(old if old is not None else new, Decimal):
        return {"from_quantity": old, "to_quantity": new}
    return {"from_text": _words(old), "to_text": _words(new)}


def _words(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value


def _damaged(folder: Path, what: str) -> InfrastructureError:
    return InfrastructureError(
        f"the extract in {folder} is damaged: {what}; nothing was written; remedy: put the folder back from a backup,"
        " or move it away if its figures were never used"
    )
