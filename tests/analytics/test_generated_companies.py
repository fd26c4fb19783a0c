"""Account tables of generated companies against a plain restatement. Breaks: any window, reason or tier, and rebuilding from a month on.

The restatement walks the months of one account after the other with Python's integers; it shares nothing with the product but the tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.analytics.subject import run, subjects
from dagster_project.engines.engine import Engine
from tests.analytics.conftest import month

MONTHS, ACCOUNTS = 27, "abc"
CELL = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from([0, 1, 5, 11, 12, 13, 14, 20, 25, 26]))
COST = st.sampled_from(["0", "1.01", "7", "fx_missing"])
SALE = st.tuples(st.sampled_from(["10", "20", "-5"]), st.sampled_from(["8", "-5", "0", "fx_missing", "unit_cost"]), st.integers(0, 1))
COMPANIES = st.fixed_dictionaries({
    "costs": st.dictionaries(CELL, COST, max_size=12), "sales": st.dictionaries(CELL, SALE, max_size=12),
    "begin": st.sampled_from([0, 3]), "without_cost_line": st.sampled_from([None, 2, 26]),
})  # fmt: skip


def rows_of(given: dict[str, Any]) -> dict[str, Any]:
    """Rows of the marts; a sale is net revenue, margin and whether it accepted an offer."""
    costs = [
        [account, month(n), 1, None if cost == "fx_missing" else cost, "fx_missing" if cost == "fx_missing" else None]
        for (account, n), cost in given["costs"].items()
    ]
    sales = []
    for (account, n), (net, margin, offer) in given["sales"].items():
        if margin == "fx_missing":
            sales.append([account, month(n), None, None, None, None, "fx_missing", None, None, None])
        else:
            known = None if margin == "unit_cost" else margin
            sales.append([account, month(n), net, "0", "0", net, None, known, known if offer else "0", net])
    lines = [[month(n), True, False] for n in range(MONTHS) if n != given["without_cost_line"]]
    begins = {"orders": given["begin"], "offers": given["begin"] + 1}
    return {"mart_account_service_month": costs, "mart_account_sales_month": sales, "fct_cost_line": lines, "begins": begins}


def windows(given: dict[str, Any], width: int) -> Iterator[tuple[str, int, range]]:
    """Account, last month and months of each window in the months that any account has."""
    held = sorted(n for _, n in (*given["costs"], *given["sales"]))
    for last in range(held[0], held[-1] + 1) if held else ():
        for account in ACCOUNTS:
            yield account, last, range(max(held[0], last - width + 1), last + 1)


def lines_of(given: dict[str, Any], account: str, span: range) -> dict[str, Any]:
    """Amounts in thousandths or the reason why there is none: cost, margin and hard value of an account over months."""
    costs = [given["costs"][account, n] for n in span if (account, n) in given["costs"]]
    sales = [given["sales"][account, n] for n in span if (account, n) in given["sales"]]
    priced = [sale for sale in sales if sale[1] != "fx_missing"]
    has_orders, has_offers = span[0] >= given["begin"], span[0] >= given["begin"] + 1

    def thousandths(values: list[str]) -> int:
        return int(sum((Fraction(value) for value in values), Fraction(0)) * 1000)

    def value(values: list[str], is_known: bool) -> int | str:
        if not is_known:
            return "source_absent"
        if sales and not priced:
            return "fx_missing"
        return "unit_cost_absent" if "unit_cost" in values else thousandths(values)

    cost: int | str = (
        "fx_missing" if "fx_missing" in costs else "source_absent" if given["without_cost_line"] in span else thousandths(costs)
    )
    margin = value([sale[1] for sale in priced], has_orders)
    hard = value([sale[1] for sale in priced if sale[2]], has_orders and has_offers)
    return {"cost": cost, "margin": margin, "hard": hard, "is_here": bool(costs or sales), "unpriced": len(sales) - len(priced)}


def ratio(cost: int | str, *values: int | str) -> tuple[float | None, str | None]:
    """A quotient over cost, or the reason: of the cost first, then that it is 0, then of a value."""
    if isinstance(cost, str):
        return None, cost
    if cost == 0:
        return None, "no_service_cost"
    reason = next((one for one in values if isinstance(one, str)), None)
    return (None, reason) if reason else (sum(values) / cost, None)  # type: ignore[arg-type]


def expected_roi(given: dict[str, Any]) -> list[tuple[Any, ...]]:
    found = []
    for kind, width in (("month", 1), ("trailing_12", 12)):
        for account, last, span in windows(given, width):
            of = lines_of(given, account, span)
            if of["is_here"]:
                minus = of["cost"] if isinstance(of["cost"], str) else -of["cost"]
                amounts = [None if isinstance(of[name], str) else of[name] for name in ("cost", "margin", "hard")]
                ratios = (*ratio(of["cost"], of["margin"]), *ratio(of["cost"], of["hard"], minus))
                found.append((account, month(last), kind, *amounts, *ratios, of["unpriced"]))
    return sorted(found, key=str)


def expected_tiers(given: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Account, month, amount, tier and reason; who was seen by then is ranked by what is known of it."""
    found, ranked = [], {}
    for account, last, span in windows(given, 12):
        first = min((n for of in (given["costs"], given["sales"]) for name, n in of if name == account), default=MONTHS)
        if first <= last:
            ranked.setdefault(last, []).append((account, span))
    for last, accounts in ranked.items():
        company_fx = any(given["costs"].get((account, n)) == "fx_missing" for account in ACCOUNTS for n in accounts[0][1])
        is_absent = accounts[0][1][0] < given["begin"] or given["without_cost_line"] in accounts[0][1]
        known = []
        for account, span in accounts:
            sales = [given["sales"][account, n][1] for n in span if (account, n) in given["sales"]]
            costs = [given["costs"][account, n] for n in span if (account, n) in given["costs"]]
            amount = sum(Fraction(one) for one in sales if one not in {"fx_missing", "unit_cost"})
            amount -= sum(Fraction(one) for one in costs if one != "fx_missing")
            reason = "source_absent" if is_absent else "fx_missing" if company_fx or "fx_missing" in sales else None
            known.append((-int(amount * 1000), account, reason or ("unit_cost_absent" if "unit_cost" in sales else None)))
        total, so_far = sum(max(-minus, 0) for minus, _, _ in known), 0
        for minus, account, reason in sorted(known):
            a_line, b_line = (math.ceil(Fraction(share, 100) * total) for share in (80, 95))
            letter = "D" if minus > 0 else "N" if minus == 0 else "A" if so_far < a_line else "B" if so_far < b_line else "C"
            so_far += max(-minus, 0)
            found.append((account, month(last), *((None, None) if reason else (-minus, letter)), reason))
    return sorted(found, key=str)


def tables(engine: Engine, since: date | None = None) -> dict[str, list[Any]]:
    for subject in subjects():
        run(subject, engine, since)
    return {table: sorted(engine.rows(f"select * from {table}"), key=str) for table in engine.columns(["analytics"])}


ROI = """
    select
        account_id, period_month, window_kind, cast(service_cost_amount * 1000 as bigint),
        cast(contribution_margin_amount * 1000 as bigint), cast(v_hard_amount * 1000 as bigint), margin_per_service_cost_ratio,
        margin_per_service_cost_null_reason, roi_hard_ratio, roi_hard_null_reason, unpriced_count
    from analytics.mart_service_roi_account
"""
TIERS = "select account_id, period_month, cast(tier_amount * 1000 as bigint), account_tier, null_reason from analytics.mart_account_tier"


@pytest.mark.parametrize("engine", ["duckdb"], indirect=True)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=COMPANIES, since=st.sampled_from([0, 1, 13, 26]))
def test_accounts_are_what_a_plain_restatement_says_and_a_rebuilt_month_is_what_it_was(
    company: Callable[..., Engine], given: dict[str, Any], since: int
) -> None:
    engine = company(months=MONTHS, accounts=ACCOUNTS, **rows_of(given))
    whole = tables(engine)
    assert sorted(engine.rows(ROI), key=str) == expected_roi(given)
    assert sorted(engine.rows(TIERS), key=str) == expected_tiers(given)
    assert tables(engine, month(since)) == whole
