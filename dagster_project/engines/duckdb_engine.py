"""The engine of one machine: DuckDB over `warehouse.duckdb`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from dagster_project.engines.engine import NullInColumnError, Scoring, complete_groups
from dagster_project.engines.lake_files import LakeFile, Withdrawals, dated_rows, withdrawn_rows
from dagster_project.engines.types import arrow_type, duckdb_type
from dagster_project.errors import InfrastructureError

_MONTH = "period_month"


class DuckDBEngine:
    """The warehouse file of one machine; wraps an open connection and leaves closing to its owner."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def run(self, sql: str) -> None:
        """Execute one statement."""
        self.connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return a small result as Python values."""
        return self.connection.execute(sql).fetchall()

    def read(self, sql: str, *, rows: int = 200_000) -> Iterator[pa.Table]:
        """Yield a result in chunks; a cursor of its own, so that the caller may write meanwhile."""
        with self.connection.cursor() as cursor:
            for batch in cursor.execute(sql).to_arrow_reader(rows):
                yield pa.Table.from_batches([batch])

    def replace(
        self, table: str, columns: pa.Schema, chunks: Iterable[pa.Table], *, where: str | None = None, ordered: bool = False
    ) -> int:
        """Replace a table, or the rows that meet a condition, in one transaction; month by month, so that a month is in few blocks."""
        schema, count, connection = table.partition(".")[0], 0, self.connection
        definition = ", ".join(f'"{field.name}" {duckdb_type(field.type)}{"" if field.nullable else " not null"}' for field in columns)
        connection.execute("begin transaction")
        try:
            connection.execute(f"create schema if not exists {schema}")
            if where is None:
                connection.execute(f"create or replace table {table} ({definition})")
            else:
                connection.execute(f"create table if not exists {table} ({definition})")
                connection.execute(f"delete from {table} where {where}")
            if is_sorted := _MONTH in columns.names and not ordered:
                connection.execute(f"create temp table unordered as from {table} limit 0")
            target = "unordered" if is_sorted else table
            for chunk in chunks:
                arrived = chunk.select(columns.names)  # noqa: F841  DuckDB finds it by name; a registered one is kept until the commit
                connection.execute(f"insert into {target} by name from arrived")
                count += len(chunk)
            if is_sorted:
                connection.execute(f"insert into {table} from unordered order by {_MONTH}")
                connection.execute("drop table unordered")
            connection.execute("commit")
        except BaseException as error:
            connection.execute("rollback")
            if isinstance(error, duckdb.ConstraintException):
                raise NullInColumnError(f"{table}: {error}") from error
            raise
        return count

    def score(
        self,
        sql: str,
        by: str | None,
        function: Scoring,
        table: str,
        columns: pa.Schema,
        *,
        where: str | None = None,
        ordered: bool = False,
    ) -> int:
        """Stream a query through `function`, in chunks of complete groups where it asks for them, into a table, replaced at once."""
        chunks = complete_groups(self.read(f"select * from ({sql}) as scored order by {by}"), by) if by else self.read(sql)
        return self.replace(table, columns, map(function, chunks), where=where, ordered=ordered)

    def drop(self, table: str) -> None:
        """Forget a table."""
        self.connection.execute(f"drop table if exists {table}")

    def empty(self, table: str) -> None:
        """Delete the rows."""
        self.connection.execute(f"delete from {table}")

    def show_feed(self, view: str, columns: pa.Schema, files: Sequence[LakeFile], withdrawn: Withdrawals) -> None:
        """Make the view over explicit files."""
        feed, types = view.partition(".")[2], {field.name: duckdb_type(field.type) for field in columns}
        none = {**types, "batch_id": "varchar", "row_hash": "bigint", "record_number": "bigint", "delivery_date": "date"}
        typed = ", ".join(f"null::{kind} as {name}" for name, kind in none.items())
        rows = dated_rows(types, files) if files else f"select {typed} where false"
        more = "b.source_system, coalesce(r.delivery_date, b.delivery_date) as delivery_date, b.change_number, b.file_order, b.key_scope"
        joined = f"select r.* exclude (delivery_date), {more}, false as is_withdrawn from ({rows}) as r"
        joined += f" join lake.batches as b on r.batch_id = b.batch_id and b.feed = '{feed}'"
        if withdrawn.paths:
            more = "b.batch_id, null::bigint as row_hash, null::bigint as record_number, b.source_system, b.delivery_date, b.change_number"
            joined += f" union all select w.* exclude (withdrawn_file), {more}, b.file_order, b.key_scope, true as is_withdrawn"
            joined += f" from ({withdrawn_rows(types, withdrawn)}) as w"
            joined += f" join lake.batches as b on w.withdrawn_file = b.withdrawn_file and b.feed = '{feed}'"
        try:
            self.connection.execute(f"create or replace view {view} as {joined}")
        except duckdb.IOException as error:
            raise InfrastructureError(f"{view}: {error}; remedy: load into an empty home, or restore the file") from error

    def columns(self, schemas: Sequence[str]) -> dict[str, pa.Schema]:
        """Return the columns of each table and view of these schemas."""
        names = ", ".join(f"'{schema}'" for schema in schemas)
        found: dict[str, list[pa.Field]] = {}
        for table, name, kind, is_nullable in self.rows(
            "select schema_name || '.' || table_name, column_name, data_type, is_nullable from duckdb_columns() "
            f"where database_name = current_database() and schema_name in ({names}) order by 1, column_index"
        ):
            found.setdefault(table, []).append(pa.field(name, arrow_type(kind), is_nullable))
        return {table: pa.schema(fields) for table, fields in found.items()}
