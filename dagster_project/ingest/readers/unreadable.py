"""Errors that come from a delivered file itself, kept apart from those of our own folders and of the disk.

Holds the question whether a file can be read to its end. It must not read a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import FileUnread
from dagster_project.ingest.sql_text import literal

_CHUNK_BYTES = 1 << 22


@contextmanager
def refused_if_unreadable(path: Path, fault: str = "") -> Iterator[None]:
    """Turn what the operating system or a library says of a file that cannot be read into its refusal.

    After an error the file is read once more by itself: only where that fails too is the file at fault. A `fault` that was found before
    refuses it at once.

    Raises
    ------
    FileUnread
        The file is gone, may not be read, or is damaged.
    """
    if fault:
        raise FileUnread(fault)
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except (OSError, duckdb.Error, pa.ArrowException) as error:
        reason = _fault(path)
        if not reason:
            raise
        raise FileUnread(f"{path}: {reason}") from error


def _fault(path: Path) -> str:
    """Return why a file cannot be read to its end, with the remedy; empty where it can."""
    try:
        with path.open("rb") as file:
            while file.read(_CHUNK_BYTES):
                pass
    except FileNotFoundError:
        return "is not there any more; remedy: deliver it again, and move files only when no run works"
    except OSError as error:
        return f"cannot be read: {error.strerror}; remedy: let the user of the run read it, or deliver it again"
    if path.suffix.lower() != ".parquet":
        return ""
    try:
        for _ in pq.ParquetFile(path).iter_batches():
            pass
        with closing(connect_memory(threads=1)) as connection:
            connection.execute(f"select max(hash(file)) from read_parquet({literal(str(path))}) as file").fetchall()
    except (OSError, duckdb.Error, pa.ArrowException) as error:
        return f"Parquet file damaged ({str(error).splitlines()[0][:200]}); remedy: deliver the file again"
    return ""
