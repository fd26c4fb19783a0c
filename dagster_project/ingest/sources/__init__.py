"""Sources: what each system's tables hold now, over everything it ever delivered, and which rows a delivery can change.

Holds one DuckDB file per mapped system below HOME/restricted/sources (rows as delivered may hold personal data), the merge of deliveries
into current rows, what a SELECT depends on, and the difference between what a feed held and what it holds now.
It must not cast a value by itself, know Dagster, or write into the ledger.
"""

__all__ = ["delivered", "loading", "made_rows", "selects", "table_files"]
