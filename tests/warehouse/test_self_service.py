"""Sessions of self-service: what the channel claims and what the customer did afterwards. Breaks: a bot that is believed."""

from __future__ import annotations

import runpy
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]
CHAINS = runpy.run_path(str(Path(__file__).with_name("test_issue_chains.py")))  # tests are no package, so no import
at, contact, clock, metric = CHAINS["at"], CHAINS["contact"], CHAINS["clock"], CHAINS["metric"]
WINDOWS = (1, 3, 7, 14)


def session(name: str, account: str | None, day: float, outcome: str = "answered", channel: str = "bot", **more: Any) -> Row:
    row = {"session_id": name, "account_id": account, "self_service_channel": channel, "started_at": at(day), "ended_at": at(day + 0.01)}
    return {**row, "outcome": outcome, **more}


COMPANY: dict[str, list[Row]] = {
    "accounts": [{"account_id": name} for name in "abcdefghi"],
    "self_service_sessions": [
        session("held", "a", 0, choice_reason="avoid_agent"), session("called_after_two_days", "b", 0, choice_reason="preference"),
        session("hung_up_within_a_day", "c", 0), session("nobody", None, 0), session("unheard", "?", 0),
        session("silent", "d", 0, "unknown"),
        session("handed_over", "e", 0, "escalated", "ivr", is_agent_requested=True), session("left", "f", 0, "abandoned", "ivr"),
        session("solved_by_voice", "i", 0, "answered", "vru"),
        # Two sessions before one call, which begins while the second still runs.
        session("first_try", "g", 0, "not_answered"), session("second_try", "g", 0.1, "not_answered", ended_at=at(0.2)),
        session("deleted", "g", 0.1, is_deleted=True), session("late", "h", 20),
    ],
    "interactions": [
        contact("b", None, "b", 2.01), contact("c", None, "c", 0.9, outcome="abandoned_queue", talk_seconds=None),
        contact("g", None, "g", 0.15), contact("before", None, "a", -1, "chat"), contact("reply", None, "a", 1, direction="out"),
    ],
    "orders": [clock(20)],
}  # fmt: skip


@pytest.fixture(scope="module")
def company(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures(COMPANY, latest_delivery_date="2025-03-21", resolution_price_amount="0.99")


def test_a_claim_holds_until_the_customer_comes_on_any_channel(company: duckdb.DuckDBPyConnection) -> None:
    sql = "select session_id, verified_1_state, verified_3_state, next_channel, next_contact_gap_seconds, unknown_reason"
    sql += " from marts.fct_self_service_session"
    found = {name: tuple(rest) for name, *rest in company.execute(sql).fetchall()}
    assert found == {
        "held": ("contained", "contained", None, None, None),  # the chat came before, the reply is the company's
        "called_after_two_days": ("contained", "escalated", "phone", 172800, None),
        "hung_up_within_a_day": ("escalated", "escalated", "phone", 76896, None),
        "nobody": ("unknown", "unknown", None, None, "anonymous"),
        "unheard": ("unknown", "unknown", None, None, "anonymous"),
        "silent": ("unknown", "unknown", None, None, "outcome_unknown"),
        "handed_over": ("escalated", "escalated", None, None, None),
        "left": ("abandoned", "abandoned", None, None, None),
        "solved_by_voice": ("contained", "contained", None, None, None),
        "first_try": ("escalated", "escalated", "phone", 12096, None),
        "second_try": ("escalated", "escalated", "phone", 0, None),
        "deleted": ("escalated", "escalated", "phone", 3456, None),
        "late": ("contained", "contained", None, None, None),
    }  # fmt: skip


@pytest.mark.spec("B05", "E28", "E15")
def test_contained_escalated_abandoned_and_unknown_are_all_sessions(company: duckdb.DuckDBPyConnection) -> None:
    parts = {name: metric(company, f"self_service_{name}")[0] for name in ("contained", "escalated", "abandoned", "unknown")}
    assert parts == {"contained": 3, "escalated": 4, "abandoned": 1, "unknown": 3}
    assert metric(company, "self_service_sessions")[0] == 12  # the late one is not old enough to be judged
    assert metric(company, "self_service_attempts")[0] == sum(parts.values()) == 11
    assert metric(company, "self_service_success_rate")[:2] == (3, 11)
    assert metric(company, "self_service_unknown_share")[:2] == (3, 11)
    assert metric(company, "containment_24h_rate")[:2] == (6, 9)
    assert metric(company, "containment_72h_rate")[:2] == (5, 9)
    assert metric(company, "ivr_sessions")[0] == 3
    assert metric(company, "ivr_containment_rate")[:2] == (1, 3)
    assert metric(company, "ivr_opt_out_rate")[:2] == (1, 3)
    sums = (
        "select sum(contained_count + escalated_count + abandoned_count + unknown_count - mature_count) from reporting.self_service_month"
    )
    assert company.execute(sums).fetchone() == (0,)
    assert metric(company, "self_service_success_rate", "channel")["vru"][:2] == (1, 1)


@pytest.mark.spec("E30", "E14")
def test_a_contact_after_two_sessions_is_counted_once_and_reasons_sum_to_one(company: duckdb.DuckDBPyConnection) -> None:
    assert (
        metric(company, "failure_demand_calls")[0] == metric(company, "failure_demand_contacts")[0] == 2
    )  # c and g; b came after two days
    assert metric(company, "self_service_by_avoidance_share")[:3] == (1, 2, 0.5)
    by_reason = "select sum(reason_count) from reporting.self_service_month where window_days = 1"
    assert company.execute(by_reason).fetchone() == (2,)


def test_what_was_paid_for_what_held_and_what_came_back(company: duckdb.DuckDBPyConnection, quick: Build) -> None:
    assert metric(company, "verified_resolution_rate_1")[:2] == (3, 4)
    assert metric(company, "verified_resolution_rate_7")[:2] == (2, 4)
    assert metric(company, "verified_resolution_rate_14")[:2] == (2, 4)
    assert metric(company, "claimed_resolutions")[0] == 6  # also of nobody known: they are paid too
    price = "select value from reporting.mart_metric where metric_id = ? and cut = 'all'"
    assert company.execute(price, ["claimed_resolution_price"]).fetchone() == (5.94,)
    assert company.execute(price, ["price_per_held_resolution"]).fetchone() == (2.97,)
    # No cost came, so what the call of b cost is unknown.
    assert metric(company, "failed_claim_contact_cost")[3] == "source_absent"
    without = quick({**COMPANY, "ledger_actuals": CHAINS["MONEY"]["ledger_actuals"]}, latest_delivery_date="2025-03-21")
    sql = "select claim_price_amount, claim_price_null_reason, next_contact_cost_amount"
    sql += " from marts.fct_self_service_session where session_id = '{}'"
    assert without.execute(sql.format("held")).fetchone() == (None, "source_absent", None)
    assert without.execute(sql.format("called_after_two_days")).fetchone() == (None, "source_absent", Decimal("200.00"))  # of 600 for three


@pytest.mark.spec("E13")
def test_one_of_five_is_twenty_percent(figures: Build) -> None:
    rows = {
        "self_service_sessions": [session("s", None, 3)],
        "interactions": [*(contact(f"i{n}", None, "a", n) for n in range(4)), contact("early", None, "a", -20),
                         contact("hung_up", None, "a", 5, outcome="abandoned_queue", talk_seconds=None),
                         contact("out", None, "a", 5, direction="out")],
    }  # fmt: skip
    connection = figures(rows, latest_delivery_date="2025-04-01")
    assert metric(connection, "self_service_share")[:3] == (1, 5, 0.2)
    # In February no session had come yet: 0 would claim that nobody helped themselves.
    assert metric(connection, "self_service_share", month="2025-02-01")[2:] == (None, "source_absent")
    assert metric(connection, "self_service_success_rate", month="2025-02-01")[2:] == (None, "source_absent")


@pytest.mark.parametrize("seed", range(2))
def test_the_next_contact_is_that_of_a_search_through_all_of_them(quick: Build, seed: int) -> None:
    random = Random(seed)
    outcomes = ["answered", "not_answered", "escalated", "abandoned", "unknown"]
    people = ["a", "b", None]
    sessions = [session(f"s{n}", random.choice(people), random.uniform(0, 60), random.choice(outcomes)) for n in range(60)]
    contacts = [
        contact(f"i{n}", None, random.choice("abc"), random.uniform(0, 80), random.choice(["phone", "chat"]),
                direction=random.choice(["in", "in", "out"]), outcome=random.choice(["answered", "abandoned_queue"]))
        for n in range(40)
    ]  # fmt: skip
    rows = {"accounts": [{"account_id": name} for name in "abc"], "self_service_sessions": sessions, "interactions": contacts}
    connection = quick(rows, latest_delivery_date="2025-09-01")
    states = {
        "answered": "contained",
        "escalated": "escalated",
        "unknown": "unknown",
        "abandoned": "abandoned",
        "not_answered": "abandoned",
    }
    expected, counted = {}, Counter[str]()
    for row in sessions:
        came = [
            one
            for one in contacts
            if one["direction"] == "in" and one["account_id"] == row["account_id"] and one["started_at"] >= row["started_at"]
        ]
        first = min(came, key=lambda one: one["started_at"], default=None)
        gap = first and max(datetime.fromisoformat(first["started_at"]) - datetime.fromisoformat(row["ended_at"]), timedelta())
        by_window = tuple(
            "unknown" if row["account_id"] is None
            else "escalated" if row["outcome"] == "escalated" or (gap is not None and gap <= timedelta(days=days))
            else states[row["outcome"]] for days in WINDOWS
        )  # fmt: skip
        expected[row["session_id"]] = (first and f"interaction {first['interaction_id']}", first and first["channel"], *by_window)
        counted.update(by_window)
    columns = ", ".join(f"verified_{days}_state" for days in WINDOWS)
    found = connection.execute(
        f"select session_id, next_contact_key, next_channel, {columns} from marts.fct_self_service_session"
    ).fetchall()
    assert {name: tuple(rest) for name, *rest in found} == expected
    assert counted.keys() == {"unknown", "escalated", "contained", "abandoned"}
