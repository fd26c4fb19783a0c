"""Zendesk's exports as they are documented: pages, ends, positions, and the tables that the records become."""

from __future__ import annotations

import datetime as dt
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError, UsageError

RECORDS = runpy.run_path(str(Path(__file__).with_name("payloads.py")))  # tests are no package, so no import
TICKETS = "/api/v2/incremental/tickets/cursor.json"
EVENTS = "/api/v2/incremental/ticket_events.json"
CALLS = "/api/v2/channels/voice/stats/incremental/calls.json"
RATINGS = "/api/v2/satisfaction_ratings.json"
ORGANIZATIONS = "/api/v2/incremental/organizations.json"


def ok(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    import json

    return 200, {}, json.dumps(body).encode()


@pytest.fixture
def desk(fetching: Any, replay: Any) -> Callable[..., Any]:
    def add(*streams: str) -> Any:
        fetching.add(
            "desk",
            kind="zendesk",
            system="zendesk",
            url=replay.url,
            email="agent@acme.example",
            token_env="CANARY",
            start=dt.date(2026, 1, 1),
            streams=list(streams),
        )
        return fetching

    return add


def tickets_of(replay: Any, pages: dict[str, tuple[list[int], str, bool]]) -> None:
    """Answer the cursor export: cursor asked for → numbers of the tickets, next cursor, whether it is the end."""

    def answer(query: dict[str, str]) -> Any:
        numbers, after, is_end = pages[query.get("cursor", "start")]
        return ok({"tickets": [RECORDS["ticket"](number) for number in numbers], "after_cursor": after, "end_of_stream": is_end})

    replay.on(TICKETS, answer)


def test_the_cursor_export_is_read_to_its_end_and_resumed_from_its_last_cursor(desk: Any, replay: Any) -> None:
    tickets_of(replay, {"start": ([1, 2], "c1", False), "c1": ([3], "c2", True), "c2": ([], "c2", True)})
    fetching = desk("tickets")
    assert fetching.deliver("desk") == {"ticket": 3, "ticket_tag": 6}
    assert [query for _, query in replay.asked] == [{"per_page": "1000", "start_time": "1767225600"}, {"per_page": "1000", "cursor": "c1"}]
    assert replay.headers[0]["Authorization"].startswith("Basic ")
    assert fetching.deliver("desk") == {}
    tickets_of(replay, {"c2": ([2], "c3", True)})
    assert fetching.deliver("desk") == {"ticket": 1, "ticket_tag": 2}
    assert [query["cursor"] for _, query in replay.asked[2:]] == ["c2", "c2"]


def test_a_ticket_becomes_the_columns_that_the_mapping_reads(desk: Any, replay: Any) -> None:
    tickets_of(replay, {"start": ([7], "c1", True)})
    fetching = desk("tickets")
    fetching.deliver("desk")
    (row,) = fetching.rows("ticket")
    expected = {
        "id": "7",
        "created_at": "2026-11-20 08:00:00",
        "updated_at": "2026-11-20 09:00:07",
        "status": "open",
        "via_channel": "email",
        "via_source_from_address": "a@example.com",
        "via_source_to_name": "Help",
        "via_source_rel": None,
        "recipient": None,
        "is_public": "true",
        "has_incidents": "false",
        "followup_ids": "[]",
        "description": "It burns.\nBadly.",
        "_fivetran_synced": "2026-11-26 23:30:00",
    }
    assert {name: row[name] for name in expected} == expected
    assert [(tag["ticket_id"], tag["tag"]) for tag in fetching.rows("ticket_tag")] == [("7", "enterprise"), ("7", "other_tag")]


def events_of(replay: Any, pages: dict[int, tuple[list[int], int, bool]]) -> None:
    """Answer the time export: start asked for → numbers of the events, end time, whether it is the end."""

    def answer(query: dict[str, str]) -> Any:
        numbers, end, is_end = pages[int(query["start_time"])]
        body = {"ticket_events": [RECORDS["ticket_event"](number) for number in numbers], "end_time": end, "end_of_stream": is_end}
        return ok({**body, "count": len(numbers), "next_page": "unused"})

    replay.on(EVENTS, answer)


def test_events_that_the_time_export_repeats_at_its_seams_come_once(desk: Any, replay: Any) -> None:
    start, at = 1_767_225_600, 1_795_165_200
    events_of(replay, {start: ([1, 2, 3], at + 3, False), at + 3: ([3, 4], at + 4, True), at + 4: ([4], at + 4, True)})
    fetching = desk("ticket_events")
    assert fetching.deliver("desk") == {"ticket_field_history": 4 * 3, "ticket_comment": 4}
    assert fetching.deliver("desk") == {}
    events_of(replay, {at + 4: ([4, 5], at + 5, True)})
    assert fetching.deliver("desk") == {"ticket_field_history": 3, "ticket_comment": 1}


def test_an_event_becomes_one_row_a_changed_field_and_one_a_comment(desk: Any, replay: Any) -> None:
    events_of(replay, {1_767_225_600: ([1], 1_795_165_201, True)})
    fetching = desk("ticket_events")
    fetching.deliver("desk")
    history = [
        (row["field_name"], row["value"], row["ticket_id"], row["user_id"], row["updated"]) for row in fetching.rows("ticket_field_history")
    ]
    about = ("35436", "235323", "2026-11-20 09:00:01")
    assert history == [("status", "solved", *about), ("27642", "746", *about), ("tags", '["a","b"]', *about)]
    (comment,) = fetching.rows("ticket_comment")
    assert {name: value for name, value in comment.items() if value} == {
        "id": "91048994488",
        "body": "This is a comment",
        "created": "2026-11-20 09:00:01",
        "public": "true",
        "ticket_id": "35436",
        "user_id": "5031726587",
        "voice_comment": "false",
        "_fivetran_synced": "2026-11-26 23:30:00",
    }


def test_calls_end_where_the_last_one_is_given_again(desk: Any, replay: Any) -> None:
    first, last = 1_795_168_801, 1_795_169_102

    def answer(query: dict[str, str]) -> Any:
        calls, end = ([RECORDS["call"](1), RECORDS["call"](2)], last) if int(query["start_time"]) < first else ([RECORDS["call"](2)], last)
        return ok({"calls": calls, "count": len(calls), "end_time": end, "next_page": f"{replay.url}{CALLS}?start_time={end}"})

    replay.on(CALLS, answer)
    fetching = desk("calls")
    assert fetching.deliver("desk") == {"call": 2}
    assert fetching.deliver("desk") == {}
    assert fetching.rows("call")[0]["call_charge"] == "0.003"
    assert len(replay.asked) == 3


def test_a_rating_that_gets_its_score_weeks_later_is_delivered_again_and_the_others_are_not(desk: Any, replay: Any) -> None:
    rating = RECORDS["rating"]
    listed = [rating(1), rating(2), rating(3, updated_at="2026-11-25T10:00:00Z")]

    def answer(query: dict[str, str]) -> Any:
        if "page[after]" in query:
            return ok({"satisfaction_ratings": listed[2:], "meta": {"has_more": False}, "links": {"next": None}})
        link = f"{replay.url}{RATINGS}?page[after]=x&page[size]=100"
        return ok({"satisfaction_ratings": listed[:2], "meta": {"has_more": True, "after_cursor": "x"}, "links": {"next": link}})

    replay.on(RATINGS, answer)
    fetching = desk("satisfaction_ratings")
    assert fetching.deliver("desk") == {"satisfaction_rating": 3}
    listed[0] = rating(1, score="good", updated_at="2026-11-26T10:00:00Z")
    assert fetching.deliver("desk") == {"satisfaction_rating": 1}
    assert fetching.rows("satisfaction_rating")[3]["score"] == "good"
    newest = int(dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC).timestamp())
    assert replay.asked[2][1]["start_time"] == str(newest - 40 * 86_400)


def test_streams_of_one_fetch_become_visible_together(desk: Any, replay: Any) -> None:
    tickets_of(replay, {"start": ([1], "c1", True)})
    replay.on(ORGANIZATIONS, lambda query: (404, {}, b"{}"))
    fetching = desk("tickets", "organizations")
    with pytest.raises(InfrastructureError, match=r"organizations\.json answered 404"):
        fetching.deliver("desk")
    assert fetching.files() == []
    replay.pages(ORGANIZATIONS, {"organizations": [{"id": 5, "name": "A", "tags": []}], "end_time": 1_795_165_200, "end_of_stream": True})
    assert fetching.deliver("desk") == {"ticket": 1, "ticket_tag": 2, "organization": 1}


def test_an_export_that_does_not_move_and_says_there_is_more_ends_the_fetch(desk: Any, replay: Any) -> None:
    tickets_of(replay, {"start": ([1], "c1", False), "c1": ([1], "c1", False)})
    with pytest.raises(InfrastructureError, match="does not move on from c1"):
        desk("tickets").deliver("desk")


def test_an_answer_without_its_records_is_no_empty_answer(desk: Any, replay: Any) -> None:
    replay.on(TICKETS, lambda query: ok({"error": "deprecated", "after_cursor": "x", "end_of_stream": True}))
    with pytest.raises(InfrastructureError, match="answered without tickets"):
        desk("tickets").deliver("desk")


@pytest.mark.fault("S4")
def test_the_token_goes_to_its_host_only(desk: Any, replay: Any) -> None:
    elsewhere = {"satisfaction_ratings": [], "links": {"next": "http://127.0.0.2:1/steal"}}
    replay.on(RATINGS, lambda query: ok(elsewhere))
    with pytest.raises(InfrastructureError, match=r"link to 127\.0\.0\.2:1; nothing was sent"):
        desk("satisfaction_ratings").deliver("desk")
    replay.on(RATINGS, lambda query: (302, {"Location": "http://127.0.0.2:1/steal"}, b""))
    with pytest.raises(InfrastructureError, match="TooManyRedirects"):
        desk("satisfaction_ratings").deliver("desk")


def test_an_unknown_stream_is_answered_with_the_known_ones(desk: Any) -> None:
    with pytest.raises(UsageError, match="no streams macros; known: tickets, ticket_events"):
        desk("macros").deliver("desk")
