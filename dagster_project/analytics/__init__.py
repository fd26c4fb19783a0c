"""Analytics: read marts month by month, call `metrics`, write schema `analytics`, report numbers.

One module per subject, each with `build(connection)`. Holds reading, writing and column lists.
It must not hold a formula (see `metrics`), and only `assets.py` imports Dagster.
"""
