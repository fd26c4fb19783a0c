"""The reader: exact answers, one reading statement, no way out of the file, and a fall back when a file is damaged."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.publish.reader import open_current, query


def answer(house: Any, sql: str, output_format: str = "csv") -> str:
    out = io.StringIO()
    query(house.home, sql, output_format, out=out)
    return out.getvalue()


def test_csv_keeps_every_digit_and_quotes_what_needs_it(served: Any) -> None:
    sql = "select 12345678901234567.89::decimal(19,2) as amount, 'a \"b\", c' as text, null as missing, true as yes"
    assert answer(served, sql) == 'amount,text,missing,yes\n12345678901234567.89,"a ""b"", c",,true\n'


def test_csv_quotes_every_kind_of_line_end(served: Any) -> None:
    text = answer(served, r"select chr(13) || 'a' as a, 'b' || chr(10) as b, chr(13) || chr(10) as c, '' as d")
    assert text == 'a,b,c,d\n"\ra","b\n","\r\n",\n'
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True))[1] == ["\ra", "b\n", "\r\n", ""]


def test_json_keeps_every_digit_of_money_and_never_prints_nan(served: Any) -> None:
    sql = (
        "select 12345678901234567.89::decimal(19,2) as amount, 0.1::float8 as share, 'nan'::double as gap, [1, null] as list, {'a': 'ü'} s"
    )
    (row,) = json.loads(answer(served, sql, "json"), parse_float=Decimal)
    assert row == {"amount": Decimal("12345678901234567.89"), "share": Decimal("0.1"), "gap": None, "list": [1, None], "s": {"a": "ü"}}
    assert json.loads(answer(served, "select 1 as x where false", "json")) == []


def test_a_table_shows_data_as_it_is_and_says_how_much_it_left_out(served: Any) -> None:
    text = answer(served, "select sale_id, note from marts.fct_sale order by sale_id limit 1500", "table")
    assert "naïve [bold]=1+1[/bold]" in text
    assert "500 more rows" in text
    assert " 999 " in text
    assert " 1000 " not in text


def test_the_number_of_rows_is_returned(served: Any) -> None:
    assert query(served.home, "select * from marts.fct_sale", "csv", out=io.StringIO()) == 5000


@pytest.mark.parametrize(
    "sql",
    ["from marts.mart_total", "describe marts.fct_sale", "show all tables", "with a as (select 1) from a", "explain select 1"],
)
def test_reading_statements_are_answered(served: Any, sql: str) -> None:
    assert answer(served, sql).count("\n") >= 2


@pytest.mark.fault("S5")
@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('{secret}')",
        "select * from read_csv('{secret}')",
        "select * from '{secret}'",
        "select * from glob('{folder}/*')",
        "from sniff_csv('{secret}')",
        "copy marts.fct_sale to '{folder}/out.csv'",
        "explain analyze copy marts.fct_sale to '{folder}/out.csv'",
        "prepare q as copy marts.fct_sale to '{folder}/out.csv'",
        "select * from query('copy marts.fct_sale to ''{folder}/out.csv''')",
        "export database '{folder}/out'",
        "import database '{folder}'",
        "attach '{folder}/other.duckdb'",
        "attach ':memory:' as m",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set threads = 64",
        "pragma profiling_output = '{folder}/out.json'",
        "call enable_logging(storage = 'file', storage_path = '{folder}/logs')",
        "create temp table t as select 1",
        "create secret (type s3)",
        "insert into marts.fct_sale values (1, 1, null, null)",
        "update marts.fct_sale set net_amount = 0",
        "drop table marts.fct_sale",
        "select * from secret_frame",
        "select * from served",
        "select 1; copy marts.fct_sale to '{folder}/out.csv'",
        "select 1; select 2",
        "",
    ],
)
def test_no_statement_reads_a_file_writes_one_or_changes_a_setting(served: Any, tmp_path: Path, sql: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("open sesame\n", encoding="utf-8")
    secret_frame = [{"password": "open sesame"}]
    assert secret_frame
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    out = io.StringIO()
    with pytest.raises(UsageError) as refused:
        query(served.home, sql.format(secret=secret, folder=tmp_path), "csv", out=out)
    assert refused.value.exit_code == 2
    assert out.getvalue() == ""
    assert "open sesame" not in str(refused.value)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


@pytest.mark.fault("S5")
def test_the_connection_itself_is_locked_not_only_the_command(served: Any, tmp_path: Path) -> None:
    connection, _ = open_current(served.home)
    for sql in (
        f"copy marts.fct_sale to '{tmp_path}/out.csv'",
        "set enable_external_access = true",
        "select * from read_text('/etc/passwd')",
    ):
        with pytest.raises(Exception, match=r"Permission Error|configuration has been locked"):
            connection.execute(sql)
    connection.close()


def test_a_wrong_name_is_explained_without_a_stack_trace(served: Any) -> None:
    with pytest.raises(UsageError, match="Table with name mart_totl does not exist"):
        answer(served, "select * from marts.mart_totl")
    with pytest.raises(UsageError, match="unknown format xml; known formats: table, csv, json"):
        answer(served, "select 1", "xml")


def test_an_empty_home_says_what_to_do(house: Any) -> None:
    with pytest.raises(UsageError, match=r"nothing is published in .*; remedy: service-roi run --home"):
        answer(house, "select 1")
    with pytest.raises(UsageError, match="nothing is published"):
        open_current(house.home)


@pytest.mark.fault("C8")
@pytest.mark.parametrize("damage", ["head", "middle", "truncated", "empty", "missing"])
def test_a_damaged_copy_is_not_read_and_the_one_before_answers(house: Any, capsys: pytest.CaptureFixture[str], damage: str) -> None:
    house.publish(1)
    pointer = house.publish(2).pointer
    file = house.published / pointer.file
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    if damage in {"head", "middle"}:
        # every data block is hit, so that the query must meet one
        for position in (5000,) if damage == "head" else range(12_288 + 100_000, len(content), 262_144):
            content[position] ^= 0x55
        file.write_bytes(bytes(content))
    elif damage == "missing":
        file.unlink()
    else:
        os.truncate(file, 0 if damage == "empty" else 200_000)
    sql = "select version_number, (select sum(net_amount) from marts.fct_sale) = net_amount as ties from marts.mart_total"
    assert answer(house, sql) == "version_number,ties\n1,true\n"
    assert "version 2 is damaged, reading the one before it" in capsys.readouterr().err


@pytest.mark.fault("C8")
def test_when_every_copy_is_damaged_the_remedy_is_said(house: Any) -> None:
    pointer = house.publish(1).pointer
    os.truncate(house.published / pointer.file, 100)
    with pytest.raises(InfrastructureError, match="remedy: service-roi run"):
        query(house.home, "select 1", "csv", out=io.StringIO(), warn=lambda _: None)
    with pytest.raises(InfrastructureError, match="remedy: service-roi run"):
        open_current(house.home, warn=lambda _: None)


@pytest.mark.fault("S4")
def test_a_pointer_cannot_lead_out_of_its_folder(house: Any, tmp_path: Path) -> None:
    house.publish(1)
    (tmp_path / "elsewhere.duckdb").write_bytes((house.published / house.pointer()["file"]).read_bytes())
    stolen = house.pointer() | {"file": "../../elsewhere.duckdb", "seq": 9}
    (house.published / "current.json").write_text(json.dumps(stolen), encoding="utf-8")
    with pytest.raises(InfrastructureError, match=r"current.json is damaged, so nobody knows"):
        open_current(house.home)


def test_the_reader_starts_without_pandas_pydantic_or_the_orchestrator(project_dir: Path) -> None:
    code = (
        "import sys; import dagster_project.publish.reader, dagster_project.publish.verify;"
        "heavy = {'pandas', 'pyarrow', 'numpy', 'pydantic', 'dagster', 'dbt', 'rich'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=project_dir, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_csv_can_be_read_back_by_a_strict_reader(served: Any) -> None:
    rows = list(csv.reader(io.StringIO(answer(served, "select sale_id, sold_at, note from marts.fct_sale order by sale_id")), strict=True))
    assert rows[0] == ["sale_id", "sold_at", "note"]
    assert rows[1] == ["0", "2026-01-01 00:00:00+00:00", ""]
    assert len(rows) == 5001
