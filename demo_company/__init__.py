"""The demo company: seeded landing files of all feeds with known truth, also the source of the benchmark companies.

Holds the simulated company and the writing of its files. It must not import ingest, the checks, dbt or Dagster:
what reads these files must not share code with what wrote them.
"""
