"""Columns of a Parquet file that cannot be read as text without guessing.

Holds the test of their types. Whether such a column is read at all, and with it the file refused, is decided by the caller.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FLOAT = "a floating-point number"
BOOLEAN = "a truth value"
NO_NAMES = (FLOAT, BOOLEAN)
"""Kinds that are no fault of their own: a number may be the one, a flag the other, a name neither."""
_DIGITS = 38


def odd_columns(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return what is wrong by column, under the names by which the engine reads them; raises `pa.ArrowException` on a damaged file."""
    schema = pq.read_schema(path)
    times = Counter(field.name.lower() for field in schema)
    found = {}
    for name, field in zip(names, schema, strict=True):
        wrong = f"there {times[field.name.lower()]} times" if times[field.name.lower()] > 1 else _wrong(field.type)
        if wrong:
            found[name] = wrong
            found.setdefault(field.name, wrong)
    return found


def _wrong(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_decimal(kind) and kind.precision > _DIGITS:
        return f"a decimal of {kind.precision} digits, which cannot be read exactly"
    if pa.types.is_nested(kind):
        return f"nested ({kind})"
    if pa.types.is_duration(kind) or pa.types.is_time(kind) or pa.types.is_interval(kind):
        return f"{kind}, which is neither an amount nor an instant"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return "bytes without an encoding"
    if pa.types.is_boolean(kind):
        return BOOLEAN
    return FLOAT if pa.types.is_floating(kind) else ""
