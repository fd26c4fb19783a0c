"""The `ops` tables of a published copy: what was loaded, refused, checked and run, and what each metric means.

Written into the warehouse just before the copy is made. They may carry clocks and run ids, so they are not part of the
content hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from dagster_project.engines.engine import Engine
from dagster_project.ingest.lake import REGISTERED
from dagster_project.ledger.store import Ledger
from dagster_project.ledger.volumes import freshness
from dagster_project.ledger.warnings import REFUSED, WARNINGS
from dagster_project.masking import masked, masked_path
from dagster_project.metrics.registry import collect, collect_claims, registry_rows, spec_coverage, spec_rows
from dagster_project.publish.ops_columns import OPS_COLUMNS

LOAD_LEDGER = """
select d.file_id, d.system, d.stream, d.delivery_date, d.path, d.sha256, d.bytes, d.status, o.path,
    d.physical, d.loaded, d.superseded, d.quarantined, d.waiting, nullif(d.drift, ''), d.extras_path, d.run_id
from deliveries as d left join deliveries as o on o.file_id = d.duplicate_of
where d.status in ('accepted', 'duplicate') order by d.file_id
"""
QUARANTINE = """
with present as (select max(delivery_date) as day from deliveries where status in ('accepted', 'duplicate', 'refused'))

select q.path, q.sha256, q.feed, q.record_number, q.line_number, q.column_name, q.rule, q.reason, q.raw_text_masked, q.raw_sha256,
    q.first_seen_date,
    case when q.quarantine_state = 'open' then cast(julianday(present.day) - julianday(q.first_seen_date) as integer) end,
    q.quarantine_state, q.first_seen_run_id, q.resolving_run_id, q.resolved_by_path
from quarantine_life as q cross join present
where q.status <> 'staged' order by q.file_id, q.record_number, q.feed, q.column_name
"""
VOLUMES = """
select system, stream, delivery_date, physical, usual, lowest, highest, days, run_id from unusual_volumes order by 3, 1, 2
"""
CHANGES = """
select c.change_number, c.system, b.feed, c.delivery_date, b.rows, b.withdrawn, c.run_id
from changes as c inner join batches as b on b.change_number = c.change_number
where b.status = 'accepted' order by 1, 3
"""
CHECKS = """
select run_id, feed, expectation, column_name, severity, is_success, unexpected_count, observed, notes
from check_results order by rowid
"""
RUNS = "select run_id, started_at, finished_at, run_state, detail from runs order by rowid"

_TEXTS = ("header_drift", "reason", "raw_text_masked", "column_name", "observed", "notes", "detail")
"""Columns of sentences and values; names of systems, feeds and rules come from our own files."""


OPS_TABLES = (*OPS_COLUMNS, *REGISTERED)
"""Tables of schema `ops`; the last ones are copied from schema `lake`."""


def write_ops_tables(engine: Engine, ledger: Ledger, manifest: Mapping[str, Any]) -> dict[str, int]:
    """Replace every table of schema `ops` and return their numbers of rows."""
    counts = {}
    queries = {
        "load_ledger": LOAD_LEDGER,
        "quarantine": QUARANTINE,
        "unusual_volumes": VOLUMES,
        "feed_changes": CHANGES,
        "check_results": CHECKS,
        "runs": RUNS,
    }
    for table, sql in queries.items():
        counts[table] = _write(engine, table, [_masked(table, row) for row in ledger.rows(sql)])
    counts["warnings"] = _write(engine, "warnings", [_masked("warnings", row) for row in ledger.rows(WARNINGS, (REFUSED, None))])
    ages = [(*vars(entry).values(), entry.is_stale) for entry in freshness(ledger)]
    counts["feed_freshness"] = _write(engine, "feed_freshness", ages)
    metrics = collect(manifest)
    present = {feed for (feed,) in engine.rows("select feed from lake.feed_presence where is_present")}
    coverage = spec_coverage(metrics, spec_rows(), present, collect_claims(manifest))
    counts["spec_coverage"] = _write(engine, "spec_coverage", [tuple(row.values()) for row in coverage])
    columns = OPS_COLUMNS["metric_registry"]
    counts["metric_registry"] = engine.replace("ops.metric_registry", columns, [pa.Table.from_pylist(registry_rows(metrics), columns)])
    for table in REGISTERED:
        layout = engine.columns(["lake"])[f"lake.{table}"]
        counts[table] = engine.replace(f"ops.{table}", layout, engine.read(f"select * from lake.{table} order by 1"))
    return counts


def _masked(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take addresses and numbers of persons out of a row: names of files have them, and so does what older versions wrote."""
    return tuple(
        value if value is None else masked_path(value) if name.endswith("_path") else masked(value, "message") if name in _TEXTS else value
        for name, value in zip(OPS_COLUMNS[table].names, row, strict=True)
    )


def _write(engine: Engine, table: str, rows: list[tuple[Any, ...]]) -> int:
    """Write rows of the ledger, whose instants, dates and truths are texts and numbers of SQLite."""
    columns = OPS_COLUMNS[table]
    arrays = [pa.array([None if row[at] is None else str(row[at]) for row in rows], pa.string()) for at in range(len(columns))]
    return engine.replace(
        f"ops.{table}", columns, [pa.table(arrays, names=columns.names).cast(pa.schema([pa.field(f.name, f.type) for f in columns]))]
    )
