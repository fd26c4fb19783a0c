"""Names, pointer and lifetime of published versions.

A version is `marts-<seq>-<hash>.duckdb` plus a folder of the same stem with Parquet exports and `manifest.json`; it is
visible once `current.json` names it. Order is the sequence number, never a clock. An export may be one file under the names of
several versions: removing a version removes its names. Standard library only.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagster_project.errors import InfrastructureError

EXPORT = "export.building"
"""Folder of Parquet files that an engine is writing for the next version."""
COPY = "copy.building"
"""File that is becoming the copy of the next version; its content gives it its name."""
KEEP_VERSIONS = 14
MINIMUM_AGE_SECONDS = 24 * 3600
_STEM = re.compile(r"marts-(\d{6,})-[0-9a-f]{8}")


@dataclass(frozen=True)
class Pointer:
    """One published version, as `current.json` and the version's own `manifest.json` state it.

    `content_hash` covers schemas marts, analytics and reporting in any row order; `sha256` and `bytes` cover the file;
    `inputs_sha256` covers what the run read. `tables` maps schema.table to its number of rows. `is_view`: the tables of the file
    are views over the Parquet files of the version, which are too large to be held twice.
    """

    seq: int
    file: str
    content_hash: str
    inputs_sha256: str
    sha256: str
    bytes: int
    duckdb_version: str
    data_as_of: str | None
    run_id: str
    published_at: str
    tables: dict[str, int]
    is_view: bool = False

    @property
    def stem(self) -> str:
        """Name shared by the file and the folder of its exports."""
        return self.file.removesuffix(".duckdb")


def published_folder(home: Path) -> Path:
    """Return the only folder readers need."""
    return home / "published"


def _pointer(values: dict[str, Any]) -> Pointer:
    pointer = Pointer(**values)
    if not _STEM.fullmatch(pointer.stem):  # a pointer must never lead out of its folder
        raise ValueError(f"not the name of a published copy: {pointer.file}")
    return pointer


def read_pointer(home: Path) -> Pointer | None:
    """Return what `current.json` names; None when there is none or it is damaged.

    Raises
    ------
    InfrastructureError
        It is there and this user cannot read it, so nobody knows what is served.
    """
    path = published_folder(home) / "current.json"
    try:
        return _pointer(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(
        f"{path} cannot be read by user {os.getuid()}: {error.strerror}; remedy: change owner or mode of the file and of {path.parent}"
    )


def read_manifest(home: Path, stem: str) -> dict[str, Any]:
    """Return the manifest of one version: its pointer as `version`, its `tables` (rows, hash, files, of monthly ones months), `full_bytes`.

    `full_bytes` is the size of the file that was last written in full; the versions since then started from its descendants.
    `descriptions_sha256` is the identity of the texts that its files carry.
    """
    manifest: dict[str, Any] = json.loads((published_folder(home) / stem / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def parquet_folder(home: Path, pointer: Pointer) -> Path | None:
    """Return the folder that readers of the version need next to its file; None when the file holds the rows itself."""
    return published_folder(home) / pointer.stem if pointer.is_view else None


def is_complete(home: Path, pointer: Pointer) -> bool:
    """Tell whether a version is there byte for byte, its Parquet files too; raises as `damage` does."""
    return damage(home, pointer, with_exports=True) is None


def damage(home: Path, pointer: Pointer, *, with_exports: bool = False) -> str | None:
    """Return what is proven to be wrong with what readers of a version need; None when it is there byte for byte.

    `with_exports`: its Parquet files too, also where the file itself holds the rows.

    Raises
    ------
    InfrastructureError
        A file cannot be read, so nothing is proven.
    """
    expected = [(pointer.file, pointer.bytes, pointer.sha256)]
    if pointer.is_view or with_exports:
        exports = _exports(home, pointer)
        if exports is None:
            return f"{pointer.stem}/manifest.json is gone or damaged"
        expected += exports
    found = (_difference(published_folder(home) / name, size, digest) for name, size, digest in expected)
    return next(filter(None, found), None)


def _exports(home: Path, pointer: Pointer) -> list[tuple[str, int, str]] | None:
    """Return name, size and SHA-256 of each Parquet file of a version; None when its manifest does not say."""
    try:
        tables = read_manifest(home, pointer.stem)["tables"].values()
        return [(f"{pointer.stem}/{entry['file']}", entry["bytes"], entry["sha256"]) for table in tables for entry in table["files"]]
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        return None
    except OSError as error:
        raise _unreadable(published_folder(home) / pointer.stem / "manifest.json", error) from error


def _difference(file: Path, size: int, digest: str) -> str | None:
    try:
        with file.open("rb") as handle:
            found = os.fstat(handle.fileno()).st_size
            if found != size:
                return f"{file.name} has {found:,} bytes, {size:,} were published"
            return (
                None if hashlib.file_digest(handle, "sha256").hexdigest() == digest else f"{file.name} has other bytes than were published"
            )
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return f"{file.name} is gone"
    except OSError as error:
        raise _unreadable(file, error) from error


def versions(home: Path) -> list[Pointer]:
    """Return the complete versions, newest first; a folder without a complete manifest is no version.

    Raises
    ------
    InfrastructureError
        A manifest, or the folder, is there and this user cannot read it.
    """
    found, folder = [], published_folder(home)
    try:
        names = [path.name for path in folder.iterdir() if _STEM.fullmatch(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _unreadable(folder, error) from error
    for name in names:
        try:
            found.append(_pointer(read_manifest(home, name)["version"]))
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
            continue
        except OSError as error:
            raise _unreadable(folder / name / "manifest.json", error) from error
    return sorted(found, key=lambda pointer: pointer.seq, reverse=True)


@contextmanager
def publisher_lock(home: Path) -> Iterator[None]:
    """Hold the only right to publish; the system drops it when the process dies, however it dies.

    Raises
    ------
    InfrastructureError
        Another process is publishing.
    """
    folder = published_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InfrastructureError(f"another process is publishing to {folder}; remedy: wait for it to end and run again") from error
        yield


def sync(path: Path) -> None:
    """Force a file, or a folder's list of names, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, values: object) -> None:
    """Write JSON, sorted and indented, and force it to disk."""
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        handle.write(json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def switch_pointer(home: Path, pointer: Pointer) -> None:
    """Make a verified version the one that readers open, in one atomic replacement.

    Raises
    ------
    InfrastructureError
        Another version with the same or a higher sequence is already served: this publisher was overtaken.
    """
    folder = published_folder(home)
    current = read_pointer(home)
    if current is not None and current.seq >= pointer.seq and current.file != pointer.file:
        raise InfrastructureError(f"version {pointer.seq} was overtaken by version {current.seq}, which stays served; remedy: run again")
    write_synced(folder / "current.json.tmp", asdict(pointer))
    (folder / "current.json.tmp").replace(folder / "current.json")
    sync(folder)


def next_seq(home: Path) -> int:
    """Return a sequence number above every one ever seen here, also when `current.json` was lost."""
    current = read_pointer(home)
    return 1 + max([version.seq for version in versions(home)] + [current.seq if current else 0])


def discard_unnamed(home: Path) -> None:
    """Remove what is being written and has no name of a version yet."""
    folder = published_folder(home)
    for suffix in ("", ".wal"):
        (folder / f"{COPY}{suffix}").unlink(missing_ok=True)
    shutil.rmtree(folder / EXPORT, ignore_errors=True)


def discard(home: Path, stem: str) -> None:
    """Remove a version; the folder is renamed first, so that a kill in between leaves a leftover folder and no half version."""
    folder = published_folder(home)
    for suffix in (".duckdb", ".duckdb.wal", ".building", ".building.wal"):
        (folder / f"{stem}{suffix}").unlink(missing_ok=True)
    if (folder / stem).is_dir():
        (folder / stem).rename(folder / f"{stem}.leftover")
    shutil.rmtree(folder / f"{stem}.leftover", ignore_errors=True)


def sweep(home: Path) -> None:
    """Remove what a killed publisher left: unfinished files, and versions that no pointer ever named."""
    folder = published_folder(home)
    current = read_pointer(home)
    complete = {version.stem for version in versions(home)}
    (folder / "current.json.tmp").unlink(missing_ok=True)
    discard_unnamed(home)
    for path in sorted(folder.glob("marts-*")):
        match = _STEM.match(path.name)
        if match is None or path.name.endswith(".tmp"):  # `.tmp` folders are the spill of living readers
            continue
        stem, never_named = match.group(), current is not None and int(match.group(1)) > current.seq
        if path.name not in (stem, f"{stem}.duckdb"):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        elif never_named or (stem not in complete and (current is None or stem != current.stem)):
            discard(home, stem)


def retire(home: Path, keep: Collection[str]) -> tuple[str, ...]:
    """Remove versions beyond the last 14 that are older than 24 hours and whose content hash is not in `keep`."""
    current, removed = read_pointer(home), []
    for version in versions(home)[KEEP_VERSIONS:]:
        file = published_folder(home) / version.file
        is_young = file.exists() and time.time() - file.stat().st_mtime < MINIMUM_AGE_SECONDS
        if is_young or version.content_hash in keep or (current is not None and version.file == current.file):
            continue
        discard(home, version.stem)
        removed.append(version.file)
    return tuple(removed)
