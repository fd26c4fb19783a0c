"""Delivered files record by record, and the same file without some of its records; all other records keep their bytes.

Holds reading and rewriting of text files and JSON lines (plain and packed), worksheets and Parquet. It must not know whom a record is
about. Record numbers are those of ingest: data records from 1, blank lines apart.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, cast

from backports import zstd

from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import InputRefused, UsageError
from dagster_project.ingest.readers.archives import format_within
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.formats import LINE_BYTES, TEXT_BYTES, Format, format_of
from dagster_project.ingest.readers.header import give_names
from dagster_project.ingest.readers.records import Record, csv_words
from dagster_project.ingest.readers.workbook import read_sheet, sheet_records
from dagster_project.ingest.sql_text import identifier, literal
from dagster_project.privacy.worksheets import empty_rows
from dagster_project.publish.versions import sync

_OPENERS: dict[str, Any] = {"": open, ".gz": gzip.open, ".zst": zstd.open}
_UNREADABLE = (UnicodeError, EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError, zipfile.BadZipFile)
_BATCH = 10_000


@dataclass(frozen=True)
class DeliveredRecord:
    """One record: number from 1 (0 for what is no record: header, blank lines), values by column, and its text as delivered."""

    number: int
    values: dict[str, str]
    text: str


def is_readable(path: Path) -> bool:
    """Tell whether the file's name is one that ingest reads."""
    try:
        return bool(format_of(path.name, path))
    except InputRefused:
        return False


def delivered_records(path: Path, dialect: Dialect) -> Iterator[DeliveredRecord]:
    """Yield everything in the file, in order; the texts of a text file joined are the file.

    Raises
    ------
    UsageError
        The file is not of its declared encoding, or damaged.
    InputRefused
        Ingest would refuse this archive or workbook too.
    """
    form = format_within(path, TEXT_BYTES)
    if form.kind == "parquet":
        yield from _parquet(path)
        return
    if form.kind == "xlsx":
        for record, columns in _rows(path, dialect):
            fields = [field or "" for field in record.fields]
            yield DeliveredRecord(record.number, dict(zip(columns, fields, strict=False)), "\n".join(fields))
        return
    try:
        with _opened(path, "r", form, dialect) as file:
            yield from _lines(file) if form.kind == "jsonl" else _text(file, dialect, form.delimiter)
    except _UNREADABLE as error:
        raise UsageError(f"{path}: cannot be read ({error}); remedy: repair or remove the file, then run again") from error


def remove(path: Path, dialect: Dialect, numbers: Collection[int]) -> None:
    """Replace the file by one without these records, atomically."""
    draft, form = path.with_name(f".{path.name}.forget"), format_within(path, TEXT_BYTES)
    if form.kind == "parquet":
        listed = ", ".join(map(str, sorted(numbers)))
        rows = f"select * exclude (file_row_number) from read_parquet({literal(str(path))}, file_row_number = true)"
        kept = f"{rows} where file_row_number + 1 not in ({listed}) order by file_row_number"
        with connect_memory() as connection:
            connection.execute(f"copy ({kept}) to {literal(str(draft))} (format parquet)")
    elif form.kind == "xlsx":
        empty_rows(path, draft, dialect, {record.line for record, _ in _rows(path, dialect) if record.number in numbers})
    else:
        with _opened(draft, "w", form, dialect) as file:
            for record in delivered_records(path, dialect):
                if record.number not in numbers:
                    file.write(record.text)
    draft.chmod(path.stat().st_mode & 0o777)
    sync(draft)
    draft.replace(path)
    sync(path.parent)


@contextmanager
def _opened(path: Path, mode: Literal["r", "w"], form: Format, dialect: Dialect) -> Iterator[IO[str]]:
    """Open the text of a file that is packed as `form` says, line ends as they are."""
    with ExitStack() as stack:
        if form.packing == ".zip":
            archive = stack.enter_context(zipfile.ZipFile(path, mode, zipfile.ZIP_DEFLATED))
            packed = archive.open(form.member, mode, force_zip64=mode == "w")
        else:
            packed = _OPENERS[form.packing](path, f"{mode}b")
        if mode == "r":
            yield stack.enter_context(TextIOWrapper(packed, encoding=dialect.encoding, newline=""))
        else:  # a TextIOWrapper writes no byte order mark where it cannot seek
            yield cast("IO[str]", stack.enter_context(codecs.getwriter(dialect.encoding)(packed)))


def _text(file: IO[str], dialect: Dialect, delimiter: str) -> Iterator[DeliveredRecord]:
    """Yield records with their lines: the reader takes lines one by one, so what it took since the last record is the record."""
    csv.field_size_limit(LINE_BYTES)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in file:
            taken.append(line)
            yield line

    words = csv_words(dialect.model_copy(update={"delimiter": dialect.delimiter or delimiter}))
    reader = csv.reader(lines(), strict=True, **words)
    header: Sequence[str] | None = None
    number = 0
    for line in islice(file, (dialect.header_row or 1) - 1):
        yield DeliveredRecord(0, {}, line)
    while True:
        fields: Sequence[str] | None
        try:
            fields = next(reader, None)
        except csv.Error:
            fields = ["".join(taken)]  # not well quoted: all of it is one value
        text = "".join(taken)
        taken.clear()
        if fields is None:
            if text:
                yield DeliveredRecord(0, {}, text)
            return
        if header is None or not fields:
            header = header or give_names([name.removeprefix("\ufeff") for name in fields], dialect.positions).columns if fields else header
            yield DeliveredRecord(0, {}, text)
            continue
        number += 1
        yield DeliveredRecord(number, dict(zip(header, fields, strict=False)), text)


def _lines(file: IO[str]) -> Iterator[DeliveredRecord]:
    number = 0
    for line in file:
        if not line.strip():
            yield DeliveredRecord(0, {}, line)
            continue
        number += 1
        try:
            found = json.loads(line)
        except ValueError:
            found = line
        values = found if isinstance(found, dict) else {"": found}
        yield DeliveredRecord(
            number, {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}, line
        )


def _rows(path: Path, dialect: Dialect) -> Iterator[tuple[Record, list[str]]]:
    """Yield the rows of the stream's sheet with its columns, those without a name too."""
    sheet = read_sheet(path, dialect)
    columns = list(give_names([str(name) for name in sheet.columns], dialect.positions).columns)
    for record in sheet_records(path, sheet, columns, dialect):
        yield record, columns


def _parquet(path: Path) -> Iterator[DeliveredRecord]:
    with connect_memory() as connection:
        file = f"read_parquet({literal(str(path))}, file_row_number = true)"
        columns = [row[0] for row in connection.execute(f"describe select * exclude (file_row_number) from {file}").fetchall()]
        listed = ", ".join(f"{identifier(name)}::varchar" for name in columns)
        cursor = connection.execute(f"select file_row_number + 1, {listed} from {file} order by 1")
        while rows := cursor.fetchmany(_BATCH):
            for number, *fields in rows:
                values = {name: value for name, value in zip(columns, fields, strict=True) if value is not None}
                yield DeliveredRecord(number, values, "\n".join(values.values()))


def sync_new(path: Path, draft: Path) -> None:
    """Give a complete new file its name, durably."""
    sync(draft)
    draft.replace(path)
    sync(path.parent)
