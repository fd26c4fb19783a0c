"""DuckDB connections: the writer's warehouse and locked-down readers. Imports nothing heavier than DuckDB.

One process writes `warehouse.duckdb`; readers never open it. Every connection runs in UTC and never loads
extensions from a network.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.errors import InfrastructureError
from dagster_project.host.lock import SPILL
from dagster_project.host.temporary import folder_of_process

_BASE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


def connect_memory(*, threads: int = 2, memory_limit: str = "4GB", temp_directory: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open a private in-memory database in UTC that may read and write files named in its SQL."""
    config = {**_BASE, "threads": str(threads), "memory_limit": memory_limit}
    if temp_directory is not None:
        config["temp_directory"] = str(temp_directory)
    return _in_utc(duckdb.connect(":memory:", config=config))


def _in_utc(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Set the time zone of every session of this database, whatever zone the machine is in."""
    return connection.execute("set global TimeZone = 'UTC'")


@contextmanager
def writer(path: Path, *, threads: int = 2, memory_limit: str = "4GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for writing; closed on exit so that no lock outlives the step.

    Raises
    ------
    InfrastructureError
        Another process holds the file, or it is damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {**_BASE, "threads": str(threads), "memory_limit": memory_limit, "temp_directory": str(path.parent / SPILL)}
    try:
        connection = _in_utc(duckdb.connect(str(path), config=config))
        connection.execute("set global default_null_order = 'nulls_first_on_asc_last_on_desc'")  # as Spark does
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise InfrastructureError(
            f"cannot open {path}: {error}; remedy: end the process named above, or delete the file: a run rebuilds it from the lake"
        ) from error
    try:
        yield connection
    finally:
        connection.close()


_opening = threading.Lock()
"""DuckDB keeps one database for all connections of a process to a file: the first one locks its settings, the others find them locked."""


def connect_published(
    path: Path, *, parquet: Path | None = None, threads: int = 2, memory_limit: str = "4GB", disk_limit: str = "10GB"
) -> duckdb.DuckDBPyConnection:
    """Open a published copy for readers: read-only, no file access from SQL, settings locked. Any number of connections and threads may.

    `parquet` is the one folder that stays readable, for a copy whose tables are views over it. `disk_limit` bounds what does not fit in
    memory. Of several connections to one file in a process the first one's limits hold.

    Raises
    ------
    duckdb.Error
        The file cannot be opened or is no database.
    InfrastructureError
        There is no temporary folder.
    """
    spill = folder_of_process() / "spill"
    with _opening:
        connection = duckdb.connect(str(path), read_only=True, config=_BASE)
        try:
            if connection.execute("select current_setting('lock_configuration')").fetchall() != [(True,)]:
                for name, value in (("threads", str(threads)), ("memory_limit", memory_limit), ("temp_directory", str(spill))):
                    connection.execute(f"set global {name} = {_literal(value)}")
                connection.execute(f"set global max_temp_directory_size = {_literal(disk_limit)}")
                _in_utc(connection)
                if parquet is not None:
                    connection.execute(f"set allowed_directories = [{_literal(f'{parquet}/')}]")
                connection.execute("set enable_external_access = false")
                connection.execute("set lock_configuration = true")
        except BaseException:
            connection.close()
            raise
        return connection


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
