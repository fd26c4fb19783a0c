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
from dagster_project.engines.described import declared
from dagster_project.engines.engine import Engine
from dagster_project.engines.lake_files import Withdrawals
from dagster_project.engines.types import arrow_type
from dagster_project.errors import UsageError
from dagster_project.ingest.mapping.systems import CANONICAL, Mappings
from dagster_project.ingest.presence import named_now, presence_of
from dagster_project.ledger.store import OF_SOURCES, Ledger, lake_file

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
REGISTERED = {
    "feed_presence": declared(
        "One row per feed, whether it came, and how many rows it delivered.",
        """
        feed string
        is_present boolean A file that carries the feed was delivered, also one without rows; of a feed made of other records, a row counts.
        row_count bigint Rows delivered, all versions.
        """,
    ),
    "sources": declared(
        "One row per source and feed it delivers, with the latest day of delivery; sources that ended are excluded.",
        """
        source_name string System that exports the feed; canonical/<feed> where the feed comes by itself.
        feed string
        last_delivery_date date Latest day of delivery; months up to there wait for nothing of the source.
        """,
    ),
    "run_parameters": declared(
        "One row, the assumptions and the resolved currency, zone and entity of this run.",
        """
        reporting_currency_code string Currency of all amounts without transaction in their name (ISO 4217).
        company_time_zone string Zone in which instants become dates (IANA).
        legal_entity string The one legal entity of the ledger or the budgets; COMPANY where there are none or several.
        fiscal_year_start_month int Month number with which fiscal years begin, where no fiscal periods are delivered.
        activity_window_days int Days after an order for which its customer counts as active.
        offer_window_days int Days after the interaction within which an order that accepts its offer counts.
        taken_back_days int Days within which an order refunded in full makes nobody an active customer.
        tier_a_share decimal(9,4) Share of the positive margin that tier A holds.
        tier_b_share decimal(9,4) Share of the positive margin that tiers A and B hold.
        top_customer_share decimal(9,4) Share of the customers that 20 means in 80/20.
        value_share_target decimal(9,4) Share of the value that 80 means in 80/20.
        handle_limit_seconds bigint Longest time in seconds for which one contact draws cost.
        immediate_survey_minutes int Minutes after a call or chat within which a survey about it asks at once.
        immediate_survey_other_minutes int The same for all other channels.
        acsi_overall_weight decimal(9,4) Weight of overall satisfaction in the ACSI; null where none is believed.
        acsi_expectation_weight decimal(9,4) Weight of the comparison with what was expected.
        acsi_ideal_weight decimal(9,4) Weight of the comparison with the ideal.
        answer_target_seconds bigint Seconds within which a contact should be answered, where no standard says otherwise.
        short_abandon_seconds bigint Seconds below which an abandoned contact is short.
        company_country_code string Country whose telephones ring (ISO 3166); null where it is not chosen.
        small_customer_gap_share decimal(9,4) Share by which tier A may be served better than tier C.
        ledger_posted_share decimal(9,4) Share of a budget below which the ledger of an open month is not yet believed.
        document_difference_limit_amount decimal(18,2) Difference of one document that stops the build, in its own currency.
        normal_shift_hours decimal(9,4) Worked hours that are one shift, for resolutions per agent and shift.
        ramp_months int Months on the floor after which a new agent is as productive as the others.
        ramp_first_share decimal(9,4) Productivity in the first of these months.
        ramp_last_share decimal(9,4) Productivity in the last of them; those between are on a straight line.
        unsolved_resolution_codes string Resolution codes of tickets that were closed without a solution, separated by commas.
        unresolvable_issue_families string Issue families that fcr_net leaves out, separated by commas.
        customer_hour_value_amount decimal(18,3) Value of one hour that a customer waits, for a memo; null where nobody said it.
        pool_drivers string Cost pools that are not shared by time, each as pool=driver, separated by commas.
        resolution_price_amount decimal(18,3) Price of one claimed resolution of a self-service session; null where nobody said it.
        latest_delivery_date date Latest day of delivery of all; null without deliveries.
        assumptions_sha256 string SHA-256 of the assumptions.
        """,
    ),
}
"""Tables that are published too, in schema `ops`."""
_DELIVERED = (
    f"select system, stream, max(delivery_date) from deliveries where status in ('accepted', 'duplicate') and {OF_SOURCES}"
    " group by system, stream"
)


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
    carried: Mapping[tuple[str, str], Sequence[str]] | None = None,
) -> None:
    """Create or replace every relation of schema `lake`: every feed, `batches`, `feed_presence`, `sources`, `run_parameters`.

    `zones` are the time zones that the mappings of the delivered systems declare (`Mappings.zones`); `scopes` are their words on whose
    keys a system delivers (`key_scopes`), where they differ from the contract; `carried` the feeds of a stream (`carried_feeds`).

    Raises
    ------
    UsageError
        Several currencies or time zones and no assumption that chooses one, or an ended source that never delivered.
    InfrastructureError
        A file that the ledger names is gone from the lake.
    """
    zone = assumptions.company_time_zone or _only("company_time_zone", zones, "UTC")
    batches = accepted_batches(ledger)
    described = [
        (
            batch.batch_id, batch.feed, batch.rows, batch.source_system, batch.delivery_date, batch.change_number, batch.file_order,
            _scope(batch, scopes or {}), None if batch.withdrawn_path is None else Path(batch.withdrawn_path).stem,
        )
        for batch in batches
    ]  # fmt: skip
    _replace(engine, "lake.batches", pa.schema(list(_BATCHES.items())), described)
    show_feeds(engine, home, "lake", batches)
    delivered = [(system, stream, date.fromisoformat(day)) for system, stream, day in ledger.rows(_DELIVERED)]
    fed = {(system, feed) for system, stream, _ in delivered for feed in (carried or {}).get((system, stream), ())}
    presence = presence_of(engine, batches, {feed for _, feed in fed})
    _replace(engine, "lake.feed_presence", REGISTERED["feed_presence"], presence)
    fed |= {(batch.source_system, batch.feed) for batch in batches if (batch.feed, True) in {row[:2] for row in presence}}
    _replace(engine, "lake.sources", REGISTERED["sources"], _sources(delivered, fed, assumptions.ended_sources))
    ((day,),) = ledger.rows("select max(delivery_date) from deliveries where status in ('accepted', 'duplicate')")
    values = assumptions.model_dump() | {
        "reporting_currency_code": assumptions.reporting_currency_code or _currency(engine),
        "company_time_zone": zone,
        "legal_entity": assumptions.legal_entity or _entity(engine),
        "unsolved_resolution_codes": ",".join(assumptions.unsolved_resolution_codes),
        "unresolvable_issue_families": ",".join(assumptions.unresolvable_issue_families),
        "pool_drivers": ",".join(assumptions.pool_drivers),
        "latest_delivery_date": None if day is None else date.fromisoformat(day),
        "assumptions_sha256": assumptions.content_hash(),
    }
    parameters = REGISTERED["run_parameters"]
    _replace(engine, "lake.run_parameters", parameters, [tuple(values[name] for name in parameters.names)])


def _sources(delivered: Iterable[tuple[str, str, date]], fed: set[tuple[str, str]], ended: Sequence[str]) -> list[tuple[str, str, date]]:
    """Return source, feed and latest day of delivery, without those that ended; `fed` has each system with the feeds it brings.

    A source is a mapped system, whose streams are exported together, or one feed of system `canonical`, where each feed may come from
    somebody else.
    """
    found: dict[tuple[str, str], date] = {}
    for system, stream, day in delivered:
        for feed in [stream] if system == CANONICAL else [feed for owner, feed in fed if owner == system]:
            source = f"{system}/{feed}" if system == CANONICAL else system
            found[source, feed] = max(found.get((source, feed), date.min), day)
    known = sorted({source for source, _ in found})
    if unknown := sorted(set(ended) - set(known)):
        raise UsageError(
            f"ended_sources: {', '.join(unknown)} never delivered; known: {', '.join(known) or 'none'}; remedy: correct the name"
        )
    return sorted((source, feed, day) for (source, feed), day in found.items() if source not in ended)


def carried_feeds(mappings: Mappings, systems: Iterable[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the feeds that carry the records of each stream of these systems (`records: true`), by system and stream."""
    return {
        (system, name): tuple(feed for feed, mapping in stream.feeds.items() if mapping.records)
        for system in systems
        for name, stream in mappings.system(system).file.streams.items()
    }


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


def _replace(engine: Engine, table: str, columns: pa.Schema, rows: list[tuple[Any, ...]]) -> None:
    arrays = [pa.array([row[at] for row in rows], kind) for at, kind in enumerate(columns.types)]
    engine.replace(table, columns, [pa.table(arrays, names=columns.names)])


def _currency(engine: Engine) -> str:
    """Return the one currency of the first money feed that is present: ledger, else budgets, else orders."""
    for feed in _MONEY_FEEDS:
        if codes := named_now(engine, feed, "currency_code"):
            return _only("reporting_currency_code", codes, NO_CURRENCY)
    return NO_CURRENCY


def _entity(engine: Engine) -> str:
    """Return the one legal entity of the ledger, else of the budgets; several or none are reported together."""
    for feed in ("ledger_actuals", "budgets"):
        if found := named_now(engine, feed, "legal_entity"):
            return found.pop() if len(found) == 1 else ALL_ENTITIES
    return ALL_ENTITIES


def _only(name: str, found: set[str], absent: str) -> str:
    if len(found) > 1:
        raise UsageError(
            f"{name}: the feeds name several ({', '.join(sorted(found))}); remedy: choose one in the assumptions file (ROI_ASSUMPTIONS)"
        )
    return next(iter(found), absent)
