"""What the SELECT of a mapping may use: its relations and functions of values.

Breaks: a third party's mapping that reads a file, a setting, a variable or the catalogue, runs text as SQL, or fills the memory.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.errors import UsageError
from dagster_project.ingest.mapping.allowed import COUNTED, FUNCTIONS, TABLE_FUNCTIONS, check_statement
from dagster_project.ingest.mapping.sandbox import checked_select, open_sandbox
from dagster_project.ingest.sql_text import identifier

RELATIONS = {"source": ("a", "user"), "agent": ("agent_id",)}
FORBIDDEN = (
    "query query_table json_execute_serialized_sql json_serialize_sql json_deserialize_sql getvariable getenv current_setting read_text"
    " read_blob read_csv read_csv_auto read_parquet parquet_scan read_json glob duckdb_variables duckdb_settings duckdb_secrets"
    " duckdb_tables which_secret pragma_table_info nextval setseed random uuid gen_random_uuid now today current_query version error"
    " sleep_ms pg_sleep write_log parse_duckdb_log_message stats in_search_path txid_current hashed_email keyed_hash"
).split()


def check(sql: str) -> None:
    with open_sandbox([], None, threads=1, memory_limit="256MB") as connection:
        check_statement(Path("m.sql"), sql, RELATIONS, connection)


def engine_functions() -> list[tuple[str, str]]:
    sql = "select distinct function_name, function_type from duckdb_functions() order by all"
    return [(name, kind) for name, kind in duckdb.sql(sql).fetchall() if kind != "pragma"]


@pytest.mark.fault("S12")
@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_reads_more_than_values_is_on_no_list(name: str) -> None:
    assert name not in FUNCTIONS | TABLE_FUNCTIONS | COUNTED.keys()


@pytest.mark.fault("S12")
def test_no_function_of_the_engine_outside_the_lists_is_taken_in_any_place() -> None:
    places = (
        "select {}(a) from source",
        "select 1 from source, {}('x')",
        "select 1 from {}(1)",
        "select 1 from source where a in (from {}('x'))",
    )
    listed = FUNCTIONS | TABLE_FUNCTIONS | COUNTED.keys()
    tried = 0
    with open_sandbox([], None, threads=1, memory_limit="256MB") as connection:
        for name, _ in engine_functions():
            if name in listed:
                continue
            for place in places:
                with pytest.raises(UsageError, match="allowed"):
                    check_statement(Path("m.sql"), place.format(identifier(name)), RELATIONS, connection)
                tried += 1
    assert tried > 1_000


@pytest.mark.fault("S12")
def test_a_function_of_values_is_no_table_function() -> None:
    with pytest.raises(UsageError, match="the table function lower is not allowed"):
        check("select 1 from lower('x')")


@pytest.mark.fault("S12")
@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("select a from 'x.csv'", "x.csv is no relation"),
        ("select a from source,\n  sources.agent", r"m\.sql:2: sources\.agent is no relation"),
        ("select a from main.source", r"main\.source is no relation"),
        ("select (select max(a) from temp.main.source) from source", "temp.main.source is no relation"),
        ("with q as (from q) select a from source, q", "q is no relation"),
        ('with "x.csv" as (from "x.csv") from "x.csv"', r"x\.csv is no relation"),
        ("with p as (from q), q as (from source) from p", "q is no relation"),
        ("select * from (with q as (from source) from q), q", "q is no relation"),
        ("select main.getvariable('k') from source", "getvariable"),
        ("select system.main.lower(a) from source", "named with a schema"),
        ("with recursive r as (select 1 as x union all select x + 1 from r) from r", "recursive"),
        ("select a from source using sample 3", "sample"),
        ("select a from source tablesample 10%", "sample"),
        ("select current_user from source", "current_user is no column"),
        ("select CURRENT_DATE from source", "CURRENT_DATE is no column"),
        ("select repeat(a, 2000000000) from source", "repeat is allowed only with a count"),
        ("select repeat(a, strlen(a)) from source", "repeat is allowed only with a count"),
        ("select range(100000000000) from source", "range is allowed only with a count"),
        ("select a from source, range(100000000000)", "range is allowed only with a count"),
        ("select age(a::timestamp) from source", "age with fewer than 2 arguments depends on today"),
        ("select a from source order by (a::timestamptz).AGE()", "age with fewer than 2 arguments depends on today"),
        ("select a::timetz from source", "time with time zone depend on today"),
        ("select timezone('Europe/Berlin', timetz '10:00+00') from source", "time with time zone depend on today"),
        ("select try_cast(a as struct(x timetz[])) from source", "time with time zone depend on today"),
        ("summarize source", "not allowed"),
        ("show tables", "not allowed"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_line(sql: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong):
        check(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select user, lower(a), a::json->>'$.x', [x for x in string_split(a, ',') if x <> ''], lpad(a, 10, '0') from source",
        "with p as (from source), q as (select a from p) select a, row_number() over (order by a) from q join agent on 1 = 1",
        "select a, unnested.x from source, unnest(string_split(a, ',')) as unnested (x), range(12) as months (month_number)",
        "select (select max(agent_id) from agent where agent_id = a), a between 'a' and 'b', extract(year from a::date) from Source",
        "select age(a::timestamp, timestamp '2026-01-01'), a::time, a::timestamptz at time zone 'Europe/Berlin' from source",
        "from source select a union all by name from agent select agent_id as a",
    ],
)
def test_what_mappings_need_is_allowed(sql: str) -> None:
    check(sql)


def _folding_signs() -> list[tuple[str, str]]:
    """Return each character beyond ASCII that Python folds to ASCII, with what it becomes."""
    pairs = {(chr(code), form) for code in range(0x80, 0x110000) for form in (chr(code).lower(), chr(code).casefold(), chr(code).upper())}
    return sorted((sign, form) for sign, form in pairs if form[0].isascii())


@pytest.mark.fault("S12")
def test_a_name_is_no_other_name_because_python_would_fold_it_so() -> None:
    """`with "duc\u212adb_views" as …` hid the engine's own `duckdb_views`, for the Kelvin sign is a k to Python and not to the engine."""
    signs = _folding_signs()
    assert ("\u212a", "k") in signs
    for sign, form in signs:
        with open_sandbox([], None, threads=1, memory_limit="256MB") as connection:
            with pytest.raises(duckdb.Error):
                connection.execute(f'with "x{sign}" as (select 1) select 1 from "x{form}"')
            for sql in (f'with "x{sign}" as (select 1) select a from "x{form}"', f'with "x{form}" as (select 1) select a from "x{sign}"'):
                with pytest.raises(UsageError, match="is no relation"):
                    check_statement(Path("m.sql"), sql, RELATIONS, connection)
    with pytest.raises(UsageError, match="duckdb_views is no relation"):
        check('with "duc\u212adb_views" as (select 1) select a, (select max(sql) from duckdb_views) from source')
    with pytest.raises(UsageError, match="not allowed"):
        check('select "to_wee\u212as"(1) from source')


@pytest.mark.fault("S12")
def test_a_variable_cannot_be_reached_by_sql_that_is_put_together(tmp_path: Path) -> None:
    path = tmp_path / "orders.sql"
    for sql in (
        "(select string_agg(name || hex(value::blob), ';') from query('from duckdb_vari' || 'ables()'))",
        "(select max(content) from query(case when true then 'select ''x'' as content' end))",
        "(select max(x) from query_table(['sour', 'ce']) as t (x))",
    ):
        path.write_text(f"select record_number, {sql} as account_id from source")
        with pytest.raises(UsageError, match=r"orders\.sql:1: the table function query"):
            checked_select(path, ["a"])


@pytest.mark.fault("S12")
def test_on_the_connection_of_a_load_the_list_keeps_a_select_from_files_and_no_folder_but_its_own_is_open(tmp_path: Path) -> None:
    """The engine cannot close the folders of a load while a SELECT runs: the list of functions does."""
    inside, outside = tmp_path / "landing" / "a.csv", tmp_path / "hash_key"
    inside.parent.mkdir()
    for path in (inside, outside):
        path.write_text("x")
    mapping = tmp_path / "orders.sql"
    mapping.write_text(f"select record_number, (select content from read_text('{inside}')) as account_id from source")
    with open_sandbox([inside.parent], tmp_path / "landing" / "spill", threads=1, memory_limit="256MB") as connection:
        assert connection.execute(f"select content from read_text('{inside}')").fetchall() == [("x",)]
        with pytest.raises(UsageError, match="read_text"):
            checked_select(mapping, ["a"], sandbox=connection)
        for sql in (f"from read_text('{outside}')", "set allowed_directories = ['/']", "set enable_external_access = true"):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
