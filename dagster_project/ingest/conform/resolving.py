"""Quarantined records that a later file brings correctly, found by the key of their feed.

Holds the search over written batches. It must not decide that a record is open or resolved: the ledger's view `quarantine_life` does,
since a file counts only while it is accepted. A run without open records asks the ledger once and reads nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import duckdb

from dagster_project.contracts.model import load_contract
from dagster_project.engines.lake_files import LakeFile, lake_rows
from dagster_project.ingest.conform.quarantine import key_sql
from dagster_project.ledger.entries import StagedFile
from dagster_project.ledger.store import Ledger, lake_file

_OPEN = """
select q.quarantine_id, q.feed, q.key_sha256, d.delivery_date, d.path
from quarantine as q inner join deliveries as d on d.file_id = q.file_id
where q.resolved_by_run_id is null and q.key_sha256 is not null and (d.status in ('accepted', 'refused') or d.run_id = ?)
"""
_BATCHES = """
select b.batch_id, b.path, b.lacks, d.file_id, d.delivery_date, d.path
from batches as b inner join deliveries as d on d.file_id = b.file_id
where b.feed = ? and (d.status = 'accepted' or (d.status = 'staged' and d.run_id = ?)) and d.delivery_date >= ?
"""


def resolve(connection: duckdb.DuckDBPyConnection, ledger: Ledger, home: Path, run_id: str, staged: Iterable[StagedFile]) -> None:
    """Link the open records with the files that bring their key later; `staged` are the files that the ledger has just taken in."""
    fresh = {file.path for file in staged}
    open_records = defaultdict(list)
    for quarantine_id, feed, key, day, path in ledger.rows(_OPEN, (run_id,)):
        open_records[feed].append((quarantine_id, key, (day, path)))
    links: list[tuple[int, int]] = []
    for feed, records in open_records.items():
        has_fresh_record = any(place[1] in fresh for _, _, place in records)
        batches = {
            batch: (file_id, (day, path), lake_file(home, file, lacks))
            for batch, file, lacks, file_id, day, path in ledger.rows(_BATCHES, (feed, run_id, min(place[0] for _, _, place in records)))
            if has_fresh_record or path in fresh
        }
        for key, batch in _found(connection, feed, {key for _, key, _ in records}, {batch: file for batch, (*_, file) in batches.items()}):
            file_id, place, _ = batches[batch]
            links += [(quarantine_id, file_id) for quarantine_id, wanted, before in records if wanted == key and before < place]
    if links:
        ledger.link_resolutions(links)


def _found(connection: duckdb.DuckDBPyConnection, feed: str, keys: set[str], batches: dict[str, LakeFile]) -> list[tuple[str, str]]:
    """Return which of the keys are in which of the batches."""
    if not batches:
        return []
    contract = load_contract(feed)
    key, rows = key_sql(contract), lake_rows(contract.types, batches.values())
    return connection.execute(
        f"select distinct {key} as key, batch_id from ({rows}) where {key} in (select unnest(?))",
        [sorted(keys)],
    ).fetchall()
