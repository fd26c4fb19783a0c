"""Analytics score chunk by chunk of complete accounts. Breaks: numbers that depend on where a chunk was cut."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dagster_project.analytics import tiers
from dagster_project.analytics.subject import run, subjects
from dagster_project.engines.engine import Engine, Scoring

MONTHS = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(14)]
ACCOUNTS = "abcdefghijklmnop"


class AccountByAccount:
    """An engine that hands out chunks of one account."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def score(self, sql: str, by: str | None, function: Scoring, table: str, columns: pa.Schema, **how: Any) -> int:
        def one_by_one(chunk: pa.Table) -> pa.Table:
            groups = [chunk.filter(pc.equal(chunk["account_id"], value)) for value in chunk["account_id"].unique()]
            return pa.concat_tables([columns.empty_table(), *(function(group).cast(columns) for group in groups)])

        return self._engine.score(sql, by, one_by_one, table, columns, **how | {"ordered": False})


def tables(engine: Engine, since: date | None = None) -> dict[str, list[tuple[Any, ...]]]:
    for subject in subjects():
        run(subject, engine, since)
    return {table: sorted(engine.rows(f"select * from {table}"), key=str) for table in engine.columns(["analytics"])}


def rows(seed: int = 7) -> dict[str, list[Any]]:
    """Sales, service and orders of accounts that come and go, with equal amounts, credits and silent months."""
    random = Random(seed)
    made: dict[str, list[Any]] = {
        "fct_cost_line": [[when, True, False] for when in MONTHS], "fct_order": [], "fct_order_line_net": [],
        "mart_account_sales_month": [], "mart_account_service_month": [],
    }  # fmt: skip
    for account in (*ACCOUNTS, "ACCOUNT_UNKNOWN"):
        for when in MONTHS:
            if random.random() < 0.4:
                gross, credit, margin = random.choice([10, 20, 20, 500]), random.choice([0, 0, -30]), random.choice([-5, 0, 8, 8])
                money = [str(Decimal(amount)) for amount in (gross, credit, 0, gross + credit)]
                made["mart_account_sales_month"].append([account, when, *money, None, str(margin), str(margin), str(gross)])
                for number in range(random.choice([1, 1, 3])):
                    day = when.replace(day=random.randint(1, 28))
                    order = f"{account}{when}{number}"
                    made["fct_order"].append([order, account, "sale", True, day, when])
                    made["fct_order_line_net"].append([order, account, True, True, str(gross), day, when])
            if random.random() < 0.3:
                made["mart_account_service_month"].append([account, when, random.choice([1, 1, 4]), random.choice(["1.01", "7", "7"])])
    return made


def test_accounts_one_at_a_time_give_the_tables_of_all_at_once(company: Callable[..., Engine]) -> None:
    engine = company(accounts=ACCOUNTS, running=1, **rows())
    at_once = tables(engine)
    assert all(at_once.values())
    assert tables(AccountByAccount(engine)) == at_once  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "position", [13, *(pytest.param(position, marks=[pytest.mark.slow, pytest.mark.nightly]) for position in (0, 1, 5, 12, 20))]
)
def test_building_from_a_month_on_is_building_all_when_nothing_before_it_changed(company: Callable[..., Engine], position: int) -> None:
    """Breaks: yesterday's rows of a month that a late order, or the running total of an account, has changed."""
    since = date(2025 + position // 12, position % 12 + 1, 1)
    before, after = rows(7), rows(11)

    def month_of(table: str, row: list[Any]) -> Any:
        return row[0 if table == "fct_cost_line" else -1 if table.startswith("fct") else 1]

    changed = {
        table: [row for row in before[table] if month_of(table, row) < since]
        + [row for row in after[table] if month_of(table, row) >= since]
        for table in before
    }
    whole = tables(company(accounts=ACCOUNTS, running=1, **changed))
    tables(company(accounts=ACCOUNTS, running=1, **before))
    assert tables(company(accounts=ACCOUNTS, running=1, **changed), since) == whole


def test_company_rows_tie_to_their_account_rows_and_tiers_to_their_customers(company: Callable[..., Engine]) -> None:
    engine = company(accounts=ACCOUNTS, **rows())
    tables(engine)
    sums = ", ".join(f"sum({name}_amount)" for name in ("service_cost", "contribution_margin", "v_hard"))
    keys = "select period_month, window_kind"
    company_rows = engine.rows(f"{keys}, {sums.replace('sum', '')} from analytics.mart_service_roi_month order by 1, 2")
    assert engine.rows(f"{keys}, {sums} from analytics.mart_service_roi_account group by 1, 2 order by 1, 2") == company_rows
    ranks = engine.rows("select period_month, max(rank), count(*), count(distinct rank) from analytics.mart_account_tier group by 1")
    assert all(highest == accounts == distinct for _, highest, accounts, distinct in ranks)
    tiered = "select period_month, sum(tier_amount) from analytics.mart_account_tier group by period_month order by 1"
    shared = """
        select period_month, total_amount from analytics.mart_concentration
        where window_kind = 'trailing_12' and measure_kind = 'margin_after_service' order by 1"""
    assert engine.rows(tiered) == engine.rows(shared)


def test_equal_accounts_are_ranked_in_the_order_of_their_ids(company: Callable[..., Engine]) -> None:
    sale = ["10", "0", "0", "10", None, "10", "0", "10"]
    accounts = ("b", "a", "É", "Z")
    sales = [[account, MONTHS[0], *sale] for account in accounts]
    engine = company(months=1, accounts="baÉZ", mart_account_sales_month=sales, fct_cost_line=[[MONTHS[0], True, False]])
    run(tiers.SUBJECT, engine)
    ranked = engine.rows("select account_id, rank, cumulative_share, account_tier from analytics.mart_account_tier order by rank")
    assert ranked == [("Z", 1, 0.25, "A"), ("a", 2, 0.5, "A"), ("b", 3, 0.75, "A"), ("É", 4, 1.0, "A")]
