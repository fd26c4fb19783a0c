"""Records that our own readers give (lines of JSON, rows of worksheets), kept as Parquet parts of text for the engine.

Holds the parts and the count. It must not know a format or type a value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.errors import FileUnread, InputRefused
from dagster_project.ingest.readers.decoding import text_chunks
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.formats import COLUMNS, Format
from dagster_project.ingest.readers.header import checked_header
from dagster_project.ingest.readers.jsonlines import read_objects
from dagster_project.ingest.readers.prescan import Prescan, checked_names, too_many_records
from dagster_project.ingest.readers.records import Keyed, Record
from dagster_project.ingest.readers.workbook import read_sheet, sheet_records

NUMBER, LINE = "record_number", "record_line"
_BATCH_RECORDS = 50_000
_NAMES = count()


@dataclass
class Collected:
    """Parts of one file in the scratch folder; `faults` are the records kept out, in the order of the file."""

    scratch: Path
    nulls: frozenset[str]
    columns: dict[str, None] = field(default_factory=dict)  # an ordered set
    ambiguous: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    records: int = 0
    faults: list[Record] = field(default_factory=list)
    parts: list[Path] = field(default_factory=list)
    pending: list[Keyed] = field(default_factory=list)

    def add(self, record: Keyed) -> None:
        """Keep one record."""
        self.pending.append(record)
        if len(self.pending) >= _BATCH_RECORDS:
            self.write()

    def write(self) -> None:
        """Write what is pending as one more part; a part has the columns known so far."""
        data = {name: [record.values.get(name) for record in self.pending] for name in self.columns}
        arrays = {
            name: pa.array([None if value in self.nulls else value for value in values], pa.string()) for name, values in data.items()
        }
        arrays[NUMBER] = pa.array([record.number for record in self.pending], pa.int64())
        arrays[LINE] = pa.array([record.line for record in self.pending], pa.int64())
        part = self.scratch / f"part-{next(_NAMES)}.parquet"
        self.parts.append(part)
        pq.write_table(pa.table(arrays), part, compression="snappy")
        self.pending.clear()

    def scan(self, path: Path, sha256: str) -> Prescan:
        """Return what was found, once everything is written."""
        self.write()
        return Prescan(sha256, path.stat().st_size, self.records, tuple(self.columns), path, bool(self.faults), 0, ambiguous=self.ambiguous)


def collect(path: Path, form: Format, dialect: Dialect, scratch: Path) -> tuple[Prescan, Collected]:
    """Read a file of JSON lines or a workbook completely.

    Raises
    ------
    InputRefused
        See `read_objects` and `read_sheet`; also too many records or keys, or keys that differ only in capitals.
    """
    if path.stat().st_size == 0:
        raise FileUnread(f"{path}: 0 bytes; remedy: deliver the file again, or none for an empty day")
    collected = Collected(scratch, frozenset(dialect.null_words))
    digest = hashlib.sha256()
    is_json = form.kind == "jsonl"
    found = _objects(path, form, dialect, digest, collected) if is_json else _rows(path, dialect, digest, collected)
    try:
        for record in found:
            collected.records = record.number
            if record.number > dialect.max_records:
                raise too_many_records(path, dialect)
            collected.add(record)
        return collected.scan(path, digest.hexdigest()), collected
    except InputRefused:
        for part in collected.parts:
            part.unlink()
        raise


def _objects(path: Path, form: Format, dialect: Dialect, digest: hashlib._Hash, collected: Collected) -> Iterator[Keyed]:
    known: set[str] = set()
    for record in read_objects(text_chunks(path, form, dialect, digest), path):
        collected.records = record.number
        if record.fault is not None:
            collected.faults.append(Record(record.number, record.line, [], record.fault, record.rule, record.column, record.value))
            continue
        if not record.values.keys() <= known:
            collected.columns.update(dict.fromkeys(name for name in record.values if name not in known))
            if len(collected.columns) > COLUMNS:
                raise InputRefused(f"{path}: its objects have more than {COLUMNS:,} keys; remedy: check the export")
            known = set(checked_names(tuple(collected.columns), path))
        yield record
    if not known:
        raise InputRefused(f"{path}: holds no JSON object; remedy: deliver the file again, or none for an empty day")


def _rows(path: Path, dialect: Dialect, digest: hashlib._Hash, collected: Collected) -> Iterator[Keyed]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    sheet = read_sheet(path, dialect)
    header = checked_header(sheet.header(dialect), path, dialect)
    columns, collected.ambiguous = header.columns, header.ambiguous
    collected.columns.update(dict.fromkeys(columns))
    for record in sheet_records(path, sheet, columns, dialect):
        collected.records = record.number
        if record.fault is not None:
            collected.faults.append(record)
        else:
            yield Keyed(record.number, record.line, dict(zip(columns, record.fields, strict=False)))
