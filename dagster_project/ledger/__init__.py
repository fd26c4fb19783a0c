"""The ledger: the durable record of what was loaded, refused, kept out and withdrawn.

Holds the SQLite file, its versions, its transactions, and what can be asked of it alone (volumes and freshness).
It must not read a delivered file or decide what a record means; every layer may import it.
"""

__all__ = ["entries", "store", "volumes", "warnings"]
