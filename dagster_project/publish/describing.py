"""What a published copy says of itself: comments on its tables and columns, in the database file and in the Parquet files.

In a Parquet file the text of the table is the key `description`, those of the columns are the key `columns` (a JSON object) and, where
Arrow reads it, the `description` of each field. Holds their form only; what they say is declared where the tables are.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import duckdb

from dagster_project.publish.measuring import Key, literal, quoted, relation


@dataclass(frozen=True)
class Description:
    """What a row of a table is, and what its columns mean."""

    table: str
    columns: Mapping[str, str] = field(default_factory=dict)


Descriptions = Mapping[str, Description]
"""By `schema.table`; what has none gets no comment."""


def identity(descriptions: Descriptions) -> str:
    """Return SHA-256 over all texts: a copy with other texts is another copy."""
    texts = {name: [description.table, dict(description.columns)] for name, description in descriptions.items()}
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()


def comment(
    connection: duckdb.DuckDBPyConnection, database: str, key: Key, columns: Collection[str], kind: str, descriptions: Descriptions
) -> None:
    """Write the comments of a table or view (`kind`) that is there; what has no text loses its comment."""
    target, description = relation(database, *key), descriptions.get(".".join(key), Description(""))
    texts = {f"{kind} {target}": description.table}
    texts |= {f"column {target}.{quoted(name)}": description.columns.get(name, "") for name in columns}
    connection.execute("; ".join(f"comment on {thing} is {literal(text) if text else 'null'}" for thing, text in texts.items()))


def table_comments(database: str) -> str:
    """Return SQL for `name` and `comment` of each table and view of a database; `database` is an expression."""
    return " union all ".join(
        f"select schema_name || '.' || {kind}_name as name, comment from duckdb_{kind}s() where database_name = {database}"
        for kind in ("table", "view")
    )


def comments_in(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Description]:
    """Return the comments that a database carries."""
    columns: dict[str, dict[str, str]] = {}
    for name, column, text in connection.execute(
        "select schema_name || '.' || table_name, column_name, comment from duckdb_columns()"
        f" where database_name = {literal(database)} and comment is not null order by 1, column_index"
    ).fetchall():
        columns.setdefault(name, {})[column] = text
    of_tables = f"select name, coalesce(comment, '') from ({table_comments(literal(database))})"
    return {name: Description(text, columns.get(name, {})) for name, text in connection.execute(of_tables).fetchall()}


def parquet_option(connection: duckdb.DuckDBPyConnection, database: str, name: str, descriptions: Descriptions) -> str:
    """Return what COPY adds to write the texts of a table into its Parquet files; empty where it has none."""
    description = descriptions.get(name)
    if description is None:
        return ""
    import pyarrow as pa  # only who writes needs it

    arrow = connection.execute(f"select * from {relation(database, *name.split('.'))} limit 0").to_arrow_table().schema
    texts = {column: {"description": text} for column, text in description.columns.items()}
    schema = pa.schema([of.with_metadata(texts.get(of.name)) for of in arrow], {"description": description.table})
    values = {
        "description": description.table,
        "columns": json.dumps(dict(description.columns), ensure_ascii=False),
        "ARROW:schema": base64.b64encode(schema.serialize().to_pybytes()).decode(),
    }
    return ", kv_metadata {" + ", ".join(f"{literal(key)}: {literal(value)}" for key, value in values.items()) + "}"
