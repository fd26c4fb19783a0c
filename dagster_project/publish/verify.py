"""Verify a published copy in a fresh process: read every column of every table and compare counts and hashes.

`python -m dagster_project.publish.verify FILE EXPECTED.json [PARQUET_FOLDER]` prints `{"bytes", "sha256"}` of the file and exits 0, or
names what differs and exits 1. The measures here are also how the publisher decides whether content changed.
Imports DuckDB and the standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.engines.duckdb import connect_published
from dagster_project.errors import InfrastructureError

PUBLISHED_SCHEMAS = ("marts", "analytics", "reporting", "ops")
CONTENT_SCHEMAS = ("marts", "analytics", "reporting")


@dataclass(frozen=True)
class Column:
    """One column as the catalogue states it."""

    name: str
    data_type: str
    is_nullable: bool
    comment: str | None


Measures = dict[str, dict[str, Any]]


def quoted(name: str) -> str:
    """Return an identifier that SQL takes literally."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def catalog(connection: duckdb.DuckDBPyConnection, database: str) -> dict[tuple[str, str], list[Column]]:
    """Return the columns of each table and view that readers may see, keyed by (schema, table), sorted by key."""
    # literals, not bound values: binding makes DuckDB import pandas, half a second in a process that needs nothing of it
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type, is_nullable, comment from duckdb_columns() "
        f"where database_name = {literal(database)} and schema_name in ({', '.join(map(literal, PUBLISHED_SCHEMAS))}) and not internal "
        "order by schema_name, table_name, column_index"
    ).fetchall()
    tables: dict[tuple[str, str], list[Column]] = {}
    for schema, table, *column in rows:
        tables.setdefault((schema, table), []).append(Column(*column))
    return tables


def measure(connection: duckdb.DuckDBPyConnection, database: str, tables: dict[tuple[str, str], list[Column]]) -> Measures:
    """Read every value and return rows and an order-free hash of each table, keyed by `schema.table`.

    The hash is the sum of DuckDB's row hashes over the columns in name order, beside the names and types themselves.
    """
    measures: Measures = {}
    for (schema, table), columns in tables.items():
        ordered = sorted(columns, key=lambda column: column.name)
        values = ", ".join(quoted(column.name) for column in ordered)
        relation = f"{quoted(database)}.{quoted(schema)}.{quoted(table)}"
        row = connection.execute(f"select count(*), coalesce(sum(hash({values})), 0)::varchar from {relation}").fetchone()
        assert row is not None
        shape = hashlib.sha256(json.dumps([(column.name, column.data_type) for column in ordered]).encode()).hexdigest()[:16]
        measures[f"{schema}.{table}"] = {"rows": row[0], "hash": f"{shape}:{row[1]}"}
    return measures


def content_hash(measures: Measures) -> str:
    """Return the identity of what analysts see: SHA-256 over the measures of all tables but those of schema ops."""
    content = {name: values for name, values in measures.items() if name.partition(".")[0] in CONTENT_SCHEMAS}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def differences(file: Path, expected: Measures, parquet: Path | None = None) -> list[str]:
    """Return one line for each table of the file that is not as expected; damage is a difference too."""
    try:
        connection = connect_published(file, parquet=parquet)
        try:
            database = str(connection.execute("select current_database()").fetchall()[0][0])
            found = measure(connection, database, catalog(connection, database))
        finally:
            connection.close()
    except duckdb.Error as error:
        return [f"{file.name}: {str(error).splitlines()[0]}"]
    return [
        f"{name}: expected {expected.get(name, 'no such table')}, found {found.get(name, 'no such table')}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


@contextmanager
def fresh_process(file: Path, expected: Measures, parquet: Path | None = None) -> Iterator[Callable[[], dict[str, Any]]]:
    """Verify in a process that shares no cache with this one, and work on meanwhile.

    Yields a function that waits and returns `bytes` and `sha256` of the file.

    Raises
    ------
    InfrastructureError
        From that function: the file is not what was written.
    """
    expectation = file.with_suffix(".expected.json")
    expectation.write_text(json.dumps(expected), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", __spec__.name, str(file), str(expectation), *([str(parquet)] if parquet else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:

        def result() -> dict[str, Any]:
            output, problems = process.communicate()
            if process.returncode != 0:
                detail = problems.strip()[-2000:]
                raise InfrastructureError(f"{file.name} is not what was written; the previous copy stays served:\n  {detail}")
            measured: dict[str, Any] = json.loads(output)
            return measured

        try:
            yield result
        except BaseException:
            process.kill()
            raise
        finally:
            expectation.unlink(missing_ok=True)


def main(file: Path, expected_file: Path, parquet: Path | None = None) -> int:
    """Compare, report, and return the exit code."""
    wrong = differences(file, json.loads(expected_file.read_text(encoding="utf-8")), parquet)
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\n")
        return 1
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    sys.stdout.write(json.dumps({"bytes": file.stat().st_size, "sha256": digest}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
