"""What the feeds of a system held of some records against what these records make now: rows to write, keys to take back.

Holds the index of what each record has emitted, kept in the file of the source tables, and the comparison. Of several records with one
key the latest is shown. It must not map a row.
"""

from __future__ import annotations

from dagster_project.contracts.model import load_contract
from dagster_project.ingest.conform.feed_batch import PARQUET
from dagster_project.ingest.sources.made_rows import MadeRows, Part
from dagster_project.ingest.sources.results import FeedChange
from dagster_project.ingest.sources.tables import DATABASE, TEXT, SourceTables
from dagster_project.ingest.sql_text import identifier, literal

_SEPARATOR = "chr(31)"


class Comparison:
    """The comparison of one run; `streams` are those that make feeds."""

    def __init__(self, tables: SourceTables, streams: list[str], rows: MadeRows) -> None:
        self.tables, self.streams, self.rows = tables, streams, rows
        self.system = rows.system

    def _emitted(self, feed: str) -> str:
        return f"{DATABASE}.{identifier('feed ' + feed)}"

    def prepare(self) -> None:
        """Make the index of each feed where it is missing."""
        for name in self.streams:
            for feed in self.system.stream(name).feeds:
                self.tables.run(
                    f"create table if not exists {self._emitted(feed)} (stream varchar, row_key {TEXT}, row_hash bigint,"
                    f" record_number bigint,"
                    " is_shown boolean)"
                )

    def _records(self, feed: str) -> str:
        """Return the query of the records whose rows of a feed this run makes again or takes away; a number is of one stream only."""
        names = [name for name in self.streams if feed in self.system.stream(name).feeds]
        tables = [table for name in names for table in (self.rows.affected(name), self.tables.temporary("gone", name))]
        return " union ".join(f"select record_number from {table}" for table in tables)

    def _gone(self, feed: str) -> str:
        """Return the temporary table of the rows that these records had made before; `closed_over_keys` makes it."""
        return f"gone_rows_{feed}"

    def _fresh(self, feed: str) -> str:
        """Return the rows of all parts of a feed: stream, part, place, key, hash, record, instant of the version."""
        contract = load_contract(feed)
        key = f" || {_SEPARATOR} || ".join(f"{name}::varchar" for name in contract.primary_key)  # a key is never lacking
        selects = []
        for part in self.rows.parts[feed]:
            has_version = "source_updated_at" in contract.names and "source_updated_at" not in part.batch.lacks
            version = "source_updated_at" if has_version else "null::timestamptz"
            selects.append(
                f"select {literal(part.stream)} as stream, {part.number} as part, file_row_number as place, {key} as row_key, row_hash,"
                f" record_number, {version} as updated_at from read_parquet({literal(str(part.batch.temporary))}, file_row_number = true)"
            )
        if not selects:
            return (
                "(select null::varchar as stream, 0 as part, 0::bigint as place, null::varchar as row_key, null::bigint as row_hash,"
                " null::bigint as record_number, null::timestamptz as updated_at where false)"
            )
        return f"({' union all '.join(selects)})"

    def closed_over_keys(self) -> set[str]:
        """Add records that are not affected but emit a key that is; return the streams to map again."""
        again: set[str] = set()
        for feed in {feed for name in self.streams for feed in self.system.stream(name).feeds}:
            if self.tables.is_new:  # nothing was emitted before
                self.tables.run(f"create or replace temp table {self._gone(feed)} as select * from {self._emitted(feed)}")
                continue
            # read whole, without an index of record numbers: what it holds is narrow, and its keys are read for the others in any case
            gone = f"select * from {self._emitted(feed)} where record_number in ({self._records(feed)})"
            self.tables.run(f"create or replace temp table {self._gone(feed)} as {gone}")
            keys = f"select row_key from {self._gone(feed)} union select row_key from {self._fresh(feed)}"
            others = self.tables.run(
                f"select stream, record_number from {self._emitted(feed)} where row_key in ({keys})"
                f" and record_number not in ({self._records(feed)})"
            ).fetchall()
            for name, number in others:
                affected = self.rows.affected(name)
                self.tables.run(f"insert into {affected} select ? where ? not in (from {affected})", [number, number])
                again.add(name)
        return again

    def difference(self, feed: str) -> FeedChange | None:
        """Compare the rows of a feed with those it held, write what differs and what is taken back."""
        run, emitted, gone = self.tables.run, self._emitted(feed), self._gone(feed)
        run(f"create or replace temp table fresh_rows as select *, true as is_shown from {self._fresh(feed)}")
        fresh, before = self.tables.size("fresh_rows"), self.tables.size(gone)
        if not fresh and not before:
            return None
        if fresh and self.tables.count("select count(distinct hash(row_key)) from fresh_rows") < fresh:
            self._choose_latest(feed)
        wanted = "select part, place from fresh_rows where is_shown"
        if before:
            wanted += (
                f" and not exists (select 1 from {gone} as gone where gone.is_shown and gone.row_key = fresh_rows.row_key"
                " and gone.row_hash = fresh_rows.row_hash)"
            )
        run(f"create or replace temp table written_rows as {wanted}")
        lost = f"select distinct row_key from {gone} where is_shown and row_key not in (select row_key from fresh_rows where is_shown)"
        run(f"create or replace temp table withdrawn_keys as {lost if before else f'select row_key from {gone}'}")
        written, withdrawn = self.tables.size("written_rows"), self.tables.size("withdrawn_keys")
        change = self._change(feed, written, withdrawn) if written or withdrawn else None
        if before:
            run(f"delete from {emitted} where record_number in (select record_number from {gone})")
        run(f"insert into {emitted} select stream, row_key, row_hash, record_number, is_shown from fresh_rows")
        return change

    def _choose_latest(self, feed: str) -> None:
        """Of several records with one key the latest is shown: by version, day, file, place, like rows of one stream."""
        names = [name for name in self.streams if feed in self.system.stream(name).feeds]
        places = " union all ".join(
            f"select {literal(name)} as stream, record_number, row_version, row_day, row_file, row_place from {self.tables.table(name)}"
            for name in names
        )
        self.tables.run(
            "create or replace temp table fresh_rows as select fresh_rows.* exclude (is_shown), row_number() over (partition by"
            " row_key order by"
            " updated_at desc nulls last, row_version desc nulls last, row_day desc, row_file desc, row_place desc,"
            " fresh_rows.stream, part, place) = 1"
            f" as is_shown from fresh_rows left join ({places}) as places"
            " on places.stream = fresh_rows.stream and places.record_number = fresh_rows.record_number"
        )

    def _change(self, feed: str, written: int, withdrawn: int) -> FeedChange:
        contract = load_contract(feed)
        path = self.rows.lake / feed / f"{self.rows.batch_id(feed)}.tmp"
        parts = self.rows.parts[feed]
        lacks = tuple(name for name in contract.names if parts and all(name in part.batch.lacks for part in parts))
        columns = [*(name for name in contract.names if name not in lacks), "record_number", "delivery_date", "row_hash"]
        selects = [
            f"select {', '.join(_stored(part, name) for name in columns)}"
            f" from read_parquet({literal(str(part.batch.temporary))}, file_row_number = true)"
            f" where file_row_number in (select place from written_rows where part = {part.number})"
            for part in parts
        ]
        if len(parts) == 1 and written == parts[0].batch.written:
            parts[0].batch.temporary.rename(path)
        elif selects:
            self.tables.run(f"copy ({' union all '.join(selects)}) to {literal(str(path))} ({PARQUET})")
        else:
            nothing = ", ".join(
                f"null::{kind} as {name}"
                for name, kind in {**contract.types, "record_number": "bigint", "delivery_date": "date", "row_hash": "bigint"}.items()
            )
            self.tables.run(f"copy (select {nothing} where false) to {literal(str(path))} ({PARQUET})")
        withdrawn_path = None
        if withdrawn:
            withdrawn_path = path.with_name(f"{path.stem}-withdrawn.tmp")
            split = f"string_split(row_key, {_SEPARATOR})"
            keys = ", ".join(f"({split})[{at}]::{contract.types[name]} as {name}" for at, name in enumerate(contract.primary_key, start=1))
            self.tables.run(f"copy (select {keys} from withdrawn_keys) to {literal(str(withdrawn_path))} ({PARQUET})")
        return FeedChange(feed, path, written, withdrawn, withdrawn_path, lacks)


def _stored(part: Part, column: str) -> str:
    """Return the SQL of a column of a part; what is null in each of its rows is not in its file."""
    return f"null::{part.batch.contract.types[column]} as {column}" if column in part.batch.lacks else column
