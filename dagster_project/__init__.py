"""Customer-service ROI warehouse.

Layers, in the order data walks: connectors (optional), ingest, checks, transform (dbt), analytics, publish, finance.
A layer may import the ones it follows only through files or tables, never upwards; `metrics`
imports nothing of the project. `settings` is the only reader of the environment.
Only `orchestration` imports Dagster.
"""
