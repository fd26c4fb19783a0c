"""Current rows of every stream of one system, kept in one DuckDB file, and the merge of deliveries into them.

Of rows with one key the latest version is current: by version instant, day of delivery, name of the file, number of the record. Each of
these is a maximum, so any order of arrival ends in the same rows. A row whose content is equal keeps the record that brought it first
and only moves in that order. Deleted rows stay, hidden, since they must win over older versions that come late.
It must not run a mapping's SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import duckdb

from dagster_project.ingest.conform.rules import Rule
from dagster_project.ingest.landing.inventory import Delivery
from dagster_project.ingest.mapping.limits import Limits
from dagster_project.ingest.mapping.systems import System
from dagster_project.ingest.readers.source import Source, file_constants
from dagster_project.ingest.sources.delivered import FILE_BITS, add
from dagster_project.ingest.sources.first_load import is_first, key_sql, take_all
from dagster_project.ingest.sources.results import StreamChange
from dagster_project.ingest.sources.visibility import Visibility
from dagster_project.ingest.sql_text import identifier, literal

DATABASE = "sources"
"""Name under which the file is attached."""
_ORDER = ("row_version", "row_day", "row_file", "row_place")
_AT_ONCE = 2_000  # values for which the engine uses an index (its setting index_scan_max_count is 2,048)
_MANY = 20  # of so many rows one: reading the complete table is faster
_SPAN = ("row_first", "row_last")
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

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, system: System, streams: Sequence[str], limits: Limits, *, is_new: bool = False
    ) -> None:
        """Make the tables of what the run delivers; nothing of a file that is not new changes before `merge`."""
        self.connection = connection
        self.system = system
        self.limits = limits
        self.streams = tuple(streams)
        self.is_new = is_new
        self._number = {name: at for at, name in enumerate(sorted(system.file.streams))}
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
            listed = ", ".join([*(f"{identifier(column)} varchar" for column in self.columns(name)), "record_number bigint"])
            for part in ("gone", "came"):
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

    def pick(self, target: str, table: str, numbers: str) -> None:
        """Make the temporary table `target` of the rows of a table with an index whose record number is in the query `numbers`.

        A few rows of a large table are found by the index; the engine uses it for a list of constants that is short enough.
        """
        rows = self.size(table)
        self.run(f"create or replace temp table picked as {numbers}")
        if rows and self.size("picked") * _MANY > rows:
            self.run(f"create or replace temp table {target} as select * from {table} where record_number in (from picked)")
            return
        self.run(f"create or replace temp table {target} as select * from {table} limit 0")
        listed = [str(number) for (number,) in self.run("from picked").fetchall()] if rows else []
        for at in range(0, len(listed), _AT_ONCE):
            self.run(f"insert into {target} select * from {table} where record_number in ({', '.join(listed[at : at + _AT_ONCE])})")

    def columns(self, stream: str) -> tuple[str, ...]:
        """Columns that SELECTs read of a stream."""
        return self.system.stream(stream).read_columns

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
                self.changes[name] = self._merge_one(name)
        Visibility(self).update()

    def _merge_one(self, name: str) -> StreamChange:
        stream, table, delta = self.system.stream(name), self.table(name), self.delta(name)
        gone, came = self.temporary("gone", name), self.temporary("came", name)
        columns = ", ".join([*map(identifier, self.columns(name)), "record_number"])
        key = tuple(dict.fromkeys((*stream.complete_per, *stream.key)))
        if not key:
            added = self.count(f"select count(*) from {delta}")
            self.run(f"insert into {table} from {delta}")
            self.run(f"insert into {came} select {columns} from {delta}")
            return StreamChange(0, added, 0)
        if is_first(self, name, key):
            return take_all(self, name, key)
        scope = stream.complete_per or key
        same_scope = _equal("held", "delta", scope, stream.key_defaults)
        # only the keys of the table are read: one statement for both would read every column of it
        same = f"exists (select 1 from {delta} as delta where {same_scope})"
        self.pick("held", table, f"select held.record_number from {table} as held where {same}")
        candidates = f"(select *, false as is_new from held union all select *, true as is_new from {delta})"
        if stream.complete_per:
            per = key_sql(stream.complete_per, stream.key_defaults)
            candidates = f"(select * from {candidates} qualify row_day = max(row_day) over (partition by {per}))"
        tied = 0
        listed, by = ", ".join(map(identifier, key)), key_sql(key, stream.key_defaults)
        if stream.key:
            order = "row_version desc nulls last, row_day desc, row_file desc, row_place desc"
            latest = f"row_number() over (partition by {by} order by {order}) = 1"
            # the first day of the latest version: a copy of it, or an older version, says nothing of the children
            last = (
                f"case when row_version is null then max(row_last) over (partition by {by})"
                f" else min(row_last) over (partition by {by}, row_version) end"
            )
            span = f"min(row_first) over (partition by {by}) as row_first, {last} as row_last"
            self.run(f"create or replace temp table winner as select * replace ({span}), 1 as copy from {candidates} qualify {latest}")
            tied = self._tied(name, candidates, key)
        else:
            alike = ", ".join(map(identifier, self.columns(name)))
            copy = f"row_number() over (partition by {alike}, is_new order by row_file, row_place)"
            self.run(f"create or replace temp table winner as select *, {copy} as copy from {candidates}")
        same = _equal("held", "winner", self.columns(name))
        numbered = "held"
        if not stream.key:
            alike = ", ".join(map(identifier, self.columns(name)))
            numbered = f"(select *, row_number() over (partition by {alike} order by row_file, row_place) as copy from held)"
            # rows that stay are themselves; a later day's set is paired with what was there, row by row of equal ones
            same += (
                " and case when winner.is_new then held.row_day < winner.row_day and held.copy = winner.copy"
                " else held.record_number = winner.record_number end"
            )
        moves = ", ".join(f"winner.{column}" for column in (*_ORDER, *_SPAN))
        self.run(
            f"create or replace temp table kept as select held.record_number as record_number, winner.record_number as winning, {moves}"
            f" from {numbered} as held inner join winner on {same}"
        )
        self.run(f"create or replace temp table {self.temporary('kept', name)} as select record_number from kept")
        # a held row that is not kept is gone; a winner that is no kept row is new; a kept one may have moved in the order
        self.run(f"delete from {table} where record_number in (select record_number from held)")
        self.run(
            f"insert into {table} select held.* replace ({', '.join(f'kept.{column} as {column}' for column in (*_ORDER, *_SPAN))})"
            " from held inner join kept on held.record_number = kept.record_number"
        )
        self.run(
            f"insert into {table} select * exclude (is_new, copy) replace (null::varchar as row_hidden) from winner"
            " where record_number not in (select winning from kept)"
        )
        lost = "from held where record_number not in (select record_number from kept)"
        self.run(f"insert into {gone} select {columns} {lost} and row_hidden is null")
        self.run(f"insert into moved select record_number, row_hidden {lost}")
        self.run(f"insert into {came} select {columns} from winner where record_number not in (select winning from kept)")
        counts = [self.count(f"select count(*) {lost}"), self.count(f"select count(*) from {came}")]
        self.note_affected(name, f"select {listed} from held union select {listed} from winner")
        return StreamChange(counts[0], counts[1], tied)

    def note_affected(self, name: str, keys: str) -> None:
        """Keep the keys of the rows that came, went or moved, where rows of another stream need them."""
        if any(name in self.system.stream(other).needs.values() for other in self.streams):
            self.run(f"create or replace temp table {self.temporary('affected_keys', name)} as {keys}")

    def _tied(self, name: str, candidates: str, key: Sequence[str]) -> int:
        """Count keys of which several rows differ though version (without one: day) is the same latest one."""
        by = "row_version" if self.system.stream(name).version else "row_day"
        listed = key_sql(key, self.system.stream(name).key_defaults)
        content = f"hash({', '.join(map(identifier, self.columns(name)))})"
        latest = f"select *, {content} as content from {candidates} qualify {by} = max({by}) over (partition by {listed})"
        return self.count(
            f"select count(*) from (select 1 from ({latest}) group by {listed} having count(distinct content) > 1 and bool_or(is_new))"
        )

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


def _equal(left: str, right: str, columns: Sequence[str], defaults: Mapping[str, str] = MappingProxyType({})) -> str:
    return " and ".join(
        f"{key_sql([column], defaults, left)} is not distinct from {key_sql([column], defaults, right)}" for column in columns
    )


def database_of(folder: Path, system: str) -> Path:
    """Return the file of a system's tables."""
    return folder / f"{system}.duckdb"
