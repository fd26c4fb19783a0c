"""The gate: each thing that must stop a publish does, and says which rows or models."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.errors import ChecksFailed
from dagster_project.publish.gate import CheckOutcome, gate

MODELS = {"marts.dim_account", "marts.mart_cost_reconciliation"}


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("""
        create schema marts;
        create table marts.dim_account as select 'A' as account_id;
        create table marts.mart_cost_reconciliation as
        select date '2026-10-01' as period_month, 'ACME' as legal_entity, 'people' as cost_category, 'pool-1' as pool_id,
            0.00::decimal(18,2) as difference_amount, 'EUR' as currency_code
    """)
    yield connection
    connection.close()


def test_a_complete_green_build_that_ties_may_pass(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert gate(DuckDBEngine(warehouse), MODELS, MODELS, [CheckOutcome("tickets rows", passed=True)]) is None


def test_a_failed_warning_does_not_block(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert (
        gate(DuckDBEngine(warehouse), MODELS, MODELS, [CheckOutcome("share of unknown accounts", passed=False, is_blocking=False)]) is None
    )


def test_a_red_blocking_check_stops_it_and_is_named(warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ChecksFailed, match="check tickets keys failed: 3 keys are null") as refused:
        gate(DuckDBEngine(warehouse), MODELS, MODELS, [CheckOutcome("tickets keys", passed=False, detail="3 keys are null")])
    assert refused.value.exit_code == 4


@pytest.mark.parametrize(("change", "found"), [("0.01", "pool-1 0.01 EUR"), ("null", "pool-1 unknown EUR")])
@pytest.mark.fault("P7")
def test_a_difference_of_one_cent_stops_it(warehouse: duckdb.DuckDBPyConnection, change: str, found: str) -> None:
    warehouse.execute(f"update marts.mart_cost_reconciliation set difference_amount = {change}")
    with pytest.raises(ChecksFailed, match=f"1 rows differ from 0.00, first: 2026-10 ACME people {found}"):
        gate(DuckDBEngine(warehouse), MODELS, MODELS, [])


def test_a_model_that_this_run_skipped_stops_it(warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ChecksFailed, match=r"model marts\.dim_account was not built in this run"):
        gate(DuckDBEngine(warehouse), MODELS, MODELS - {"marts.dim_account"}, [])


def test_a_table_that_nothing_makes_any_more_stops_it(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("create table marts.mart_of_last_year as select 1 as x")
    with pytest.raises(ChecksFailed, match=r"marts\.mart_of_last_year is in the warehouse but nothing makes it any more"):
        gate(DuckDBEngine(warehouse), MODELS, MODELS, [])


def test_a_missing_reconciliation_stops_it_and_all_reasons_are_listed(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("drop table marts.mart_cost_reconciliation")
    with pytest.raises(ChecksFailed) as refused:
        gate(DuckDBEngine(warehouse), MODELS, set(), [CheckOutcome("x", passed=False)])
    text = str(refused.value)
    assert "check x failed" in text
    assert "model marts.dim_account was not built" in text
    assert "relation marts.mart_cost_reconciliation is not in the warehouse" in text
