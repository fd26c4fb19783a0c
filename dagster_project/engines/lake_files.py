"""The files of the lake as a relation of DuckDB: one file a batch, named after it, with the columns that its delivery brought.

Holds SQL text. A column that a file lacks is null in its rows, without opening a file before it is read; the record number is the
position in the file unless the file stores one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

_STORED = {"row_hash": "bigint", "record_number": "bigint"}


def lake_rows(columns: Mapping[str, str], files: Sequence[Path]) -> str:
    """Return the SELECT of these columns (name to DuckDB type), `batch_id`, `row_hash` and `record_number` over at least one file."""
    stored = dict(columns) | _STORED
    fields = ", ".join(f"'{name}': {{'name': '{name}', 'type': '{kind}', 'default_value': null}}" for name, kind in stored.items())
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return (
        f"select {', '.join(columns)}, split_part(parse_filename(filename), '.', 1) as batch_id, row_hash,"
        f" coalesce(record_number, file_row_number + 1) as record_number from read_parquet([{listed}], schema = map {{{fields}}})"
    )
