"""The copy and its Parquet twins, table by table from the attached warehouse, and the space they need."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import InfrastructureError
from dagster_project.publish.source import Tables, create_views, parquet_of
from dagster_project.publish.verify import Measures, literal, quoted
from dagster_project.publish.versions import sync

_SPARE_BYTES = 16 * 2**20
_BLOCK_BYTES = 2**18


def require_space(connection: duckdb.DuckDBPyConnection, database: str, tables: Tables, folder: Path) -> None:
    """Refuse to start a copy that cannot end: the blocks of the tables, the same for the twins, and some spare."""
    needed = _SPARE_BYTES
    physical = connection.execute(
        f"select schema_name, table_name from duckdb_tables() where database_name = {literal(database)}"
    ).fetchall()
    for schema, table in physical:
        if (schema, table) in tables:
            name = literal(".".join(map(quoted, (database, schema, table))))
            blocks = connection.execute(f"select count(distinct block_id) from pragma_storage_info({name}) where block_id >= 0").fetchall()
            needed += 2 * _BLOCK_BYTES * blocks[0][0]
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InfrastructureError(
            f"disk full: publishing needs {needed:,} bytes in {folder}, {free:,} bytes free; the previous copy stays served"
        )


def build(connection: duckdb.DuckDBPyConnection, database: str, tables: Tables, target: Path) -> None:
    """Write every table with its NOT NULL and comments into a new database file, forced to disk; views become tables."""
    connection.execute(f"attach {literal(str(target))} as building")
    for schema in sorted({schema for schema, _ in tables}):
        connection.execute(f"create schema building.{quoted(schema)}")
    described = connection.execute(
        f"select schema_name, table_name, comment from duckdb_tables() where database_name = {literal(database)}"
    )
    comments = {(schema, table): comment for schema, table, comment in described.fetchall() if comment is not None}
    for (schema, table), columns in tables.items():
        name = f"{quoted(schema)}.{quoted(table)}"
        definition = ", ".join(f"{quoted(c.name)} {c.data_type}{'' if c.is_nullable else ' not null'}" for c in columns)
        connection.execute(f"create table building.{name} ({definition})")
        connection.execute(f"insert into building.{name} select * from {quoted(database)}.{name}")
        if (schema, table) in comments:
            connection.execute(f"comment on table building.{name} is {literal(comments[schema, table])}")
        for column in columns:
            if column.comment is not None:
                connection.execute(f"comment on column building.{name}.{quoted(column.name)} is {literal(column.comment)}")
    connection.execute("checkpoint building")
    connection.execute("detach building")
    sync(target)


def build_views(twins: Path, target: Path) -> None:
    """Write a database of views over the twins, for tables too large to be held twice; they must lie where they will stay."""
    connection = connect_memory()
    connection.execute(f"attach {literal(str(target))} as building")
    create_views(connection, "building", twins)
    connection.close()
    sync(target)


def write_twins(connection: duckdb.DuckDBPyConnection, database: str, tables: Iterable[str], folder: Path) -> None:
    """Write each table as one Parquet file."""
    for name in tables:
        path = parquet_of(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        relation = ".".join(map(quoted, (database, *name.split("."))))
        connection.execute(f"copy {relation} to {literal(str(path))} (format parquet, compression zstd)")


def describe_twins(expected: Measures, folder: Path) -> dict[str, dict[str, Any]]:
    """Force the Parquet files to disk and return rows and hash of each table with path, bytes and sha256 of its files."""
    twins: dict[str, dict[str, Any]] = {}
    for name, values in expected.items():
        path = parquet_of(folder, name)
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        twins[name] = {**values, "files": [_described(file, folder) for file in files]}
    return twins


def _described(file: Path, folder: Path) -> dict[str, Any]:
    sync(file)
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"file": file.relative_to(folder).as_posix(), "bytes": file.stat().st_size, "sha256": digest}
