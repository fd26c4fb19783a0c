"""Run the suite of a feed over the Parquet files of its batch and report in plain data.

Holds the runner; expectations live in `expectations/`. The first pass asks only for yes or no, so that its cost is one
scan; what failed is asked again for counts and keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import great_expectations as gx
from great_expectations.expectations.expectation import Expectation

from dagster_project.checks.gx_duckdb import DuckDBContext
from dagster_project.checks.results import ExpectationResult, SuiteResult
from dagster_project.contracts.model import feeds, load_contract
from dagster_project.errors import UsageError
from expectations.contract_rules import NoOffendingRows, row_key

KEYS_SHOWN: Final = 10
_COLUMN_RULES: Final = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_in_set", "expect_column_values_to_be_between")


class SuiteRunner:
    """Validates batches of any feed; one context, one database and one compiled suite per feed for its lifetime."""

    def __init__(self, *, threads: int = 2, memory_limit: str = "2GB") -> None:
        self._duckdb = DuckDBContext(threads=threads, memory_limit=memory_limit)
        self._suites: dict[str, list[Expectation]] = {}

    def validate(self, feed: str, files: Sequence[Path]) -> SuiteResult:
        """Check the rows of `files` together as one batch of `feed`.

        Raises
        ------
        UsageError
            No contract and no suite of that name.
        ValueError
            `files` is empty.
        """
        started = time.perf_counter()
        expectations = self._expectations(feed)
        batch = self._duckdb.batch(feed, files, load_contract(feed).types)
        verdicts = _ask(batch, feed, expectations, "BOOLEAN_ONLY")
        failed = [expectation for expectation in expectations if not verdicts[expectation.meta["rule"]].success]
        broken = self._explain(batch, feed, failed) if failed else {}
        lines = tuple(broken.get(expectation.meta["rule"]) or _held(expectation) for expectation in expectations)
        rows = int(self._duckdb.query(f"select count(*) as rows from {feed}")[0]["rows"])
        return SuiteResult(feed=feed, rows=rows, seconds=time.perf_counter() - started, expectations=lines)

    def _explain(self, batch: Any, feed: str, failed: Sequence[Expectation]) -> dict[str, ExpectationResult]:
        """Ask failed expectations again, now for their counts and first offenders."""
        keys = list(row_key(feed))
        counted = {"result_format": "SUMMARY", "partial_unexpected_count": KEYS_SHOWN, "unexpected_index_column_names": keys}
        verdicts = _ask(batch, feed, failed, counted)
        broken = {}
        for expectation in failed:
            rule = expectation.meta["rule"]
            count, observed, rows = self._offenders(feed, expectation, verdicts[rule], keys)
            shown = tuple({name: None if value is None else str(value) for name, value in row.items()} for row in rows)
            broken[rule] = ExpectationResult(
                **_identity(expectation), success=False, unexpected_count=count, observed=observed, failing_keys=shown
            )
        return broken

    def _offenders(
        self, feed: str, expectation: Expectation, verdict: Any, keys: Sequence[str]
    ) -> tuple[int | None, str | None, list[dict[str, Any]]]:
        """Return how many offended, else what was observed, and the first offenders by key."""
        found = verdict.result or {}
        if (raised := _exception(verdict.exception_info)) is not None:
            return None, raised, []
        if isinstance(expectation, NoOffendingRows):
            query = expectation.unexpected_rows_query.format(batch=feed)
            return found["observed_value"], None, self._duckdb.query(f"select * from ({query}) order by all limit {KEYS_SHOWN}")
        if expectation.expectation_type in _COLUMN_RULES:
            # Great Expectations adds the offending value to each key; values may be personal and stay behind.
            rows = found.get("partial_unexpected_index_list") or []
            return found["unexpected_count"], None, [{name: row[name] for name in keys} for row in rows]
        return None, str(found.get("observed_value")), []

    def close(self) -> None:
        """Free the database."""
        self._duckdb.close()

    def _expectations(self, feed: str) -> list[Expectation]:
        if feed not in self._suites:
            self._suites[feed] = load_expectations(feed)
        return self._suites[feed]


def load_expectations(feed: str) -> list[Expectation]:
    """Return fresh expectations of the feed's suite, from `expectations/<feed>.py`.

    Raises
    ------
    UsageError
        The feed has no contract.
    """
    if feed not in feeds():
        raise UsageError(f"no suite for feed {feed}; known feeds: {', '.join(feeds())}")
    build: Callable[[], list[Expectation]] = import_module(f"expectations.{feed}").expectations
    return build()


def _ask(batch: Any, feed: str, expectations: Sequence[Expectation], result_format: str | dict[str, Any]) -> dict[str, Any]:
    """Return verdicts by rule; the library gives them in an order of its own."""
    verdicts = batch.validate(gx.ExpectationSuite(feed, expectations=list(expectations)), result_format=result_format)
    return {verdict.expectation_config.meta["rule"]: verdict for verdict in verdicts.results}


def _exception(info: dict[str, Any]) -> str | None:
    """Return the first message of an exception, which the library reports either flat or by metric."""
    reports = [info] if "raised_exception" in info else list(info.values())
    return next((str(report["exception_message"]) for report in reports if report["raised_exception"]), None)


def _identity(expectation: Expectation) -> dict[str, Any]:
    column = expectation.meta.get("column") or getattr(expectation, "column", None)
    return {
        "rule": expectation.meta["rule"],
        "expectation": expectation.expectation_type,
        "column": column,
        "severity": str(getattr(expectation.severity, "value", expectation.severity)),
        "notes": str(expectation.notes),
    }


def _held(expectation: Expectation) -> ExpectationResult:
    return ExpectationResult(**_identity(expectation), success=True)
