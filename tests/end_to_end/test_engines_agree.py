"""DuckDB and Spark publish the same company: every table, every column, every value, found through information_schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest


@pytest.fixture(scope="module")
def on_spark(build_company: Callable[[str], Any], spark_session: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    def build(company: str) -> Any:
        built = build_company(company).on("spark", tmp_path_factory.mktemp(f"{company}-spark") / "home")
        built.run()
        return built

    return build


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.parametrize("company", ["small_demo", "bank", "retail"])
def test_every_published_table_is_equal_on_both_engines(
    build_company: Any, on_spark: Any, published_differences: Any, company: str
) -> None:
    here, there = build_company(company), on_spark(company)
    assert published_differences(here, there) == []
    assert len(there.pointer()["tables"]) > 30


@pytest.mark.spark
@pytest.mark.slow
def test_day_after_day_ends_where_a_full_refresh_ends(
    build_company: Any, spark_session: Any, published_differences: Any, tmp_path: Path
) -> None:
    demo = build_company("small_demo")
    days = sorted({path.name for path in demo.landing.glob("*/*/*") if path.is_dir()})
    daily = demo.on("spark", tmp_path / "daily")
    for day in (days[-3], days[-1]):
        assert daily.run(until=day).is_new
    assert not daily.run(until=days[-1]).is_new
    incremental = daily.pointer()
    daily.run(until=days[-1], full_refresh=True)
    refreshed = daily.pointer()
    assert incremental["content_hash"] == refreshed["content_hash"]
    assert [line for line in published_differences(demo, daily) if not line.startswith("ops.")] == []  # its runs and checks are its own


def test_the_comparison_notices_a_cent_a_row_a_type_and_a_double(tmp_path: Path, differences: Any) -> None:
    def made(name: str, statement: str) -> Path:
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            connection.execute(f"create schema marts; create table marts.t as {statement}")
        return tmp_path / f"{name}.duckdb"

    rows = "select * from (values ('a', 1.10::decimal(18, 3), 0.5::double), ('b', 2.20, null), ('b', 2.20, 1e9)) v (k, amount, ratio)"
    same = (
        "select * from (values ('b', 2.20::decimal(18, 3), 1000000000.1::double), ('b', 2.20, null), ('a', 1.10, 0.5)) v (k, amount, ratio)"
    )
    first = made("first", rows)
    assert differences(first, made("same", same)) == []
    for name, changed in {
        "cent": rows.replace("1.10", "1.11"),
        "row": rows + " union all select 'c', 1.00, 1.0",
        "twice": rows + " union all select 'a', 1.10, 0.5",
        "type": rows.replace("decimal(18, 3)", "decimal(18, 4)"),
        "double": rows.replace("0.5", "0.500001"),
        "null": rows.replace("null", "0"),
    }.items():
        assert differences(first, made(name, changed)), name
