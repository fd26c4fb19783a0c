"""What followed from the erased records: older copies and older batches.

Holds removal only; each step may be repeated. It must not touch the served copy or the landing folder.
"""

from __future__ import annotations

import shutil

from dagster_project.host.lock import SPILL
from dagster_project.ledger.store import Ledger
from dagster_project.publish.versions import discard, publisher_lock, read_pointer, sweep, versions
from dagster_project.settings import Settings


def remove_older_copies(settings: Settings) -> list[str]:
    """Remove every published version but the served one, those that extracts were made from too: an extract names no account."""
    with publisher_lock(settings.home):
        sweep(settings.home)
        current = read_pointer(settings.home)
        older = [version for version in versions(settings.home) if current is None or version.file != current.file]
        for version in older:
            discard(settings.home, version.stem)
    return [version.file for version in older]


def remove_older_batches(settings: Settings, ledger: Ledger) -> int:
    """Remove the typed files, withdrawn keys, text copies and extras that the ledger does not name as accepted, and what was half read."""
    named = {row[0] for row in ledger.rows("select path from batches where status = 'accepted'")}
    named |= {row[0] for row in ledger.rows("select withdrawn_path from batches where status = 'accepted'")}
    named |= {row[0] for row in ledger.rows("select extras_path from deliveries where status = 'accepted'")}
    streams, extras = settings.restricted / "streams", settings.restricted / "extras"
    found = [*settings.lake.glob("*/*"), *streams.glob("*/*"), *extras.glob("*")]
    gone = [path for path in found if path.is_file() and path.relative_to(settings.home).as_posix() not in named]
    for path in gone:
        path.unlink()
    for folder in (settings.home / SPILL, settings.scratch):
        shutil.rmtree(folder, ignore_errors=True)
    return len(gone)
