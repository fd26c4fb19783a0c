"""Great Expectations over DuckDB: the repair it needs, an ephemeral context and one private in-memory database.

Holds the only code that knows how the two are wired together; it must not hold an expectation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before the import below: the library reads it once

import great_expectations as gx

from dagster_project.host.temporary import folder_of_process


def let_duckdb_commit(engine: Any) -> None:
    """Take transactions away from SQLAlchemy on this engine: DuckDB commits every statement by itself.

    Great Expectations 1.24 hands its connection back before it fetches (great_expectations#11579). SQLAlchemy rolls back
    what is handed back, DuckDB drops an unfetched result on rollback, and every expectation ends in `IndexError: list
    index out of range`. Without transactions the result stays, no connection sees an older batch and none blocks another;
    views over immutable files need no more. This uses the public interface of the dialect and nothing of the library.
    """

    def nothing(connection: Any) -> None:  # noqa: ARG001
        return None

    engine.dialect.do_begin = engine.dialect.do_commit = engine.dialect.do_rollback = nothing


def _listed(names: Sequence[str]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)


_OWN = ("record_number", "delivery_date")
"""Columns that ingest adds: the number of a record, and its day where a file holds those of many days."""


class DuckDBContext:
    """An ephemeral context and its in-memory database; one view per feed over the Parquet files of a batch.

    Not safe for use from several threads. Nothing is written anywhere, nothing is sent anywhere.
    """

    def __init__(self, *, threads: int = 2, memory_limit: str = "2GB") -> None:
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        # A named in-memory database is shared by every connection that Great Expectations opens to it.
        self._source = self._context.data_sources.add_sql("batches", connection_string=f"duckdb:///:memory:{uuid4().hex}")
        self._engine = self._source.get_execution_engine().engine
        let_duckdb_commit(self._engine)
        self._assets: dict[str, Any] = {}
        for setting in ("autoinstall_known_extensions = false", "autoload_known_extensions = false", f"threads = {threads}"):
            self.query(f"set {setting}")
        self.query(f"set memory_limit = '{memory_limit}'")
        self.query("set global TimeZone = 'UTC'")
        # DuckDB makes the folder when it spills and removes it; the default would be in the working directory.
        self.query(f"set temp_directory = '{folder_of_process() / f'checks-{uuid4().hex}'}'")

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run one statement in the database of the context and return its rows by column name."""
        with self._engine.connect() as connection:
            result = connection.exec_driver_sql(sql)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def batch(self, feed: str, files: Sequence[Path], columns: Mapping[str, str]) -> Any:
        """Return the batch of Great Expectations that reads `files` (Parquet, at least one) as the table `feed`.

        Columns keep the types that the files store. Of `columns` (name to type), one that they lack is null; any other shows behind them.
        """
        if not files:
            raise ValueError(f"no file to check for feed {feed}")
        self.query(f"create or replace view {feed} as {self._rows_sql(files, columns)}")
        if feed not in self._assets:
            asset = self._source.add_table_asset(feed, table_name=feed)
            self._assets[feed] = asset.add_batch_definition_whole_table("whole")
        return self._assets[feed].get_batch()

    def _rows_sql(self, files: Sequence[Path], columns: Mapping[str, str]) -> str:
        rows = f"read_parquet([{_listed([str(path) for path in files])}], union_by_name = true)"
        stored = {row["column_name"] for row in self.query(f"describe select * from {rows}")}
        types = {**columns, "row_hash": "bigint"}
        named = [name if name in stored else f"null::{kind} as {name}" for name, kind in types.items()]
        named.insert(-1, "parse_filename(filename, true) as batch_id")
        named.append(
            f"{'coalesce(record_number, file_row_number + 1)' if 'record_number' in stored else 'file_row_number + 1'} as record_number"
        )
        return f"select {', '.join([*named, *sorted(stored - {*types, *_OWN})])} from {rows}"

    def close(self) -> None:
        """Let go of the database; its memory is freed when the last connection closes."""
        self._engine.dispose()
