"""The data dictionary: every table of a published copy with its columns, their types and their meaning, from where each is declared.

Models say it in their yml, tables that Python writes in their Arrow schema; a column of the latter without a text of its own takes the
one that tables share (`dbt/models/columns.md`). Holds the collecting only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from dagster_project.analytics.tables import TABLES
from dagster_project.engines.described import description_of
from dagster_project.engines.types import arrow_type, duckdb_type
from dagster_project.ingest.lake import REGISTERED
from dagster_project.publish.describing import Description
from dagster_project.publish.measuring import PUBLISHED_SCHEMAS
from dagster_project.publish.ops_columns import OPS_COLUMNS


@dataclass(frozen=True)
class Described(Description):
    """The same with the types of the columns, in DuckDB's words."""

    types: Mapping[str, str] = field(default_factory=dict)


def dictionary(manifest: Mapping[str, Any]) -> dict[str, Described]:
    """Return the description of each published table by `schema.table`: by schema, then name.

    Raises
    ------
    ValueError
        A table or a column has none.
    """
    schemas = {f"analytics.{name}": schema for name, schema in TABLES.items()}
    schemas |= {f"ops.{name}": schema for name, schema in (OPS_COLUMNS | REGISTERED).items()}
    shared = {node["name"]: node["block_contents"] for node in manifest["docs"].values() if node["package_name"] == "service_roi"}
    found = {name: _of_python(name, schema, shared) for name, schema in schemas.items()} | dict(_of_dbt(manifest))
    return dict(sorted(found.items(), key=lambda table: (PUBLISHED_SCHEMAS.index(table[0].partition(".")[0]), table[0])))


def behind_views(manifest: Mapping[str, Any]) -> dict[str, Description]:
    """Return what the yml says of the tables that are copied because views read them; they are not meant for readers."""
    return {
        f"{node['schema']}.{node['name']}": Description(_line(node["description"]), _columns(node))
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "intermediate"
    }


def _of_dbt(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Described]]:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["schema"] in PUBLISHED_SCHEMAS:
            types = {name: type_word(arrow_type(column["data_type"])) for name, column in node["columns"].items()}
            yield f"{node['schema']}.{node['name']}", Described(_line(node["description"]), _columns(node), types)


def _of_python(name: str, schema: pa.Schema, shared: Mapping[str, str]) -> Described:
    texts = {column.name: description_of(column) or shared.get(column.name, "") for column in schema}
    if silent := [column for column, text in texts.items() if not text]:
        raise ValueError(
            f"{name} has columns without a description: {', '.join(silent)}; remedy: describe them where the table's Arrow schema is"
            " declared, or for all tables in dbt/models/columns.md"
        )
    return Described(description_of(schema) or "", texts, {column.name: type_word(column.type) for column in schema})


def _columns(node: Mapping[str, Any]) -> dict[str, str]:
    return {name: _line(column["description"]) for name, column in node["columns"].items()}


def _line(text: str) -> str:
    return " ".join(text.split())


def type_word(kind: pa.DataType) -> str:
    """Return a type as DuckDB writes it in its catalogue."""
    word = duckdb_type(kind).upper().replace(", ", ",")
    return {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(word, word)
