"""The gate: each thing that must stop a publish does, and says which rows or models."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.errors import ChecksFailed
from dagster_project.publish.gate import CheckOutcome, gate
from dagster_project.transform import project

MODELS = {"marts.dim_account", "marts.mart_cost_reconciliation"}
TIES = "assert_cost_reconciles"
GREEN = [CheckOutcome(TIES, passed=True)]


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("create schema marts")
    for name in MODELS:
        connection.execute(f"create table {name} as select 1 as x")
    yield connection
    connection.close()


def test_a_complete_green_build_that_ties_may_pass(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert gate(DuckDBEngine(warehouse), MODELS, MODELS, [TIES], GREEN) is None


def test_a_red_check_stops_it_and_is_named(warehouse: duckdb.DuckDBPyConnection) -> None:
    red = CheckOutcome("tickets keys", passed=False, detail="3 keys are null")
    with pytest.raises(ChecksFailed, match="check tickets keys failed: 3 keys are null") as refused:
        gate(DuckDBEngine(warehouse), MODELS, MODELS, [TIES], [*GREEN, red])
    assert refused.value.exit_code == 4


@pytest.mark.fault("P7")
@pytest.mark.parametrize(
    ("checks", "reason"),
    [([], f"check {TIES} did not run"), ([CheckOutcome(TIES, passed=False, detail="fail")], f"check {TIES} failed: fail")],
)
def test_books_that_were_not_shown_to_tie_stop_it(warehouse: duckdb.DuckDBPyConnection, checks: list[CheckOutcome], reason: str) -> None:
    with pytest.raises(ChecksFailed, match=reason):
        gate(DuckDBEngine(warehouse), MODELS, MODELS, [TIES], checks)


@pytest.mark.fault("P7")
def test_the_tests_by_which_the_books_tie_are_asked_for() -> None:
    required = project.gate_tests(project.manifest())
    assert {TIES, "assert_allocation_ties_to_cost_lines", "assert_account_totals_tie", "grain_is_unique_fct_ticket_"} <= set(required)


def test_a_model_that_this_run_skipped_stops_it(warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ChecksFailed, match=r"model marts\.dim_account was not built in this run"):
        gate(DuckDBEngine(warehouse), MODELS, MODELS - {"marts.dim_account"}, [TIES], GREEN)


def test_a_table_that_nothing_makes_any_more_stops_it(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("create table marts.mart_of_last_year as select 1 as x")
    with pytest.raises(ChecksFailed, match=r"marts\.mart_of_last_year is in the warehouse but nothing makes it any more"):
        gate(DuckDBEngine(warehouse), MODELS, MODELS, [TIES], GREEN)


def test_all_reasons_are_listed(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("drop table marts.mart_cost_reconciliation")
    with pytest.raises(ChecksFailed) as refused:
        gate(DuckDBEngine(warehouse), MODELS, set(), [TIES], [CheckOutcome("x", passed=False)])
    text = str(refused.value)
    assert "check x failed" in text
    assert f"check {TIES} did not run" in text
    assert "model marts.dim_account was not built" in text
    assert "relation marts.mart_cost_reconciliation is not in the warehouse" in text
