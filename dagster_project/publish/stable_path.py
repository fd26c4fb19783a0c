"""`current.duckdb`: one path and one catalogue name of the served copy, for clients that know nothing of the pointer.

It is a link to `<version>/current.duckdb`, a second name of the version's file. DuckDB follows the link and names a database after the
file it finds: so the catalogue is always `current`, and a new version is another database to it, also in a process that still
reads the old one. Where the file system has no such names, the file is copied. Standard library only.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from dagster_project.publish.versions import published_folder, read_pointer, sync

CURRENT = "current.duckdb"


def link_or_copy(old: str | Path, new: str | Path) -> str | Path:
    """Give a file a second name, or copy it where the file system has no such thing; the form that `shutil.copytree` calls."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
        sync(Path(new))
    return new


def offer(home: Path) -> str | None:
    """Make `current.duckdb` open what the pointer names, in one atomic replacement; nothing happens where it does.

    Returns what is wrong where it cannot be made: there is then no such path, never one that leads to an older copy.
    """
    pointer, folder = read_pointer(home), published_folder(home)
    if pointer is None or _leads_to(folder / CURRENT, pointer.stem, folder / pointer.file):
        return None
    file, named = folder / pointer.file, folder / pointer.stem / CURRENT
    try:
        try:
            if not named.exists():
                _put(named, lambda path: link_or_copy(file, path))
            _put(folder / CURRENT, lambda path: path.symlink_to(Path(pointer.stem, CURRENT)))
        except OSError:  # the file system has no links, or the version's folder takes no file
            _put(folder / CURRENT, lambda path: link_or_copy(file, path))
    except OSError as error:
        wrong = f"{folder / CURRENT} cannot be made: {error.strerror}"
        try:
            (folder / CURRENT).unlink(missing_ok=True)
        except OSError:
            wrong += ", and the one that is there opens an older copy"
        return f"{wrong}; remedy: open {file}, or make {folder} writable and free room, then service-roi doctor"
    return None


def _leads_to(path: Path, stem: str, file: Path) -> bool:
    if path.is_symlink():
        return path.readlink() == Path(stem, CURRENT) and path.exists()
    return path.is_file() and file.is_file() and (path.samefile(file) or filecmp.cmp(path, file, shallow=False))


def _put(path: Path, make: Callable[[Path], object]) -> None:
    """Make a file under another name and give it this one; a client that has the old one open keeps it."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        make(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)
