"""Faults of complete deliveries: sent twice, late, empty, uneven, at odds with their manifest, or not at all."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from demo_company.draws import Draws
from demo_company.faults.entries import Entry
from demo_company.faults.landing import Delivery, Landing, Table, drawn, key

LATE_DAYS = 45


def duplicate_file(landing: Landing, _: Draws) -> list[Entry]:
    """Send the same bytes again on the next day under another name."""
    original = landing.smallest("payments")
    copy = landing.add("payments", landing.next_day(original.day), "payments-copy.csv", original.path.read_bytes())
    return [landing.entry("payments", copy, "superseded", "D1", "duplicate delivery", original.records)]


def repeated_rows(landing: Landing, _: Draws) -> list[Entry]:
    """Repeat all rows of one delivery in the next one of the feed."""
    first = landing.smallest("orders")
    second = landing.take(next(iter(landing.free("orders", after=first.day))))
    table, repeated = landing.read(second), landing.read(first).rows
    landing.add("orders", second.day, second.path.name, Table(table.header, repeated + table.rows).text())
    return [landing.entry("orders", second.path, "superseded", "D2", "key and version", [key("orders", row) for row in repeated])]


def repeated_keys(landing: Landing, draws: Draws) -> list[Entry]:
    """Let a record appear twice in a file: after its true version an older one with another amount."""
    delivery = landing.largest("payments")
    table = landing.read(delivery)
    true = table.rows[drawn(draws, len(table.rows))]
    older = true | {"payment_amount": "0.01", "source_updated_at": "2001-01-01 00:00:00Z"}
    table.rows.append(older)
    landing.add("payments", delivery.day, delivery.path.name, table.text())
    return [landing.entry("payments", delivery.path, "superseded", "D2", "key and version", [key("payments", true)])]


def late_rows(landing: Landing, draws: Draws) -> list[Entry]:
    """Hold rows back and deliver them up to 45 days after their day."""
    delivery = landing.largest("interactions")
    table = landing.read(delivery)
    late = [table.rows.pop(drawn(draws, len(table.rows))) for _ in range(min(5, len(table.rows) - 1))]
    last = (date.fromisoformat(delivery.day) + timedelta(days=LATE_DAYS)).isoformat()
    day = max([day for day in landing.days if delivery.day < day <= last], default=last)
    landing.add("interactions", delivery.day, delivery.path.name, table.text())
    path = landing.add("interactions", day, "interactions-late.csv", Table(table.header, late).text())
    return [landing.entry("interactions", path, "late", "D3", "month of the event", [key("interactions", row) for row in late])]


def header_only(landing: Landing, _: Draws) -> list[Entry]:
    """Send a file with a header and no record: a day on which nothing happened."""
    path = landing.add("refunds", landing.days[-1], "refunds-nothing.csv", Table(landing.header("refunds"), []).text())
    return [landing.entry("refunds", path, "unchanged", "D6", "empty day", 0)]


def empty_day(landing: Landing, _: Draws) -> list[Entry]:
    """Send header-only files of all feeds on one day, followed by days with data."""
    first, last = date.fromisoformat(landing.days[0]), date.fromisoformat(landing.days[-1])
    between = (first + timedelta(days=number) for number in range((last - first).days + 7))
    day = next(day.isoformat() for day in between if day.isoformat() not in landing.days)
    paths = {feed: landing.add(feed, day, f"{feed}.csv", Table(header, []).text()) for feed, header in sorted(landing.headers.items())}
    return [landing.entry(feed, path, "unchanged", "D7", "empty day", 0) for feed, path in paths.items()]


def volume_anomaly(landing: Landing, _: Draws) -> list[Entry]:
    """Let a delivery bring a tenth of its rows and the next one the rest."""
    delivery = landing.smallest("order_lines", at_least=10)
    table = landing.read(delivery)
    tenth = len(table.rows) // 10
    landing.add("order_lines", delivery.day, delivery.path.name, Table(table.header, table.rows[:tenth]).text())
    rest = table.rows[tenth:]
    again = landing.add("order_lines", landing.next_day(delivery.day), "order_lines-rest.csv", Table(table.header, rest).text())
    few = landing.entry("order_lines", delivery.path, "warned", None, "volume", tenth)
    return [few, landing.entry("order_lines", again, "unchanged", None, "volume", len(rest))]


def stale_source(landing: Landing, _: Draws) -> list[Entry]:
    """Let self-service fall silent: the later half of the daily deliveries, or the last month, never comes."""
    files = landing.free("self_service_sessions")
    silent = [landing.take(delivery) for delivery in files[-max(1, min(5, len(files) // 3)) :]]
    entries = []
    for delivery in silent:
        records = [key("self_service_sessions", row) for row in landing.read(delivery).rows]
        delivery.path.unlink()
        entries.append(landing.entry("self_service_sessions", delivery.path, "warned", None, "freshness", records))
    return entries


def manifest_mismatch(landing: Landing, _: Draws) -> list[Entry]:
    """Let a manifest promise one record and 10.00 more than the file holds."""
    delivery = landing.smallest("payments")
    clean = delivery.path.read_bytes()
    manifest = _manifest(landing, delivery, "payment_amount")
    false_claims = {"rows": delivery.records + 1, "sums": {"payment_amount": str(Decimal(manifest["sums"]["payment_amount"]) + 10)}}
    entry = landing.refused(delivery, clean, "D8", "manifest")
    _state(landing, delivery.feed, delivery.day, delivery.path.name, false_claims)
    _state(landing, delivery.feed, landing.next_day(delivery.day), "payments-redelivered.csv", manifest)
    return [entry]


def right_manifests(landing: Landing, _: Draws) -> list[Entry]:
    """Put a manifest that tells the truth next to three files."""
    amounts = {"ledger_actuals": "ledger_amount", "refunds": "refund_amount", "payments": "payment_amount"}
    entries = []
    for feed, column in amounts.items():
        delivery = landing.largest(feed)
        _state(landing, feed, delivery.day, delivery.path.name, _manifest(landing, delivery, column))
        entries.append(landing.entry(feed, delivery.path, "unchanged", "D8", "manifest", delivery.records))
    return entries


def _manifest(landing: Landing, delivery: Delivery, column: str) -> dict[str, Any]:
    total = sum((Decimal(row[column]) for row in landing.read(delivery).rows), Decimal(0))
    digest = hashlib.sha256(delivery.path.read_bytes()).hexdigest()
    return {"rows": delivery.records, "sums": {column: str(total)}, "sha256": digest}


def _state(landing: Landing, feed: str, day: str, name: str, manifest: dict[str, Any]) -> None:
    landing.add(feed, day, f"{name}.manifest.json", json.dumps(manifest) + "\n")
