"""Print a result: a table for people, CSV (RFC 4180) and JSON for programs. CSV and JSON keep every character and every digit.

Holds the three forms. Fast to import: rich is loaded only when a table is drawn.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TextIO

from dagster_project.host.escaping import UNSAFE, escaped

_TABLE_ROWS = 1000
_QUOTED = re.compile(r'[",\r\n]')


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def csv_record(cells: Iterable[str]) -> str:
    """Return one RFC 4180 record ended by a line feed; Python's own writer leaves a lone carriage return unquoted."""
    return ",".join('"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell for cell in cells) + "\n"


def _write_csv(names: list[str], rows: Iterable[tuple[object, ...]], out: TextIO) -> int:
    out.write(csv_record(names))
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007  the last number is the result
        out.write(csv_record(map(_text, row)))
    return count


def _json(value: object) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "null"
    if isinstance(value, Decimal):
        return format(value, "f")  # a JSON number with every digit; json.dumps would need a float
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_json_text(str(key))}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_json(item) for item in value) + "]"
    return _json_text(_text(value))


def _json_text(text: str) -> str:
    """Return a JSON string in which what would move a cursor or turn a line is written as an escape: a parser reads the same text."""
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _write_json(names: list[str], rows: Iterable[tuple[object, ...]], out: TextIO) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):
        out.write(("[\n" if count == 1 else ",\n") + _json(dict(zip(names, row, strict=True))))
    out.write("\n]\n" if count else "[]\n")
    return count


def _write_table(names: list[str], rows: Iterable[tuple[object, ...]], out: TextIO) -> int:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def cell(value: object) -> Text:
        return Text(
            "NULL" if value is None else escaped(_text(value)), justify="right" if isinstance(value, int | float | Decimal) else "left"
        )

    table = Table(box=box.SIMPLE)
    for name in names:
        table.add_column(Text(escaped(name)), overflow="fold")
    count = 0
    for count, row in enumerate(rows, start=1):
        if count <= _TABLE_ROWS:  # cells are Text: markup in data stays data, and control characters are escaped
            table.add_row(*map(cell, row))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    Console(file=out, width=width).print(table)
    if count > _TABLE_ROWS:
        out.write(f"{count - _TABLE_ROWS:,} more rows; --format csv or json prints all\n")
    return count


WRITERS: dict[str, Callable[[list[str], Iterable[tuple[object, ...]], TextIO], int]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
}
"""Writers by the name of their format: columns, rows and where to write; each returns the number of rows."""
