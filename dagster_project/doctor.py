"""Find and mend what a crash left in HOME: litter, unfinished runs, a damaged copy.

It never kills a process and never deletes a version that readers may use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from dagster_project.door.ledger import Ledger
from dagster_project.lock import warehouse_lock
from dagster_project.publish.versions import is_whole, published_folder, read_pointer, sweep
from dagster_project.settings import Settings


@dataclass(frozen=True)
class Findings:
    """What was found and mended, one line each; `is_healthy` is false when something needs a person."""

    lines: tuple[str, ...]
    is_healthy: bool


def examine(settings: Settings) -> Findings:
    """Look at HOME while holding the lock, so that a live run is never disturbed.

    Raises
    ------
    InfrastructureError
        A run holds the warehouse; the message names it.
    """
    with warehouse_lock(settings.ops, "doctor"):
        ledger = Ledger(settings.ops)
        lines = [f"run {run_id} started {started} and never ended: marked failed" for run_id, started in _unfinished(ledger)]
        before = _names(settings)
        sweep(settings.home)
        lines += [f"removed {name}" for name in sorted(before - _names(settings))]
        staged = ledger.rows("select count(*) from deliveries where status = 'staged'")[0][0]
        if staged:
            lines.append(f"{staged} files were read but not accepted; the next run reads them again")
        problem = _damage(settings)
    lines.append(problem or "published copy is whole")
    return Findings(tuple(lines), is_healthy=problem is None)


def _names(settings: Settings) -> set[str]:
    folder = published_folder(settings.home)
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _unfinished(ledger: Ledger) -> list[tuple[str, str]]:
    runs = [
        (str(run_id), str(started)) for run_id, started in ledger.rows("select run_id, started_at from runs where run_state = 'started'")
    ]
    for run_id, _ in runs:
        ledger.finish_run(run_id, datetime.now(UTC).isoformat(), "failed", "ended without a word; found by doctor")
    return runs


def _damage(settings: Settings) -> str | None:
    pointer = read_pointer(settings.home)
    if pointer is None:
        return "nothing is published yet; remedy: service-roi run"
    if is_whole(settings.home, pointer):
        return None
    path = published_folder(settings.home) / pointer.file
    return f"published copy {pointer.seq} is damaged or gone: {path}; remedy: service-roi run --full-refresh, or rollback"
