"""Read the published copy: open it hardened, answer one query, fall back when a file is damaged.

Read-only, no file or network access from SQL, settings locked: an analyst's statement can read tables and nothing
else. Starts fast: DuckDB and the standard library only (rich when a table is drawn for people).
"""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import duckdb

from dagster_project.engines.duckdb import connect_published
from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.publish.versions import Pointer, parquet_folder, published_folder, read_pointer, versions

_TABLE_ROWS = 1000
_REMEDY = "remedy: service-roi run rebuilds it from the lake"
_QUOTED = re.compile(r'[",\r\n]')
_READS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def open_current(home: Path, *, warn: Callable[[str], None] | None = None) -> tuple[duckdb.DuckDBPyConnection, Pointer]:
    """Open the served version, or the newest older one when its file is damaged (`warn` is told, default stderr).

    Raises
    ------
    UsageError
        Nothing was published yet.
    InfrastructureError
        No version can be opened.
    """
    damage = []
    for pointer in _candidates(home):
        try:
            connection = connect_published(published_folder(home) / pointer.file, parquet=parquet_folder(home, pointer))
        except (duckdb.Error, OSError) as error:
            damage.append(_first_line(error))
            (warn or _to_stderr)(_damaged(pointer, error))
        else:
            return connection, pointer
    raise InfrastructureError(f"no published version can be opened: {'; '.join(damage)}; {_REMEDY}")


def query(
    home: Path, sql: str, output_format: str = "table", *, out: TextIO | None = None, warn: Callable[[str], None] | None = None
) -> int:
    """Run one reading statement on the served version, print the result (default stdout), and return its number of rows.

    `table` is for people (first 1,000 rows), `csv` is RFC 4180 with line feeds, `json` a list of objects whose
    decimals keep every digit. Nothing is printed unless the whole result could be read.

    Raises
    ------
    UsageError
        Not one statement, not a reading one, or the engine refuses it.
    InfrastructureError
        No version can be read.
    """
    if output_format not in _WRITERS:
        raise UsageError(f"unknown format {output_format}; known formats: {', '.join(_WRITERS)}")
    damage = []
    for pointer in _candidates(home):
        with tempfile.TemporaryFile(mode="w+", encoding="utf-8", newline="") as spool:
            try:
                connection = connect_published(published_folder(home) / pointer.file, parquet=parquet_folder(home, pointer))
                try:
                    count = _print(connection, sql, output_format, spool)
                finally:
                    connection.close()
            except (duckdb.Error, OSError) as error:
                if not _is_damage(error):
                    raise UsageError(str(error)) from error
                damage.append(_first_line(error))
                (warn or _to_stderr)(_damaged(pointer, error))
                continue
            spool.seek(0)
            shutil.copyfileobj(spool, out or sys.stdout)
            return count
    raise InfrastructureError(f"no published version can be read: {'; '.join(damage)}; {_REMEDY}")


def _candidates(home: Path) -> Iterator[Pointer]:
    current = read_pointer(home)
    older = (version for version in versions(home) if current is None or version.seq < current.seq)
    if current is not None:
        yield current
        yield from older
        return
    found = list(older)
    if not found:
        raise UsageError(f"nothing is published in {published_folder(home)}; remedy: service-roi run --home {home}")
    yield from found


def _is_damage(error: Exception) -> bool:
    # a damaged block met while fetching arrives as InvalidInputException around the text of the IO error
    broken = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException, OSError)
    return isinstance(error, broken) or "Corrupt database file" in str(error)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _damaged(pointer: Pointer, error: Exception) -> str:
    return f"version {pointer.seq} is damaged, reading the one before it: {_first_line(error)}"


def _to_stderr(message: str) -> None:
    sys.stderr.write(message + "\n")


def _print(connection: duckdb.DuckDBPyConnection, sql: str, output_format: str, out: TextIO) -> int:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"one statement at a time, found {len(statements)}")
    if statements[0].type not in _READS:
        kind = statements[0].type.name.lower()
        raise UsageError(f"only reading statements (select, from, with, describe, show, summarize, explain), not {kind}")
    connection.execute(statements[0])
    names = [str(column[0]) for column in connection.description or []]
    rows = (row for batch in iter(lambda: connection.fetchmany(10_000), []) for row in batch)
    return _WRITERS[output_format](names, rows, out)


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
        return "{" + ", ".join(f"{json.dumps(str(key), ensure_ascii=False)}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_json(item) for item in value) + "]"
    return json.dumps(_text(value), ensure_ascii=False)


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
        return Text("NULL" if value is None else _text(value), justify="right" if isinstance(value, int | float | Decimal) else "left")

    table = Table(box=box.SIMPLE)
    for name in names:
        table.add_column(Text(name), overflow="fold")
    count = 0
    for count, row in enumerate(rows, start=1):
        if count <= _TABLE_ROWS:  # cells are Text: markup in data stays data
            table.add_row(*map(cell, row))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    Console(file=out, width=width).print(table)
    if count > _TABLE_ROWS:
        out.write(f"{count - _TABLE_ROWS:,} more rows; --format csv or json prints all\n")
    return count


_WRITERS: dict[str, Callable[[list[str], Iterable[tuple[object, ...]], TextIO], int]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
}
