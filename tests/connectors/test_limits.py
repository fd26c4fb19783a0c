"""A server that stumbles: limits of rate, errors, lost connections, broken pages. Nothing here sleeps; the waits are listed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from dagster_project.commands.cli import app
from dagster_project.errors import InfrastructureError, UsageError

GROUPS = "/api/v2/groups.json"
PAGE = {"groups": [{"id": 1, "name": "Support", "created_at": "2026-01-01T00:00:00Z"}], "links": {"next": None}}
LIMITED = (429, {"Retry-After": "37"}, b"Too many requests")


@pytest.fixture
def desk(fetching: Any, replay: Any) -> Any:
    about = {"url": replay.url, "email": "a@acme.example", "token_env": "CANARY", "start": dt.date(2026, 1, 1)}
    fetching.add("desk", kind="zendesk", system="zendesk", streams=["groups"], **about)
    replay.pages(GROUPS, PAGE)
    return fetching


@pytest.mark.parametrize(
    ("faults", "waits"),
    [
        ([LIMITED, LIMITED], [37, 37]),
        ([(429, {"Retry-After": "1.2"}, b"")], [2]),
        ([(429, {"Retry-After": "86400"}, b"")], [300]),
        ([(503, {}, b""), (500, {}, b""), (502, {}, b"")], [1, 2, 4]),
        ([(200, {}, json.dumps(PAGE).encode()[:-9])], [1]),
        ([(200, {}, b"<html>maintenance</html>"), (200, {}, b"\xff\xfe")], [1, 2]),
        ([(200, {}, b"[]")], [1]),
    ],
)
def test_a_server_that_stumbles_is_asked_again_after_the_time_it_names(desk: Any, replay: Any, faults: Any, waits: list[int]) -> None:
    replay.faults = list(faults)
    assert desk.deliver("desk") == {"group": 1}
    assert desk.waits == waits


def test_a_wait_and_a_load_are_told(desk: Any, replay: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    replay.faults = [(429, {"Retry-After": "1"}, b"")]
    monkeypatch.setenv("ROI_CONNECTORS", str(desk.settings.connectors))
    monkeypatch.setattr("time.sleep", lambda _: None)
    for said in ("1 rows delivered to", "nothing new at desk"):
        with pytest.raises(SystemExit) as ended:
            app(["fetch", "desk", "--landing", str(desk.settings.landing)])
        assert ended.value.code == 0
        out, err = capfd.readouterr()
        assert said in out
        assert ("desk asks to wait 1 s\nload 1 of desk: group 1\n" in err) == ("delivered" in said)


def test_attempts_and_waits_have_an_end(desk: Any, replay: Any) -> None:
    replay.faults = [(503, {}, b"")] * 8
    with pytest.raises(InfrastructureError, match=r"groups\.json answered 503; nothing of this load was delivered"):
        desk.deliver("desk")
    assert desk.waits == [1, 2, 4, 8, 16, 32, 64]
    assert len(replay.asked) == 8
    assert desk.deliver("desk") == {"group": 1}


def test_a_page_that_stays_broken_ends_the_fetch(desk: Any, replay: Any) -> None:
    replay.faults = [(200, {}, b'{"groups": [')] * 8
    with pytest.raises(InfrastructureError, match="8 times with a page that is no JSON"):
        desk.deliver("desk")
    assert desk.files() == []


def test_a_refused_token_is_not_tried_again(desk: Any, replay: Any) -> None:
    replay.faults = [(401, {}, b"")]
    with pytest.raises(UsageError, match="answered 401; remedy: check the token in CANARY"):
        desk.deliver("desk")
    assert desk.waits == []


def test_a_server_that_is_not_there_is_said_so(desk: Any, replay: Any) -> None:
    desk.add("desk", **{**desk.sources["desk"], "url": "http://127.0.0.1:9"})
    with pytest.raises(InfrastructureError, match=r"http://127\.0\.0\.1:9 cannot be reached \(ConnectionError\), 8 attempts"):
        desk.deliver("desk")


def test_numbers_keep_the_digits_that_the_server_wrote(desk: Any, replay: Any) -> None:
    body = json.dumps(PAGE).replace('"id": 1,', '"id": 12345678901234567890, "name": 0.10, "url": 1e400,').encode()
    replay.on(GROUPS, lambda query: (200, {}, body.replace(b'"name": "Support", ', b"")))
    desk.deliver("desk")
    (row,) = desk.rows("group")
    assert (row["id"], row["name"], row["url"]) == ("12345678901234567890", "0.10", "1e400")
