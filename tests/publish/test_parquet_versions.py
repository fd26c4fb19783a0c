"""Versions whose Parquet files an engine wrote: a copy of tables while it fits, a file of views above the limit."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.errors import UsageError
from dagster_project.publish.publisher import Published, publish
from dagster_project.publish.reader import open_current, query
from dagster_project.publish.rollback import rollback
from dagster_project.publish.source import SparkTables
from dagster_project.publish.versions import EXPORT, is_complete, published_folder, read_manifest, read_pointer

SALES = pa.schema([pa.field("sale_id", pa.int64(), False), pa.field("net_amount", pa.decimal128(18, 2)), pa.field("note", pa.string())])


class Exporter:
    """Writes Parquet folders as Spark does, two part files a table and a marker, without Spark."""

    def __init__(self, value: int) -> None:
        rows = [(number, Decimal(number + value) / 100, None if number % 3 else "x") for number in range(10)]
        self.sales = pa.table([pa.array([row[at] for row in rows], kind.type) for at, kind in enumerate(SALES)], SALES.names)

    def columns(self, schemas: tuple[str, ...]) -> dict[str, pa.Schema]:
        return {name: SALES for name in ("marts.fct_sale", "ops.runs") if name.split(".")[0] in schemas}

    def export(self, table: str, folder: Path) -> int:
        folder.mkdir(parents=True)
        rows = self.sales if table == "marts.fct_sale" else self.sales.slice(0, 0)
        for part in range(2):
            pq.write_table(rows.slice(part * 5, 5), folder / f"part-0000{part}-c000.zstd.parquet")
        (folder / "_SUCCESS").touch()
        return len(rows)


def publish_parquet(home: Path, value: int, limit: int = 10**9, **options: Any) -> Published:
    source = SparkTables(Exporter(value))  # type: ignore[arg-type]
    return publish(home, source, run_id="r", inputs_sha256="a" * 64, data_as_of=None, copy_limit_bytes=limit, **options)


def total(home: Path) -> Any:
    connection, _ = open_current(home)
    with connection:
        return connection.execute("select count(*), sum(net_amount) from marts.fct_sale").fetchone()


@pytest.mark.parametrize(("limit", "is_view"), [(10**9, False), (0, True)])
def test_what_the_engine_wrote_is_the_version_and_readers_see_it(tmp_path: Path, limit: int, is_view: bool) -> None:
    pointer = publish_parquet(tmp_path, 1, limit).pointer
    assert (pointer.is_view, pointer.tables) == (is_view, {"marts.fct_sale": 10, "ops.runs": 0})
    assert total(tmp_path) == (10, Decimal("0.55"))  # (0 + … + 9 + 10 × 1) / 100
    files = read_manifest(tmp_path, pointer.stem)["tables"]["marts.fct_sale"]["files"]
    folder = published_folder(tmp_path) / pointer.stem
    assert [file["file"] for file in files] == [f"marts/fct_sale.parquet/part-0000{part}-c000.zstd.parquet" for part in range(2)]
    assert duckdb.sql(f"select count(*) from read_parquet('{folder}/marts/fct_sale.parquet/*.parquet')").fetchall() == [(10,)]
    assert not (published_folder(tmp_path) / EXPORT).exists()


def test_a_copy_that_fits_carries_the_promises_that_parquet_cannot_state(tmp_path: Path) -> None:
    publish_parquet(tmp_path, 1)
    connection, _ = open_current(tmp_path)
    with connection:
        found = connection.execute("select table_name, column_name from duckdb_columns() where not internal and not is_nullable order by 1")
        assert found.fetchall() == [("fct_sale", "sale_id"), ("runs", "sale_id")]


@pytest.mark.parametrize("limit", [10**9, 0])
def test_equal_content_is_not_published_again_and_leaves_nothing_behind(tmp_path: Path, limit: int) -> None:
    first = publish_parquet(tmp_path, 1, limit)
    again = publish_parquet(tmp_path, 1, limit)
    assert (first.is_new, again.is_new, again.pointer.seq) == (True, False, 1)
    names = {first.pointer.file, first.pointer.stem, "current.json", "current.duckdb", ".lock"}
    assert {path.name for path in published_folder(tmp_path).iterdir()} == names


def test_an_export_that_a_killed_publisher_left_is_swept(tmp_path: Path) -> None:
    publish_parquet(tmp_path, 1)
    (published_folder(tmp_path) / EXPORT / "marts").mkdir(parents=True)
    (published_folder(tmp_path) / EXPORT / "marts" / "half.parquet").write_bytes(b"half")
    assert publish_parquet(tmp_path, 2).is_new
    assert total(tmp_path) == (10, Decimal("0.65"))


def test_a_version_of_views_reads_its_own_folder_and_no_other_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish_parquet(tmp_path, 1, 0)
    secret = tmp_path / "secret.csv"
    secret.write_text("account,secret\n")
    assert query(tmp_path, "select count(*) from marts.fct_sale", "csv") == 1
    for sql in (
        f"select * from read_csv('{secret}')",
        f"select * from read_text('{tmp_path}/published/../secret.csv')",
        f"from glob('{tmp_path}/*')",
    ):
        with pytest.raises(UsageError, match=r"file system operations are disabled|Permission"):
            query(tmp_path, sql, "csv")
    assert "secret" not in capsys.readouterr().out


def test_rolling_back_a_version_of_views_does_not_lean_on_the_old_folder(tmp_path: Path) -> None:
    old = publish_parquet(tmp_path, 1, 0).pointer
    publish_parquet(tmp_path, 2, 0)
    new = rollback(tmp_path, 1, run_id="back").pointer
    shutil.rmtree(published_folder(tmp_path) / old.stem)
    assert (new.seq, new.content_hash) == (3, old.content_hash)
    assert total(tmp_path) == (10, Decimal("0.55"))
    assert is_complete(tmp_path, new)


def test_a_changed_byte_in_a_file_that_views_read_is_noticed(tmp_path: Path) -> None:
    publish_parquet(tmp_path, 1, 0)
    pointer = read_pointer(tmp_path)
    assert pointer is not None
    assert is_complete(tmp_path, pointer)
    file = next((published_folder(tmp_path) / pointer.stem).rglob("part-00001*"))
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)
    assert not is_complete(tmp_path, pointer)
    assert publish_parquet(tmp_path, 1, 0).pointer.seq == 2, "a damaged version must not count as served"
