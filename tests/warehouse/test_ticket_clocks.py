"""Clocks of tickets from their histories. Breaks: a stage, wait or reply that nobody measured, or time that is in none."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

HERE = Path(__file__)
HISTORY = runpy.run_path(str(HERE.with_name("desk_history.py")))
Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]


def hours(schedule: str, zone: str, start: int, end: int, days: range = range(1, 6)) -> list[Row]:
    return [
        {"schedule_id": schedule, "valid_from_date": "2020-01-01", "weekday": day, "start_minutes": start, "end_minutes": end,
         "time_zone": zone}
        for day in days
    ]  # fmt: skip


def ticket(name: str, created: str, **more: Any) -> Row:
    return {"ticket_id": name, "account_id": "a", "created_at": f"{created}+00", "ticket_state": "open", "channel": "email", **more}


def events(name: str, *happened: tuple[str, str, dict[str, Any]]) -> list[Row]:
    return [
        {"ticket_id": name, "event_number": number, "event_at": f"{at}+00", "event_type": kind, "actor_role": "agent", **more}
        for number, (at, kind, more) in enumerate(happened)
    ]


MONDAY = "2025-01-06 "
ORACLE = events(
    "941606",
    ("2020-09-29 17:01:38", "created", {"actor_role": "customer"}),
    ("2020-09-29 17:01:38", "field_change", {"field_name": "schedule_id", "new_value": "Level 1 Chicago"}),
    ("2020-09-30 19:01:25", "field_change", {"field_name": "schedule_id", "new_value": "Level 2 San Francisco"}),
    ("2020-09-30 19:01:46", "public_comment", {}),
)
BY_HAND = events(
    "HAND",
    (MONDAY + "09:00:00", "created", {"actor_role": "customer", "department_id": "support"}),
    (MONDAY + "09:10:00", "assignment", {"new_value": "anna", "actor_role": "system"}),
    (MONDAY + "09:11:00", "public_comment", {"actor_role": "bot"}),
    (MONDAY + "09:20:00", "history_viewed", {}),
    (MONDAY + "09:30:00", "public_comment", {}),
    (MONDAY + "09:30:00", "status_change", {"new_value": "pending"}),
    (MONDAY + "10:00:00", "public_comment", {"actor_role": "customer"}),
    (MONDAY + "10:00:00", "status_change", {"new_value": "open", "actor_role": "customer"}),
    (MONDAY + "10:10:00", "info_rerequested", {}),
    (MONDAY + "10:20:00", "department_change", {"new_value": "billing"}),
    (MONDAY + "11:00:00", "info_rerequested", {}),
    (MONDAY + "11:30:00", "public_comment", {}),
    (MONDAY + "12:00:00", "department_change", {"new_value": "support"}),
    (MONDAY + "12:10:00", "blocked", {"blocked_reason": "parts"}),
    (MONDAY + "13:10:00", "unblocked", {}),
    (MONDAY + "14:00:00", "status_change", {"new_value": "solved"}),
    (MONDAY + "15:00:00", "reopened", {"actor_role": "customer"}),
    (MONDAY + "20:00:00", "status_change", {"new_value": "solved"}),
    ("2025-01-08 08:00:00", "status_change", {"new_value": "closed", "actor_role": "system"}),
)
CHAIN = events(
    "CHAIN",
    (MONDAY + "09:00:00", "created", {"department_id": "support"}),
    (MONDAY + "09:00:00", "public_comment", {}),
    (MONDAY + "10:00:00", "department_change", {"new_value": "billing"}),
    (MONDAY + "11:00:00", "department_change", {"new_value": "shipping"}),
    (MONDAY + "12:00:00", "public_comment", {}),
    (MONDAY + "13:00:00", "deleted", {}),
    (MONDAY + "14:00:00", "recovered", {}),
    (MONDAY + "15:00:00", "status_change", {"new_value": "closed"}),
    (MONDAY + "16:00:00", "status_change", {"new_value": "open"}),
)
TARGETS = events(
    "MET", (MONDAY + "15:00:00", "created", {"actor_role": "customer"}), ("2025-01-07 08:30:00", "public_comment", {})
) + events(
    "DUE",
    (MONDAY + "15:30:00", "created", {"actor_role": "customer"}),
    (MONDAY + "15:45:00", "internal_note", {}),
)
PAUSED = events(
    "PAUSED",
    (MONDAY + "09:00:00", "created", {"actor_role": "customer", "new_value": "open"}),
    (MONDAY + "09:00:00", "sla_applied", {"field_name": "resolution", "new_value": "120", "actor_role": "system"}),
    (MONDAY + "09:00:00", "sla_applied", {"new_value": "30", "actor_role": "system"}),
    (MONDAY + "10:00:00", "status_change", {"new_value": "pending"}),
    (MONDAY + "13:00:00", "status_change", {"new_value": "open"}),
    (MONDAY + "14:00:00", "status_change", {"new_value": "solved"}),
)
DESK: dict[str, list[Row]] = {
    "accounts": [{"account_id": "a"}],
    "tickets": [
        ticket("941606", "2020-09-29 17:01:38"),
        ticket("HAND", MONDAY + "09:00:00", ticket_state="closed", first_solved_at=MONDAY + "14:00:10+00",
               last_solved_at=MONDAY + "20:00:00+00",
               reopen_count=2, handle_seconds=900, assignee_id="zoe", department_id="shipping"),
        ticket("CHAIN", MONDAY + "09:00:00"),
        ticket("MET", MONDAY + "15:00:00"), ticket("DUE", MONDAY + "15:30:00"), ticket("PAUSED", MONDAY + "09:00:00"),
        ticket("CALL", MONDAY + "12:00:00", channel="phone", ticket_state="solved", last_solved_at=MONDAY + "12:30:00+00"),
        ticket("NOTE", MONDAY + "12:00:00", account_id="nobody"),
        ticket("GONE", MONDAY + "12:00:00", ticket_state="deleted"),
        ticket("JOINED", MONDAY + "12:00:00", ticket_state="merged", merged_into_ticket_id="HAND"),
    ],
    "ticket_events": [
        *ORACLE, *BY_HAND, *CHAIN, *TARGETS, *PAUSED,
        *events("NOTE", (MONDAY + "12:30:00", "internal_note", {})), *events("UNKNOWN", (MONDAY + "12:30:00", "created", {})),
        *events("JOINED", (MONDAY + "12:00:00", "created", {}), (MONDAY + "12:05:00", "merged", {})),
        {**BY_HAND[0], "event_number": 99, "event_at": MONDAY + "23:00:00+00", "event_type": "blocked", "is_deleted": True},
    ],
    "interactions": [
        {"interaction_id": "I1", "ticket_id": "CALL", "channel": "phone", "started_at": MONDAY + "12:00:00+00", "direction": "in",
         "answered_at": MONDAY + "12:01:00+00", "outcome": "answered", "talk_seconds": 300, "transfer_count": 1},
        {"interaction_id": "I2", "ticket_id": "HAND", "channel": "email", "started_at": MONDAY + "09:00:00+00", "direction": "in",
         "first_reply_at": MONDAY + "09:31:00+00", "outcome": "answered", "talk_seconds": 300},
    ],
    "business_hours": [
        *hours("Level 1 Chicago", "America/Chicago", 420, 1260), *hours("Level 2 San Francisco", "America/Los_Angeles", 480, 1050),
        *hours("default", "Europe/Berlin", 540, 1020),
        # Said twice and overlapping: a minute is one minute.
        *hours("default", "Europe/Berlin", 600, 660),
    ],
    "holidays": [{"schedule_id": "default", "holiday_date": "2025-01-07"}],
    "entitlements": [{"entitlement_id": "E", "account_id": "a", "valid_from_date": "2025-01-01", "response_target_minutes": 120}],
    "service_standards": [{"standard_id": "S", "valid_from_date": "2025-01-01", "metric_id": "first_reply_seconds", "comparator": "<=",
                           "threshold_value": 1, "unit": "hours"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(quick: Build) -> duckdb.DuckDBPyConnection:
    return quick(DESK)


def clock(connection: duckdb.DuckDBPyConnection, name: str, columns: str) -> Any:
    return connection.execute(f"select {columns} from marts.mart_ticket_clock where ticket_id = ?", [name]).fetchone()


@pytest.mark.spec("C09")
def test_business_time_follows_the_schedule_in_force_to_the_published_second(desk: duckdb.DuckDBPyConnection) -> None:
    """960.133333 minutes by the schedule in force, 690.133333 by the last one: dbt_zendesk, ticket 941606."""
    found = clock(
        desk, "941606", "first_reply_business_seconds, first_reply_last_schedule_seconds, elapsed_business_seconds, first_reply_seconds"
    )
    assert found == (57_608, 41_408, 57_608, 93_608)
    by_schedule = "select schedule_id, business_seconds from marts.fct_ticket_interval where ticket_id = '941606' order by 1"
    assert desk.execute(by_schedule).fetchall() == [("Level 1 Chicago", 57_587), ("Level 2 San Francisco", 21)]


def test_a_ticket_by_hand(desk: duckdb.DuckDBPyConnection) -> None:
    columns = "first_reply_seconds, first_reply_any_seconds, total_reply_seconds, replies_awaited_count, touches_count, reply_source"
    assert clock(desk, "HAND", columns) == (
        1800, 660, 1800 + 5400, 2, 2, "ticket_events"
    )  # fmt: skip
    # Berlin works from 8 to 16 UTC: of the five hours after the reopening one counts, and the holiday not at all.
    assert clock(desk, "HAND", "first_resolution_seconds, first_resolution_business_seconds, cycle_seconds, cycle_business_seconds") == (
        18_000, 18_000, 39_600, 25_200
    )  # fmt: skip
    assert clock(desk, "HAND", "requester_wait_seconds, agent_work_seconds, agent_wait_seconds, on_hold_seconds, blocked_seconds") == (
        1800 + 14_400 + 18_000, 34_200, 1800, 0, 3600
    )  # fmt: skip
    assert clock(desk, "HAND", "requester_wait_business_seconds, elapsed_seconds, elapsed_business_seconds") == (19_800, 169_200, 25_200)
    columns = "stations_count, departments_count, handoffs_count, reassignments_count, ping_pongs_count, reopens_count"
    assert clock(desk, "HAND", columns) == (
        1, 2, 2, 0, 1, 1
    )  # fmt: skip
    assert clock(desk, "HAND", "is_same_day, is_one_touch, is_history_viewed, rerequests_count, information_losses_count") == (
        True, False, True, 2, 1
    )  # fmt: skip


def test_what_the_desk_reports_is_next_to_what_its_history_shows(desk: duckdb.DuckDBPyConnection) -> None:
    found = clock(desk, "HAND", "first_reply_difference_seconds, first_resolution_difference_seconds, reopens_difference_count")
    assert found == (60, 10, 1)


@pytest.mark.spec("C78")
def test_gathering_information_takes_no_longer_than_the_work_on_the_ticket(desk: duckdb.DuckDBPyConnection) -> None:
    """From the first action of an agent at 9:20 to the reply at 9:30; without measured work it is unknown."""
    assert clock(desk, "HAND", "info_gathering_seconds")[0] == 600
    assert clock(desk, "PAUSED", "info_gathering_seconds")[0] is None
    assert desk.execute("select count(*) from marts.mart_ticket_clock where info_gathering_seconds > 900").fetchall() == [(0,)]


@pytest.mark.spec("D11")
def test_a_message_that_opens_a_ticket_of_an_agent_is_no_reply_and_a_bot_is_no_human(desk: duckdb.DuckDBPyConnection) -> None:
    assert clock(desk, "CHAIN", "first_reply_seconds, first_reply_any_seconds, touches_count") == (10_800, 10_800, 2)
    assert clock(desk, "DUE", "first_reply_seconds, first_reply_null_reason") == (None, "no_reply")


@pytest.mark.spec("D39", "D40")
def test_a_b_a_is_ping_pong_and_a_b_c_is_not_and_what_was_asked_before_a_handoff_is_not_lost_by_it(desk: duckdb.DuckDBPyConnection) -> None:
    sql = """
        select ticket_id, previous_department_id, department_id, is_ping_pong, is_information_lost, next_action_seconds
        from marts.fct_ticket_interval where is_handoff order by ticket_id desc, interval_number
    """
    assert desk.execute(sql).fetchall() == [
        ("HAND", "support", "billing", False, True, 2400), ("HAND", "billing", "support", True, False, 600),
        ("CHAIN", "support", "billing", False, False, None), ("CHAIN", "billing", "shipping", False, False, 3600),
    ]  # fmt: skip


@pytest.mark.spec("C82")
def test_a_step_that_no_desk_allows_is_listed_and_a_deleted_ticket_keeps_its_clock(desk: duckdb.DuckDBPyConnection) -> None:
    bad = "select ticket_id, previous_ticket_state, ticket_state from marts.fct_ticket_interval where not is_allowed_step"
    assert desk.execute(bad).fetchall() == [("CHAIN", "closed", "open")]
    assert clock(desk, "CHAIN", "deleted_seconds, elapsed_seconds, steps_not_allowed_count, reopens_count, final_solved_at") == (
        3600, 25_200, 1, 1, None
    )  # fmt: skip


def test_targets_run_in_business_time_pause_while_the_customer_is_to_act_and_are_the_ones_in_force(desk: duckdb.DuckDBPyConnection) -> None:
    columns = "first_reply_target_seconds, first_reply_target_source, first_reply_target_state, is_first_reply_target_business"
    columns += ", first_reply_due_at"
    # One hour of Monday is left, Tuesday is a holiday: the reply of Tuesday comes within the two hours that the customer was promised.
    assert clock(desk, "MET", columns) == (7200, "entitlements", "met", True, None)
    due = clock(desk, "DUE", columns)
    assert due[:4] == (7200, "entitlements", "running", True)
    assert due[4] == datetime.fromisoformat("2025-01-08T09:30:00+00:00")  # half an hour of Monday, an hour and a half of Wednesday
    columns = "first_resolution_target_seconds, first_resolution_target_source, first_resolution_target_state, first_reply_target_seconds"
    assert clock(desk, "PAUSED", columns) == (7200, "ticket_events", "met", 1800)  # two hours of work, three of the customer
    assert clock(desk, "PAUSED", "first_reply_target_state") == ("no_reply",)
    assert clock(desk, "NOTE", "first_reply_target_seconds, first_reply_target_source, first_reply_target_state") == (
        3600, "service_standards", "running"
    )  # fmt: skip
    assert clock(desk, "941606", "first_reply_target_state")[0] == "none"  # nothing was promised in 2020


def test_contacts_tell_the_reply_where_the_history_does_not_and_a_ticket_without_events_has_the_clocks_it_can(
    desk: duckdb.DuckDBPyConnection,
) -> None:
    found = clock(
        desk,
        "CALL",
        "first_reply_seconds, reply_source, cycle_seconds, cycle_business_seconds, resolution_source, transfers_count, is_one_touch",
    )
    assert found == (60, "interactions", 1800, 1800, "tickets", 1, True)
    assert clock(desk, "CALL", "has_history, requester_wait_seconds, handoffs_count, history_null_reason") == (
        False,
        None,
        None,
        "no_history",
    )
    assert clock(desk, "NOTE", "has_history, has_states, requester_wait_seconds, history_null_reason, account_id") == (
        True, False, None, "no_states", "ACCOUNT_UNKNOWN"
    )  # fmt: skip


def test_tickets_that_are_deleted_merged_or_unknown_are_there_uncounted_or_not_at_all(desk: duckdb.DuckDBPyConnection) -> None:
    uncounted = "select ticket_id, ticket_state from marts.mart_ticket_clock where not is_counted order by 1"
    assert desk.execute(uncounted).fetchall() == [("GONE", "deleted"), ("JOINED", "merged")]
    assert desk.execute("select count(*) from marts.fct_ticket_interval where ticket_id in ('UNKNOWN', 'GONE')").fetchall() == [(0,)]
    assert desk.execute("select count(*), count(distinct ticket_key) from marts.mart_ticket_clock").fetchall() == [(10, 10)]


@pytest.fixture(scope="module")
def generated(quick: Build) -> tuple[duckdb.DuckDBPyConnection, dict[str, Row], dict[str, list[Row]]]:
    rows = HISTORY["feeds"](3)
    return quick(rows), HISTORY["reckon"](rows), rows


Generated = tuple[duckdb.DuckDBPyConnection, dict[str, Row], dict[str, list[Row]]]


@pytest.mark.spec("B28", "C09")
def test_intervals_are_those_of_a_walk_through_the_events_and_add_up_to_the_second(generated: Generated) -> None:
    connection, expected, rows = generated
    sql = """
        select ticket_id, ticket_state, department_id, agent_id, blocked_reason, schedule_id, calendar_seconds, business_seconds
        from marts.fct_ticket_interval order by ticket_id, interval_number
    """
    found: dict[str, list[Any]] = {}
    for name, *interval in connection.execute(sql).fetchall():
        found.setdefault(name, []).append(tuple(interval))
    assert found == {name: one["intervals"] for name, one in expected.items()}
    for name, intervals in found.items():
        instants = [datetime.fromisoformat(event["event_at"]) for event in rows["ticket_events"] if event["ticket_id"] == name]
        assert sum(interval[5] for interval in intervals) == (instants[-1] - instants[0]).total_seconds(), name
    assert sum(len(intervals) for intervals in found.values()) > 200


def test_clocks_are_those_of_a_walk_through_the_events(generated: Generated) -> None:
    connection, expected, _ = generated
    pairs = {name: f"{name}_seconds, {name}_business_seconds" for name in
             ("requester_wait", "agent_wait", "on_hold", "first_resolution", "cycle", "first_reply", "total_reply")}  # fmt: skip
    counts = {"reopens": "reopens_count", "handoffs": "handoffs_count", "ping_pongs": "ping_pongs_count",
              "lost": "information_losses_count",
              "stations": "stations_count", "blocked": "blocked_seconds"}  # fmt: skip
    for name, one in expected.items():
        for what, columns in pairs.items():
            assert clock(connection, name, columns) == (one[what] or (None, None)), (name, what)
        for what, column in counts.items():
            assert clock(connection, name, column)[0] == one[what], (name, what)
    assert sum(one["ping_pongs"] for one in expected.values()) > 0
    assert sum(one["lost"] for one in expected.values()) > 0


@pytest.mark.spec("B27")
def test_blocked_time_is_within_the_elapsed_time(generated: Generated) -> None:
    connection, _, _ = generated
    outside = "select count(*) from marts.mart_ticket_clock where not (blocked_seconds between 0 and elapsed_seconds)"
    assert connection.execute(outside).fetchall() == [(0,)]
    assert connection.execute("select max(blocked_seconds) > 0 from marts.mart_ticket_clock").fetchall() == [(True,)]


def test_without_events_and_contacts_a_company_has_the_clocks_that_tickets_give(quick: Build) -> None:
    connection = quick({"tickets": [ticket("T", MONDAY + "09:00:00", ticket_state="solved", last_solved_at="2025-01-07 09:00:00+00")]})
    columns = "cycle_seconds, first_resolution_seconds, first_reply_seconds, first_reply_null_reason, requester_wait_seconds"
    columns += ", history_null_reason, cycle_business_seconds, business_null_reason, contacts_count"
    found = clock(connection, "T", columns)
    assert found == (86_400, 86_400, None, "source_absent", None, "source_absent", None, "source_absent", None)
