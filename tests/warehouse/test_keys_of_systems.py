"""Two systems that count from 1 are two systems, and an id finds the row that its own system, or one other alone, calls so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb

AT = "2025-02-10T10:00:00+00"
Build = Callable[..., duckdb.DuckDBPyConnection]


def ticket(name: str, system: str, account: str, **more: Any) -> dict[str, Any]:
    return {
        "ticket_id": name, "source_system": system, "account_id": account, "created_at": AT, "last_solved_at": AT, "ticket_state": "closed",
        "channel": "email", **more,
    }  # fmt: skip


def mail(name: str, system: str, named: str | None, **more: Any) -> dict[str, Any]:
    return {
        "interaction_id": name, "source_system": system, "ticket_id": named, "started_at": AT, "channel": "email", "outcome": "answered",
        **more,
    }  # fmt: skip


def test_an_id_finds_its_own_system_first_then_the_one_other_and_never_one_of_several(quick: Build) -> None:
    rows = {
        "accounts": [{"account_id": name} for name in ("zu", "fu", "only")],
        "tickets": [
            ticket("801", "zendesk", "zu"), ticket("801", "freshdesk", "fu"), ticket("7", "zendesk", "only"),
            ticket("9", "freshdesk", "fu", ticket_state="merged", merged_into_ticket_id="801"),
        ],
        "interactions": [
            mail("1", "zendesk", "801"), mail("1", "freshdesk", "801"), mail("2", "canonical", "801"), mail("3", "canonical", "7"),
            mail("4", "freshdesk", "9"),
        ],
        "survey_responses": [
            {"response_id": "s", "question_key": "q", "survey_metric": "csat", "score": 5, "ticket_id": "7", "responded_at": AT},
        ],
        "orders": [
            {"order_id": "1", "source_system": system, "account_id": account, "ordered_at": AT, "currency_code": "EUR"}
            for system, account in (("shopify", "zu"), ("netsuite", "fu"))
        ]
        + [{"order_id": "2", "source_system": "shopify", "account_id": "only", "ordered_at": AT, "currency_code": "EUR"}],
        "order_lines": [
            {"order_id": order, "line_id": "1", "source_system": system, "quantity": 1, "unit_price": "9", "net_amount": "9",
             "unit_cost": "4"}
            for order, system in (("1", "shopify"), ("1", "netsuite"), ("2", "shopify"))
        ],
        "payments": [
            {"payment_id": f"p{order}", "source_system": "stripe", "order_id": order, "paid_at": AT, "payment_amount": "9",
             "currency_code": "EUR"}
            for order in "12"
        ],
        "refunds": [
            {"refund_id": "r", "source_system": "stripe", "order_id": "2", "line_id": "1", "refunded_at": AT, "refund_amount": "9",
             "currency_code": "EUR", "is_restocked": True, "returned_quantity": 1}
        ],
    }  # fmt: skip
    built = quick(rows)
    assert built.execute("select ticket_key, ticket_id, account_id, surviving_ticket_key from marts.fct_ticket order by 1").fetchall() == [
        ("freshdesk:801", "801", "fu", "freshdesk:801"),
        ("freshdesk:9", "9", "fu", "freshdesk:801"),
        ("zendesk:7", "7", "only", "zendesk:7"),
        ("zendesk:801", "801", "zu", "zendesk:801"),
    ]
    shown = "select interaction_key, ticket_key, account_id from marts.fct_interaction order by 1"
    assert built.execute(shown).fetchall() == [
        ("2", None, "ACCOUNT_UNKNOWN"),
        ("3", "zendesk:7", "only"),
        ("freshdesk:1", "freshdesk:801", "fu"),
        ("freshdesk:4", "freshdesk:9", "fu"),
        ("zendesk:1", "zendesk:801", "zu"),
    ]
    assert built.execute("select ticket_key, account_id from marts.fct_survey_response").fetchall() == [("zendesk:7", "only")]
    lines = "select order_line_key, order_key, account_id from marts.fct_order_line_net order by 1"
    assert built.execute(lines).fetchall() == [
        ("netsuite:1|1", "netsuite:1", "fu"),
        ("shopify:1|1", "shopify:1", "zu"),
        ("shopify:2|1", "shopify:2", "only"),
    ]
    assert built.execute("select payment_key, order_key, account_id from marts.fct_payment order by 1").fetchall() == [
        ("stripe:p1", None, "ACCOUNT_UNKNOWN"),
        ("stripe:p2", "shopify:2", "only"),
    ]
    refund = "select refund_key, order_key, account_id, cost_recovered_amount::decimal(18, 2)::varchar from marts.fct_refund"
    assert built.execute(refund).fetchall() == [("stripe:r", "shopify:2", "only", "4.00")]


def test_time_that_a_ticket_reports_is_the_time_of_its_unmeasured_contacts(quick: Build) -> None:
    """Spread: 100 s over three mails is 34, 33, 33; beside a measured mail it goes to the one that was not; else it is work of its own."""
    rows = {
        "accounts": [{"account_id": "a"}],
        "tickets": [
            ticket("SPREAD", "canonical", "a", handle_seconds=100), ticket("MIXED", "canonical", "a", handle_seconds=50),
            ticket("OWN", "canonical", "a", handle_seconds=70), ticket("SPAM", "canonical", "a", ticket_state="spam", handle_seconds=5),
        ],
        "interactions": [
            *[mail(f"S{n}", "canonical", "SPREAD") for n in (1, 2, 3)],
            mail("M1", "canonical", "MIXED", talk_seconds=20), mail("M2", "canonical", "MIXED"),
            mail("O1", "canonical", "OWN", talk_seconds=41),
            mail("SPAM1", "canonical", "SPAM", talk_seconds=1), mail("FREE", "canonical", None, account_id="a"),
        ],
    }  # fmt: skip
    built = quick(rows)
    units = "select unit_kind, unit_key, driver_count, handle_time_source from intermediate.int_cost__work_unit_timed order by 1, 2"
    assert built.execute(units).fetchall() == [
        ("interaction", "FREE", (20 + 41) // 2, "standard"),
        ("interaction", "M1", 20, "measured"),
        ("interaction", "M2", 50, "reported"),
        ("interaction", "O1", 41, "measured"),
        ("interaction", "S1", 34, "reported"),
        ("interaction", "S2", 33, "reported"),
        ("interaction", "S3", 33, "reported"),
        ("interaction", "SPAM1", 1, "measured"),
        ("ticket_work", "OWN", 70, "reported"),
        ("ticket_work", "SPAM", 5, "reported"),
    ]


def test_time_that_a_desk_tracked_holds_that_of_the_measured_contacts(quick: Build) -> None:
    """600 s tracked over a call of 600 s is no work beside it, 900 s are 300; what is over goes to contacts that nobody measured.

    Merged tickets are one: 500 and 400 s over two calls of 300 s are 300 s in the month of the later. A call left open takes all it lasted.
    """

    def tracked(name: str, seconds: int, **more: Any) -> dict[str, Any]:
        return ticket(name, "canonical", "a", handle_seconds=seconds, is_handle_time_total=True, **more)

    rows = {
        "accounts": [{"account_id": "a"}],
        "tickets": [
            tracked("SAME", 600), tracked("MORE", 900), tracked("LESS", 100), tracked("MIXED", 50), tracked("FULL", 20),
            tracked("BARE", 70),
            tracked("KEPT", 400, last_solved_at="2025-02-05T10:00:00+00"), tracked("OPEN", 50_000),
            tracked("INTO", 500, ticket_state="merged", merged_into_ticket_id="KEPT"),
            ticket("BOTH", "canonical", "a", handle_seconds=40),
            tracked("TO_BOTH", 30, ticket_state="merged", merged_into_ticket_id="BOTH"),
        ],
        "interactions": [
            *[mail(f"{name}1", "canonical", name, talk_seconds=600) for name in ("SAME", "MORE", "LESS", "BOTH")],
            mail("M1", "canonical", "MIXED", talk_seconds=20), mail("M2", "canonical", "MIXED"),
            mail("F1", "canonical", "FULL", talk_seconds=20), mail("F2", "canonical", "FULL"),
            mail("K1", "canonical", "KEPT", talk_seconds=300), mail("K2", "canonical", "INTO", talk_seconds=300),
            mail("O1", "canonical", "OPEN", talk_seconds=100_000),
        ],
    }  # fmt: skip
    timed = "select unit_key, driver_count from intermediate.int_cost__work_unit_timed where handle_time_source <> 'measured' order by 1"
    assert quick(rows).execute(timed).fetchall() == [("BARE", 70), ("BOTH", 40), ("F2", 0), ("KEPT", 300), ("M2", 30), ("MORE", 300)]
