"""The relations that a SELECT finds when it runs: `source` and the streams of its system, complete or only the rows that are needed.

Holds the views. Which rows are needed is derived in `affected`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.ingest.sources.affected import Walk
from dagster_project.ingest.sources.selects import SystemSelects
from dagster_project.ingest.sources.tables import SourceTables
from dagster_project.ingest.sql_text import identifier


def show(tables: SourceTables, selects: SystemSelects, name: str, feed: str, target: str, *, is_complete: bool) -> None:
    """Make the relations for the SELECT of a feed of the stream `name`; of the rows only those that the records in `target` need.

    All rows where the stream `is_complete`, or where the SELECT depends on any row of another stream.
    """
    system, found = selects.system, selects.dependencies(name, feed)
    everything = dict.fromkeys({"source", *tables.streams})
    needed: Mapping[str, str | None] = everything if is_complete or found.is_global else Walk(tables, system, name, found).fetch(target)
    for relation in {"source", *system.file.streams}:
        stream = name if relation == "source" else relation
        if stream not in tables.streams:
            listed = ", ".join(
                [*(f"null::varchar as {identifier(column)}" for column in tables.columns(stream)), "null::bigint as record_number"]
            )
            sql = f"select {listed} where false"
        else:
            sql = f"select * from {tables.visible(stream)}"
            if (table := needed.get(relation)) is not None:
                sql += f" where record_number in (from {table})"
            elif relation not in needed:
                sql += " where false"
        tables.run(f"create or replace temp view {identifier(relation)} as {sql}")
