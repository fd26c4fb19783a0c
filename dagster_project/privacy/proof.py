"""Proof of erasure: every byte of both folders is searched for what spoke of the person, archives and tables also as they read unpacked.

Holds the search and its counts. It must not change a file or open a file by a name found in one.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import duckdb
from backports import zstd

from dagster_project.engines.duckdb import connect_memory, connect_published
from dagster_project.ingest.sql_text import identifier, literal

_CHUNK = 1 << 22
_OVERLAP = 1 << 12
_ROWS = 20_000


@dataclass
class Proof:
    """What was searched, and the files in which something was found: none, or the account is not forgotten."""

    files: int = 0
    bytes: int = 0
    unpacked_bytes: int = 0
    hits: list[str] = field(default_factory=list)


def look(folders: Sequence[Path], pattern: re.Pattern[str]) -> Proof:
    """Search all files below the folders, and their names, for the words of the pattern."""
    proof, wanted = Proof(), re.compile(pattern.pattern.encode())
    with closing(connect_memory()) as connection:
        for path in sorted({path for folder in folders for path in folder.rglob("*")}):
            is_hit = bool(wanted.search(path.name.encode()))
            if path.is_file() and not path.is_symlink():
                proof.files += 1
                with path.open("rb") as file:
                    for count, chunk in _chunks(file):
                        proof.bytes += count
                        is_hit = is_hit or bool(wanted.search(chunk))
                for count, chunk in _unpacked(path, connection):
                    proof.unpacked_bytes += count
                    is_hit = is_hit or bool(wanted.search(chunk))
            if is_hit:
                proof.hits.append(str(path))
    return proof


def _chunks(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield overlapping pieces of a file with the number of bytes that are new: no word is cut by every piece that holds it."""
    tail = b""
    while piece := file.read(_CHUNK):
        yield len(piece), tail + piece
        tail = piece[-_OVERLAP:]


def _unpacked(path: Path, connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, bytes]]:
    """Yield what a reader of the file's format sees, as `_chunks` does; a file that is not complete has only its bytes."""
    suffix = path.suffix.lower()
    try:
        if suffix in (".gz", ".zst"):
            with gzip.open(path) if suffix == ".gz" else zstd.open(path) as file:
                yield from _chunks(cast("IO[bytes]", file))
        elif suffix in (".zip", ".xlsx"):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    with archive.open(name) as member:
                        yield from _chunks(member)
        elif suffix == ".parquet":
            yield from _texts(connection, f"read_parquet({literal(str(path))})")
        elif suffix == ".duckdb":
            with closing(connect_published(path)) as published:
                tables = "select schema_name, table_name from duckdb_tables() where not internal order by all"
                for schema, table in published.execute(tables).fetchall():
                    yield from _texts(published, f"{identifier(schema)}.{identifier(table)}")
    except (duckdb.Error, OSError, EOFError, zlib.error, zstd.ZstdError, zipfile.BadZipFile):
        return


def _texts(connection: duckdb.DuckDBPyConnection, relation: str) -> Iterator[tuple[int, bytes]]:
    """Yield the distinct texts of each text column."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    for name in (row[0] for row in described if row[1] == "VARCHAR"):
        cursor = connection.execute(f"select distinct {identifier(name)} from {relation} where {identifier(name)} is not null")
        while rows := cursor.fetchmany(_ROWS):
            text = "\n".join(row[0] for row in rows).encode()
            yield len(text), text
