"""Benchmarks: the product against a bare DuckDB script on generated companies, whole processes, in one run.

Holds measuring and the bare script. It must not hold anything the product imports.
"""
