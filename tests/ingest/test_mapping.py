"""A new system is YAML plus SELECTs, without Python; its errors name file and line, and its SQL can touch no file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import UsageError
from dagster_project.ingest.mapping.sandbox import checked_select
from dagster_project.ingest.mapping.systems import BUILT_IN, Mappings
from tests.ingest.mapping_files import write_system

YML = """\
time_zone: Europe/Rome
streams:
  sales:
    delimiter: ";"
    decimal: ","
    null_words: ["", "-"]
    encoding: latin-1
    columns: [number, day, customer, net]
    feeds:
      orders: {sql: orders.sql, records: true}
"""
SQL = """\
select
    record_number, number as order_id, strptime(day, '%d.%m.%Y') as ordered_at,
    customer as account_id, 'EUR' as currency_code, net as net_amount
from source
where number <> 'total' -- the report's last line
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_till(yml: str = YML, sql: str = SQL, name: str = "till") -> Path:
        return write_system(tmp_path / "mappings", name, yml, orders=sql)

    return write_till


def test_a_system_of_the_user_loads_with_its_dialect_zone_and_decimal_sign(make_ingest: Any, write: Callable[..., Path]) -> None:
    ingest = make_ingest(mappings=write())
    rows = "".join(f"{number};01.07.2026;Müller;1000,50\n" for number in range(300))
    ingest.deliver(
        "till/sales/2026-07-02/sales.csv", ("number;day;customer;net\n" + rows + "300;01.07.2026;-;2,00\ntotal;-;-;9\n").encode("latin-1")
    )
    report = ingest.walk()
    assert [(file.physical, file.loaded, file.quarantined) for file in report.files] == [(302, 301, 1)], report.refusals
    assert "record 302 (line 303) the SQL of orders keeps no row of this record" in report.rejections[0]
    assert ingest.all(
        "select account_id, net_amount::decimal(18, 2)::varchar, ordered_at::varchar from lake.orders where record_number in (1, 301) order"
        " by record_number"
    ) == [
        ("Müller", "1000.50", "2026-06-30 22:00:00+00"),
        (None, "2.00", "2026-06-30 22:00:00+00"),
    ]
    assert ingest.ledger.rows("select rule, record_number from quarantine") == [("not_mapped", 302)]


def test_a_changed_mapping_loads_the_file_again_and_replaces_its_rows(make_ingest: Any, write: Callable[..., Path]) -> None:
    ingest = make_ingest(mappings=write())
    ingest.deliver("till/sales/2026-07-02/sales.csv", "number;day;customer;net\n1;01.07.2026;a;1,00\n")
    ingest.walk()
    write(sql=SQL.replace("'EUR'", "'CHF'"))
    assert len(ingest.walk().files) == 1
    assert ingest.all("select order_id, currency_code from lake.orders") == [("1", "CHF")]
    assert [row[0] for row in ingest.ledger.rows("select status from deliveries order by file_id")] == ["replaced", "accepted"]


@pytest.mark.parametrize(
    ("yml", "message"),
    [
        (YML.replace("decimal:", "decimals:"), r"till.yml:5: streams.sales.decimals: no such word; known words: .*decimal, .*time_zone"),
        (YML.replace("time_zone:", "zone:"), r"till.yml:1: zone: no such word; known words: ignored, refused_headers, streams, time_zone"),
        (YML.replace("records: true", "record: true"), r"till.yml:\d+: streams.sales.feeds.orders.record: no such word; .*: records, sql$"),
        (YML.replace("Europe/Rome", "Europe/Roma"), r"till.yml:1: time_zone: .*unknown time zone Europe/Roma"),
        (YML.replace("latin-1", "latin-99"), r"till.yml:7: streams.sales.encoding: .*unknown encoding"),
        (YML.replace("orders: {", "invoices: {"), r"till.yml:9: streams.sales.feeds: .*no contract for feed invoices"),
        (YML.replace(", records: true", ""), r"till.yml:3: streams.sales: .*records would vanish"),
        ("time_zone: [", r"till.yml"),
    ],
)
def test_an_error_of_the_yaml_names_file_and_line(make_ingest: Any, write: Callable[..., Path], yml: str, message: str) -> None:
    ingest = make_ingest(mappings=write(yml=yml))
    ingest.deliver("till/sales/2026-07-02/sales.csv", "number;day;customer;net\n")
    with pytest.raises(UsageError, match=message):
        ingest.walk()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (SQL.replace("customer as", "client as"), r"till/orders.sql:3: .*client"),
        (SQL.replace("customer as", "custmer as"), r'till/orders.sql:3: .*"custmer" not found .*Candidate bindings: "customer"'),
        (
            SQL.replace("net as net_amount", "net as amount"),
            r"till/orders.sql:3: feed orders: not in the contract: amount; did you mean .*net_amount.*\?; remedy: .*orders.odcs.yaml",
        ),
        (
            SQL.replace("'EUR' as currency_code", "'EUR' as score"),
            r"orders.sql:3: .*not in the contract: score; required and missing: currency_code",
        ),
        (
            SQL.replace("as currency_code", "as curency_code"),
            r"orders.sql:3: .*not in the contract: curency_code; required and missing: currency_code; did you mean currency_code\?",
        ),
        (SQL.replace("record_number, ", ""), r"till/orders.sql: returns no record_number"),
        (SQL.replace("'EUR' as currency_code, ", ""), r"orders.sql: feed orders: required and missing: currency_code"),
        (SQL.replace("net as net_amount", "net::double as net_amount"), r"orders.sql:3: feed orders: column net_amount is double"),
        (
            SQL.replace("strptime(day, '%d.%m.%Y')", "day::timestamp"),
            r"orders.sql: Conversion Error: .*01.07.2026.*reading till/sales.*try_cast",
        ),
        (SQL.replace("'%d.%m.%Y'", "'%Y/%m/%d'"), r"orders.sql: Invalid Input Error: .*01.07.2026.*try_strptime"),
        ("drop table source", r"till/orders.sql: exactly one SELECT"),
        ("insert into source values (1) returning record_number", r"exactly one SELECT"),
        ("select from where", r"orders.sql:1: Parser Error"),
        (SQL.split("where")[0] + ";" + SQL, r"exactly one SELECT"),
        (
            SQL.replace("from source", "from source cross join range(2)"),
            r"till/orders.sql: returns a record more than once: record 1 of till/.* 2 times",
        ),
        (
            SQL.replace("from source", "from source cross join unnest(case number when '1' then []::integer[] else [1, 2] end)"),
            r"till/orders.sql: returns a record more than once: record 2 of till/.* 2 times",
        ),
    ],
)
@pytest.mark.usefixtures("counting")
def test_an_error_of_the_sql_names_the_file_and_loads_nothing(make_ingest: Any, write: Callable[..., Path], sql: str, message: str) -> None:
    ingest = make_ingest(mappings=write(sql=sql))
    ingest.deliver("till/sales/2026-07-02/sales.csv", "number;day;customer;net\n1;01.07.2026;a;1,00\n2;01.07.2026;a;1,00\n")
    with pytest.raises(UsageError, match=message):
        ingest.walk()
    assert ingest.ledger.rows("select count(*) from batches") == [(0,)]


def test_a_record_in_two_feeds_does_not_hide_one_in_none(make_ingest: Any, write: Callable[..., Path]) -> None:
    folder = write(yml=YML + "      contacts: {sql: contacts.sql, records: true}\n", sql=SQL.replace("where", "where number = '1' and"))
    (folder / "till" / "contacts.sql").write_text(
        "select record_number, number as contact_id, customer as account_id from source where number = '1'"
    )
    ingest = make_ingest(mappings=folder)
    ingest.deliver("till/sales/2026-07-02/sales.csv", "number;day;customer;net\n1;01.07.2026;a;1,00\n2;01.07.2026;a;1,00\n")
    with pytest.raises(UsageError, match=r"till/orders.sql, till/contacts.sql: returns a record more than once: record 1 .* 2 times"):
        ingest.walk()


@pytest.mark.fault("S5")
@pytest.mark.parametrize(
    "source",
    [
        "read_text('/etc/passwd')",
        "read_csv('/etc/passwd')",
        "'/etc/passwd'",
        "glob('/etc/*')",
        "read_blob('/etc/passwd')",
        "query('from read_text(''/etc/passwd'')')",
    ],
)
def test_the_sql_of_a_mapping_reads_no_file(tmp_path: Path, source: str) -> None:
    path = tmp_path / "orders.sql"
    path.write_text(f"select record_number, x.* from source, {source} as x")
    with pytest.raises(UsageError, match=r"orders\.sql"):
        checked_select(path, ["a"])


def test_sql_outside_the_mapping_folder_is_refused(make_ingest: Any, write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir(exist_ok=True)
    (tmp_path / "mappings" / "outside.sql").write_text(SQL)
    ingest = make_ingest(mappings=write(yml=YML.replace("sql: orders.sql", "sql: ../outside.sql")))
    ingest.deliver("till/sales/2026-07-02/sales.csv", "number;day;customer;net\n")
    with pytest.raises(UsageError, match=r"till.yml:10: outside.sql is not in the same folder"):
        ingest.walk()


@pytest.mark.parametrize("name", sorted(folder.name for folder in BUILT_IN.iterdir() if folder.is_dir()))
def test_every_built_in_mapping_binds_over_its_declared_columns(name: str) -> None:
    system = Mappings().system(name)
    streams = {name: described.read_columns for name, described in system.file.streams.items()}
    for stream, described in system.file.streams.items():
        assert not described.beside, "a SELECT reads what it names"
        for feed in described.feeds:
            select = checked_select(system.sql_path(stream, feed), described.read_columns, streams)
            assert "source" in select.sql
            assert select.types


@pytest.mark.parametrize("sql", ["select record_number,\n  a,\n  1 as A\nfrom source", "select record_number,\n  a,\n  s.a\nfrom source s"])
def test_a_column_named_twice_is_refused_with_its_line(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "x.sql"
    path.write_text(sql)
    with pytest.raises(UsageError, match=r"x\.sql:[23]: names the column [aA] twice"):
        checked_select(path, ["a"])


def test_a_select_may_read_the_name_and_the_day_of_its_file(make_ingest: Any, tmp_path: Path) -> None:
    yml = "time_zone: UTC\nstreams:\n  sales:\n    columns: [id]\n    feeds:\n      orders: {sql: o.sql, records: true}\n"
    sql = (
        "select record_number, id as order_id, delivery_date as ordered_at, 'EUR' as currency_code, file_name as account_id,"
        " '1.00' as net_amount from source"
    )
    ingest = make_ingest(mappings=write_system(tmp_path / "mappings", "till", yml, o=sql))
    ingest.deliver("till/sales/2026-01-02/shop 7.csv", "id\n1\n2\n")
    ingest.deliver("till/sales/2026-01-02/b.csv", "id,file_name\n4,x\n")
    ingest.walk()
    found = ingest.all("select order_id, account_id, ordered_at::date::varchar from lake.orders order by 1")
    assert found == [("1", "shop 7.csv", "2026-01-02"), ("2", "shop 7.csv", "2026-01-02"), ("4", "b.csv", "2026-01-02")]
