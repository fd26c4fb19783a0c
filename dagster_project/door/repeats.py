"""Rows that an earlier file has brought already, unchanged: they add nothing and count as superseded.

Holds the search by row hash. It must not take a row out of a batch: when the earlier file is replaced, the later one still carries it.
Each file leaves a few of its row hashes in the ledger; a file that holds one of them is compared in full with the file it came from. So
a file that repeats another whole, or most of it, is always found; one that repeats a hundredth of a large file is found one time in seven.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.door.batches import FeedBatch
from dagster_project.door.ledger import Ledger
from dagster_project.door.spelling import literal

WINDOW_DAYS = 60  # files compared with, back from the day of delivery; rows come up to 45 days late
COMPARED_FILES = 10  # at most, the latest first: a daily full extract is repeated by each of its followers
_EARLIER = """
select b.feed, b.path, b.row_sample, d.delivery_date, d.status = 'accepted', d.path
from batches as b inner join deliveries as d on d.file_id = b.file_id
where b.row_sample is not null and d.delivery_date >= ?
    and (d.status = 'accepted' or (d.status = 'staged' and d.run_id = ?))
order by d.delivery_date desc, d.file_id desc
"""


@dataclass(frozen=True)
class _Sampled:
    path: Path
    delivery_date: dt.date
    sample: bytes

    def is_near(self, day: dt.date) -> bool:
        return (day - self.delivery_date).days <= WINDOW_DAYS


def count_repeats(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger, home: Path, run_id: str, batches: Iterable[FeedBatch], replaced: set[str]
) -> None:
    """Set for every batch that carries records how many of its rows stand in an earlier file.

    `batches` are in the order of loading; files at the paths `replaced` are about to go and bring nothing.
    """
    feeds: dict[str, list[FeedBatch]] = defaultdict(list)
    for batch in batches:
        if batch.is_records and not batch.is_text and batch.loaded:
            feeds[batch.contract.feed].append(batch)
    if not feeds:
        return
    since = min(batch.delivery_date for group in feeds.values() for batch in group) - dt.timedelta(days=WINDOW_DAYS)
    earlier: dict[str, list[_Sampled]] = defaultdict(list)
    for feed, path, sample, day, is_accepted, delivered in ledger.rows(_EARLIER, (since.isoformat(), run_id)):
        if feed in feeds and not (is_accepted and delivered in replaced):
            earlier[feed].append(_Sampled(home / path, dt.date.fromisoformat(day), sample))
    for feed, group in feeds.items():
        _count(connection, group, earlier[feed])


def _count(connection: duckdb.DuckDBPyConnection, group: Sequence[FeedBatch], earlier: list[_Sampled]) -> None:
    file = _read([batch.temporary for batch in group])
    known = [*reversed([_Sampled(batch.temporary, batch.delivery_date, batch.row_sample) for batch in group]), *earlier]
    if len(known) == 1:
        return
    owners: dict[int, list[_Sampled]] = defaultdict(list)
    for one in known:
        for number in struct.unpack(f"<{len(one.sample) // 8}q", one.sample):
            owners[number].append(one)
    shared: dict[str, dict[_Sampled, None]] = defaultdict(dict)
    hits = f"select batch_id, row_hash from {file} where row_hash in (select unnest(?::bigint[]))"
    for batch_id, number in connection.execute(hits, [sorted(owners)]).fetchall():
        shared[batch_id].update(dict.fromkeys(owners[number]))
    seen: set[Path] = {one.path for one in earlier}
    for batch in group:
        near = [one for one in known if one in shared[batch.batch_id] and one.path in seen and one.is_near(batch.delivery_date)]
        seen.add(batch.temporary)
        if near:
            brought = f"select row_hash from {_read([one.path for one in near[:COMPARED_FILES]])}"
            row = connection.execute(f"select count(*) from {_read([batch.temporary])} where row_hash in ({brought})").fetchone()
            batch.repeated = row[0] if row else 0


def _read(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}], union_by_name = true)"
