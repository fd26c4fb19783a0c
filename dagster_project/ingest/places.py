"""Where a row of the lake was delivered: the file below the landing folder and the number of the record in it.

Holds the question to the ledger. It must not read a file.
"""

from __future__ import annotations

from dagster_project.ingest.sources.delivered import FILE_BITS
from dagster_project.ledger.store import Ledger

_FILE = "select d.path from batches as b inner join deliveries as d on d.file_id = b.file_id where b.batch_id = ? order by b.batch_key desc"
_SOURCE = "select path from source_files where file_no = ?"


def place(ledger: Ledger, batch_id: str, record_number: int) -> str:
    """Word the place; empty where the ledger does not know the batch."""
    number = record_number
    found = ledger.rows(_FILE, (batch_id,))
    if not found:  # a batch of a change came from many files, and its rows say which
        found, number = ledger.rows(_SOURCE, (record_number >> FILE_BITS,)), record_number & ((1 << FILE_BITS) - 1)
    return f"{found[0][0]} record {number}" if found else ""
