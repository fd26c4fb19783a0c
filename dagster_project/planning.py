"""What a run would do, found out without doing it: which files it would read, and which tables and months it would rebuild, and why.

The new files go through the door into a folder that is thrown away, against a copy of the ledger; the months are asked of the
warehouse, opened read-only. Of HOME only the name in the lock changes. It must not decide what a run decides: it calls the same.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.assumptions import load_assumptions
from dagster_project.fingerprint import code_hash, inputs_hash
from dagster_project.ingest.lake import accepted_batches, key_scopes, register_lake
from dagster_project.ingest.landing.inventory import Delivery, new_files
from dagster_project.ingest.loading import LoadReport, load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import FILE, Ledger
from dagster_project.lock import warehouse_lock
from dagster_project.publish.versions import read_pointer
from dagster_project.settings import Settings

_RUN = "plan"


@dataclass(frozen=True)
class PlannedFiles:
    """Files of one stream and day that a run would read for the same reason.

    `late_days` counts from the newest day of the stream that is loaded, 0 is not late. `records` and `kept_out` are None where
    the files were not read, because everything is rebuilt anyway.
    """

    day: date
    stream: str
    why: str
    files: int
    late_days: int
    records: int | None
    kept_out: int | None


@dataclass(frozen=True)
class Plan:
    """What a run would do. `rebuild_all` says why every month is rebuilt; it is empty when only `months` are, each with its reasons."""

    files: tuple[PlannedFiles, ...] = ()
    feeds: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    rebuild_all: str = ""
    months: dict[date, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()


def plan(settings: Settings, *, full_refresh: bool = False) -> Plan | None:
    """Return what `run` would do with the same settings; None when it would say that nothing is new.

    Raises
    ------
    ServiceRoiError
        As a run would: a wrong setting, a file outside the layout, a held warehouse.
    """
    with _copied_ledger(settings) as (ledger, scratch):
        mappings = Mappings(settings.mappings)
        deliveries = new_files(settings.landing, ledger, mappings, settings.until)
        pointer = read_pointer(settings.home)
        if pointer and not deliveries and not full_refresh and pointer.inputs_sha256 == inputs_hash(settings, ledger):
            return None
        known = ledger.rows("select path, status, reader_hash, stream, system, delivery_date from deliveries where status <> 'replaced'")
        feeds = {feed for item in deliveries for feed in mappings.system(item.system).stream(item.stream).feeds}
        reason, report, months = _asked(settings, ledger, scratch, deliveries, full_refresh=full_refresh)
        return Plan(
            files=tuple(_grouped(deliveries, known, report)),
            feeds=tuple(sorted(feeds)),
            refusals=tuple(report.refusals) if report else (),
            rebuild_all=reason,
            months=months,
            tables=_tables(feeds, is_full=bool(reason)),
        )


@contextmanager
def _copied_ledger(settings: Settings) -> Iterator[tuple[Ledger, Path]]:
    """Copy the ledger into a folder that is thrown away; a home that was never used has none."""
    with tempfile.TemporaryDirectory(prefix="service-roi-plan-") as folder:
        ops = Path(folder) / "ops"
        ops.mkdir()
        if (settings.ops / FILE).exists():
            source = sqlite3.connect(f"{(settings.ops / FILE).as_uri()}?mode=ro", uri=True, timeout=30)
            with closing(source), closing(sqlite3.connect(ops / FILE)) as copy:
                source.backup(copy)
        yield Ledger(ops), Path(folder)


def _asked(
    settings: Settings, ledger: Ledger, scratch: Path, deliveries: Sequence[Delivery], *, full_refresh: bool
) -> tuple[str, LoadReport | None, dict[date, str]]:
    """Return why everything is rebuilt, or what the door made of the files and which months they touch."""
    from dagster_project.transform.foresight import last_build, reason_after_reading, reason_for_all, touched_months
    from dagster_project.transform.increment import prepare

    reason = _reason_at_once(settings, full_refresh=full_refresh)
    if reason:
        return reason, None, {}
    code, assumptions = code_hash(), load_assumptions(settings.assumptions)
    limits: dict[str, Any] = {"threads": settings.threads, "memory_limit": settings.memory_limit}
    with warehouse_lock(settings.ops, _RUN), last_build(settings.warehouse, scratch / "spill", **limits) as engine:
        if reason := reason_for_all(engine, code, assumptions):
            return reason, None, {}
        report = load(settings.model_copy(update={"home": scratch}), assumptions, ledger, deliveries, _RUN)
        _accept(ledger, scratch)
        systems = {str(system) for (system,) in ledger.rows("select distinct system from deliveries where status = 'accepted'")}
        mappings = Mappings(settings.mappings)
        register_lake(engine, settings.home, ledger, assumptions, mappings.zones(systems), key_scopes(mappings, systems))
        if prepare(engine, settings.home, ledger, code).is_full:
            return reason_after_reading(engine, {batch.batch_id for batch in accepted_batches(ledger)}), report, {}
        return "", report, touched_months(engine)


def _reason_at_once(settings: Settings, *, full_refresh: bool) -> str:
    if full_refresh:
        return "--full-refresh"
    if settings.engine == "spark":
        return "Spark keeps no tables from run to run"
    return "" if settings.warehouse.exists() else "there is no warehouse yet"


def _accept(ledger: Ledger, scratch: Path) -> None:
    """Accept in the copy what was read, and say where its rows lie."""
    ledger.accept(_RUN)
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        connection.execute(
            "update batches set path = ? || path where file_id in (select file_id from deliveries where run_id = ?)", (f"{scratch}/", _RUN)
        )


def _grouped(deliveries: Sequence[Delivery], known: Sequence[tuple[Any, ...]], report: LoadReport | None) -> Iterator[PlannedFiles]:
    before = {path: (status, reader) for path, status, reader, *_ in known}
    newest: dict[str, str] = {}
    for _, status, _, stream, system, day in known:
        if status in {"accepted", "duplicate"}:
            name = f"{system}/{stream}"
            newest[name] = max(day, newest.get(name, day))
    read = {file.path: file for file in report.files} if report else {}
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
        told = (records[group], kept_out[group]) if report else (None, None)
        yield PlannedFiles(day, stream, why, count, max(0, late), *told)


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


def told(found: Plan) -> str:
    """Return the plan as people read it."""
    lines = ["would read nothing new"]
    if found.files:
        lines = ["would read", f"  {'day':<10}  {'stream':<34}  {'files':>5}  {'records':>10}  {'kept out':>8}  why"]
        for item in found.files:
            late = f", late by {item.late_days} days" if item.late_days else ""
            records, kept_out = (f"{count:,}" if count is not None else "" for count in (item.records, item.kept_out))
            lines.append(f"  {item.day}  {item.stream:<34}  {item.files:>5}  {records:>10}  {kept_out:>8}  {item.why}{late}")
        lines.append(f"for the feeds {', '.join(found.feeds)}" if found.feeds else "for no feed of its own")
    if found.refusals:
        refused = "\n".join(found.refusals).replace("\n", "\n  ")
        return "\n".join([*lines, "would then stop and publish nothing; refused:", f"  {refused}"])
    if found.rebuild_all:
        lines.append(f"would rebuild every month, because {found.rebuild_all}")
    elif found.months:
        lines += ["would rebuild these fiscal months", *(f"  {month:%Y-%m}  {why}" for month, why in found.months.items())]
    else:
        lines.append("would rebuild no month")
    if found.tables:
        lines.append(f"in {len(found.tables)} tables: {', '.join(found.tables)}")
    return "\n".join(lines)
