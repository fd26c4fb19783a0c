"""Ingest: delivered files become typed, immutable Parquet batches, and every record is in exactly one state.

Order of the day: `landing` (which files are new), `readers` (bytes to records, our own count), `sources` (the current rows of each
source system), `mapping` (a system's SQL), `conform` (strict types, quarantine, Parquet), `lake` (relations for dbt).
It must not compute a measure, know Great Expectations or dbt, or let user SQL touch a file.
"""

__all__ = ["conform", "lake", "landing", "loading", "mapping", "pii", "places", "readers", "report", "sources", "sql_text"]
