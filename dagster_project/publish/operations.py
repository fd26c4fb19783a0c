"""The `ops` tables of a published copy: what was loaded, refused, checked and run, and what each metric means.

Written into the warehouse just before the copy is made. They may carry clocks and run ids, so they are not part of the
content hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from dagster_project.door.ledger import Ledger
from dagster_project.engines.duckdb import replace_table
from dagster_project.metrics.registry import collect, registry_rows, spec_coverage, spec_rows

LOAD_LEDGER = """
select d.file_id, d.system, d.stream, d.delivery_date, d.path, d.sha256, d.bytes, d.status, o.path,
    d.physical, d.loaded, d.superseded, d.quarantined, d.run_id
from deliveries as d left join deliveries as o on o.file_id = d.duplicate_of
where d.status in ('accepted', 'duplicate') order by d.file_id
"""
QUARANTINE = """
select d.path, d.sha256, q.feed, q.record_number, q.line_number, q.column_name, q.rule, q.reason, q.raw_text_masked, q.raw_sha256,
    q.first_seen_run_id, q.resolved_by_run_id
from quarantine as q join deliveries as d on d.file_id = q.file_id order by d.file_id, q.record_number, q.feed, q.column_name
"""
CHECKS = """
select run_id, feed, expectation, column_name, severity, is_success, unexpected_count, observed, notes
from check_results order by rowid
"""
RUNS = "select run_id, started_at, finished_at, run_state, detail from runs order by rowid"

_COLUMNS = {
    "load_ledger": (
        "file_id bigint not null, system_name varchar not null, stream_name varchar not null, delivery_date date not null,"
        " file_path varchar not null, file_sha256 varchar not null, bytes_count bigint not null, load_state varchar not null,"
        " duplicate_of_path varchar, physical_count bigint not null, loaded_count bigint not null, superseded_count bigint not null,"
        " quarantined_count bigint not null, run_id varchar not null"
    ),
    "quarantine": (
        "file_path varchar not null, file_sha256 varchar not null, feed varchar not null, record_number bigint not null,"
        " line_number bigint, column_name varchar, rule varchar not null, reason varchar not null, raw_text_masked varchar,"
        " raw_sha256 varchar,"
        " first_seen_run_id varchar, resolved_by_run_id varchar"
    ),
    "check_results": (
        "run_id varchar not null, feed varchar not null, expectation varchar not null, column_name varchar, severity varchar not null,"
        " is_success boolean not null, unexpected_count bigint, observed varchar, notes varchar"
    ),
    "runs": "run_id varchar not null, started_at timestamptz, finished_at timestamptz, run_state varchar not null, detail varchar",
    "spec_coverage": 'row_id varchar not null, state varchar not null, "where" varchar',
}


def write_ops_tables(connection: duckdb.DuckDBPyConnection, ledger: Ledger, manifest: Mapping[str, Any]) -> dict[str, int]:
    """Replace every table of schema `ops` and return their numbers of rows."""
    counts = {}
    for table, sql in (("load_ledger", LOAD_LEDGER), ("quarantine", QUARANTINE), ("check_results", CHECKS), ("runs", RUNS)):
        counts[table] = _write(connection, table, ledger.rows(sql))
    metrics = collect(manifest)
    present = {feed for (feed,) in connection.execute("select feed from lake.feed_presence where is_present").fetchall()}
    coverage = spec_coverage(metrics, spec_rows(), present)
    counts["spec_coverage"] = _write(connection, "spec_coverage", [tuple(row.values()) for row in coverage])
    rows = registry_rows(metrics)
    columns = ", ".join(f'"{name}" {"bigint" if name == "version" else "varchar"}' for name in rows[0])
    counts["metric_registry"] = replace_table(connection, "ops", "metric_registry", columns, [pa.Table.from_pylist(rows)])
    connection.execute("create or replace table ops.run_parameters as select * from lake.run_parameters")
    connection.execute("create or replace table ops.feed_presence as select * from lake.feed_presence order by feed")
    return counts


def _write(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> int:
    definition = _COLUMNS[table]
    names = [part.split()[0].strip('"') for part in definition.split(", ")]
    columns = {name: [None if row[at] is None else str(row[at]) for row in rows] for at, name in enumerate(names)}
    text = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return replace_table(connection, "ops", table, definition, [text])
