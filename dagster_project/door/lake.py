"""The accepted lake as relations of a warehouse: schema `lake`, one view per feed over explicit file lists.

Holds registration only; a view never uses a glob, so a file that the ledger does not know cannot be seen. The delivery
date of a batch is the latest day on which its content was delivered, whatever the order of loading.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.assumptions import Assumptions
from dagster_project.door.casting import literal
from dagster_project.door.contracts import Contract, feeds, load_contract
from dagster_project.door.ledger import Ledger
from dagster_project.errors import InfrastructureError, UsageError

ALL_ENTITIES = "COMPANY"
NO_CURRENCY = "XXX"  # ISO 4217: no currency is involved
_ACCEPTED = """
select b.feed, b.batch_id, b.path, b.rows, b.is_numbered, max(d.delivery_date)
from batches b
join deliveries o on o.file_id = b.file_id
join deliveries d on d.status in ('accepted', 'duplicate') and d.system = o.system and d.stream = o.stream and d.sha256 = o.sha256
where b.status = 'accepted'
group by b.batch_key
order by b.feed, b.batch_id
"""
_MONEY_FEEDS = ("ledger_actuals", "budgets", "orders")


def register_lake(connection: duckdb.DuckDBPyConnection, home: Path, ledger: Ledger, assumptions: Assumptions, zones: set[str]) -> None:
    """Create or replace every relation of schema `lake`: 13 feeds, `batches`, `feed_presence`, `run_parameters`.

    `zones` are the time zones that the mappings of the delivered systems declare (`Mappings.zones`).

    Raises
    ------
    UsageError
        Several currencies or time zones and no assumption that chooses one.
    InfrastructureError
        A file that the ledger names is gone from the lake.
    """
    batches = ledger.rows(_ACCEPTED)
    zone = assumptions.company_time_zone or _only("company_time_zone", zones, "UTC")
    connection.execute("create schema if not exists lake")
    names = ("batch_id", "feed", "row_count", "delivery_date")
    columns = [(row[1], row[0], row[3], row[5]) for row in batches]
    table = pa.table(
        {name: pa.array([row[at] for row in columns], pa.int64() if name == "row_count" else pa.string()) for at, name in enumerate(names)}
    )
    connection.register("_batches", table)
    connection.execute(
        "create or replace table lake.batches as select batch_id, feed, row_count, delivery_date::date as delivery_date"
        " from _batches order by feed, batch_id"
    )
    connection.unregister("_batches")
    files: dict[str, dict[bool, list[str]]] = defaultdict(lambda: defaultdict(list))
    for feed, _, path, _, is_numbered, _ in batches:
        files[feed][bool(is_numbered)].append(str(home / path))
    for feed in feeds():
        try:
            connection.execute(f"create or replace view lake.{feed} as {_view_sql(load_contract(feed), files[feed])}")
        except duckdb.IOException as error:
            raise InfrastructureError(f"lake of {feed}: {error}; remedy: load into an empty home, or restore the file") from error
    present = ", ".join(
        f"({literal(feed)}, {str(feed in files and bool(files[feed])).lower()}, {sum(row[3] for row in batches if row[0] == feed)})"
        for feed in feeds()
    )
    connection.execute(f"create or replace table lake.feed_presence as select * from (values {present}) as t (feed, is_present, row_count)")
    connection.execute("alter table lake.feed_presence alter row_count type bigint")
    _register_parameters(connection, assumptions, zone, max((row[5] for row in batches), default=None))


def _view_sql(contract: Contract, files: dict[bool, list[str]]) -> str:
    columns = ", ".join(contract.names)
    parts = []
    for is_numbered, paths in sorted(files.items()):
        listed = ", ".join(map(literal, paths))
        number = "record_number" if is_numbered else "file_row_number + 1"
        parts.append(f"select {columns}, source_system, batch_id, {number} as record_number, row_hash from read_parquet([{listed}])")
    if not parts:
        typed = ", ".join(f"null::{column.sql_type} as {column.name}" for column in contract.columns)
        return (
            f"select {typed}, null::varchar as source_system, null::varchar as batch_id, null::bigint as record_number,"
            " null::bigint as row_hash,"
            " null::date as delivery_date where false"
        )
    return f"select r.*, b.delivery_date from ({' union all '.join(parts)}) as r join lake.batches as b using (batch_id)"


def _register_parameters(connection: duckdb.DuckDBPyConnection, assumptions: Assumptions, zone: str, latest: str | None) -> None:
    code = assumptions.reporting_currency_code or _currency(connection)
    connection.execute(
        """create or replace table lake.run_parameters as select
            $code::varchar as reporting_currency_code, $zone::varchar as company_time_zone, $entity::varchar as legal_entity,
            $first_month::integer as fiscal_year_start_month, $activity::integer as activity_window_days,
            $offer::integer as offer_window_days, $taken_back::integer as taken_back_days,
            $tier_a::decimal(9, 4) as tier_a_share, $tier_b::decimal(9, 4) as tier_b_share, $top::decimal(9, 4) as top_customer_share,
            $target::decimal(9, 4) as value_share_target, $latest::date as latest_delivery_date, $sha256::varchar as assumptions_sha256""",
        {
            "code": code, "zone": zone, "entity": assumptions.legal_entity or _entity(connection),
            "first_month": assumptions.fiscal_year_start_month,
            "activity": assumptions.activity_window_days, "offer": assumptions.offer_window_days,
            "taken_back": assumptions.taken_back_days, "tier_a": assumptions.tier_a_share,
            "tier_b": assumptions.tier_b_share, "top": assumptions.top_customer_share, "target": assumptions.value_share_target,
            "latest": latest, "sha256": assumptions.content_hash(),
        },
    )  # fmt: skip


def _currency(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the one currency of the first money feed that is present: ledger, else budgets, else orders."""
    for feed in _MONEY_FEEDS:
        codes = {row[0] for row in connection.execute(f"select distinct currency_code from lake.{feed}").fetchall()}
        if codes:
            return _only("reporting_currency_code", codes, NO_CURRENCY)
    return NO_CURRENCY


def _entity(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the one legal entity of the ledger, else of the budgets; several or none are reported together."""
    for feed in ("ledger_actuals", "budgets"):
        found = [row[0] for row in connection.execute(f"select distinct legal_entity from lake.{feed}").fetchall()]
        if found:
            return str(found[0]) if len(found) == 1 else ALL_ENTITIES
    return ALL_ENTITIES


def _only(name: str, found: set[str], absent: str) -> str:
    if len(found) > 1:
        raise UsageError(
            f"{name}: the feeds name several ({', '.join(sorted(found))}); remedy: choose one in the assumptions file (ROI_ASSUMPTIONS)"
        )
    return next(iter(found), absent)
