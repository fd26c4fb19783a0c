"""Assets: one module a room of the pipeline, each of which calls that room with what the run's context holds.

An asset must not compute anything by itself; a room must not import this one.
"""

__all__ = ["analytics", "finance", "ingest", "publish", "reports", "transform"]
