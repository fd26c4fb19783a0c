"""The walk over LANDING/<system>/<stream>/<date>/<file>: what was delivered, and what no run reads.

Reads no file's records, and asks no ledger what is new (see `inventory`).
"""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import UsageError
from dagster_project.host.escaping import escaped
from dagster_project.ingest.mapping.systems import Mappings, System

LAYOUT = "LANDING/<system>/<stream>/<YYYY-MM-DD>/<file>"
_UNFINISHED = (".part", ".tmp")
_MANIFEST, _DONE = ".manifest.json", ".done"
_NAME_BYTES = 240
"""Longest name of a delivered file: those of what ingest writes next to its copy are longer."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEARS = (1900, 2200)
"""Years of a day of delivery, as of every instant that ingest reads."""


@dataclass(frozen=True)
class Delivery:
    """One delivered file. `path` is absolute, `relative` is the path below the landing folder with forward slashes.

    `fault` says why it cannot be read, where its name or a link tells; empty for a file that can be opened.
    """

    system: str
    stream: str
    delivery_date: dt.date
    path: Path
    relative: str
    bytes: int
    mtime_ns: int
    reader_hash: str
    fault: str = ""

    @property
    def manifest(self) -> Path:
        """Where the optional manifest of this file would be."""
        return self.path.with_name(self.path.name + _MANIFEST)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not entry.name.startswith(".") and not entry.name.endswith(_UNFINISHED)]
    except FileNotFoundError:  # taken away since its parent was listed
        return []
    return sorted(entries, key=lambda entry: entry.name)


def printable(path: str) -> str:
    """Return a path as text that can be written and stored; bytes of a name that are no UTF-8 are shown by their numbers."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def fault(path: str, landing: Path | None) -> str:
    """Return why nothing can be read under this name; empty where a file or a folder can. A link may not lead out of `landing`."""
    shown, name = printable(path), os.fsencode(os.path.basename(path))  # noqa: PTH119  a walk over texts
    if shown != path:
        return f"{shown}: its name is not UTF-8; remedy: deliver it under a name of plain letters"
    if "\n" in path or "\r" in path:
        return f"{escaped(path)}: its name holds an end of line; remedy: deliver it under a name of plain letters"
    if len(name) > _NAME_BYTES:
        return f"{shown}: its name has more than {_NAME_BYTES} bytes; remedy: deliver it under a shorter name"
    is_link = os.path.islink(path)  # noqa: PTH114
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:  # a file that is gone, or behind a closed folder, is named by the code that reads it
        return f"{shown} is a link that leads nowhere; remedy: copy the file itself to its place" if is_link else ""
    if is_link and landing is not None and not Path(path).resolve().is_relative_to(landing):
        return f"{shown} points outside the landing folder; remedy: copy the file itself to its place"
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else f"{shown} is no ordinary file; remedy: deliver a file"


@dataclass(frozen=True)
class Unread:
    """A part of the landing folder that no run reads, the number of its files, and why, with the remedy.

    `is_broken`: the mapping of a known system is wrong. The others load, then the run ends with this message and publishes nothing.
    `is_refused`, by `rule`: nobody can read it, whatever the mappings are. The others load and are published, then the run ends with
    this message.
    """

    path: Path
    files: int
    reason: str
    is_broken: bool = False
    is_refused: bool = False
    rule: str = "folder_unreadable"

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


def refused_parts(unread: Iterable[Unread]) -> list[str]:
    """Return what is wrong with the parts that nobody can read."""
    return [part.reason for part in unread if part.is_refused]


def raise_if_unreadable(deliveries: Iterable[Delivery], unread: Sequence[Unread]) -> None:
    """Stop where a name, a link or a day of the landing folder is wrong.

    Raises
    ------
    UsageError
        Names each of them.
    """
    refused = [*(file.fault for file in deliveries if file.fault), *refused_parts(unread)]
    if refused:
        raise UsageError("\n".join(refused))


class _Walk:
    """One walk over the landing folder; what nobody reads is collected in `unread`."""

    def __init__(self, landing: Path, mappings: Mappings, unread: list[Unread]) -> None:
        self.landing, self.mappings, self.unread = landing, mappings, unread

    def deliveries(self) -> Iterator[Delivery]:
        for system in self._folders(self.landing):
            for mapping, stream in self._streams(system):
                for day, date in self._days(stream):
                    yield from self._files(mapping, stream.name, day, date)

    def _skip(self, path: str, reason: str, *, is_broken: bool = False, is_refused: bool = False) -> None:
        self.unread.append(Unread(Path(printable(path)), _count(path), reason, is_broken, is_refused))

    def _folders(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        for entry in _entries(folder):
            if wrong := fault(entry.path, self.landing):
                self._skip(entry.path, wrong, is_refused=True)
            elif entry.is_dir():
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
                what = f"{day.path}: the folder of a delivery is named by its day as YYYY-MM-DD; remedy: {LAYOUT}"
                if is_impossible := _DAY.fullmatch(day.name) is not None:
                    what = f"{day.path}: there is no such day of delivery; remedy: name the folder by the day, {LAYOUT}"
                self._skip(day.path, what, is_refused=is_impossible)
            else:
                yield day, date

    def _files(self, mapping: System, stream: str, day: os.DirEntry[str], date: dt.date) -> Iterator[Delivery]:
        entries = _entries(Path(day.path))
        names = {entry.name for entry in entries}
        waits_for = {"manifest": _MANIFEST, "done": _DONE}.get(mapping.stream(stream).complete_by or "")
        for entry in entries:
            wrong = fault(entry.path, self.landing)
            if not wrong and entry.is_dir():
                self._skip(entry.path, f"{entry.path} is a folder where files belong; remedy: {LAYOUT}")
                continue
            if entry.name.endswith((_MANIFEST, _DONE)) or (waits_for and entry.name + waits_for not in names):
                continue
            try:
                state = entry.stat(follow_symlinks=not wrong)
            except FileNotFoundError:  # taken away since the folder was listed
                continue
            relative = f"{mapping.name}/{stream}/{day.name}/{printable(entry.name)}"
            size, at = state.st_size, state.st_mtime_ns
            yield Delivery(mapping.name, stream, date, Path(entry.path), relative, size, at, mapping.reader_hash, wrong)


def _date(name: str) -> dt.date | None:
    """Return the day of a folder's name; None where it is none on which anything can be delivered."""
    try:
        day = dt.date.fromisoformat(name) if len(name) == 10 else None
    except ValueError:
        return None
    return day if day is not None and _YEARS[0] <= day.year < _YEARS[1] else None


def _count(path: str) -> int:
    if os.path.islink(path) or not os.path.isdir(path):  # noqa: PTH112, PTH114  a walk over texts
        return 1
    files = (name for _, _, names in os.walk(path) for name in names)
    return sum(not name.startswith(".") and not name.endswith((*_UNFINISHED, _MANIFEST, _DONE)) for name in files)


def delivered_files(landing: Path, mappings: Mappings, unread: list[Unread] | None = None) -> Iterator[Delivery]:
    """Walk the landing folder in the order of system, stream, date and name; add to `unread` what nobody reads.

    A system or stream without a mapping, a wrong mapping, a name or link that cannot be read, and what is outside the layout stop
    nothing else.

    Raises
    ------
    UsageError
        The folder is missing.
    """
    if not landing.is_dir():
        raise UsageError(f"landing folder {landing} does not exist; remedy: name it with --landing or ROI_LANDING")
    return _Walk(landing, mappings, [] if unread is None else unread).deliveries()
