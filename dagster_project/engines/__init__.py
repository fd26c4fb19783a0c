"""Engines behind one small interface: run SQL, read bounded chunks, replace tables and keys, show the lake.

`engine.Engine` is the interface, `duckdb` and `spark` implement it; `opening.open_engine` chooses by setting. Holds
connections and data movement only. It must not hold a formula, a path decision or Dagster.
"""

__all__ = ["described", "duckdb", "duckdb_engine", "engine", "lake_files", "spark_engine", "spark_session", "types"]
