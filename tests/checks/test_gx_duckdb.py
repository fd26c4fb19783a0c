"""Great Expectations runs on DuckDB at all: the repair is still needed, and it still works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest


@pytest.fixture
def three_rows(tmp_path: Path) -> Path:
    path = tmp_path / "three.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select * from (values (1, 7), (2, 8), (null, 9)) as t(number, row_hash)) to '{path}'")
    return path


def verdict_on(batch: Any) -> Any:
    import great_expectations.expectations as gxe

    return batch.validate(gxe.ExpectColumnValuesToNotBeNull(column="number"), result_format="SUMMARY")


def test_great_expectations_counts_on_duckdb(validation: Any, three_rows: Path) -> None:
    context = validation.DuckDBContext()
    verdict = verdict_on(context.batch("three", [three_rows], {}))
    context.close()
    assert verdict.success is False
    assert verdict.result["unexpected_count"] == 1
    assert verdict.exception_info["raised_exception"] is False


def test_without_the_repair_every_expectation_still_fails_so_the_repair_may_not_go(validation: Any, three_rows: Path) -> None:
    context = validation.DuckDBContext()
    batch = context.batch("three", [three_rows], {})
    for name in ("do_begin", "do_commit", "do_rollback"):
        delattr(context._engine.dialect, name)  # back to what the driver brings
    assert "list index out of range" in str(verdict_on(batch).exception_info)


def test_a_connection_left_open_neither_blocks_nor_sees_an_older_batch(validation: Any, make_row: Any, make_batch: Any) -> None:
    runner = validation.SuiteRunner()
    kept = []
    for size in (1, 3, 2):
        files = [make_batch("payments", [make_row("payments", number) for number in range(size)])]
        kept.append(runner._duckdb._engine.connect())  # as the library does, and never closes
        kept[-1].exec_driver_sql("select 1").fetchall()
        assert runner.validate("payments", files).rows == size
    runner.close()


def test_a_batch_needs_a_file(runner: Any) -> None:
    with pytest.raises(ValueError, match="no file to check for feed tickets"):
        runner.validate("tickets", [])


def test_a_path_with_a_quote_is_a_path_and_not_sql(runner: Any, make_row: Any, make_batch: Any, tmp_path: Path) -> None:
    path = make_batch("payments", [make_row("payments", 1)])
    odd = path.rename(tmp_path / "it's a file.parquet")
    assert runner.validate("payments", [odd]).rows == 1


def test_an_unknown_feed_is_named_with_the_known_ones(runner: Any, tmp_path: Path) -> None:
    from dagster_project.errors import UsageError

    with pytest.raises(UsageError, match="no suite for feed invoices; known feeds: account_merges, account_touches"):
        runner.validate("invoices", [tmp_path / "x.parquet"])
