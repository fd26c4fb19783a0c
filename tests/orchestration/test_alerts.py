"""Failures are reported once, recoveries too, over real connections to servers on loopback; no secret is ever in a message."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dagster as dg
import pytest

from dagster_project.errors import InfrastructureError, InputRefused, UsageError
from dagster_project.ledger.store import Ledger
from dagster_project.orchestration import alerts
from dagster_project.orchestration.automation import tell_failure, tell_recovery, tell_warnings
from dagster_project.settings import load_settings

SECRET = "T00000000-B00000000-canary"
PASSWORD = "canary-password"


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server that takes webhooks; `answer` is its status, `texts` what came."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.texts.append(json.loads(body)["text"])  # type: ignore[attr-defined]
            self.server.paths.append(self.path)  # type: ignore[attr-defined]
            self.send_response(self.server.answer)  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.texts, server.paths, server.answer = [], [], 200  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ROI_ALERT_SLACK_WEBHOOK", f"http://127.0.0.1:{server.server_port}/services/{SECRET}")
        yield server
        server.shutdown()


class Mailbox(socketserver.StreamRequestHandler):
    """Enough of SMTP to take a message; it knows no encryption."""

    def handle(self) -> None:
        def say(line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        say("220 loopback")
        while line := self.rfile.readline():
            word = line.split(b" ")[0].strip().upper()
            self.server.commands.append(word.decode())  # type: ignore[attr-defined]
            if word == b"DATA":
                say("354 go on")
                lines = []
                while (text := self.rfile.readline()) != b".\r\n":
                    lines.append(text)
                self.server.messages.append(b"".join(lines).decode())  # type: ignore[attr-defined]
                say(f"{self.server.answer} done")  # type: ignore[attr-defined]
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 fine")


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as server:
        server.messages, server.commands, server.answer = [], [], 250  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ROI_ALERT_SMTP_URL", f"smtp://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("ROI_ALERT_EMAIL_FROM", "warehouse@example.com")
        monkeypatch.setenv("ROI_ALERT_EMAIL_TO", "one@example.com, two@example.com")
        yield server
        server.shutdown()


def failure_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """Let the failure sensor see this run; what it said when it sent nothing."""
    event = next(entry.dagster_event for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.PIPELINE_FAILURE))
    assert event is not None
    context = dg.build_run_status_sensor_context("tell_failure", event, instance, run).for_run_failure()
    found = tell_failure(context)
    return found.skip_message or "" if isinstance(found, dg.SkipReason) else ""


def success_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    event = next(entry.dagster_event for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.PIPELINE_SUCCESS))
    assert event is not None
    found = tell_recovery(dg.build_run_status_sensor_context("tell_recovery", event, instance, run))
    return found.skip_message or "" if isinstance(found, dg.SkipReason) else ""


def test_the_first_failure_and_the_recovery_are_told_and_nothing_between(
    instance: dg.DagsterInstance, ended_run: Callable[..., dg.DagsterRun], slack: Any, house: Any
) -> None:
    success_of(instance, ended_run())
    assert slack.texts == []
    first = ended_run(error=InputRefused("canonical/orders/2026-11-05/orders.csv: <3> records & more"))
    failure_of(instance, first)
    assert "had failed before" in failure_of(instance, ended_run(error=InputRefused("again")))
    success_of(instance, ended_run())
    success_of(instance, ended_run())
    reported, recovered = slack.texts
    assert reported == (
        f"*service-roi: daily failed*\nRun {first.run_id}: "
        "InputRefused: canonical/orders/2026-11-05/orders.csv: &lt;3&gt; records &amp; more\n"
        "Nothing is published yet."
    )
    assert recovered.startswith("*service-roi: daily works again*")


def warned(house: Any, run_id: str, *checks: tuple[str, int, str]) -> None:
    """Put a run with these warnings into the ledger: check, count and keys."""
    ledger = Ledger(house / "home" / "ops")
    ledger.start_run(run_id, "2026-11-05T06:00:00+00:00")
    held = {"severity": "critical", "success": True, "unexpected_count": 0, "expectation": "held", "notes": "n"}
    found = [
        {
            "severity": "warning",
            "success": False,
            "expectation": check,
            "unexpected_count": count,
            "observed": keys,
            "notes": "Money is wrong.",
        }
        for check, count, keys in checks
    ]
    ledger.record_checks(run_id, "refunds", [held, *found])


@pytest.mark.fault("F23")
def test_new_warnings_of_a_run_that_went_well_are_told_with_counts_and_first_keys_and_old_ones_are_not(
    instance: dg.DagsterInstance, ended_run: Callable[..., dg.DagsterRun], slack: Any, house: Any
) -> None:
    def messages_of(run: dg.DagsterRun) -> list[str]:
        event = next(one.dagster_event for one in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.PIPELINE_SUCCESS))
        assert event is not None
        before = len(slack.texts)
        tell_warnings(dg.build_run_status_sensor_context("tell_warnings", event, instance, run))
        return slack.texts[before:]  # type: ignore[no-any-return]

    first, second, third = ended_run(), ended_run(), ended_run()
    assert messages_of(first) == [], "no ledger, no warning"
    warned(house, first.run_id, ("excess", 4, "R1; R2; R3; R4"))
    warned(house, second.run_id, ("excess", 4, "R1; R2; R3; R4"), ("order", 1, "R9"))
    warned(house, third.run_id, ("order", 1, "R9"))
    (text,) = messages_of(first)
    assert text.startswith(f"*service-roi: daily has warnings*\nRun {first.run_id} went well, but:\n")
    assert "warning: refunds, excess: 4 found, first: R1; R2; R3; … (Money is wrong)" in text
    (text,) = messages_of(second)
    assert "order: 1 found, first: R9" in text
    assert "excess" not in text
    assert messages_of(third) == []


def test_more_warnings_than_a_message_takes_are_counted(house: Any, slack: Any) -> None:
    warned(house, "many", *((f"check_{number}", number + 1, "K" * 100) for number in range(60)))
    assert alerts.warned(load_settings(), "daily", "many")
    (text,) = slack.texts
    assert len(text) < 3_000
    shown = text.count("warning: refunds")
    assert f"and {60 - shown} more in ops.warnings" in text


def test_a_failure_tells_what_its_checks_warned_of(house: Any, slack: Any) -> None:
    warned(house, "r-1", ("excess", 4, "R1"))
    alerts.failed(load_settings(), "daily", "r-1", "a check failed")
    (text,) = slack.texts
    assert "Run r-1: a check failed\nwarning: refunds, excess: 4 found, first: R1" in text


@pytest.mark.fault("C3")
def test_a_crash_that_is_retried_is_told_only_when_the_last_try_failed_too(
    instance: dg.DagsterInstance, ended_run: Callable[..., dg.DagsterRun], slack: Any, house: Any
) -> None:
    crashed = ended_run(crash="the worker was killed")
    assert "by itself" in failure_of(instance, crashed)
    failure_of(instance, ended_run(error=InfrastructureError("disk full")))
    (reported,) = slack.texts
    assert "disk full" in reported


def test_a_mail_goes_to_everyone_named(house: Any, mail: Any) -> None:
    alerts.failed(load_settings(), "daily", "r-1", "Überlauf: 3 rows")
    (message,) = mail.messages
    assert "Subject: service-roi: daily failed" in message
    assert "To: one@example.com, two@example.com" in message
    assert mail.commands.count("RCPT") == 2


def test_without_settings_nothing_is_sent_and_nothing_fails(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[object] = []
    monkeypatch.setattr("socket.socket.connect", lambda _, address: reached.append(address))
    alerts.failed(load_settings(), "daily", "r-1", "disk full")
    assert reached == []


def test_a_channel_that_refuses_is_an_error_and_the_other_still_gets_the_message(house: Any, slack: Any, mail: Any) -> None:
    slack.answer = 404
    with pytest.raises(InfrastructureError, match=r"'daily failed' was not delivered: Slack answered 404$"):
        alerts.failed(load_settings(), "daily", "r-1", "disk full")
    assert len(mail.messages) == 1
    mail.answer = 554
    with pytest.raises(InfrastructureError, match=r"Slack answered 404; the mail server answered 554$"):
        alerts.failed(load_settings(), "daily", "r-2", "disk full")


@pytest.mark.fault("S6")
def test_no_secret_is_in_a_message_an_error_or_the_settings_text(
    house: Any, slack: Any, mail: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    slack.answer = 500
    monkeypatch.setenv("ROI_ALERT_SMTP_URL", f"smtp://roi:{PASSWORD}@127.0.0.1:{mail.server_address[1]}")
    settings = load_settings()
    with pytest.raises(InfrastructureError) as refused:
        alerts.failed(settings, "daily", "r-1", "disk full")
    assert slack.paths == [f"/services/{SECRET}"]
    said = "".join((str(refused.value), repr(settings), settings.model_dump_json(), *slack.texts, *capfd.readouterr()))
    assert SECRET not in said
    assert PASSWORD not in said


def test_a_password_is_not_sent_to_a_server_that_cannot_encrypt(house: Any, mail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROI_ALERT_SMTP_URL", f"smtp://roi:{PASSWORD}@127.0.0.1:{mail.server_address[1]}")
    with pytest.raises(InfrastructureError, match="mail"):
        alerts.failed(load_settings(), "daily", "r-1", "disk full")
    assert not {"AUTH", "MAIL", "DATA"} & set(mail.commands)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROI_ALERT_SLACK_WEBHOOK", f"http://hooks.example.com/{SECRET}"),
        ("ROI_ALERT_SLACK_WEBHOOK", f"file:///{SECRET}"),
        ("ROI_ALERT_SMTP_URL", f"ftp://x:{SECRET}@host"),
        ("ROI_ALERT_SMTP_URL", f"smtp://x:{SECRET}@host:port"),
    ],
)
def test_an_address_that_is_not_usable_is_a_usage_error_without_the_address(
    house: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="ROI_ALERT") as refused:
        alerts.failed(load_settings(), "daily", "r-1", "disk full")
    assert SECRET not in str(refused.value)
