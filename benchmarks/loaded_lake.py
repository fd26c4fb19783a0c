"""Schema `lake` over tables that another loader made in schema `raw`: views with the columns that the dbt models read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from dagster_project.assumptions import load_assumptions
from dagster_project.contracts.model import Contract, feeds, load_contract
from dagster_project.ingest.lake import REGISTERED

# What the product's lake says of each row besides the contract's columns: values of a company whose sources delivered every row once.
_TOLD = "0::bigint as change_number, ''::varchar as file_order, 'canonical'::varchar as key_scope, false as is_withdrawn"


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
        sources = " union all ".join(f"select 'canonical/{feed}', '{feed}', max(delivery_date) from arrived.{feed}" for feed in feeds())
        connection.execute(
            f"create or replace table lake.sources as select * from ({sources}) as s (source_name, feed, last_delivery_date)"
        )
        connection.execute("delete from lake.sources where last_delivery_date is null")
        values: dict[str, Any] = load_assumptions().model_dump(exclude={"quarantine_threshold_rate", "ended_sources"})
        ((latest,),) = connection.execute("select max(last_delivery_date) from lake.sources").fetchall()
        values |= {"reporting_currency_code": "EUR", "company_time_zone": "UTC", "legal_entity": "DEMO", "assumptions_sha256": "bench"}
        values["latest_delivery_date"] = latest
        values |= {name: ",".join(value) for name, value in values.items() if isinstance(value, tuple)}
        declared = REGISTERED["run_parameters"].empty_table()
        connection.register("declared", declared)
        connection.execute("create or replace table lake.run_parameters as from declared")
        marks = ", ".join("?" * declared.num_columns)
        connection.execute(f"insert into lake.run_parameters values ({marks})", [values[name] for name in declared.column_names])


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
            f" null::date as delivery_date, {_TOLD} where false"
        )
    hashed = ", ".join(sorted(found & set(contract.names)))
    return (
        f"select {typed}, 'canonical'::varchar as source_system, source_file as batch_id, (hash({hashed}) >> 1)::bigint as row_hash,"
        f" rowid as record_number, parse_path(source_file)[-2]::date as delivery_date, {_TOLD} from raw.{contract.feed}"
    )
