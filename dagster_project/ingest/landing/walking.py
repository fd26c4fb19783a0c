"""The walk over LANDING/<system>/<stream>/<date>/<file>: what was delivered, and what no run reads.

Reads no file's records, and asks no ledger what is new (see `inventory`).
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import UsageError
from dagster_project.ingest.mapping.systems import Mappings, System

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


@dataclass(frozen=True)
class Unread:
    """A part of the landing folder that no run reads, the number of its files, and why, with the remedy.

    `is_broken`: the mapping of a known system is wrong. The others load, then the run ends with this message.
    """

    path: Path
    files: int
    reason: str
    is_broken: bool = False

    def __str__(self) -> str:
        """Word it as runs, plans and doctor report it."""
        return f"not read, {self.files:,} {'file' if self.files == 1 else 'files'}: {self.reason}"


def raise_if_broken(unread: Sequence[Unread]) -> None:
    """Stop where the mapping of a known system is wrong.

    Raises
    ------
    UsageError
        Names each such mapping with file and line.
    """
    broken = [part.reason for part in unread if part.is_broken]
    if broken:
        raise UsageError("\n".join(broken))


class _Walk:
    """One walk over the landing folder; what nobody reads is collected in `unread`."""

    def __init__(self, landing: Path, mappings: Mappings, unread: list[Unread]) -> None:
        self.landing, self.mappings, self.unread = landing, mappings, unread

    def deliveries(self) -> Iterator[Delivery]:
        for system in self._folders(self.landing):
            for mapping, stream in self._streams(system):
                for day, date in self._days(stream):
                    yield from self._files(mapping, stream.name, day, date)

    def _skip(self, path: str, reason: str, *, is_broken: bool = False) -> None:
        self.unread.append(Unread(Path(path), _count(path), reason, is_broken))

    def _folders(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        for entry in _entries(folder, self.landing):
            if entry.is_dir():
                yield entry
            else:
                self._skip(entry.path, f"{entry.path} is not where a delivered file belongs; remedy: move it to {LAYOUT}")

    def _streams(self, system: os.DirEntry[str]) -> Iterator[tuple[System, os.DirEntry[str]]]:
        try:
            mapping = self.mappings.system(system.name, Path(system.path))
        except UsageError as error:
            self._skip(system.path, str(error))
            return
        try:
            _ = mapping.file
        except UsageError as error:
            self._skip(system.path, str(error), is_broken=True)
            return
        for stream in self._folders(Path(system.path)):
            try:
                if mapping.reads(stream.name, Path(stream.path)):
                    yield mapping, stream
            except UsageError as error:
                self._skip(stream.path, str(error))

    def _days(self, stream: os.DirEntry[str]) -> Iterator[tuple[os.DirEntry[str], dt.date]]:
        for day in self._folders(Path(stream.path)):
            date = _date(day.name)
            if date is None:
                self._skip(day.path, f"{day.path}: the folder of a delivery is named by its day as YYYY-MM-DD; remedy: {LAYOUT}")
            else:
                yield day, date

    def _files(self, mapping: System, stream: str, day: os.DirEntry[str], date: dt.date) -> Iterator[Delivery]:
        entries = _entries(Path(day.path), self.landing)
        names = {entry.name for entry in entries}
        waits_for = {"manifest": _MANIFEST, "done": _DONE}.get(mapping.stream(stream).complete_by or "")
        for entry in entries:
            if entry.is_dir():
                self._skip(entry.path, f"{entry.path} is a folder where files belong; remedy: {LAYOUT}")
                continue
            if entry.name.endswith((_MANIFEST, _DONE)) or (waits_for and entry.name + waits_for not in names):
                continue
            state = entry.stat()
            relative = f"{mapping.name}/{stream}/{day.name}/{entry.name}"
            yield Delivery(mapping.name, stream, date, Path(entry.path), relative, state.st_size, state.st_mtime_ns, mapping.reader_hash)


def _date(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(name) if len(name) == 10 else None
    except ValueError:
        return None


def _count(path: str) -> int:
    if not os.path.isdir(path):  # noqa: PTH112  a walk over texts
        return 1
    files = (name for _, _, names in os.walk(path) for name in names)
    return sum(not name.startswith(".") and not name.endswith((*_UNFINISHED, _MANIFEST, _DONE)) for name in files)


def delivered_files(landing: Path, mappings: Mappings, unread: list[Unread] | None = None) -> Iterator[Delivery]:
    """Walk the landing folder in the order of system, stream, date and name; add to `unread` what nobody reads.

    A system or stream without a mapping, a wrong mapping, and what lies outside the layout stop no other system.

    Raises
    ------
    UsageError
        The folder is missing, or a link leads out of it.
    """
    if not landing.is_dir():
        raise UsageError(f"landing folder {landing} does not exist; remedy: name it with --landing or ROI_LANDING")
    return _Walk(landing, mappings, [] if unread is None else unread).deliveries()
