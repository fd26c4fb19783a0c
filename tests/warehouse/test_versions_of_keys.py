"""Which version of a key counts, no matter who delivers it: random histories of changes, withdrawals and files, cut at random into runs.

Breaks: a row that was taken back stays, comes again, or the order of loading decides what a company looks like.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest

from dagster_project.transform import project

make_lake = runpy.run_path(str(Path(__file__).with_name("conftest.py")))["make_lake"]
Row = dict[str, Any]
FEEDS = {"tickets": ("ticket_id", "priority"), "contacts": ("contact_id", "account_id")}
ADDED = ("change_number", "delivery_date", "file_order", "record_number", "key_scope", "is_withdrawn")


@pytest.fixture(scope="module")
def render() -> Callable[..., str]:
    """Render a macro call of a staging model as dbt does on DuckDB, as a full or a later build."""
    macros = "\n".join((project.DBT_DIR / "macros" / f"{name}.sql").read_text("utf-8") for name in ("latest_version", STRATEGY))
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])

    def rendered(call: str, feed: str, *, is_later: bool) -> str:
        names = {
            "config": lambda **_: "", "source": lambda schema, name: f"{schema}.{name}", "is_incremental": lambda: is_later,
            "execute": True, "this": f"staging.stg_{feed}", "model": SimpleNamespace(name=f"stg_{feed}"),
            "feed": feed, "keys": [FEEDS[feed][0]],
        }  # fmt: skip
        columns = [{"quoted": name} for name in ADDED] + [{"quoted": name} for name in (*FEEDS[feed], "source_system", "source_updated_at")]
        names["arg_dict"] = {
            "target_relation": f"staging.stg_{feed}", "temp_relation": "made", "unique_key": [FEEDS[feed][0]],
            "dest_columns": [*columns, {"quoted": "is_overruled"}, {"quoted": "is_id_shared"}],
        }  # fmt: skip
        return environment.from_string(macros + "{{ " + call + " }}", globals=names).render().strip()

    return rendered


STRATEGY = "get_incremental_replace_keys_sql"


def history(random: Random, feed: str) -> list[Row]:
    """Changes of three systems in the order of their runs; the files of canonical come whenever they come."""
    key, value = FEEDS[feed]
    rows: list[Row] = []
    seen: set[tuple[Any, ...]] = set()
    for number in range(random.randrange(4, 40)):
        system = random.choice(["canonical", "desk", "shop"])
        is_file = system == "canonical"
        row = {
            key: random.choice("123"), value: f"v{number}", "source_system": system, "change_number": 0 if is_file else number // 3 + 1,
            "source_updated_at": random.choice([None, "2025-01-01 00:00:00+00", "2025-01-02 00:00:00+00"]),
            "delivery_date": f"2025-02-0{random.randrange(1, 4)}", "file_order": random.choice("ab") if is_file else "",
            "record_number": number, "key_scope": system if feed == "tickets" else "", "is_withdrawn": False,
        }  # fmt: skip
        if not is_file and random.random() < 0.3:
            row |= {value: None, "source_updated_at": None, "record_number": None, "is_withdrawn": True}
        if (system, row[key], row["change_number"]) not in seen or is_file:  # a change says one thing of a key
            seen.add((system, row[key], row["change_number"]))
            rows.append(row)
    return rows


def truth(rows: list[Row], feed: str) -> list[tuple[Any, ...]]:
    """What stands: per system the greatest version that was not withdrawn; the last of them about one key of the company is in force."""
    key, value = FEEDS[feed]

    def order(row: Row) -> tuple[Any, ...]:
        return row["change_number"], row["source_updated_at"] or "", row["delivery_date"], row["file_order"], row["record_number"] or -1

    greatest: dict[tuple[str, str], Row] = {}
    for row in rows:
        at = (row["source_system"], row[key])
        if at not in greatest or order(row) > order(greatest[at]):
            greatest[at] = row
    living = [row for row in greatest.values() if not row["is_withdrawn"]]
    found = []
    for row in living:
        same = [other for other in living if other[key] == row[key]]
        rivals = [
            (o["source_updated_at"] or "", o["delivery_date"], o["source_system"]) for o in same if o["key_scope"] == row["key_scope"]
        ]
        mine = (row["source_updated_at"] or "", row["delivery_date"], row["source_system"])
        found.append((row["source_system"], row[key], row[value], max(rivals) != mine, len({o["key_scope"] for o in same}) > 1))
    return sorted(found, key=repr)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_history_cut_into_runs_is_one_build_and_the_truth(feed: str, render: Callable[..., str]) -> None:
    key, value = FEEDS[feed]
    full, later = (render(f"latest_version('{feed}', ['{key}'])", feed, is_later=is_later) for is_later in (False, True))
    replace = render(f"{STRATEGY}(arg_dict)", feed, is_later=True)
    shown = f"select source_system, {key}, {value}, is_overruled, is_id_shared from {{}}"
    names = ", ".join((*ADDED, *FEEDS[feed], "source_system", "source_updated_at"))
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 1")
        make_lake(connection, {}, {})
        connection.execute(f"create schema staging; create table every as from arrived.{feed}")
        for seed in range(120):
            random = Random(seed)
            rows = history(random, feed)
            connection.execute("delete from every")
            connection.executemany(
                f"insert into every ({', '.join(rows[0])}) values ({', '.join('?' * len(rows[0]))})", [list(row.values()) for row in rows]
            )
            cuts = sorted(random.sample(range(len(rows)), random.randrange(0, min(6, len(rows)))))
            for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
                connection.execute(f"create or replace table arrived.{feed} as from every limit {end - start} offset {start}")
                if number == 0:
                    connection.execute(
                        f"create or replace table staging.stg_{feed} as select {names}, is_overruled, is_id_shared from ({full})"
                    )
                else:
                    connection.execute(f"create or replace temp table made as {later}")
                    connection.execute(replace)
            stepwise = connection.execute(shown.format(f"staging.stg_{feed}")).fetchall()
            connection.execute(f"create or replace table arrived.{feed} as from every")
            whole = connection.execute(shown.format(f"({full})")).fetchall()
            assert sorted(stepwise, key=repr) == sorted(whole, key=repr) == truth(rows, feed), seed
