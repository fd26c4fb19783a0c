"""A copy says what it holds: comments of tables and columns in its file and in its Parquet files, and new texts are a new copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from dagster_project.publish.describing import Description, comments_in
from dagster_project.publish.reader import open_current
from dagster_project.publish.rollback import rollback
from dagster_project.publish.versions import published_folder, read_manifest, read_pointer
from tests.publish.by_month_copies import SEPTEMBER, START, assert_as_in_full, build, put, since
from tests.publish.test_parquet_versions import publish_parquet

TEXTS = {
    "marts.fct_sale": Description("One row per sale; it's “net”", {"sale_id": "The sale's id; naïve 売上", "net_amount": "EUR"}),
    "marts.mart_total": Description("One row.", {}),
}


def served_texts(home: Path) -> dict[str, Description]:
    connection, pointer = open_current(home)
    with connection:
        found = comments_in(connection, pointer.stem)
    return {name: description for name, description in found.items() if description != Description("", {})}


def parquet_files(home: Path, table: str) -> list[Path]:
    pointer = read_pointer(home)
    assert pointer is not None
    files = read_manifest(home, pointer.stem)["tables"][table]["files"]
    return [published_folder(home) / pointer.stem / file["file"] for file in files]


def test_tables_and_columns_of_the_file_carry_their_texts(house: Any) -> None:
    house.publish(1, descriptions=TEXTS)
    assert served_texts(house.home) == TEXTS


def test_parquet_files_carry_them_for_arrow_and_for_sql(house: Any) -> None:
    house.publish(1, descriptions=TEXTS)
    (file,) = parquet_files(house.home, "marts.fct_sale")
    schema = pq.read_schema(file)
    assert schema.metadata[b"description"].decode() == TEXTS["marts.fct_sale"].table
    found = {field.name: field.metadata[b"description"].decode() for field in schema if field.metadata and b"description" in field.metadata}
    assert found == TEXTS["marts.fct_sale"].columns
    pairs = duckdb.sql(f"select decode(key), decode(value) from parquet_kv_metadata('{file}')").fetchall()
    assert dict(pairs)["description"] == TEXTS["marts.fct_sale"].table
    assert json.loads(dict(pairs)["columns"]) == TEXTS["marts.fct_sale"].columns


def test_the_texts_change_no_type_and_no_value_that_arrow_reads(house: Any) -> None:
    house.publish(1)
    bare = pq.read_table(parquet_files(house.home, "marts.fct_sale")[0])
    house.publish(1, descriptions=TEXTS)
    described = pq.read_table(parquet_files(house.home, "marts.fct_sale")[0])
    assert described.schema.equals(bare.schema)
    assert described.equals(bare)


def test_the_same_texts_are_published_once_and_others_make_another_copy_of_the_same_content(house: Any) -> None:
    first = house.publish(1, descriptions=TEXTS)
    assert not house.publish(1, descriptions=TEXTS).is_new
    second = house.publish(1, descriptions=TEXTS | {"marts.mart_total": Description("The total.")})
    assert (second.is_new, second.pointer.content_hash) == (True, first.pointer.content_hash)
    assert served_texts(house.home)["marts.mart_total"].table == "The total."


def test_months_that_stay_keep_their_files_while_the_texts_stay(home: Path) -> None:
    build(home, START | {SEPTEMBER: [60]})
    put(home, descriptions=TEXTS)
    build(home, START | {SEPTEMBER: [61]})
    before = {file.name: file.stat().st_ino for file in parquet_files(home, "marts.fct_sale")}
    assert_as_in_full(home, put(home, since(home, SEPTEMBER), descriptions=TEXTS))
    after = {file.name: file.stat().st_ino for file in parquet_files(home, "marts.fct_sale")}
    assert sorted(name for name in after if after[name] != before[name]) == ["2026-09-01.parquet"]
    assert served_texts(home) == TEXTS


def test_other_texts_are_written_into_the_files_of_every_month(home: Path) -> None:
    build(home, START | {SEPTEMBER: [60]})
    put(home, descriptions=TEXTS)
    build(home, START | {SEPTEMBER: [61]})
    other = TEXTS | {"marts.fct_sale": Description("Sales.", {"sale_id": "Id"})}
    assert_as_in_full(home, put(home, since(home, SEPTEMBER), descriptions=other))
    assert served_texts(home) == other
    found = {pq.read_schema(file).metadata[b"description"] for file in parquet_files(home, "marts.fct_sale")}
    assert found == {b"Sales."}


@pytest.mark.parametrize("limit", [10**9, 0], ids=["tables", "views"])
def test_a_copy_of_what_another_engine_wrote_says_it_too_also_after_a_rollback(tmp_path: Path, limit: int) -> None:
    texts = {"marts.fct_sale": Description("One row per sale.", {"note": "A note"}), "ops.runs": Description("One row per run.")}
    publish_parquet(tmp_path, 1, limit, descriptions=texts)
    publish_parquet(tmp_path, 2, limit, descriptions={})
    assert served_texts(tmp_path) == {}
    pointer = rollback(tmp_path, 1, run_id="back").pointer
    assert served_texts(tmp_path) == texts
    assert (published_folder(tmp_path) / "current.duckdb").samefile(published_folder(tmp_path) / pointer.file)
