"""Accounts that were merged: what they cost and brought moves to the surviving account while the merge holds, and no sum changes.

Breaks: a customer over two accounts counts twice, or a merge makes or loses money.
"""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from dagster_project.contracts.model import feeds
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.transform import project
from dagster_project.transform.increment import keep

LAYERS = runpy.run_path(str(Path(__file__).with_name("conftest.py")))["LAYERS"]
COMPANIES = runpy.run_path(str(Path(__file__).with_name("company_rows.py")))
Build = Callable[..., duckdb.DuckDBPyConnection]
TOTALS = {
    "mart_account_service_month": (
        "contacts_count calls_count handle_seconds tickets_created_count tickets_solved_count complaints_count csat_num "
        "csat_response_count service_cost_amount people_cost_amount it_cost_amount facilities_cost_amount other_cost_amount"
    ),
    "mart_account_sales_month": (
        "orders_count order_days_count gross_sales_amount credit_amount refund_amount net_revenue_amount contribution_margin_amount "
        "payments_count payment_amount"
    ),
}


def merge(one: str, other: str, at: str, **more: Any) -> dict[str, Any]:
    return {"from_account_id": one, "to_account_id": other, "merged_at": f"{at} 12:00:00+00", **more}


def surviving_accounts(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = connection.execute("select account_id, surviving_account_id from intermediate.int_core__account_merged").fetchall()
    assert len(rows) == len(dict(rows)), "an account leads to two"
    return dict(rows)


def merged(quick: Build, *merges: dict[str, Any], company: str = "WHOLE", accounts: str = "") -> duckdb.DuckDBPyConnection:
    rows = dict(COMPANIES[company])
    if accounts:
        rows["accounts"] = [{"account_id": name} for name in accounts]
    return quick({**rows, "account_merges": list(merges)})


def totals(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    found = []
    for table, measures in TOTALS.items():
        sums = ", ".join(f"sum({name})" for name in measures.split())
        found += connection.execute(f"select period_month, {sums} from marts.{table} group by 1 order by 1").fetchall()
    return found


def names(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    return {name for (name,) in connection.execute(f"select distinct account_id from marts.{table}").fetchall()}


def test_cost_and_sales_move_to_the_surviving_account_and_no_total_changes(quick: Build) -> None:
    rows = dict(COMPANIES["WHOLE"])  # what is unknown of one account would be unknown of both: here every cost and rate is known
    rows["order_lines"] = [{**line, "unit_cost": "1"} for line in rows["order_lines"] if line["order_id"] != "YEN"]
    apart, together = quick(rows), quick({**rows, "account_merges": [merge("b", "a", "2025-03-01")]})
    assert totals(apart) == totals(together)
    for table in ("mart_account_service_month", "mart_account_sales_month", "fct_order", "fct_ticket", "mart_cost_allocation_interaction"):
        assert "b" in names(apart, table)
        assert names(together, table) == names(apart, table) - {"b"}
    row = together.execute("select surviving_account_id, is_merged from marts.dim_account where account_id = 'b'").fetchone()
    assert row == ("a", True)
    assert "b" not in names(together, "mart_customer_360")


def test_a_later_row_undoes_a_merge_and_history_goes_back(quick: Build) -> None:
    apart = quick(COMPANIES["WHOLE"])
    again = merged(quick, merge("b", "a", "2025-03-01"), merge("b", "b", "2025-03-02"))
    for table in ("marts.mart_account_service_month", "marts.mart_account_sales_month", "marts.mart_customer_360", "marts.dim_account"):
        assert set(again.execute(f"from {table}").fetchall()) == set(apart.execute(f"from {table}").fetchall())


def test_a_chain_leads_to_its_end_and_a_deleted_merge_never_was(quick: Build) -> None:
    chain = [merge("a", "b", "2025-01-02"), merge("b", "c", "2025-01-01")]
    assert surviving_accounts(merged(quick, *chain)) == {"a": "c", "b": "c", "c": "c"}
    assert surviving_accounts(merged(quick, chain[0], chain[1] | {"is_deleted": True})) == {"a": "b", "b": "b", "c": "c"}


def test_the_latest_merge_of_an_account_holds(quick: Build) -> None:
    assert surviving_accounts(merged(quick, merge("a", "b", "2025-01-01"), merge("a", "c", "2025-01-02"))) == {"a": "c", "b": "b", "c": "c"}


def test_of_a_merge_and_its_reverse_the_later_one_holds(quick: Build) -> None:
    there, back = merge("a", "b", "2025-01-01"), merge("b", "a", "2025-02-01")
    for rows in ([there, back], [back, there]):
        turned = merged(quick, *rows, merge("c", "b", "2024-12-01"))
        assert surviving_accounts(turned) == {"a": "a", "b": "a", "c": "a"}
        assert turned.execute("select account_id from marts.dim_account where is_merge_broken").fetchall() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_merges_of_any_shape_end_where_they_do_one_after_the_other(quick: Build, seed: int) -> None:
    """A merge into an account that was joined to this one before sets that account free again."""
    random = Random(seed)
    names = [f"m{number}" for number in range(60)]
    days = random.sample(range(1, 400), 60)
    stated = [(day, one, random.choice(names)) for day, one in zip(sorted(days), random.sample(names, 60), strict=True)]
    into: dict[str, str] = {}
    reversals = 0
    for _, one, other in stated:
        end = other
        while end in into and end != one:
            end = into[end]
        if end == one and other != one:
            del into[other]
            reversals += 1
        if other != one:
            into[one] = other
    assert reversals >= 1

    def end_of(name: str) -> str:
        return end_of(into[name]) if name in into else name

    rows = [
        {"from_account_id": one, "to_account_id": other, "merged_at": f"{date(2024, 1, 1) + timedelta(day)}"} for day, one, other in stated
    ]
    listed = [{"account_id": name} for name in names]
    connection = quick({**COMPANIES["BANK"], "accounts": listed, "account_merges": random.sample(rows, len(rows))})
    assert surviving_accounts(connection) == {name: end_of(name) for name in names}


def test_a_circle_of_one_instant_is_broken_and_reported_and_what_leads_into_it_stays_too(quick: Build) -> None:
    circle = merged(quick, merge("a", "b", "2025-01-01"), merge("b", "a", "2025-01-01"), merge("c", "a", "2025-01-01"))
    assert surviving_accounts(circle) == {"a": "a", "b": "b", "c": "c"}
    rows = circle.execute("select account_id from marts.dim_account where is_merge_broken order by 1").fetchall()
    assert rows == [("a",), ("b",), ("c",)]


def test_an_account_gone_from_the_accounts_feed_still_finds_its_surviving_account(quick: Build) -> None:
    gone = merged(quick, merge("b", "a", "2025-03-01"), accounts="ac")
    assert surviving_accounts(gone) == {"a": "a", "b": "a", "c": "c"}
    assert gone.execute("select account_id from marts.fct_order where order_id = 'OFFER'").fetchall() == [("a",)]


def test_a_merge_into_an_unknown_account_is_not_followed_and_reported(quick: Build) -> None:
    lost = merged(quick, merge("b", "nobody", "2025-03-01"))
    assert surviving_accounts(lost) == {"a": "a", "b": "b", "c": "c"}
    assert lost.execute("select account_id from marts.dim_account where is_merge_broken").fetchall() == [("b",)]


@pytest.mark.parametrize("surviving", ["7", "8"])
def test_without_an_accounts_feed_merges_hold_as_well(quick: Build, surviving: str) -> None:
    rows = {**COMPANIES["BANK"], "account_merges": [merge("7", surviving, "1999-03-01")]}
    assert names(quick(rows), "fct_interaction") == {surviving, "ACCOUNT_UNKNOWN"}


def test_a_day_that_brings_only_a_merge_rebuilds_the_months_of_both_accounts(whole_file: Path, quick: Build, tmp_path: Path) -> None:
    step = Path(shutil.copy(whole_file, tmp_path / "warehouse.duckdb"))
    row = merge("b", "a", "2025-03-01")
    with duckdb.connect(str(step)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        keep(DuckDBEngine(connection))
        for feed in feeds():
            connection.execute(f"delete from arrived.{feed}")
        marks = {"is_deleted": False, "is_withdrawn": False, "source_system": "canonical", "key_scope": "", "delivery_date": "2025-04-02"}
        marks |= {"change_number": 0} | row
        connection.execute(
            f"insert into arrived.account_merges ({', '.join(marks)}) values ({', '.join('?' * len(marks))})", list(marks.values())
        )
    project.build(step, LAYERS, lambda event: None, full=False)
    expected = merged(quick, row)
    with duckdb.connect(str(step), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table in (
            "mart_account_service_month",
            "mart_account_sales_month",
            "mart_customer_360",
            "fct_order",
            "fct_ticket",
            "dim_account",
        ):
            rows = connection.execute(f"from marts.{table}").fetchall()
            assert sorted(rows, key=str) == sorted(expected.execute(f"from marts.{table}").fetchall(), key=str), table
