"""The dbt tests that run in process: unit tests, for which a built company only gives the types of columns, and the test of keys."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest
import yaml

from dagster_project.transform import project

DECIDES = re.compile(r"\bcase\b|\b(unit_amount|in_reporting_currency|integer_quotient|largest_remainder)\(")


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    """Name of each unit test in the project's files and the model it tests."""
    files = sorted(project.DBT_DIR.glob("models/**/*.yml"))
    tests = [test for file in files for test in yaml.safe_load(file.read_text(encoding="utf-8")).get("unit_tests", [])]
    names = {test["name"]: test["model"] for test in tests}
    assert len(names) == len(tests), "two unit tests have one name"
    return names


def test_every_dbt_unit_test_runs_and_passes(whole_file: Path, tmp_path: Path, written: dict[str, str]) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(whole_file, copy)
    project.prepare()
    parsed = project._parsed_manifest(project._prepared("duckdb", "msgpack"))
    command = ["test", "--quiet", "--no-write-json", "--select", "test_type:unit"]
    outcome = project._invoke(command, target="duckdb", warehouse=copy, manifest=parsed)
    assert outcome.exception is None
    tests = [result for result in outcome.result if result.node.resource_type == "unit_test"]
    assert {result.node.name: result.message for result in tests if result.status != "pass"} == {}
    assert {result.node.name for result in tests} == written.keys()
    assert len(written) >= 30
    assert outcome.success


def test_every_mart_whose_sql_decides_or_divides_has_a_unit_test(written: dict[str, str]) -> None:
    deciding = {file.stem for file in project.DBT_DIR.glob("models/marts/**/*.sql") if DECIDES.search(file.read_text(encoding="utf-8"))}
    assert len(deciding) > 5
    assert deciding - set(written.values()) == set()


def test_a_repeated_key_is_found_in_every_table_of_marts(whole_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(whole_file, copy)
    project.prepare()
    command = ["test", "--quiet", "--no-write-json", "--select", "test_name:grain_is_unique"]
    parsed = project._parsed_manifest(project._prepared("duckdb", "msgpack"))

    def found() -> dict[str, int]:
        outcome = project._invoke(command, target="duckdb", warehouse=copy, manifest=parsed)
        tests = [result for result in outcome.result if result.node.resource_type == "test"]
        assert {str(result.status) for result in tests} <= {"pass", "fail"}
        return {result.node.attached_node.rpartition(".")[2]: result.failures for result in tests}

    whole = found()
    assert set(whole.values()) == {0}
    with duckdb.connect(str(copy)) as connection:
        for table in whole:
            connection.execute(f"insert into marts.{table} select * from marts.{table} limit 1")
    assert found() == dict.fromkeys(whole, 1)


def test_columns_are_in_the_order_of_their_contract(whole: duckdb.DuckDBPyConnection) -> None:
    """Spark writes them in the order of the contract, DuckDB in that of the query: where both differ the engines publish two tables."""
    built: dict[str, list[str]] = {}
    ordered = "select table_schema || '.' || table_name, column_name from information_schema.columns order by table_name, ordinal_position"
    for table, column in whole.execute(ordered).fetchall():
        built.setdefault(table, []).append(column)
    models = [node for node in project.manifest()["nodes"].values() if node["resource_type"] == "model" and node["contract"]["enforced"]]
    assert len(models) > 50
    differing = {}
    for node in models:
        name = f"{node['schema']}.{node['name']}"
        if name in built and built[name] != list(node["columns"]):
            differing[name] = [pair for pair in zip(built[name], node["columns"], strict=True) if pair[0] != pair[1]]
    assert differing == {}
