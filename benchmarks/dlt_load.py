"""What the ecosystem suggests for loading: dlt, each feed as typed Arrow batches through its Parquet loader into one DuckDB file.

Run as `python -m benchmarks.dlt_load LANDING FILE.duckdb FOLDER`. Afterwards schema `lake` has a view for each feed with the
columns that the dbt models read, so that `dbt build --exclude service_roi.reporting` makes the same marts on it. It checks no record,
keeps no ledger of files and quarantines nothing. Needs the dependency group `bench`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
import duckdb
import pyarrow as pa

from dagster_project.assumptions import load_assumptions
from dagster_project.contracts.model import Contract, feeds, load_contract

ROWS = 200_000


def files_of(landing: Path, feed: str) -> list[Path]:
    """All files of a feed, in the order of delivery."""
    return sorted((landing / "canonical" / feed).glob("*/*.csv"))


def batches(landing: Path, contract: Contract) -> Iterator[pa.Table]:
    """Typed rows of all files of a feed, with the file each came from."""
    files = files_of(landing, contract.feed)
    header = files[0].open(encoding="utf-8").readline().rstrip("\n").replace('"', "").split(",")
    types = ", ".join(f"{name}: '{contract.column(name).sql_type}'" for name in header)
    names = ", ".join(f"'{file}'" for file in files)
    with duckdb.connect(config={"threads": "2"}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.execute(
            f"select * from read_csv([{names}], columns = {{{types}}}, auto_detect = false, header = true, delim = ',', quote = '\"',"
            " escape = '\"', nullstr = '', filename = 'source_file')"
        )
        yield from (pa.Table.from_batches([batch]) for batch in rows.to_arrow_reader(ROWS))


def load(landing: Path, database: Path, folder: Path) -> list[str]:
    """Load every feed that was delivered and return their names."""
    delivered = [feed for feed in feeds() if files_of(landing, feed)]
    pipeline = dlt.pipeline(
        "service_roi_bench", pipelines_dir=str(folder), destination=dlt.destinations.duckdb(str(database)), dataset_name="raw"
    )
    resources = [dlt.resource(batches(landing, load_contract(feed)), name=feed, write_disposition="replace") for feed in delivered]
    pipeline.run(resources, loader_file_format="parquet").raise_on_failed_jobs()
    return delivered


def show_lake(database: Path, delivered: list[str]) -> None:
    """Make what the models read: views with the contract's columns, presence of feeds and parameters of the run."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema if not exists lake")
        connection.execute("create schema if not exists arrived")
        for feed in feeds():
            contract = load_contract(feed)
            connection.execute(f"create or replace view arrived.{feed} as {_view(connection, contract, is_delivered=feed in delivered)}")
            connection.execute(f"create or replace view lake.{feed} as from arrived.{feed}")
        presence = " union all ".join(f"select '{feed}', {feed in delivered}, 0::bigint" for feed in feeds())
        connection.execute(f"create or replace table lake.feed_presence (feed, is_present, row_count) as {presence}")
        values: dict[str, Any] = load_assumptions().model_dump(exclude={"quarantine_threshold_rate"})
        latest = connection.execute("select max(delivery_date) from arrived.tickets").fetchone()
        values |= {"reporting_currency_code": "EUR", "company_time_zone": "UTC", "legal_entity": "DEMO", "assumptions_sha256": "bench"}
        values["latest_delivery_date"] = latest[0] if latest else None
        listed = ", ".join(f"{_literal(value)} as {name}" for name, value in values.items())
        connection.execute(f"create or replace table lake.run_parameters as select {listed}")


def _view(connection: duckdb.DuckDBPyConnection, contract: Contract, *, is_delivered: bool) -> str:
    found = set()
    if is_delivered:
        found = {name for (name,) in connection.execute(f"select column_name from (describe raw.{contract.feed})").fetchall()}
    columns = []
    for column in contract.columns:
        value = f"{column.name}::{column.sql_type}" if column.name in found else f"null::{column.sql_type}"
        given = value if column.default is None else f"coalesce({value}, '{column.default}')"
        columns.append(f"{given} as {column.name}")
    typed = ", ".join(columns)
    if not is_delivered:
        return (
            f"select {typed}, ''::varchar as source_system, ''::varchar as batch_id, 0::bigint as row_hash, 0::bigint as record_number,"
            " null::date as delivery_date where false"
        )
    hashed = ", ".join(sorted(found & set(contract.names)))
    return (
        f"select {typed}, 'canonical'::varchar as source_system, source_file as batch_id, (hash({hashed}) >> 1)::bigint as row_hash,"
        f" rowid as record_number, parse_path(source_file)[-2]::date as delivery_date from raw.{contract.feed}"
    )


def _literal(value: object) -> str:
    if isinstance(value, int):
        return f"{value}::integer"
    if isinstance(value, date):
        return f"date '{value}'"
    return f"'{value}'" if isinstance(value, str) else f"{value}::decimal(9, 4)"


def main(landing: Path, database: Path, folder: Path) -> dict[str, object]:
    """Load, show the lake, and say how long each took."""
    start = time.perf_counter()
    delivered = load(landing, database, folder)
    loaded = time.perf_counter()
    show_lake(database, delivered)
    return {"seconds": {"dlt": round(loaded - start, 2), "views": round(time.perf_counter() - loaded, 2)}, "feeds": len(delivered)}


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:]))))
