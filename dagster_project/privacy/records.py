"""Delivered files record by record, and the same file without some of its records; all other records keep their bytes.

Holds reading and rewriting of text files (plain and gzip), JSON lines and Parquet. It must not know whom a record is about. Record
numbers are those of the door: data records from 1, blank lines apart.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from dagster_project.door.dialect import Dialect
from dagster_project.door.formats import LINE_BYTES
from dagster_project.door.records import csv_words
from dagster_project.door.spelling import identifier, literal
from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import UsageError
from dagster_project.publish.versions import sync

_TEXT = (".csv", ".tsv", ".txt")
_LINES = (".jsonl", ".ndjson")
_BATCH = 10_000


@dataclass(frozen=True)
class DeliveredRecord:
    """One record: number from 1 (0 for what is no record: header, blank lines), values by column, and its text as delivered."""

    number: int
    values: dict[str, str]
    text: str


def is_readable(path: Path) -> bool:
    """Tell whether records can be taken out of a file of this format."""
    return path.name.removesuffix(".gz").endswith((*_TEXT, *_LINES)) or path.suffix == ".parquet"


def delivered_records(path: Path, dialect: Dialect) -> Iterator[DeliveredRecord]:
    """Yield everything in the file, in order; the texts of a text file joined are the file.

    Raises
    ------
    UsageError
        The file is not of its declared encoding.
    """
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    try:
        with _open(path, dialect, "rt") as file:
            yield from _lines(file) if path.name.removesuffix(".gz").endswith(_LINES) else _text(file, dialect)
    except (UnicodeError, EOFError, gzip.BadGzipFile) as error:
        raise UsageError(f"{path}: cannot be read ({error}); remedy: mend or remove the file, then run again") from error


def remove(path: Path, dialect: Dialect, numbers: Collection[int]) -> None:
    """Replace the file by one without these records, atomically."""
    draft = path.with_name(f".{path.name}.forget")
    if path.suffix == ".parquet":
        listed = ", ".join(map(str, sorted(numbers)))
        rows = f"select * exclude (file_row_number) from read_parquet({literal(str(path))}, file_row_number = true)"
        kept = f"{rows} where file_row_number + 1 not in ({listed}) order by file_row_number"
        with connect_memory() as connection:
            connection.execute(f"copy ({kept}) to {literal(str(draft))} (format parquet)")
    else:
        with _open(draft, dialect, "wt", is_archive=path.suffix == ".gz") as file:
            for record in delivered_records(path, dialect):
                if record.number not in numbers:
                    file.write(record.text)
    draft.chmod(path.stat().st_mode & 0o777)
    sync(draft)
    draft.replace(path)
    sync(path.parent)


def _open(path: Path, dialect: Dialect, mode: str, *, is_archive: bool | None = None) -> IO[str]:
    if path.suffix == ".gz" if is_archive is None else is_archive:
        return cast("IO[str]", gzip.open(path, mode, encoding=dialect.encoding, newline=""))
    return path.open(mode.replace("t", ""), encoding=dialect.encoding, newline="")


def _text(file: IO[str], dialect: Dialect) -> Iterator[DeliveredRecord]:
    """Yield records with their lines: the reader takes lines one by one, so what it took since the last record is the record."""
    csv.field_size_limit(LINE_BYTES)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in file:
            taken.append(line)
            yield line

    reader = csv.reader(lines(), strict=True, **csv_words(dialect))
    header: Sequence[str] | None = None
    number = 0
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
            header = header or [name.removeprefix("\ufeff").strip() for name in fields]
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
