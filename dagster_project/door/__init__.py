"""The door: delivered files become typed, immutable Parquet batches, and every record ends in exactly one bucket.

Order of the day: `inventory` (what is new), `prescan` and `records` (our own count), `mapping` and `sandbox` (a system's SQL),
`casting` (strict types), `batches` and `settling` (Parquet), `ledger` (the durable truth), `lake` (relations for dbt).
It must not compute a measure, know Great Expectations or dbt, or let user SQL touch a file; only `assets` imports Dagster.
"""
