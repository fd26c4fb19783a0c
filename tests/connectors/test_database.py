"""Tables of a real PostgreSQL: every value exactly, every row once, in chunks."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from dagster_project.connectors import journals, loads
from dagster_project.errors import InfrastructureError, InputRefused, UsageError

TOMORROW = dt.datetime(2026, 11, 27, 6, tzinfo=dt.UTC)


def shop(fetching: Any, postgres: Any, **streams: dict[str, Any]) -> None:
    fetching.add("shop", kind="postgresql", system="shop", url=postgres.url, password_env="CANARY_DB", streams=streams)


ORDERS = {"table": "shop.orders", "primary_key": ["id"], "cursor": "changed_at"}


def test_every_type_arrives_as_the_exact_text_of_the_server(fetching: Any, postgres: Any) -> None:
    postgres.run(
        """create table shop.kinds (id bigint primary key, price numeric, money money, at timestamptz, local_at timestamp, day date,
        is_on boolean, name text, code char(3), bytes bytea, tags text[], attributes jsonb, wait interval, ratio double precision)""",
        """insert into shop.kinds values (9007199254740993, 12345678901234567890.123456789, 1234.50, '2026-03-29 02:30:00.000001+02',
        '2026-11-26 10:00:00', '2026-02-28', true, E'a "b",\\n€', 'x', '\\x00ff', '{a,"b c"}', '{"n": 1.10}', '36 hours', 0.1),
        (2, null, null, null, null, null, null, '', null, null, null, null, null, null)""",
    )
    shop(fetching, postgres, kinds={"table": "shop.kinds", "primary_key": ["id"]})
    fetching.deliver("shop")
    empty, full = fetching.rows("kinds")
    assert full == {
        "id": "9007199254740993",
        "price": "12345678901234567890.123456789",
        "money": "1234.50",
        "at": "2026-03-29 00:30:00.000001+00",
        "local_at": "2026-11-26 10:00:00",
        "day": "2026-02-28",
        "is_on": "true",
        "name": 'a "b",\n€',
        "code": "x",
        "bytes": "\\x00ff",
        "tags": '{a,"b c"}',
        "attributes": '{"n": 1.10}',
        "wait": "PT36H",
        "ratio": "0.1",
    }
    assert empty["name"] == ""
    assert {value for name, value in empty.items() if name not in {"id", "name"}} == {None}


def test_the_manifest_states_rows_and_hash_and_the_day_is_that_of_utc(fetching: Any, postgres: Any) -> None:
    postgres.run("create table shop.a (id int)", "insert into shop.a select generate_series(1, 3)")
    shop(fetching, postgres, a={"table": "shop.a", "primary_key": ["id"]})
    fetching.deliver("shop", now=dt.datetime(2026, 11, 27, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))))
    name = "shop/a/2026-11-26/shop-000001.parquet"
    assert fetching.files() == [name, f"{name}.manifest.json"]
    stated = json.loads((fetching.settings.landing / f"{name}.manifest.json").read_text())
    assert stated["rows"] == 3
    assert len(stated["sha256"]) == 64


@pytest.mark.fault("D2")
def test_a_second_fetch_brings_what_is_new_or_changed_and_nothing_twice(fetching: Any, postgres: Any) -> None:
    postgres.run(
        "create table shop.orders (id int primary key, total numeric(12, 2), changed_at timestamptz not null)",
        "insert into shop.orders select n, n, '2026-11-20 10:00+00'::timestamptz + n * interval '1 minute' from generate_series(1, 50) n",
    )
    shop(fetching, postgres, orders=ORDERS)
    assert fetching.deliver("shop") == {"orders": 50}
    assert fetching.deliver("shop") == {}
    postgres.run(
        "insert into shop.orders values (51, 51, '2026-11-20 11:00+00')",
        "update shop.orders set total = 7, changed_at = '2026-11-20 12:00+00' where id = 3",
        "update shop.orders set total = 8 where id = 50",  # changed within the instant that was read last
        "insert into shop.orders values (52, 52, '2026-11-20 10:45+00')",  # began before, committed after we had read
    )
    assert fetching.deliver("shop", now=TOMORROW) == {"orders": 4}
    assert [(row["id"], row["total"]) for row in fetching.rows("orders")[50:]] == [
        ("52", "52.00"),
        ("50", "8.00"),
        ("51", "51.00"),
        ("3", "7.00"),
    ]
    assert [name for name in fetching.files() if "2026-11-27" in name and name.endswith("parquet")] == [
        "shop/orders/2026-11-27/shop-000002.parquet"
    ]


def test_a_whole_table_is_delivered_again_only_when_a_row_of_it_changed(fetching: Any, postgres: Any) -> None:
    postgres.run("create table shop.a (id int, name text)", "insert into shop.a values (2, 'b'), (1, 'a')")
    shop(fetching, postgres, a={"table": "shop.a", "primary_key": ["id"]})
    assert fetching.deliver("shop") == {"a": 2}
    assert fetching.deliver("shop") == {}
    postgres.run("update shop.a set name = 'c' where id = 1")
    assert fetching.deliver("shop") == {"a": 2}
    assert [row["name"] for row in fetching.rows("a")] == ["a", "b", "c", "b"]


def test_a_full_load_is_committed_and_the_next_one_goes_on_from_it(fetching: Any, postgres: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "LOAD_ROWS", 5_000)
    postgres.run(
        "create table shop.orders (id int primary key, changed_at timestamp not null)",
        "insert into shop.orders select n, '2026-01-01'::timestamp + n / 100 * interval '1 hour' from generate_series(1, 12000) n",
    )
    shop(fetching, postgres, orders={**ORDERS, "overlap_seconds": 0})
    assert fetching.deliver("shop") == {"orders": 12_000}
    assert len(fetching.files()) == 2 * 2
    assert [int(row["id"]) for row in fetching.rows("orders")] == list(range(1, 12_001))


def test_a_load_that_another_table_fills_does_not_fall_behind_what_was_read(
    fetching: Any, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.run(
        "create table shop.big (id int primary key, changed_at timestamp not null)",
        "create table shop.orders (id int primary key, changed_at timestamp not null)",
        "insert into shop.orders select n, '2026-01-01'::timestamp + n * interval '1 millisecond' from generate_series(1, 6000) n",
    )
    shop(fetching, postgres, big={**ORDERS, "table": "shop.big"}, orders=ORDERS)
    assert fetching.deliver("shop") == {"orders": 6_000}
    monkeypatch.setattr(loads, "LOAD_ROWS", 10)
    postgres.run(
        "insert into shop.big select n, '2026-01-01' from generate_series(1, 20) n", "insert into shop.orders values (0, '2026-01-02')"
    )
    assert fetching.deliver("shop") == {"big": 20, "orders": 1}


def test_a_cursor_may_be_a_number(fetching: Any, postgres: Any) -> None:
    postgres.run("create table shop.orders (id int primary key)", "insert into shop.orders values (1), (2)")
    shop(fetching, postgres, orders={**ORDERS, "cursor": "id"})
    assert fetching.deliver("shop") == {"orders": 2}
    postgres.run("insert into shop.orders values (3)")
    assert fetching.deliver("shop") == {"orders": 1}


@pytest.mark.fault("F17")
@pytest.mark.parametrize(("value", "word"), [("null", "1 rows have no value"), ("'2999-01-01'", "is in the future")])
def test_a_cursor_that_would_lose_rows_is_refused_and_nothing_is_delivered(fetching: Any, postgres: Any, value: str, word: str) -> None:
    postgres.run("create table shop.orders (id int, changed_at timestamptz)", f"insert into shop.orders values (1, now()), (2, {value})")
    shop(fetching, postgres, orders=ORDERS)
    with pytest.raises(InputRefused, match=word):
        fetching.deliver("shop", now=dt.datetime.now(dt.UTC))
    assert fetching.files() == []


@pytest.mark.parametrize(
    ("stream", "word"),
    [
        ({**ORDERS, "table": "shop.nothing"}, "no table shop.nothing"),
        ({**ORDERS, "cursor": "changed"}, "no column changed; it has id, changed_at, name"),
        ({**ORDERS, "cursor": "name"}, "a time, a date or a number"),
    ],
)
def test_a_table_or_column_that_is_not_there_is_named(fetching: Any, postgres: Any, stream: dict[str, Any], word: str) -> None:
    postgres.run("create table shop.orders (id int, changed_at timestamptz, name text)")
    shop(fetching, postgres, orders=stream)
    with pytest.raises(UsageError, match=word):
        fetching.deliver("shop")


def test_names_in_the_database_are_names_and_nothing_else(fetching: Any, postgres: Any) -> None:
    postgres.run(
        """create table shop."a; drop table b--" ("i""d" int, "select" text)""", """insert into shop."a; drop table b--" values (1, 'x')"""
    )
    shop(fetching, postgres, a={"table": "shop.a; drop table b--", "primary_key": ['i"d']})
    assert fetching.deliver("shop") == {"a": 1}
    assert fetching.rows("a") == [{'i"d': "1", "select": "x"}]


def test_a_server_out_of_reach_ends_the_fetch_with_what_to_look_at(fetching: Any, postgres: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_DB", "wrong")
    shop(fetching, postgres, a={"table": "shop.a", "primary_key": ["id"]})
    with pytest.raises(InfrastructureError, match="password authentication failed"):
        fetching.deliver("shop")


def test_a_second_fetch_of_the_same_source_waits_its_turn(fetching: Any, postgres: Any) -> None:
    shop(fetching, postgres, a={"table": "shop.a", "primary_key": ["id"]})
    with journals.holding(fetching.settings.landing, "shop", "shop"), pytest.raises(InfrastructureError, match="another fetch of shop"):
        fetching.deliver("shop")
