"""What a run changes in the feeds of one system: rows that are new or different, and keys that are withdrawn.

The records that the run's deliveries can reach are mapped again, and what comes of them is compared with what the feed held of them.
Holds the mapping over source tables, the comparison, and the state of every record: loaded, waiting, excluded, quarantined.
It must not write into the ledger; the caller accepts or drops everything at once.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.contracts.model import Contract, load_contract
from dagster_project.errors import UsageError
from dagster_project.ingest.conform.casting import Casting, casting
from dagster_project.ingest.conform.feed_batch import PARQUET, FeedBatch, copy_rows
from dagster_project.ingest.conform.quarantine import key_sql, quarantined
from dagster_project.ingest.mapping.sandbox import LEFT_OUT
from dagster_project.ingest.mapping.systems import System
from dagster_project.ingest.readers.source import LISTED_LIMIT, Source
from dagster_project.ingest.sources.affected import Walk
from dagster_project.ingest.sources.selects import SystemSelects
from dagster_project.ingest.sources.tables import DATABASE, FILE_BITS, WAITS, SourceTables
from dagster_project.ingest.sql_text import identifier, literal
from dagster_project.ledger.entries import QuarantinedRecord

_MANY = 3  # above a third of a stream's rows everything is mapped: finding the rows would cost more than it saves
_SMALL = 100_000  # rows; above, a second pass over the mapping is worth avoiding
_PLACE = (1 << FILE_BITS) - 1
_SEPARATOR = "chr(31)"


@dataclass
class FeedChange:
    """What one feed gets: `rows` with the Parquet file of new and different rows, `withdrawn` with that of the keys taken back."""

    feed: str
    path: Path
    rows: int
    withdrawn: int
    withdrawn_path: Path | None


@dataclass
class FileCounts:
    """How the numbers of records of one file in each state move; of a file of this run they start at nothing."""

    loaded: int = 0
    superseded: int = 0
    quarantined: int = 0
    waiting: int = 0


@dataclass
class SystemChange:
    """Everything a run makes of one system; `refused_by_feed` counts, per file, the records of this run that a feed refuses."""

    feeds: list[FeedChange] = field(default_factory=list)
    moves: dict[int, FileCounts] = field(default_factory=dict)
    quarantine: dict[int, list[QuarantinedRecord]] = field(default_factory=lambda: defaultdict(list))
    resolved: list[tuple[int, str, int]] = field(default_factory=list)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused_by_feed: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    warnings: list[str] = field(default_factory=list)
    mapped: Counter[str] = field(default_factory=Counter)
    derived: list[str] = field(default_factory=list)
    nameless: int = 0  # rows of forgotten persons that came again


class _Part:
    """Typed rows of one stream for one feed."""

    def __init__(self, number: int, stream: str, batch: FeedBatch) -> None:
        self.number, self.stream, self.batch = number, stream, batch


class FeedChanges:
    """The mapping of one run over the merged tables of a system."""

    def __init__(
        self,
        tables: SourceTables,
        selects: SystemSelects,
        lake: Path,
        sources: Mapping[int, Source],
        token: str,
        clean: Callable[[FeedBatch], int] = lambda _: 0,
    ) -> None:
        """Keep the merged tables, the files of this run by number, what names the run's batches, and what removes forgotten persons."""
        self.tables, self.selects, self.lake, self.sources, self.token, self.clean = tables, selects, lake, sources, token, clean
        self.system: System = selects.system
        self.result = SystemChange()
        self.parts: dict[str, list[_Part]] = defaultdict(list)
        self._parts = 0
        self._all: set[str] = set()
        self._broken: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))  # by stream and record, the feeds
        self._listed: dict[tuple[str, str], list[QuarantinedRecord]] = {}
        self._numbers: dict[tuple[str, str], list[int]] = {}

    @property
    def streams(self) -> list[str]:
        """Streams of the tables that make feeds."""
        return [name for name in self.tables.streams if self.system.stream(name).feeds]

    def run(self, *, everything: bool = False) -> SystemChange:
        """Map what changed and compare it; the tables must be merged.

        Raises
        ------
        UsageError
            A mapping returns a record twice, or its SQL fails on a value.
        """
        for name in self.streams:
            self._find_affected(name, everything=everything)
        self._make_emitted()
        todo = [name for name in self.streams if self._size(self._affected(name)) or self._gone_records(name)]
        for name in todo:
            self._map(name)
        while again := self._closed_over_keys():
            for name in again:
                self._map(name)
        for feed in sorted({feed for name in self.streams for feed in self.system.stream(name).feeds}):
            self._settle(feed)
        self._count_states(todo, everything=everything)
        return self.result

    # which records are mapped -------------------------------------------------------------------------------------------------

    def _affected(self, stream: str) -> str:
        return self.tables.temporary("affected", stream)

    def _size(self, table: str) -> int:
        return self.tables.count(f"select count(*) from {table}")

    def _gone_records(self, stream: str) -> int:
        return self._size(self.tables.temporary("gone", stream))

    def _find_affected(self, name: str, *, everything: bool) -> None:
        target, table = self._affected(name), self.tables.table(name)
        self.tables.run(f"create or replace temp table {target} (record_number bigint)")
        is_all = everything
        for feed in self.system.stream(name).feeds:
            if is_all:
                break
            found = self.selects.dependencies(name, feed)
            if not Walk(self.tables, self.system, name, found).reach(target):
                self.result.derived.append(
                    f"{self.system.name}/{name}: {feed} depends on any row of another stream, so all its rows are mapped"
                )
                is_all = True
        visible = self.tables.count(f"select count(*) from {table} where row_hidden is null")
        if is_all or self._size(target) * _MANY > visible:
            self._all.add(name)
            self.tables.run(f"create or replace temp table {target} as select record_number from {table} where row_hidden is null")

    # mapping ------------------------------------------------------------------------------------------------------------------

    def _map(self, name: str) -> None:
        """Map the affected records of a stream anew into parts; earlier parts of the stream are dropped."""
        for feed in self.system.stream(name).feeds:
            for part in self.parts[feed]:
                if part.stream == name:
                    part.batch.temporary.unlink(missing_ok=True)
            self.parts[feed] = [part for part in self.parts[feed] if part.stream != name]
        self._broken[name].clear()
        run = self.tables.run
        run(f"create or replace temp table {self.tables.temporary('excluded', name)} (record_number bigint, reason varchar)")
        target = self._affected(name)
        count = self._size(target)
        self.result.mapped[name] = count
        if not count:
            return
        for feed in self.system.stream(name).feeds:
            self._map_feed(name, feed, target)
        self._account(name)

    def _show(self, name: str, feed: str, target: str) -> None:
        """Make the relations that the SELECT reads: complete, or only the rows that the affected records need."""
        found = self.selects.dependencies(name, feed)
        everything = dict.fromkeys({"source", *self.tables.streams})
        needed: Mapping[str, str | None] = (
            everything if name in self._all or found.is_global else Walk(self.tables, self.system, name, found).fetch(target)
        )
        for relation in {"source", *self.system.file.streams}:
            stream = name if relation == "source" else relation
            if stream not in self.tables.streams:
                listed = ", ".join(
                    [*(f"null::varchar as {identifier(column)}" for column in self.tables.columns(stream)), "null::bigint as record_number"]
                )
                sql = f"select {listed} where false"
            else:
                sql = f"select * from {self.tables.visible(stream)}"
                if (table := needed.get(relation)) is not None:
                    sql += f" where record_number in (from {table})"
                elif relation not in needed:
                    sql += " where false"
            self.tables.run(f"create or replace temp view {identifier(relation)} as {sql}")

    def _map_feed(self, name: str, feed: str, target: str) -> None:
        select, contract = self.selects.select(name, feed), load_contract(feed)
        stream = self.system.stream(name)
        self._show(name, feed, target)
        run = self.tables.run
        types = {column: kind for column, kind in select.types.items() if column != LEFT_OUT}
        plan = casting(contract, types, zone=stream.time_zone or self.system.time_zone, dialect=stream, is_dated=True)
        path = self.system.sql_path(name, feed)
        try:
            relation = f"({select.sql}\n)"
            if name not in self._all:
                relation = f"(select * from {relation} as made where record_number in (from {target}))"
            if LEFT_OUT in select.types:
                run(f"create or replace temp table mapped as select * from {relation} as made")
                if stream.feeds[feed].records:
                    excluded = self.tables.temporary("excluded", name)
                    run(f"insert into {excluded} select record_number, {LEFT_OUT} from mapped where {LEFT_OUT} is not null")
                relation = f"(select * exclude ({LEFT_OUT}) from mapped where {LEFT_OUT} is null)"
            relation = (
                f"(select made.*, files.delivery_date from {relation} as made"
                f" left join {DATABASE}.files on files.file_no = made.record_number >> {FILE_BITS})"
            )
            self._write(name, feed, contract, plan, relation, expected=self._size(target))
        except (duckdb.DataError, duckdb.InvalidInputException) as error:
            raise UsageError(
                f"mapping {path}: {str(error).splitlines()[0]}; remedy: cast with try_cast or try_strptime, so that the record can be named"
            ) from error

    def _write(self, name: str, feed: str, contract: Contract, plan: Casting, relation: str, *, expected: int) -> None:
        self._parts += 1
        folder = self.lake / feed
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"part-{self._parts}-{self._batch_id(feed)}.tmp"
        batch = FeedBatch(contract, self.system.stream(name).feeds[feed].records, "", temporary, f"{self.system.name}/{name}")
        self.parts[feed].append(_Part(self._parts, name, batch))
        batch.lacks = plan.lacks(is_numbered=True)
        self._listed[name, feed], self._numbers[name, feed] = [], []
        # a statement that fails would end the transaction, so nothing is cast strictly here
        listing = plan.listing_sql(relation)
        copy_rows(self.tables.connection, f"select * exclude (broken_rule) from ({listing}) where broken_rule is null", batch)
        if batch.written < expected or not batch.is_records:
            self._list_broken(name, batch, plan, relation)
        self._warn_of_unknown(name, batch, plan, relation)
        self.result.nameless += self.clean(batch)

    def _batch_id(self, feed: str) -> str:
        return hashlib.sha256(f"{self.system.name}\0{feed}\0{self.token}".encode()).hexdigest()[:24]

    def _list_broken(self, name: str, batch: FeedBatch, plan: Casting, relation: str) -> None:
        """List the refused rows with column, value and rule."""
        run, feed = self.tables.run, batch.contract.feed
        broken = run(
            f"select record_number, broken_rule, {key_sql(batch.contract)} from ({plan.listing_sql(relation)}) where broken_rule is not null"
            " order by all"
        ).fetchall()
        for number, *_ in broken:
            self._broken[name][number].add(feed)
        listed = broken[:LISTED_LIMIT]
        numbers = {number for number, *_ in listed}
        values = self._values(relation, numbers)
        lines, fields = self._raw(name, numbers)
        for number, index, key_sha256 in listed:
            rule, mapped = plan.rules[index], values.get(number, {})
            names, raw = fields.get(number, (tuple(mapped), list(mapped.values())))
            self._numbers[name, feed].append(number)
            self._listed[name, feed].append(
                quarantined(
                    feed, batch.contract, number=number & _PLACE, line=lines.get(number), column=rule.column, rule=rule.rule,
                    value=mapped.get(rule.column), names=names, fields=raw, detail=rule.detail, key_sha256=key_sha256,
                )
            )  # fmt: skip

    def _warn_of_unknown(self, name: str, batch: FeedBatch, plan: Casting, relation: str) -> None:
        """Count the values that are not stored as delivered; for closed lists only where a row has the unknown value at all."""
        if not batch.written or not (plan.unknown or plan.discarded or plan.reformed):
            return
        is_small = batch.written < _SMALL
        file = f"read_parquet({literal(str(batch.temporary))})"
        tests = [
            f"{column} = {literal(str(batch.contract.column(column).unknown_value))}"
            for column in plan.unknown
            if column not in batch.lacks
        ]
        is_asked = is_small or plan.discarded or plan.reformed
        if not is_asked and not (
            tests and self.tables.count(f"select count(*) from (select 1 from {file} where {' or '.join(tests)} limit 1)")
        ):
            return
        counts = self.tables.run(plan.changes_sql(relation)).fetchone() or ()
        self.result.warnings += [f"{self.system.name}/{name}: {message}" for message in plan.change_messages(counts)]

    def _values(self, relation: str, numbers: set[int]) -> dict[int, dict[str, str | None]]:
        if not numbers:
            return {}
        listed = ", ".join(map(str, sorted(numbers)))
        cursor = self.tables.run(f"select record_number, * exclude (record_number) from {relation} where record_number in ({listed})")
        names = [entry[0] for entry in cursor.description][1:]
        return {
            row[0]: {name: None if value is None else str(value) for name, value in zip(names, row[1:], strict=True)}
            for row in cursor.fetchall()
        }

    def _raw(self, name: str, numbers: set[int]) -> tuple[dict[int, int], dict[int, tuple[tuple[str, ...], list[str | None]]]]:
        """Return line numbers and fields of records: from their file where this run read it, else from the table."""
        lines: dict[int, int] = {}
        fields: dict[int, tuple[tuple[str, ...], list[str | None]]] = {}
        by_file: dict[int, set[int]] = defaultdict(set)
        for number in numbers:
            by_file[number >> FILE_BITS].add(number & _PLACE)
        for file_no, places in by_file.items():
            if source := self.sources.get(file_no):
                for place, record in source.lines(places).items():
                    number = file_no << FILE_BITS | place
                    fields[number] = (source.scan.columns, list(record.fields))
                    if record.line:
                        lines[number] = record.line
        if rest := numbers - fields.keys():
            columns = self.tables.columns(name)
            listed = ", ".join(map(str, sorted(rest)))
            names = ", ".join(map(identifier, columns))
            for number, *raw in self.tables.run(
                f"select record_number, {names} from {self.tables.table(name)} where record_number in ({listed})"
            ).fetchall():
                fields[number] = (columns, raw)
        return lines, fields

    def _carriers(self, name: str) -> list[_Part]:
        return [
            part for feed in self.system.stream(name).feeds for part in self.parts[feed] if part.stream == name and part.batch.is_records
        ]

    def _account(self, name: str) -> None:
        """Find affected records that the SELECTs dropped or returned twice."""
        carriers, target = self._carriers(name), self._affected(name)
        refused = {number for number, feeds in self._broken[name].items() if any(part.batch.contract.feed in feeds for part in carriers)}
        written = sum(part.batch.written for part in carriers)
        files = ", ".join(literal(str(part.batch.temporary)) for part in carriers)
        rows = f"(select record_number from read_parquet([{files}]))"
        doubled = self.tables.run(
            f"select record_number, count(*) from {rows} group by 1 having count(*) > 1 order by 1 limit 1"
        ).fetchone()
        if doubled:
            paths = ", ".join(f"{self.system.name}/{self.system.stream(name).feeds[part.batch.contract.feed].sql}" for part in carriers)
            raise UsageError(
                f"mapping {paths}: returns a record more than once: record {doubled[0] & _PLACE:,} of {self._path(doubled[0])}"
                f" {doubled[1]:,} times; remedy: group what is joined to a record, and let each record go to one records feed"
            )
        excluded = self.tables.temporary("excluded", name)
        self.tables.run("create or replace temp table refused_records as select unnest(?::bigint[]) as record_number", [sorted(refused)])
        self.tables.run(
            f"create or replace temp table {excluded} as select record_number, min(reason) as reason from {excluded}"
            f" where record_number not in (select record_number from {rows}) and record_number not in (from refused_records) group by 1"
        )
        if written + len(refused) + self._size(excluded) == self._size(target):
            return
        missing = (
            f"select record_number from {target} where record_number not in (select record_number from {rows})"
            f" and record_number not in (from refused_records) and record_number not in (select record_number from {excluded}) order by 1"
        )
        dropped = [number for (number,) in self.tables.run(missing).fetchall()]
        contract = carriers[0].batch.contract
        lines, fields = self._raw(name, set(dropped[:LISTED_LIMIT]))
        for number in dropped:
            self._broken[name][number].add(contract.feed)
        for number in dropped[:LISTED_LIMIT]:
            names, raw = fields.get(number, ((), []))
            self._numbers[name, contract.feed].append(number)
            self._listed[name, contract.feed].append(
                quarantined(
                    contract.feed, contract, number=number & _PLACE, line=lines.get(number), column=None, rule="not_mapped", value=None,
                    names=names, fields=raw, detail=f"the SQL of {', '.join(self.system.stream(name).feeds)} keeps no row of this record",
                )
            )  # fmt: skip

    def _path(self, number: int) -> str:
        rows = self.tables.run(f"select path from {DATABASE}.files where file_no = ?", [number >> FILE_BITS]).fetchall()
        return str(rows[0][0]) if rows else "an earlier file"

    # comparing ----------------------------------------------------------------------------------------------------------------

    def _emitted(self, feed: str) -> str:
        return f"{DATABASE}.{identifier('feed ' + feed)}"

    def _make_emitted(self) -> None:
        for name in self.streams:
            for feed in self.system.stream(name).feeds:
                self.tables.run(
                    f"create table if not exists {self._emitted(feed)} (stream varchar, row_key varchar, row_hash bigint, record_number bigint,"
                    " is_shown boolean)"
                )

    def _gone(self, feed: str) -> str:
        """Return the condition of the emitted rows that this run makes anew or takes away."""
        tests = []
        for name in self.streams:
            if feed in self.system.stream(name).feeds:
                records = f"select record_number from {self._affected(name)} union all select record_number from {self.tables.temporary('gone', name)}"
                tests.append(f"stream = {literal(name)} and record_number in ({records})")
        return " or ".join(f"({test})" for test in tests)

    def _fresh(self, feed: str) -> str:
        """Return the rows of all parts of a feed: stream, part, place, key, hash, record, instant of the version."""
        contract = load_contract(feed)
        key = f" || {_SEPARATOR} || ".join(f"{name}::varchar" for name in contract.primary_key)
        selects = []
        for part in self.parts[feed]:
            has_version = "source_updated_at" in contract.names and "source_updated_at" not in part.batch.lacks
            version = "source_updated_at" if has_version else "null::timestamptz"
            keys = [name for name in contract.primary_key if name in part.batch.lacks]
            own = key
            for name in keys:
                own = own.replace(f"{name}::varchar", "null::varchar")
            selects.append(
                f"select {literal(part.stream)} as stream, {part.number} as part, file_row_number as place, {own} as row_key, row_hash,"
                f" record_number, {version} as updated_at from read_parquet({literal(str(part.batch.temporary))}, file_row_number = true)"
            )
        if not selects:
            return (
                "(select null::varchar as stream, 0 as part, 0::bigint as place, null::varchar as row_key, null::bigint as row_hash,"
                " null::bigint as record_number, null::timestamptz as updated_at where false)"
            )
        return f"({' union all '.join(selects)})"

    def _closed_over_keys(self) -> set[str]:
        """Add records that are not affected but emit a key that is; return the streams to map again."""
        again: set[str] = set()
        for feed in {feed for name in self.streams for feed in self.system.stream(name).feeds}:
            gone = self._gone(feed)
            keys = f"select row_key from {self._emitted(feed)} where {gone} union select row_key from {self._fresh(feed)}"
            others = self.tables.run(
                f"select stream, record_number from {self._emitted(feed)} where not ({gone}) and row_key in ({keys})"
            ).fetchall()
            for name, number in others:
                self.tables.run(f"insert into {self._affected(name)} values (?)", [number])
                again.add(name)
        return again

    def _settle(self, feed: str) -> None:
        """Compare the rows of a feed with those it held, write what differs and what is taken back."""
        run, emitted, gone = self.tables.run, self._emitted(feed), self._gone(feed)
        run(f"create or replace temp table fresh_rows as select *, true as is_shown from {self._fresh(feed)}")
        run(f"create or replace temp table gone_rows as select * from {emitted} where {gone}")
        fresh, before = self._size("fresh_rows"), self._size("gone_rows")
        if not fresh and not before:
            return
        if fresh and self.tables.count("select count(distinct row_key) from fresh_rows") < fresh:
            self._choose_latest(feed)
        wanted = (
            "select part, place from fresh_rows where is_shown and not exists (select 1 from gone_rows where gone_rows.is_shown"
            " and gone_rows.row_key = fresh_rows.row_key and gone_rows.row_hash = fresh_rows.row_hash)"
        )
        run(f"create or replace temp table written_rows as {wanted}")
        lost = "select distinct row_key from gone_rows where is_shown and row_key not in (select row_key from fresh_rows where is_shown)"
        run(f"create or replace temp table withdrawn_keys as {lost}")
        written, withdrawn = self._size("written_rows"), self._size("withdrawn_keys")
        if written or withdrawn:
            self.result.feeds.append(self._change(feed, written, withdrawn))
        if before:
            run(f"delete from {emitted} where {gone}")
        run(f"insert into {emitted} select stream, row_key, row_hash, record_number, is_shown from fresh_rows")

    def _choose_latest(self, feed: str) -> None:
        """Of several records with one key the latest is shown: by version, day, file, place, like rows of one stream."""
        names = [name for name in self.streams if feed in self.system.stream(name).feeds]
        places = " union all ".join(
            f"select {literal(name)} as stream, record_number, row_version, row_day, row_file, row_place from {self.tables.table(name)}"
            for name in names
        )
        self.tables.run(
            "create or replace temp table fresh_rows as select fresh_rows.* exclude (is_shown), row_number() over (partition by row_key order by"
            " updated_at desc nulls last, row_version desc nulls last, row_day desc, row_file desc, row_place desc, fresh_rows.stream, part, place) = 1"
            f" as is_shown from fresh_rows left join ({places}) as places"
            " on places.stream = fresh_rows.stream and places.record_number = fresh_rows.record_number"
        )

    def _change(self, feed: str, written: int, withdrawn: int) -> FeedChange:
        contract = load_contract(feed)
        path = self.lake / feed / f"{self._batch_id(feed)}.tmp"
        columns = [*contract.names, "record_number", "delivery_date", "row_hash"]
        selects = []
        for part in self.parts[feed]:
            listed = ", ".join(f"null::{contract.types[name]} as {name}" if name in part.batch.lacks else name for name in columns)
            rows = (
                f"select {listed}, file_row_number as place from read_parquet({literal(str(part.batch.temporary))}, file_row_number = true)"
            )
            selects.append(
                f"select {', '.join(columns)} from ({rows}) where place in (select place from written_rows where part = {part.number})"
            )
        if selects:
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
        return FeedChange(feed, path, written, withdrawn, withdrawn_path)

    # states -------------------------------------------------------------------------------------------------------------------

    def _count_states(self, todo: list[str], *, everything: bool) -> None:
        """Note the state of every record that this run moved, and how the counts of its file change."""
        run, states = self.tables.run, f"{DATABASE}.states"
        for name in todo:
            run(
                f"insert into moved select record_number, null from {self._affected(name)} where record_number not in (select record_number from moved)"
            )
        run(
            "create or replace temp table before_run as select moved.record_number, case"
            f" when starts_with(was_hidden, '{WAITS}') then 'waiting' when was_hidden is not null then 'superseded'"
            f" when states.state is not null then states.state else 'loaded' end as state, states.feed as feed"
            f" from moved left join {states} on states.record_number = moved.record_number"
        )
        run(f"delete from {states} where record_number in (select record_number from moved)")
        for name in todo:
            excluded = self.tables.temporary("excluded", name)
            run(f"insert into {states} select record_number, 'excluded', null, reason from {excluded}")
            for reason, count in run(f"select reason, count(*) from {excluded} group by 1").fetchall():
                self.result.left_out[name, reason] += count
            carriers = {feed for feed, mapped in self.system.stream(name).feeds.items() if mapped.records}
            for number, feeds in self._broken[name].items():
                if named := sorted(feeds & carriers):
                    run(f"insert into {states} values (?, 'quarantined', ?, null)", [number, named[0]])
            known = {
                (number, feed) for number, feed in run("select record_number, feed from before_run where state = 'quarantined'").fetchall()
            }
            for (stream, feed), records in self._listed.items():
                if stream == name:
                    for number, record in zip(self._numbers[stream, feed], records, strict=True):
                        if (number, feed) not in known:
                            self.result.quarantine[number >> FILE_BITS].append(record)
            for number, feeds in self._broken[name].items():
                for feed in feeds:
                    self.result.refused_by_feed[number >> FILE_BITS][feed] += 1
        parts = []
        for name in self.tables.streams:
            delta = f"select record_number from {self.tables.delta(name)}"
            parts.append(
                f"select record_number, case when row_hidden is null then null when starts_with(row_hidden, '{WAITS}') then 'waiting' else 'superseded' end"
                f" as hidden from {self.tables.table(name)} where record_number in ({delta}) or record_number in (select record_number from moved)"
            )
        run(f"create or replace temp table present as {' union all '.join(parts)}")
        run(
            "create or replace temp table after_run as select present.record_number, coalesce(hidden, case states.state when 'excluded' then"
            f" 'superseded' else states.state end, 'loaded') as state from present left join {states} using (record_number)"
        )
        own = {file_no: FileCounts() for file_no in self.sources}
        self.result.moves = own
        for file_no, state, count in self._by_file("after_run"):
            if file_no in own or everything:
                _add(own.setdefault(file_no, FileCounts()), state, count)
        if everything:
            return
        for sign, table in ((-1, "before_run"), (1, "after_moved")):
            if table == "after_moved":
                run(
                    "create or replace temp table after_moved as select before_run.record_number, coalesce(after_run.state, 'superseded') as state"
                    " from before_run left join after_run using (record_number)"
                )
            for file_no, state, count in self._by_file(table):
                if file_no not in self.sources:
                    _add(self.result.moves.setdefault(file_no, FileCounts()), state, sign * count)
        self.result.resolved = [
            (number >> FILE_BITS, feed, number & _PLACE)
            for number, feed in run(
                "select record_number, feed from before_run join after_moved using (record_number) where before_run.state = 'quarantined'"
                " and after_moved.state <> 'quarantined'"
            ).fetchall()
        ]

    def _by_file(self, table: str) -> Iterator[tuple[int, str, int]]:
        sql = f"select record_number >> {FILE_BITS}, case state when 'excluded' then 'superseded' else state end, count(*) from {table} group by all"
        yield from self.tables.run(sql).fetchall()

    def discard(self) -> None:
        """Remove the files of typed rows."""
        for part in (part for parts in self.parts.values() for part in parts):
            part.batch.temporary.unlink(missing_ok=True)


def _add(counts: FileCounts, state: str, count: int) -> None:
    setattr(counts, state, getattr(counts, state) + count)
