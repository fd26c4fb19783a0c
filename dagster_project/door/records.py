"""The exact reader: one record at a time, with the line each begins on. Slow, and used only where something is wrong.

Holds the arbiter of what a record is (RFC 4180: a quote opens only at the start of a field). It must not type a value.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dagster_project.door.dialect import Dialect
from dagster_project.door.prescan import LINE_LIMIT
from dagster_project.errors import InputRefused


@dataclass(frozen=True)
class Record:
    """One physical record: number from 1, line it begins on, its fields, and what is wrong with its form (or None)."""

    number: int
    line: int
    fields: list[str]
    fault: str | None = None
    rule: str = ""  # of a record that is well formed and set aside all the same


def read_records(path: Path, shown_path: Path, dialect: Dialect, width: int) -> Iterator[Record]:
    """Yield every data record of a clean UTF-8 file; blank lines are skipped. `width` is the number of header columns.

    Raises
    ------
    InputRefused
        A quote is opened and never closed, or a wrong quote swallowed more than one line: what was lost is unknown.
    """
    csv.field_size_limit(LINE_LIMIT)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter=dialect.delimiter, strict=True)
        next(reader, None)
        number = 0
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader, None)
            except csv.Error as error:
                number += 1
                if "unexpected end of data" in str(error):
                    raise InputRefused(
                        f"{shown_path}: record {number:,} (line {line:,}): a quote is opened and never closed; remedy: mend the export"
                    ) from error
                if reader.line_num != line:
                    raise InputRefused(
                        f"{shown_path}: record {number:,} (line {line:,}): a wrong quote swallows the lines up to {reader.line_num:,};"
                        " remedy: mend the export"
                    ) from error
                yield Record(number, line, [], f"not well quoted ({error})")
                continue
            if fields is None:
                return
            if not fields:
                continue
            number += 1
            fault = None if len(fields) == width else f"{len(fields)} fields found, {width} expected"
            yield Record(number, line, fields, fault)
