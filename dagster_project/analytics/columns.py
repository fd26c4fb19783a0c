"""Columns of the analytics tables: their types, and exact arrays for them out of numpy.

Holds type conversion only. It must not hold a formula, a table name or a query.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

TEXT, DATE, WHOLE, REAL, FLAG = pa.string(), pa.date32(), pa.int64(), pa.float64(), pa.bool_()
MONEY, SHARE = pa.decimal128(18, 3), pa.decimal128(9, 4)


def required(**kinds: pa.DataType) -> list[pa.Field]:
    """Columns that never hold a null, by name."""
    return [pa.field(name, kind, nullable=False) for name, kind in kinds.items()]


def optional(**kinds: pa.DataType) -> list[pa.Field]:
    """Columns in which a null means "not known" or "not defined", by name."""
    return [pa.field(name, kind) for name, kind in kinds.items()]


def money(minor: NDArray[np.int64], known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Thousandths as DECIMAL(18,3), null where not `known`; the 128-bit words are laid out directly, so nothing is rounded."""
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
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(list(words), TEXT))


def constant(value: object, rows: int, kind: pa.DataType) -> pa.Array:
    """Repeat one value in every row."""
    return pa.repeat(pa.scalar(value, kind), rows)


def numbered(ids: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the distinct ids in order of appearance, and for each row the position of its id among them."""
    encoded = ids.combine_chunks().dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)


def days(dates: pa.ChunkedArray) -> NDArray[np.int64]:
    """Dates as days since 1970-01-01."""
    return np.asarray(dates.cast(pa.int32()), np.int64)
