"""Which feeds came, and what their rows name now.

Both depend on what was delivered and on what remains of it, never on how many runs read it: a row that was taken back leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.engines.engine import Engine

if TYPE_CHECKING:
    from dagster_project.ingest.lake import AcceptedBatch


def presence_of(engine: Engine, batches: Sequence[AcceptedBatch], came: set[str]) -> list[tuple[str, bool, int]]:
    """Return each feed, whether it came, and its rows of all versions.

    `came` are the feeds whose own records were delivered, whatever remains of them. A feed that is only made of other records came while
    a row of it remains: a run that first sees records which make none any more has never had one.
    """
    found = []
    for feed in feeds():
        own = [batch for batch in batches if batch.feed == feed]
        is_sure = feed in came or (bool(own) and all(batch.withdrawn_path is None for batch in own))
        is_present = is_sure or (bool(own) and bool(engine.rows(f"{_remaining(feed, '1 as one')} limit 1")))
        found.append((feed, is_present, sum(batch.rows for batch in own)))
    return found


def named_now(engine: Engine, feed: str, column: str) -> set[str]:
    """Return the values of a column that rows of the feed name now; versions are only compared where several values ever came."""
    found = {str(value) for (value,) in engine.rows(f"select distinct {column} from lake.{feed} where not is_withdrawn")}
    return {str(value) for (value,) in engine.rows(_remaining(feed, f"distinct {column}"))} if len(found) > 1 else found


def _remaining(feed: str, columns: str) -> str:
    """Return a SELECT of the latest version of each key of each system, as staging reads it, without those taken back."""
    keys = ", ".join(load_contract(feed).primary_key)
    order = "change_number desc, source_updated_at desc nulls last, delivery_date desc, file_order desc, record_number desc nulls last"
    latest = f"select *, row_number() over (partition by source_system, {keys} order by {order}) as place from lake.{feed}"
    return f"select {columns} from ({latest}) as versions where place = 1 and not is_withdrawn"
