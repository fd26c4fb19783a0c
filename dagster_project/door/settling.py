"""What is settled over many files at once: the latest version of each key, distinct records, sums of money.

Holds the statements over written Parquet files; one pass for all small files of a flush costs what one file would.
It must not read delivered files or touch the ledger.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from dagster_project.door.batches import FeedBatch, copy_rows
from dagster_project.door.spelling import literal
from dagster_project.errors import UsageError

_SYNC_THREADS = 8  # the disk joins flushes that wait together


def settle(connection: duckdb.DuckDBPyConnection, batches: Sequence[FeedBatch]) -> None:
    """Keep the latest version of each key and sum the money that is left per currency, for many files in one pass.

    Raises
    ------
    UsageError
        A mapping returned a record more than once in its records feeds.
    """
    groups: dict[tuple[str, bool], dict[str, FeedBatch]] = defaultdict(dict)
    for batch in (batch for batch in batches if not batch.is_text):
        groups[batch.contract.feed, batch.is_numbered][batch.batch_id] = batch
    for group in groups.values():
        _settle_group(connection, group)


def _settle_group(connection: duckdb.DuckDBPyConnection, group: Mapping[str, FeedBatch]) -> None:
    first = next(iter(group.values()))
    file = _read(group.values())
    numbers = "count(distinct record_number)" if first.is_numbered else "count(*)"
    keys = ", ".join(first.contract.primary_key)
    counted = f"select batch_id, count(distinct hash({keys})), {numbers} from {file} group by batch_id"
    for batch_id, distinct, records in connection.execute(counted).fetchall():
        batch = group[batch_id]
        if batch.is_records and records < batch.written:
            raise UsageError(
                f"{batch.relative}: the mapping returns a record more than once for {batch.contract.feed} and drops another"
                f" ({batch.written:,} rows of {records:,} records); remedy: group what is joined to a record"
            )
        if distinct < batch.written:
            _drop_older_versions(connection, batch, keys)
    money = [column.name for column in first.contract.columns if column.name.endswith("_amount")]
    if money:
        currency = "coalesce(currency_code, '')" if "currency_code" in first.contract.names else "''"
        sums = ", ".join(f"sum({name})" for name in money)
        by_batch: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for batch_id, code, *totals in connection.execute(
            f"select batch_id, {currency}, {sums} from {file} group by all order by all"
        ).fetchall():
            by_batch[batch_id][code] = {name: str(value) for name, value in zip(money, totals, strict=True) if value is not None}
        for batch_id, totals_by_code in by_batch.items():
            group[batch_id].control_sums = json.dumps(totals_by_code)


def _drop_older_versions(connection: duckdb.DuckDBPyConnection, batch: FeedBatch, keys: str) -> None:
    number = "record_number" if batch.is_numbered else "file_row_number + 1"
    latest = f"qualify row_number() over (partition by {keys} order by source_updated_at desc nulls last, row_hash desc, number desc) = 1"
    connection.execute(f"create or replace temp table typed_rows as select *, {number} as number from {_read([batch])} {latest}")
    stored = "* exclude (number)" if batch.is_numbered else "* exclude (number, row_hash), number as record_number, row_hash"
    written, batch.is_numbered = batch.written, True
    copy_rows(connection, f"select {stored} from typed_rows order by number", batch)
    batch.written = written


def _read(batches: Iterable[FeedBatch]) -> str:
    return f"read_parquet([{', '.join(literal(str(batch.temporary)) for batch in batches)}])"


def make_durable(batches: Sequence[FeedBatch]) -> None:
    """Flush the Parquet files to disk, give them their final names, then flush the folders."""
    with ThreadPoolExecutor(_SYNC_THREADS) as pool:
        list(pool.map(_sync_and_rename, batches))
    for folder in {batch.final.parent for batch in batches}:
        _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_and_rename(batch: FeedBatch) -> None:
    _sync(batch.temporary)
    batch.temporary.replace(batch.final)
