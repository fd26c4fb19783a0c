"""One load: files under temporary names, a journal that commits them as a set, and the state the next load starts from.

Layout: LANDING/<system>/<stream>/<YYYY-MM-DD>/<source>-<number>[-<object>], with `<file>.manifest.json` beside it, and the journal
LANDING/.loads/<source>/<number>.json (state, files). The door ignores names that begin with a dot or end in `.part`.
A load is committed when its journal has its name; what a crash kept from being renamed is renamed by whoever comes next.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.errors import InfrastructureError
from dagster_project.settings import fault_point

if TYPE_CHECKING:
    import pyarrow.parquet as pq

LOAD_ROWS = 500_000
"""A load that holds this many rows is committed and another begins: what a crash can cost on a first fetch of years."""
_GROUP_ROWS = 5_000
_KEPT_JOURNALS = 14
_PART, _MANIFEST = ".part", ".manifest.json"
_LOADS = ".loads"


@dataclass
class LandedFile:
    """A file of a load: path below the landing folder, rows (None: not counted), and for objects the key and etag it came from."""

    path: str
    sha256: str
    rows: int | None = None
    key: str | None = None
    etag: str | None = None
    own_manifest: bool = True


class TableFile:
    """One stream's rows, all text, on their way to a Parquet file under a temporary name."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Open the file; rows are lists of text or None in the order of `columns`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = path
        self.rows = 0
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._pending: list[Sequence[str | None]] = []
        self._writer: pq.ParquetWriter = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, row: Sequence[str | None]) -> None:
        """Take one row."""
        self._pending.append(row)
        self.rows += 1
        if len(self._pending) >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._pending:
            columns = [pa.array(values, pa.string()) for values in zip(*self._pending, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
            self._pending.clear()

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()


@dataclass
class Load:
    """A load being written. `state` becomes that of the source when the load is committed."""

    landing: Path
    source: str
    system: str
    day: dt.date
    number: int
    state: dict[str, Any]
    tables: dict[str, TableFile] = field(default_factory=dict)
    files: list[LandedFile] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return sum(table.rows for table in self.tables.values())

    @property
    def is_full(self) -> bool:
        """Whether the load should end at the next place from which another can go on."""
        return self.rows >= LOAD_ROWS

    def path(self, stream: str, suffix: str) -> Path:
        """Return the temporary path of a file, in a folder that exists."""
        folder = self.landing / self.system / stream / self.day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self.source}-{self.number:06d}{suffix}{_PART}"

    def table(self, stream: str, columns: Sequence[str]) -> TableFile:
        """Return the stream's file of this load, opened at first use."""
        if stream not in self.tables:
            self.tables[stream] = TableFile(self.path(stream, ".parquet"), columns)
        return self.tables[stream]

    def drop(self, stream: str) -> None:
        """Take back what was written for a stream: it holds no news."""
        table = self.tables.pop(stream)
        table.close()
        table.path.unlink()

    def manifest(self, part: Path) -> Path:
        """Return the temporary path of the manifest of a file."""
        return _manifest(part)

    def add(self, part: Path, **about: Any) -> None:
        """Take a file that is complete under its temporary name, with its manifest, into the set."""
        _sync(part)
        with part.open("rb") as file:
            landed = LandedFile(part.relative_to(self.landing).as_posix().removesuffix(_PART), _sha256(file), **about)
        if landed.own_manifest:
            stated = {name: value for name, value in (("rows", landed.rows), ("sha256", landed.sha256)) if value is not None}
            _write(_manifest(part), json.dumps(stated))
        self.files.append(landed)

    def commit(self, before: dict[str, Any]) -> bool:
        """Make the whole set durable, then visible. Returns False, and writes nothing, when it holds no news."""
        for table in self.tables.values():
            table.close()
            self.add(table.path, rows=table.rows)
        if not self.files and self.state == before:
            return False
        fault_point("fetch_written")
        journal = {"day": self.day.isoformat(), "state": self.state, "files": [vars(file) for file in self.files]}
        folder = _journals(self.landing, self.source)
        temporary = folder / f"{self.number:06d}.json{_PART}"
        _write(temporary, json.dumps(journal))
        for path in {self.landing / file.path for file in self.files}:
            _sync(path.parent)
        temporary.replace(folder / f"{self.number:06d}.json")
        _sync(folder)
        fault_point("fetch_committed")
        reveal(self.landing, self.source)
        _forget_old_journals(folder)
        return True


def _hidden(landing: Path, source: str) -> list[tuple[Path, Path]]:
    """Return temporary and final name of what the newest journal holds and no rename has reached; a manifest before its file."""
    pairs = []
    for file in (last_journal(landing, source) or {"files": []})["files"]:
        path = landing / file["path"]
        part = path.with_name(path.name + _PART)
        pairs += [(_manifest(part), path.with_name(path.name + _MANIFEST)), (part, path)]
    return [(temporary, final) for temporary, final in pairs if temporary.is_file()]


def reveal(landing: Path, source: str) -> None:
    """Give the files of the newest journal their names; what has its name already is left alone."""
    hidden = _hidden(landing, source)
    for temporary, final in hidden:
        temporary.replace(final)
        if not final.name.endswith(_MANIFEST):
            fault_point("fetch_revealed")
    for folder in {final.parent for _, final in hidden}:
        _sync(folder)


def reveal_all(landing: Path) -> None:
    """Finish what killed fetches had committed, so that a run sees each load whole; a fetch at work finishes its own."""
    for folder in sorted((landing / _LOADS).glob("*/")):
        if _hidden(landing, folder.name):
            with suppress(InfrastructureError), _lock(landing, folder.name):
                reveal(landing, folder.name)


@contextmanager
def holding(landing: Path, source: str, system: str) -> Iterator[None]:
    """Hold the source for one fetch: finish what is committed, remove what a killed fetch left.

    Raises
    ------
    InfrastructureError
        Another fetch of the source is at work.
    """
    _journals(landing, source).mkdir(parents=True, exist_ok=True)
    with _lock(landing, source):
        reveal(landing, source)
        for left in (landing / system).glob(f"*/*/{source}-*{_PART}"):
            if re.fullmatch(rf"{source}-\d{{6}}[.-].*", left.name):
                left.unlink()
        yield


@contextmanager
def _lock(landing: Path, source: str) -> Iterator[None]:
    with (_journals(landing, source) / "lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InfrastructureError(f"another fetch of {source} is at work; wait for it to end, nothing was changed") from None
        yield


def last_journal(landing: Path, source: str) -> dict[str, Any] | None:
    """Return the journal of the last committed load."""
    found = sorted(_journals(landing, source).glob("*.json"))
    return {"number": int(found[-1].stem), **_read(found[-1])} if found else None


def free_number(landing: Path, source: str, system: str, last: int) -> int:
    """Return the next number of a load; files whose journals are gone keep theirs."""
    number = last + 1
    while any((landing / system).glob(f"*/*/{source}-{number:06d}*")):
        number += 1
    return number


def _forget_old_journals(folder: Path) -> None:
    """Keep the newest journals, and those that say which objects were taken."""
    for path in sorted(folder.glob("*.json"))[:-_KEPT_JOURNALS]:
        if not any(file["key"] for file in _read(path)["files"]):
            path.unlink()


def landed_objects(landing: Path, source: str) -> set[tuple[str, str]]:
    """Return key and etag of every object that the source has delivered."""
    files = [file for path in _journals(landing, source).glob("*.json") for file in _read(path)["files"]]
    return {(file["key"], file["etag"]) for file in files}


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise InfrastructureError(f"{path}: the journal of a load is damaged ({error}); remedy: restore it from a backup") from error


def _journals(landing: Path, source: str) -> Path:
    return landing / _LOADS / source


def _manifest(part: Path) -> Path:
    return part.with_name(part.name.removesuffix(_PART) + _MANIFEST + _PART)


def _sha256(file: Any) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def counts(files: Iterable[LandedFile]) -> dict[str, int]:
    """Return the rows of each stream; an object counts as one."""
    found: dict[str, int] = {}
    for file in files:
        stream = file.path.split("/")[1]
        found[stream] = found.get(stream, 0) + (1 if file.rows is None else file.rows)
    return found
