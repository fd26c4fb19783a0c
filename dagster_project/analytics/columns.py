"""Exact columns between numpy and the engine: money as DECIMAL(18,2), reasons and labels as short dictionaries.

Holds type conversion only. It must not hold a formula, a table name or a query.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MONEY = pa.decimal128(18, 2)


def money(minor: NDArray[np.int64], known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Minor units as DECIMAL(18,2), null where not `known`; the 128-bit words are laid out directly, so nothing is rounded."""
    words = np.empty((len(minor), 2), np.int64)
    words[:, 0] = minor
    words[:, 1] = minor >> 63
    validity = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    return pa.Array.from_buffers(MONEY, len(minor), [validity, pa.py_buffer(words)])


def ratio(values: NDArray[np.float64]) -> pa.Array:
    """Ratios as DOUBLE; NaN means not defined and becomes null."""
    return pa.array(values, mask=np.isnan(values))


def coded(codes: NDArray[np.int8], words: Sequence[str]) -> pa.Array:
    """Codes as text: `words[code]`, null for a negative code."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(list(words), pa.string()))


def constant(value: object, rows: int, kind: pa.DataType) -> pa.Array:
    """Repeat one value in every row."""
    return pa.repeat(pa.scalar(value, kind), rows)


def bulk(tables: Iterable[pa.Table], rows: int = 500_000) -> Iterator[pa.Table]:
    """Join tables until each has at least `rows` rows: DuckDB inserts below its row group of 122,880 cost twice the time."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
