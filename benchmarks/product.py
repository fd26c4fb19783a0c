"""The product as the bench runs it: whole processes, the stages it recorded itself, and its result against the truth."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import Usage, run

PROJECT = Path(__file__).resolve().parent.parent
ACCOUNTS_AT_SIZE_ONE, SEED = 100_000, 7


def python(*arguments: object, folder: Path = PROJECT, environment: dict[str, str] | None = None) -> Usage:
    """Run this Python with arguments as one measured process."""
    return run([sys.executable, *map(str, arguments)], folder=folder, environment=environment)


def build(landing: Path, home: Path, until: date | None = None, engine: str = "duckdb") -> Usage:
    """One whole process of `service-roi run`."""
    limit = ["--until", until.isoformat()] if until else []
    return python("-m", "dagster_project.commands.cli", "run", "--landing", landing, "--home", home, "--engine", engine, *limit)


def generate(landing: Path, accounts: int, months: int) -> Usage:
    """One whole process of `service-roi demo`; the measuring process stays small, so that it does not slow the measured ones."""
    sizes = ("--accounts", accounts, "--months", months, "--seed", SEED)
    return python("-m", "dagster_project.commands.cli", "demo", "--landing", landing, *sizes)


def company(folder: Path, size: float, months: int) -> dict[str, Any]:
    """Write the company of a size into FOLDER/landing, unless it is there, and return its truth."""
    return written(folder / "landing", round(ACCOUNTS_AT_SIZE_ONE * size), months)


def written(landing: Path, accounts: int, months: int) -> dict[str, Any]:
    """Write a company of so many accounts, unless it is there, and return its truth."""
    generate(landing, accounts, months)
    truth: dict[str, Any] = json.loads((landing.parent / "truth.json").read_text(encoding="utf-8"))
    return truth


def stages(home: Path, runs: int = 1) -> list[dict[str, float]]:
    """Seconds per stage that the product itself recorded for its last runs, oldest first."""
    with closing(sqlite3.connect(home / "ops" / "ledger.sqlite")) as ledger:
        rows = ledger.execute("select detail from runs order by started_at desc, finished_at desc limit ?", (runs,)).fetchall()
    return [{name: float(seconds) for name, seconds in json.loads(row[0])["seconds"].items()} for row in reversed(rows)]


def true_cost(truth: dict[str, Any], months: int | None = None, without_last: int = 0) -> int:
    """Cents of in-scope service cost over all months, or over the last so many of them, less the very last ones."""
    costs = [sum(month.values()) for _, month in sorted(truth["cost_cents"].items())]
    return sum(costs[-(months or len(costs)) : len(costs) - without_last])


def true_net_revenue(truth: dict[str, Any]) -> int:
    """Cents of sales less refunds."""
    return sum(month["net_sales"] - month["refunds"] for month in truth["money_cents"].values())


def published_cost(home: Path) -> int:
    """Cents of service cost in the published copy, summed over months."""
    pointer = json.loads((home / "published" / "current.json").read_text(encoding="utf-8"))
    sql = "select (sum(service_cost_amount) * 100)::bigint from analytics.mart_service_roi_month where window_kind = 'month'"
    return _number(home / "published" / pointer["file"], sql)


def warehouse_cost(file: Path) -> int:
    """Cents of service cost in the account months of a warehouse that dbt built."""
    return _number(file, "select (sum(service_cost_amount) * 100)::bigint from marts.mart_account_service_month")


def _number(file: Path, sql: str) -> int:
    with closing(duckdb.connect(str(file), read_only=True)) as connection:
        row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def check(what: str, found: int, true: int) -> None:
    """Refuse to publish a time for a wrong result."""
    if found != true:
        raise SystemExit(f"{what} found {found} cents, the company's truth is {true}")


def fresh(folder: Path) -> Path:
    """Empty a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder
