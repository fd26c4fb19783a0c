"""A delivered file as a relation: the engine's own reader where the file is well formed, the exact reader where it is not.

Holds reading only: every column is text. It must not cast, map or write. Whatever the engine reads is compared with the
count of the pre-scan; where they differ the exact reader decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.errors import FileUnread
from dagster_project.ingest.readers.archives import format_within
from dagster_project.ingest.readers.collecting import LINE, NUMBER, collect
from dagster_project.ingest.readers.decoding import text_chunks
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.formats import format_of
from dagster_project.ingest.readers.parquet_columns import odd_columns
from dagster_project.ingest.readers.prescan import Prescan, copy_of, prescan_text
from dagster_project.ingest.readers.records import Record, read_records
from dagster_project.ingest.sql_text import identifier, literal

_ENGINE_LINE_BYTES = 2_000_000
_BATCH_RECORDS = 50_000
CONSTANTS = ("file_name", "delivery_date")
"""Columns that a SELECT may read besides those of the file: its name without folders, and its day of delivery (YYYY-MM-DD), as text."""
LISTED_LIMIT = 10_000  # refused records kept per feed and file; the counts are complete


def file_constants(columns: Iterable[str]) -> tuple[str, ...]:
    """Return those of `CONSTANTS` that these columns leave free: a column that the stream has itself goes before."""
    own = {name.lower() for name in columns}
    return tuple(name for name in CONSTANTS if name not in own)


@dataclass
class Source:
    """One file ready to be read. `faults` are records of wrong form, found by the exact reader."""

    path: Path
    relative: str
    dialect: Dialect
    scratch: Path
    scan: Prescan
    is_parquet: bool = False
    loaded: frozenset[str] | None = None  # columns of the relation `source` once it is made
    faults: tuple[Record, ...] = ()
    parts: tuple[Path, ...] = ()  # of a file that our own reader collected
    _number: str = ""  # what adds `record_number` to the table `delivered`, where it has none

    @property
    def is_as_counted(self) -> bool:
        """Whether the engine may read the file itself: nothing speaks against its reader, and no record was taken out."""
        return not self.scan.needs_exact_reader and self.loaded is None

    @property
    def relation(self) -> str:
        """Return the SQL of the file as it is, every column text."""
        columns = self.scan.columns
        file = literal(str(self.scan.readable))
        if self.parts:
            return f"(select {', '.join(map(identifier, columns))} from {self._parts_sql})"
        if self.is_parquet:
            return (
                f"(select {', '.join(f'{identifier(name)}::varchar as {identifier(name)}' for name in columns)} from read_parquet({file}))"
            )
        typed = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
        nulls = ", ".join(map(literal, self.dialect.null_words))
        room = ", compression = 'gzip'" if self.scan.is_packed else ""
        if self.scan.longest_line >= _ENGINE_LINE_BYTES:
            room += f", max_line_size = {self.scan.longest_line + 1_024}, buffer_size = {max(32_000_000, 4 * self.scan.longest_line)}"
        delimiter, quote = literal(self.dialect.delimiter or ","), literal(self.dialect.quote)
        return (
            f"read_csv({file}, auto_detect = false, header = true, delim = {delimiter}, quote = {quote}, escape = {quote},"
            f" columns = {{{typed}}}, nullstr = [{nulls}], strict_mode = true{room})"
        )

    @property
    def _parts_sql(self) -> str:
        return f"read_parquet([{', '.join(literal(str(part)) for part in self.parts)}], union_by_name = true)"

    def discard(self) -> None:
        """Remove what was written to the scratch folder for this file."""
        for path in {*self.parts, self.scan.readable, copy_of(self.path, self.scratch)} - {self.path}:
            path.unlink(missing_ok=True)

    def _text(self) -> Path:
        """Return the file as plain text, for the exact reader."""
        if not self.scan.is_packed:
            return self.scan.readable
        copy = copy_of(self.path, self.scratch)
        if not copy.exists():
            with copy.open("wb") as file:
                file.writelines(text_chunks(self.path, format_of(self.path.name, self.path), self.dialect, hashlib.sha256()))
        return copy

    def load(self, connection: duckdb.DuckDBPyConnection, columns: Sequence[str] = ()) -> None:
        """Make the temporary relation `source`: the named columns (none named: all), null where the file lacks one, and `record_number`.

        Raises
        ------
        InputRefused
            The exact reader, which decides where the engine's does not agree with the count, refuses the file (see `records`).
        """
        named = columns or self.scan.columns
        wanted = self.wanted(named)
        if self.loaded is None or not self.loaded.issuperset(wanted):
            self._fill(connection, wanted)
        connection.execute(f"create or replace temp view source as select *{self._others(named, columns)}{self._number} from delivered")

    def show(self, connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> None:
        """Make the relation `source` over the file itself. It gives no `record_number`: asking for one is an error of the engine."""
        listed = ", ".join(map(identifier, self.wanted(columns)))
        number = "error('a record has its number only in a table')::bigint as record_number"
        connection.execute(
            f"create or replace temp view source as select {listed}{self._others(columns, columns)}, {number} from {self.relation}"
        )

    def wanted(self, columns: Iterable[str]) -> list[str]:
        """Return those of the columns that the file has, as its header spells them."""
        named = {name.lower() for name in columns}
        return [name for name in self.scan.columns if name.lower() in named]

    def _others(self, columns: Iterable[str], selected: Sequence[str]) -> str:
        """Return the columns that are not in the file: null where it lacks one, and its constants where columns were `selected`."""
        found = {name.lower() for name in self.scan.columns}
        lacking = {name: "null" for name in columns if name.lower() not in found}
        *_, day, file = ("", *self.relative.split("/"))
        values = {"file_name": literal(file), "delivery_date": literal(day) if day else "null"}
        constants = {name: values[name] for name in file_constants(selected)} if selected else {}
        return "".join(f", {value}::varchar as {identifier(name)}" for name, value in (lacking | constants).items())

    def _fill(self, connection: duckdb.DuckDBPyConnection, wanted: Sequence[str]) -> None:
        """Make the temporary table `delivered`; its rows are in the order of the file, so the engine's row ids number the records."""
        self._number = ", rowid + 1 as record_number"
        self.loaded = frozenset(wanted)
        listed = ", ".join(map(identifier, wanted))
        if self.parts:
            self._number = ""
            connection.execute(f"create or replace temp table delivered as select {listed}, {NUMBER} from {self._parts_sql}")
            return
        if not self.scan.needs_exact_reader:
            try:
                rows = f"create or replace temp table delivered as select {listed} from {self.relation}"
                if connection.execute(rows).fetchone() == (self.scan.records,):
                    return
            except duckdb.Error as error:
                if self.is_parquet or isinstance(error, (duckdb.OutOfMemoryException, duckdb.IOException)):
                    raise
        self._load_exactly(connection)

    def _load_exactly(self, connection: duckdb.DuckDBPyConnection) -> None:
        columns = self.scan.columns
        nulls = set(self.dialect.null_words)
        listed = ", ".join(f"{identifier(name)} varchar" for name in columns)
        connection.execute(f"create or replace temp table delivered ({listed}, record_number bigint)")
        self._number, self.loaded = "", frozenset(columns)
        faults: list[Record] = []
        pending: list[Record] = []
        records = 0

        def write() -> None:
            data = {
                name: pa.array([None if record.fields[at] in nulls else record.fields[at] for record in pending], pa.string())
                for at, name in enumerate(columns)
            }
            connection.register(
                "exact_records", pa.table({**data, "record_number": pa.array([record.number for record in pending], pa.int64())})
            )
            connection.execute("insert into delivered select * from exact_records")
            connection.unregister("exact_records")
            pending.clear()

        for record in read_records(self._text(), self.path, self.dialect, len(columns)):
            records = record.number
            (faults if record.fault else pending).append(record)
            if len(pending) >= _BATCH_RECORDS:
                write()
        write()
        self.faults = tuple(faults)
        self.scan = replace(self.scan, records=records)

    def set_aside(self, connection: duckdb.DuckDBPyConnection, columns: Iterable[str], rule: str, fault: str) -> None:
        """Take the records that fill one of the columns out of `source`; they become faults of this rule."""
        self.load(connection)
        filled = " or ".join(f"{identifier(name)} is not null" for name in columns)
        taken = {number for (number,) in connection.execute(f"select record_number from source where {filled}").fetchall()}
        connection.execute(f"delete from delivered where {filled}")
        found = self.lines(set(sorted(taken)[:LISTED_LIMIT]))
        aside = [replace(found.get(number, Record(number, 0, [])), fault=fault, rule=rule) for number in sorted(taken)]
        self.faults = (*self.faults, *aside)

    def lines(self, numbers: set[int]) -> dict[int, Record]:
        """Return the records of the given numbers with their lines; empty for Parquet, which has no lines."""
        if self.is_parquet or not numbers:
            return {}
        if self.parts:
            rows = [row for part in self.parts for row in pq.read_table(part, filters=[(NUMBER, "in", numbers)]).to_pylist()]
            return {row[NUMBER]: Record(row[NUMBER], row[LINE], [row.get(name) for name in self.scan.columns]) for row in rows}
        last = max(numbers)
        found: dict[int, Record] = {}
        for record in read_records(self._text(), self.path, self.dialect, len(self.scan.columns)):
            if record.number in numbers:
                found[record.number] = record
            if record.number >= last:
                break
        return found


def open_source(connection: duckdb.DuckDBPyConnection, path: Path, relative: str, dialect: Dialect, scratch: Path) -> Source:
    """Scan a delivered file.

    Raises
    ------
    InputRefused
        The format is not supported, the file changed while it was read, or its scan refuses it.
    """
    before = path.stat()
    form = format_within(path, dialect.max_bytes)
    dialect = dialect.model_copy(update={"delimiter": dialect.delimiter or form.delimiter})
    if form.kind == "parquet":
        source = Source(path, relative, dialect, scratch, _scan_parquet(connection, path), is_parquet=True)
    elif form.kind == "text":
        source = Source(path, relative, dialect, scratch, prescan_text(path, dialect, scratch))
    else:
        scan, collected = collect(path, form, dialect, scratch)
        source = Source(path, relative, dialect, scratch, scan, faults=tuple(collected.faults), parts=tuple(collected.parts))
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        source.discard()
        raise FileUnread(f"{path}: changed while it was read; remedy: deliver under a name ending .part and rename when complete")
    return source


def _scan_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> Prescan:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        columns = tuple(row[0] for row in connection.execute(f"describe select * from read_parquet({literal(str(path))})").fetchall())
        odd = odd_columns(path, columns)
        records = connection.execute(f"select num_rows from parquet_file_metadata({literal(str(path))})").fetchone()
    except (duckdb.Error, pa.ArrowException) as error:
        raise FileUnread(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]}); remedy: deliver the file again") from error
    return Prescan(sha256, path.stat().st_size, int(records[0]) if records else 0, columns, path, False, 0, odd=odd)
