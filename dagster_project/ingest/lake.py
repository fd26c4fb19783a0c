"""The accepted lake as relations of a warehouse: schema `lake`, one view per feed over explicit file lists.

Holds registration only; what the ledger does not know cannot be seen. The delivery date of a batch is the latest day on
which its content was delivered, whatever the order of loading. A key belongs to the system that mints it or to the company: the
contract says which, a mapping may say otherwise; `key_scope` of a row is the system's name, or empty for the company.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from dagster_project.assumptions import Assumptions
from dagster_project.contracts.model import feeds, load_contract
from dagster_project.engines.engine import Engine
from dagster_project.engines.lake_files import Withdrawals
from dagster_project.engines.types import arrow_type
from dagster_project.errors import UsageError
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger, lake_file

ALL_ENTITIES = "COMPANY"
NO_CURRENCY = "XXX"  # ISO 4217: no currency is involved
_ACCEPTED = """
select b.feed, b.batch_id, b.path, b.lacks, b.rows, o.system, d.delivery_date, 0, null, d.path, b.batch_key
from batches b
join deliveries o on o.file_id = b.file_id
join deliveries d on d.status in ('accepted', 'duplicate') and d.system = o.system and d.stream = o.stream and d.sha256 = o.sha256
where b.status = 'accepted' and instr(b.feed, '.') = 0  -- older homes kept copies of looked-up streams
union all
select b.feed, b.batch_id, b.path, b.lacks, b.rows, c.system, c.delivery_date, c.change_number, b.withdrawn_path, '', b.batch_key
from batches b
join changes c on c.change_number = b.change_number
where b.status = 'accepted'
order by 1, 2
"""
_MONEY_FEEDS = ("ledger_actuals", "budgets", "orders")
_BATCHES = {
    "batch_id": pa.string(), "feed": pa.string(), "row_count": pa.int64(), "source_system": pa.string(), "delivery_date": pa.date32(),
    "change_number": pa.int64(), "file_order": pa.string(), "key_scope": pa.string(), "withdrawn_file": pa.string(),
}  # fmt: skip
_PRESENCE = {"feed": pa.string(), "is_present": pa.bool_(), "row_count": pa.int64()}
_SHARE = pa.decimal128(9, 4)
_PARAMETERS = {
    "reporting_currency_code": pa.string(), "company_time_zone": pa.string(), "legal_entity": pa.string(),
    "fiscal_year_start_month": pa.int32(), "activity_window_days": pa.int32(), "offer_window_days": pa.int32(),
    "taken_back_days": pa.int32(), "tier_a_share": _SHARE, "tier_b_share": _SHARE, "top_customer_share": _SHARE,
    "value_share_target": _SHARE, "handle_limit_seconds": pa.int64(),
    "document_difference_limit_amount": pa.decimal128(18, 2), "latest_delivery_date": pa.date32(),
    "assumptions_sha256": pa.string(),
}  # fmt: skip


@dataclass(frozen=True)
class AcceptedBatch:
    """One typed file of the lake; `path` below the home folder, `delivery_date` the latest day its content was delivered.

    A batch of one delivered file has its `file_path` below the landing folder, that of the latest delivery of its content. A batch of
    a run over source tables has a `change_number` from 1 instead: of two versions of a key in one system the greater wins. Its keys
    that are taken back are in the Parquet file `withdrawn_path` (columns: the key of the feed; below the home folder; None where there
    are none). Such a file has the columns `delivery_date` and `record_number` of its own.
    """

    feed: str
    batch_id: str
    path: str
    lacks: str
    rows: int
    source_system: str
    delivery_date: date
    change_number: int
    withdrawn_path: str | None
    file_path: str

    @property
    def file_order(self) -> str:
        """Text that sorts as the files are numbered: `2.csv` before `10.csv`; empty where no file made the batch."""
        return re.sub("[0-9]+", lambda digits: digits[0].zfill(12), self.file_path)


def register_lake(
    engine: Engine,
    home: Path,
    ledger: Ledger,
    assumptions: Assumptions,
    zones: set[str],
    scopes: Mapping[tuple[str, str], str] | None = None,
) -> None:
    """Create or replace every relation of schema `lake`: every contracted feed, `batches`, `feed_presence`, `run_parameters`.

    `zones` are the time zones that the mappings of the delivered systems declare (`Mappings.zones`); `scopes` are their words on whose
    keys a system delivers (`key_scopes`), where they differ from the contract.

    Raises
    ------
    UsageError
        Several currencies or time zones and no assumption that chooses one.
    InfrastructureError
        A file that the ledger names is gone from the lake.
    """
    zone = assumptions.company_time_zone or _only("company_time_zone", zones, "UTC")
    batches = accepted_batches(ledger)
    told = [
        (
            batch.batch_id, batch.feed, batch.rows, batch.source_system, batch.delivery_date, batch.change_number, batch.file_order,
            _scope(batch, scopes or {}), None if batch.withdrawn_path is None else Path(batch.withdrawn_path).stem,
        )
        for batch in batches
    ]  # fmt: skip
    _replace(engine, "lake.batches", _BATCHES, told)
    show_feeds(engine, home, "lake", batches)
    here = {feed: [batch.rows for batch in batches if batch.feed == feed] for feed in feeds()}
    _replace(engine, "lake.feed_presence", _PRESENCE, [(feed, bool(rows), sum(rows)) for feed, rows in here.items()])
    ((day,),) = ledger.rows("select max(delivery_date) from deliveries where status in ('accepted', 'duplicate')")
    values = assumptions.model_dump() | {
        "reporting_currency_code": assumptions.reporting_currency_code or _currency(engine),
        "company_time_zone": zone,
        "legal_entity": assumptions.legal_entity or _entity(engine),
        "latest_delivery_date": None if day is None else date.fromisoformat(day),
        "assumptions_sha256": assumptions.content_hash(),
    }
    _replace(engine, "lake.run_parameters", _PARAMETERS, [tuple(values[name] for name in _PARAMETERS)])


def key_scopes(mappings: Mappings, systems: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return what the mappings of these systems say of the keys of a feed, by system and feed: `system` or `company`.

    Raises
    ------
    UsageError
        Two streams of a system say different things of one feed.
    """
    said: dict[tuple[str, str], str] = {}
    for system in systems:
        for name, stream in mappings.system(system).file.streams.items():
            for feed in stream.feeds if stream.key_scope else ():
                if said.setdefault((system, feed), str(stream.key_scope)) != stream.key_scope:
                    raise UsageError(
                        f"mapping {system}: stream {name}: key_scope of feed {feed} differs from another stream's; remedy: say one"
                    )
    return said


def accepted_batches(ledger: Ledger) -> list[AcceptedBatch]:
    """Return every batch that the ledger knows as accepted, by feed and batch."""
    latest: dict[int, AcceptedBatch] = {}
    for feed, batch, path, lacks, rows, system, day, change, withdrawn, file_path, key in ledger.rows(_ACCEPTED):
        found = AcceptedBatch(feed, batch, path, lacks, rows, system, date.fromisoformat(day), change, withdrawn, file_path)
        if key not in latest or _order(latest[key]) < _order(found):
            latest[key] = found
    return list(latest.values())


def _order(batch: AcceptedBatch) -> tuple[date, str]:
    return batch.delivery_date, batch.file_order


def _scope(batch: AcceptedBatch, scopes: Mapping[tuple[str, str], str]) -> str:
    if batch.feed not in feeds():  # a stream that is only looked up
        return batch.source_system
    said = scopes.get((batch.source_system, batch.feed), load_contract(batch.feed).key_scope)
    return batch.source_system if said == "system" else ""


def show_feeds(engine: Engine, home: Path, schema: str, batches: Sequence[AcceptedBatch]) -> None:
    """Make one view per feed over the files of these batches, in a schema that is made where it is missing."""
    engine.run(f"create schema if not exists {schema}")
    for feed in feeds():
        contract = load_contract(feed)
        columns = pa.schema([(column.name, arrow_type(column.sql_type)) for column in contract.columns])
        own = [batch for batch in batches if batch.feed == feed]
        files = [replace(lake_file(home, batch.path, batch.lacks), is_dated=batch.change_number > 0) for batch in own]
        withdrawn = tuple(home / batch.withdrawn_path for batch in own if batch.withdrawn_path is not None)
        engine.show_feed(f"{schema}.{feed}", columns, files, Withdrawals(contract.primary_key, withdrawn))


def _replace(engine: Engine, table: str, columns: dict[str, pa.DataType], rows: list[tuple[Any, ...]]) -> None:
    arrays = [pa.array([row[at] for row in rows], kind) for at, kind in enumerate(columns.values())]
    engine.replace(table, pa.schema(list(columns.items())), [pa.table(arrays, names=list(columns))])


def _currency(engine: Engine) -> str:
    """Return the one currency of the first money feed that is present: ledger, else budgets, else orders."""
    for feed in _MONEY_FEEDS:
        codes = {str(code) for (code,) in engine.rows(f"select distinct currency_code from lake.{feed} where not is_withdrawn")}
        if codes:
            return _only("reporting_currency_code", codes, NO_CURRENCY)
    return NO_CURRENCY


def _entity(engine: Engine) -> str:
    """Return the one legal entity of the ledger, else of the budgets; several or none are reported together."""
    for feed in ("ledger_actuals", "budgets"):
        found = [str(entity) for (entity,) in engine.rows(f"select distinct legal_entity from lake.{feed} where not is_withdrawn")]
        if found:
            return found[0] if len(found) == 1 else ALL_ENTITIES
    return ALL_ENTITIES


def _only(name: str, found: set[str], absent: str) -> str:
    if len(found) > 1:
        raise UsageError(
            f"{name}: the feeds name several ({', '.join(sorted(found))}); remedy: choose one in the assumptions file (ROI_ASSUMPTIONS)"
        )
    return next(iter(found), absent)
