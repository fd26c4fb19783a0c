"""Find and clear what a crash left: old files, unfinished runs, children of dead runs and the Dagster slots they hold. Name damage.

It works while holding the warehouse, so a live run is never disturbed. It ends no process but children of dead runs, and never
deletes a version that readers may use.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime

from dagster_project.commands.inspection import closed_parts, damaged_parts
from dagster_project.host import temporary
from dagster_project.host.lock import warehouse_lock
from dagster_project.ingest.landing.inventory import Unread, delivered_files
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger
from dagster_project.publish.stable_path import offer
from dagster_project.publish.versions import published_folder, read_pointer, sweep
from dagster_project.settings import Settings, dagster_home

_ROOM = 2
"""Free room that the next run wants, in sizes of the served copy: one for the next copy, one for what the run spills and rewrites."""


@dataclass(frozen=True)
class Findings:
    """What was found and repaired, one line each; `is_healthy` is false when something needs a person."""

    lines: tuple[str, ...]
    is_healthy: bool


def examine(settings: Settings) -> Findings:
    """Look at HOME while holding the lock, and at Dagster's instance where DAGSTER_HOME names one.

    Raises
    ------
    InfrastructureError
        A run holds the warehouse; the message names it.
    """
    problems = [*closed_parts(settings), *_landing(settings)]
    if problems:
        return Findings(tuple(problems), is_healthy=False)
    with warehouse_lock(settings.ops, "doctor") as orphans:
        lines = [str(orphan) for orphan in orphans]
        ledger = Ledger(settings.ops)
        unfinished = _unfinished(ledger)
        lines += [f"run {run_id} started {started} and never ended: marked failed" for run_id, started in unfinished]
        before = _names(settings)
        sweep(settings.home)
        lines += [f"removed {name}" for name in sorted(before - _names(settings))]
        lines += filter(None, [offer(settings.home)])
        lines += [f"removed temporary folder {path}, whose process was killed" for path in temporary.sweep()]
        staged = ledger.rows("select count(*) from deliveries where status = 'staged'")[0][0]
        if staged:
            lines.append(f"{staged} files were read but not accepted; the next run reads them again")
        if dagster_home() is not None:
            from dagster_project.orchestration.instance import repair_instance

            dead = [str(run_id) for (run_id,) in ledger.rows("select run_id from runs where run_state = 'failed'")]
            repaired, missing = repair_instance(dead)
            lines += repaired
            problems += missing
        lines += _unread(settings)
        problems += [*damaged_parts(settings, ledger), *_room(settings)]
    return Findings((*lines, *(problems or ["published copy is complete"])), is_healthy=not problems)


def _landing(settings: Settings) -> list[str]:
    if "landing" not in settings.model_fields_set or os.access(settings.landing, os.R_OK | os.X_OK):
        return []
    return [f"landing folder {settings.landing} is missing or cannot be read; remedy: create it, or let this user read it"]


def _unread(settings: Settings) -> list[str]:
    """Return what no run reads in the landing folder, where the settings name one or both folders are the defaults."""
    is_named = "landing" in settings.model_fields_set or "home" not in settings.model_fields_set
    if not is_named or not settings.landing.is_dir():
        return []
    unread: list[Unread] = []
    for _ in delivered_files(settings.landing, Mappings(settings.mappings), unread):
        pass
    return [str(part) for part in unread]


def _names(settings: Settings) -> set[str]:
    folder = published_folder(settings.home)
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _unfinished(ledger: Ledger) -> list[tuple[str, str]]:
    runs = ledger.runs_without_end()
    for run_id, _ in runs:
        ledger.finish_run(run_id, datetime.now(UTC).isoformat(), "failed", "ended without a word; found by doctor")
    return runs


def _room(settings: Settings) -> list[str]:
    pointer = read_pointer(settings.home)
    needed = _ROOM * pointer.bytes if pointer else 0
    free = shutil.disk_usage(settings.home).free
    return [] if free >= needed else [f"{free:,} bytes free in {settings.home}, the next run wants {needed:,}; remedy: free disk space"]
