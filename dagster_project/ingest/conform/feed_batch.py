"""One feed's rows of one file on their way into the lake, and the writing of a SELECT as its Parquet file.

Holds what is known of such a batch. It must not read a delivered file or touch the ledger.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.contracts.model import Contract
from dagster_project.engines.lake_files import RECORD_NUMBER
from dagster_project.ingest.sql_text import literal
from dagster_project.ledger.entries import Batch, QuarantinedRecord

PARQUET = "format parquet, compression snappy"


@dataclass
class FeedBatch:
    """One feed's rows of one file. `temporary` is the Parquet file under its temporary name."""

    contract: Contract
    is_records: bool
    batch_id: str
    temporary: Path
    relative: str
    lacks: tuple[str, ...] = ()  # columns that the Parquet file does not store
    written: int = 0  # rows before older versions of a key are dropped
    loaded: int = 0
    refused: int = 0
    left_out: dict[str, int] = field(default_factory=dict)  # records that the SELECT excludes, by reason
    control_sums: str = "{}"
    quarantine: list[QuarantinedRecord] = field(default_factory=list)

    @property
    def final(self) -> Path:
        """The name the Parquet file has once it is complete on disk."""
        return self.temporary.with_suffix(".parquet")

    @property
    def is_numbered(self) -> bool:
        """Whether the Parquet file stores the numbers of its records."""
        return RECORD_NUMBER not in self.lacks

    @property
    def delivery_date(self) -> dt.date:
        """Day of the folder that the file is in."""
        return dt.date.fromisoformat(self.relative.split("/")[2])

    def ledger_entry(self, home: Path) -> Batch:
        """Return the batch as the ledger keeps it."""
        path = self.final.relative_to(home).as_posix()
        return Batch(self.batch_id, self.contract.feed, path, self.loaded, self.lacks, self.control_sums)


def copy_rows(connection: duckdb.DuckDBPyConnection, sql: str, batch: FeedBatch) -> None:
    """Write the rows of a SELECT to the batch's Parquet file and count them."""
    copied = connection.execute(f"copy ({sql}) to {literal(str(batch.temporary))} ({PARQUET})").fetchone()
    batch.written = batch.loaded = int(copied[0]) if copied else 0
