"""What a file seems to be where it does not fit its stream: encoding, delimiter and the row of its header, for the words of a refusal.

Holds guesses for messages only. Nothing is ever read by a guess.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import python_calamine

from dagster_project.errors import InputRefused
from dagster_project.ingest.readers.archives import format_within
from dagster_project.ingest.readers.decoding import likely_encoding, raw_chunks
from dagster_project.ingest.readers.dialect import WHERE, Dialect
from dagster_project.ingest.readers.formats import Format
from dagster_project.ingest.readers.records import csv_words

_ROWS = 40
_SHOWN = {"\t": "\\t"}


def advise(path: Path, dialect: Dialect, required: Sequence[str]) -> str:
    """Return how to declare the file, where most required columns are in another row or behind another delimiter; else nothing."""
    form = format_within(path, dialect.max_bytes)
    if form.kind not in ("text", "xlsx"):
        return ""
    wanted = set(required)
    own = (dialect.delimiter or form.delimiter, dialect.header_row or 1)
    best: tuple[int, int, str] = (0, 0, "")
    for row, delimiter, cells in _candidates(path, form, dialect, own[0]):
        hits = len(wanted.intersection(cells))
        if hits > best[0]:
            best = (hits, row, delimiter)
    hits, row, delimiter = best
    if 2 * hits <= len(wanted) or own == (delimiter, row):
        return ""
    words = [f'delimiter: "{_SHOWN.get(delimiter, delimiter)}"'] if delimiter != own[0] else []
    words += [f"header_row: {row}"] if row != own[1] else []
    place = "row" if form.kind == "xlsx" else "line"
    return f"{place} {row} has {hits} of the {len(wanted)} required columns: declare {' and '.join(words)} {WHERE}"


def _candidates(path: Path, form: Format, dialect: Dialect, own: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield row, delimiter and cells of the first rows, as the declared delimiter and then the others split them."""
    if form.kind == "xlsx":
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        rows = book.get_sheet_by_name(dialect.sheet or book.sheet_names[0]).iter_rows()
        yield from ((row, own, [str(cell).strip() for cell in cells]) for row, cells in enumerate(islice(rows, _ROWS), start=1))
        return
    lines = _first_text(path, form, dialect).splitlines()[:_ROWS]
    for delimiter in dict.fromkeys((own, ",", ";", "\t", "|")):
        if delimiter in (dialect.quote, dialect.escape):
            continue
        words = csv_words(dialect.model_copy(update={"delimiter": delimiter}))
        for row, line in enumerate(lines, start=1):
            try:
                yield row, delimiter, [cell.strip() for cell in next(csv.reader([line], **words), [])]
            except csv.Error:
                continue


def _first_text(path: Path, form: Format, dialect: Dialect) -> str:
    try:
        data = next(raw_chunks(path, form, dialect.max_bytes, hashlib.sha256()), b"")[: 1 << 16]
    except InputRefused:
        return ""
    try:
        return codecs.getincrementaldecoder(dialect.encoding)("strict").decode(data).removeprefix("\ufeff")
    except UnicodeError:
        return data.decode(likely_encoding(data), "replace")
