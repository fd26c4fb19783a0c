"""The same models on Spark: every table equal to DuckDB's, guards that refuse, and the dbt unit tests once more."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import ChecksFailed
from dagster_project.transform import project

pytestmark = pytest.mark.spark
LAYERS = ["path:models/staging", "path:models/intermediate", "path:models/marts"]
TYPES = {"VARCHAR": "string", "INTEGER": "int", "TIMESTAMP WITH TIME ZONE": "timestamp"}
ONCE = pytest.mark.parametrize("built", [pytest.param("whole", marks=pytest.mark.slow)], indirect=True)
Built = tuple[duckdb.DuckDBPyConnection, Any]


HOME = Path(tempfile.mkdtemp(prefix="service-roi-spark-"))


def build(select: list[str]) -> None:
    project.build(HOME / "warehouse.duckdb", select, lambda event: None, target="spark")


def show_sources(warehouse: duckdb.DuckDBPyConnection, spark: Any, folder: Path) -> None:
    """Give Spark what the models of a DuckDB warehouse read and no model writes, as Parquet."""
    sources = [(node["schema"], node["name"]) for node in project.manifest()["sources"].values() if node["schema"] != "analytics"]
    for schema, table in sources:
        (folder / schema / table).mkdir(parents=True)
        warehouse.execute(f"copy {schema}.{table} to '{folder / schema / table / 'rows.parquet'}' (format parquet)")
        spark.sql(f"create schema if not exists {schema}")
        spark.sql(f"drop table if exists {schema}.{table}")
        spark.sql(f"create table {schema}.{table} using parquet location '{folder / schema / table}'")


def leave_half_a_table(schema: str, table: str) -> None:
    """Leave what a killed run leaves: files of a table that the catalogue never heard of."""
    folder = HOME / "spark" / "warehouse" / schema / table
    folder.mkdir(parents=True, exist_ok=True)
    duckdb.sql("select 'HALF' as account_id").write_parquet(str(folder / "part-00000-left.snappy.parquet"))


@pytest.fixture(scope="module", params=["oakland", pytest.param("whole", marks=pytest.mark.slow)])
def built(request: pytest.FixtureRequest, spark_session: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Build one company on Spark from the lake it has on DuckDB; both warehouses."""
    warehouse: duckdb.DuckDBPyConnection = request.getfixturevalue(request.param)
    show_sources(warehouse, spark_session, tmp_path_factory.mktemp(request.param))
    leave_half_a_table("marts", "dim_account")
    build(LAYERS)
    yield warehouse, spark_session
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture
def broken(built: Built, tmp_path: Path) -> Callable[[str, str], Any]:
    """Replace a table of Spark by a query over it for the length of a block."""
    spark = built[1]

    @contextmanager
    def replaced(table: str, query: str) -> Iterator[None]:
        spark.sql(query.format(table)).write.parquet(str(tmp_path / table))
        spark.sql(f"alter table {table} rename to {table}_kept")
        spark.sql(f"create table {table} using parquet location '{tmp_path / table}'")
        try:
            yield
        finally:
            spark.sql(f"drop table {table}")
            spark.sql(f"alter table {table}_kept rename to {table}")

    return replaced


def columns(warehouse: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str, str]]]:
    found: dict[str, list[tuple[str, str, str]]] = {}
    for schema, table, *column in warehouse.execute(
        "select table_schema, table_name, column_name, data_type, is_nullable from information_schema.columns "
        "where table_schema in ('intermediate', 'marts') order by table_schema, table_name, ordinal_position"
    ).fetchall():
        found.setdefault(f"{schema}.{table}", []).append(tuple(column))
    return found


def test_every_table_has_the_same_columns_rows_and_promises(built: Built) -> None:
    warehouse, spark = built
    tables = columns(warehouse)
    assert len(tables) > 30
    for table, described in tables.items():
        on_spark = spark.table(table)
        assert on_spark.dtypes == [(name, TYPES.get(kind, kind.lower())) for name, kind, _ in described], table
        promised = {row.key: row.value for row in spark.sql(f"show tblproperties {table}").collect()}.get("not_null", "")
        assert promised == ",".join(name for name, _, is_nullable in described if is_nullable == "NO"), table
        expected = warehouse.execute(f"select * from {table}").fetch_arrow_table().to_pylist()
        assert sorted(map(repr, on_spark.toArrow().to_pylist())) == sorted(map(repr, expected)), table


@ONCE
def test_every_dbt_unit_test_passes_on_spark(built: Built) -> None:
    project.prepare("spark")
    parsed = project._parsed_manifest(project._prepared("spark", "msgpack"))
    command = ["test", "--quiet", "--no-write-json", "--select", "test_type:unit"]
    outcome = project._invoke(command, target="spark", warehouse=Path(), manifest=parsed)
    tests = [result for result in outcome.result if result.node.resource_type == "unit_test"]
    assert {result.node.name: result.message for result in tests if result.status != "pass"} == {}
    assert len(tests) >= 30


@ONCE
def test_a_null_where_the_contract_promises_none_is_refused_by_table_and_column(built: Built, broken: Any) -> None:
    with (
        broken("intermediate.int_core__account_resolved", "select contact_id, cast(null as string) as account_id from {}"),
        broken("intermediate.int_core__account_listed", "select cast(null as string) as account_id, is_inferred from {}"),
        pytest.raises(ChecksFailed, match=r"null in marts\.dim_account\.account_id, which promises none"),
    ):
        build(["dim_account"])
    build(["dim_account"])


@ONCE
def test_an_overflow_inside_a_model_is_refused_and_not_wrapped(built: Built, broken: Any) -> None:
    half = "select {} as cost_line_number, 1L as object_number, 9000000000000000000 as cost_minor"
    beyond = f"{half.format('1L')} union all {half.format('2L')}"
    with broken("intermediate.int_cost__object_allocated", beyond), pytest.raises(ChecksFailed, match=r"(?i)overflow"):
        build(["mart_account_service_month"])
