"""`mart_metric` on Spark, from the same tables: every figure equal to DuckDB's, interval and reason too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.transform import project

pytestmark = pytest.mark.spark


def test_every_figure_is_the_same_on_both_engines(generated_figures: duckdb.DuckDBPyConnection, spark_session: Any, tmp_path: Path) -> None:
    nodes = project.manifest()["nodes"]
    read = [nodes[name] for name in nodes["model.service_roi.mart_metric"]["depends_on"]["nodes"] if name in nodes]
    tables = [("lake", "feed_presence"), *((node["schema"], node["name"]) for node in read)]
    for schema, table in tables:
        folder = tmp_path / schema / table
        folder.mkdir(parents=True)
        generated_figures.execute(f"copy {schema}.{table} to '{folder / 'rows.parquet'}' (format parquet)")
        spark_session.sql(f"create schema if not exists {schema}")
        spark_session.sql(f"drop table if exists {schema}.{table}")
        spark_session.sql(f"create table {schema}.{table} using parquet location '{folder}'")
    project.build(tmp_path / "warehouse.duckdb", ["mart_metric"], lambda _event: None, target="spark")
    expected = generated_figures.execute("select * from reporting.mart_metric").to_arrow_table()
    found = spark_session.table("reporting.mart_metric").toArrow()
    for schema, table in [*tables, ("reporting", "mart_metric")]:  # the session is that of other tests too
        spark_session.sql(f"drop table {schema}.{table}")
    assert found.column_names == expected.column_names
    assert sorted(map(repr, found.to_pylist())) == sorted(map(repr, expected.to_pylist()))
    assert found.num_rows > 500
