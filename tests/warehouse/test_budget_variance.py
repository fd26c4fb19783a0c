"""Budget against actual: versions as they were known, variance, forecast. Breaks: a variance against a budget that nobody had."""

from __future__ import annotations

import runpy
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
budget, ledger, restated = (
    runpy.run_path(str(Path(__file__).with_name("test_cost_of_a_month.py")))[name] for name in ("budget", "ledger", "restated")
)
IT = {"cost_category": "it"}
COMPANY: dict[str, list[dict[str, Any]]] = {
    "budgets": [
        *(budget("L1", "100.00", f"2025-{month:02d}") for month in range(1, 13)),
        budget("L2", "1200.00", "FY2025", **IT),
        *(restated("L1", "150.00", f"2025-{month:02d}", version_effective_at="2025-02-10T00:00:00+00") for month in range(3, 13)),
        restated("L1", "999.00", "2025-12", version="V3", version_effective_at="2025-09-01T00:00:00+00"),
        budget("L1", "1.00", "2025-01", version="DRAFT", version_state="draft"),
        budget("L9", "40.00", "2025-01", cost_category="it", is_capex=True),
    ],
    "ledger_actuals": [
        ledger("J1", "120.00"), ledger("J2", "80.00", **IT), ledger("J3", "500.00", is_capex=True, **IT),
        ledger("J4", "90.00", "2025-02"), ledger("J5", "110.00", "2025-02", **IT),
        ledger("J6", "77.00", "2025-02", cost_category="other", is_in_scope=False),
        ledger("J7", "5.00", "2025-03"),
        ledger("K1", "33.00", legal_entity="E2"),
    ],
}  # fmt: skip
JANUARY, FEBRUARY, MARCH, APRIL, DECEMBER = (date(2025, month, 1) for month in (1, 2, 3, 4, 12))


def money(*values: str | None) -> tuple[Decimal | None, ...]:
    return tuple(value and Decimal(value) for value in values)


@pytest.fixture(scope="module")
def company(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures(COMPANY, latest_delivery_date="2025-03-31")


def test_the_obvious_question_gives_the_budget_in_force_and_what_was_posted(company: duckdb.DuckDBPyConnection) -> None:
    rows = company.execute(
        "select period_month, sum(budget_amount), sum(actual_amount), sum(variance_amount) from marts.mart_budget_variance "
        "where is_in_force and legal_entity = 'E1' group by 1 order by 1"
    ).fetchall()
    assert rows[:4] == [
        (JANUARY, *money("200.00", "200.00", "0.00")),
        (FEBRUARY, *money("200.00", "200.00", "0.00")),
        (MARCH, *money("250.00", "5.00", "-245.00")),
        (APRIL, *money("250.00", None, None)),
    ]
    assert len(rows) == 12


def test_a_version_is_the_complete_budget_as_known_when_it_came(company: duckdb.DuckDBPyConnection) -> None:
    rows = company.execute(
        "select budget_version_id, sum(budget_amount), bool_or(is_in_force), count(*) filter (period_month = '2025-03-01') "
        "from marts.mart_budget_variance where legal_entity = 'E1' group by 1 order by 1"
    ).fetchall()
    # Two months of 100 and ten of 150; V3 has not come yet and changes December alone. IT is 1,200 in each.
    assert rows == [
        ("V1", Decimal("2400.00"), False, 3), ("V2", Decimal("2900.00"), True, 3), ("V3", Decimal("3749.00"), False, 3)
    ]  # fmt: skip
    known = """
        select sum(budget_amount) from marts.mart_budget_variance where legal_entity = 'E1' and period_month = '2025-03-01'
        and version_effective_at = (select max(version_effective_at) from marts.mart_budget_variance where version_effective_at <= ?)"""
    assert [company.execute(known, [day]).fetchall()[0][0] for day in ("2025-02-09", "2025-02-11")] == [*money("200.00", "250.00")]


def test_a_cell_has_variance_year_to_date_and_forecast(company: duckdb.DuckDBPyConnection) -> None:
    columns = "budget_amount, actual_amount, variance_amount, variance_share, budget_to_date_amount, actual_to_date_amount, is_booked"
    sql = f"select {columns}, forecast_year_amount from marts.mart_budget_variance where budget_version_id = ? and cost_category = ? "
    sql += "and legal_entity = 'E1' and period_month = ?"

    def cell(version: str, category: str, month: date) -> list[Any]:
        return [*company.execute(sql, [version, category, month]).fetchall()[0]]

    # March has only begun (5 of 150), so that the forecast takes its budget: 120 + 90 + ten months.
    assert cell("V2", "people", FEBRUARY) == [*money("100", "90", "-10"), -0.1, *money("200", "210"), True, Decimal("1710.00")]
    assert cell("V1", "people", FEBRUARY)[-1] == Decimal("1210.00")
    assert cell("V2", "people", MARCH) == [
        *money("150", "5", "-145"), pytest.approx(-145 / 150), *money("350", "215"), False, Decimal("1710.00")
    ]  # fmt: skip
    assert cell("V2", "it", MARCH) == [*money("100", "0", "-100"), -1.0, *money("300", "190"), False, Decimal("1190.00")]
    assert cell("V2", "people", APRIL) == [*money("150", None, None), None, Decimal("500.00"), None, False, Decimal("1710.00")]
    reasons = company.execute(
        "select distinct actual_null_reason, variance_null_reason, budget_null_reason from marts.mart_budget_variance "
        "where period_month = ?", [APRIL]
    )  # fmt: skip
    assert reasons.fetchall() == [("not_posted", "not_posted", None)]


def test_capital_expenditure_and_what_is_out_of_scope_are_apart(company: duckdb.DuckDBPyConnection) -> None:
    names = ("capex_budget_amount", "capex_actual_amount", "out_of_scope_budget_amount", "out_of_scope_actual_amount")
    sums = ", ".join(f"sum({name})" for name in names)
    rows = company.execute(f"select {sums} from marts.mart_budget_variance where is_in_force and legal_entity = 'E1'").fetchall()
    assert rows == [money("40.00", "500.00", "0.00", "77.00")]


def test_an_entity_without_a_budget_has_what_it_posted(company: duckdb.DuckDBPyConnection) -> None:
    columns = "budget_version_id, is_in_force, budget_amount, actual_amount, variance_null_reason, forecast_null_reason"
    rows = company.execute(f"select {columns} from marts.mart_budget_variance where legal_entity = 'E2'").fetchall()
    assert rows == [(None, True, None, Decimal("33.00"), "source_absent", "source_absent")]


@pytest.mark.spec("C22")
def test_actual_ties_to_the_reconciliation_where_the_ledger_counts(company: duckdb.DuckDBPyConnection) -> None:
    posted = company.execute("""
        select period_month, cost_category, sum(actual_amount + capex_actual_amount + out_of_scope_actual_amount) as amount
        from marts.mart_budget_variance where is_in_force and period_month < '2025-03-01' group by all having amount <> 0 order by all""")
    found = posted.fetchall()
    reconciled = company.execute("""
        select period_month, cost_category, sum(ledger_amount) from marts.mart_cost_reconciliation
        where period_month < '2025-03-01' group by all order by all""")
    assert found == reconciled.fetchall()
    assert len(found) == 5


def test_the_metrics_are_those_of_the_budget_in_force(company: duckdb.DuckDBPyConnection) -> None:
    sql = (
        "select metric_id, value, null_reason from reporting.mart_metric where cut = 'legal_entity' and member = 'E1' and period_month = ?"
    )
    found = {name: value if reason is None else reason for name, value, reason in company.execute(sql, [MARCH]).fetchall()}
    assert (found["budget_cost"], found["posted_cost"], found["budget_variance"]) == (250, 5, -245)
    assert found["budget_variance_share"] == pytest.approx(-0.98)
    assert found["year_forecast_cost"] == 1710 + 1190
    reasons = company.execute(
        "select metric_id, null_reason from reporting.mart_metric where cut = 'all' and period_month = ? and "
        "metric_id in ('budget_cost', 'posted_cost')",
        [JANUARY],
    ).fetchall()
    assert dict(reasons) == {"budget_cost": "source_absent", "posted_cost": None}  # E2 has no budget


def test_a_version_of_several_instants_holds_the_lines_that_have_come(quick: Build) -> None:
    company = quick(
        {"budgets": [budget("L1", "100.00"), budget("L2", "7.00", version_effective_at="2025-09-01T00:00:00+00")],
         "ledger_actuals": [ledger("J", "90.00")]},
        latest_delivery_date="2025-04-30",
    )  # fmt: skip
    rows = company.execute("select budget_amount, actual_amount, is_in_force from marts.mart_budget_variance").fetchall()
    assert rows == [(Decimal("100.00"), Decimal("90.00"), True)]


def test_random_versions_are_those_of_a_walk_through_time(quick: Build) -> None:
    """Approved versions replace all lines of a period, restated ones single lines; Python replays them and shares no code with the SQL."""
    random, made = Random(3), {}
    for version in range(9):
        state, at = random.choice(["approved", "restated", "restated", "draft"]), f"2025-0{random.randrange(1, 7)}-1{version}T00:00:00+00"
        for _ in range(random.randrange(1, 9)):
            row = budget(
                f"L{random.randrange(4)}", f"{random.randrange(-50, 900)}.00", f"2025-0{random.randrange(1, 4)}", f"V{version}",
                version_state=state, version_effective_at=at, legal_entity=random.choice(["E1", "E2"]),
                cost_centre=random.choice("CD"),
            )  # fmt: skip
            made[row["budget_version_id"], row["line_id"], row["fiscal_period"]] = row
    company = quick({"budgets": [*made.values()]}, latest_delivery_date="2025-04-30")
    versions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in made.values():
        if row["version_state"] != "draft":
            versions[row["budget_version_id"]].append(row)
    expected, lines = {}, dict[tuple[str, str, str], dict[str, Any]]()
    for name in sorted(versions, key=lambda one: versions[one][0]["version_effective_at"]):
        rows = versions[name]
        if rows[0]["version_state"] == "approved":
            replaced = {(row["legal_entity"], row["fiscal_period"]) for row in rows}
            lines = {key: row for key, row in lines.items() if (row["legal_entity"], row["fiscal_period"]) not in replaced}
        lines = lines | {(row["legal_entity"], row["fiscal_period"], row["line_id"]): row for row in rows}
        for entity in {row["legal_entity"] for row in rows}:
            sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
            for row in lines.values():
                if row["legal_entity"] == entity:
                    sums[row["fiscal_period"], row["cost_centre"]] += Decimal(row["budget_amount"])
            expected |= {(name, entity, *cell): amount for cell, amount in sums.items() if amount}
    found = company.execute(
        "select budget_version_id, legal_entity, strftime(period_month, '%Y-%m'), cost_centre, sum(budget_amount) "
        "from marts.mart_budget_variance group by all having sum(budget_amount) <> 0"
    ).fetchall()
    assert {tuple(key): amount for *key, amount in found} == expected
    assert len(expected) > 20
