"""A warehouse of a few months, published by month, and what a full publish would serve."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.publish.copying import Copy
from dagster_project.publish.increment import Changed
from dagster_project.publish.publisher import Published, publish
from dagster_project.publish.reader import open_current
from dagster_project.publish.source import WarehouseFile
from dagster_project.publish.versions import is_complete, published_folder, read_manifest, read_pointer

Month = date | None
Rows = dict[Month, list[int]]
MONTHLY = frozenset({"marts.fct_sale", "marts.mart_share"})
JULY, AUGUST, SEPTEMBER, OCTOBER = (date(2026, month, 1) for month in (7, 8, 9, 10))
START: Rows = {JULY: [1, 2, 3], AUGUST: [4, 5], SEPTEMBER: [6], None: [7, 8]}
POINTS = ("publish_built", "publish_copied", "publish_verified", "publish_exports", "publish_pointer", "publish_path")


def build(home: Path, rows: Rows, *, columns: str = "sale_id bigint not null, net_amount integer, period_month date") -> None:
    """Write a warehouse: a monthly table, a monthly view over it that no month but `readable` may be read from, a total, ops."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "warehouse.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(f"create schema marts; create schema ops; create schema lake; create table marts.fct_sale ({columns})")
        for month, values in rows.items():
            for value in values:
                cell = "null" if month is None else f"date '{month}'"
                connection.execute(f"insert into marts.fct_sale (sale_id, net_amount, period_month) values ({value}, {value * 10}, {cell})")
        connection.execute("""
            create view marts.mart_share as select sale_id, net_amount * 0.5 as half_amount, period_month from warehouse.marts.fct_sale;
            create table marts.mart_total as select count(*) as sale_count, sum(net_amount) as net_amount from marts.fct_sale;
            create table ops.load_ledger as select 1 as file_id;
        """)


def put(home: Path, changed: Changed | None = None, **options: Any) -> Published:
    given: dict[str, Any] = {"run_id": "r", "inputs_sha256": "a" * 64, "data_as_of": None, "monthly": MONTHLY} | options
    return publish(home, WarehouseFile(home / "warehouse.duckdb"), changed=changed, **given)


def since(home: Path, *months: Month) -> Changed:
    pointer = read_pointer(home)
    assert pointer is not None
    return Changed(pointer.stem, dict.fromkeys(MONTHLY, frozenset(months)))


def tables(home: Path) -> dict[str, list[Any]]:
    """Every row of every table of the served file."""
    connection, pointer = open_current(home)
    with connection:
        return {name: sorted(connection.execute(f"from {name}").fetchall(), key=str) for name in pointer.tables}


def exports(home: Path) -> dict[str, list[Any]]:
    """Every row of every table as its Parquet files hold them, by the list in the manifest."""
    pointer = read_pointer(home)
    assert pointer is not None
    folder = published_folder(home) / pointer.stem
    found = {}
    for name, entry in read_manifest(home, pointer.stem)["tables"].items():
        files = [str(folder / file["file"]) for file in entry["files"]]
        assert all(Path(file).stat().st_size == reported["bytes"] for file, reported in zip(files, entry["files"], strict=True))
        found[name] = sorted(duckdb.sql(f"select * from read_parquet({files}, hive_partitioning = false)").fetchall(), key=str)
    return found


def measures(home: Path) -> dict[str, Any]:
    pointer = read_pointer(home)
    assert pointer is not None
    reported = read_manifest(home, pointer.stem)["tables"]
    return {name: {key: value for key, value in entry.items() if key != "files"} for name, entry in reported.items()}


def assert_as_in_full(home: Path, published: Published) -> None:
    """The served version says and holds what a full publish of the same warehouse into an empty home says and holds."""
    full = home.parent / f"{home.name}-full"
    shutil.rmtree(full, ignore_errors=True)
    full.mkdir()
    shutil.copyfile(home / "warehouse.duckdb", full / "warehouse.duckdb")
    expected = put(full).pointer
    assert published.pointer.content_hash == expected.content_hash
    assert published.pointer.stem.rpartition("-")[2] == expected.stem.rpartition("-")[2]
    assert published.pointer.tables == expected.tables
    assert measures(home) == measures(full)
    assert tables(home) == tables(full)
    assert exports(home) == exports(full)
    assert read_pointer(home) == published.pointer
    assert is_complete(home, published.pointer)


def fills(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Record which months each copy had to renew; an empty entry is a full publish."""
    plans: list[dict[str, Any]] = []
    fill = Copy.fill

    def recorded(copy: Copy, tables: Any, plan: Any) -> None:
        plans.append({name: set(keys) for name, keys in plan.items()})
        fill(copy, tables, plan)

    monkeypatch.setattr(Copy, "fill", recorded)
    return plans
