"""The engine of many machines: Spark over Parquet folders that driver and executors see at the same path.

A table that `replace` or `score` made is a view over a folder of its own. The folder is written first and the view is
replaced last, so that a reader sees the old rows or the new ones; the old folder goes afterwards. Between view and files
is an external table of schema `files`: it states the columns and keeps the list of files, where a view over a path
would look both up again in every query.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.engines.engine import Scoring, checked, complete_groups
from dagster_project.engines.lake_files import DELIVERY_DATE, LakeFile, Withdrawals
from dagster_project.engines.types import arrow_type, spark_type
from dagster_project.errors import InfrastructureError

NOT_NULL = "not_null"
"""Table property that lists the columns which never hold a null: Parquet tables of Spark cannot promise it themselves."""


class SparkEngine:
    """A Spark session and the folder where it keeps tables; both outlive this object."""

    def __init__(self, session: Any, folder: Path) -> None:
        self._session = session
        self._folder = folder

    def run(self, sql: str) -> None:
        """Execute one statement."""
        self._session.sql(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return a small result as Python values; by way of Arrow, which keeps the zone of an instant."""
        table = self._session.sql(sql).toArrow()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def read(self, sql: str, *, rows: int = 200_000) -> Iterator[pa.Table]:
        """Yield a result in chunks, by way of a scratch folder: the driver never holds more than a chunk."""
        with self._scratch() as folder:
            self._session.sql(sql).write.parquet(str(folder))
            for file in sorted(folder.glob("part-*.parquet")):
                for batch in pq.ParquetFile(file).iter_batches(rows):
                    yield pa.Table.from_batches([batch])

    def replace(
        self, table: str, columns: pa.Schema, chunks: Iterable[pa.Table], *, where: str | None = None, ordered: bool = False
    ) -> int:
        """Replace a table, or the rows that meet a condition; its files keep no order."""
        del ordered
        folder, count = self._new_folder(table), 0
        folder.mkdir(parents=True)
        with pq.ParquetWriter(folder / "part-new.parquet", columns) as writer:
            writer.write_table(columns.empty_table())
            for chunk in chunks:
                writer.write_table(checked(chunk, table, columns))
                count += len(chunk)
        self._keep_others(table, folder, where)
        self._show(table, columns, folder)
        return count

    def _keep_others(self, table: str, folder: Path, where: str | None) -> None:
        """Write the rows that stay, those that do not meet the condition, next to the new ones."""
        if where is None or not self._session.catalog.tableExists(table):
            return
        kept = f"select * from {table} where not coalesce({where}, false)"
        self._session.sql(kept).write.parquet(str(folder / "kept"))
        for file in sorted((folder / "kept").glob("part-*.parquet")):
            file.rename(folder / file.name)
        shutil.rmtree(folder / "kept")

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
        """Run `function` on the executors, over chunks of complete groups where it asks for them; the files keep no order."""
        del ordered
        from pyspark.sql import Observation
        from pyspark.sql.functions import count, lit

        def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            chunks = (pa.Table.from_batches([batch]) for batch in batches)
            for chunk in complete_groups(chunks, by) if by else chunks:
                yield from checked(function(chunk), table, columns).to_batches()

        folder, written = self._new_folder(table), Observation(f"score {table}")
        grouped = self._session.sql(sql)
        if by:
            grouped = grouped.repartition(by).sortWithinPartitions(by)
        layout = ", ".join(f"`{field.name}` {spark_type(field.type)}" for field in columns)
        grouped.mapInArrow(work, layout).observe(written, count(lit(1)).alias("rows")).write.parquet(str(folder))
        self._keep_others(table, folder, where)
        self._show(table, columns, folder)
        return int(written.get["rows"])

    def drop(self, table: str) -> None:
        """Forget a table."""
        self.run(f"drop view if exists {table}")
        self._forget_all(table)

    def empty(self, table: str) -> None:
        """Write no rows over the table; Spark truncates no table that has a location of its own."""
        nothing = ", ".join(f"cast(null as {kind})" for _, kind in self._session.table(table).dtypes)
        self.run(f"insert overwrite table {table} select {nothing} where false")

    def show_feed(self, view: str, columns: pa.Schema, files: Sequence[LakeFile], withdrawn: Withdrawals) -> None:
        """Make the view over explicit files, as a glob of alternatives; Spark would pass over one that is gone."""
        gone = [path for path in (*(file.path for file in files), *withdrawn.paths) if not path.exists()]
        if gone:
            raise InfrastructureError(f"{view}: {gone[0]} is gone; remedy: load into an empty home, or restore the file")
        feed, name = view.partition(".")[2], view.replace(".", "_")
        stored = columns.append(pa.field("row_hash", pa.int64())).append(pa.field("record_number", pa.int64()))
        stored = stored.append(pa.field(DELIVERY_DATE, pa.date32()))
        if files:
            table = self._over(name, stored, _alternatives([file.path for file in files]))
            rows = (
                f"select {', '.join(columns.names)}, split_part(_metadata.file_name, '.', 1) as batch_id, row_hash,"
                f" coalesce(record_number, _metadata.row_index + 1) as record_number, {DELIVERY_DATE} from {table}"
            )
        else:
            none = stored.insert(len(columns), pa.field("batch_id", pa.string()))
            rows = f"select {', '.join(f'cast(null as {spark_type(field.type)}) as {field.name}' for field in none)} where false"
        names = ", ".join(f"r.{column}" for column in (*columns.names, "batch_id", "row_hash", "record_number"))
        more = "b.source_system, coalesce(r.delivery_date, b.delivery_date) as delivery_date, b.change_number, b.file_order, b.key_scope"
        joined = f"select {names}, {more}, false as is_withdrawn from ({rows}) as r"
        joined += f" inner join lake.batches as b on r.batch_id = b.batch_id and b.feed = '{feed}'"
        if withdrawn.paths:
            keys = pa.schema([columns.field(column) for column in withdrawn.key])
            table = self._over(f"{name}_withdrawn", keys, _alternatives(withdrawn.paths))
            known = ", ".join(
                f"w.{field.name}" if field.name in withdrawn.key else f"cast(null as {spark_type(field.type)}) as {field.name}"
                for field in columns
            )
            more = "b.batch_id, cast(null as bigint) as row_hash, cast(null as bigint) as record_number, b.source_system, b.delivery_date"
            joined += f" union all select {known}, {more}, b.change_number, b.file_order, b.key_scope, true as is_withdrawn"
            joined += f" from (select *, split_part(_metadata.file_name, '.', 1) as withdrawn_file from {table}) as w"
            joined += f" inner join lake.batches as b on w.withdrawn_file = b.withdrawn_file and b.feed = '{feed}'"
        self.run(f"create or replace view {view} as {joined}")

    def columns(self, schemas: Sequence[str]) -> dict[str, pa.Schema]:
        """Return the columns of each table and view of these schemas; nullable unless the table's property says otherwise."""
        found: dict[str, pa.Schema] = {}
        present = {row[0] for row in self.rows("show schemas")}
        for schema in sorted(present & set(schemas)):
            for _, name, _ in self.rows(f"show tables in {schema}"):
                table = f"{schema}.{name}"
                promised = {row[0]: row[1] for row in self.rows(f"show tblproperties {table}")}.get(NOT_NULL, "").split(",")
                kinds = [(field.name, arrow_type(field.dataType.simpleString())) for field in self._session.table(table).schema]
                found[table] = pa.schema([pa.field(field, kind, field not in promised) for field, kind in kinds])
        return dict(sorted(found.items()))

    def export(self, table: str, folder: Path) -> int:
        """Write a table or view as a new folder of Parquet part files and return the number of rows written."""
        from pyspark.sql import Observation
        from pyspark.sql.functions import count, lit

        written = Observation(f"export {table}")
        self._session.table(table).observe(written, count(lit(1)).alias("rows")).write.option("compression", "zstd").parquet(str(folder))
        return int(written.get["rows"])

    def _over(self, name: str, columns: pa.Schema, path: str) -> str:
        """Make the external table `files.<name>` over a path or glob, and return its full name."""
        table = f"files.{name}"
        layout = ", ".join(f"`{field.name}` {spark_type(field.type)}" for field in columns)
        self.run("create schema if not exists files")
        self.run(f"drop table if exists {table}")
        self._session.sql(f"create table {table} ({layout}) using parquet options (path {_literal(path)})")
        return table

    def _tables(self, table: str) -> Path:
        return self._folder.joinpath("tables", *table.split("."))

    def _new_folder(self, table: str) -> Path:
        self.run(f"create schema if not exists {table.partition('.')[0]}")
        return self._tables(table) / uuid.uuid4().hex

    def _show(self, table: str, columns: pa.Schema, folder: Path) -> None:
        names = ", ".join(f"`{name}`" for name in columns.names)
        promised = ",".join(field.name for field in columns if not field.nullable)
        files = self._over(f"{table.replace('.', '_')}_{folder.name}", columns, _escaped(str(folder)))
        self.run(f"create or replace view {table} tblproperties ('{NOT_NULL}' = '{promised}') as select {names} from {files}")
        self._forget_all(table, but=folder)

    def _forget_all(self, table: str, but: Path | None = None) -> None:
        for old in self._tables(table).glob("*"):
            if old != but:
                self.run(f"drop table if exists files.{table.replace('.', '_')}_{old.name}")
                shutil.rmtree(old)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        folder = self._folder / "read" / uuid.uuid4().hex
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _alternatives(paths: Sequence[Path]) -> str:
    """Return one glob for all of these files."""
    folder = os.path.commonpath([path.parent for path in paths])
    return _escaped(folder) + "/{" + ",".join(_escaped(os.path.relpath(path, folder)) for path in paths) + "}"


def _escaped(path: str) -> str:
    """Return a path that a glob takes literally."""
    return re.sub(r"([\\{}\[\]*?,])", r"\\\1", path)


def _literal(text: str) -> str:
    """Return a SQL string literal; Spark reads a backslash as an escape."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
