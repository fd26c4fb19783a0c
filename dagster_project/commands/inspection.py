"""Find the parts of HOME that this user cannot use, and those that are damaged: what `doctor` names and a run would fail on.

Holds the look alone: it changes nothing. A file is read as far as its kind proves it cheaply: SQLite checks itself, a database file is
opened, a Parquet file has its ends, the served copy is compared byte for byte.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from dagster_project.engines.duckdb import connect_published
from dagster_project.errors import UsageError
from dagster_project.ingest.pii.hash_key import hash_key
from dagster_project.ingest.sources.table_files import FOLDER
from dagster_project.ledger.store import FILE, Ledger
from dagster_project.publish.versions import damage, published_folder, read_pointer
from dagster_project.settings import Settings

_MAGIC = b"PAR1"
_SHOWN = 5


def closed_parts(settings: Settings) -> list[str]:
    """Return a line for each folder of HOME that this user cannot list and write, and for files that he cannot read."""
    user, closed, files = os.getuid(), dict[str, str](), list[str]()

    def note(error: OSError) -> None:
        if os.path.lexists(error.filename):  # what a run removed meanwhile, or a home that is not there yet, is no fault
            closed[os.fsdecode(error.filename)] = "read"

    for folder, _, names in os.walk(settings.home, onerror=note):
        if not os.access(folder, os.X_OK):
            note(OSError(0, "", folder))
            continue
        if not os.access(folder, os.W_OK):
            closed[folder] = "written"
        paths = [f"{folder}/{name}" for name in names]
        files += [path for path in paths if not os.access(path, os.R_OK) and os.path.lexists(path) and not os.path.islink(path)]  # noqa: PTH114  a walk over texts
    what = "run as the owner, or change owner or mode of the"
    lines = [f"{path} cannot be {verb} by user {user}; remedy: {what} folder" for path, verb in closed.items()]
    lines += [f"{path} cannot be read by user {user}; remedy: {what} file" for path in sorted(files)[:_SHOWN]]
    if len(files) > _SHOWN:
        lines.append(f"{len(files) - _SHOWN:,} more files of {settings.home} cannot be read by user {user}")
    return sorted(lines)


def damaged_parts(settings: Settings, ledger: Ledger) -> list[str]:
    """Return a line for each part that is damaged or gone, with its path and what to do; the caller holds the warehouse."""
    return [*_ledger(settings), *_databases(settings), *_lake(settings, ledger), *_key(settings, ledger), *_published(settings)]


def _ledger(settings: Settings) -> Iterator[str]:
    path = settings.ops / FILE
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=300)) as connection:
            words = [str(word) for (word,) in connection.execute("pragma quick_check(3)")]
    except sqlite3.DatabaseError as error:
        words = [str(error)]
    if words != ["ok"]:
        yield f"ledger {path} is damaged: {'; '.join(words)}; remedy: restore it from a backup, or load into an empty home"


def _databases(settings: Settings) -> Iterator[str]:
    remedies = {settings.warehouse: "delete it: the next run rebuilds it from the lake"}
    for tables in sorted((settings.restricted / FOLDER).glob("*.duckdb")):
        remedies[tables] = (
            "delete it if all its deliveries are in the landing folder: the next run makes it again; else restore it from a backup"
        )
    for path, remedy in remedies.items():
        if not path.exists():
            continue
        try:
            connect_published(path).close()
        except duckdb.Error as error:
            yield f"{path} is damaged: {str(error).splitlines()[0]}; remedy: {remedy}"


def _lake(settings: Settings, ledger: Ledger) -> Iterator[str]:
    paths = [settings.home / str(path) for (path,) in ledger.rows("select distinct path from batches where status = 'accepted' order by 1")]
    wrong = [path for path in paths if not _is_parquet(path)]
    for path in wrong[:_SHOWN]:
        yield f"{path} is gone or damaged; remedy: restore it from a backup, or load all deliveries into an empty home"
    if len(wrong) > _SHOWN:
        yield f"{len(wrong) - _SHOWN:,} more files of {settings.lake} are gone or damaged"


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            begins = file.read(len(_MAGIC)) == _MAGIC
            file.seek(-len(_MAGIC), os.SEEK_END)
            return begins and file.read() == _MAGIC
    except OSError:
        return False


def _key(settings: Settings, ledger: Ledger) -> Iterator[str]:
    if ledger.rows("select 1 from hash_key"):
        try:
            hash_key(settings, ledger)
        except UsageError as error:
            yield str(error)


def _published(settings: Settings) -> Iterator[str]:
    pointer, folder = read_pointer(settings.home), published_folder(settings.home)
    if pointer is None:
        is_there = (folder / "current.json").exists()
        yield (
            f"{folder / 'current.json'} is damaged; remedy: service-roi run"
            if is_there
            else "nothing is published yet; remedy: service-roi run"
        )
        return
    found = damage(settings.home, pointer, with_exports=True)
    if found is not None:
        yield (
            f"published copy {pointer.seq} is damaged or gone: {folder / pointer.file}: {found}; remedy: service-roi run --full-refresh, or"
            " rollback"
        )
