"""Publish: from a finished warehouse to a numbered read-only copy that readers open.

Holds the gate, the copy, its verification in a fresh process, the pointer, and the reader. It must not compute a
figure, and nothing here opens the warehouse for writing. `reader`, `versions` and `verify` start fast: they import
DuckDB and the standard library only.
"""

__all__ = [
    "contents",
    "dictionary",
    "fingerprint",
    "gate",
    "increment",
    "limits",
    "operations",
    "printing",
    "publisher",
    "reader",
    "rollback",
    "source",
    "stable_path",
    "verify",
    "versions",
]
