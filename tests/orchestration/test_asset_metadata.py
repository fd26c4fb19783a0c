"""What Dagster shows of a feed's batch and of its checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dagster_project.checks.results import ExpectationResult, SuiteResult
from dagster_project.ingest.report import LoadReport
from dagster_project.ledger.entries import QuarantinedRecord, StagedFile
from dagster_project.orchestration.assets import ingest

KEYS = ExpectationResult("keys", "expect_column_values_to_not_be_null", "ticket_id", "critical", success=True, notes="joins lose rows")
NAMES = ExpectationResult(
    "names", "unexpected_rows_expectation", None, "warning", success=False, notes="cost goes to nobody", unexpected_count=None,
    observed="jane@example.org",
)  # fmt: skip


def shown(result: SuiteResult | None) -> dict[str, Any]:
    return {name: value.value for name, value in ingest._outcome("tickets", result).metadata.items()}


def test_a_check_lists_each_expectation_and_no_value_of_a_record() -> None:
    found = shown(SuiteResult("tickets", 5, 0.1, (KEYS, NAMES)))
    rows = [record.data for record in found["expectations"].records]
    assert [(row["rule"], row["column"], row["severity"], row["passed"], row["offenders"]) for row in rows] == [
        ("keys", "ticket_id", "critical", True, "0"),
        ("names", "", "warning", False, "unknown"),
    ]
    assert "jane@example.org" not in str(found)


def test_a_feed_without_a_new_batch_has_no_table() -> None:
    assert shown(None) == {"rows": 0}


def test_a_feed_shows_its_rows_and_what_was_kept_out_or_withdrawn() -> None:
    kept_out = [QuarantinedRecord(feed, 1, 2, None, "rule", "reason", "", "") for feed in ("tickets", "tickets", "orders")]
    file = StagedFile("canonical", "tickets", "2026-01-01", "a.csv", "", 1, 1, "", "accepted", quarantine=tuple(kept_out))
    report = LoadReport(files=[file])
    report.rows["tickets"], report.withdrawn["tickets"] = 7, 1
    report.batches["tickets"].append(Path("a.parquet"))
    assert ingest._metadata("tickets", report) == {"dagster/row_count": 7, "batches": 1, "quarantined": 2, "withdrawn": 1}
    assert ingest._metadata("calls", report) == {"dagster/row_count": 0, "batches": 0, "quarantined": 0, "withdrawn": 0}
