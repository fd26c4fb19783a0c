"""`sql --tables` and `sql --describe`: what the copy that answers holds, and whom a misspelt name may mean."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from dagster_project.commands.cli import app
from dagster_project.errors import UsageError
from dagster_project.publish.contents import Question, columns_of, every_table
from dagster_project.publish.describing import Description
from dagster_project.publish.reader import query

TEXTS = {"marts.fct_sale": Description("One row per sale; it's net", {"sale_id": "Id", "net_amount": "EUR"})}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory, project_dir: Any) -> Any:
    from tests.publish.conftest import House

    house = House(tmp_path_factory.mktemp("described") / "home", project_dir)
    house.publish(1, descriptions=TEXTS)
    return house


def answer(house: Any, question: Question, form: str = "csv") -> list[list[str]]:
    out = io.StringIO()
    query(house.home, question, form, out=out)
    return list(csv.reader(io.StringIO(out.getvalue())))


def test_the_tables_come_by_schema_with_their_rows_and_what_a_row_is(described: Any) -> None:
    assert answer(described, every_table) == [
        ["table", "rows", "grain"],
        ["marts.fct_sale", "5000", "One row per sale; it's net"],
        ["marts.mart_total", "1", ""],
        ["reporting.sale_wide", "10", ""],
        ["ops.runs", "1", ""],
    ]


@pytest.mark.parametrize("name", ["marts.fct_sale", "fct_sale", " Marts.FCT_sale "])
def test_the_columns_of_a_table_come_in_its_order_with_type_and_meaning(described: Any, name: str) -> None:
    assert answer(described, columns_of(name)) == [
        ["column", "type", "meaning"],
        ["sale_id", "BIGINT", "Id"],
        ["net_amount", "DECIMAL(18,2)", "EUR"],
        ["sold_at", "TIMESTAMP WITH TIME ZONE", ""],
        ["note", "VARCHAR", ""],
    ]


def test_all_forms_of_output_take_a_question(described: Any) -> None:
    out = io.StringIO()
    query(described.home, columns_of("mart_total"), "json", out=out)
    assert [row["column"] for row in json.loads(out.getvalue())] == ["version_number", "net_amount"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("fact_sale", "marts.fct_sale"), ("reporting.sales_wide", "reporting.sale_wide"), ("analytics.mart_total", "marts.mart_total")],
)
def test_an_unknown_name_is_told_with_the_nearest_ones(described: Any, name: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=rf"no table {name}; nearest: {nearest}.*; all of them: service-roi sql --tables"):
        answer(described, columns_of(name))


@pytest.mark.parametrize("name", ["zzz", "", "main.", "marts.fct_sale; drop table x", "duckdb_settings"])
def test_a_name_without_a_neighbour_is_told_plainly(described: Any, name: str) -> None:
    with pytest.raises(UsageError, match=r"the published copy has no table .*all of them: service-roi sql --tables"):
        answer(described, columns_of(name))


def test_an_older_copy_that_answers_tells_of_itself(house: Any) -> None:
    house.publish(1)
    second = house.publish(2)
    file = house.published / second.pointer.file
    file.chmod(0o644)
    file.write_bytes(b"\0" * second.pointer.bytes)
    warned: list[str] = []
    out = io.StringIO()
    query(house.home, lambda pointer: f"select {pointer.seq} as seq", "csv", out=out, warn=warned.append)
    assert (out.getvalue(), len(warned)) == ("seq\n1\n", 1)


@pytest.mark.parametrize("arguments", [[], ["select 1", "--tables"], ["--tables", "--describe", "x"], ["select 1", "--describe", "x"]])
def test_the_command_takes_one_question(served: Any, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["sql", "--home", str(served.home), *arguments])
    assert isinstance(result.exception, UsageError)
    assert "one of: a statement, --tables, --describe TABLE" in str(result.exception)


def test_the_command_lists_tables(served: Any) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "dagster_project.commands.cli", "sql", "--tables", "--format", "csv", "--home", str(served.home)],
        env={"PYTHONPATH": str(served.project)}, capture_output=True, text=True, check=True, timeout=1_800,
    )  # fmt: skip
    assert ended.stdout.startswith("table,rows,grain\nmarts.fct_sale,5000,")
