"""Frames between the engine and the formulas: Arrow to pandas and back, with nothing rounded on the way.

A frame holds money as whole thousandths (`int64`, or `Int64` where it may be unknown); a table holds it as DECIMAL. Holds type
conversion only. It must not hold a formula, a table name or a query.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pyarrow as pa

from dagster_project.engines.engine import Scoring

TEXT, DATE, WHOLE, REAL, FLAG = pa.string(), pa.date32(), pa.int64(), pa.float64(), pa.bool_()
MONEY, SHARE = pa.decimal128(18, 3), pa.decimal128(9, 4)


def required(**kinds: pa.DataType) -> list[pa.Field]:
    """Columns that never hold a null, by name."""
    return [pa.field(name, kind, nullable=False) for name, kind in kinds.items()]


def optional(**kinds: pa.DataType) -> list[pa.Field]:
    """Columns in which a null means "not known" or "not defined", by name."""
    return [pa.field(name, kind) for name, kind in kinds.items()]


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return the rows as a frame: dates as `datetime64`, whole numbers with a null as `Int64`."""
    whole = {field.name: pd.Int64Dtype() for field in table.schema if field.type == WHOLE and table[field.name].null_count}
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame.assign(**{name: table[name].to_pandas(types_mapper={WHOLE: kind}.get) for name, kind in whole.items()})


def to_table(frame: pd.DataFrame, columns: pa.Schema) -> pa.Table:
    """Return the columns of a table out of a frame that has them by name; NA and NaN become null, thousandths DECIMAL.

    Categories stay a dictionary, which engines read as text: writing rows is most of what a large table costs.
    """
    return pa.table({field.name: _column(frame[field.name], field.type) for field in columns})


def _column(values: pd.Series, kind: pa.DataType) -> pa.Array:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return pa.array(values.array, from_pandas=True)
    if kind == MONEY and pd.api.types.is_integer_dtype(values.dtype):
        return pa.array(values, WHOLE).cast(pa.decimal128(19, 0)).view(MONEY)  # the same digits, three of them after the point
    return pa.array(values, kind, from_pandas=True)


def framed(function: Callable[[pd.DataFrame], pd.DataFrame], columns: pa.Schema) -> Scoring:
    """Make a function of frames what `Engine.score` calls: chunks in, rows of a table with these columns out."""
    return _Framed(function, columns)


class _Framed:
    """A class, not a closure: executors of Spark unpickle it."""

    def __init__(self, function: Callable[[pd.DataFrame], pd.DataFrame], columns: pa.Schema) -> None:
        self._function, self._columns = function, columns

    def __call__(self, chunk: pa.Table) -> pa.Table:
        return to_table(self._function(to_frame(chunk)), self._columns)
