"""The copy, table by table or month by month from the attached warehouse, and the space it needs.

A copy starts empty, or as the file of the served version, whose bytes are proven on the way. In a monthly table the rows of a
month are together, so that deleting a month frees complete blocks, which the next month fills.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import duckdb

from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import InfrastructureError
from dagster_project.publish.describing import Descriptions, comment
from dagster_project.publish.increment import Base, Changed
from dagster_project.publish.measuring import MONTH, Column, Plan, Tables, catalog, conditions, literal, quoted, relation, views_in
from dagster_project.publish.source import Attached, create_views
from dagster_project.publish.versions import sync

BUILDING = "building"
"""Name under which the copy is attached while it is written."""
_SPARE_BYTES = 16 * 2**20
_BLOCK_BYTES = 2**18
_CHUNK_BYTES = 2**20


def require_space(
    connection: duckdb.DuckDBPyConnection, source: Attached, folder: Path, base: Base | None = None, changed: Changed | None = None
) -> None:
    """Refuse to start a copy that cannot end: the base's file, the blocks of what is written, the same for the exports, and some spare.

    Months are reckoned at the average of their table.
    """
    needed = _SPARE_BYTES + (base.pointer.bytes if base else 0)
    physical = connection.execute(
        f"select schema_name, table_name from duckdb_tables() where database_name = {literal(source.database)}"
    ).fetchall()
    for schema, table in physical:
        if (schema, table) in source.tables:
            name = literal(relation(source.database, schema, table))
            ((blocks,),) = connection.execute(
                f"select count(distinct block_id) from pragma_storage_info({name}) where block_id >= 0"
            ).fetchall()
            needed += int(2 * _BLOCK_BYTES * blocks * _share(f"{schema}.{table}", base, changed))
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InfrastructureError(
            f"disk full: publishing needs {needed:,} bytes in {folder}, {free:,} bytes free; the previous copy stays served"
        )


def _share(name: str, base: Base | None, changed: Changed | None) -> float:
    months = base.tables.get(name, {}).get("months") if base else None
    return min(1.0, len(changed.months.get(name, ())) / len(months)) if changed and months else 1.0


def copy_proven(original: Path, target: Path, sha256: str) -> bool:
    """Copy a published file and tell whether it is what was published; whatever is wrong with it, there is then no copy."""
    digest = hashlib.sha256()
    try:
        reading = original.open("rb", buffering=0)
    except OSError:
        return False
    with reading, target.open("wb") as writing:
        for block in _blocks(reading):
            digest.update(block)
            writing.write(block)
    if digest.hexdigest() == sha256:
        return True
    target.unlink()
    return False


def _blocks(reading: FileIO) -> Iterator[memoryview]:
    """Yield the file piece by piece in one buffer: new memory for each piece costs three times as much as all the rest."""
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    while True:
        try:
            size = reading.readinto(buffer)
        except OSError:  # a bad block ends the copy early; the hash tells
            return
        if not size:
            return
        yield buffer[:size]


class Copy:
    """The database file under construction, attached to a connection; `forget` the rows to renew, then `fill`, then `close`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: Attached, file: Path, monthly: Collection[str], descriptions: Descriptions
    ) -> None:
        self._connection, self._source, self._file, self._monthly, self._descriptions = connection, source, file, monthly, descriptions
        connection.execute(f"attach {literal(str(file))} as {BUILDING}")

    def forget(self, found: Tables, plan: Plan) -> None:
        """Remove the months to renew, all views, and tables that are renewed completely, from the file; blocks become free."""
        views = views_in(self._connection, BUILDING)
        for schema, table in found:
            name, is_view = f"{schema}.{table}", (schema, table) in views
            if is_view or name not in plan:
                self._connection.execute(f"drop {'view' if is_view else 'table'} {relation(BUILDING, schema, table)}")
                continue
            for condition in conditions(plan, name):
                self._connection.execute(f"delete from {relation(BUILDING, schema, table)} where {condition}")
        self._connection.execute(f"checkpoint {BUILDING}")

    def fill(self, tables: Tables, plan: Plan) -> None:
        """Write the rows to renew, with the NOT NULL of their tables, and all comments; computed views become tables, others stay views."""
        for (schema, table), columns in tables.items():
            with _transaction(self._connection):
                self._connection.execute(f"create schema if not exists {BUILDING}.{quoted(schema)}")
                if select := self._source.views.get((schema, table)):
                    self._create_view(schema, table, select)
                else:
                    self._fill(schema, table, columns, plan)
                kind = "view" if (schema, table) in self._source.views else "table"
                comment(self._connection, BUILDING, (schema, table), [column.name for column in columns], kind, self._descriptions)

    def _create_view(self, schema: str, view: str, select: str) -> None:
        self._connection.execute(f"use {BUILDING}")  # its tables are those of the file it is in
        self._connection.execute(f"create view {relation(BUILDING, schema, view)} as {select}")
        self._connection.execute("use memory")

    def _fill(self, schema: str, table: str, columns: list[Column], plan: Plan) -> None:
        name, target = f"{schema}.{table}", relation(BUILDING, schema, table)
        if name not in plan:
            definition = ", ".join(f"{quoted(c.name)} {c.data_type}{'' if c.is_nullable else ' not null'}" for c in columns)
            self._connection.execute(f"create table {target} ({definition})")
        order = f" order by {MONTH}" if name in self._monthly and name not in plan else ""
        for condition in conditions(plan, name):
            rows = f"select * from {relation(self._source.database, schema, table)} where {condition}"
            self._connection.execute(f"insert into {target} {rows}{order}")

    def close(self) -> None:
        """Force what was written to disk."""
        self._connection.execute(f"checkpoint {BUILDING}")
        self._connection.execute(f"detach {BUILDING}")
        sync(self._file)


def build_views(exports: Path, target: Path, descriptions: Descriptions) -> None:
    """Write a database of views over the exports, for tables too large to be held twice; the exports must be where they will stay."""
    connection = connect_memory()
    connection.execute(f"attach {literal(str(target))} as {BUILDING}")
    create_views(connection, BUILDING, exports)
    for key, columns in catalog(connection, BUILDING).items():
        comment(connection, BUILDING, key, [column.name for column in columns], "view", descriptions)
    connection.close()
    sync(target)


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("begin")
    yield
    connection.execute("commit")
