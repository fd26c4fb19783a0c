"""The dbt unit tests run in process; they need the relations of a built company only for the types of the columns."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

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
