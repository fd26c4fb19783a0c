"""DuckDB: the writer's warehouse and locked-down readers.

One process writes `warehouse.duckdb`; readers never open it. Every connection runs in UTC and never loads
extensions from a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import duckdb

from dagster_project.errors import InfrastructureError

if TYPE_CHECKING:  # a query of an analyst needs neither, and both are slow to import
    import pandas as pd
    import pyarrow as pa

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
    config = {**_BASE, "threads": str(threads), "memory_limit": memory_limit, "temp_directory": str(path.parent / "spill")}
    try:
        connection = _in_utc(duckdb.connect(str(path), config=config))
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise InfrastructureError(
            f"cannot open {path}: {error}; remedy: end the process named above, or delete the file: a run rebuilds it from the lake"
        ) from error
    try:
        yield connection
    finally:
        connection.close()


def connect_published(path: Path, *, threads: int = 2, memory_limit: str = "4GB") -> duckdb.DuckDBPyConnection:
    """Open a published copy for readers: read-only, no file access from SQL, settings locked, in this order."""
    config = {**_BASE, "threads": str(threads), "memory_limit": memory_limit, "temp_directory": f"{gettempdir()}/service-roi-reader"}
    connection = _in_utc(duckdb.connect(str(path), read_only=True, config=config))
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def read_chunks(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | None = None, *, rows: int = 200_000
) -> Iterator[pd.DataFrame]:
    """Run a query and yield frames of at most `rows` rows; DECIMAL columns arrive as Arrow decimals, never as floats."""
    reader = connection.execute(sql, parameters or []).to_arrow_reader(rows)
    for batch in reader:
        yield batch.to_pandas(types_mapper=_exact_types)


def _exact_types(kind: pa.DataType) -> pd.ArrowDtype | None:
    import pandas as pd
    import pyarrow as pa

    return pd.ArrowDtype(kind) if pa.types.is_decimal(kind) else None


def replace_table(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: str, batches: Iterable[pa.Table | pd.DataFrame]
) -> int:
    """Replace a whole table in one transaction and return its number of rows.

    `columns` is the column list of `create table` (names, types, not null); every batch must carry these names.
    """
    count = 0
    connection.execute("begin transaction")
    try:
        connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"create or replace table {schema}.{table} ({columns})")
        for batch in batches:
            connection.register("_batch", batch)
            connection.execute(f"insert into {schema}.{table} by name select * from _batch")
            connection.unregister("_batch")
            count += len(batch)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return count
