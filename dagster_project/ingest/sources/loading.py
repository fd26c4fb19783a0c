"""One system's part of a run: its new files into the source tables, what that changes in its feeds, and the commit.

Holds the order of the steps for one system, the file of its tables, and when that file is made again from the landing folder: when it
is not what the last accepted run left, or when a file was replaced or is read in another way. Nothing is durable before `commit`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from dagster_project.errors import FileUnread, InputRefused
from dagster_project.ingest.conform.feed_batch import FeedBatch
from dagster_project.ingest.conform.zones import Zones
from dagster_project.ingest.landing.inventory import Delivery, as_staged
from dagster_project.ingest.landing.manifests import check_manifest
from dagster_project.ingest.mapping.drift import compare, keep_extras
from dagster_project.ingest.mapping.limits import Limits
from dagster_project.ingest.mapping.systems import System
from dagster_project.ingest.readers.source import Source, open_source
from dagster_project.ingest.readers.unreadable import refused_if_unreadable
from dagster_project.ingest.sources.changes import FeedChanges
from dagster_project.ingest.sources.faults import faults_of
from dagster_project.ingest.sources.results import FileCounts, SystemChange
from dagster_project.ingest.sources.selects import SystemSelects
from dagster_project.ingest.sources.table_files import (
    DRAFT,
    STORAGE,
    clear,
    held_files,
    is_attached,
    is_current,
    kept_paths,
    put_in_place,
    sources_folder,
    take_in_log,
    taken_over,
)
from dagster_project.ingest.sources.tables import DATABASE, SourceTables, database_of
from dagster_project.ingest.sources.visibility import Visibility
from dagster_project.ingest.sql_text import literal
from dagster_project.ledger.entries import ChangeBatch, QuarantinedRecord, StagedChange, StagedFile
from dagster_project.ledger.store import Ledger
from dagster_project.settings import Settings, fault_point

_MANY_BYTES = 4 << 20  # below, looking up the periods of a zone costs more than it saves


@dataclass
class SystemLoad:
    """What a run made of one system; its tables wait in an open transaction until `commit` or `abandon`."""

    system: str
    files: list[StagedFile]
    change: SystemChange | None
    staged: StagedChange | None
    warnings: list[str]
    waiting: list[tuple[str, str, int, str]]
    temporaries: list[tuple[Path, Path]] = field(default_factory=list)
    state_hash: str = ""
    change_number: int = 0
    _tables: SourceTables | None = None
    _moves: list[tuple[Path, Path]] = field(default_factory=list)

    def commit(self) -> None:
        """Make the tables durable; the ledger has accepted the change."""
        if self._tables is None:
            return
        fault_point("sources")
        self._tables.commit(self.state_hash)
        if self._moves:
            self._tables.run(f"checkpoint {DATABASE}")  # on closing it would fail without a word
        self._close()
        for source, target in self._moves:
            put_in_place(source, target)
        self._moves = []

    def abandon(self, *, keep_files: bool = False) -> None:
        """Leave the tables as they were; the files of typed rows go too, unless they are kept for a look."""
        if self._tables is not None:
            self._close()
        for source, _ in self._moves:
            source.unlink(missing_ok=True)
        for temporary, final in [] if keep_files else self.temporaries:
            temporary.unlink(missing_ok=True)
            final.unlink(missing_ok=True)

    def _close(self) -> None:
        assert self._tables is not None
        self._tables.connection.close()
        self._tables = None


class SystemLoader:
    """Loads the files of the source tables of one system."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        selects: SystemSelects,
        *,
        connect: Callable[[Sequence[Path]], duckdb.DuckDBPyConnection],
        clean: Callable[[duckdb.DuckDBPyConnection, FeedBatch], int],
        clean_messages: Callable[[Sequence[QuarantinedRecord]], tuple[QuarantinedRecord, ...]],
        is_refused: Callable[[StagedFile, Mapping[str, int]], str],
    ) -> None:
        """Keep how to open a sandbox and erase persons, and what decides (with its message) that a file is refused completely."""
        self.settings, self.ledger, self.selects = settings, ledger, selects
        self.system: System = selects.system
        self.connect, self.clean, self.clean_messages, self.is_refused = connect, clean, clean_messages, is_refused
        self.scratch = settings.scratch
        self.folder = sources_folder(settings)

    def load(self, deliveries: Sequence[Delivery], landed: Callable[[], Sequence[Delivery]]) -> SystemLoad:
        """Read the deliveries and find what they change; `landed` gives every known or new file of the system's tables.

        Raises
        ------
        UsageError
            A mapping does not fit its contract or its SQL.
        """
        refused: dict[str, StagedFile] = {}
        while True:
            found, above = self._attempt(deliveries, landed, refused)
            if not above:
                return found
            found.abandon()
            refused |= above

    def _attempt(
        self, deliveries: Sequence[Delivery], landed: Callable[[], Sequence[Delivery]], refused: Mapping[str, StagedFile]
    ) -> tuple[SystemLoad, dict[str, StagedFile]]:
        path = database_of(self.folder, self.system.name)
        streams = {(self.system.name, stream) for stream in self.selects.tables}
        known = {file for file in self.ledger.known_files() if tuple(file.split("/", 2)[:2]) in streams}
        is_replacing = any(delivery.relative in known for delivery in deliveries)
        is_rebuilt = is_replacing or not is_current(self.folder, self.ledger, self.system.name)
        place, moves = path, []
        is_new = is_rebuilt or not path.exists()
        if is_new:
            place = path.with_suffix(DRAFT)
            clear(place)
            take_in_log(path)
            moves = [(place, path)]
        if is_rebuilt:
            deliveries = landed()
        connection = self.connect([self.folder])
        connection.execute(f"attach {literal(str(place))} as {DATABASE} ({STORAGE})")
        old = is_rebuilt and is_attached(connection, path, "old_sources")
        tables = SourceTables(connection, self.selects, Limits.of(self.settings), is_new=is_new)
        found = SystemLoad(self.system.name, [], None, None, [], [], _tables=tables, _moves=moves)
        sources: dict[int, Source] = {}
        opened: list[Source] = []
        changes: FeedChanges | None = None
        try:
            kept: dict[int, tuple[StagedFile, Source, list[tuple[int, QuarantinedRecord | None]]]] = {}
            zones = Zones(connection)
            for delivery in deliveries:
                if delivery.relative in refused:
                    found.files.append(refused[delivery.relative])
                    continue
                staged, source, faults = self._read(connection, tables, delivery, zones, opened)
                if source is None:
                    found.files.append(staged)
                    continue
                number = self.ledger.file_numbers([(staged.path, staged.sha256)])[staged.path]
                sources[number] = source
                kept[number] = (staged, source, faults)
            if is_rebuilt:
                absent = known - {staged.path for staged, *_ in kept.values()}  # also where a new content was refused
                held = kept_paths(self.ledger, absent, held_files(connection, "old_sources") if old else set())
                if held:
                    tables.keep(held, "old_sources")
                    found.warnings.append(taken_over(self.system.name, len(held)))
            tables.merge()
            token = uuid.uuid4().hex
            changes = FeedChanges(tables, self.selects, self.settings.lake, sources, token, lambda batch: self.clean(connection, batch))
            change = changes.run(everything=is_rebuilt)
            found.change, found.state_hash = change, token
            above: dict[str, StagedFile] = {}
            for number, (staged, source, faults) in kept.items():
                counted = self._counted(number, staged, source, faults, change)
                if message := self.is_refused(counted, change.refused_by_feed[number]):
                    counted = replace(counted, status="refused", error=message, loaded=0)
                    above[staged.path] = counted
                found.files.append(counted)
            found.waiting = Visibility(tables).waiting()
            found.warnings += [*change.warnings, *self._ties(tables)]
            self._stage(found, change, is_rebuilt=is_rebuilt)
        except BaseException:
            found.abandon()
            raise
        finally:
            if changes is not None:
                changes.discard()
            for source in opened:
                source.discard()
        return found, above

    def _read(
        self, connection: duckdb.DuckDBPyConnection, tables: SourceTables, delivery: Delivery, zones: Zones, opened: list[Source]
    ) -> tuple[StagedFile, Source | None, list[tuple[int, QuarantinedRecord | None]]]:
        stream = self.system.stream(delivery.stream)
        staged = as_staged(delivery)
        zone = stream.time_zone or self.system.time_zone
        if delivery.bytes > _MANY_BYTES:
            zones.know(zone, delivery.delivery_date)
        try:
            with refused_if_unreadable(delivery.path, delivery.fault):
                source = open_source(connection, delivery.path, delivery.relative, stream, self.scratch)
                opened.append(source)
                fault_point("prescan")
                staged = replace(staged, sha256=source.scan.sha256)
                drift, mode = compare(source, self.system, delivery.stream), stream.new_columns
                staged = replace(staged, drift=drift.document())
                if drift.added and mode == "discard_row":
                    source.set_aside(connection, drift.added, "new_column", f"fills {', '.join(drift.added)}, which no contract knows")
                check_manifest(connection, delivery, source, zone)
                number = self.ledger.file_numbers([(staged.path, staged.sha256)])[staged.path]
                broken = tables.add(delivery, source, number, self.selects.joined.get(delivery.stream, ()))
                faults = faults_of(self.system, delivery.stream, source, broken)
                staged = replace(staged, physical=source.scan.records)
                if drift.added and mode == "evolve":
                    staged = replace(staged, extras_path=keep_extras(connection, source, drift.added, staged, self.settings))
        except InputRefused as error:
            return replace(staged, status="refused", error=str(error), is_unread=isinstance(error, FileUnread)), None, []
        return staged, source, faults

    def _counted(
        self, number: int, staged: StagedFile, source: Source, faults: Sequence[tuple[int, QuarantinedRecord | None]], change: SystemChange
    ) -> StagedFile:
        counts = change.moves.pop(number)
        quarantined_count = counts.quarantined + len(faults)
        physical = source.scan.records
        return replace(
            staged,
            physical=physical,
            loaded=counts.loaded,
            waiting=counts.waiting,
            quarantined=quarantined_count,
            superseded=physical - counts.loaded - counts.waiting - quarantined_count,
            quarantine=self.clean_messages([*(entry for _, entry in faults if entry), *change.quarantine.pop(number, [])]),
        )

    def _ties(self, tables: SourceTables) -> list[str]:
        return [
            f"{self.system.name}/{name}: {change.tied:,} keys have versions that differ and are equally new;"
            " the later file or record is kept"
            for name, change in sorted(tables.changes.items())
            if change.tied
        ]

    def _stage(self, found: SystemLoad, change: SystemChange, *, is_rebuilt: bool) -> None:
        """Name the files of the change and describe it for the ledger."""
        batches = []
        home = self.settings.home
        for made in change.feeds:
            final = made.path.with_suffix(".parquet")
            found.temporaries.append((made.path, final))
            withdrawn = None
            if made.withdrawn_path is not None:
                target = made.withdrawn_path.with_suffix(".parquet")
                found.temporaries.append((made.withdrawn_path, target))
                withdrawn = target.relative_to(home).as_posix()
            path = final.relative_to(home).as_posix()
            batches.append(ChangeBatch(final.stem, made.feed, path, made.rows, made.lacks, made.withdrawn, withdrawn))
        days = [file.delivery_date for file in found.files if file.status != "refused"]
        if is_rebuilt:
            self._since_the_ledger(change)
        moves = tuple(
            (number, counts.loaded, counts.superseded, counts.quarantined, counts.waiting)
            for number, counts in sorted(change.moves.items())
        )
        quarantine = tuple((number, row) for number, rows in change.quarantine.items() for row in self.clean_messages(rows))
        found.staged = StagedChange(
            self.system.name, max(days, default="1970-01-01"), found.state_hash, is_rebuilt,
            tuple(batches), moves, quarantine, tuple(change.resolved)
        )  # fmt: skip

    def _since_the_ledger(self, change: SystemChange) -> None:
        """Turn the states of records of files that are not in the landing folder any more into moves since what the ledger holds."""
        sql = (
            "select s.file_no, d.physical, d.loaded, d.superseded, d.quarantined, d.waiting from source_files as s"
            " inner join deliveries as d on d.path = s.path and d.sha256 = s.sha256 where d.status = 'accepted'"
        )
        held = {row[0]: row[1:] for row in self.ledger.rows(sql)}
        for number in list(change.moves):
            counts = change.moves.pop(number)
            if number in held:
                physical, loaded, superseded, kept_out, waiting = held[number]
                kept_out = min(kept_out, physical - counts.loaded - counts.waiting)
                rest = physical - counts.loaded - counts.waiting - kept_out
                change.moves[number] = FileCounts(
                    counts.loaded - loaded, rest - superseded, kept_out - held[number][3], counts.waiting - waiting
                )
