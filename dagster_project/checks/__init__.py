"""Great Expectations on typed batches, before any of their rows becomes visible.

`results` is what a check reports, `validation` runs the suites of `expectations/` over batch files, `worker` does so in a
process of its own so that the slow import of Great Expectations overlaps with loading. It must not hold an expectation,
must not change data, and only `gx_duckdb` and `validation` may import Great Expectations.
"""

__all__ = ["results", "worker"]
