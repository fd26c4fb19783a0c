"""Deliveries in the true form of an export: its whole header, and only the values that a test speaks of."""

from __future__ import annotations

import csv
import io
from typing import Any

DAY = "2026-01-05"


def deliver(ingest: Any, system: str, day: str = DAY, **streams: list[dict[str, object]]) -> None:
    """Write a file for each stream; columns that a row does not name are empty."""
    for name, rows in streams.items():
        described = ingest.mappings.system(system).stream(name)
        optional = [column for column in described.optional if any(column in row for row in rows)]
        text = io.StringIO()
        writer = csv.DictWriter(text, (*described.columns, *optional, *described.unread), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        ingest.deliver(f"{system}/{name}/{day}/{name}.csv", text.getvalue())


def counts(ingest: Any) -> dict[str, tuple[int, int, int, int]]:
    """Return physical, loaded, superseded and quarantined records of each stream."""
    sql = (
        "select stream, sum(physical), sum(loaded), sum(superseded), sum(quarantined) from deliveries where status = 'accepted' group by 1"
    )
    return {stream: tuple(numbers) for stream, *numbers in ingest.ledger.rows(sql)}


def waiting(ingest: Any) -> dict[str, int]:
    """Return how many records of each stream wait for their parent."""
    sql = "select stream, sum(waiting) from deliveries where status = 'accepted' group by 1 having sum(waiting) > 0"
    return dict(ingest.ledger.rows(sql))


def broken(report: Any) -> list[tuple[str, str | None, str]]:
    """Return stream, column and rule of every quarantined record."""
    return sorted((file.stream, record.column, record.rule) for file in report.files for record in file.quarantine)
