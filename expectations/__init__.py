"""What a delivered batch must be: one contract (`contracts/<feed>.odcs.yaml`) and one Great Expectations suite (`<feed>.py`) per feed.

Holds expectations only; it must not hold data, connections or anything that runs them (see `dagster_project.checks`).
Types, keys, nullability, bounds and closed lists are never written twice: `contract_rules` derives them from the contract,
and a feed's own module adds what a contract cannot say about one column.

A **critical** expectation blocks the feed: ingest promised it row by row, or money and identity would be wrong.
A **warning** is reported and loads: the batch is odd, and its `notes` say which figure to distrust.
"""
