"""Companies small enough to reckon by hand, as rows of the feeds; a row says only what its case is about."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def _line(number: int, period: str, amount: str, category: str = "people", **more: Any) -> Row:
    return {
        "journal_id": f"J{period}",
        "line_number": number,
        "legal_entity": "ACME",
        "cost_centre": "CC",
        "fiscal_period": period,
        "posted_at": f"{period}-28T10:00:00+00",
        "gl_account": "G",
        "cost_category": category,
        "pool_id": category,
        "ledger_amount": amount,
        "currency_code": "EUR",
        **more,
    }


def _ticket(name: str, created: str, **more: Any) -> Row:
    return {
        "ticket_id": name,
        "account_id": "a",
        "created_at": created,
        "ticket_state": "closed",
        "channel": "phone",
        "last_solved_at": created,
        **more,
    }


def _call(name: str, ticket: str | None, started: str, talk: int | None, **more: Any) -> Row:
    return {
        "interaction_id": name,
        "ticket_id": ticket,
        "channel": "phone",
        "started_at": started,
        "outcome": "answered",
        "talk_seconds": talk,
        **more,
    }


def _event(ticket: str, number: int, at: str, event_type: str, **more: Any) -> Row:
    return {"ticket_id": ticket, "event_number": number, "event_at": at, "event_type": event_type, "actor_role": "agent", **more}


def _line_item(order: str, line: str, net: str, **more: Any) -> Row:
    return {"order_id": order, "line_id": line, "quantity": 1, "unit_price": net, "net_amount": net, **more}


def _order(name: str, account: str | None, ordered: str, **more: Any) -> Row:
    return {"order_id": name, "account_id": account, "ordered_at": ordered, "currency_code": "EUR", **more}


def _budget(line: str, amount: str, version: str = "FY19-20-adopted", **more: Any) -> Row:
    return {
        "budget_version_id": version,
        "version_effective_at": "2019-07-01T12:00:00+00",
        "line_id": line,
        "legal_entity": "OAK",
        "cost_centre": "CC",
        "fiscal_period": "FY2020",
        "gl_account": "G",
        "cost_category": "people",
        "pool_id": "p",
        "budget_amount": amount,
        "currency_code": "USD",
        **more,
    }


# January: the six tickets of the golden fixture, one call each, minutes as seconds.
_JANUARY = "2025-01-10T10:00:00+00"
_FEBRUARY = "2025-02-10T10:00:00+00"
_MARCH = "2025-03-10T10:00:00+00"
_GOLDEN = {"T1": 10, "T2": 20, "T3": 30, "T4": 40, "T5": 50, "T6": 51}

WHOLE: dict[str, list[Row]] = {
    "accounts": [{"account_id": name} for name in ("a", "b", "c")],
    "contacts": [{"contact_id": "alias", "account_id": "b"}, {"contact_id": "lost", "account_id": "nobody"}],
    "tickets": [
        *[_ticket(name, _JANUARY) for name in _GOLDEN],
        # February: spam; a chain of merges S <- M1 <- M2; a ticket with work reported on itself; one without any time; a cycle.
        _ticket("SPAM", _FEBRUARY, ticket_state="spam", account_id="b"),
        _ticket("S", _FEBRUARY, account_id="b", department_id="D1", channel="email"),
        _ticket("M1", _FEBRUARY, ticket_state="merged", merged_into_ticket_id="S", account_id="c"),
        _ticket("M2", _FEBRUARY, ticket_state="merged", merged_into_ticket_id="M1", account_id="c"),
        _ticket("OWN", _FEBRUARY, account_id="zz", handle_seconds=200, channel="chat", is_complaint=True),
        _ticket("BLANK", "2025-01-20T10:00:00+00", last_solved_at=_FEBRUARY, contact_id="alias", account_id=None, channel="chat"),
        _ticket("X1", _FEBRUARY, ticket_state="merged", merged_into_ticket_id="X2", handle_seconds=50),
        _ticket("X2", _FEBRUARY, ticket_state="merged", merged_into_ticket_id="X1", handle_seconds=50),
        # March: nobody measured anything.
        _ticket("E1", _MARCH, account_id="a"),
        _ticket("E2", _MARCH, account_id="b", ticket_state="open", last_solved_at=None),
    ],
    "interactions": [
        *[_call(f"I{name}", name, _JANUARY, minutes * 60) for name, minutes in _GOLDEN.items()],
        _call("ABANDONED", None, _JANUARY, None, outcome="abandoned_queue", account_id="a"),
        _call("SPAMCALL", "SPAM", _FEBRUARY, 100),
        # Three calls on the merged chain: 7, 11, 13 seconds (13 = 26 at concurrency 2), one of them on the second link.
        _call("C7", "S", _FEBRUARY, 7, channel="email", first_reply_at="2025-02-10T10:05:00+00"),
        _call("C11", "M2", _FEBRUARY, 5, hold_seconds=4, wrap_seconds=2, channel="email", ended_at=_FEBRUARY),
        _call("C13", "M1", _FEBRUARY, 27, concurrency="2.0", channel="email"),
        _call("UNTIMED", None, _FEBRUARY, None, channel="email", account_id="a"),
        _call("NOMEAN", None, _FEBRUARY, None, channel="letter", contact_id="alias"),
        _call("ORPHAN", "NOTICKET", _FEBRUARY, 30, account_id="zz", department_id="D9"),
        # Late in the evening of 31 January in UTC is February in Berlin.
        _call("MIDNIGHT", None, "2025-01-31T23:30:00+00", 40, account_id="c", department_id="D2"),
        _call("MARCHCALL", None, _MARCH, None, account_id="c"),
        _call("DECEMBERCALL", None, "2024-12-10T10:00:00+00", 60, account_id="c"),
    ],
    "self_service_sessions": [
        {"session_id": "V1", "self_service_channel": "bot", "account_id": "a", "started_at": "2025-01-10T09:00:00+00"},
        {"session_id": "V2", "self_service_channel": "ivr", "account_id": "b", "started_at": _FEBRUARY, "outcome": "answered"},
        {"session_id": "V3", "self_service_channel": "web", "started_at": _FEBRUARY, "outcome": "answered"},
    ],
    "ticket_events": [
        _event("T1", 0, _JANUARY, "created", actor_role="customer", department_id="D1"),
        _event("T1", 1, "2025-01-10T10:20:00+00", "department_change", new_value="D2", actor_role="bot"),
        _event("T1", 2, "2025-01-10T10:30:00+00", "info_rerequested"),
        _event("T1", 3, "2025-01-10T10:40:00+00", "department_change", new_value="D1"),
        _event("T1", 4, "2025-01-10T10:45:00+00", "assignment", new_value="anna"),
        _event("T1", 5, "2025-01-10T11:00:00+00", "public_comment"),
        _event("T1", 6, "2025-01-10T11:00:00+00", "status_change", new_value="pending"),
        _event("T1", 7, "2025-01-10T12:00:00+00", "status_change", new_value="on_hold"),
        _event("T1", 8, "2025-01-10T12:00:00+00", "blocked", blocked_reason="parts"),
        _event("T1", 9, "2025-01-10T13:00:00+00", "unblocked"),
        _event("T1", 10, "2025-01-10T14:00:00+00", "status_change", new_value="solved"),
        _event("T1", 11, "2025-01-11T14:00:00+00", "reopened", new_value="open", actor_role="customer"),
        _event("T1", 12, "2025-01-13T09:00:00+00", "status_change", new_value="closed"),
        _event("T1", 13, "2025-01-13T10:00:00+00", "status_change", new_value="open"),
        _event("E2", 0, _MARCH, "created", actor_role="customer", department_id="D1"),
        _event("E2", 1, "2025-03-10T11:00:00+00", "history_viewed"),
    ],
    "business_hours": [
        {
            "schedule_id": "hours",
            "valid_from_date": "2024-01-01",
            "weekday": day,
            "start_minutes": 480,
            "end_minutes": 1080,
            "time_zone": "Europe/Berlin",
        }
        for day in range(1, 6)
    ],
    "holidays": [{"schedule_id": "hours", "holiday_date": "2025-01-01"}],
    "entitlements": [{"entitlement_id": "E", "account_id": "a", "valid_from_date": "2025-01-01", "response_target_minutes": 90}],
    "service_standards": [
        {
            "standard_id": "S",
            "valid_from_date": "2025-01-01",
            "metric_id": "first_resolution_seconds",
            "comparator": "<=",
            "threshold_value": 8,
            "unit": "hours",
            "population": "tickets",
            "target_share": "0.9",
            "goal_kind": "raise_satisfaction",
        },
        *(
            {
                "standard_id": goal,
                "valid_from_date": "2025-01-01",
                "metric_id": metric,
                "comparator": comparator,
                "threshold_value": threshold,
                "unit": unit,
                "population": "all",
                "target_share": "1",
                "goal_kind": goal,
            }
            for goal, metric, comparator, threshold, unit in (
                ("raise_value", "customer_retention_90_rate", ">=", "0.5", "rate"),
                ("cut_cost", "cost_per_ticket", "<=", "5", "money"),
                ("use_resources", "occupancy_rate", ">=", "0.5", "rate"),
            )
        ),
    ],
    "ledger_actuals": [
        # December: nothing but one call and one line in yen, for which no rate came.
        _line(1, "2024-12", "20.00", "facilities", currency_code="JPY"),
        _line(1, "2025-01", "8000.00"),
        _line(2, "2025-01", "1200.00", "it"),
        _line(3, "2025-01", "500.00", "facilities"),
        _line(4, "2025-01", "300.00", "other"),
        _line(1, "2025-02", "1000.00"),
        _line(2, "2025-02", "-1000.00", is_adjustment=True),
        _line(3, "2025-02", "10.00", "it", department_id="D1"),
        _line(4, "2025-02", "5.55", "other", department_id="D7"),
        _line(5, "2025-02", "77.00", "other", is_in_scope=False, scope_reason="parking"),
        _line(6, "2025-02", "100.00", "facilities", currency_code="GBP"),
        _line(1, "2025-03", "100.00"),
        _line(2, "2025-03", "999.00", is_deleted=True),
    ],
    "fx_rates": [
        {
            "rate_date": "2025-02-01",
            "from_currency_code": "GBP",
            "to_currency_code": "EUR",
            "rate_type": "average",
            "rate_source": "ecb",
            "exchange_rate": "1.20345",
        },
        {
            "rate_date": "2025-02-01",
            "from_currency_code": "GBP",
            "to_currency_code": "EUR",
            "rate_type": "closing",
            "rate_source": "ecb",
            "exchange_rate": "9",
        },
    ],
    "agents": [
        {
            "agent_id": "g1",
            "valid_from_date": "2025-01-01",
            "team_id": "t1",
            "department_id": "D1",
            "site_id": "north",
            "hire_date": "2025-01-01",
            "hourly_cost_amount": "20.00",
            "currency_code": "EUR",
        }
    ],
    "agent_time": [
        {"agent_id": "g1", "work_date": "2025-01-10", "agent_state": state, "state_seconds": 3600}
        for state in ("talk", "available", "absence")
    ],
    "training_events": [
        {
            "agent_id": "g1",
            "module_id": "m1",
            "started_at": _JANUARY,
            "training_topic": "product_function",
            "training_format": "role_play",
            "is_customised": True,
            "customised_for": "role",
            "module_version_date": "2023-01-01",
            "training_hours": "2.00",
            "training_score": "8",
            "scale_max": "10",
            "certification": "basic",
        },
    ],
    "tool_usage": [
        {
            "tool_id": "desk",
            "usage_date": "2025-01-13",
            "pool_id": "it",
            "active_users_count": 3,
            "used_seats_count": 4,
            "licensed_seats_count": 5,
            "downtime_minutes": 7,
        }
    ],
    "budgets": [_budget("L", "7000.00", version="v1", legal_entity="ACME", fiscal_period="2025-01", currency_code="EUR")],
    "offers": [{"offer_id": "f", "interaction_id": "MIDNIGHT", "offer_kind": "upsell", "offered_at": "2025-01-31T23:35:00+00"}],
    "orders": [
        _order("O1", "a", "2025-01-05T12:00:00+00"),
        _order("O2", "a", "2025-02-05T12:00:00+00", currency_code="GBP"),
        _order("MEMO", "a", "2025-02-06T12:00:00+00", order_kind="credit_memo"),
        _order("TEST", "a", "2025-02-07T12:00:00+00", is_test=True),
        _order("GONE", "b", "2025-02-07T12:00:00+00", financial_state="voided"),
        _order("OFFER", "b", "2025-02-20T10:00:00+00", offer_id="f", interaction_id="MIDNIGHT"),
        _order("LATE", "b", "2025-03-05T10:00:00+00", offer_id="f", interaction_id="MIDNIGHT"),
        _order("EARLY", "b", "2025-01-20T10:00:00+00", offer_id="f", interaction_id="MIDNIGHT"),
        _order("YEN", "c", "2025-03-05T10:00:00+00", currency_code="JPY"),
        _order("GUEST", None, "2025-03-05T10:00:00+00", contact_id="lost"),
    ],
    "order_lines": [
        _line_item("O1", "1", "100.00", unit_cost="60.005", quantity=2, unit_price="50.00"),
        _line_item("O2", "1", "10.00", unit_cost="4.00"),
        _line_item("MEMO", "1", "-30.00", quantity=-1, unit_price="30.00", unit_cost="20.00"),
        _line_item("TEST", "1", "500.00", unit_cost="1"),
        _line_item("GONE", "1", "500.00", unit_cost="1"),
        _line_item("OFFER", "1", "80.00", unit_cost="50.00"),
        _line_item("LATE", "1", "70.00", unit_cost="50.00"),
        _line_item("EARLY", "1", "60.00"),
        _line_item("YEN", "1", "1000.00", unit_cost="1"),
        _line_item("GUEST", "1", "0.00", unit_cost="0"),
        _line_item("NOORDER", "1", "44.00"),
    ],
    "refunds": [
        {
            "refund_id": "R1",
            "order_id": "OFFER",
            "line_id": "1",
            "refunded_at": _MARCH,
            "refund_amount": "80.00",
            "currency_code": "EUR",
            "returned_quantity": 1,
            "is_restocked": True,
        },
        {"refund_id": "R2", "order_id": "O1", "line_id": "1", "refunded_at": _MARCH, "refund_amount": "5.00", "currency_code": "EUR"},
        {"refund_id": "R3", "order_id": "TEST", "line_id": "1", "refunded_at": _MARCH, "refund_amount": "500.00", "currency_code": "EUR"},
    ],
    "payments": [
        {"payment_id": "P1", "order_id": "O1", "paid_at": "2025-02-01T12:00:00+00", "payment_amount": "100.00", "currency_code": "EUR"},
        {"payment_id": "P2", "order_id": "O1", "payment_amount": "1.50", "currency_code": "EUR"},
    ],
    "survey_invitations": [
        {"invitation_id": "V1", "ticket_id": "T1", "channel": "phone", "invited_at": "2025-01-10T10:10:00+00", "delivered_at": _JANUARY},
        {"invitation_id": "V2", "interaction_id": "C7", "channel": "email", "invited_at": _FEBRUARY, "suppressed_reason": "no consent"},
        {"invitation_id": "V4", "interaction_id": "C11", "channel": "email", "invited_at": _FEBRUARY},
        {"invitation_id": "V3", "survey_kind": "relationship", "account_id": "a", "channel": "email", "invited_at": _MARCH},
    ],
    "survey_responses": [
        {
            "response_id": f"S{n}",
            "question_key": f"q{n}",
            "survey_metric": metric,
            "scale_min": low,
            "scale_max": high,
            "score": score,
            "ticket_id": "T1",
            "responded_at": at,
            "comment": comment,
        }
        for n, (metric, low, high, score, at, comment) in enumerate(
            (
                ("csat", 1, 5, 4, _JANUARY, "fine"),
                ("csat", 1, 5, 3, "2025-01-11T10:00:00+00", None),
                ("csat", 0, 1, 1, "2025-01-12T10:00:00+00", ""),
                ("nps", 0, 10, 9, _JANUARY, None),
            )
        )
    ],
}

BANK: dict[str, list[Row]] = {
    "interactions": [
        _call("A", None, "1999-02-01T08:00:00+00", 100, account_id="7"),
        _call("B", None, "1999-02-27T08:00:00+00", None, outcome="abandoned_queue", account_id="7"),
        _call("C", None, "1999-02-28T08:00:00+00", 50),
    ]
}


OAKLAND: dict[str, list[Row]] = {
    "budgets": [
        _budget("L1", "100.00"),
        _budget("L2", "-0.05", cost_category="it", pool_id="q"),
        _budget("L3", "240.00", line_kind="revenue"),
        _budget("L1", "900.00", version="draft", version_state="draft", version_effective_at="2019-09-01T12:00:00+00"),
        _budget("L1", "800.00", version="future", version_effective_at="2020-07-15T12:00:00+00"),
    ],
    "fiscal_periods": [
        {
            "fiscal_period": f"{2019 + (m > 12)}-{(m - 1) % 12 + 1:02d}",
            "fiscal_year": "FY2020",
            "start_date": f"{2019 + (m > 12)}-{(m - 1) % 12 + 1:02d}-01",
            "end_date": f"{2019 + (m > 12)}-{(m - 1) % 12 + 1:02d}-{(31, 31, 30, 31, 30, 31, 31, 29, 31, 30, 31, 30)[m - 7]}",
        }
        for m in range(7, 19)
    ],
}
