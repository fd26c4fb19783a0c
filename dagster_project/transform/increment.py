"""What a run rebuilds: everything, or the fiscal months that the batches arrived since the last published copy touch.

The warehouse remembers in schema `state` what it was published from. It stays the memory of the last *published* copy until the
next one is out, so a run that ended early is made good by the next: the days of replaced rows are kept until a copy is out. Holds the
decision and that memory. It must not hold a model: which rows a month has is said in `dbt/`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from dagster_project.engines.engine import Engine
from dagster_project.ingest.lake import AcceptedBatch, accepted_batches, show_feeds
from dagster_project.ledger.store import Ledger

_BUILT = pa.schema([pa.field("inputs_sha256", pa.string(), nullable=False), pa.field("published_stem", pa.string(), nullable=False)])
_BATCH = pa.schema([("batch_id", pa.string()), ("delivery_date", pa.date32()), ("file_order", pa.string()), ("key_scope", pa.string())])
AFFECTED_DAY, AFFECTED_MONTH = "intermediate.int_core__affected_day", "intermediate.int_core__affected_month"
"""What staging notes before it takes in what arrived, until a copy is published; the months that a run rebuilds, with reasons."""
SCHEDULE_USE = """
with used as (
    select
        intervals.period_month, cast(intervals.started_at as date) as first_date, intervals.named_schedule_id,
        intervals.entitled_schedule_id, intervals.department_id, 'default' as default_schedule_id,
        cast(greatest(
            intervals.measured_until_at,
            case when intervals.ended_at is null then greatest(
                clocks.first_reply_at, clocks.first_reply_any_at, clocks.first_solved_at, clocks.final_solved_at,
                case when 'running' in (clocks.first_reply_target_state, clocks.first_resolution_target_state)
                    then intervals.measured_until_at + interval 367 day end
            ) end
        ) as date) as last_date
    from intermediate.int_service__ticket_interval as intervals
    inner join marts.mart_ticket_clock as clocks on intervals.ticket_key = clocks.ticket_key
)
select schedule_id, period_month, min(first_date) as first_date, max(last_date) as last_date
from (
    select named_schedule_id as schedule_id, period_month, first_date, last_date from used
    union all select entitled_schedule_id, period_month, first_date, last_date from used
    union all select department_id, period_month, first_date, last_date from used
    union all select default_schedule_id, period_month, first_date, last_date from used
) as named
where schedule_id is not null
group by schedule_id, period_month
"""
"""The days on which tickets of a month are measured by a schedule, or would be if it held: a changed day of it changes the month."""
_MEMORY = {
    "period_day": (
        "select days.day, days.period_month, days.fiscal_period, days.fiscal_year, days.is_generated, "
        "awaited.waits_for, awaited.has_begun, awaited.has_tickets, awaited.has_interactions, awaited.has_orders, awaited.has_offers, "
        "awaited.is_complete from intermediate.int_core__period_day as days "
        "join intermediate.int_core__month_awaited as awaited on days.period_month = awaited.period_month",
        pa.schema([
            ("day", pa.date32()), ("period_month", pa.date32()), ("fiscal_period", pa.string()), ("fiscal_year", pa.string()),
            ("is_generated", pa.bool_()), ("waits_for", pa.string()), ("has_begun", pa.bool_()), ("has_tickets", pa.bool_()),
            ("has_interactions", pa.bool_()), ("has_orders", pa.bool_()), ("has_offers", pa.bool_()), ("is_complete", pa.bool_()),
        ]),
    ),
    "cost_line": (
        "select period_month, cost_line_id, cost_line_number, cost_source, legal_entity, department_id, cost_category, pool_id, "
        "currency_code, line_kind, is_in_scope, is_capex, is_in_force, is_counted, is_roi_basis, cost_amount "
        "from intermediate.int_cost__line_placed",
        pa.schema([
            ("period_month", pa.date32()), ("cost_line_id", pa.string()), ("cost_line_number", pa.int64()), ("cost_source", pa.string()),
            ("legal_entity", pa.string()),
            ("department_id", pa.string()), ("cost_category", pa.string()), ("pool_id", pa.string()), ("currency_code", pa.string()),
            ("line_kind", pa.string()), ("is_in_scope", pa.bool_()), ("is_capex", pa.bool_()), ("is_in_force", pa.bool_()),
            ("is_counted", pa.bool_()), ("is_roi_basis", pa.bool_()), ("cost_amount", pa.decimal128(18, 3)),
        ]),
    ),
    "open_span": (
        "select schedule_id, utc_date, opens_at, closes_at, is_in_force from intermediate.int_service__open_span",
        pa.schema([
            ("schedule_id", pa.string()), ("utc_date", pa.date32()), ("opens_at", pa.timestamp("us", "UTC")),
            ("closes_at", pa.timestamp("us", "UTC")), ("is_in_force", pa.bool_()),
        ]),
    ),
    "schedule_use": (
        SCHEDULE_USE,
        pa.schema([("schedule_id", pa.string()), ("period_month", pa.date32()), ("first_date", pa.date32()), ("last_date", pa.date32())]),
    ),
}  # fmt: skip
"""Tables of schema `state` that models read: how each is taken from the last build, and its columns."""


@dataclass(frozen=True)
class Increment:
    """Relative to the published version `base`, rows of `months` may differ; without a base everything may."""

    base: str | None
    months: frozenset[date] = frozenset()

    @property
    def is_full(self) -> bool:
        """Whether every row is rebuilt."""
        return self.base is None

    @property
    def first_month(self) -> date | None:
        """The first month that differs; None when every row may, or none does."""
        return min(self.months, default=None) if self.base else None


def prepare(engine: Engine, home: Path, ledger: Ledger, code: str, *, always_full: bool = False) -> Increment:
    """Decide what to rebuild, show the models what arrived (schema `arrived`), and keep the memory of the last copy.

    Everything is rebuilt when the warehouse holds no published build, when code, assumptions or parameters changed, when a feed
    came for the first time, when a batch that was built is not accepted any more or its keys belong to somebody else now, when older
    rows come where keys were withdrawn, and `always_full` where a run keeps no tables (Spark). `code` is the hash of models and code.
    """
    batches = accepted_batches(ledger)
    built = {} if always_full else _built(engine)
    base = None if always_full else base_of(engine, code)
    is_full = base is None or bool(built.keys() - {batch.batch_id for batch in batches}) or _scopes_changed(engine, built)
    arrived = [batch for batch in batches if is_full or built.get(batch.batch_id, ())[:2] != (batch.delivery_date, batch.file_order)]
    if not is_full and _is_older_than_a_withdrawal(arrived, [batch for batch in batches if batch.batch_id in built]):
        is_full, arrived = True, batches
    show_feeds(engine, home, "arrived", arrived)
    if is_full:
        forget(engine)
        return Increment(None)
    return Increment(base)


def forget(engine: Engine) -> None:
    """Make schema `state` what it is before a full build: nothing published, so every month is affected."""
    for table, (_, columns) in _MEMORY.items():
        engine.replace(f"state.{table}", columns, [])
    engine.replace("state.built", _BUILT, [])


def affected(engine: Engine, increment: Increment) -> Increment:
    """Return the increment with its months, which the models have decided by now."""
    if increment.is_full:
        return increment
    months = engine.rows(f"select distinct period_month from {AFFECTED_MONTH}")
    return Increment(increment.base, frozenset(month for (month,) in months))


def remember(engine: Engine, ledger: Ledger, code: str, stem: str) -> None:
    """Take the current state as published under `stem`. A process that dies before the last statement only rebuilds more than needed."""
    keep(engine)
    rows, scopes = accepted_batches(ledger), _scopes(engine)
    batch_rows = [(batch.batch_id, batch.delivery_date, batch.file_order, scopes[batch.batch_id]) for batch in rows]
    arrays = [pa.array([row[at] for row in batch_rows], field.type) for at, field in enumerate(_BATCH)]
    engine.replace("state.built_batch", _BATCH, [pa.table(arrays, names=_BATCH.names)])
    engine.replace("state.built", _BUILT, [pa.table([[_inputs(engine, code)], [stem]], names=_BUILT.names)])
    engine.empty(AFFECTED_DAY)


def keep(engine: Engine) -> None:
    """Take the days and cost lines of this build as those that were published."""
    for table, (source, columns) in _MEMORY.items():
        engine.replace(f"state.{table}", columns, engine.read(source))


def _built(engine: Engine) -> dict[str, tuple[date, str, str]]:
    """Delivery date, place among the files and scope of the keys of each batch as it was built."""
    if "state.built_batch" not in engine.columns(["state"]):
        return {}
    if engine.columns(["state"])["state.built_batch"].names != _BATCH.names:  # of an older product, whose build is not taken up
        return {}
    return {batch: (day, order, scope) for batch, day, order, scope in engine.rows("select * from state.built_batch")}


def _scopes(engine: Engine) -> dict[str, str]:
    return dict(engine.rows("select batch_id, key_scope from lake.batches"))


def _scopes_changed(engine: Engine, built: dict[str, tuple[date, str, str]]) -> bool:
    return any(built[batch][2] != scope for batch, scope in _scopes(engine).items() if batch in built)


def _is_older_than_a_withdrawal(arrived: Sequence[AcceptedBatch], built: Sequence[AcceptedBatch]) -> bool:
    """Whether rows arrived that a built withdrawal beats: it left no trace in staging that could say so."""
    withdrawn: dict[tuple[str, str], int] = {}
    for batch in built:
        if batch.withdrawn_path is not None:
            key = (batch.source_system, batch.feed)
            withdrawn[key] = max(withdrawn.get(key, 0), batch.change_number)
    return any(batch.change_number < withdrawn.get((batch.source_system, batch.feed), 0) for batch in arrived)


def base_of(engine: Engine, code: str) -> str | None:
    """Return the version that the warehouse was published as, if it was built from the same code, parameters and feeds."""
    if "state.built" not in engine.columns(["state"]):
        return None
    rows = engine.rows("select inputs_sha256, published_stem from state.built")
    return next((str(stem) for inputs, stem in rows if inputs == _inputs(engine, code)), None)


def _inputs(engine: Engine, code: str) -> str:
    """SHA-256 of all that decides a row besides the batches; the latest delivery date only matters to an empty company."""
    parameters = engine.rows("select * from lake.run_parameters")
    names = engine.columns(["lake"])["lake.run_parameters"].names
    fixed = [value for row in parameters for name, value in zip(names, row, strict=True) if name != "latest_delivery_date"]
    presence = engine.rows("select feed, is_present from lake.feed_presence order by feed")
    return hashlib.sha256(repr((code, fixed, presence)).encode()).hexdigest()
