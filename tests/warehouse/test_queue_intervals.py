"""Queues by half hour: what came, how it ended, how long it waited. Breaks: a service level that nobody can check by hand."""

from __future__ import annotations

import math
import runpy
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

CONTRACT = runpy.run_path(str(Path(__file__).with_name("contract_rows.py")))  # tests are no package, so no import

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]


def call(name: str, at: str = "2025-01-10T10:05:00+00", outcome: str = "answered", wait: int | None = 5, **more: Any) -> Row:
    return {
        "interaction_id": name, "channel": "phone", "queue": "Q", "department_id": "D", "started_at": at, "outcome": outcome,
        "queue_seconds": wait,
    } | more  # fmt: skip


# The worked example of the domain specification (2.3.4): 100 offered, 90 answered of which 80 within 20 s, 10 abandoned of which 4 short
# and 2 more within 20 s.
EXAMPLE = [
    *[call(f"IN{n}", wait=20 if n % 2 else 3, talk_seconds=100, hold_seconds=20, wrap_seconds=30) for n in range(80)],
    *[call(f"LATE{n}", wait=21, talk_seconds=60) for n in range(10)],
    *[call(f"SHORT{n}", outcome="abandoned_queue", wait=4) for n in range(4)],
    *[call(f"LEFT{n}", outcome="abandoned_queue", wait=5) for n in range(2)],
    *[call(f"WAITED{n}", outcome="abandoned_queue", wait=90) for n in range(4)],
]


@pytest.fixture(scope="module")
def example(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures({"interactions": EXAMPLE})


def metric(connection: duckdb.DuckDBPyConnection, name: str, cut: str = "all", member: str = "all") -> Any:
    sql = "select value, null_reason from reporting.mart_metric where metric_id = ? and cut = ? and member = ? "
    sql += "and period_month = '2025-01-01'"
    ((value, reason),) = connection.execute(sql, [name, cut, member]).fetchall()
    return reason if value is None else round(value, 6)


def half_hours(connection: duckdb.DuckDBPyConnection, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from marts.mart_queue_interval where {where} order by all").fetchall()


def test_the_four_service_levels_are_those_of_the_worked_example(example: duckdb.DuckDBPyConnection) -> None:
    names = ("offered", "service_level_offered", "service_level_net_short", "service_level_answered", "service_level_with_abandoned")
    for cut, member in (("all", "all"), ("queue", "Q"), ("channel", "phone"), ("department", "D")):
        assert [metric(example, name, cut, member) for name in names] == [100, 0.8, 0.833333, 0.888889, 0.86]


@pytest.mark.spec("A13", "C10")
def test_waits_rates_and_handling_time_of_the_worked_example(example: duckdb.DuckDBPyConnection) -> None:
    """Waits: 40 x 20 + 40 x 3 + 10 x 21 = 1,130 s of 90 answered; + 4 x 4 + 2 x 5 + 4 x 90 of the abandoned = 1,516 s of 100 offered."""
    assert metric(example, "queue_wait_seconds") == 1516
    assert example.execute("select sum(wait_seconds) from marts.fct_interaction").fetchall() == [(1516,)]
    assert metric(example, "asa_seconds") == round(1130 / 90, 6)
    assert metric(example, "average_wait_seconds") == 15.16
    assert [metric(example, name) for name in ("answer_rate", "abandonment_rate", "abandonment_net_rate", "blocked_rate")] == [
        0.9, 0.1, 0.0625, 0,
    ]  # fmt: skip
    assert metric(example, "aht_seconds") == round((80 * 150 + 10 * 60) / 90, 6)
    assert metric(example, "answered_before_ring_3_rate") == "not_measured"
    assert metric(example, "accessibility_rate") == "not_measured"
    assert half_hours(example, "longest_wait_seconds, target_seconds, started_date, interval_start_minutes") == [
        (90, 20, date(2025, 1, 10), 11 * 60)
    ]


OUTCOMES = {
    "answered": "answered", "abandoned_queue": "abandoned", "abandoned_hold": "abandoned", "voicemail": "voicemail", "callback": "callback",
    "blocked": "blocked", "not_answered": "unknown", "failed": None, "abandoned_ivr": None,
}  # fmt: skip


@pytest.mark.spec("A13")
def test_a_contact_that_came_to_a_queue_is_in_exactly_one_outcome(quick: Build) -> None:
    rows = [call(outcome, outcome=outcome, wait=None if outcome == "blocked" else 9) for outcome in OUTCOMES]
    rows += [
        call("OUTGOING", direction="out"),
        call("MAIL", channel="email", wait=None),
        call("CHAT", channel="chat", outcome="not_answered"),
        call("HUNG UP ON HOLD", outcome="abandoned_hold", talk_seconds=30),
        call("DELETED", is_deleted=True),
        call("ON A DELETED TICKET", ticket_id="GONE"),
    ]
    ticket = {"ticket_id": "GONE", "created_at": "2025-01-10T10:00:00+00", "ticket_state": "deleted", "channel": "phone"}
    company = quick({"interactions": rows, "tickets": [ticket]})
    found = dict(company.execute("select interaction_id, queue_outcome from marts.fct_interaction").fetchall())
    expected = OUTCOMES | {"OUTGOING": None, "MAIL": None, "CHAT": "unknown", "HUNG UP ON HOLD": "answered"}
    assert {name: found[name] for name in expected} == expected
    counts = "channel, offered_count, answered_count, abandoned_count, blocked_count, voicemail_count, callback_count, unknown_count"
    assert half_hours(company, counts) == [("chat", 1, 0, 0, 0, 0, 0, 1), ("phone", 8, 2, 2, 1, 1, 1, 1)]


@pytest.mark.spec("C10")
def test_a_wait_is_what_the_switch_reports_else_from_the_queue_to_the_answer_and_the_parts_make_the_contact(quick: Build) -> None:
    at = "2025-01-10T10:{}+00".format
    seen = {"started_at": at("00:00"), "queued_at": at("00:40")}
    rows = [
        call("REPORTED", wait=7, **seen, answered_at=at("01:10"), ended_at=at("05:10"), ivr_seconds=40, talk_seconds=240),
        call("ANSWERED", wait=None, **seen, answered_at=at("01:10"), ended_at=at("05:10"), ivr_seconds=40, talk_seconds=240),
        call("LEFT", outcome="abandoned_queue", wait=None, **seen, ended_at=at("02:00")),
        call("SKEWED", wait=None, started_at=at("00:00"), queued_at=at("00:41"), answered_at=at("00:40")),
        call("VOICEMAIL", outcome="voicemail", wait=None, **seen, ended_at=at("02:00")),
        call("UNKNOWN", wait=None),
    ]
    company = quick({"interactions": rows})
    waits = dict(company.execute("select interaction_id, wait_seconds from marts.fct_interaction").fetchall())
    assert waits == {"REPORTED": 7, "ANSWERED": 30, "LEFT": 80, "SKEWED": 0, "VOICEMAIL": None, "UNKNOWN": None}
    parts = "select ivr_seconds + wait_seconds + talk_seconds, epoch(ended_at - started_at) from marts.fct_interaction"
    assert company.execute(f"{parts} where interaction_id = 'ANSWERED'").fetchall() == [(310, 310)]
    # Of the answered three waits are known (7, 30, 0), of the abandoned one; a voicemail is within no target, whatever it waited.
    known = "offered_count, judged_count, answered_judged_count, answered_within_count, wait_known_count, wait_seconds"
    assert half_hours(company, known) == [(6, 5, 3, 2, 4, 117)]


def test_a_half_hour_in_which_no_wait_is_known_is_in_no_service_level(figures: Build) -> None:
    rows = [call("KNOWN", wait=30), call("A", at="2025-01-11T10:00:00+00", wait=None), call("B", at="2025-01-11T10:00:00+00", wait=None)]
    company = figures({"interactions": rows})
    assert (metric(company, "offered"), metric(company, "service_level_offered"), metric(company, "asa_seconds")) == (3, 0, 30)
    unknown = figures({"interactions": rows[1:]})
    assert [metric(unknown, name) for name in ("offered", "service_level_offered", "asa_seconds", "aht_seconds")] == [
        2, "not_measured", "not_measured", "not_measured",
    ]  # fmt: skip


CADENCES = [
    {"country_code": code, "ring_cycle_seconds": cycle}
    for code, cycle in (("US", "6"), ("DE", "5"), ("IT", "5"), ("CN", "5"), ("FR", "5"), ("JP", "3"), ("GB", "3"))
]


@pytest.mark.spec("D37")
@pytest.mark.parametrize(("country", "limit"), [("US", 12), ("DE", 10), ("JP", 6), (None, None)])
def test_before_the_third_ring_is_less_than_two_cycles_of_the_country(quick: Build, country: str | None, limit: int | None) -> None:
    ring = datetime.fromisoformat("2025-01-10T10:05:10+00:00")
    times = {f"S{n}": ring + timedelta(seconds=n) for n in (0, 5, 6, 9, 10, 11, 12, 13)}
    rows = [call(name, ring_started_at=ring.isoformat(), answered_at=at.isoformat()) for name, at in times.items()]
    company = quick({"interactions": rows, "ring_cadence": CADENCES}, company_country_code=country)
    expected = (None, None) if limit is None else (sum(int(name[1:]) < limit for name in times), len(times))
    assert half_hours(company, "answered_before_ring_3_count, ring_known_count") == [expected]


@pytest.mark.spec("D37")
def test_rings_that_the_switch_counts_win_and_behind_a_voice_menu_only_the_call_of_the_agent_says_something(quick: Build) -> None:
    at = "2025-01-10T10:05:{}+00".format
    rows = [
        call("TWO RINGS, SLOWLY", ring_count=2, ring_started_at=at("00"), answered_at=at("59")),
        call("THREE RINGS", ring_count=3, ring_started_at=at("00"), answered_at=at("01")),
        call("MENU, THEN AGENT", ivr_seconds=20, ring_started_at=at("20"), answered_at=at("25")),
        call("MENU, RING BEFORE IT", ivr_seconds=20, ring_started_at=at("00"), answered_at=at("01")),
        call("NO RING KNOWN", answered_at=at("01")),
        call("NOBODY", outcome="abandoned_queue", ring_count=1),
        call("CHAT", channel="chat", ring_count=1, answered_at=at("01")),
    ]
    rows = [row | {"started_at": at("00"), "queue": row["interaction_id"]} for row in rows]
    company = quick({"interactions": rows, "ring_cadence": CADENCES[1:2]})
    found = {
        queue: (known, before) for queue, known, before in half_hours(company, "queue, ring_known_count, answered_before_ring_3_count")
    }
    assert found == {
        "TWO RINGS, SLOWLY": (1, 1), "THREE RINGS": (1, 0), "MENU, THEN AGENT": (1, 1), "MENU, RING BEFORE IT": (None, None),
        "NO RING KNOWN": (None, None), "NOBODY": (None, None), "CHAT": (None, None),
    }  # fmt: skip


def test_the_target_is_that_of_the_standard_in_force_for_the_channel_and_day(quick: Build) -> None:
    standard = {"metric_id": "service_level_offered", "comparator": "<=", "unit": "seconds", "population": "calls", "target_share": "0.8"}
    standards = [
        standard | {"standard_id": "ALL", "valid_from_date": "2025-01-01", "valid_to_date": "2025-02-01", "threshold_value": "30"},
        standard | {"standard_id": "CHAT", "valid_from_date": "2025-01-01", "channel": "chat", "threshold_value": "45", "comparator": "<"},
        standard | {"standard_id": "LATER", "valid_from_date": "2025-03-01", "threshold_value": "10"},
        standard | {"standard_id": "OTHER", "valid_from_date": "2025-01-01", "threshold_value": "1", "metric_id": "asa_seconds"},
        standard | {"standard_id": "TIER", "valid_from_date": "2025-01-01", "threshold_value": "2", "customer_tier": "A"},
    ]
    rows = [
        call("JANUARY", "2025-01-10T10:00:00+00", wait=30),
        call("CHAT", "2025-01-10T10:00:00+00", wait=45, channel="chat"),
        call("FEBRUARY", "2025-02-10T10:00:00+00", wait=21),
        call("MARCH", "2025-03-10T10:00:00+00", wait=11),
    ]
    company = quick({"interactions": rows, "service_standards": standards})
    assert half_hours(company, "started_date, channel, target_seconds, answered_within_count") == [
        (date(2025, 1, 10), "chat", 44, 0), (date(2025, 1, 10), "phone", 30, 1), (date(2025, 2, 10), "phone", 20, 0),
        (date(2025, 3, 10), "phone", 10, 0),
    ]  # fmt: skip


HOURS = [
    {"schedule_id": "Q", "valid_from_date": "2024-01-01", "weekday": weekday, "start_minutes": 540, "end_minutes": end,
     "time_zone": "Europe/Berlin"}
    for weekday, end in ((1, 660), (2, 659), (3, 660))
]  # fmt: skip


@pytest.mark.spec("A13")
def test_promised_half_hours_are_those_of_the_schedule_and_covered_where_somebody_answered(figures: Build) -> None:
    """6 January 2025 is a Monday. Promised: Monday four half hours from 09:00, Tuesday three (the fourth ends a minute early), Wednesday a
    holiday, Monday the 13th four. Somebody called in three of them and in one of Sunday; nobody answered in one."""
    rows = [
        call("MON", "2025-01-06T08:10:00+00"),
        call("MON LEFT", "2025-01-06T08:20:00+00", outcome="abandoned_queue", wait=60),
        call("TUE LEFT", "2025-01-07T09:10:00+00", outcome="abandoned_queue", wait=60),
        call("SUN", "2025-01-12T09:10:00+00"),
        call("NEXT MON", "2025-01-13T09:40:00+00"),
        call("ELSEWHERE", "2025-01-06T08:10:00+00", queue="R", department_id="E"),
    ]
    holidays = [{"schedule_id": "Q", "holiday_date": "2025-01-08"}]
    other = {"schedule_id": "S", "valid_from_date": "2024-01-01", "weekday": 1, "start_minutes": 0, "end_minutes": 1440}
    before = HOURS[0] | {"valid_from_date": "2023-01-01", "start_minutes": 480}  # without an end: replaced by hours that reach into it
    hours = [*HOURS, before, other | {"time_zone": "Europe/Berlin"}, other | {"schedule_id": "R", "time_zone": "Asia/Tokyo"}]
    company = figures({"interactions": rows, "business_hours": hours, "holidays": holidays})
    assert [metric(company, f"half_hours_{what}", "queue", "Q") for what in ("promised", "judged", "covered")] == [11, 3, 2]
    assert metric(company, "accessibility_rate", "queue", "Q") == round(2 / 3, 6)
    assert half_hours(company, "interval_start_minutes, is_promised, is_covered", "queue = 'Q' and started_date = '2025-01-06'") == [
        (540, True, True), (570, True, None), (600, True, None), (630, True, None),
    ]  # fmt: skip
    assert half_hours(company, "is_promised, is_covered", "started_date = '2025-01-12'") == [(False, True)]
    assert half_hours(company, "is_promised", "queue = 'R'") == [(None,)], "its schedule is in another zone than the company"


def interval(at: str, offered: int = 10, answered: int = 8, **more: Any) -> Row:
    return {
        "queue": "Q", "channel": "phone", "interval_started_at": at, "interval_seconds": 900, "offered_count": offered,
        "answered_count": answered, "abandoned_count": offered - answered, "department_id": "D",
    } | more  # fmt: skip


COMPLETE = {
    "short_abandoned_count": 1, "blocked_count": 0, "answered_within_count": 6, "abandoned_within_count": 1, "target_seconds": 20,
    "answered_wait_seconds": 80, "wait_seconds": 100, "longest_wait_seconds": 41, "handle_seconds": 800, "staffed_agents_count": "2.5",
}  # fmt: skip


def test_sums_of_a_telephone_system_make_the_same_figures_as_its_calls(figures: Build) -> None:
    rows = [interval("2025-01-10T10:00:00+00", **COMPLETE), interval("2025-01-10T10:15:00+00", **COMPLETE, voicemail_count=0)]
    company = figures({"queue_intervals": rows})
    columns = "interval_source, interval_start_minutes, offered_count, voicemail_count, unknown_count, staffed_agents_count"
    assert half_hours(company, columns) == [
        ("intervals", 660, 20, None, 0, Decimal("2.5")),
    ]  # fmt: skip
    names = {
        "offered": 20, "service_level_offered": 0.6, "service_level_net_short": round(12 / 18, 6), "service_level_answered": 0.75,
        "service_level_with_abandoned": 0.7, "asa_seconds": 10, "average_wait_seconds": 10, "aht_seconds": 100, "abandonment_rate": 0.2,
        "abandonment_net_rate": round(2 / 18, 6), "blocked_rate": 0, "answered_before_ring_3_rate": "not_measured",
    }  # fmt: skip
    assert {name: metric(company, name) for name in names} == names
    assert metric(company, "contacts") == metric(company, "interactions") == "source_absent"


def test_what_a_telephone_system_does_not_report_is_unknown_and_another_target_is_no_answer(figures: Build) -> None:
    rows = [interval("2025-01-10T10:00:00+00", abandoned_count=1, **{**COMPLETE, "target_seconds": 30, "blocked_count": None})]
    company = figures({"queue_intervals": rows})
    assert half_hours(company, "unknown_count, blocked_count, judged_count, answered_within_count") == [(1, None, None, None)]
    for name in ("blocked_rate", "service_level_offered", "service_level_with_abandoned"):
        assert metric(company, name) == "not_measured"
    assert metric(company, "asa_seconds") == 10


def test_where_the_calls_of_a_queue_and_day_are_known_they_count_and_the_difference_is_reported(
    figures: Build, render: Callable[[str], str]
) -> None:
    rows = [interval("2025-01-10T10:00:00+00", 3, 2), interval("2025-01-10T15:00:00+00", 1, 1), interval("2025-01-11T10:00:00+00", 5, 5)]
    rows.append(interval("2025-01-10T10:00:00+00", 7, 7, channel="chat"))
    company = figures({"interactions": [call("A"), call("B", outcome="abandoned_queue")], "queue_intervals": rows})
    assert half_hours(company, "started_date, channel, interval_source, sum(offered_count), is_counted", "true group by all") == [
        (date(2025, 1, 10), "chat", "intervals", 7, True), (date(2025, 1, 10), "phone", "calls", 2, True),
        (date(2025, 1, 10), "phone", "intervals", 4, False), (date(2025, 1, 11), "phone", "intervals", 5, True),
    ]  # fmt: skip
    assert metric(company, "offered") == 2 + 5 + 7
    guard = Path(__file__).resolve().parents[2] / "dbt" / "tests" / "assert_queue_intervals_agree_with_calls.sql"
    found = company.execute(render(guard.read_text(encoding="utf-8"))).fetchall()
    assert [(row[1], *row[-4:]) for row in found] == [("Q 2025-01-10", 2, 4, 1, 3)]


def test_without_calls_and_intervals_nothing_is_known_of_queues(figures: Build) -> None:
    ticket = {"ticket_id": "T", "created_at": "2025-01-10T10:00:00+00", "ticket_state": "open", "channel": "email"}
    company = figures({"tickets": [ticket], "business_hours": HOURS})
    for name in (
        "offered",
        "service_level_offered",
        "abandonment_rate",
        "asa_seconds",
        "answered_before_ring_3_rate",
        "accessibility_rate",
    ):
        assert metric(company, name) == "source_absent"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu"])
def test_every_half_hour_is_that_of_a_count_by_hand(quick: Build, zone: str) -> None:
    """Rows made from the contract, counted one by one in Python; nothing is shared with the SQL."""
    random = Random(11)
    rows = CONTRACT["rows"]("interactions", 800, random, 0)
    outcomes = list(OUTCOMES)
    rows *= 20
    rows = [row | {"interaction_id": f"I{number}"} for number, row in enumerate(rows[:600])]
    for row in rows:
        row |= {"outcome": random.choice(outcomes), "is_withdrawn": False, "is_deleted": random.random() < 0.1, "ticket_id": None}
        row |= {"started_at": (datetime(2025, 3, 29, tzinfo=ZoneInfo("UTC")) + timedelta(minutes=random.randrange(2880))).isoformat()}
        row |= {"queued_at": None, "queue": random.choice(["A", "B", None]), "queue_seconds": random.choice([None, 0, 4, 5, 20, 21, 300])}
    company = quick({"interactions": rows}, company_time_zone=zone, latest_delivery_date="2025-04-30")
    columns = (
        "coalesce(queue, ''), channel, coalesce(department_id, ''), started_date, interval_start_minutes, offered_count, answered_count, "
        "abandoned_count, short_abandoned_count, blocked_count, voicemail_count, callback_count, unknown_count, coalesce(judged_count, 0), "
        "coalesce(answered_within_count, 0), coalesce(abandoned_within_count, 0), coalesce(wait_seconds, 0), coalesce(handle_seconds, 0)"
    )
    found = {row[:5]: row[5:] for row in half_hours(company, columns)}
    assert found == {key: tuple(sums) for key, sums in counted_by_hand(rows, zone).items()}
    assert len(found) > 100


NAMED = ("abandoned_queue", "abandoned_hold", "blocked", "voicemail", "callback")


def counted_by_hand(rows: list[Row], zone: str) -> dict[tuple[Any, ...], list[int]]:
    latest = {row["interaction_id"]: row for row in rows}
    sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for row in latest.values():
        wait, talked = row["queue_seconds"], (row["talk_seconds"] or 0) > 0
        ended = {"abandoned_queue": "abandoned", "abandoned_hold": "abandoned", "not_answered": "unknown"}.get(
            row["outcome"], row["outcome"]
        )
        ended = "answered" if talked and row["outcome"] in ("abandoned_hold", "unknown") else ended
        came = row["channel"] == "phone" or wait is not None or row["outcome"] in NAMED
        if row["is_deleted"] or row["direction"] != "in" or ended in ("failed", "abandoned_ivr") or not came:
            continue
        at = datetime.fromisoformat(row["started_at"]).astimezone(ZoneInfo(zone))
        key = (row["queue"] or "", row["channel"], row["department_id"] or "", at.date(), (at.hour * 60 + at.minute) // 30 * 30)
        made = sums[key]
        made["offered"] += 1
        made[ended] += 1
        made["wait"] += wait or 0
        parts = [row[name] for name in ("talk_seconds", "hold_seconds", "wrap_seconds")]
        if ended == "answered" and any(part is not None for part in parts):
            made["handle"] += math.floor(sum(part or 0 for part in parts) / (row["concurrency"] or 1))
        if ended in ("answered", "abandoned") and wait is None:
            continue
        made["judged"] += 1
        if ended in ("answered", "abandoned"):
            made[f"{ended}_within"] += wait <= 20
            made["short"] += ended == "abandoned" and wait < 5
    names = "offered answered abandoned short blocked voicemail callback unknown judged answered_within abandoned_within wait handle"
    return {key: [made[name] for name in names.split()] for key, made in sums.items()}
