"""How a finished file becomes a version: it gets its name, its manifest, and last the pointer; or nothing is left of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from dagster_project.errors import InfrastructureError
from dagster_project.publish.measuring import Measures
from dagster_project.publish.stable_path import offer
from dagster_project.publish.versions import (
    Pointer,
    discard,
    discard_unnamed,
    published_folder,
    read_pointer,
    sweep,
    switch_pointer,
    sync,
    write_synced,
)
from dagster_project.settings import fault_point


def stem_of(seq: int, content: str) -> str:
    """Return the name of a version."""
    return f"marts-{seq:06d}-{content[:8]}"


def now() -> str:
    """Return the instant for people who ask how old the copy is; nothing is ordered by it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def swept(home: Path) -> Iterator[None]:
    """Begin without what a killed publisher left and leave nothing behind that has no name."""
    sweep(home)
    offer(home)
    try:
        yield
    finally:
        discard_unnamed(home)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Report of an error of the engine or the disk what it means for readers.

    Raises
    ------
    InfrastructureError
        In its place.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        free = shutil.disk_usage(folder).free
        raise InfrastructureError(
            f"publish failed: {str(error).splitlines()[0]}; {free:,} bytes free in {folder}; the previous copy stays served;"
            " remedy: free disk space, or put right what is named, and run again"
        ) from error


@contextmanager
def cleaned(home: Path, stem: str) -> Iterator[None]:
    """Remove the version when it does not come to be served."""
    try:
        yield
    except BaseException:
        current = read_pointer(home)
        if current is None or current.stem != stem:
            discard(home, stem)
        raise


def name_file(building: Path, target: Path) -> None:
    """Give a finished file its name; from here on nobody writes it."""
    building.chmod(0o444)
    building.rename(target)
    sync(target.parent)


def release(home: Path, pointer: Pointer, exports: Measures, full_bytes: int, descriptions_sha256: str) -> None:
    """Name the version: its folder is none until the manifest is there, and it is not served until the pointer says so."""
    folder = published_folder(home) / pointer.stem
    folder.mkdir(exist_ok=True)
    for inner in (path for path in folder.rglob("*") if path.is_dir()):
        sync(inner)
    manifest = {"version": asdict(pointer), "tables": exports, "full_bytes": full_bytes, "descriptions_sha256": descriptions_sha256}
    write_synced(folder / "manifest.json.tmp", manifest)
    (folder / "manifest.json.tmp").rename(folder / "manifest.json")
    sync(folder)
    sync(folder.parent)
    fault_point("publish_exports")
    switch_pointer(home, pointer)
    fault_point("publish_pointer")
    offer(home)
    fault_point("publish_path")
