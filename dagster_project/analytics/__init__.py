"""Analytics: score chunks of whole accounts, let the engine sum, call `metrics`, write schema `analytics`, report numbers.

One module per subject, each with `build(engine)`. Holds reading, writing and column lists; it does not know which engine it has.
It must not hold a formula (see `metrics`), and only `assets.py` imports Dagster.
"""

__all__ = ["concentration", "retention", "roi", "tables"]
