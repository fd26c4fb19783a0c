"""The SELECTs of one system run over its source tables: typed rows of the affected records, and the records that are kept out.

Holds the mapping and typing of the records of one stream after the other. Which records are affected is decided before; what differs
from an earlier run is found after. It must not know the ledger.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path

import duckdb

from dagster_project.contracts.model import Contract, load_contract
from dagster_project.errors import UsageError
from dagster_project.ingest.conform.casting import Casting, casting
from dagster_project.ingest.conform.feed_batch import FeedBatch, copy_rows
from dagster_project.ingest.conform.one_pass import one_pass_sql
from dagster_project.ingest.conform.quarantine import key_sql, quarantined
from dagster_project.ingest.conform.rules import FUTURE
from dagster_project.ingest.mapping.limits import guarded
from dagster_project.ingest.mapping.sandbox import LEFT_OUT
from dagster_project.ingest.mapping.systems import System
from dagster_project.ingest.readers.source import LISTED_LIMIT, Source
from dagster_project.ingest.sources.delivered import FILE_BITS
from dagster_project.ingest.sources.raw_records import mapped_values, raw_records
from dagster_project.ingest.sources.relations import show
from dagster_project.ingest.sources.selects import SystemSelects
from dagster_project.ingest.sources.tables import DATABASE, SourceTables
from dagster_project.ingest.sql_text import literal
from dagster_project.ledger.entries import QuarantinedRecord

PLACE = (1 << FILE_BITS) - 1
"""Mask of the number of a record within its file."""
_SMALL = 100_000  # rows; above, a second pass over the mapping is worth avoiding


class Part:
    """Typed rows of one stream for one feed."""

    def __init__(self, number: int, stream: str, batch: FeedBatch) -> None:
        self.number, self.stream, self.batch = number, stream, batch


class MadeRows:
    """Typed rows by feed in `parts`; by stream and record the feeds that refuse it in `broken`."""

    def __init__(
        self,
        tables: SourceTables,
        selects: SystemSelects,
        lake: Path,
        sources: Mapping[int, Source],
        token: str,
        clean: Callable[[FeedBatch], int],
    ) -> None:
        """Keep the merged tables, the files of this run by number, what names the run's batches, and what removes forgotten persons."""
        self.tables, self.selects, self.lake, self.sources, self.token, self.clean = tables, selects, lake, sources, token, clean
        self.system: System = selects.system
        self.parts: dict[str, list[Part]] = defaultdict(list)
        self.complete: set[str] = set()  # streams of which every record is mapped
        self.broken: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.listed: dict[tuple[str, str], list[tuple[int, QuarantinedRecord]]] = {}
        self.mapped: Counter[str] = Counter()
        self.warnings: list[str] = []
        self.too_late: set[int] = set()  # records refused because of an instant after their delivery; a later one may explain it
        self.nameless = 0
        self._parts = 0

    @cached_property
    def latest_day(self) -> dt.date:
        """The latest day of a delivery: what comes from other streams than the record's own may have come on any day until then."""
        ((day,),) = self.tables.run(f"select max(delivery_date) from {DATABASE}.files").fetchall()
        return day or dt.date.min

    def affected(self, stream: str) -> str:
        """Return the table of the records of a stream that are mapped in this run."""
        return self.tables.temporary("affected", stream)

    def excluded(self, stream: str) -> str:
        """Return the table of the mapped records that should be no row, with the reason."""
        return self.tables.temporary("excluded", stream)

    def discard(self) -> None:
        """Remove the files of typed rows."""
        for part in (part for parts in self.parts.values() for part in parts):
            part.batch.temporary.unlink(missing_ok=True)

    def map(self, name: str) -> None:
        """Map the affected records of a stream again into parts; earlier parts of the stream are dropped."""
        for feed in self.system.stream(name).feeds:
            for part in self.parts[feed]:
                if part.stream == name:
                    part.batch.temporary.unlink(missing_ok=True)
            self.parts[feed] = [part for part in self.parts[feed] if part.stream != name]
        self.broken[name].clear()
        run = self.tables.run
        run(f"create or replace temp table {self.excluded(name)} (record_number bigint, reason varchar)")
        target = self.affected(name)
        self.mapped[name] = self.tables.size(target)
        if not self.mapped[name]:
            return
        for feed in self.system.stream(name).feeds:
            self._map_feed(name, feed, target)
        self._account(name)

    def _map_feed(self, name: str, feed: str, target: str) -> None:
        select, contract = self.selects.select(name, feed), load_contract(feed)
        stream = self.system.stream(name)
        show(self.tables, self.selects, name, feed, target, is_complete=name in self.complete)
        run = self.tables.run
        types = {column: kind for column, kind in select.types.items() if column != LEFT_OUT}
        own, zone = self.selects.dependencies(name, feed).own, stream.time_zone or self.system.time_zone
        latest = self.latest_day
        plan = casting(
            contract, types, zone=zone, dialect=stream, is_dated=True, day_of=lambda column: "delivery_date" if column in own else latest
        )
        path = self.system.sql_path(name, feed)
        try:
            relation, records = f"({select.sql}\n)", self.tables.size(target)
            if name not in self.complete:
                relation = f"(select * from {relation} as made where record_number in (from {target}))"
            if not select.is_rowwise:
                relation = f"(select * from {relation} as made limit {self.tables.limits.most_rows(records) + 1})"
            expected = records if stream.feeds[feed].records else -1
            is_kept = LEFT_OUT in select.types or contract.is_personal or records < _SMALL
            if is_kept:
                with self._guarded(path):
                    run(f"create or replace temp table mapped as select * from {relation} as made")
                relation = "(from mapped)"
                expected = self.tables.size("mapped")
                self.tables.limits.check_rows(path, expected, records)
            if LEFT_OUT in select.types:
                expected = self.tables.count(f"select count(*) from mapped where {LEFT_OUT} is null")
                if stream.feeds[feed].records:
                    excluded = self.excluded(name)
                    run(f"insert into {excluded} select record_number, {LEFT_OUT} from mapped where {LEFT_OUT} is not null")
                relation = f"(select * exclude ({LEFT_OUT}) from mapped where {LEFT_OUT} is null)"
            relation = self._dated(relation)
            with nullcontext() if is_kept else self._guarded(path):
                batch = self._write(name, feed, contract, plan, relation, expected=expected)
            self.tables.limits.check_rows(path, batch.written, records)
            self.nameless += self.clean(batch)
        except (duckdb.DataError, duckdb.InvalidInputException) as error:
            raise UsageError(
                f"mapping {path}: {str(error).splitlines()[0]}; remedy: cast with try_cast or try_strptime, so that the record can be named"
            ) from error

    def _dated(self, relation: str) -> str:
        """Return the rows with the day on which their record was delivered."""
        days = self.tables.run(f"select distinct delivery_date::varchar from {DATABASE}.files limit 2").fetchall()
        if len(days) == 1:  # one export is the most common first load; the join takes 15 % of writing its rows
            return f"(select made.*, {literal(days[0][0])}::date as delivery_date from {relation} as made)"
        files = f"{DATABASE}.files on files.file_no = made.record_number >> {FILE_BITS}"
        return f"(select made.*, files.delivery_date from {relation} as made left join {files})"

    def _write(self, name: str, feed: str, contract: Contract, plan: Casting, relation: str, *, expected: int) -> FeedBatch:
        self._parts += 1
        folder = self.lake / feed
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"part-{self._parts}-{self.batch_id(feed)}.tmp"
        batch = FeedBatch(contract, self.system.stream(name).feeds[feed].records, "", temporary, f"{self.system.name}/{name}")
        self.parts[feed].append(Part(self._parts, name, batch))
        batch.lacks = plan.lacks(is_numbered=True)
        self.listed[name, feed] = []
        if not self._is_written_strictly(batch, one_pass_sql(plan, relation, is_numbered=True), expected):
            kept = f"select * exclude (broken_rule) from ({plan.listing_sql(relation)}) where broken_rule is null"
            copy_rows(self.tables.connection, kept, batch)
            if batch.written != expected:
                self._list_broken(name, batch, plan, relation)
            self._warn_of_unknown(name, batch, plan, relation)
        return batch

    def _is_written_strictly(self, batch: FeedBatch, sql: str, expected: int) -> bool:
        """Write many rows in one pass that stops at the first wrong one; return whether all are written and none was changed.

        Only in a new file: within a transaction a statement that fails would end it.
        """
        if not self.tables.is_new or expected < _SMALL:
            return False
        try:
            copy_rows(self.tables.connection, sql, batch)
        except duckdb.Error as error:
            if isinstance(error, (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InterruptException)):
                raise
            return False
        return batch.written == expected

    def _guarded(self, path: Path) -> AbstractContextManager[None]:
        return guarded(self.tables.connection, path, self.tables.limits, self._rows)

    @cached_property
    def _rows(self) -> int:
        """Rows of all streams, which a SELECT may read."""
        return sum(self.tables.size(self.tables.table(stream)) for stream in self.tables.streams)

    def batch_id(self, feed: str) -> str:
        """Return the name of what this run writes for a feed."""
        return hashlib.sha256(f"{self.system.name}\0{feed}\0{self.token}".encode()).hexdigest()[:24]

    def _list_broken(self, name: str, batch: FeedBatch, plan: Casting, relation: str) -> None:
        """List the refused rows with column, value and rule."""
        run, feed = self.tables.run, batch.contract.feed
        broken = run(
            f"select record_number, broken_rule, {key_sql(batch.contract)} from ({plan.listing_sql(relation)})"
            " where broken_rule is not null order by all"
        ).fetchall()
        for number, index, *_ in broken:
            self.broken[name][number].add(feed)
            if plan.rules[index].rule == FUTURE:
                self.too_late.add(number)
        listed = broken[:LISTED_LIMIT]
        numbers = {number for number, *_ in listed}
        values = mapped_values(self.tables, relation, numbers)
        lines, fields = raw_records(self.tables, self.sources, name, numbers)
        for number, index, key_sha256 in listed:
            rule, mapped = plan.rules[index], values.get(number, {})
            names, raw = fields.get(number, (tuple(mapped), list(mapped.values())))
            entry = quarantined(
                feed, batch.contract, number=number & PLACE, line=lines.get(number), column=rule.column, rule=rule.rule,
                value=mapped.get(rule.column), names=names, fields=raw, detail=rule.detail, key_sha256=key_sha256,
                keys=self.system.stream(name).key, mapped=mapped,
            )  # fmt: skip
            self.listed[name, feed].append((number, entry))

    def _warn_of_unknown(self, name: str, batch: FeedBatch, plan: Casting, relation: str) -> None:
        """Count the values that are not stored as delivered; for closed lists only where a row has the unknown value at all."""
        if not batch.written or not (plan.unknown or plan.discarded or plan.reformed):
            return
        file = f"read_parquet({literal(str(batch.temporary))})"
        tests = [
            f"{column} = {literal(str(batch.contract.column(column).unknown_value))}"
            for column in plan.unknown
            if column not in batch.lacks
        ]
        is_asked = batch.written < _SMALL or plan.discarded or plan.reformed
        if not is_asked and not (
            tests and self.tables.count(f"select count(*) from (select 1 from {file} where {' or '.join(tests)} limit 1)")
        ):
            return
        counts = self.tables.run(plan.changes_sql(relation)).fetchone() or ()
        self.warnings += [f"{self.system.name}/{name}: {message}" for message in plan.change_messages(counts)]

    def carriers(self, name: str) -> list[Part]:
        """Return the parts of the feeds that carry each record of a stream."""
        return [
            part for feed in self.system.stream(name).feeds for part in self.parts[feed] if part.stream == name and part.batch.is_records
        ]

    def _account(self, name: str) -> None:
        """Find affected records that the SELECTs dropped or returned twice."""
        carriers, target = self.carriers(name), self.affected(name)
        refused = {number for number, feeds in self.broken[name].items() if any(part.batch.contract.feed in feeds for part in carriers)}
        written = sum(part.batch.written for part in carriers)
        files = ", ".join(literal(str(part.batch.temporary)) for part in carriers)
        rows = f"(select record_number from read_parquet([{files}]))"
        doubled = self.tables.run(
            f"select record_number, count(*) from {rows} group by 1 having count(*) > 1 order by 1 limit 1"
        ).fetchone()
        if doubled:
            paths = ", ".join(f"{self.system.name}/{self.system.stream(name).feeds[part.batch.contract.feed].sql}" for part in carriers)
            raise UsageError(
                f"mapping {paths}: returns a record more than once: record {doubled[0] & PLACE:,} of {self._path(doubled[0])}"
                f" {doubled[1]:,} times; remedy: group what is joined to a record, and let each record go to one records feed"
            )
        excluded = self.excluded(name)
        numbers = ", ".join(map(str, sorted(refused)))
        self.tables.run(f"create or replace temp table refused_records as select unnest([{numbers}]::bigint[]) as record_number")
        if self.tables.size(excluded):
            decided = f"record_number in (select record_number from {rows}) or record_number in (from refused_records)"
            chosen = f"select record_number, min(reason) as reason from {excluded} where not ({decided}) group by 1"
            self.tables.run(f"create or replace temp table {excluded} as {chosen}")
        if written + len(refused) + self.tables.size(excluded) == self.tables.size(target):
            return
        missing = (
            f"select record_number from {target} where record_number not in (select record_number from {rows})"
            f" and record_number not in (from refused_records) and record_number not in (select record_number from {excluded}) order by 1"
        )
        dropped = [number for (number,) in self.tables.run(missing).fetchall()]
        contract = carriers[0].batch.contract
        lines, fields = raw_records(self.tables, self.sources, name, set(dropped[:LISTED_LIMIT]))
        for number in dropped:
            self.broken[name][number].add(contract.feed)
        for number in dropped[:LISTED_LIMIT]:
            names, raw = fields.get(number, ((), []))
            entry = quarantined(
                contract.feed, contract, number=number & PLACE, line=lines.get(number), column=None, rule="not_mapped", value=None,
                names=names, fields=raw, keys=self.system.stream(name).key,
                detail=f"the SQL of {', '.join(self.system.stream(name).feeds)} keeps no row of this record",
            )  # fmt: skip
            self.listed[name, contract.feed].append((number, entry))

    def _path(self, number: int) -> str:
        rows = self.tables.run(f"select path from {DATABASE}.files where file_no = ?", [number >> FILE_BITS]).fetchall()
        return str(rows[0][0]) if rows else "an earlier file"
