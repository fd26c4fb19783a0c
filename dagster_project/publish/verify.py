"""Verify a published copy in a fresh process: read every column of every table and compare counts and hashes.

`python -m dagster_project.publish.verify FILE EXPECTED.json [PARQUET_FOLDER]` prints `{"bytes", "sha256"}` of the file and exits 0, or
names what differs and exits 1. Of a table that was renewed by month it reads every column of those months, and counts the rows of
the others, whose bytes were proven when they were copied; those of a view follow from the tables behind it. Imports DuckDB and
the standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.engines.duckdb import connect_published
from dagster_project.errors import InfrastructureError
from dagster_project.publish.measuring import Measures, Plan, catalog, count_rows, measure, views_in


def differences(file: Path, expected: Measures, plan: Plan | None = None, parquet: Path | None = None) -> list[str]:
    """Return one line for each table and month of the file that is not as expected; damage is a difference too.

    Of a table in `plan` only those months are read, and the rows of the others are counted.
    """
    plan, views = plan or {}, set[str]()
    try:
        connection = connect_published(file, parquet=parquet)
        try:
            database = str(connection.execute("select current_database()").fetchall()[0][0])
            tables = catalog(connection, database)
            monthly = {name for name, values in expected.items() if "months" in values}
            measured = measure(connection, database, tables, monthly, plan)
            views = {f"{schema}.{view}" for schema, view in views_in(connection, database)}
            for name in (plan.keys() & measured.keys()) - views:
                measured[name]["months"] = count_rows(connection, database, name) | measured[name]["months"]
        finally:
            connection.close()
    except duckdb.Error as error:
        return [f"{file.name}: {str(error).splitlines()[0]}"]
    wanted, found = _lines(expected, plan, views), _lines(measured, plan, views)
    return [
        f"{name}: expected {wanted.get(name, 'nothing')}, found {found.get(name, 'nothing')}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]


def _lines(measures: Measures, plan: Plan, views: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Return what is compared, by table and by month; of a month that was not read only its rows, of a view nothing."""
    lines: dict[str, Mapping[str, Any]] = {}
    for name, values in measures.items():
        if name not in plan:
            lines[name] = {"rows": values["rows"], "hash": values["hash"]}
        for key, month in values.get("months", {}).items():
            is_read = name not in plan or key in plan[name]
            if is_read or name not in views:
                lines[f"{name} {key}"] = month if is_read else {"rows": month["rows"]}
    return lines


@contextmanager
def fresh_process(
    file: Path, expected: Measures, plan: Plan | None = None, parquet: Path | None = None
) -> Iterator[Callable[[], dict[str, Any]]]:
    """Verify in a process that shares no cache with this one, and work on meanwhile.

    Yields a function that waits and returns `bytes` and `sha256` of the file.

    Raises
    ------
    InfrastructureError
        From that function: the file is not what was written.
    """
    expectation = file.with_suffix(".expected.json")
    task = {"tables": expected, "plan": {name: sorted(keys) for name, keys in (plan or {}).items()}}
    expectation.write_text(json.dumps(task), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", __spec__.name, str(file), str(expectation), *([str(parquet)] if parquet else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:

        def result() -> dict[str, Any]:
            output, problems = process.communicate()
            if process.returncode != 0:
                detail = problems.strip()[-2000:]
                kept = "the previous copy stays served; remedy: service-roi doctor, then run again"
                raise InfrastructureError(f"{file.name} is not what was written; {kept}:\n  {detail}")
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
    task = json.loads(expected_file.read_text(encoding="utf-8"))
    wrong = differences(file, task["tables"], task["plan"], parquet)
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\n")
        return 1
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    sys.stdout.write(json.dumps({"bytes": file.stat().st_size, "sha256": digest}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
