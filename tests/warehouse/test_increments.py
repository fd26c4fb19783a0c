"""A build that adds what arrived ends in the rows of a build of everything. Breaks: a month that keeps yesterday's truth.

Rows of every feed, made from its contract over 24 months, arrive few at a time: they change, move, merge, complete, orphan and take
back what came before. Each delivery is built by dbt as a run builds it; nothing that reads files runs.
"""

from __future__ import annotations

import runpy
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from dagster_project.contracts.model import feeds
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.transform import project
from dagster_project.transform.increment import AFFECTED_DAY, keep

make_lake, LAYERS = (runpy.run_path(str(Path(__file__).with_name("conftest.py")))[name] for name in ("make_lake", "LAYERS"))
CONTRACT = runpy.run_path(str(Path(__file__).with_name("contract_rows.py")))
Delivery = dict[str, list[dict[str, Any]]]
MONTHLY = ("marts.fct_order", "marts.mart_account_sales_month", "intermediate.int_cost__unit_weighted")
LAST_DAY = date(2025, 12, 28)
NIGHTLY = [pytest.mark.slow, pytest.mark.nightly]
TABLES = "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('marts', 'intermediate') union all "
TABLES += "select schema_name || '.' || view_name from duckdb_views() where schema_name = 'marts' order by 1"


def content(file: Path) -> dict[str, list[Any]]:
    """Every row of the marts and what they stand on, sorted."""
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        names = [name for (name,) in connection.execute(TABLES).fetchall() if "int_core__affected" not in name]
        return {name: sorted(connection.execute(f"select * from {name}").fetchall(), key=str) for name in names}


def strewn(file: Path) -> list[str]:
    """Tables whose months do not follow each other, so that replacing one month would read and rewrite blocks of all the history."""
    with duckdb.connect(str(file), read_only=True) as connection:
        months = {name: connection.execute(f"select period_month from {name} order by rowid").fetchall() for name in MONTHLY}
    return [name for name, rows in months.items() if rows != sorted(rows) or rows[0] == rows[-1]]


@pytest.mark.parametrize(("seed", "count"), [(1, 6), pytest.param(2, 24, marks=NIGHTLY), pytest.param(3, 24, marks=NIGHTLY)])
def test_deliveries_built_one_by_one_end_in_the_rows_of_one_build(tmp_path: Path, declared: dict[str, Any], seed: int, count: int) -> None:
    random = Random(seed)
    deliveries: list[Delivery] = [CONTRACT["delivery"](declared, random, number) for number in range(count)]
    days = [LAST_DAY - timedelta(days=(count - 1 - number) * 720 // count) for number in range(count)]
    for rows, day in zip(deliveries, days, strict=True):
        for row in (row for made in rows.values() for row in made):
            row["delivery_date"] = day.isoformat()
    everything: Delivery = {feed: [row for one in deliveries for row in one.get(feed, [])] for feed in deliveries[0]}
    step, whole = tmp_path / "step" / "warehouse.duckdb", tmp_path / "whole" / "warehouse.duckdb"
    for file, rows, day in ((step, deliveries[0], days[0]), (whole, everything, days[-1])):
        file.parent.mkdir()
        with duckdb.connect(str(file)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            make_lake(connection, rows, {"company_time_zone": "America/New_York", "latest_delivery_date": day.isoformat()})
            came = {feed: max(one["delivery_date"] for one in of) for feed, of in rows.items()}
            connection.executemany(
                "update lake.sources set last_delivery_date = ? where feed = ?", [[last, feed] for feed, last in came.items()]
            )
        project.build(file, LAYERS, lambda event: None)
    assert strewn(whole) == []
    for number, rows in enumerate(deliveries[1:], start=1):
        with duckdb.connect(str(step)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            engine = DuckDBEngine(connection)
            if number % 3:  # every third delivery finds the memory of a run that ended before it published
                keep(engine)
                engine.run(f"delete from {AFFECTED_DAY}")
            arrive(connection, rows, days[number])
        project.build(step, LAYERS, lambda event: None, full=False)
    built, expected = content(step), content(whole)
    differing = {name: [*set(map(str, built[name])) ^ set(map(str, rows))][:4] for name, rows in expected.items() if built[name] != rows}
    assert differing == {}


def arrive(connection: duckdb.DuckDBPyConnection, rows: Delivery, day: date) -> None:
    """Put a delivery in the place of the last one."""
    with duckdb.connect() as other:
        make_lake(other, rows, {})
        for feed in feeds():
            arrived_rows = other.execute(f"from arrived.{feed}").to_arrow_table()  # noqa: F841  DuckDB finds it by name
            connection.execute(f"delete from arrived.{feed}")
            connection.execute(f"insert into arrived.{feed} by name select * from arrived_rows")
    connection.execute("update lake.run_parameters set latest_delivery_date = ?", [day])
    connection.executemany("update lake.sources set last_delivery_date = ? where feed = ?", [[day, feed] for feed in rows])
