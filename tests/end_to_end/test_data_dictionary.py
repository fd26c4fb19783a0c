"""The published copy says of itself what the models and the writing modules declare: every table, every column, every Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dagster_project.publish.describing import Description, comments_in
from dagster_project.publish.dictionary import Described, dictionary
from dagster_project.publish.measuring import catalog, is_for_readers
from dagster_project.publish.reader import open_current
from dagster_project.publish.source import parquet_of
from dagster_project.publish.versions import published_folder
from dagster_project.transform import project


@pytest.fixture(scope="module")
def declared() -> dict[str, Described]:
    return dictionary(project.manifest())


def test_each_published_table_and_column_has_the_comment_and_the_type_of_its_declaration(
    build_company: Any, declared: dict[str, Described]
) -> None:
    connection, pointer = open_current(build_company("small_demo").home)
    with connection:
        comments = {name: text for name, text in comments_in(connection, pointer.stem).items() if is_for_readers(name)}
        layout = catalog(connection, pointer.stem)
    types = {f"{schema}.{table}": {column.name: column.data_type for column in columns} for (schema, table), columns in layout.items()}
    assert comments == {name: Description(described.table, described.columns) for name, described in declared.items()}
    assert {name: types[name] for name in declared} == {name: dict(described.types) for name, described in declared.items()}
    assert [name for name, columns in types.items() if is_for_readers(name) and columns.keys() != declared[name].columns.keys()] == []


def test_each_parquet_file_says_the_same(build_company: Any, declared: dict[str, Described]) -> None:
    home: Path = build_company("small_demo").home
    connection, pointer = open_current(home)
    connection.close()
    for name, described in declared.items():
        path = parquet_of(published_folder(home) / pointer.stem, name)
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        for schema in map(pq.read_schema, files):
            assert schema.metadata[b"description"].decode() == described.table
            assert {field.name: field.metadata[b"description"].decode() for field in schema} == described.columns
