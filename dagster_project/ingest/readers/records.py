"""The exact reader: one record at a time, with the line each begins on. Slow, and used only where something is wrong.

Holds the arbiter of what a record is (RFC 4180: a quote opens only at the start of a field). It must not type a value.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.errors import FileUnread, InputRefused
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.formats import LINE_BYTES


@dataclass(frozen=True)
class Record:
    """One physical record: number from 1, line it begins on, its fields, and what is wrong with its form (or None).

    `rule` names the broken rule of a fault, `column` and `value` where it is if it is one value.
    """

    number: int
    line: int
    fields: list[str | None]
    fault: str | None = None
    rule: str = "field_count"
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Keyed:
    """One physical record whose values have names: a line of JSON. The rest is as in `Record`."""

    number: int
    line: int
    values: dict[str, str | None]
    fault: str | None = None
    rule: str = "json_format"
    column: str | None = None
    value: str | None = None


def read_records(path: Path, shown_path: Path, dialect: Dialect, width: int) -> Iterator[Record]:
    """Yield every data record of a clean UTF-8 file; blank lines are skipped. `width` is the number of header columns.

    Raises
    ------
    InputRefused
        A quote is opened and never closed, a wrong quote swallowed more than one line (what was lost is unknown), or the
        file ends in the middle of a record.
    """
    csv.field_size_limit(LINE_BYTES)
    with path.open("rb") as bytes_:
        bytes_.seek(-1, 2)
        is_ended = bytes_.read(1) in b"\r\n"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True, **csv_words(dialect))
        next(reader, None)
        number = line = 0
        above = (dialect.header_row or 1) - 1  # lines that the clean file has not
        fields: list[str] = []
        while True:
            before, line = line, reader.line_num + above + 1
            try:
                last, fields = fields, next(reader, [])
                if not fields and reader.line_num + above < line:
                    if number and not is_ended and len(last) < width:
                        raise FileUnread(
                            f"{shown_path}: ends in the middle of record {number:,} (line {before:,}): {len(last)} fields found, {width}"
                            " expected; remedy: deliver the file again, complete"
                        )
                    return
            except csv.Error as error:
                number += 1
                if "unexpected end of data" in str(error):
                    raise InputRefused(
                        f"{shown_path}: record {number:,} (line {line:,}): a quote is opened and never closed; remedy: repair the export"
                    ) from error
                if reader.line_num + above != line:
                    raise InputRefused(
                        f"{shown_path}: record {number:,} (line {line:,}): a wrong quote swallows the lines up to"
                        f" {reader.line_num + above:,}; remedy: repair the export"
                    ) from error
                yield Record(number, line, [], f"not well quoted ({error})", "quote_format")
                continue
            if not fields:
                continue
            number += 1
            fault = None if len(fields) == width else f"{len(fields)} fields found, {width} expected"
            yield Record(number, line, list(fields), fault)


def csv_words(dialect: Dialect) -> dict[str, Any]:
    """Return the dialect in the words of Python's csv module."""
    return {
        "delimiter": dialect.delimiter or ",",
        "quotechar": dialect.quote or None,
        "quoting": csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        "escapechar": dialect.escape,
        "doublequote": dialect.escape is None,
    }
