"""What a table holds, in numbers: its columns, its rows and an order-free hash, for the table and for each of its months.

The measures decide whether content changed and what a version is called. A hash is a sum, so months add up to their table and
a month that did not change need not be read again. Imports DuckDB and the standard library only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

PUBLISHED_SCHEMAS = ("marts", "analytics", "reporting", "ops")
CONTENT_SCHEMAS = ("marts", "analytics", "reporting")
MONTH = "period_month"
"""Column that says to which fiscal month a row of a monthly table belongs; null for rows without one."""
NO_MONTH = "none"
"""Key of the rows without a month; other keys are the first day of the month, as ISO writes it."""


@dataclass(frozen=True)
class Column:
    """One column as the catalogue states it."""

    name: str
    data_type: str
    is_nullable: bool


Key = tuple[str, str]
"""Schema and name of a table."""
Tables = dict[Key, list[Column]]
Measures = dict[str, dict[str, Any]]
"""`schema.table` to `rows` and `hash`, and `months` (key to `rows` and `hash`) where the table is monthly."""
Plan = Mapping[str, Collection[str]]
"""Keys of the months to renew in each table whose other months stay as they are; a table that is not named is renewed completely."""


def quoted(name: str) -> str:
    """Return an identifier that SQL takes literally."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def relation(database: str, schema: str, table: str) -> str:
    """Return the full name of a table."""
    return f"{quoted(database)}.{quoted(schema)}.{quoted(table)}"


def month_key(month: date | None) -> str:
    """Return the key of a month."""
    return NO_MONTH if month is None else month.isoformat()


def of_month(key: str) -> str:
    """Return the condition that a row belongs to the month; one month a statement, so that DuckDB skips the blocks of others."""
    return f"{MONTH} is null" if key == NO_MONTH else f"{MONTH} = date {literal(key)}"


def conditions(plan: Plan, name: str) -> list[str]:
    """Return the conditions that together choose the rows to renew of a table, none of which are chosen twice."""
    return [of_month(key) for key in sorted(plan[name])] if name in plan else ["true"]


def catalog(
    connection: duckdb.DuckDBPyConnection, database: str, schemas: Collection[str] | None = None, others: Collection[Key] = ()
) -> Tables:
    """Return the columns of each table and view of these schemas (of all without), and of `others`, by (schema, table), sorted by key."""
    # literals, not bound values: binding makes DuckDB import pandas, half a second in a process that needs nothing of it
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type, is_nullable from duckdb_columns() "
        f"where database_name = {literal(database)} and not internal order by schema_name, table_name, column_index"
    ).fetchall()
    tables: Tables = {}
    for schema, table, *column in rows:
        if schemas is None or schema in schemas or (schema, table) in others:
            tables.setdefault((schema, table), []).append(Column(*column))
    return tables


def views_in(connection: duckdb.DuckDBPyConnection, database: str) -> frozenset[Key]:
    """Return the views of a database."""
    rows = connection.execute(
        f"select schema_name, view_name from duckdb_views() where database_name = {literal(database)} and not internal"
    )
    return frozenset((schema, view) for schema, view in rows.fetchall())


def is_for_readers(name: str) -> bool:
    """Tell whether `schema.table` is meant for readers; the other tables of a copy are behind its views."""
    return name.partition(".")[0] in PUBLISHED_SCHEMAS


def measure(
    connection: duckdb.DuckDBPyConnection, database: str, tables: Tables, monthly: Collection[str] = (), plan: Plan | None = None
) -> Measures:
    """Read every value and return rows and an order-free hash of each table, and of each month of a monthly one.

    The hash is the sum of DuckDB's row hashes over the columns in name order, with the names and types themselves. Of a table
    in `plan` only those months are read; its entry speaks of them alone until `merged`.
    """
    measures: Measures = {}
    for (schema, table), columns in tables.items():
        name = f"{schema}.{table}"
        months: dict[str, dict[str, Any]] = {}
        values = ", ".join(quoted(column.name) for column in _ordered(columns))
        key = MONTH if name in monthly else "null::date"
        for condition in conditions(plan or {}, name):
            measured = f"select {key}, count(*), sum(hash({values}))::varchar from {relation(database, schema, table)}"
            rows = connection.execute(f"{measured} where {condition} group by 1").fetchall()
            months |= {month_key(month): {"rows": count, "hash": total} for month, count, total in rows}
        measures[name] = _total(shape(columns), months, is_monthly=name in monthly)
    return measures


def merged(base: Measures, measures: Measures, plan: Plan) -> Measures:
    """Return measures of complete tables: what was measured, and for the months that stay what the base says."""
    whole = dict(measures)
    for name in plan:
        months = {key: values for key, values in base[name]["months"].items() if key not in plan[name]}
        whole[name] = _total(measures[name]["hash"].partition(":")[0], months | measures[name]["months"], is_monthly=True)
    return whole


def adds_up(entry: Mapping[str, Any], columns: list[Column]) -> bool:
    """Tell whether an entry speaks of these columns and its months add up to the table."""
    return "months" in entry and _total(shape(columns), entry["months"], is_monthly=True).items() <= entry.items()


def count_to_renew(connection: duckdb.DuckDBPyConnection, database: str, name: str, plan: Plan) -> int:
    """Return the number of rows to renew of a table."""
    counts = [
        connection.execute(f"select count(*) from {relation(database, *name.split('.'))} where {condition}").fetchall()
        for condition in conditions(plan, name)
    ]
    return sum(int(count) for ((count,),) in counts)


def count_rows(connection: duckdb.DuckDBPyConnection, database: str, name: str) -> dict[str, dict[str, int]]:
    """Return the number of rows of each month of a monthly table; one narrow column is read."""
    rows = connection.execute(f"select {MONTH}, count(*) from {relation(database, *name.split('.'))} group by 1").fetchall()
    return {month_key(month): {"rows": count} for month, count in rows}


def shape(columns: Iterable[Column]) -> str:
    """Return the hash of names and types that comes before the hash of a table's rows."""
    return hashlib.sha256(json.dumps([(column.name, column.data_type) for column in _ordered(columns)]).encode()).hexdigest()[:16]


def content_hash(measures: Measures) -> str:
    """Return the identity of what analysts see: SHA-256 over rows and hash of all tables but those of schema ops."""
    content = {
        name: {"rows": values["rows"], "hash": values["hash"]}
        for name, values in measures.items()
        if name.partition(".")[0] in CONTENT_SCHEMAS
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _ordered(columns: Iterable[Column]) -> list[Column]:
    return sorted(columns, key=lambda column: column.name)


def _total(shape: str, months: Mapping[str, Mapping[str, Any]], *, is_monthly: bool) -> dict[str, Any]:
    rows, total = sum(values["rows"] for values in months.values()), sum(int(values["hash"]) for values in months.values())
    entry: dict[str, Any] = {"rows": rows, "hash": f"{shape}:{total}"}
    return entry | {"months": dict(sorted(months.items()))} if is_monthly else entry
