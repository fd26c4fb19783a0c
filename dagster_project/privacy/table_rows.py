"""Rows of source tables as records of the files that brought them, for files that may not be in the landing folder any more.

Holds reading only. It must not know whom a row is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from dagster_project.engines.duckdb import connect_published
from dagster_project.ingest.sources.delivered import FILE_BITS
from dagster_project.ingest.sources.made_rows import PLACE
from dagster_project.ingest.sql_text import identifier
from dagster_project.privacy.records import DeliveredRecord

_ROWS = 20_000


def files_of(database: Path) -> list[tuple[str, str]]:
    """Return path and SHA-256 of every file that the tables hold rows of."""
    with closing(connect_published(database)) as connection:
        return connection.execute("select path, sha256 from files order by all").fetchall()


def table_records(database: Path, stream: str, path: str, sha256: str) -> Iterator[DeliveredRecord]:
    """Yield the rows of a stream that one file brought, hidden ones too."""
    with closing(connect_published(database)) as connection:
        table = f"stream {stream}"
        if not connection.execute("select 1 from duckdb_tables() where table_name = ?", [table]).fetchall():
            return
        cursor = connection.execute(
            f"select record_number & {PLACE}, * exclude (record_number) from {identifier(table)}"
            f" where record_number >> {FILE_BITS} in (select file_no from files where path = ? and sha256 = ?) order by 1",
            [path, sha256],
        )
        names = [column[0] for column in cursor.description][1:]
        while rows := cursor.fetchmany(_ROWS):
            for number, *values in rows:
                texts = {name: value for name, value in zip(names, values, strict=True) if isinstance(value, str)}
                yield DeliveredRecord(number, texts, "\n".join(texts.values()))
