"""One import of Great Expectations per session, and batches made of rows that break nothing unless told to."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from dagster_project.contracts.model import load_contract

if TYPE_CHECKING:
    from dagster_project.checks.validation import SuiteRunner

Row = dict[str, str | None]

_BY_TYPE = {"timestamptz": "2026-01-05 10:00:00+00", "date": "2026-01-01", "boolean": "false", "bigint": "1", "varchar": "x"}
_SYSTEM = {"record_number": "bigint", "row_hash": "bigint"}
_MEANINGFUL: dict[str, Row] = {
    "benchmarks": {"benchmark_year": "2025"},
    "budgets": {"is_in_scope": "true"},
    "business_hours": {"end_minutes": "600"},
    "entitlements": {"account_id": "A1"},
    "fx_rates": {"from_currency_code": "USD", "to_currency_code": "EUR"},
    "initiatives": {"target_metric_id": "m", "baseline_value": "1"},
    "interactions": {"account_id": "A1"},
    "ledger_actuals": {"is_in_scope": "true"},
    "offers": {"account_id": "A1"},
    "orders": {"account_id": "A1"},
    "queue_intervals": {"offered_count": "9"},
    "recovery_actions": {"ticket_id": "T1", "recovery_amount": "1.00", "currency_code": "EUR"},
    "reputation_scores": {"scale_min": "0", "scale_max": "5"},
    "service_standards": {
        "metric_id": "m",
        "comparator": "<",
        "threshold_value": "3",
        "unit": "rings",
        "population": "calls",
        "target_share": "0.9",
    },
    "survey_invitations": {"account_id": "A1"},
    "training_events": {"scale_max": "10"},
    "survey_responses": {"account_id": "A1"},
    "tickets": {"account_id": "A1"},
}


def sound_row(feed: str, number: int) -> Row:
    """A row with a key of its own that fills what the contract requires and offends nothing."""
    row: Row = {}
    for column in load_contract(feed).columns:
        if not column.required:
            row[column.name] = None
        elif column.valid_values:
            row[column.name] = column.valid_values[0]
        elif column.pattern:
            row[column.name] = "EUR"
        elif column.key_position is not None and column.sql_type in ("varchar", "bigint") and column.maximum is None:
            row[column.name] = f"K{number}" if column.sql_type == "varchar" else str(number)
        else:
            row[column.name] = _BY_TYPE.get(column.sql_type, "1")
    row |= _MEANINGFUL.get(feed, {})
    if feed == "fiscal_periods":
        start = date(2000, 1, 1) + timedelta(days=31 * number)
        row |= {"start_date": str(start), "end_date": str(start + timedelta(days=30))}
    return row | {"record_number": str(number), "row_hash": str(number)}


def write_parquet(path: Path, feed: str, rows: Sequence[Row], *, types: dict[str, str] | None = None) -> Path:
    """Write rows with the contract's columns and types; `types` replaces or adds some."""
    kinds = {column.name: column.sql_type for column in load_contract(feed).columns} | _SYSTEM | (types or {})
    names = list(kinds)
    text = {name: [row.get(name) for row in rows] for name in names}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create table texts ({', '.join(f'{name} varchar' for name in names)})")
        if rows:
            connection.executemany(f"insert into texts values ({', '.join('?' * len(names))})", list(zip(*text.values(), strict=True)))
        connection.execute(f"copy (select {', '.join(f'cast({n} as {t}) as {n}' for n, t in kinds.items())} from texts) to '{path}'")
    return path


@pytest.fixture(scope="session")
def validation() -> Any:
    """The module that imports Great Expectations; its own deprecations are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dagster_project.checks.validation as module
    return module


@pytest.fixture(scope="session")
def runner(validation: Any) -> Iterator[SuiteRunner]:
    suite_runner = validation.SuiteRunner()
    yield suite_runner
    suite_runner.close()


@pytest.fixture
def make_row() -> Callable[[str, int], Row]:
    return sound_row


@pytest.fixture
def make_batch(tmp_path: Path) -> Callable[..., Path]:
    """Write a batch: `make_batch(feed, rows, types=...)` returns its Parquet file."""

    def make(feed: str, rows: Sequence[Row], *, types: dict[str, str] | None = None) -> Path:
        return write_parquet(tmp_path / f"b{len(list(tmp_path.iterdir())) + 1}.parquet", feed, rows, types=types)

    return make
