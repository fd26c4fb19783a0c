"""Rows of any feed made from its contract: sparse ids over a wide calendar, so that a delivery of a few rows concerns few months."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from dagster_project.contracts.model import Column, load_contract

START, DAYS = datetime(2024, 1, 5), 700
FIRST = {
    "accounts": 20,
    "contacts": 14,
    "tickets": 40,
    "interactions": 60,
    "orders": 36,
    "order_lines": 40,
    "ledger_actuals": 24,
    "self_service_sessions": 30,
    "ticket_events": 60,
}
_POOLS = {"account": 24, "contact": 16, "ticket": 40, "interaction": 70, "order": 40, "offer": 12}
_FIXED = {
    "currency_code": ["EUR", "EUR", "USD"], "from_currency_code": ["USD"], "to_currency_code": ["EUR"], "rate_type": ["average"],
    "rate_source": ["bank"], "line_kind": ["expense"], "ticket_state": ["open", "solved", "solved", "closed", "spam", "merged"],
    "version_state": ["approved"], "book_id": ["primary"], "question_key": ["q"], "outcome": ["answered", "abandoned_queue"],
    "legal_entity": ["E"], "survey_metric": ["csat", "csat", "nps"], "line_number": [1], "line_id": ["1", "2"],
    "budget_version_id": ["v1", "v2"],
    "concurrency": [None], "is_test": [False], "is_overruled": [False], "is_customised": [False, True],
    "is_handle_time_total": [False, True],
    "time_zone": ["Europe/Berlin", "America/New_York"], "weekday": [1, 2, 3, 4, 5], "start_minutes": [0, 480], "end_minutes": [720, 1440],
    "schedule_id": ["d1", "d2", "s1"], "metric_id": ["first_reply_seconds", "first_resolution_seconds", "other"], "unit": ["hours"],
    "comparator": ["<=", ">="], "new_value": ["open", "pending", "solved", "d1", "480", None],
    "field_name": ["schedule_id", "resolution", None], "offered_count": [90, 99],
    **{name: [0, 1, 9] for name in ("answered_count", "abandoned_count", "blocked_count", "voicemail_count", "callback_count")},
    **{name: [0] for name in ("short_abandoned_count", "answered_within_count", "abandoned_within_count")},
}  # fmt: skip


def delivery(declared: Mapping[str, Any], random: Random, number: int) -> dict[str, list[dict[str, Any]]]:
    """Make few rows of the feeds that move every day and of one other in turn; the first delivery has something of every feed.

    `declared`: `affects` of each feed that a model reads.
    """
    moving = sorted(feed for feed, affects in declared.items() if affects.get("days"))
    others = sorted(declared.keys() - {*moving})
    chosen = sorted(declared) if number == 0 else [*random.sample(moving, 3), others[number % len(others)]]
    counts = {feed: FIRST.get(feed, 3) if number == 0 else random.choice([1, 1, 2]) for feed in chosen}
    return {feed: rows(feed, count, random, number) for feed, count in counts.items()}


def rows(feed: str, count: int, random: Random, number: int) -> list[dict[str, Any]]:
    """Make `count` rows of a delivery; some take back a key that may stand. Ids repeat over deliveries."""
    contract = load_contract(feed)
    made = {}
    for _ in range(count):
        row = {column.name: _value(column, random) for column in contract.columns}
        if feed == "fiscal_periods":
            first = date.fromisoformat(f"{row['fiscal_period']}-01")
            row |= {"start_date": first, "end_date": date(first.year, first.month, monthrange(first.year, first.month)[1])}
        ident = random.randrange(10**9)
        row |= {"record_number": ident, "row_hash": ident, "delivery_date": f"2025-12-{number + 1:02d}", "change_number": number}
        row |= {"source_system": "desk", "is_withdrawn": number > 0 and random.random() < 0.15}
        if row["is_withdrawn"]:
            row |= {column.name: None for column in contract.columns if column.key_position is None}
        made[tuple(row[name] for name in contract.primary_key)] = row
    return list(made.values())


def _value(column: Column, random: Random) -> Any:
    if column.name in _FIXED:
        return random.choice(_FIXED[column.name])
    if column.default is not None and random.random() < 0.9:
        return column.default
    # Else nearly all tickets would hang together.
    rare = 0.85 if column.name in {"merged_into_ticket_id", "follow_up_of_ticket_id"} else 0.3
    if not column.required and column.default is None and column.key_position is None and random.random() < rare:
        return None
    if column.valid_values:
        return random.choice(column.valid_values)
    if column.name.endswith("fiscal_period"):
        return f"{random.choice([2024, 2025])}-{random.randrange(1, 13):02d}"
    if column.sql_type.startswith("timestamp"):
        return (START + timedelta(days=random.randrange(DAYS), seconds=random.randrange(86_400))).isoformat() + "+00"
    if column.sql_type == "date":
        return (START + timedelta(days=random.randrange(DAYS))).date().isoformat()
    if column.sql_type == "boolean":
        return random.random() < 0.2
    if column.sql_type.startswith("decimal") or column.sql_type in {"double", "bigint", "integer"}:
        return random.randrange(1, 9)
    kind = next((kind for kind in _POOLS if column.name.endswith(f"{kind}_id")), None)
    if kind:
        return f"{kind[0]}{random.randrange(_POOLS[kind])}"
    return f"{column.name[0]}{random.randrange(20)}"
