"""Read the published copy: open it hardened, answer one query, and never give older figures in silence.

Read-only, no file or network access from SQL, settings locked: an analyst's statement can read tables and nothing else. An older version
answers only when the served one is proven to be damaged, byte for byte, and the caller gets a message. Starts fast: DuckDB and the standard
library only (rich when a table is drawn for people).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TextIO, TypeVar

import duckdb

from dagster_project.engines.duckdb import connect_published
from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.host.disk import full_disk, no_room
from dagster_project.host.escaping import escaped_lines
from dagster_project.host.temporary import folder_of_process
from dagster_project.publish.contents import Question
from dagster_project.publish.limits import Deadline, Limits, process_bounded
from dagster_project.publish.printing import WRITERS
from dagster_project.publish.versions import Pointer, damage, parquet_folder, published_folder, read_pointer, versions

_REMEDY = "remedy: service-roi run --full-refresh publishes it again from the lake"
_ROWS = 1000
_T = TypeVar("_T")
_READS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
# a damaged block met while fetching arrives as InvalidInputException around the text of the IO error
_BROKEN = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException)


class _Damaged(Exception):  # noqa: N818  what it says is the message
    """The bytes of a version are proven not to be those that were published."""


def open_current(home: Path, *, warn: Callable[[str], None] | None = None) -> tuple[duckdb.DuckDBPyConnection, Pointer]:
    """Open the served version, or the newest older one when its file is proven to be damaged.

    `warn` gets that message (default stderr), and the pointer that is returned says which version was opened.

    Raises
    ------
    UsageError
        Nothing was published yet.
    InfrastructureError
        What is served cannot be read (rights, room, a damaged `current.json`), or no version is complete.
    """
    return _of_the_newest(home, lambda pointer: (_open(home, pointer, Limits()), pointer), warn or _to_stderr)


@contextmanager
def served(home: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Pointer]]:
    """Open the served version and no other, for what must never be made from older figures; closed on exit.

    Raises
    ------
    UsageError
        Nothing was published yet.
    InfrastructureError
        It cannot be read, or it is damaged, also when that shows only inside the block.
    """
    pointer = _served(home)
    try:
        with _judged(home, pointer, Limits()), closing(_open(home, pointer, Limits())) as connection:
            yield connection, pointer
    except _Damaged as found:
        raise InfrastructureError(f"published copy {pointer.seq} is damaged: {found}; {_REMEDY}") from found


def query(
    home: Path,
    sql: str | Question,
    output_format: str = "table",
    *,
    out: TextIO | None = None,
    warn: Callable[[str], None] | None = None,
    limits: Limits | None = None,
    is_own_process: bool = False,
) -> int:
    """Run one reading statement on the served version, print the result (default stdout), and return its number of rows.

    `sql` may be a question about the version itself, which makes the statement for the one that answers.
    `table` is for people (first 1,000 rows, control characters escaped), `csv` is RFC 4180 with line feeds, `json` a list of objects whose
    decimals keep every digit. Nothing is printed unless the complete result could be read. When the served version is proven to be damaged
    the newest complete one answers; `warn` gets a message (default stderr), and a table shows it below. `is_own_process`: this process
    serves one query alone, so that its memory may be bounded by the system and it may end where the engine does not stop.

    Raises
    ------
    UsageError
        Not one statement, not a reading one, or the engine refuses it.
    InfrastructureError
        What is served cannot be read, no version is complete, or the query takes more time, memory or disk than its limits.
    """
    if output_format not in WRITERS:
        raise UsageError(f"unknown format {output_format}; known formats: {', '.join(WRITERS)}")
    bounds = limits or Limits()
    messages: list[str] = []

    def answer(pointer: Pointer) -> int:
        folder = folder_of_process()
        with tempfile.TemporaryFile(mode="w+", encoding="utf-8", newline="", dir=folder) as spool:
            with (
                _judged(home, pointer, bounds),
                closing(_open(home, pointer, bounds)) as connection,
                Deadline(connection, bounds, is_own_process=is_own_process) as deadline,
            ):
                statement = sql if isinstance(sql, str) else sql(pointer)
                count = _print(connection, statement, output_format, spool, deadline, bounds)
                spool.flush()
            spool.seek(0)
            target = out or sys.stdout
            shutil.copyfileobj(spool, target)
            if output_format == "table":
                target.writelines(f"older figures: {message}\n" for message in messages)
            return count

    def note(message: str) -> None:
        messages.append(message)
        (warn or _to_stderr)(message)

    with process_bounded(bounds) if is_own_process else nullcontext():
        return _of_the_newest(home, answer, note)


def _of_the_newest(home: Path, use: Callable[[Pointer], _T], warn: Callable[[str], None]) -> _T:
    """Return what `use` makes of the served version, or of the newest one before it that is complete."""
    pointer, tried = _served(home), []
    while True:
        try:
            return use(pointer)
        except _Damaged as found:
            now = _served(home)
            if now.seq > pointer.seq:  # published meanwhile, and the one before was removed
                pointer = now
                continue
            tried.append(f"copy {pointer.seq} is damaged: {found}")
            before = pointer.seq
            older = next((version for version in versions(home) if version.seq < before), None)
            if older is None:
                raise InfrastructureError(f"no published copy can be read: {'; '.join(tried)}; {_REMEDY}") from found
            warn(
                f"version {pointer.seq} is damaged, reading the one before it: copy {older.seq} of {older.published_at}; {found}; {_REMEDY}"
            )
            pointer = older


def _served(home: Path) -> Pointer:
    """Return the version that the pointer names; when there is no pointer, the one with the highest number: each was verified before."""
    pointer, folder = read_pointer(home), published_folder(home)
    if pointer is not None:
        return pointer
    if (folder / "current.json").exists():
        raise InfrastructureError(
            f"{folder / 'current.json'} is damaged, so nobody knows which copy is served; remedy: service-roi run publishes again"
        )
    known = versions(home)
    if not known:
        raise UsageError(f"nothing is published in {folder}; remedy: service-roi run --home {home}")
    return known[0]


def _open(home: Path, pointer: Pointer, limits: Limits) -> duckdb.DuckDBPyConnection:
    file = published_folder(home) / pointer.file
    try:
        return connect_published(
            file,
            parquet=parquet_folder(home, pointer),
            memory_limit=f"{limits.memory_bytes}B",
            disk_limit=f"{limits.disk_bytes}B",
        )
    except (duckdb.Error, OSError) as error:
        _raise_if_damaged(home, pointer, error)
        raise InfrastructureError(
            f"published copy {pointer.seq} is complete and cannot be opened: {_first_line(error)}; remedy: close what holds {file} in"
            " another way, or read it with the version of this product that published it"
        ) from error


@contextmanager
def _judged(home: Path, pointer: Pointer, limits: Limits) -> Iterator[None]:
    """Return whose error it is: the file's, only when its bytes prove it, the machine's, or that of the statement."""
    try:
        yield
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        if "max_temp_directory_size" in str(error):
            raise limits.out_of_disk("what does not fit in memory is") from error
        raise limits.out_of_memory() from error
    except (duckdb.Error, OSError) as error:
        if (words := full_disk(error)) is not None:
            raise no_room(
                folder_of_process().parent, words, "nothing was printed", "free room, or name another folder in TMPDIR"
            ) from error
        if isinstance(error, (*_BROKEN, OSError)) or "Corrupt database file" in str(error):
            _raise_if_damaged(home, pointer, error)
        if isinstance(error, OSError):
            raise
        raise UsageError(str(error)) from error


def _raise_if_damaged(home: Path, pointer: Pointer, error: Exception) -> None:
    found = damage(home, pointer)
    if found is not None:
        raise _Damaged(found) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _to_stderr(message: str) -> None:
    sys.stderr.write(escaped_lines(message) + "\n")


def _print(connection: duckdb.DuckDBPyConnection, sql: str, output_format: str, spool: TextIO, deadline: Deadline, limits: Limits) -> int:
    try:
        for statement in _one_reading(connection.extract_statements(sql)):
            connection.execute(statement)
        names = [str(column[0]) for column in connection.description or []]
        return WRITERS[output_format](names, _rows(connection, spool, deadline, limits), spool)
    except duckdb.InterruptException as error:
        raise (limits.out_of_time() if deadline.is_over else UsageError(str(error))) from error


def _one_reading(statements: list[duckdb.Statement]) -> list[duckdb.Statement]:
    """Return what the one reading statement consists of: the engine puts the making of an enum of its own before each PIVOT.

    Those it makes have no text; whatever the user wrote has one.
    """
    made = [statement for statement in statements[:-1] if statement.type == duckdb.StatementType.CREATE and not statement.query]
    if len(statements) != len(made) + 1:
        kinds = ", ".join(statement.type.name.lower() for statement in statements) or "none"
        raise UsageError(f"one reading statement at a time, found {len(statements)}: {kinds}")
    if statements[-1].type not in _READS:
        kind = statements[-1].type.name.lower()
        raise UsageError(f"only reading statements (select, from, with, pivot, describe, show, summarize, explain), not {kind}")
    return statements


def _rows(connection: duckdb.DuckDBPyConnection, spool: TextIO, deadline: Deadline, limits: Limits) -> Iterator[tuple[object, ...]]:
    while batch := connection.fetchmany(_ROWS):
        if deadline.is_over:
            raise limits.out_of_time()
        yield from batch
        if os.fstat(spool.fileno()).st_size > limits.disk_bytes:
            raise limits.out_of_disk("the result is")
