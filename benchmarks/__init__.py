"""Benchmarks: the product against what could be used instead, on generated companies, whole processes, side by side in one run.

Holds measuring, the rivals (a bare DuckDB script, a pandas script, dbt alone, dlt with dbt), the cases and their report. It must not
hold anything the product imports.
"""
