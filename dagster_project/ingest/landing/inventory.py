"""What lies in the landing folder and is not in the ledger yet.

Holds the walk over LANDING/<system>/<stream>/<date>/<file> and nothing that reads a file's records: a run with nothing
new ends here, so this module imports only the standard library, the ledger and the mapping index.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import UsageError
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.entries import KnownFile
from dagster_project.ledger.store import Ledger

LAYOUT = "LANDING/<system>/<stream>/<YYYY-MM-DD>/<file>"
_UNFINISHED = (".part", ".tmp")
_MANIFEST, _DONE = ".manifest.json", ".done"


@dataclass(frozen=True)
class Delivery:
    """One delivered file. `path` is absolute, `relative` is the path below the landing folder with forward slashes."""

    system: str
    stream: str
    delivery_date: dt.date
    path: Path
    relative: str
    bytes: int
    mtime_ns: int
    reader_hash: str

    @property
    def manifest(self) -> Path:
        """Where the optional manifest of this file would lie."""
        return self.path.with_name(self.path.name + _MANIFEST)


def _entries(folder: Path, landing: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        entries = [entry for entry in found if not entry.name.startswith(".") and not entry.name.endswith(_UNFINISHED)]
    for entry in entries:
        if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(landing):
            raise UsageError(f"{entry.path} points outside the landing folder; remedy: copy the file itself to its place")
    return sorted(entries, key=lambda entry: entry.name)


def _folders(folder: Path, landing: Path) -> list[os.DirEntry[str]]:
    entries = _entries(folder, landing)
    for entry in entries:
        if not entry.is_dir():
            raise UsageError(f"{entry.path} is not where a delivered file belongs; remedy: move it to {LAYOUT}")
    return entries


def _date(entry: os.DirEntry[str]) -> dt.date:
    try:
        if len(entry.name) == 10:
            return dt.date.fromisoformat(entry.name)
    except ValueError:
        pass
    raise UsageError(f"{entry.path}: the folder of a delivery is named by its day as YYYY-MM-DD; remedy: {LAYOUT}")


def delivered_files(landing: Path, mappings: Mappings) -> Iterator[Delivery]:
    """Walk the landing folder in the order of system, stream, date and name.

    Raises
    ------
    UsageError
        The folder is missing, something lies outside the layout, or a system or stream has no mapping.
    """
    if not landing.is_dir():
        raise UsageError(f"landing folder {landing} does not exist; remedy: name it with --landing or ROI_LANDING")
    for system in _folders(landing, landing):
        mapping = mappings.system(system.name, Path(system.path))
        for stream in _folders(Path(system.path), landing):
            if not mapping.reads(stream.name, Path(stream.path)):
                continue
            reader_hash = mapping.reader_hash
            for day in _folders(Path(stream.path), landing):
                date = _date(day)
                entries = _entries(Path(day.path), landing)
                names = {entry.name for entry in entries}
                waits_for = {"manifest": _MANIFEST, "done": _DONE}.get(mapping.stream(stream.name).complete_by or "")
                for entry in entries:
                    if entry.is_dir():
                        raise UsageError(f"{entry.path} is a folder where files belong; remedy: {LAYOUT}")
                    if entry.name.endswith((_MANIFEST, _DONE)) or (waits_for and entry.name + waits_for not in names):
                        continue
                    state = entry.stat()
                    relative = f"{system.name}/{stream.name}/{day.name}/{entry.name}"
                    yield Delivery(
                        system.name, stream.name, date, Path(entry.path), relative, state.st_size, state.st_mtime_ns, reader_hash
                    )


def new_files(landing: Path, ledger: Ledger, mappings: Mappings, until: str | None = None) -> list[Delivery]:
    """Return the delivered files that the ledger does not know as loaded by the present reader, in the order to read them.

    A file is known when path, size, time of change and reader agree; when only the time differs its bytes decide.
    Refused files come again until they are mended or removed, so that a standing refusal stays visible. Duplicates of a
    file that is read again come along: they have to carry their records themselves now.

    Raises
    ------
    UsageError
        See `delivered_files`; also an `until` that is no date.
    """
    try:
        last = None if until is None else dt.date.fromisoformat(until)
    except ValueError as error:
        raise UsageError(f"until {until}: not a date of the form YYYY-MM-DD") from error
    known = ledger.known_files()
    delivered = list(delivered_files(landing, mappings))
    wanted = [delivery for delivery in delivered if last is None or delivery.delivery_date <= last]
    fresh = {delivery.relative for delivery in wanted if _is_new(delivery, known.get(delivery.relative), ledger)}
    read_again = {known[relative].file_id for relative in fresh if relative in known}
    fresh |= {relative for relative, entry in known.items() if entry.duplicate_of in read_again}
    return [delivery for delivery in delivered if delivery.relative in fresh]


def _is_new(delivery: Delivery, entry: KnownFile | None, ledger: Ledger) -> bool:
    if entry is None or entry.reader_hash != delivery.reader_hash or entry.bytes != delivery.bytes:
        return True
    if entry.mtime_ns != delivery.mtime_ns:
        if _sha256(delivery, None) != entry.sha256:
            return True
        ledger.touch(entry.file_id, delivery.mtime_ns)
    return False


def _sha256(delivery: Delivery, entry: KnownFile | None) -> str:
    if entry is not None and (entry.bytes, entry.mtime_ns) == (delivery.bytes, delivery.mtime_ns):
        return entry.sha256
    with delivery.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
