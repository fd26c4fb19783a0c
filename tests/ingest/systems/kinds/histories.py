"""Histories of deliveries: what each day brings, and the current rows that must stand at the end, in whatever order the days arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.ingest.systems.commerce import deliver

ORDERS = ("at once", "day by day", "backwards")
KEYS = {
    "tickets": "ticket_id",
    "ticket_events": "ticket_id, event_number",
    "interactions": "interaction_id",
    "accounts": "account_id",
    "account_merges": "from_account_id, merged_at",
    "contacts": "contact_id",
    "agents": "agent_id, valid_from_date",
    "survey_invitations": "invitation_id",
    "survey_responses": "response_id, question_key",
    "orders": "order_id",
    "order_lines": "order_id, line_id",
    "payments": "payment_id",
}

Rows = list[dict[str, object]]


@dataclass(frozen=True)
class History:
    """Deliveries by day, and the rows that `select` gives of the current rows of a feed."""

    name: str
    days: dict[str, dict[str, Rows]]
    feed: str
    select: str
    rows: list[tuple[Any, ...]]


def each_order(histories: list[History]) -> pytest.MarkDecorator:
    """Run every history with its days at once or one by one in turn, and each night in every order; the law of any order has a test."""
    cases = [
        pytest.param(history, order, id=f"{history.name}, {order}", marks=[pytest.mark.nightly] * (at != daily))
        for number, history in enumerate(histories)
        for orders, daily in [(ORDERS, number % 2) if len(history.days) > 1 else (ORDERS[:1], 0)]
        for at, order in enumerate(orders)
    ]
    return pytest.mark.parametrize(("history", "order"), cases)


def current(ingest: Any, feed: str, select: str) -> list[tuple[Any, ...]]:
    """Return what a feed holds now: per key the row of the latest change, unless that took it back."""
    latest = f"select * from lake.{feed} qualify row_number() over (partition by {KEYS[feed]} order by change_number desc) = 1"
    return list(ingest.all(f"select {select} from ({latest}) where not coalesce(is_withdrawn, false) order by all"))


def check(ingest: Any, system: str, history: History, order: str) -> None:
    """Deliver the days in this order and compare."""
    days = sorted(history.days, reverse=order == "backwards")
    for day in days:
        deliver(ingest, system, day, **history.days[day])
        if order != "at once":
            assert ingest.walk().refusals == []
    if order == "at once":
        assert ingest.walk().refusals == []
    assert current(ingest, history.feed, history.select) == history.rows
