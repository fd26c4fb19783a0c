"""Merged tickets are one ticket with their surviving ticket, and work on a ticket belongs to the month in which it ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

JANUARY, FEBRUARY = date(2025, 1, 1), date(2025, 2, 1)
Build = Callable[..., duckdb.DuckDBPyConnection]


def ticket(name: str, **more: Any) -> dict[str, Any]:
    return {
        "ticket_id": name,
        "account_id": "a",
        "channel": "email",
        "created_at": "2025-01-10T10:00:00+00",
        "ticket_state": "closed",
        **more,
    }


def merged(name: str, into: str, **more: Any) -> dict[str, Any]:
    return ticket(name, ticket_state="merged", merged_into_ticket_id=into, **more)


def mail(name: str, named: str | None, seconds: int | None) -> dict[str, Any]:
    started = {"started_at": "2025-01-11T10:00:00+00", "channel": "email", "outcome": "answered"}
    return {"interaction_id": name, "ticket_id": named, "account_id": "a", "talk_seconds": seconds, **started}


@pytest.fixture(scope="module")
def built(quick: Build) -> duckdb.DuckDBPyConnection:
    return quick({
        "accounts": [{"account_id": "a"}],
        "tickets": [
            ticket("SPAM", ticket_state="spam"), merged("INTO_SPAM", "SPAM"),
            ticket("LIVE"), merged("INTO_LIVE", "LIVE"),
            ticket("LATE", last_solved_at="2025-02-03T10:00:00+00"), merged("INTO_LATE", "LATE", handle_seconds=600),
            ticket("CLOSED", closed_at="2025-02-04T10:00:00+00", handle_seconds=60),
        ],
        "interactions": [mail("I1", "INTO_SPAM", 900), mail("I2", "INTO_LIVE", 100), mail("I3", "LIVE", 41), mail("I4", None, None)],
        "ledger_actuals": [{
            "book_id": "b", "journal_id": "j", "line_number": 1, "legal_entity": "E", "cost_centre": "c", "fiscal_period": "2025-01",
            "gl_account": "6000", "cost_category": "people", "pool_id": "p", "ledger_amount": Decimal("1711.00"), "currency_code": "EUR",
        }],
    })  # fmt: skip


def test_work_of_merged_tickets_is_that_of_their_surviving_ticket_each_in_its_own_month(built: duckdb.DuckDBPyConnection) -> None:
    """A surviving ticket whose merged ticket reports time draws no standard time; the mean is that of 100 and 41, not of spam."""
    names = "period_month, unit_id, ticket_key, driver_count, handle_time_source"
    assert built.execute(f"select {names} from intermediate.int_cost__work_unit_timed order by 1, 2").fetchall() == [
        (JANUARY, "I1", "SPAM", 900, "measured"),
        (JANUARY, "I2", "LIVE", 100, "measured"),
        (JANUARY, "I3", "LIVE", 41, "measured"),
        (JANUARY, "I4", None, (100 + 41) // 2, "standard"),
        (JANUARY, "LATE", "LATE", 600, "reported"),
        (FEBRUARY, "CLOSED", "CLOSED", 60, "reported"),
    ]


def test_a_contact_on_a_ticket_merged_into_spam_is_in_neither_part_of_a_unit_cost(built: duckdb.DuckDBPyConnection) -> None:
    assert built.execute("select account_id from marts.fct_interaction where interaction_id = 'I1'").fetchall() == [("NON_CUSTOMER",)]
    of_all = "unit_kind = 'interaction' and channel = 'all' and period_month = ?"
    assert built.execute(f"select cost_amount, volume_count from marts.mart_cost_per_unit where {of_all}", [JANUARY]).fetchall() == [
        (Decimal("211.000"), 3)
    ]
