"""Tables that Python writes, declared with what they mean: Arrow schemas that carry the description of the table and of its columns.

A column without a text of its own has the one that all tables share for its name (`dbt/models/columns.md`). Holds the form only.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from dagster_project.engines.types import arrow_type

DESCRIPTION = b"description"
"""Key of a description in the metadata of a schema and of a field."""


def described(table: str, fields: Iterable[pa.Field], **columns: str) -> pa.Schema:
    """Return the schema of a table: `table` says what a row is, `columns` what its columns mean.

    Raises
    ------
    ValueError
        A text names a column that the table lacks.
    """
    plain = pa.schema(list(fields))
    if unknown := sorted(columns.keys() - set(plain.names)):
        raise ValueError(f"{table!r} describes columns that it lacks: {', '.join(unknown)}")
    texts = {field.name: {DESCRIPTION: columns[field.name].encode()} if field.name in columns else None for field in plain}
    return pa.schema([field.with_metadata(texts[field.name]) for field in plain], {DESCRIPTION: table.encode()})


def declared(table: str, columns: str) -> pa.Schema:
    """Return the same of lines `name type meaning`; `!` ends the type of a column that never is null, `meaning` may be omitted."""
    parts = [line.split(maxsplit=2) for line in columns.strip().splitlines()]
    fields = [pa.field(name, arrow_type(kind.removesuffix("!")), not kind.endswith("!")) for name, kind, *_ in parts]
    return described(table, fields, **{name: meaning[0] for name, _, *meaning in parts if meaning})


def description_of(thing: pa.Schema | pa.Field) -> str | None:
    """Return the text that a schema or a field carries; None where it has none."""
    text = (thing.metadata or {}).get(DESCRIPTION)
    return None if text is None else text.decode()
