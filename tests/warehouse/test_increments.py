"""A build that adds what arrived ends in the rows of a build of everything. Breaks: a month that keeps yesterday's truth.

Companies of random rows arrive in deliveries that change, move, complete and orphan what came before; nothing of the door runs.
"""

from __future__ import annotations

import runpy
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.transform import project
from dagster_project.transform.increment import keep, note_touched

make_lake, LAYERS = (runpy.run_path(str(Path(__file__).with_name("conftest.py")))[name] for name in ("make_lake", "LAYERS"))
Delivery = dict[str, list[dict[str, Any]]]
START = datetime(2025, 1, 20)
MONTHLY = ("marts.fct_order", "marts.mart_account_sales_month", "intermediate.int_cost__unit_weighted")
TABLES = "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('marts', 'intermediate') union all "
TABLES += "select schema_name || '.' || view_name from duckdb_views() where schema_name = 'marts' order by 1"


def delivery(random: Random, number: int) -> Delivery:
    """Random rows; ids repeat over deliveries, so most rows are new versions of what stands, often in another month."""

    def at(days: int = 75) -> str:
        return (START + timedelta(days=random.randrange(days), seconds=random.randrange(86_400))).isoformat() + "+00"

    def some(prefix: str, size: int) -> str:
        return f"{prefix}{random.randrange(size)}"

    def owner() -> dict[str, str | None]:
        return random.choice([{"account_id": some("a", 9)}, {"contact_id": some("c", 6)}, {"account_id": None}])

    def marks() -> dict[str, Any]:
        newer = random.choice([None, f"2025-04-{number + 1:02d} 00:00:00+00", "2025-04-03 00:00:00+00"])
        ident = random.randrange(10**9)
        system = random.choice(["canonical", "canonical", "canonical", "desk"])
        marked = {"source_updated_at": newer, "delivery_date": f"2025-04-{number + 1:02d}", "row_hash": ident, "record_number": ident}
        return marked | {"source_system": system, "change_number": 0 if system == "canonical" else number + 1}

    def cost(month: str) -> dict[str, Any]:
        shared = {"legal_entity": "E", "cost_centre": "CC", "gl_account": "G", "currency_code": random.choice(["EUR", "USD"])}
        return shared | {"fiscal_period": month, "cost_category": random.choice(["people", "it"]), "pool_id": "p"}

    def state() -> dict[str, Any]:
        chosen = random.choice(["open", "solved", "closed", "spam", "merged"])
        return {"ticket_state": chosen, "merged_into_ticket_id": some("T", 12) if chosen == "merged" else None}

    def withdrawn(feed: str, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Take back a key that may stand, or may have been named by rows that stand."""
        sizes = {"accounts": ("a", 9), "contacts": ("c", 6), "tickets": ("T", 12), "interactions": ("I", 25), "orders": ("O", 15),
                 "refunds": ("R", 5), "payments": ("P", 9), "survey_responses": ("S", 9), "ledger_actuals": ("J", 6)}  # fmt: skip
        if feed not in sizes or number == 0 or random.random() < 0.3:
            return []
        key, *others = load_contract(feed).primary_key
        fixed = {"question_key": "q", "line_number": 1, "book_id": "primary"}
        ident = some(*sizes[feed])
        row: dict[str, Any] = {column.name: None for column in load_contract(feed).columns}
        row |= {key: ident, **{other: fixed[other] for other in others}, "source_system": "desk", "change_number": number + 1}
        row |= {"delivery_date": f"2025-04-{number + 1:02d}", "record_number": None, "row_hash": None, "is_withdrawn": True}
        made[:] = [one for one in made if one[key] != ident or one["source_system"] != "desk"]
        return [row]

    rows: Delivery = {
        "accounts": [{"account_id": some("a", 9), "created_at": at(1)} for _ in range(2)],
        "account_merges": [
            {"from_account_id": some("a", 9), "to_account_id": some("a", 11), "merged_at": at(), "is_deleted": random.random() < 0.2}
        ],
        "contacts": [{"contact_id": some("c", 6), "account_id": some("a", 9)} for _ in range(2)],
        "fx_rates": [
            {"rate_date": f"2025-0{random.randrange(1, 5)}-01", "from_currency_code": "USD", "to_currency_code": "EUR",
             "rate_type": "average", "rate_source": "bank", "exchange_rate": random.choice(["0.9", "1.1"])}
            for _ in range(1)
        ],
        "ledger_actuals": [
            {"journal_id": some("J", 6), "line_number": 1, "posted_at": at(), "ledger_amount": random.choice(["10.01", "7.77", "-1.00"]),
             **cost(f"2025-0{random.randrange(1, 4)}"), "department_id": random.choice([None, "d1"])}
            for _ in range(2)
        ],
        "budgets": [
            {"budget_version_id": f"v{number // 2}", "version_state": "approved", "version_effective_at": at(), "line_id": some("L", 3),
             "budget_amount": "5.00", "line_kind": "expense", **cost("2025-04")}
        ],
        "tickets": [
            {"ticket_id": some("T", 12), **owner(), "created_at": (opened := at()),
             "last_solved_at": random.choice([None, max(opened, at())]), **state(),
             "channel": random.choice(["phone", "email"]), "department_id": random.choice([None, "d1"]),
             "handle_seconds": random.choice([None, 60, 600])}
            for _ in range(4)
        ],
        "interactions": [
            {"interaction_id": some("I", 25), **owner(), "ticket_id": random.choice([None, some("T", 14)]), "started_at": at(),
             "channel": random.choice(["phone", "email"]), "outcome": random.choice(["answered", "answered", "abandoned_queue"]),
             "talk_seconds": random.choice([None, 30, 31, 500, 90_000])}
            for _ in range(6)
        ],
        "orders": [
            {"order_id": some("O", 15), **owner(), "ordered_at": at(), "currency_code": random.choice(["EUR", "EUR", "USD"]),
             "offer_id": random.choice([None, "F"]), "interaction_id": random.choice([None, some("I", 25)]),
             "is_test": random.random() < 0.1}
            for _ in range(4)
        ],
        "order_lines": [
            {"order_id": some("O", 17), "line_id": some("", 2), "quantity": 1, "unit_price": "9.99",
             "net_amount": random.choice(["9.99", "5.00"]), "unit_cost": random.choice([None, "3.33", "3.33"])}
            for _ in range(6)
        ],
        "refunds": [
            {"refund_id": some("R", 5), "order_id": some("O", 17), "line_id": some("", 2), "refunded_at": at(), "refund_amount": "2.00",
             "currency_code": random.choice(["EUR", "USD"]), "is_restocked": True, "returned_quantity": 1}
        ],
        "payments": [
            {"payment_id": some("P", 9), "order_id": some("O", 17), "paid_at": random.choice([None, at()]), "payment_amount": "9.99",
             "currency_code": random.choice(["EUR", "USD"])}
            for _ in range(2)
        ],
        "survey_responses": [
            {"response_id": some("S", 9), "question_key": "q", **owner(), "ticket_id": random.choice([None, some("T", 14)]),
             "order_id": random.choice([None, some("O", 17)]), "survey_kind": "transactional", "survey_metric": "csat", "scale_min": 1,
             "scale_max": 5, "score": random.randrange(1, 6), "responded_at": at()}
            for _ in range(2)
        ],
        "fiscal_periods": [],
    }  # fmt: skip
    if number == 0:
        rows["fiscal_periods"] = [
            {"fiscal_period": f"2025-0{month}", "fiscal_year": "FY2025", "start_date": start, "end_date": end, "calendar_kind": "4-4-5"}
            for month, start, end in [(1, "2025-01-01", "2025-01-28"), (2, "2025-01-29", "2025-02-25"), (3, "2025-02-26", "2025-04-01")]
        ]
    return {feed: [*withdrawn(feed, made := [{**marks(), **row} for row in of]), *made] for feed, of in rows.items()}


def content(file: Path) -> dict[str, list[Any]]:
    """Every row of the marts and what they stand on, sorted."""
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        names = [name for (name,) in connection.execute(TABLES).fetchall() if not name.endswith("touched_month")]
        return {name: sorted(connection.execute(f"select * from {name}").fetchall(), key=str) for name in names}


def strewn(file: Path) -> list[str]:
    """Tables whose months do not follow each other, so that replacing one month would read and rewrite blocks of all the history."""
    with duckdb.connect(str(file), read_only=True) as connection:
        months = {name: connection.execute(f"select period_month from {name} order by rowid").fetchall() for name in MONTHLY}
    return [name for name, rows in months.items() if rows != sorted(rows) or rows[0] == rows[-1]]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=[pytest.mark.slow, pytest.mark.nightly]) for seed in (2,))])
def test_deliveries_built_one_by_one_end_in_the_rows_of_one_build(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    deliveries = [delivery(random, number) for number in range(7)]
    everything: Delivery = {feed: [row for one in deliveries for row in one[feed]] for feed in deliveries[0]}
    step, whole = tmp_path / "step" / "warehouse.duckdb", tmp_path / "whole" / "warehouse.duckdb"
    for file, rows in ((step, deliveries[0]), (whole, everything)):
        file.parent.mkdir()
        with duckdb.connect(str(file)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            make_lake(connection, rows, {"company_time_zone": "America/New_York"})
        project.build(file, LAYERS, lambda event: None)
    assert strewn(whole) == []
    for number, rows in enumerate(deliveries[1:], start=1):
        with duckdb.connect(str(step)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            engine = DuckDBEngine(connection)
            if number % 3:  # every third delivery finds the memory of a run that ended before it published
                keep(engine)
                engine.run("delete from state.touched_month")
                engine.run("delete from state.touched_day")
            arrive(connection, rows)
            note_touched(engine)
        project.build(step, LAYERS, lambda event: None, full=False)
    built, expected = content(step), content(whole)
    differing = {name: [*set(map(str, built[name])) ^ set(map(str, rows))][:4] for name, rows in expected.items() if built[name] != rows}
    assert differing == {}


def arrive(connection: duckdb.DuckDBPyConnection, rows: Delivery) -> None:
    """Put a delivery in the place of the last one."""
    with duckdb.connect() as other:
        make_lake(other, rows, {})
        for feed in feeds():
            arrived_rows = other.execute(f"from arrived.{feed}").to_arrow_table()  # noqa: F841  DuckDB finds it by name
            connection.execute(f"delete from arrived.{feed}")
            connection.execute(f"insert into arrived.{feed} by name select * from arrived_rows")
