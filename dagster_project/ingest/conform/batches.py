"""Typed batches of one file: cast, refuse, write Parquet, count.

Holds what happens between a file's relation and its Parquet files. It must not touch the ledger. The fast path is one SQL
pass over the file; a listing of refused records is made only when something failed. Per file
physical = loaded + superseded + quarantined, counted over the feeds that carry records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.contracts.model import Contract, load_contract
from dagster_project.errors import UsageError
from dagster_project.ingest.conform.casting import Casting, casting
from dagster_project.ingest.conform.feed_batch import FeedBatch, copy_rows
from dagster_project.ingest.conform.one_pass import one_pass_sql
from dagster_project.ingest.conform.quarantine import key_sql, quarantined
from dagster_project.ingest.conform.zones import Zones
from dagster_project.ingest.landing.inventory import Delivery
from dagster_project.ingest.mapping.limits import Limits, guarded
from dagster_project.ingest.mapping.sandbox import LEFT_OUT, Select, check_output, checked_select
from dagster_project.ingest.mapping.streams import Stream
from dagster_project.ingest.mapping.systems import System
from dagster_project.ingest.readers.source import LISTED_LIMIT, Source
from dagster_project.ingest.sql_text import literal

_MANY_BYTES = 4 << 20  # below, looking up the periods of a zone costs more than it saves


class BatchWriter:
    """Writes the batches of files into the lake; knows each mapping's SQL after its first use."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: Path, limits: Limits) -> None:
        """Keep the sandboxed connection, the folder of the lake and what a SELECT may cost."""
        self.connection, self.lake, self.limits = connection, lake, limits
        self._zones = Zones(connection)
        self._selects: dict[Path, Select] = {}
        self.warnings: list[str] = []

    def write(self, delivery: Delivery, source: Source, system: System) -> list[FeedBatch]:
        """Make every feed of the file.

        Raises
        ------
        UsageError
            The mapping's SQL does not fit the contract or returns a record twice.
        InputRefused
            See `Source.load`.
        """
        stream = system.stream(delivery.stream)
        zone = stream.time_zone or system.time_zone
        if delivery.bytes > _MANY_BYTES:
            self._zones.know(zone, delivery.delivery_date)
        if system.is_canonical:
            return [self._write_canonical(delivery, source, stream, zone)]
        selects = {feed: self._select(system, delivery.stream, feed) for feed in stream.feeds}
        is_plain = source.is_as_counted and self._is_plain(stream, selects)
        if is_plain:
            source.show(self.connection, stream.read_columns)
        else:
            source.load(self.connection, stream.read_columns)
        self.connection.execute("create or replace temp table left_out (record_number bigint, reason varchar)")
        batches = []
        for feed, mapped in stream.feeds.items():
            contract, select, path = load_contract(feed), selects[feed], system.sql_path(delivery.stream, feed)
            check_output(path, contract, select.types)
            batch = self._batch(delivery, source, contract, self.lake, is_records=mapped.records)
            batches.append(batch)
            plan = casting(contract, select.types, zone=zone, dialect=stream, day_of=lambda _: delivery.delivery_date)
            is_written = False
            if is_plain:
                with guarded(self.connection, path, self.limits, source.scan.records):
                    is_written = self._write_in_one_pass(batch, plan, f"({select.sql}\n)", source)
            if is_written:
                continue
            source.load(self.connection, stream.read_columns)
            try:
                with guarded(self.connection, path, self.limits, source.scan.records):
                    is_kept = LEFT_OUT in select.types or contract.is_personal
                    relation = self._kept(batch, select) if is_kept else f"({select.sql}\n)"
                    if not contract.is_personal:
                        self._write_one(batch, plan, relation, source)
                if contract.is_personal:  # its values are hashed, with the key that no SELECT may see
                    self._write_one(batch, plan, relation, source)
            except (duckdb.DataError, duckdb.InvalidInputException) as error:
                raise UsageError(
                    f"mapping {path}: {str(error).splitlines()[0]} (reading {source.relative}); remedy: cast with try_cast or try_strptime,"
                    " so that ingest can name the record"
                ) from error
        self._account_for_every_record(batches, source, stream)
        return batches

    def _select(self, system: System, stream: str, feed: str) -> Select:
        path = system.sql_path(stream, feed)
        if path not in self._selects:
            self._selects[path] = checked_select(path, system.stream(stream).read_columns)
        return self._selects[path]

    def _is_plain(self, stream: Stream, selects: Mapping[str, Select]) -> bool:
        """Return whether no feed of the stream needs the numbers of records: each record is one row, known by its place in the file."""
        is_one_row_each = all(
            select.is_plain and LEFT_OUT not in select.types and not load_contract(feed).is_personal for feed, select in selects.items()
        )
        return is_one_row_each and sum(mapped.records for mapped in stream.feeds.values()) == 1

    def _kept(self, batch: FeedBatch, select: Select) -> str:
        """Keep the rows of a SELECT, take out those that it excludes with a reason, and return the relation of the others."""
        self.connection.execute(f"create or replace temp table mapped as {select.sql}")
        if LEFT_OUT not in select.types:
            return "mapped"
        if batch.is_records:
            self.connection.execute(f"insert into left_out select record_number, {LEFT_OUT} from mapped where {LEFT_OUT} is not null")
        return f"(select * exclude ({LEFT_OUT}) from mapped where {LEFT_OUT} is null)"

    def _batch(self, delivery: Delivery, source: Source, contract: Contract, root: Path, *, is_records: bool) -> FeedBatch:
        identity = "\0".join((delivery.relative, source.scan.sha256, delivery.reader_hash, contract.feed))
        batch_id = hashlib.sha256(identity.encode()).hexdigest()[:24]
        folder = root / contract.feed
        folder.mkdir(parents=True, exist_ok=True)
        return FeedBatch(contract, is_records, batch_id, folder / f"{batch_id}.tmp", delivery.relative)

    def _write_canonical(self, delivery: Delivery, source: Source, stream: Stream, zone: str) -> FeedBatch:
        ((feed, mapped),) = stream.feeds.items()
        batch = self._batch(delivery, source, load_contract(feed), self.lake, is_records=mapped.records)
        types = {name: "VARCHAR" for name in batch.contract.names if name in source.scan.columns}
        plan = casting(batch.contract, types, zone=zone, dialect=stream, day_of=lambda _: delivery.delivery_date)
        if not (source.is_as_counted and self._write_in_one_pass(batch, plan, source.relation, source)):
            source.load(self.connection)
            self._write_listing(batch, plan, "source", source)
        self._add_faults(batch, source)
        return batch

    def _write_in_one_pass(self, batch: FeedBatch, plan: Casting, relation: str, source: Source) -> bool:
        """Write the rows of a relation over the file as it is, in its order; return whether they are as many as the records counted."""
        try:
            batch.lacks = plan.lacks(is_numbered=False)
            copy_rows(self.connection, one_pass_sql(plan, relation, is_numbered=False), batch)
        except duckdb.Error as error:
            if isinstance(error, (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InterruptException)):
                raise
            return False
        return batch.written == source.scan.records

    def _write_one(self, batch: FeedBatch, plan: Casting, relation: str, source: Source) -> None:
        try:
            batch.lacks = plan.lacks(is_numbered=True)
            copy_rows(self.connection, one_pass_sql(plan, relation, is_numbered=True), batch)
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            self._write_listing(batch, plan, relation, source)

    def _write_listing(self, batch: FeedBatch, plan: Casting, relation: str, source: Source) -> None:
        """Take the slow path: keep the good rows, list the refused ones with column, value and rule."""
        batch.lacks = plan.lacks(is_numbered=True)
        self.connection.execute(f"create or replace temp table typed_rows as {plan.listing_sql(relation)}")
        copy_rows(self.connection, "select * exclude (broken_rule) from typed_rows where broken_rule is null", batch)
        broken = self.connection.execute(
            f"select record_number, broken_rule, {key_sql(batch.contract)} from typed_rows where broken_rule is not null order by all"
        ).fetchall()
        batch.refused = len({number for number, *_ in broken}) if batch.is_records else len(broken)
        listed = broken[:LISTED_LIMIT]
        numbers = {number for number, *_ in listed}
        values, records = self._values(relation, numbers), source.lines(numbers)
        for number, index, key_sha256 in listed:
            rule = plan.rules[index]
            record = records.get(number)
            mapped = values.get(number, {})
            fields: list[str | None] = [*record.fields] if record else [*mapped.values()]
            names = source.scan.columns if record else tuple(mapped)
            batch.quarantine.append(
                quarantined(
                    batch.contract.feed,
                    batch.contract,
                    number=number,
                    line=record.line if record else None,
                    column=rule.column,
                    rule=rule.rule,
                    value=mapped.get(rule.column),
                    names=names,
                    fields=fields,
                    detail=rule.detail,
                    key_sha256=key_sha256,
                    mapped=mapped,
                )
            )
        counts = self.connection.execute(plan.changes_sql(relation)).fetchone() or ()
        self.warnings += [f"{source.relative}: {message}" for message in plan.change_messages(counts)]

    def _values(self, relation: str, numbers: set[int]) -> dict[int, dict[str, str | None]]:
        if not numbers:
            return {}
        listed = ", ".join(map(str, sorted(numbers)))
        cursor = self.connection.execute(
            f"select record_number, * exclude (record_number) from {relation} where record_number in ({listed})"
        )
        names = [entry[0] for entry in cursor.description][1:]
        return {
            row[0]: {name: None if value is None else str(value) for name, value in zip(names, row[1:], strict=True)}
            for row in cursor.fetchall()
        }

    def _add_faults(self, batch: FeedBatch, source: Source) -> None:
        for record in source.faults:
            entry = quarantined(
                batch.contract.feed,
                batch.contract,
                number=record.number,
                line=record.line or None,
                column=record.column,
                rule=record.rule,
                value=record.value,
                names=source.scan.columns,
                fields=record.fields,
                detail=record.fault or "",
            )
            batch.quarantine.append(entry)
        batch.refused += len(source.faults)

    def _account_for_every_record(self, batches: list[FeedBatch], source: Source, stream: Stream) -> None:
        """Find records that the mapping's SQL dropped or returned twice; both are counted apart from refused ones."""
        carriers = [batch for batch in batches if batch.is_records]
        self._add_faults(carriers[0], source)
        if len(carriers) == 1 and carriers[0].written + carriers[0].refused == source.scan.records:
            return  # a record lost and another doubled would still agree here; `deduplicate` counts the distinct ones
        files = ", ".join(literal(str(batch.temporary)) for batch in carriers)
        written = f"(select record_number from read_parquet([{files}]))"
        doubled = f"select record_number, count(*) from {written} group by 1 having count(*) > 1 order by 1 limit 1"
        if found := self.connection.execute(doubled).fetchone():
            selects = ", ".join(f"{source.relative.split('/')[0]}/{stream.feeds[batch.contract.feed].sql}" for batch in carriers)
            raise UsageError(
                f"mapping {selects}: returns a record more than once: record {found[0]:,} of {source.relative} {found[1]:,} times; remedy:"
                " group what is joined to a record, and let each record go to one records feed"
            )
        refused = {row.record_number for batch in carriers for row in batch.quarantine}
        gone = f"record_number not in (select record_number from {written}) and record_number not in (select unnest(?::bigint[]))"
        reasons = f"select record_number, min(reason) as reason from left_out where {gone} group by record_number"
        carriers[0].left_out = dict(
            self.connection.execute(f"select reason, count(*) from ({reasons}) group by reason", [list(refused)]).fetchall()
        )
        missing = f"select record_number from source where {gone} and record_number not in (select record_number from left_out) order by 1"
        dropped = [number for (number,) in self.connection.execute(missing, [list(refused)]).fetchall()]
        carriers[0].refused += len(dropped)
        records = source.lines(set(dropped[:LISTED_LIMIT]))
        for number in dropped[:LISTED_LIMIT]:
            record = records.get(number)
            carriers[0].quarantine.append(
                quarantined(
                    carriers[0].contract.feed,
                    carriers[0].contract,
                    number=number,
                    line=record.line if record else None,
                    column=None,
                    rule="not_mapped",
                    value=None,
                    names=source.scan.columns,
                    fields=record.fields if record else [],
                    detail=f"the SQL of {', '.join(stream.feeds)} keeps no row of this record",
                    keys=stream.key,
                )
            )
