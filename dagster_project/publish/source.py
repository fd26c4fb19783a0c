"""Where the rows of a new version come from: the warehouse file of DuckDB, or Parquet that Spark writes for it.

Either way the publisher sees one attached database with the schemas of readers. Holds attaching only.

A view of the warehouse that names no database can be carried as it is: the copy then holds the tables it reads, not its rows. So
wide rows that follow from narrow tables are not written twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb

from dagster_project.publish.measuring import PUBLISHED_SCHEMAS, Column, Key, Tables, catalog, literal, quoted

if TYPE_CHECKING:
    from dagster_project.engines.spark_engine import SparkEngine


@dataclass(frozen=True)
class Attached:
    """A database that was attached, and what is copied of it.

    `tables` are the tables and views of readers and the tables behind `views`, which stay views (their SELECT). Reading one of
    `computed` is a computation, so it is read once; it becomes a table.
    """

    database: str
    tables: Tables
    computed: frozenset[Key] = frozenset()
    views: Mapping[Key, str] = field(default_factory=dict)

    def only_computed(self) -> Tables:
        """Return the tables that are computed."""
        return {key: columns for key, columns in self.tables.items() if key in self.computed}

    def stored(self) -> Tables:
        """Return what can be read as often as one likes, views after the tables behind them."""
        tables = {key: columns for key, columns in self.tables.items() if key not in self.computed}
        return dict(sorted(tables.items(), key=lambda table: table[0] in self.views))


class Source(Protocol):
    """What is about to be published."""

    @property
    def writes_parquet(self) -> bool:
        """Whether attaching it writes the version's Parquet files."""

    def attach(self, connection: duckdb.DuckDBPyConnection, export: Path) -> Attached:
        """Attach the rows; `export` is where Parquet files may go."""


@dataclass(frozen=True)
class WarehouseFile:
    """The writer's DuckDB file; nobody may hold it open. Views inside it name it by its stem."""

    file: Path
    writes_parquet: bool = False

    def attach(self, connection: duckdb.DuckDBPyConnection, export: Path) -> Attached:  # noqa: ARG002  needs no room
        """Attach the file read-only."""
        connection.execute(f"attach {literal(str(self.file))} as {quoted(self.file.stem)} (read_only)")
        found = connection.execute(
            f"select schema_name, view_name, sql from duckdb_views() where database_name = {literal(self.file.stem)}"
        )
        views, behind = {}, set[Key]()
        computed = set[Key]()
        for schema, view, sql in found.fetchall():
            select = sql.partition(" AS ")[2].rstrip(";")
            reads = _tables_read(connection, select)
            if any(database for database, _, _ in reads):
                computed.add((schema, view))
            elif schema in PUBLISHED_SCHEMAS:
                views[schema, view] = select
                behind |= {(of, table) for _, of, table in reads}
        tables = catalog(connection, self.file.stem, PUBLISHED_SCHEMAS, behind)
        return Attached(self.file.stem, tables, frozenset(computed), views)


@dataclass(frozen=True)
class SparkTables:
    """The tables of a Spark session: each becomes a folder of Parquet files, `<schema>/<table>.parquet/`."""

    engine: SparkEngine
    writes_parquet: bool = True

    def attach(self, connection: duckdb.DuckDBPyConnection, export: Path) -> Attached:
        """Write the folders and attach views over them, with the promises that Parquet files cannot state."""
        layouts = self.engine.columns(PUBLISHED_SCHEMAS)
        for name in layouts:
            self.engine.export(name, parquet_of(export, name))
        connection.execute("attach ':memory:' as exported")
        create_views(connection, "exported", export)
        tables = {}
        for (schema, table), columns in catalog(connection, "exported").items():
            layout = layouts[f"{schema}.{table}"]
            tables[schema, table] = [Column(c.name, c.data_type, layout.field(c.name).nullable) for c in columns]
        return Attached("exported", tables)


def _tables_read(connection: duckdb.DuckDBPyConnection, select: str) -> set[tuple[str, str, str]]:
    """Return database, schema and name of each table that a query reads; the names of its own CTEs have no schema and are excluded."""
    ((text,),) = connection.execute(f"select json_serialize_sql({literal(select)})").fetchall()

    def read(node: Any) -> Iterator[tuple[str, str, str]]:
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE" and node["schema_name"]:
                yield node["catalog_name"], node["schema_name"], node["table_name"]
            node = list(node.values())
        if isinstance(node, list):
            for inner in node:
                yield from read(inner)

    return set(read(json.loads(text)))


def parquet_of(folder: Path, name: str) -> Path:
    """Return where the Parquet of `schema.table` is: a file, or a folder of part files."""
    return folder / f"{name.replace('.', '/')}.parquet"


def create_views(connection: duckdb.DuckDBPyConnection, database: str, folder: Path) -> None:
    """Make one view for each table folder."""
    for path in sorted(folder.glob("*/*.parquet")):
        schema = f"{quoted(database)}.{quoted(path.parent.name)}"
        connection.execute(f"create schema if not exists {schema}")
        files = ", ".join(literal(str(file)) for file in sorted(path.glob("*.parquet")))
        connection.execute(f"create view {schema}.{quoted(path.stem)} as select * from read_parquet([{files}])")
