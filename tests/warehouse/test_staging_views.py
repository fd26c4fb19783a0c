"""Feeds that no model reads yet stand in staging as views over the lake: empty and typed until they come, never out of date after."""

from __future__ import annotations

import runpy
from pathlib import Path

import duckdb

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.transform import project

make_lake = runpy.run_path(str(Path(__file__).with_name("conftest.py")))["make_lake"]


def test_unread_feeds_are_empty_typed_views_that_show_what_comes_after_they_were_made(tmp_path: Path) -> None:
    unread = project.unread_staging(project.manifest())
    assert len(unread) > 20
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        make_lake(connection, {}, {})
        for feed in feeds():
            connection.execute(f"create view lake.{feed} as from arrived.{feed}")
    project.build(file, sorted(unread), lambda event: None)
    with duckdb.connect(str(file)) as connection:
        for name in unread:
            made = connection.execute(f"select column_name, data_type from duckdb_columns() where table_name = '{name}'").fetchall()
            feed = name.removeprefix("stg_")
            given = connection.execute(
                f"select column_name, data_type from duckdb_columns() where table_name = '{feed}' and schema_name = 'arrived'"
            )
            assert made == given.fetchall()
            assert {column.name for column in load_contract(feed).columns} < {column for column, _ in made}
            assert connection.execute(f"select count(*) from staging.{name}").fetchall() == [(0,)]
        connection.execute(
            "insert into arrived.agents (agent_id, valid_from_date, team_id, delivery_date, source_system, key_scope, is_withdrawn) values "
            "('x', '2025-01-01', 'old', '2025-01-02', 's', '', false), ('x', '2025-01-01', 'new', '2025-01-03', 's', '', false), "
            "('y', '2025-01-01', 'one', '2025-01-02', 's', '', false)"
        )
        connection.execute("create table later as from arrived.agents; create or replace view lake.agents as from later")
        assert connection.execute("select agent_id, team_id from staging.stg_agents order by 1").fetchall() == [("x", "new"), ("y", "one")]
