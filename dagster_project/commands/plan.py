"""What a run would do, found out without doing it: which files it would read, and which tables and months it would rebuild, and why.

The new files go through ingest into a folder that is thrown away, against a copy of the ledger and links to what was loaded before; the
months are asked of the warehouse, opened read-only. Of HOME only the name in the lock changes, and a home that is not there is not made.
A key of hashes is used and never made. It must not decide what a run decides: it calls the same.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.assumptions import load_assumptions
from dagster_project.errors import FileUnread, InputRefused, ServiceRoiError
from dagster_project.host.disk import full_disk_reported
from dagster_project.host.lock import warehouse_lock
from dagster_project.host.temporary import private_folder
from dagster_project.ingest.conform.quarantine import summarised
from dagster_project.ingest.lake import accepted_batches, carried_feeds, key_scopes, register_lake
from dagster_project.ingest.landing.inventory import Delivery, Unread, new_files, raise_if_broken, refused_parts
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ingest.pii.hash_key import present_key
from dagster_project.ingest.report import LoadReport
from dagster_project.ingest.sources.table_files import FOLDER
from dagster_project.ledger.store import FILE, Ledger, copy_ledger
from dagster_project.publish.fingerprint import code_hash, inputs_hash
from dagster_project.publish.versions import read_pointer
from dagster_project.settings import Settings, require_apart

_RUN = "plan"


@dataclass(frozen=True)
class PreviewFiles:
    """Files of one stream and day that a run would read for the same reason.

    `late_days` counts from the newest day of the stream that is loaded, 0 is not late.
    """

    day: date
    stream: str
    why: str
    files: int
    late_days: int
    records: int
    kept_out: int


@dataclass(frozen=True)
class Plan:
    """What a run would do; `is_new` is false when it would report that nothing is new.

    `rebuild_all` says why every month is rebuilt; it is empty when only `months` are, each with its reasons. `verdict` has the records kept
    out by feed, rule and column, `withdrawn` how many rows a feed would lose, `unread` what no run reads. `is_stopped`: a file is refused
    by a rule of its feed, so that nothing would be published; files that cannot be read are refused too and stop nothing.
    """

    is_new: bool = True
    home: str = ""
    verdict: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    files: tuple[PreviewFiles, ...] = ()
    feeds: tuple[str, ...] = ()
    withdrawn: dict[str, int] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    is_stopped: bool = False
    rebuild_all: str = ""
    months: dict[date, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()

    def raise_if_refused(self) -> None:
        """Stop as the run would, with the same text.

        Raises
        ------
        InputRefused, UsageError
            Names every refused file; where all of them only cannot be read, every wrong mapping first.
        """
        refused = "\n".join((*self.refusals, *refused_parts(self.unread)))
        if self.is_stopped:
            raise InputRefused(refused)
        raise_if_broken(self.unread)
        if refused:
            raise FileUnread(refused)


def plan(settings: Settings, *, full_refresh: bool = False) -> Plan:
    """Return what `run` would do with the same settings.

    Raises
    ------
    ServiceRoiError
        As a run would: a wrong setting, a wrong SELECT, another hash key, a held warehouse.
    """
    require_apart(settings)
    with _copied_ledger(settings) as (ledger, scratch):
        mappings = Mappings(settings.mappings)
        unread: list[Unread] = []
        deliveries = new_files(settings.landing, ledger, mappings, settings.until, unread)
        pointer = read_pointer(settings.home)
        is_broken = any(part.is_broken for part in unread)
        if pointer and not deliveries and not full_refresh and not is_broken and pointer.inputs_sha256 == inputs_hash(settings, ledger):
            return Plan(is_new=False, unread=tuple(unread))
        known = ledger.rows("select path, status, reader_hash, stream, system, delivery_date from deliveries where status <> 'replaced'")
        feeds = {feed for item in deliveries for feed in mappings.system(item.system).stream(item.stream).feeds}
        reason, report, months = _asked(settings, ledger, scratch, deliveries, full_refresh=full_refresh)
        return Plan(
            home="" if settings.home.is_dir() else str(settings.home),
            verdict=tuple(summarised(report.files)),
            warnings=tuple(report.warnings),
            unread=tuple(unread),
            files=tuple(_grouped(deliveries, known, report)),
            feeds=tuple(sorted(feeds)),
            withdrawn={feed: count for feed, count in sorted(report.withdrawn.items()) if count},
            refusals=tuple(report.refusals),
            is_stopped=report.is_stopped,
            rebuild_all=reason,
            months=months,
            tables=_tables(feeds, is_full=bool(reason)),
        )


@contextmanager
def _copied_ledger(settings: Settings) -> Iterator[tuple[Ledger, Path]]:
    """Copy the ledger into a folder that is thrown away; a home that was never used has none."""
    with private_folder("plan") as folder, full_disk_reported(folder.parent, "nothing was changed"):
        ops = folder / "ops"
        ops.mkdir()
        if (settings.ops / FILE).exists():
            copy_ledger(settings.ops / FILE, ops / FILE)
        ledger = Ledger(ops)
        _link_batches(ledger, settings.home, folder)
        yield ledger, folder


def _link_batches(ledger: Ledger, home: Path, scratch: Path) -> None:
    """Show ingest what was loaded before: a copy of the source tables, and one link for each file of the ledger, which is only read."""
    for tables in (home / "restricted" / FOLDER).glob("*.duckdb*"):  # with the log that a crash left
        (scratch / "restricted" / FOLDER).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tables, scratch / "restricted" / FOLDER / tables.name)
    for (path,) in ledger.rows("select distinct path from batches"):
        if (home / path).is_file():
            (scratch / path).parent.mkdir(parents=True, exist_ok=True)
            (scratch / path).symlink_to(home / path)


@contextmanager
def _named_as_home(settings: Settings, scratch: Path) -> Iterator[None]:
    """Let errors name the files of HOME, as a run's do, not those of the folder that is thrown away."""
    try:
        yield
    except ServiceRoiError as error:
        raise type(error)(str(error).replace(str(scratch), str(settings.home))) from error


def _asked(
    settings: Settings, ledger: Ledger, scratch: Path, deliveries: Sequence[Delivery], *, full_refresh: bool
) -> tuple[str, LoadReport, dict[date, str]]:
    """Return why everything is rebuilt, what ingest made of the files, and which months are rebuilt where not all are."""
    from dagster_project.transform.increment import prepare
    from dagster_project.transform.preview import affected_months, last_build, reason_after_reading, reason_for_all

    code, assumptions = code_hash(), load_assumptions(settings.assumptions)
    trial = settings.model_copy(update={"home": scratch, "hash_key": present_key(settings)})
    if reason := _reason_at_once(settings, full_refresh=full_refresh):
        is_used = settings.ops.is_dir() and os.access(settings.ops, os.W_OK)
        with warehouse_lock(settings.ops, _RUN) if is_used else nullcontext(), _named_as_home(settings, scratch):
            report = load(trial, assumptions, ledger, deliveries, _RUN)
            report.abandon(keep_files=True)
            return reason, report, {}
    limits: dict[str, Any] = {"threads": settings.threads, "memory_limit": settings.memory_limit}
    with warehouse_lock(settings.ops, _RUN), last_build(settings.warehouse, scratch / "spill", **limits) as engine:
        with _named_as_home(settings, scratch):
            report = load(trial, assumptions, ledger, deliveries, _RUN)
            report.abandon(keep_files=True)
        if reason := reason_for_all(engine, code, assumptions):
            return reason, report, {}
        _accept(ledger, scratch)
        systems = {str(system) for (system,) in ledger.rows("select distinct system from deliveries where status = 'accepted'")}
        mappings = Mappings(settings.mappings)
        scopes, carried = key_scopes(mappings, systems), carried_feeds(mappings, systems)
        register_lake(engine, settings.home, ledger, assumptions, mappings.zones(systems), scopes, carried)
        if prepare(engine, settings.home, ledger, code).is_full:
            return reason_after_reading(engine, {batch.batch_id for batch in accepted_batches(ledger)}), report, {}
        return "", report, affected_months(engine)


def _reason_at_once(settings: Settings, *, full_refresh: bool) -> str:
    if full_refresh:
        return "--full-refresh"
    if settings.engine == "spark":
        return "Spark keeps no tables from run to run"
    return "" if settings.warehouse.exists() else "there is no warehouse yet"


def _accept(ledger: Ledger, scratch: Path) -> None:
    """Accept in the copy what was read, and record where its rows are."""
    ledger.accept(_RUN)
    ours = "(select file_id from deliveries where run_id = ?1) or change_number in (select change_number from changes where run_id = ?1)"
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        for column in ("path", "withdrawn_path"):
            connection.execute(f"update batches set {column} = ?2 || {column} where file_id in {ours}", (_RUN, f"{scratch}/"))


def _grouped(deliveries: Sequence[Delivery], known: Sequence[tuple[Any, ...]], report: LoadReport) -> Iterator[PreviewFiles]:
    before = {path: (status, reader) for path, status, reader, *_ in known}
    newest: dict[str, str] = {}
    for _, status, _, stream, system, day in known:
        if status in {"accepted", "duplicate"}:
            name = f"{system}/{stream}"
            newest[name] = max(day, newest.get(name, day))
    read = {file.path: file for file in report.files}
    groups = Counter[tuple[date, str, str]]()
    records, kept_out = defaultdict[tuple[date, str, str], int](int), defaultdict[tuple[date, str, str], int](int)
    for delivery in deliveries:
        file = read.get(delivery.relative)
        group = delivery.delivery_date, f"{delivery.system}/{delivery.stream}", _why(delivery, before, file.status if file else "")
        groups[group] += 1
        records[group] += file.physical if file else 0
        kept_out[group] += file.quarantined if file else 0
    for (day, stream, why), count in sorted(groups.items()):
        group = day, stream, why
        late = (date.fromisoformat(newest[stream]) - day).days if stream in newest else 0
        yield PreviewFiles(day, stream, why, count, max(0, late), records[group], kept_out[group])


def _why(delivery: Delivery, before: dict[str, tuple[str, str]], status: str) -> str:
    if status == "refused":
        return "refused"
    if delivery.relative not in before:
        return "new"
    was, reader = before[delivery.relative]
    if was == "refused":
        return "was refused, read again"
    if was == "staged":
        return "was not accepted, read again"
    return "changed" if reader == delivery.reader_hash else "read in another way"


def _tables(feeds: set[str], *, is_full: bool) -> tuple[str, ...]:
    """Return the published tables that follow from these feeds; analytics follow from every account's months."""
    from dagster_project.transform import project

    manifest = project.manifest()
    nodes, children = {**manifest["nodes"], **manifest["sources"]}, manifest["child_map"]
    analytics = {key for key, node in manifest["sources"].items() if node["schema"] == "analytics"}
    todo = [
        key for key, node in manifest["sources"].items() if node["schema"] in {"lake", "arrived"} and (is_full or node["name"] in feeds)
    ]
    found: set[str] = set()
    while todo:
        key = todo.pop()
        if key in found or key not in nodes or nodes[key]["resource_type"] not in {"model", "source"}:
            continue
        found.add(key)
        todo += children.get(key, [])
        if nodes[key]["schema"] == "marts":
            todo += analytics
    return tuple(
        sorted(
            f"{nodes[key]['schema']}.{nodes[key]['name']}" for key in found if nodes[key]["schema"] in {"marts", "analytics", "reporting"}
        )
    )
