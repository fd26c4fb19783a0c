"""One run of ingest: delivered files become staged batches in the lake, invisible until the ledger accepts them.

Holds the order of the steps and what is reported. It must not cast or read records itself. A refused file never stops the
others from being read, so that one run names everything that is wrong; the caller decides by `LoadReport.refusals`.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from dagster_project.assumptions import Assumptions
from dagster_project.errors import FileUnread, InfrastructureError, InputRefused
from dagster_project.ingest.conform.batches import BatchWriter
from dagster_project.ingest.conform.deduplication import deduplicate, make_durable, make_one_durable
from dagster_project.ingest.conform.feed_batch import FeedBatch
from dagster_project.ingest.conform.quarantine import is_refused, report, threshold_text
from dagster_project.ingest.conform.refusal import Refusal
from dagster_project.ingest.conform.resolving import resolve
from dagster_project.ingest.landing.inventory import Delivery, as_staged, delivered_files
from dagster_project.ingest.landing.manifests import check_manifest
from dagster_project.ingest.mapping.drift import FOLDER as EXTRAS
from dagster_project.ingest.mapping.drift import compare, drift_messages, keep_extras
from dagster_project.ingest.mapping.limits import Limits
from dagster_project.ingest.mapping.sandbox import open_sandbox
from dagster_project.ingest.mapping.systems import Mappings, System
from dagster_project.ingest.pii.hash_key import hash_key, make_restricted
from dagster_project.ingest.pii.masking import use_key
from dagster_project.ingest.pii.register import anonymise, anonymise_change, anonymise_quarantine, erased_persons, register
from dagster_project.ingest.readers.source import Source, open_source
from dagster_project.ingest.readers.unreadable import refused_if_unreadable
from dagster_project.ingest.report import LoadReport, left_out, repeated
from dagster_project.ingest.sources.loading import SystemLoader
from dagster_project.ingest.sources.selects import SystemSelects, selects_of
from dagster_project.ingest.sources.table_files import clear_drafts, left_behind, sources_folder
from dagster_project.ledger.entries import QuarantinedRecord, StagedFile
from dagster_project.ledger.store import Ledger
from dagster_project.ledger.volumes import watch
from dagster_project.settings import Settings, fault_point

_FLUSH_SECONDS = 5.0
_SMALL_BYTES = 1 << 20


def load(settings: Settings, assumptions: Assumptions, ledger: Ledger, deliveries: Sequence[Delivery], run_id: str) -> LoadReport:
    """Read the deliveries and stage their batches under HOME/lake and in the ledger; nothing is visible yet.

    Raises
    ------
    UsageError
        A mapping does not fit its contract or its SQL.
    InfrastructureError
        Disk or memory is exhausted, or a file of ours cannot be written.
    """
    return _Loader(settings, assumptions, ledger, run_id).run(deliveries)


class _Loader:
    def __init__(self, settings: Settings, assumptions: Assumptions, ledger: Ledger, run_id: str) -> None:
        self.settings, self.assumptions, self.ledger, self.run_id = settings, assumptions, ledger, run_id
        self.mappings = Mappings(settings.mappings)
        self.scratch = settings.scratch
        self.extras = settings.restricted / EXTRAS
        self.report = LoadReport()
        self.refusal = Refusal(assumptions)
        self.accepted: dict[tuple[str, str, str, str], str] = {}
        self.left_out: dict[str, dict[str, int]] = {}
        self.pending: list[tuple[StagedFile, list[FeedBatch]]] = []
        self.forgotten = erased_persons(ledger)
        self.key = hash_key(settings, ledger)
        self.threads = 1
        self.selects: dict[str, SystemSelects] = {}

    def run(self, deliveries: Sequence[Delivery]) -> LoadReport:
        make_restricted(self.settings.restricted)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        self.settings.lake.mkdir(parents=True, exist_ok=True)
        self._sweep()
        sql = "select system, stream, sha256, reader_hash, path from deliveries where status = 'accepted' order by file_id"
        replaced = {delivery.relative for delivery in deliveries}
        self.accepted = {row[:4]: row[4] for row in self.ledger.rows(sql) if row[4] not in replaced}
        # Small files gain nothing from a second thread and pay for waking it in every statement.
        self.threads = self.settings.threads if any(delivery.bytes > _SMALL_BYTES for delivery in deliveries) else 1
        of_tables = self._of_tables(deliveries)
        connection = self._connect()
        writer = BatchWriter(connection, self.settings.lake, Limits.of(self.settings))
        since, at = time.monotonic(), ""
        try:
            for system, files in of_tables.items():
                at = f", {system}"
                self._system(system, files)
            taken = {delivery.relative for files in of_tables.values() for delivery in files}
            for delivery in deliveries:
                if delivery.relative in taken:
                    continue
                at = f", {delivery.relative}"
                self._one(connection, writer, delivery)
                if time.monotonic() - since > _FLUSH_SECONDS:
                    self._flush(connection)
                    since = time.monotonic()
            self._flush(connection)
        except (duckdb.OutOfMemoryException, duckdb.IOException, OSError) as error:
            limit = f"raise ROI_MEMORY_LIMIT (now {self.settings.memory_limit})"
            remedy = limit if isinstance(error, duckdb.OutOfMemoryException) else "free disk or repair the folder"
            raise InfrastructureError(
                f"ingest{at}: {str(error).splitlines()[0]}; remedy: {remedy} and run again; nothing of this run is visible"
            ) from error
        except BaseException:
            self.report.abandon()
            raise
        finally:
            connection.close()
            shutil.rmtree(self.scratch, ignore_errors=True)
        self.report.warnings += [*drift_messages(self.report.files, self.ledger, self.mappings), *writer.warnings]
        self.report.warnings += [*repeated(self.report.files, self.left_out), *left_out(self.left_out)]
        self.report.notices += watch(self.ledger, self.run_id, self.settings.until)
        return self.report

    def _connect(self, more: Sequence[Path] = ()) -> duckdb.DuckDBPyConnection:
        """Open a sandbox over the folders of a load; it hashes with the key of the home and knows who was forgotten."""
        folders = [self.settings.landing, self.settings.lake, self.extras, self.scratch, *more]
        spill = (more[0] if more else self.scratch) / "spill"  # the tables of a system stay open when the scratch folder is gone
        connection = open_sandbox(folders, spill, threads=self.threads, memory_limit=self.settings.memory_limit)
        use_key(connection, self.key)
        register(connection, self.forgotten)
        return connection

    def _of_tables(self, deliveries: Sequence[Delivery]) -> dict[str, list[Delivery]]:
        """Return the deliveries that belong to source tables, by system; also systems without any whose tables a crash left behind."""
        found: dict[str, list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            system = self.mappings.system(delivery.system)
            if not system.is_canonical and delivery.stream in self._selects_of(system).tables:
                found[delivery.system].append(delivery)
        for name in left_behind(sources_folder(self.settings), self.ledger):
            if self.mappings.is_known(name):
                found.setdefault(name, [])
        return found

    def _selects_of(self, system: System) -> SystemSelects:
        if system.name not in self.selects:
            self.selects[system.name] = selects_of(system)
        return self.selects[system.name]

    def _system(self, name: str, deliveries: Sequence[Delivery]) -> None:
        """Load the files of one system's source tables and stage what they change."""
        selects = self._selects_of(self.mappings.system(name))
        wanted = {delivery.relative for delivery in deliveries} | set(self.ledger.known_files())

        def landed() -> list[Delivery]:
            found = delivered_files(self.settings.landing, self.mappings)
            return [file for file in found if file.system == name and file.stream in selects.tables and file.relative in wanted]

        loader = SystemLoader(
            self.settings,
            self.ledger,
            selects,
            connect=self._connect,
            clean=self._clean,
            clean_messages=self._clean_messages,
            is_refused=self.refusal.message,
        )
        found = loader.load(deliveries, landed)
        for temporary, final in found.temporaries:
            make_one_durable(temporary, final)
        self.ledger.stage(self.run_id, found.files)
        if found.staged is not None:
            found.change_number = self.ledger.stage_change(self.run_id, found.staged)
        self.report.add(found, self.settings.home)
        if found.change is not None:
            for (stream, reason), count in found.change.left_out.items():
                self.left_out.setdefault(f"{name}/{stream}/", {})[reason] = count
        for file in (file for file in found.files if file.status == "staged" and file.quarantine):
            limits = threshold_text(*self.refusal.limits_of(file.quarantine[0].feed))
            text = report(file.path, file.sha256, file.physical, file.quarantine, is_refused=False, threshold=limits)
            self.report.rejections.append(text)

    def _clean(self, connection: duckdb.DuckDBPyConnection, batch: FeedBatch) -> int:
        return anonymise_change(connection, batch) if self.forgotten else 0

    def _clean_messages(self, rows: Sequence[QuarantinedRecord]) -> tuple[QuarantinedRecord, ...]:
        return anonymise_quarantine(rows, self.key, self.forgotten)

    def _sweep(self) -> None:
        """Remove what a crash left: temporary files, drafts of source tables and Parquet files that no delivery of the ledger names."""
        clear_drafts(self.settings)
        live = "status in ('accepted', 'staged')"
        named = {row[0] for row in self.ledger.rows(f"select path from batches where {live}")}
        named |= {row[0] for row in self.ledger.rows(f"select withdrawn_path from batches where {live} and withdrawn_path is not null")}
        named |= {row[0] for row in self.ledger.rows(f"select extras_path from deliveries where {live} and extras_path is not null")}
        extras = [self.extras] if self.extras.is_dir() else []
        for folder in (*self.settings.lake.iterdir(), *extras):
            for path in folder.iterdir():
                if path.suffix == ".tmp" or path.relative_to(self.settings.home).as_posix() not in named:
                    path.unlink()

    def _one(self, connection: duckdb.DuckDBPyConnection, writer: BatchWriter, delivery: Delivery) -> None:
        system = self.mappings.system(delivery.system)
        staged = as_staged(delivery)
        batches: list[FeedBatch] = []
        source: Source | None = None
        try:
            with refused_if_unreadable(delivery.path, delivery.fault):
                source = open_source(connection, delivery.path, delivery.relative, system.stream(delivery.stream), self.scratch)
                fault_point("prescan")
                staged = replace(staged, sha256=source.scan.sha256)
                content = (delivery.system, delivery.stream, source.scan.sha256, delivery.reader_hash)
                if content in self.accepted:
                    records = source.scan.records
                    staged = replace(staged, physical=records, superseded=records, duplicate_of_path=self.accepted[content])
                else:
                    drift, mode = compare(source, system, delivery.stream), system.stream(delivery.stream).new_columns
                    staged = replace(staged, drift=drift.document())
                    if drift.added and mode == "discard_row":
                        source.set_aside(connection, drift.added, "new_column", f"fills {', '.join(drift.added)}, which no contract knows")
                    batches = writer.write(delivery, source, system)
                    if self.forgotten and (count := sum(anonymise(connection, batch) for batch in batches)):
                        message = "rows of forgotten accounts came again and were made nameless; remedy: forget the account again"
                        self.report.warnings.append(f"{delivery.relative}: {count:,} {message}")
                    check_manifest(connection, delivery, source, system.stream(delivery.stream).time_zone or system.time_zone)
                    staged = self._counted(staged, source, batches)
                    if drift.added and mode == "evolve" and staged.status == "staged":
                        staged = replace(staged, extras_path=keep_extras(connection, source, drift.added, staged, self.settings))
                    if staged.status == "staged":
                        self.accepted[content] = delivery.relative
        except InputRefused as error:
            staged = replace(staged, status="refused", error=str(error), is_unread=isinstance(error, FileUnread))
        finally:
            if source is not None:
                source.discard()
        if staged.status == "refused":
            for batch in batches:
                batch.temporary.unlink(missing_ok=True)
            batches = []
        self.pending.append((staged, batches))

    def _counted(self, staged: StagedFile, source: Source, batches: list[FeedBatch]) -> StagedFile:
        """Check the equation of the file and refuse it completely above the threshold."""
        physical = source.scan.records
        carriers = [batch for batch in batches if batch.is_records]
        written = sum(batch.written for batch in carriers)
        kept_out = sum(batch.refused for batch in carriers)
        left_out = sum(sum(batch.left_out.values()) for batch in carriers)
        if physical != written + kept_out + left_out:
            raise InputRefused(
                f"{source.path}: {physical:,} records counted, but {written:,} read + {kept_out:,} quarantined + {left_out:,} excluded;"
                " remedy: repair the file's quoting and line ends, or the mapping"
            )
        rows = self._clean_messages([row for batch in batches for row in batch.quarantine])
        bad = {batch.contract.feed: batch.refused for batch in batches} | {carriers[0].contract.feed: kept_out}
        thresholds = {batch.contract.feed: self.refusal.limits(batch.contract) for batch in batches}
        above = [feed for feed, count in bad.items() if is_refused(count, physical, *thresholds[feed])]
        counted = replace(staged, physical=physical, loaded=written, quarantined=kept_out, quarantine=rows)
        if rows:
            threshold = threshold_text(*thresholds[above[0] if above else rows[0].feed])
            text = report(staged.path, source.scan.sha256, physical, rows, is_refused=bool(above), threshold=threshold)
            if above:
                return replace(counted, status="refused", error=text, loaded=0)
            self.report.rejections.append(text)
        return counted

    def _flush(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make everything read so far durable, then known to the ledger: files first, their folders next, the ledger last."""
        batches = [batch for _, made in self.pending for batch in made]
        deduplicate(connection, batches)
        make_durable(batches)
        staged = [self._deduplicated(file, made) for file, made in self.pending]
        self.ledger.stage(self.run_id, staged)
        resolve(connection, self.ledger, self.settings.home, self.run_id, staged)
        for batch in batches:
            self.report.batches[batch.contract.feed].append(batch.final)
            self.report.rows[batch.contract.feed] += batch.loaded
        self.report.files += staged
        self.pending.clear()

    def _deduplicated(self, file: StagedFile, batches: list[FeedBatch]) -> StagedFile:
        if file.status != "staged" or file.duplicate_of_path is not None:
            return file
        superseded = sum(batch.written - batch.loaded for batch in batches if batch.is_records)
        left_out = {reason: count for batch in batches for reason, count in batch.left_out.items()}
        self.left_out[file.path] = left_out
        entries = tuple(batch.ledger_entry(self.settings.home) for batch in batches)
        return replace(file, loaded=file.loaded - superseded, superseded=superseded + sum(left_out.values()), batches=entries)
