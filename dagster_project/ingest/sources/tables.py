"""Current rows of every stream of one system, kept in one DuckDB file, and the merge of deliveries into them.

Of rows with one key the latest version is current: by version instant, day of delivery, name of the file, number of the record. Each of
these is a maximum, so any order of arrival ends in the same rows. A row whose content is equal keeps the record that brought it first
and only moves in that order. Deleted rows stay, hidden, since they must win over older versions that come late.
It must not run a mapping's SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb

from dagster_project.ingest.conform.rules import Rule
from dagster_project.ingest.landing.inventory import Delivery
from dagster_project.ingest.mapping.limits import Limits
from dagster_project.ingest.readers.source import Source, file_constants
from dagster_project.ingest.sources.delivered import FILE_BITS, add
from dagster_project.ingest.sources.merging import merge
from dagster_project.ingest.sources.results import StreamChange
from dagster_project.ingest.sources.selects import SystemSelects
from dagster_project.ingest.sources.visibility import Visibility
from dagster_project.ingest.sql_text import identifier, literal

DATABASE = "sources"
"""Name under which the file is attached."""
_AT_ONCE = 2_000  # values for which the engine uses an index (its setting index_scan_max_count is 2,048)
_MANY = 20  # of so many rows one: reading the complete table is faster
_OWN = {
    "record_number": "bigint", "row_version": "timestamptz", "row_day": "date", "row_file": "varchar", "row_place": "bigint",
    "row_first": "date", "row_last": "date", "row_hidden": "varchar",
}  # fmt: skip
TEXT = "varchar using compression uncompressed"
"""Type of delivered text: to compress it takes twice the time of writing it, for a fifth of the room (`benchmarks/`, case `tables`)."""
_FILES = "file_no bigint, path varchar, sha256 varchar, delivery_date date"


class SourceTables:
    """The tables of one system on an open connection to which their file is attached; all changes are one transaction.

    Of a file that `is_new` nothing counts before it gets its name: it needs no transaction, and deliveries are written into it at once.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, selects: SystemSelects, limits: Limits, *, is_new: bool = False) -> None:
        """Make the tables of what the run delivers; nothing of a file that is not new changes before `merge`."""
        self.connection = connection
        self.selects = selects
        self.system = selects.system
        self.limits = limits
        self.streams = tuple(sorted(selects.tables))
        self.is_new = is_new
        self._number = {name: at for at, name in enumerate(sorted(self.system.file.streams))}
        self.changes: dict[str, StreamChange] = {}
        self.first: set[str] = set()  # streams of which all rows came in this run
        self.taken: set[str] = set()  # those of them whose delivered rows have become the table
        self._delivered: set[str] = set()
        self.run(f"create or replace temp table delivered_files ({_FILES})")
        for name in self.streams:
            self.run(f"create or replace {'' if is_new else 'temp'} table {self.delta(name)} ({self._columns_sql(name)})")

    def _columns_sql(self, stream: str) -> str:
        columns = [f"{identifier(column)} {TEXT}" for column in self.columns(stream)]
        return ", ".join([*columns, *(f"{column} {kind}" for column, kind in _OWN.items())])

    def _begin(self) -> None:
        """Begin the transaction and make the tables that are missing.

        Files are read before it: within a transaction the engine numbers the rows of a new table in another way.
        """
        if not self.is_new:
            self.run("begin")
        self.run(f"create table if not exists {DATABASE}.meta (state_hash varchar)")
        self.run(f"create table if not exists {DATABASE}.files ({_FILES})")
        self.run(f"create table if not exists {DATABASE}.states (record_number bigint, state varchar, reason varchar)")
        self.run(f"create table if not exists {DATABASE}.refusals (record_number bigint, feed varchar, is_too_late boolean)")
        self.run(f"delete from {DATABASE}.files where file_no in (select file_no from delivered_files)")
        self.run(f"insert into {DATABASE}.files from delivered_files")
        for name in self.streams:
            self.run(f"create table if not exists {self.table(name)} ({self._columns_sql(name)})")
            for part, columns in (("gone", self.followed(name)), ("came", self.columns(name))):
                listed = ", ".join([*(f"{identifier(column)} varchar" for column in columns), "record_number bigint"])
                self.run(f"create or replace temp table {self.temporary(part, name)} ({listed})")
            if not self.is_new:
                self.index(self.table(name))
        self.run("create or replace temp table moved (record_number bigint, was_hidden varchar)")

    def run(self, sql: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        """Execute one statement; what each run executes has no parameters, since with the first one the engine imports pandas."""
        return self.connection.execute(sql, list(parameters))

    def count(self, sql: str) -> int:
        """Return the one number of a query."""
        ((number,),) = self.run(sql).fetchall()
        return int(number)

    def size(self, table: str) -> int:
        """Return the number of rows of a table."""
        return self.count(f"select count(*) from {table}")

    def index(self, table: str) -> None:
        """Make the index of record numbers of a table of the file, where it is missing."""
        name = table.split(".", 1)[1].strip('"')
        self.run(f"create index if not exists {identifier(name + ' by record')} on {table} (record_number)")

    def pick(self, target: str, table: str, numbers: str, columns: str = "*") -> None:
        """Make the temporary table `target` of the rows of a table with an index whose record number is in the query `numbers`.

        A few rows of a large table are found by the index; the engine uses it for a list of constants that is short enough.
        """
        rows = self.size(table)
        self.run(f"create or replace temp table picked as {numbers}")
        if rows and self.size("picked") * _MANY > rows:
            self.run(f"create or replace temp table {target} as select {columns} from {table} where record_number in (from picked)")
            return
        self.run(f"create or replace temp table {target} as select {columns} from {table} limit 0")
        listed = [str(number) for (number,) in self.run("from picked").fetchall()] if rows else []
        for at in range(0, len(listed), _AT_ONCE):
            self.run(f"insert into {target} select {columns} from {table} where record_number in ({', '.join(listed[at : at + _AT_ONCE])})")

    def columns(self, stream: str) -> tuple[str, ...]:
        """Columns that SELECTs read of a stream."""
        return self.system.stream(stream).read_columns

    def followed(self, stream: str) -> Sequence[str]:
        """Columns of a stream of which the walks over SELECTs read what went."""
        return self.selects.followed[stream]

    def hidden(self, stream: str) -> str:
        """Return the SQL of why a row is hidden: constant where the stream hides none, so that nothing of the table is read for it."""
        described = self.system.stream(stream)
        return "row_hidden" if described.deleted or described.needs else "null::varchar"

    def table(self, stream: str) -> str:
        """Return the table of current rows of a stream, hidden ones included."""
        return f"{DATABASE}.{identifier('stream ' + stream)}"

    def delta(self, stream: str) -> str:
        """Return the table of the rows that this run delivers: temporary, or in a new file, where it may become the table itself."""
        if stream in self.taken:
            return self.table(stream)
        return f"{DATABASE}.{self.temporary('delta', stream)}" if self.is_new else self.temporary("delta", stream)

    def temporary(self, part: str, stream: str) -> str:
        """Return a temporary table of this run; `gone` and `came` are the visible rows that the run takes away and brings."""
        return f"{part}_{self._number[stream]}"

    def visible(self, stream: str) -> str:
        """Return the relation that SELECTs see of a stream."""
        listed = ", ".join([*map(identifier, self.columns(stream)), "record_number", *self._of_the_file(stream)])
        return (
            f"(select {listed} from {self.table(stream)} left join {DATABASE}.files on file_no = record_number >> {FILE_BITS}"
            f" where row_hidden is null)"
        )

    def _of_the_file(self, stream: str) -> list[str]:
        values = {"file_name": "parse_filename(path)", "delivery_date": "delivery_date::varchar"}
        return [f"{values[name]} as {name}" for name in file_constants(self.columns(stream))]

    def add(self, delivery: Delivery, source: Source, file_no: int, joined: Collection[str] = ()) -> list[tuple[int, Rule]]:
        """Take in the records of one file; see `delivered.add`."""
        broken = add(self, delivery, source, file_no, joined)
        self._delivered.add(delivery.stream)
        texts = ", ".join(map(literal, (delivery.relative, source.scan.sha256, delivery.delivery_date.isoformat())))
        self.run(f"insert into delivered_files values ({file_no}, {texts})")
        return broken

    def keep(self, paths: Sequence[str], old: str) -> None:
        """Take over from an older file of tables the rows of delivered files that are not in the landing folder any more."""
        listed = ", ".join(map(literal, paths))
        self.run(f"insert into delivered_files select * from {old}.files where path in ({listed})")
        for name in self.streams:
            sql = "select column_name from duckdb_columns() where database_name = ? and table_name = ?"
            known = {column for (column,) in self.run(sql, [old, f"stream {name}"]).fetchall()}
            if known:
                # columns that are read in both; what is hidden is decided again
                shared = [identifier(column) for column in (*self.columns(name), *_OWN) if column in known and column != "row_hidden"]
                numbers = f"select file_no from {old}.files where path in ({listed})"
                rows = f"select {', '.join(shared)} from {old}.{identifier('stream ' + name)}"
                self.run(f"insert into {self.delta(name)} by name {rows} where record_number >> {FILE_BITS} in ({numbers})")
                self._delivered.add(name)

    def merge(self) -> None:
        """Bring the delivered rows into the tables, then decide which rows are hidden; the transaction stays open."""
        self._begin()
        for name in self.streams:
            if name in self._delivered:
                self.changes[name] = merge(self, name)
        Visibility(self).update()

    def note_affected(self, name: str, keys: str) -> None:
        """Keep the keys of the rows that came, went or moved, where rows of another stream need them."""
        if any(name in self.system.stream(other).needs.values() for other in self.streams):
            self.run(f"create or replace temp table {self.temporary('affected_keys', name)} as {keys}")

    def state_hash(self) -> str | None:
        """Return what names the state of the tables as they were last committed."""
        rows = self.run(f"select state_hash from {DATABASE}.meta").fetchall()
        return str(rows[0][0]) if rows else None

    def commit(self, state_hash: str) -> None:
        """Make everything durable under this name."""
        for name in self.streams if self.is_new else ():
            if name not in self.taken:
                self.run(f"drop table {self.delta(name)}")
            self.index(self.table(name))
        self.run(f"delete from {DATABASE}.meta")
        self.run(f"insert into {DATABASE}.meta values ({literal(state_hash)})")
        if not self.is_new:
            self.run("commit")


def database_of(folder: Path, system: str) -> Path:
    """Return the file of a system's tables."""
    return folder / f"{system}.duckdb"
