"""DuckDB connections: the writer's warehouse and locked-down readers. Imports nothing heavier than DuckDB.

One process writes `warehouse.duckdb`; readers never open it. Every connection runs in UTC and never loads
extensions from a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

import duckdb

from dagster_project.errors import InfrastructureError
from dagster_project.lock import SPILL

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


def connect_published(path: Path, *, parquet: Path | None = None, threads: int = 2, memory_limit: str = "4GB") -> duckdb.DuckDBPyConnection:
    """Open a published copy for readers: read-only, no file access from SQL, settings locked, in this order.

    `parquet` is the one folder that stays readable, for a copy whose tables are views over it.
    """
    config = {**_BASE, "threads": str(threads), "memory_limit": memory_limit, "temp_directory": f"{gettempdir()}/service-roi-reader"}
    connection = _in_utc(duckdb.connect(str(path), read_only=True, config=config))
    if parquet is not None:
        connection.execute("set allowed_directories = [" + "'" + str(parquet).replace("'", "''") + "/']")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection
