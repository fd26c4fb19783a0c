"""The first rows of a source table: the table is empty, so they are compared with nothing.

Holds the test for that and the taking. Rows that meet earlier ones are merged in `tables`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dagster_project.ingest.sources.results import StreamChange
from dagster_project.ingest.sql_text import identifier, literal

if TYPE_CHECKING:
    from dagster_project.ingest.sources.tables import SourceTables


def key_sql(columns: Sequence[str], defaults: Mapping[str, str], table: str = "") -> str:
    """Return the columns by which rows are one key: a column without a value counts as the default that the stream declares for it."""
    named = {column: f"{table}.{identifier(column)}" if table else identifier(column) for column in columns}
    return ", ".join(f"coalesce({sql}, {literal(defaults[column])})" if column in defaults else sql for column, sql in named.items())


def is_first(tables: SourceTables, name: str, key: Sequence[str]) -> bool:
    """Whether the table is empty and each key is delivered once, so that nothing has to be compared."""
    stream = tables.system.stream(name)
    if not stream.key or tables.run(f"select 1 from {tables.table(name)} limit 1").fetchall():
        return False
    counts = (
        f"select count(distinct hash({key_sql(key, stream.key_defaults)})), count(*), count(distinct row_day) from {tables.delta(name)}"
    )
    ((distinct, rows, days),) = tables.run(counts).fetchall()
    return bool(distinct == rows and (days <= 1 or not stream.complete_per))


def take_all(tables: SourceTables, name: str, key: Sequence[str]) -> StreamChange:
    """Take every delivered row; `came` is then the delivery itself, unless some of its rows may be hidden."""
    stream, delta, came = tables.system.stream(name), tables.delta(name), tables.temporary("came", name)
    columns = ", ".join([*map(identifier, tables.columns(name)), "record_number"])
    if tables.is_new:
        tables.run(f"drop table {tables.table(name)}")
        tables.run(f"alter table {delta} rename to {tables.table(name).split('.', 1)[1]}")
        tables.taken.add(name)
        delta = tables.delta(name)
    else:
        tables.run(f"insert into {tables.table(name)} from {delta}")
    if stream.deleted or stream.needs:
        tables.run(f"insert into {came} select {columns} from {delta}")
    else:
        tables.run(f"drop table {came}")
        tables.run(f"create or replace temp view {came} as select {columns} from {delta}")
    tables.note_affected(name, f"select distinct {', '.join(map(identifier, key))} from {delta}")
    tables.first.add(name)
    return StreamChange(0, tables.size(delta), 0)
