"""What a mapping makes of one file, shown before anything is loaded.

Holds the trial: the real ingest over one file, in a temporary home that is removed again. It must not read a file in another
way than a run does, and must not write anywhere else.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from dagster_project.assumptions import Assumptions
from dagster_project.contracts.model import Contract, load_contract
from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import InputRefused, UsageError
from dagster_project.host.disk import full_disk_reported
from dagster_project.host.temporary import private_folder
from dagster_project.ingest.conform.quarantine import threshold_text
from dagster_project.ingest.conform.refusal import Refusal
from dagster_project.ingest.landing.inventory import LAYOUT, Delivery, delivered_files
from dagster_project.ingest.landing.walking import fault, printable
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.sandbox import open_sandbox
from dagster_project.ingest.mapping.systems import Mappings, System
from dagster_project.ingest.readers.source import open_source
from dagster_project.ingest.readers.unreadable import refused_if_unreadable
from dagster_project.ingest.report import LoadReport
from dagster_project.ingest.sources.delivered import FILE_BITS
from dagster_project.ingest.sources.selects import selects_of
from dagster_project.ledger.entries import QuarantinedRecord, StagedFile
from dagster_project.ledger.store import Ledger
from dagster_project.masking import masked
from dagster_project.settings import Settings

SHOWN_ROWS = 5
EXAMPLES = 3
"""Refused records that are shown of each feed, rule and column."""
SHOWN_CHARACTERS = 32


@dataclass
class FeedTrial:
    """One feed: how many rows the file makes of it, and the first of them, by column; columns without a value are omitted."""

    feed: str
    rows: int
    first: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Trial:
    """What a run would do with the file. `is_refused` says that a run would keep the complete file out."""

    path: Path
    file: StagedFile
    stream: str
    found_by: str
    feeds: list[FeedTrial]
    read_with: dict[str, int]  # files of other streams of the system that its SELECTs read
    maps_again: list[str]  # what maps a record of the stream again
    refused: tuple[QuarantinedRecord, ...]
    warnings: list[str]
    threshold: tuple[Decimal, int]
    refusal: str  # why a run keeps the complete file out; empty where it takes it

    @property
    def is_refused(self) -> bool:
        """Whether more records are refused for a feed than a run lets pass."""
        return bool(self.refusal)

    def lines(self) -> Iterator[str]:
        """Yield the trial as it is printed."""
        file = self.file
        yield f"{self.path}: stream {self.stream} of {file.system} ({self.found_by})"
        yield (
            f"{file.physical:,} records = {file.loaded:,} loaded + {file.superseded:,} superseded (repeat a key, or excluded) +"
            f" {file.quarantined:,} refused" + (f" + {file.waiting:,} waiting" if file.waiting else "")
        )
        for stream, count in self.read_with.items():
            yield (
                f"read with it: {stream}, {count:,} files"
                if count
                else f"read with it: {stream}, no file in the landing folder: taken as empty"
            )
        if self.maps_again:
            yield f"maps a record again when these change: {'; '.join(self.maps_again)}"
        for warning in self.warnings:
            yield f"warning: {warning}"
        alike: dict[tuple[str, str, str], list[QuarantinedRecord]] = defaultdict(list)
        for row in self.refused:
            alike[row.feed, row.rule, row.column or ""].append(row)
        for (feed, rule, column), rows in alike.items():
            for row in rows[:EXAMPLES]:
                at = "" if row.line_number is None else f" (line {row.line_number:,})"
                yield f"refused for {feed}: record {row.record_number:,}{at} {row.reason}   rule {rule}"
            if len(rows) > EXAMPLES:
                yield f"refused for {feed}: {len(rows) - EXAMPLES:,} more by rule {rule}{f' in column {column}' if column else ''}"
        if not self.feeds:
            yield f"no feed: stream {self.stream} is read by others"
        for made in self.feeds:
            yield f"feed {made.feed}: {made.rows:,} rows"
            width = max(map(len, made.first), default=0)
            for name, values in made.first.items():
                yield f"  {name:<{width}}  {' | '.join(values)}"
        if self.is_refused:
            yield f"a run would refuse the complete file: more records are refused than {threshold_text(*self.threshold)}"


def try_mapping(settings: Settings, assumptions: Assumptions, path: Path, system_name: str, stream: str | None = None) -> Trial:
    """Walk one file through ingest in a temporary home and report what came of it.

    The stream is that of the path where the file is in the landing layout, else `stream`, else the one whose columns
    the header has. In the landing layout the other streams that its SELECTs read come from the landing folder; a file that
    is elsewhere finds them empty.

    Raises
    ------
    UsageError
        No such file or system, a stream that cannot be found out, or a mapping that does not fit.
    InputRefused
        The file is refused completely before any record is read.
    """
    given = path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  a link is judged where it is
    if not os.path.lexists(path):
        raise UsageError(f"{printable(str(path))}: there is no such file; remedy: correct the path")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; remedy: name one exported file")
    place = _place(path, system_name)
    with refused_if_unreadable(path, fault(str(path), place[0] if place else None)):
        path.open("rb").close()
    mappings = Mappings(settings.mappings)
    system = mappings.system(system_name)
    with private_folder("try") as folder, full_disk_reported(folder.parent, "nothing was changed"):
        scratch = folder.resolve()
        if place is not None:
            landing, name, day = place
            found_by = "by its path"
        elif stream is not None:
            landing, name, day = scratch / "landing", stream, dt.datetime.now(dt.UTC).date()
            found_by = "as asked"
        else:
            landing, day = scratch / "landing", dt.datetime.now(dt.UTC).date()
            name, found_by = _guess(system, path, scratch)
        if not system.reads(name, path):
            raise UsageError(f"{path}: system {system_name} reads no stream {name}: {system.file.ignored[name]}")
        if place is None:
            copy = landing / system_name / name / day.isoformat() / path.name
            copy.parent.mkdir(parents=True)
            shutil.copyfile(path, copy)
            path = copy
        trial_settings = settings.model_copy(update={"landing": landing, "home": scratch / "home", "until": None})
        ledger = Ledger(trial_settings.ops)
        state = path.stat()
        relative = path.relative_to(landing).as_posix()
        delivery = Delivery(system_name, name, day, path, relative, state.st_size, state.st_mtime_ns, system.reader_hash)
        selects = None if system.is_canonical else selects_of(system)
        is_table = selects is not None and name in selects.tables
        found = [file for file in delivered_files(landing, mappings) if is_table and selects and file.stream in selects.tables]
        others = [file for file in found if file.system == system_name and file.relative != relative]
        lenient = assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
        report = load(trial_settings, lenient, ledger, [delivery, *others], "try")
        changes = [loaded.change for loaded in report.systems if loaded.change is not None]
        report.abandon(keep_files=True)
        (file,) = (file for file in report.files if file.path == relative)
        if file.status == "refused":
            raise InputRefused(file.error or "")
        number = ledger.file_numbers([(file.path, file.sha256)])[file.path] if is_table else None
        refused_by_feed = changes[0].refused_by_feed[number] if number is not None else None
        reads = {table for feed in system.stream(name).feeds for table in selects.dependencies(name, feed).tables} if selects else set()
        per_stream = Counter(other.stream for other in others)
        return Trial(
            path=given,
            file=file,
            stream=name,
            found_by=found_by,
            feeds=list(_feeds(report, file, system, number)),
            read_with={other: per_stream[other] for other in sorted(reads - {"source"})},
            maps_again=selects.maps_again(name) if selects and is_table else [],
            refused=file.quarantine,
            warnings=report.warnings,
            refusal=Refusal(assumptions).message(file, refused_by_feed or Counter(row.feed for row in file.quarantine)),
            threshold=(assumptions.quarantine_threshold_rate, assumptions.quarantine_threshold_records),
        )


def _place(path: Path, system: str) -> tuple[Path, str, dt.date] | None:
    """Return landing folder, stream and day of a file in the landing layout of the system, else None."""
    day, stream, folder = path.parent, path.parent.parent, path.parent.parent.parent
    if folder.name != system or len(day.name) != len("2026-01-31"):
        return None
    try:
        return folder.parent, stream.name, dt.date.fromisoformat(day.name)
    except ValueError:
        return None


def _guess(system: System, path: Path, scratch: Path) -> tuple[str, str]:
    """Return the stream whose required columns the header has, the one that knows most of the header if several do."""
    fitting: list[tuple[int, str]] = []
    nearest: tuple[int, str, list[str]] | None = None
    seen: dict[object, tuple[str, ...]] = {}
    scratch.joinpath("guess").mkdir()
    connection = open_sandbox([path.parent], None, threads=1, memory_limit="256MB")
    try:
        for name, described in system.file.streams.items():
            dialect = system.dialect(name, path.name)
            if dialect not in seen:
                seen[dialect] = open_source(connection, path, path.name, dialect, scratch / "guess").scan.columns
            header = set(seen[dialect])
            required = load_contract(name).required_names if system.is_canonical else described.columns
            missing = [column for column in required if column not in header]
            known = len(header.intersection((*described.read_columns, *described.unread)))
            if not missing and 2 * known >= len(header):
                fitting.append((known, name))
            elif missing and (nearest is None or len(missing) / len(required) < nearest[0] / 100):
                nearest = (int(100 * len(missing) / len(required)), name, missing)
    finally:
        connection.close()
    fitting.sort(reverse=True)
    if len(fitting) == 1 or (fitting and fitting[0][0] > fitting[1][0]):
        known, name = fitting[0]
        return name, f"guessed by its header: {known} columns known"
    hint = f"both {fitting[0][1]} and {fitting[1][1]} fit" if fitting else "its header fits no stream"
    if not fitting and nearest is not None:
        hint += f"; nearest is {nearest[1]}, which also needs {', '.join(nearest[2][:10])}"
    raise UsageError(f"{path}: {hint}; remedy: name the stream with --stream, or move the file to {LAYOUT}")


def _feeds(report: LoadReport, file: StagedFile, system: System, number: int | None) -> Iterator[FeedTrial]:
    """Yield what came of the file: its own batches, or of a source table (its `number` given) the rows that its records make."""
    if number is None:
        paths = {path.stem: path for made in report.batches.values() for path in made}
        for batch in file.batches:
            yield FeedTrial(batch.feed, batch.rows, _first(paths[batch.batch_id], load_contract(batch.feed)))
        return
    own = f"record_number >> {FILE_BITS} = {number}"
    for feed in system.stream(file.stream).feeds:
        for path in report.batches.get(feed, []):
            with connect_memory() as connection:
                counted = connection.execute(f"select count(*) from read_parquet(?) where {own}", [str(path)]).fetchone()
            yield FeedTrial(feed, int(counted[0]) if counted else 0, _first(path, load_contract(feed), own))


def _first(parquet: Path, contract: Contract, condition: str = "true") -> dict[str, list[str]]:
    """Return the first rows of a batch that meet a condition as texts by column; personal values by their length only."""
    with connect_memory() as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(f"select * from read_parquet(?) where {condition} limit ?", [str(parquet), SHOWN_ROWS])
        names = [entry[0] for entry in found.description]
        rows = found.fetchall()
    shown: dict[str, list[str]] = {}
    for at, name in enumerate(names):
        values = [row[at] for row in rows]
        if name in contract.names and any(value is not None for value in values):
            shown[name] = [_shown(value, is_restricted=contract.column(name).restricted) for value in values]
    return shown


def _shown(value: object, *, is_restricted: bool) -> str:
    if value is None:
        return "-"
    text = value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else str(value)
    if is_restricted:
        return f"({len(text)} characters)"
    text = masked(text, "code")
    return f"{text[:SHOWN_CHARACTERS]}…" if len(text) > SHOWN_CHARACTERS else text
