"""The journal of a source's loads: LANDING/.loads/<source>/<number>.json with the day, the state and the files of each load.

A load is committed when its journal has its name. Only then its files get theirs; what a crash left of that is done by what comes
next, a fetch or a run. It must not write a delivered file, and imports the standard library only: a run with nothing new ends here.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dagster_project.errors import InfrastructureError
from dagster_project.settings import fault_point

PART = ".part"
_MANIFEST = ".manifest.json"
_LOADS = ".loads"
_KEPT_JOURNALS = 14


def release(landing: Path, source: str) -> None:
    """Give the files of the newest journal their names; what has its name already is left alone."""
    hidden = _hidden(landing, source)
    for temporary, final in hidden:
        temporary.replace(final)
        if not final.name.endswith(_MANIFEST):
            fault_point("fetch_released")
    for folder in {final.parent for _, final in hidden}:
        _sync(folder)


def release_all(landing: Path) -> None:
    """Finish what killed fetches had committed, so that a run sees each load complete; a fetch at work finishes its own."""
    for folder in sorted((landing / _LOADS).glob("*/")):
        if _hidden(landing, folder.name):
            with suppress(InfrastructureError), _lock(landing, folder.name):
                release(landing, folder.name)


def _hidden(landing: Path, source: str) -> list[tuple[Path, Path]]:
    """Return temporary and final name of what the newest journal holds and no rename has reached; a manifest before its file."""
    pairs = []
    for file in (last_journal(landing, source) or {"files": []})["files"]:
        path = landing / file["path"]
        part = path.with_name(path.name + PART)
        pairs += [(manifest_of(part), path.with_name(path.name + _MANIFEST)), (part, path)]
    return [(temporary, final) for temporary, final in pairs if temporary.is_file()]


@contextmanager
def holding(landing: Path, source: str, system: str) -> Iterator[None]:
    """Hold the source for one fetch: finish what is committed, remove what a killed or failed fetch left.

    Raises
    ------
    InfrastructureError
        Another fetch of the source is at work.
    """
    _folder(landing, source).mkdir(parents=True, exist_ok=True)
    with _lock(landing, source):
        release(landing, source)
        for left in (landing / system).glob(f"*/*/{source}-*{PART}"):
            if re.fullmatch(rf"{source}-\d{{6}}[.-].*", left.name):
                left.unlink()
        yield


@contextmanager
def _lock(landing: Path, source: str) -> Iterator[None]:
    with (_folder(landing, source) / "lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InfrastructureError(f"another fetch of {source} is at work; wait for it to end, nothing was changed") from None
        yield


def last_journal(landing: Path, source: str) -> dict[str, Any] | None:
    """Return the journal of the last committed load, with its `number`."""
    found = sorted(_folder(landing, source).glob("*.json"))
    return {"number": int(found[-1].stem), **_read(found[-1])} if found else None


def landed_objects(landing: Path, source: str) -> set[tuple[str, str]]:
    """Return key and etag of every object that the source has delivered."""
    files = [file for path in _folder(landing, source).glob("*.json") for file in _read(path)["files"]]
    return {(file["key"], file["etag"]) for file in files}


def free_number(landing: Path, source: str, system: str, last: int) -> int:
    """Return the next number of a load; files whose journals are gone keep theirs."""
    number = last + 1
    while any((landing / system).glob(f"*/*/{source}-{number:06d}*")):
        number += 1
    return number


def write_journal(landing: Path, source: str, number: int, journal: dict[str, Any]) -> None:
    """Commit a load; of older journals the newest stay, and those that say which objects were taken."""
    folder = _folder(landing, source)
    temporary = folder / f"{number:06d}.json{PART}"
    temporary.write_text(json.dumps(journal), encoding="utf-8")
    make_durable(landing, temporary)
    temporary.replace(folder / f"{number:06d}.json")
    _sync(folder)
    for path in sorted(folder.glob("*.json"))[:-_KEPT_JOURNALS]:
        if not any(file["key"] for file in _read(path)["files"]):
            path.unlink()


def manifest_of(part: Path) -> Path:
    """Return the temporary path of the manifest of a file."""
    return part.with_name(part.name.removesuffix(PART) + _MANIFEST + PART)


def make_durable(landing: Path, *paths: Path) -> None:
    """Flush files to disk, and the folders up to the landing folder in which they have their names."""
    folders = {folder for path in paths for folder in path.parents if folder.is_relative_to(landing)}
    for path in (*paths, *folders):
        _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise InfrastructureError(f"{path}: the journal of a load is damaged ({error}); remedy: restore it from a backup") from error


def _folder(landing: Path, source: str) -> Path:
    return landing / _LOADS / source
