"""`mart_metric` and what it reads of surveys on Spark, from the same tables: every figure equal to DuckDB's, interval and reason too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.transform import project

pytestmark = pytest.mark.spark


@pytest.mark.parametrize(
    ("model", "rows"), [("mart_metric", 500), ("mart_survey_score", 50), ("fct_survey_invitation", 25), ("int_core__quarter", 12)]
)
def test_every_figure_is_the_same_on_both_engines(
    generated_figures: duckdb.DuckDBPyConnection, spark_session: Any, tmp_path: Path, model: str, rows: int
) -> None:
    nodes = project.manifest()["nodes"]
    built = nodes[f"model.service_roi.{model}"]
    read = [nodes[name] for name in built["depends_on"]["nodes"] if name in nodes]
    tables = [("lake", "feed_presence"), ("lake", "run_parameters"), *((node["schema"], node["name"]) for node in read)]
    for schema, table in tables:
        folder = tmp_path / schema / table
        folder.mkdir(parents=True)
        generated_figures.execute(f"copy {schema}.{table} to '{folder / 'rows.parquet'}' (format parquet)")
        spark_session.sql(f"create schema if not exists {schema}")
        spark_session.sql(f"drop table if exists {schema}.{table}")
        spark_session.sql(f"create table {schema}.{table} using parquet location '{folder}'")
    project.build(tmp_path / "warehouse.duckdb", [model], lambda _event: None, target="spark")
    written = f"{built['schema']}.{model}"
    expected = generated_figures.execute(f"select * from {written}").to_arrow_table()
    found = spark_session.table(written).toArrow()
    for schema, table in [*tables, (built["schema"], model)]:  # the session is that of other tests too
        spark_session.sql(f"drop table {schema}.{table}")
    assert found.column_names == expected.column_names
    assert sorted(map(repr, found.to_pylist())) == sorted(map(repr, expected.to_pylist()))
    assert found.num_rows > rows
