"""The files of the lake as a relation of DuckDB: one file a batch, named after it, without columns that are null in every row.

Holds SQL text. What a file lacks is given and never looked up: its reader opens no file before its rows are wanted. Files of keys that
were taken back (withdrawn) are a relation of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

RECORD_NUMBER = "record_number"
DELIVERY_DATE = "delivery_date"


@dataclass(frozen=True)
class LakeFile:
    """A file and the columns it `lacks`; without a record number, that is the position in the file.

    The rows of a file that `is_dated` say each in a column of their own on which day they were delivered.
    """

    path: Path
    lacks: tuple[str, ...] = ()
    is_dated: bool = False


@dataclass(frozen=True)
class Withdrawals:
    """Files of keys that were taken back, with nothing but the columns of the `key`; `lake.batches` names the file of each batch."""

    key: tuple[str, ...]
    paths: tuple[Path, ...] = ()


def lake_rows(columns: Mapping[str, str], files: Iterable[LakeFile]) -> str:
    """Return the SELECT of these columns (name to DuckDB type), `batch_id`, `row_hash` and `record_number` over at least one file."""
    return " union all ".join(_alike(columns, files, is_dated=False))


def dated_rows(columns: Mapping[str, str], files: Iterable[LakeFile]) -> str:
    """Return what `lake_rows` does, with the column `delivery_date`: null where the file does not say it of each row."""
    return " union all ".join(_alike(columns, files, is_dated=True))


def withdrawn_rows(columns: Mapping[str, str], withdrawn: Withdrawals) -> str:
    """Return the SELECT of these columns, null outside the key, and of `withdrawn_file`, the name of the file of each key."""
    named = [name if name in withdrawn.key else f"null::{kind} as {name}" for name, kind in columns.items()]
    return f"select {', '.join(named)}, parse_filename(filename, true) as withdrawn_file from {_parquet(withdrawn.paths)}"


def _alike(columns: Mapping[str, str], files: Iterable[LakeFile], *, is_dated: bool) -> Iterator[str]:
    """One SELECT for all files that store the same columns."""
    alike: dict[tuple[tuple[str, ...], bool], list[Path]] = defaultdict(list)
    for file in files:
        alike[file.lacks, file.is_dated and is_dated].append(file.path)
    for (lacks, says_day), paths in alike.items():
        named = [f"null::{kind} as {name}" if name in lacks else name for name, kind in columns.items()]
        number = f"file_row_number + 1 as {RECORD_NUMBER}" if RECORD_NUMBER in lacks else RECORD_NUMBER
        day = "" if not is_dated else f", {DELIVERY_DATE}" if says_day else f", null::date as {DELIVERY_DATE}"
        names = f"{', '.join(named)}, parse_filename(filename, true) as batch_id, row_hash, {number}{day}"
        yield f"select {names} from {_parquet(paths)}"


def _parquet(paths: Iterable[Path]) -> str:
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{listed}])"
