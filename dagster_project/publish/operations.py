"""The `ops` tables of a published copy: what was loaded, refused, checked and run, and what each metric means.

Written into the warehouse just before the copy is made. They may carry clocks and run ids, so they are not part of the
content hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from dagster_project.engines.engine import Engine
from dagster_project.engines.types import arrow_type
from dagster_project.ledger.store import Ledger
from dagster_project.ledger.volumes import freshness
from dagster_project.ledger.warnings import WARNINGS
from dagster_project.masking import masked, masked_path
from dagster_project.metrics.registry import collect, registry_rows, spec_coverage, spec_rows

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

_COLUMNS = {
    "load_ledger": (
        "file_id bigint!, system_name string!, stream_name string!, delivery_date date!, file_path string!, file_sha256 string!,"
        " bytes_count bigint!, load_state string!, duplicate_of_path string, physical_count bigint!, loaded_count bigint!,"
        " superseded_count bigint!, quarantined_count bigint!, waiting_count bigint!,"
        " header_drift string, extras_path string, run_id string!"
    ),
    "quarantine": (
        "file_path string!, file_sha256 string!, feed string!, record_number bigint!, line_number bigint, column_name string,"
        " rule string!, reason string!, raw_text_masked string, raw_sha256 string, first_seen_date date!, age_days bigint,"
        " quarantine_state string!, first_seen_run_id string, resolved_by_run_id string, resolved_by_path string"
    ),
    "unusual_volumes": (
        "system_name string!, stream_name string!, delivery_date date!, physical_count bigint!, usual_count bigint!,"
        " lowest_usual_count bigint!, highest_usual_count bigint!, compared_count bigint!, run_id string!"
    ),
    "feed_changes": (
        "change_number bigint!, system_name string!, feed string!, delivery_date date!, written_count bigint!, withdrawn_count bigint!,"
        " run_id string!"
    ),
    "feed_freshness": "feed string!, last_delivery_date date!, age_days bigint!, maximum_age_days bigint, is_stale boolean!",
    "check_results": (
        "run_id string!, feed string!, expectation string!, column_name string, severity string!, is_success boolean!,"
        " unexpected_count bigint, observed string, notes string"
    ),
    "warnings": (
        "run_id string!, feed string!, expectation string!, column_name string, unexpected_count bigint, observed string, notes string"
    ),
    "runs": "run_id string!, started_at timestamp, finished_at timestamp, run_state string!, detail string",
    "spec_coverage": "row_id string!, state string!, where string",
}
"""Columns of the tables; `!` is what never is null."""
_TOLD = ("header_drift", "reason", "raw_text_masked", "column_name", "observed", "notes", "detail")
"""Columns of sentences and values; names of systems, feeds and rules come from our own files."""


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
    counts["warnings"] = _write(engine, "warnings", [_masked("warnings", row) for row in ledger.rows(WARNINGS, (None,))])
    ages = [(*vars(entry).values(), entry.is_stale) for entry in freshness(ledger)]
    counts["feed_freshness"] = _write(engine, "feed_freshness", ages)
    metrics = collect(manifest)
    present = {feed for (feed,) in engine.rows("select feed from lake.feed_presence where is_present")}
    coverage = spec_coverage(metrics, spec_rows(), present)
    counts["spec_coverage"] = _write(engine, "spec_coverage", [tuple(row.values()) for row in coverage])
    rows = registry_rows(metrics)
    columns = pa.schema([pa.field(name, pa.int64() if name == "version" else pa.string()) for name in rows[0]])
    counts["metric_registry"] = engine.replace("ops.metric_registry", columns, [pa.Table.from_pylist(rows, columns)])
    for table in ("run_parameters", "feed_presence"):
        layout = engine.columns(["lake"])[f"lake.{table}"]
        engine.replace(f"ops.{table}", layout, engine.read(f"select * from lake.{table} order by 1"))
    return counts


def _masked(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take addresses and numbers of persons out of a row: names of files have them, and so does what older versions wrote."""
    names = (part.split()[0] for part in _COLUMNS[table].split(", "))
    return tuple(
        value if value is None else masked_path(value) if name.endswith("_path") else masked(value, "message") if name in _TOLD else value
        for name, value in zip(names, row, strict=True)
    )


def _write(engine: Engine, table: str, rows: list[tuple[Any, ...]]) -> int:
    """Write rows of the ledger, whose instants, dates and truths are texts and numbers of SQLite."""
    parts = [part.split() for part in _COLUMNS[table].split(", ")]
    columns = pa.schema([pa.field(name, arrow_type(kind.removesuffix("!")), not kind.endswith("!")) for name, kind in parts])
    arrays = [pa.array([None if row[at] is None else str(row[at]) for row in rows], pa.string()) for at in range(len(parts))]
    return engine.replace(
        f"ops.{table}", columns, [pa.table(arrays, names=columns.names).cast(pa.schema([pa.field(f.name, f.type) for f in columns]))]
    )
