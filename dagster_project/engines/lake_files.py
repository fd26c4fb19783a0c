"""The files of the lake as a relation of DuckDB: one file a batch, named after it, without columns that are null in every row.

Holds SQL text. What a file lacks is told and never looked up: its reader opens no file before its rows are wanted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

RECORD_NUMBER = "record_number"


@dataclass(frozen=True)
class LakeFile:
    """A file and the columns it `lacks`; without a record number, that is the position in the file."""

    path: Path
    lacks: tuple[str, ...] = ()


def lake_rows(columns: Mapping[str, str], files: Iterable[LakeFile]) -> str:
    """Return the SELECT of these columns (name to DuckDB type), `batch_id`, `row_hash` and `record_number` over at least one file."""
    alike: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for file in files:
        alike[file.lacks].append(file.path)
    return " union all ".join(_rows(columns, lacks, paths) for lacks, paths in alike.items())


def _rows(columns: Mapping[str, str], lacks: tuple[str, ...], paths: Iterable[Path]) -> str:
    named = [f"null::{kind} as {name}" if name in lacks else name for name, kind in columns.items()]
    number = f"file_row_number + 1 as {RECORD_NUMBER}" if RECORD_NUMBER in lacks else RECORD_NUMBER
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"select {', '.join(named)}, parse_filename(filename, true) as batch_id, row_hash, {number} from read_parquet([{listed}])"
