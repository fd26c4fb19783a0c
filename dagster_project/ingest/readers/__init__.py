"""Readers: archives, encodings, CSV, JSON lines, worksheets and Parquet to records of text, with our own count.

It must not cast a value, know a feed or write into the lake.
"""

__all__ = [
    "advice",
    "archives",
    "collecting",
    "dialect",
    "formats",
    "header",
    "parquet_columns",
    "records",
    "source",
    "unreadable",
    "workbook",
]
