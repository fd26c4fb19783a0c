"""Where the rows of a new version come from: the warehouse file of DuckDB, or Parquet that Spark writes for it.

Either way the publisher sees one attached database with the schemas of readers. Holds attaching only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb

from dagster_project.publish.measuring import PUBLISHED_SCHEMAS, Column, Tables, catalog, literal, quoted

if TYPE_CHECKING:
    from dagster_project.engines.spark_engine import SparkEngine


@dataclass(frozen=True)
class Attached:
    """A database that was attached, and its tables; reading one of `computed` is a computation, so it is read once."""

    database: str
    tables: Tables
    computed: frozenset[tuple[str, str]] = frozenset()

    def only_computed(self) -> Tables:
        """Return the tables that are computed."""
        return {key: columns for key, columns in self.tables.items() if key in self.computed}

    def only_stored(self) -> Tables:
        """Return the tables that can be read as often as one likes."""
        return {key: columns for key, columns in self.tables.items() if key not in self.computed}


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
        views = connection.execute(f"select schema_name, view_name from duckdb_views() where database_name = {literal(self.file.stem)}")
        computed = frozenset((schema, view) for schema, view in views.fetchall())
        return Attached(self.file.stem, catalog(connection, self.file.stem), computed)


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
            tables[schema, table] = [Column(c.name, c.data_type, layout.field(c.name).nullable, c.comment) for c in columns]
        return Attached("exported", tables)


def parquet_of(folder: Path, name: str) -> Path:
    """Return where the Parquet of `schema.table` lies: a file, or a folder of part files."""
    return folder / f"{name.replace('.', '/')}.parquet"


def create_views(connection: duckdb.DuckDBPyConnection, database: str, folder: Path) -> None:
    """Make one view for each table folder."""
    for path in sorted(folder.glob("*/*.parquet")):
        schema = f"{quoted(database)}.{quoted(path.parent.name)}"
        connection.execute(f"create schema if not exists {schema}")
        files = ", ".join(literal(str(file)) for file in sorted(path.glob("*.parquet")))
        connection.execute(f"create view {schema}.{quoted(path.stem)} as select * from read_parquet([{files}])")
