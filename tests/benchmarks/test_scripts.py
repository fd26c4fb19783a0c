"""A rival must be right before it may be fast: the sums of both scripts equal the truth of the company, and each other's rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from demo_company.company import write_company

OUTPUTS = {"duckdb": "bare.duckdb", "pandas": "pandas"}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("company")
    return folder, write_company(folder / "landing", 300, 4, 11, daily=1)


@pytest.fixture(scope="module")
def results(company: tuple[Path, dict[str, Any]], project_dir: Path) -> dict[str, dict[str, Any]]:
    folder, _ = company
    found = {}
    for script, output in OUTPUTS.items():
        command = [sys.executable, "-W", "error", "-m", f"benchmarks.bare_{script}", str(folder / "landing"), str(folder / output)]
        done = subprocess.run(command, check=True, cwd=project_dir, capture_output=True, text=True, timeout=1_800)
        found[script] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("script", OUTPUTS)
def test_a_script_finds_the_true_cost_and_revenue(
    script: str, company: tuple[Path, dict[str, Any]], results: dict[str, dict[str, Any]]
) -> None:
    sums, truth = results[script]["sums"], company[1]
    cost = sum(sum(month.values()) for month in truth["cost_cents"].values())
    for name in ("allocated_to_tickets", "allocated_to_interactions", "allocated_to_accounts", "roi_cost"):
        assert sums[name] == cost, name
    assert sums["net_revenue"] == sum(month["net_sales"] - month["refunds"] for month in truth["money_cents"].values())


def test_the_bare_script_reconciles(results: dict[str, dict[str, Any]]) -> None:
    assert results["duckdb"]["sums"]["difference"] == 0


@pytest.mark.parametrize(("kind", "key"), [("ticket", "coalesce(ticket_id, object_id)"), ("interaction", "object_id")])
def test_both_scripts_give_each_object_the_same_cents(
    kind: str, key: str, company: tuple[Path, dict[str, Any]], results: dict[str, dict[str, Any]]
) -> None:
    folder, _ = company
    table = f"mart_cost_allocation_{kind}"
    assert results["duckdb"]["rows"][f"marts.{table}"] == results["pandas"]["rows"][table]
    own = "coalesce(ticket_id, interaction_id)" if kind == "ticket" else "coalesce(interaction_id, ticket_id)"
    with duckdb.connect(str(folder / "bare.duckdb"), read_only=True) as connection:
        # the cost of a contact is its ticket's customer's in the marts, its own customer's in the pandas script
        account = "account_id, " if kind == "ticket" else ""
        sql = "select " + account + "{key} as key, sum({cents})::bigint as cents from {source} group by all"
        bare = sql.format(key=key, cents="cost_amount * 100", source=f"marts.{table}")
        other = sql.format(key=own, cents="cost_minor", source=f"'{folder}/pandas/{table}/*.parquet'")
        differing = connection.execute(f"select count(*) from (({bare}) except ({other}))").fetchall()
        objects = connection.execute(f"select count(*) from ({bare})").fetchall()
    assert objects[0][0] > 100
    assert differing == [(0,)]


def test_both_scripts_agree_on_account_months_and_tiers(company: tuple[Path, dict[str, Any]], results: dict[str, dict[str, Any]]) -> None:
    folder, _ = company
    with duckdb.connect(str(folder / "bare.duckdb"), read_only=True) as connection:
        bare = connection.execute(
            "select account_id, period_month::timestamp as month, (contribution_margin_amount * 100)::bigint as margin,"
            " (offer_margin_amount * 100)::bigint as hard, orders_count as orders from marts.mart_account_sales_month order by all"
        ).df()
        tiers = connection.execute(
            "select account_id, period_month::timestamp as month, account_tier as tier from analytics.mart_account_tier"
        ).df()
    sales = pd.read_parquet(folder / "pandas" / "mart_account_sales_month.parquet")[list(bare.columns)]
    sales = sales.astype({"account_id": str, "orders": "int64"}).sort_values(["account_id", "month"], ignore_index=True)
    pd.testing.assert_frame_equal(sales, bare.astype({"account_id": str}), check_dtype=False)
    own = pd.read_parquet(folder / "pandas" / "mart_account_tier.parquet").astype({"account_id": str, "tier": str})
    both = tiers.astype({"account_id": str}).merge(own, on=["account_id", "month"], suffixes=("", "_pandas"))
    assert len(both) == len(tiers) > 500
    assert (both["tier"] == both["tier_pandas"]).all()
