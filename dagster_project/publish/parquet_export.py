"""The Parquet exports of a version: one file a table, of a monthly table one file a month, shared with the version before.

An export is never changed once its version is named, so a month that stayed is the same file under a second name; the disk keeps
it until the last version that names it is removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.publish.describing import Descriptions, parquet_option
from dagster_project.publish.measuring import NO_MONTH, Measures, Plan, is_for_readers, literal, of_month, relation
from dagster_project.publish.source import parquet_of
from dagster_project.publish.stable_path import link_or_copy
from dagster_project.publish.versions import sync

Files = dict[str, dict[str, Any]]
"""Name of a file in the folder of its version to `file`, `bytes` and `sha256`."""


def files_of(tables: Measures) -> Files:
    """Return the exports that a manifest names."""
    return {entry["file"]: entry for values in tables.values() for entry in values["files"]}


def write_exports(
    connection: duckdb.DuckDBPyConnection, database: str, expected: Measures, folder: Path, descriptions: Descriptions
) -> None:
    """Write the exports that are not in the folder yet, with the texts of their tables."""
    for name, values in expected.items():
        if not is_for_readers(name):
            continue
        table, texts = relation(database, *name.split(".")), parquet_option(connection, database, name, descriptions)
        for path, condition in _pieces(folder, name, values):
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                rows = f"select * from {table} where {condition}"
                connection.execute(f"copy ({rows}) to {literal(str(path))} (format parquet, compression zstd{texts})")


def share_months(expected: Measures, plan: Plan, old: Path, new: Path, known: Files) -> Files:
    """Give the exports of months that stay a second name in the new folder and return their entries.

    An export that is gone or has another size is left to `write_exports`.
    """
    shared: Files = {}
    for name in plan:
        for key in expected[name]["months"].keys() - plan[name]:
            path = parquet_of(new, name) / f"{key}.parquet"
            entry = known.get(path.relative_to(new).as_posix())
            export = old / path.relative_to(new)
            if entry is not None and export.is_file() and export.stat().st_size == entry["bytes"]:
                path.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(export, path)
                shared[entry["file"]] = entry
    return shared


def describe_exports(expected: Measures, folder: Path, shared: Files) -> Measures:
    """Force new exports to disk and return the measures of each table with path, bytes and sha256 of its files."""
    exports = {}
    for name, values in expected.items():
        path = parquet_of(folder, name)
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not is_for_readers(name):
            files = []
        names = [file.relative_to(folder).as_posix() for file in files]
        exports[name] = {**values, "files": [shared.get(name) or _described(folder, name) for name in names]}
    return exports


def _pieces(folder: Path, name: str, values: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    path = parquet_of(folder, name)
    if "months" not in values:
        yield path, "true"
        return
    for key in values["months"] or (NO_MONTH,):  # an empty table still tells its columns
        yield path / f"{key}.parquet", of_month(key)


def _described(folder: Path, name: str) -> dict[str, Any]:
    file = folder / name
    sync(file)
    file.chmod(0o444)
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"file": name, "bytes": file.stat().st_size, "sha256": digest}
