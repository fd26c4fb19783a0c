"""What a SELECT of a mapping may cost, and that the key of hashes is not there while it runs.

Breaks: a third party's mapping that fills memory or disk or never ends; one that finds the key although the list of functions let it by.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import InfrastructureError, ServiceRoiError, UsageError
from dagster_project.ingest.mapping import limits, sandbox
from dagster_project.ingest.mapping.limits import Limits, bytes_of, guarded
from dagster_project.ingest.mapping.sandbox import checked_select, open_sandbox
from dagster_project.ingest.pii.masking import use_key, without_key
from dagster_project.settings import load_settings
from tests.ingest.mapping_files import write_system

SALES = "number,day,customer,net\n1,2026-01-01T10:00:00Z,a1,1.00\n2,2026-01-01T10:00:00Z,a1,2.00\n"
ORDER = "record_number, number as order_id, day as ordered_at, 'EUR' as currency_code, net as net_amount"
DOUBLED = ", ".join(["x0 as (select *, number || repeat('x', 10000) as long from source)"] + [
    f"x{at} as (select * replace (long || long as long) from x{at - 1})" for at in range(1, 41)
])  # fmt: skip
COSTLY = {
    "computes for ever": f"select {ORDER}, (select count(*) from range(10000), range(10000), range(10000))::varchar as account_id"
    " from source",
    "returns rows without end": f"select {ORDER}, customer as account_id from source, range(10000), range(10000), range(10000)",
    "doubles a text": f"with {DOUBLED} select {ORDER}, left(long, 3) as account_id from x40",
    "makes lists of lists": f"select {ORDER}, len(list_transform(range(10000), x -> list_transform(range(10000), y ->"
    " repeat(number, 10000))))::varchar as account_id from source",
}


def select_of(tmp_path: Path, sql: str) -> Path:
    path = tmp_path / "orders.sql"
    path.write_text(sql, encoding="utf-8")
    return path


@pytest.mark.fault("S15")
@pytest.mark.parametrize(
    ("kind", "key"), [*((kind, "    key: [number]\n") for kind in COSTLY), ("computes for ever", ""), ("doubles a text", "")]
)
def test_a_select_that_costs_too_much_ends_with_its_name_and_the_setting(
    make_ingest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, key: str
) -> None:
    monkeypatch.setattr(limits, "_ROOM", 256 << 20)
    yml = (
        f"time_zone: UTC\nstreams:\n  sales:\n{key}    columns: [number, day, customer, net]\n"
        "    feeds:\n      orders: {sql: orders.sql, records: true}\n"
    )
    ingest = make_ingest(
        mappings=write_system(tmp_path / "mappings", "till", yml, orders=COSTLY[kind]), mapping_seconds=1.0, memory_limit="256MB"
    )
    ingest.deliver("till/sales/2026-01-02/a.csv", SALES)
    began = time.process_time()
    with pytest.raises(ServiceRoiError, match=r"orders\.sql: .*remedy: .*ROI_M(APPING|EMORY)_") as ended:
        ingest.walk()
    assert isinstance(ended.value, UsageError | InfrastructureError)
    assert time.process_time() - began < 60
    assert not [path for path in (ingest.settings.home / "lake").rglob("*") if path.is_file()]


@pytest.mark.fault("S15")
@pytest.mark.parametrize(
    "sql", ["repeat('x', 2000000000)", "(select max(x) from range(100000000000) as t (x))::varchar", "repeat(number, number::int)"]
)
def test_a_count_that_is_not_small_is_refused_before_anything_runs(tmp_path: Path, sql: str) -> None:
    began = time.process_time()
    with pytest.raises(UsageError, match=r"orders\.sql:1: .* only with a count that is written out"):
        checked_select(select_of(tmp_path, f"select {ORDER}, {sql} as account_id from source"), ["number", "day", "net"])
    assert time.process_time() - began < 5


@pytest.mark.fault("S15")
def test_a_constant_that_the_check_itself_would_compute_for_ever_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "Limits", lambda: Limits(seconds=0.5))
    monkeypatch.setattr(limits, "_ROOM", 128 << 20)
    long = "replace(" * 3 + "repeat('a', 10000)" + ", 'a', repeat('a', 10000))" * 3
    with pytest.raises(ServiceRoiError, match=r"orders\.sql: .*remedy: .*ROI_M(APPING|EMORY)_"):
        checked_select(select_of(tmp_path, f"select {ORDER}, strlen({long})::varchar as account_id from source"), ["number", "day", "net"])


def test_the_limit_of_memory_is_given_back_and_other_errors_pass(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open_sandbox([], None, threads=1, memory_limit="256MB") as connection:
        with guarded(connection, tmp_path, Limits()):
            assert resource.getrlimit(resource.RLIMIT_AS)[0] > 0
        with pytest.raises(duckdb.ConversionException), guarded(connection, tmp_path, Limits()):
            connection.execute("select 'x'::int").fetchall()
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_time_is_what_the_process_computes_and_not_what_the_clock_says(tmp_path: Path) -> None:
    with open_sandbox([], None, threads=1, memory_limit="256MB") as connection, guarded(connection, tmp_path, Limits(seconds=0.4)):
        time.sleep(0.8)
        assert connection.execute("select 1").fetchall() == [(1,)]


@pytest.mark.parametrize(("size", "expected"), [("4GB", 4_000_000_000), ("512MiB", 512 << 20), ("1.5 gb", 1_500_000_000), ("100", 100)])
def test_sizes_are_read_as_the_engine_reads_them(size: str, expected: int) -> None:
    assert bytes_of(size) == expected


def test_a_size_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match="memory_limit: plenty is no size"):
        bytes_of("plenty")


@pytest.mark.parametrize("setting", ["mapping_seconds", "mapping_rows"])
def test_a_limit_of_nothing_is_refused(setting: str) -> None:
    with pytest.raises(UsageError, match=setting):
        load_settings(**{setting: 0})


@pytest.mark.fault("S12")
@pytest.mark.parametrize("key", ["", "    key: [number]\n"], ids=["read by itself", "kept in a table"])
@pytest.mark.parametrize("feed", ["orders", "contacts"])
def test_the_key_is_not_there_while_a_select_runs_even_if_every_function_were_allowed(
    make_ingest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feed: str, key: str
) -> None:
    """The list of functions is taken away, and a delivery that needs the key comes along."""
    monkeypatch.setattr(sandbox, "check_statement", lambda *_: None)
    stolen = "(select coalesce(string_agg(name || '=' || hex(value::blob), ';'), 'nothing') from query('from duckdb_vari' || 'ables()'))"
    columns = {
        "orders": f"{ORDER}, {stolen} as account_id",
        "contacts": f"record_number, number as contact_id, {stolen} as account_id, customer || '@x.example' as email_hash",
    }
    yml = (
        f"time_zone: UTC\nstreams:\n  sales:\n{key}    columns: [number, day, customer, net]\n"
        f"    feeds:\n      {feed}: {{sql: {feed}.sql, records: true}}\n"
    )
    mappings = write_system(tmp_path / "mappings", "till", yml, **{feed: f"select {columns[feed]} from source"})
    ingest = make_ingest(mappings=mappings)
    ingest.deliver("till/sales/2026-01-02/a.csv", SALES)
    ingest.deliver("canonical/contacts/2026-01-02/a.csv", "contact_id,account_id,email_hash\nc1,a9,jane@x.example\n")
    ingest.walk()
    found = ingest.all(f"select distinct account_id from lake.{feed} where source_system = 'till'")
    assert found == [("nothing",)]
    if feed == "contacts":
        hashes = [value for (value,) in ingest.all("select distinct email_hash from lake.contacts")]
        assert all(hashes)
        assert len(hashes) == 2


def test_the_key_comes_back_after_a_select() -> None:
    with open_sandbox([Path("/tmp")], None, threads=1, memory_limit="256MB") as connection:
        use_key(connection, b"k")
        before = connection.execute("select keyed_hash('x')").fetchall()
        with without_key(connection):
            assert connection.execute("select keyed_hash('x')").fetchall() == [(None,)]
        assert connection.execute("select keyed_hash('x')").fetchall() == before
