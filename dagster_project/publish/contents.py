"""What a copy holds, as queries of the copy itself: its tables with rows and grain, or the columns of one table with their meaning."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from dagster_project.errors import UsageError
from dagster_project.publish.describing import table_comments
from dagster_project.publish.measuring import PUBLISHED_SCHEMAS, literal
from dagster_project.publish.versions import Pointer

Question = Callable[[Pointer], str]
"""Makes the query for the version that answers it."""


def every_table(pointer: Pointer) -> str:
    """Ask for name, number of rows and grain of each table that is meant for readers."""
    names = sorted(pointer.tables, key=lambda name: (PUBLISHED_SCHEMAS.index(name.partition(".")[0]), name))
    counts = ", ".join(f"({at}, {literal(name)}, {pointer.tables[name]})" for at, name in enumerate(names)) or "(null, null, null)"
    return (
        f"select name as table, rows, comment as grain from (values {counts}) as counted (place, name, rows)"
        f" inner join ({table_comments('current_database()')}) as described using (name) order by place"
    )


def columns_of(table: str) -> Question:
    """Ask for name, type and meaning of each column of a table, in its order; the schema may be omitted.

    Raises
    ------
    UsageError
        When asked: there is no such table, or several schemas have one.
    """

    def ask(pointer: Pointer) -> str:
        schema, name = _found(table, pointer).split(".")
        return (
            "select column_name as column, data_type as type, comment as meaning from duckdb_columns() where database_name ="
            f" current_database() and schema_name = {literal(schema)} and table_name = {literal(name)} order by column_index"
        )

    return ask


def _found(table: str, pointer: Pointer) -> str:
    wanted = table.strip().lower()
    known = [name for name in pointer.tables if wanted in (name, name.partition(".")[2])]
    if len(known) == 1:
        return known[0]
    if known:
        raise UsageError(f"{table} is in several schemas: {', '.join(sorted(known))}; remedy: name the schema too")
    shown = {name.partition(".")[2]: name for name in pointer.tables} | {name: name for name in pointer.tables}
    nearest = dict.fromkeys(shown[name] for name in get_close_matches(wanted, shown, n=6, cutoff=0.6))
    advice = f"nearest: {', '.join(list(nearest)[:3])}; " if nearest else ""
    raise UsageError(f"the published copy has no table {table}; {advice}all of them: service-roi sql --tables")
