"""Conform: mapped rows become rows of a contract: strict types, closed lists, time zones, quarantine, Parquet.

It must not know a source system or the landing folder.
"""

__all__ = ["batches", "casting", "deduplication", "feed_batch", "one_pass", "quarantine", "refusal", "resolving", "rules", "zones"]
