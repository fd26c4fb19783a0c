"""The files of source tables as they are: whether each is what the last accepted run left, and which delivered files it holds rows of.

Holds care for complete files: a log that a crash left, a file rewritten without free blocks. It must not merge or map a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import duckdb

from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import InfrastructureError
from dagster_project.host.lock import SPILL
from dagster_project.ingest.pii.hash_key import make_restricted
from dagster_project.ingest.sources.tables import DATABASE, database_of
from dagster_project.ingest.sql_text import literal
from dagster_project.ledger.store import Ledger
from dagster_project.settings import Settings

FOLDER = "sources"
"""Below HOME/restricted: one file of tables for each system."""
DRAFT = ".building"
"""Ending of a file of tables that is not complete."""
STORAGE = "storage_version 'v1.4.0'"


def sources_folder(settings: Settings) -> Path:
    """Make the folder of the source tables, closed to everyone but its owner, and return it."""
    make_restricted(settings.restricted)
    folder = settings.restricted / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def is_current(folder: Path, ledger: Ledger, system: str) -> bool:
    """Return whether the tables of a system are those that its last accepted change left."""
    path, accepted = database_of(folder, system), ledger.source_state(system)
    if not path.exists():
        return accepted is None
    try:
        with closing(connect_memory(threads=1)) as connection:
            connection.execute(f"attach {literal(str(path))} as {DATABASE} (read_only)")
            rows = connection.execute(f"select state_hash from {DATABASE}.meta").fetchall()
    except duckdb.Error:
        return False
    return bool(rows) and rows[0][0] == accepted


def left_behind(folder: Path, ledger: Ledger) -> list[str]:
    """Return the systems whose tables a crash kept from following the last accepted change."""
    systems = [str(row[0]) for row in ledger.rows("select distinct system from changes where status = 'accepted' order by 1")]
    return [system for system in systems if not is_current(folder, ledger, system)]


def log_of(path: Path) -> Path:
    """Return the log next to a file of tables."""
    return path.with_name(f"{path.name}.wal")


def clear(draft: Path) -> None:
    """Remove what an earlier run left of a draft."""
    for path in (draft, log_of(draft)):
        path.unlink(missing_ok=True)


def clear_drafts(settings: Settings) -> None:
    """Remove what a crash left of every file of tables that was being made."""
    for path in sources_folder(settings).glob(f"*{DRAFT}*"):
        path.unlink()


def take_in_log(path: Path) -> None:
    """Bring into a file of tables what a crash left in its log; a file that cannot be opened stays as it is."""
    if not log_of(path).exists():
        return
    try:
        with closing(connect_memory(threads=1)) as connection:
            connection.execute(f"attach {literal(str(path))} as {DATABASE}")
            connection.execute(f"checkpoint {DATABASE}")
    except duckdb.Error:
        return


def put_in_place(draft: Path, path: Path) -> None:
    """Give a complete new file of tables the name of the old one; no log of the old one may be read into it."""
    log_of(path).unlink(missing_ok=True)
    draft.replace(path)


def is_attached(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> bool:
    """Attach a file of tables for reading; return whether there is one that can be opened."""
    if not path.exists():
        return False
    try:
        connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
    except duckdb.Error:
        return False
    return True


def held_files(connection: duckdb.DuckDBPyConnection, database: str) -> set[tuple[str, str]]:
    """Return path and SHA-256 of the delivered files that attached tables hold."""
    try:
        return set(connection.execute(f"select path, sha256 from {database}.files").fetchall())
    except duckdb.Error:
        return set()


def kept_paths(ledger: Ledger, absent: Iterable[str], held: set[tuple[str, str]]) -> list[str]:
    """Return which of the known files that are not in the landing folder are in the old tables.

    Raises
    ------
    InfrastructureError
        Rows that count came from a file that is neither there nor in the tables: making the tables again would lose them.
    """
    known = ledger.known_files()
    wanted = {(path, known[path].sha256) for path in absent}
    numbered = set(ledger.rows("select path, sha256 from source_files"))  # other files have batches of their own
    lost = sorted(path for path, _ in wanted & numbered - held)
    if lost:
        raise InfrastructureError(
            "source tables have to be made again, but these files are not in the landing folder any more and no table holds their rows:"
            f" {', '.join(lost)}; remedy: put them back, then run again"
        )
    return sorted(path for path, _ in wanted & held)


def taken_over(system: str, count: int) -> str:
    """Report that tables were made again without all delivered files."""
    return (
        f"{system}: its tables are made again, and {count:,} delivered files are not in the landing folder any more or were refused: their"
        " rows are taken over as they were, which does not show what such a file had replaced; remedy: keep delivered files in the landing"
        " folder"
    )


def rewrite(settings: Settings) -> None:
    """Rewrite every file of tables, so that no free block keeps rows that are gone; what a crash left goes."""
    folder = settings.restricted / FOLDER
    for path in sorted(folder.glob("*.duckdb")):
        take_in_log(path)
        draft = path.with_suffix(".rewritten")
        draft.unlink(missing_ok=True)
        with closing(connect_memory(temp_directory=settings.home / SPILL)) as connection:
            connection.execute(f"attach {literal(str(path))} as present (read_only)")
            connection.execute(f"attach {literal(str(draft))} as rewritten ({STORAGE})")
            connection.execute("copy from database present to rewritten")
            connection.execute("checkpoint rewritten")
        put_in_place(draft, path)
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.suffix != ".duckdb":
            path.unlink()
