"""Histories of tickets: they say what the tickets and the contacts say, and truth is their recomputation row by row in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from demo_company.codes import EVENTS, TICKET_STATUS
from demo_company.company import write_company
from tests.demo.test_small_companies import counted, opened

VIEWS = """
create view events as select * replace (event_number::bigint as event_number) from ticket_events;
create view ends as
select
    ticket_id,
    min(event_at) filter (event_type = 'created') as created_at,
    min(event_at) filter (new_value = 'solved') as first_solved_at,
    max(event_at) filter (new_value = 'solved') as last_solved_at,
    max(event_at) filter (new_value = 'closed') as closed_at,
    count(*) filter (event_type = 'reopened') as reopened,
    count(*) filter (before = 'solved' and new_value in ('open', 'pending', 'on_hold')) as left_solved,
    arg_max(new_value, event_number) as state
from (select *, lag(new_value) over (partition by ticket_id order by event_number) as before from events where field_name = 'status')
group by 1;
create view holders as
select
    ticket_id,
    arg_max(department_id, event_number) filter (department_id is not null) as department_id,
    arg_max(new_value, event_number) filter (event_type = 'assignment') as assignee_id,
    min(event_at) filter (event_type = 'public_comment' and actor_role = 'agent') as replied_at
from events group by 1;
create view steps as
select
    *,
    lag(event_at) over (partition by ticket_id order by event_number) as before_at,
    lag(department_id ignore nulls) over (partition by ticket_id order by event_number) as before
from events;
create view waits as
select *, lead(event_type) over (partition by ticket_id order by event_number) as next_type
from events where event_type in ('blocked', 'unblocked');
"""
MOMENTS = ("created_at", "first_solved_at", "last_solved_at", "closed_at")
OVER = "t.ticket_state <> 'open'"
LAWS = {
    "every ticket has a history": "tickets left join ends using (ticket_id) where ends.created_at is null",
    "events are in order of time": "steps where event_at < before_at",
    **{
        f"the history of a ticket gives its {name}": f"tickets t join ends e using (ticket_id) where e.{name} is distinct from t.{name}"
        for name in MOMENTS
    },
    "a ticket is reopened as often as its row says": (
        "tickets t join ends e using (ticket_id) where e.reopened <> t.reopen_count::bigint or e.left_solved <> e.reopened"
    ),
    "the last state of a ticket that is over is that of its row": (
        f"tickets t join ends e using (ticket_id) where {OVER} and e.state <> if(t.is_deleted = 'true', 'deleted', t.ticket_state)"
    ),
    "the last department and agent of a ticket that is over are those of its row": (
        "tickets t join holders h using (ticket_id) where t.ticket_state in ('solved', 'closed', 'deleted') "
        "and (h.department_id <> t.department_id or h.assignee_id <> t.assignee_id)"
    ),
    "the first reply is the first answered contact": (
        "(select ticket_id, min(answered_at) as at from interactions where ticket_id is not null group by 1) i "
        "join holders h using (ticket_id) where i.at is distinct from h.replied_at"
    ),
    "a hand-off leaves the department that the ticket was in": (
        "steps where event_type = 'department_change' and (old_value is distinct from before or department_id <> new_value)"
    ),
    "a blocked ticket says why and is freed once": (
        "waits where event_type = 'blocked' and (blocked_reason is null or next_type = 'blocked')"
    ),
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], duckdb.DuckDBPyConnection]:
    """Long enough for a change of hours and both changes of clocks in a year, with tickets that run from one month into the next."""
    folder = tmp_path_factory.mktemp("histories")
    truth, connection = write_company(folder / "landing", 300, 14, 5, daily=3), opened(folder)
    connection.execute(VIEWS)
    return truth, connection


@pytest.mark.parametrize("law", LAWS)
def test_a_history_says_what_the_other_feeds_say(law: str, company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    assert counted(company[1], LAWS[law]) == 0


def test_every_kind_of_event_comes(company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    kinds = {row[0] for row in company[1].execute("select distinct event_type from ticket_events").fetchall()}
    states = {row[0] for row in company[1].execute("select distinct new_value from ticket_events where field_name = 'status'").fetchall()}
    assert (kinds, states) == (set(EVENTS), set(TICKET_STATUS))


def test_what_is_known_only_at_the_end_comes_late(company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    late = company[1].execute("select distinct event_type from ticket_events where source_updated_at > event_at").fetchall()
    assert {row[0] for row in late} == {"status_change", "reopened"}


def histories(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    found = connection.execute("""
        select ticket_id, event_at::timestamptz as at, event_type, actor_role, field_name, new_value, department_id
        from events order by ticket_id, event_number""")
    names = [column[0] for column in found.description or []]
    by_ticket: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found.fetchall():
        by_ticket[row[0]].append(dict(zip(names, row, strict=True)))
    return by_ticket


def test_truth_of_histories_is_their_recount_event_by_event(company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    truth, connection = company
    counts: Counter[tuple[str, str]] = Counter()
    seconds: Counter[tuple[str, str, str]] = Counter()
    blocked: Counter[str] = Counter()
    for events in histories(connection).values():
        state = department = came_from = asked_after = ""
        since = handed_at = blocked_at = None
        replied = False
        for event in events:
            month, at = event["at"].strftime("%Y-%m"), event["at"]
            if since and (event["field_name"] == "status" or event["event_type"] == "department_change"):
                seconds[month, state, department] += int((at - since).total_seconds())
            if event["event_type"] == "department_change":
                counts[month, "handoffs"] += 1
                counts[month, "ping_pongs"] += event["department_id"] == came_from
                came_from, handed_at, asked_after = department, at, month
            if event["department_id"]:
                department, since = event["department_id"], at
            if event["field_name"] == "status":
                state, since = event["new_value"], at
            counts[month, "reopens"] += event["event_type"] == "reopened"
            if event["event_type"] == "info_rerequested":
                counts[month, "rerequests"] += 1
                if handed_at and asked_after and at - handed_at <= timedelta(days=1):
                    counts[asked_after, "handoffs_with_rerequest"] += 1
                    asked_after = ""
            if event["event_type"] == "blocked":
                blocked_at = at
            if event["event_type"] == "unblocked" and blocked_at:
                counts[month, "blocked_spans"] += 1
                blocked[month] += int((at - blocked_at).total_seconds())
            if event["event_type"] == "public_comment" and event["actor_role"] == "agent" and not replied:
                replied = True
                counts[events[0]["at"].strftime("%Y-%m"), "replied_tickets"] += 1
    names = {name for _, name in counts}
    assert names == {"handoffs", "ping_pongs", "reopens", "rerequests", "handoffs_with_rerequest", "replied_tickets", "blocked_spans"}
    for month, said in truth["counts"].items():
        assert {name: counts[month, name] for name in names} == {name: said[name] for name in names}, month
        assert blocked[month] == truth["blocked_seconds"][month]
        flat = {
            (state, place): value for state, places in truth["state_seconds"][month].items() for place, value in places.items() if value
        }
        assert {key[1:]: value for key, value in seconds.items() if key[0] == month and value} == flat, month


def test_first_replies_by_the_clock_and_by_the_open_seconds(company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    """Local day by local day, with the spans that the rows of the feeds give it."""
    truth, connection = company
    hours = connection.execute(
        "select schedule_id, valid_from_date, valid_to_date, weekday, start_minutes, end_minutes, time_zone from business_hours"
    )
    spans = [(row[0], *map(date.fromisoformat, (row[1], row[2] or "9999-12-31")), *map(int, row[3:6]), row[6]) for row in hours.fetchall()]
    closed = set(connection.execute("select schedule_id, holiday_date from holidays").fetchall())
    assert len({span[1] for span in spans if span[0] == "north"}) == 2, "the hours change once"
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for events in histories(connection).values():
        replies = [event["at"] for event in events if event["event_type"] == "public_comment" and event["actor_role"] == "agent"]
        if not replies:
            continue
        came, month = events[0]["at"], events[0]["at"].strftime("%Y-%m")
        sums[month]["calendar"] += int((replies[0] - came).total_seconds())
        for day in range(-1, (replies[0] - came).days + 2):
            local = (came + timedelta(days=day)).date()
            for schedule, first, after, weekday, begin, end, zone in spans:
                if weekday == local.isoweekday() and first <= local < after and (schedule, local.isoformat()) not in closed:
                    midnight = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone))
                    opens, closes = (midnight.replace(hour=edge // 60, minute=edge % 60).timestamp() for edge in (begin, end))
                    sums[month][schedule] += max(0, int(min(replies[0].timestamp(), closes) - max(came.timestamp(), opens)))
    assert {month: dict(found) for month, found in sums.items()} == truth["first_reply_seconds"]


def test_a_company_of_one_month_and_one_account_has_histories(tmp_path: Path) -> None:
    assert write_company(tmp_path / "landing", 40, 1, 3)["rows"]["ticket_events"] > 0
