"""The demo company: same arguments same bytes, in days of delivery, with a truth that names its parameters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import UsageError
from demo_company.company import write_company
from demo_company.feeds import FEEDS
from tests.demo.company_files import (
    ACCOUNTS,
    ALL_KEYS,
    DIALECT,
    MONTHS,
    SEED,
    content_hash,
)


def test_the_same_seed_gives_the_same_bytes_whatever_the_environment(company: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from demo_company.company import write_company
write_company(Path(sys.argv[1]), 300, 5, 11)
"""
    strange = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "99", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"}
    landing = tmp_path / "elsewhere" / "landing"
    subprocess.run([sys.executable, "-c", code, str(landing)], check=True, env={**os.environ, **strange}, timeout=1_800)
    assert content_hash(landing) == content_hash(company[0])
    assert (landing.parent / "truth.json").read_bytes() == (company[0].parent / "truth.json").read_bytes()


def test_another_seed_gives_another_company(company: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    write_company(tmp_path / "landing", ACCOUNTS, MONTHS, SEED + 1)
    assert content_hash(tmp_path / "landing") != content_hash(company[0])


def test_a_company_that_is_there_is_left_alone_and_another_is_refused(company: tuple[Path, dict[str, Any]]) -> None:
    landing, truth = company
    before = {path: path.stat().st_mtime_ns for path in landing.rglob("*")}
    assert write_company(landing, ACCOUNTS, MONTHS, SEED) == truth
    assert {path: path.stat().st_mtime_ns for path in landing.rglob("*")} == before
    with pytest.raises(UsageError, match="remedy"):
        write_company(landing, ACCOUNTS, MONTHS, SEED + 1)


@pytest.mark.parametrize(
    ("accounts", "months", "end", "daily"),
    [(0, 5, date(2026, 10, 31), 10), (5, 0, date(2026, 10, 31), 10), (5, 2, date(2026, 10, 30), 10), (5, 2, date(2026, 10, 31), 31)],
)
def test_sizes_that_make_no_company_are_refused(tmp_path: Path, accounts: int, months: int, end: date, daily: int) -> None:
    with pytest.raises(UsageError):
        write_company(tmp_path / "landing", accounts, months, 1, end=end, daily=daily)
    assert not list(tmp_path.iterdir())


def test_one_account_and_one_month_are_a_company(tmp_path: Path) -> None:
    assert write_company(tmp_path / "landing", 1, 1, 3)["rows"]["accounts"] == 1


def test_history_comes_by_month_and_the_last_ten_days_one_by_one(company: tuple[Path, dict[str, Any]]) -> None:
    days = sorted(path.name for path in (company[0] / "canonical" / "orders").iterdir())
    assert days == ["2026-07-01", "2026-08-01", "2026-09-01", "2026-10-01", *(f"2026-10-{day}" for day in range(22, 32)), "2026-11-01"]


def test_no_row_is_delivered_before_it_happened(company: tuple[Path, dict[str, Any]], files: duckdb.DuckDBPyConnection) -> None:
    for feed in ALL_KEYS:
        pattern = str(company[0] / "canonical" / feed / "*" / "*.csv")
        early = "source_updated_at::timestamptz >= split_part(filename, '/', -2)::timestamptz"
        sql = f"select count(*) from read_csv('{pattern}', {DIALECT}, filename = true) where {early}"
        assert files.execute(sql).fetchone() == (0,), feed


def test_all_feeds_are_there_and_their_rows_are_counted(company: tuple[Path, dict[str, Any]], files: duckdb.DuckDBPyConnection) -> None:
    counted = {feed: files.execute(f"select count(*) from all_{feed}").fetchone()[0] for feed in ALL_KEYS}  # type: ignore[index]
    assert counted == company[1]["rows"]
    assert sorted(counted) == sorted(FEEDS)
    assert min(counted.values()) > 0


def test_nobody_orders_after_being_lost(tmp_path: Path) -> None:
    """A closed account says when it was lost; none of its orders may come later."""
    write_company(tmp_path / "landing", 3_000, 6, 5, daily=0)
    folder = tmp_path / "landing" / "canonical"
    accounts, orders = (f"read_csv('{folder}/{feed}/*/*.csv', {DIALECT})" for feed in ("accounts", "orders"))
    closed, later = duckdb.sql(f"""
        select count(distinct account_id), count(*) filter (ordered_at::timestamptz > closed_at::timestamptz)
        from {accounts} a join {orders} o using (account_id) where closed_at is not null""").fetchone()  # type: ignore[misc]
    assert closed > 20
    assert later == 0


def test_truth_is_plain_json_that_names_its_parameters(company: tuple[Path, dict[str, Any]]) -> None:
    stored = json.loads((company[0].parent / "truth.json").read_text())
    assert stored == company[1]
    assert stored["parameters"]["seed"] == SEED
    assert list(stored["money_cents"]) == ["2026-06", "2026-07", "2026-08", "2026-09", "2026-10"]
