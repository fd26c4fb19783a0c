"""Column types in three languages: Arrow between modules, SQL words towards DuckDB and Spark. One table, no logic."""

from __future__ import annotations

import re

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")
_KINDS: dict[str, tuple[pa.DataType, str]] = {
    "varchar": (pa.string(), "string"),
    "bigint": (pa.int64(), "bigint"),
    "integer": (pa.int32(), "int"),
    "double": (pa.float64(), "double"),
    "boolean": (pa.bool_(), "boolean"),
    "date": (pa.date32(), "date"),
    "timestamptz": (INSTANT, "timestamp"),
}
_ALIASES = {"timestamp with time zone": "timestamptz", "string": "varchar", "int": "integer", "timestamp": "timestamptz"}
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")


def arrow_type(sql: str) -> pa.DataType:
    """Return the Arrow type of a SQL type, in the words of either engine.

    Raises
    ------
    TypeError
        The type has no place in the warehouse.
    """
    word = sql.lower()
    if match := _DECIMAL.fullmatch(word):
        return pa.decimal128(int(match[1]), int(match[2]))
    kind = _KINDS.get(_ALIASES.get(word, word))
    if kind is None:
        raise TypeError(f"type {sql} has no place in the warehouse; use one of {', '.join(_KINDS)} or decimal(p, s)")
    return kind[0]


def duckdb_type(kind: pa.DataType) -> str:
    """Return DuckDB's word for an Arrow type; TypeError as in `arrow_type`."""
    return f"decimal({kind.precision}, {kind.scale})" if pa.types.is_decimal(kind) else _word(kind)[0]


def spark_type(kind: pa.DataType) -> str:
    """Return Spark's word for an Arrow type; TypeError as in `arrow_type`."""
    return f"decimal({kind.precision}, {kind.scale})" if pa.types.is_decimal(kind) else _word(kind)[1]


def _word(kind: pa.DataType) -> tuple[str, str]:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    for word, (arrow, spark) in _KINDS.items():
        if plain.equals(arrow):
            return word, spark
    raise TypeError(f"{kind} has no place in the warehouse; use one of {', '.join(_KINDS)} or decimal(p, s)")
