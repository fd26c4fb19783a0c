"""Tell people that a run failed, that the next one went well, and what checks warned of: to a Slack webhook, by e-mail, or to nobody.

The settings say where; without them nothing is sent. Holds the messages and the two ways to send them. It must not decide when:
that is known to anyone who watches the runs. No address, password or webhook is ever in a message or an error.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.host.escaping import escaped, escaped_lines
from dagster_project.ledger.store import FILE, Ledger
from dagster_project.ledger.warnings import Warned, new_warnings, warnings_of
from dagster_project.masking import masked
from dagster_project.publish.versions import read_pointer
from dagster_project.settings import Settings

_TIMEOUT_SECONDS = 20
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_LONGEST = 2_000
"""Characters of an error that a message repeats; Slack cuts off at 3,000 by itself."""


def failed(settings: Settings, job: str, run_id: str, error: str) -> None:
    """Report that a run failed, why, and what readers see meanwhile.

    Raises
    ------
    InfrastructureError
        A channel did not take the message; the others got it.
    """
    found = warnings_of(Ledger(settings.ops), run_id) if (settings.ops / FILE).is_file() else []
    message = masked(error, "message").strip()[:_LONGEST]
    send(settings, f"{job} failed", f"Run {run_id}: {message}\n{masked(_listed(found), 'message')}{_served(settings)}")


def recovered(settings: Settings, job: str, run_id: str) -> None:
    """Report that a run went well after one that failed.

    Raises
    ------
    InfrastructureError
        A channel did not take the message; the others got it.
    """
    send(settings, f"{job} works again", f"Run {run_id} went well.\n{_served(settings)}")


def warned(settings: Settings, job: str, run_id: str) -> bool:
    """Report what the checks of a run warned of that those of the run before had not; return whether there was anything to say.

    Raises
    ------
    InfrastructureError
        A channel did not take the message; the others got it.
    """
    found = new_warnings(Ledger(settings.ops), run_id) if (settings.ops / FILE).is_file() else []
    if found:
        send(settings, f"{job} has warnings", f"Run {run_id} went well, but:\n{_listed(found)}{_served(settings)}")
    return bool(found)


def _listed(found: Sequence[Warned]) -> str:
    """Return one line for each warning, as many as a message takes, and where the others are."""
    text = ""
    for at, one in enumerate(map(str, found)):
        if len(text) + len(one) > _LONGEST:
            return f"{text}and {len(found) - at:,} more in ops.warnings\n"
        text += f"{one}\n"
    return text


def send(settings: Settings, subject: str, text: str) -> None:
    """Send one message through every channel that the settings name.

    Raises
    ------
    InfrastructureError
        A channel did not take it; the others got it.
    UsageError
        An address of the settings is not usable.
    """
    problems = []
    for is_wanted, way in ((settings.alert_slack_webhook, _slack), (settings.alert_smtp_url, _mail)):
        if is_wanted:
            problems += _problem(way, settings, f"service-roi: {escaped(subject)}", escaped_lines(text))
    if problems:
        raise InfrastructureError(f"the alert '{subject}' was not delivered: {'; '.join(problems)}")


def _problem(way: Callable[[Settings, str, str], None], settings: Settings, subject: str, text: str) -> list[str]:
    """Return what went wrong, in words without the address: messages of these libraries repeat what they were given."""
    try:
        way(settings, subject, text)
    except urllib.error.HTTPError as error:
        return [f"Slack answered {error.code}"]
    except smtplib.SMTPResponseException as error:
        return [f"the mail server answered {error.smtp_code}"]
    except (OSError, smtplib.SMTPException) as error:
        return [f"{way.__name__.strip('_')}: {type(error).__name__}"]
    return []


def _slack(settings: Settings, subject: str, text: str) -> None:
    assert settings.alert_slack_webhook is not None
    address = settings.alert_slack_webhook.get_secret_value()
    parts = _parts(address, "ROI_ALERT_SLACK_WEBHOOK")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise UsageError("ROI_ALERT_SLACK_WEBHOOK is no https address; remedy: copy it from the app's page of incoming webhooks")
    body = json.dumps({"text": f"*{subject}*\n{_plain(text)}"}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310  the scheme was checked
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310  as above
        pass


def _plain(text: str) -> str:
    """Take Slack's own signs out of a text: what comes from data is no link and calls nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mail(settings: Settings, subject: str, text: str) -> None:
    assert settings.alert_smtp_url is not None
    server = _parts(settings.alert_smtp_url.get_secret_value(), "ROI_ALERT_SMTP_URL")
    to = [address.strip() for address in (settings.alert_email_to or "").split(",") if address.strip()]
    if server.scheme not in {"smtp", "smtps"} or not settings.alert_email_from or not to:
        raise UsageError("e-mail needs ROI_ALERT_SMTP_URL (smtp:// or smtps://), ROI_ALERT_EMAIL_FROM and ROI_ALERT_EMAIL_TO")
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, settings.alert_email_from, ", ".join(to)
    message.set_content(text)
    with _connected(server) as connection:
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(message)


def _connected(server: SplitResult) -> smtplib.SMTP:
    """Connect; a password only ever travels encrypted."""
    host, trusted = server.hostname or "", ssl.create_default_context()
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, server.port or 465, timeout=_TIMEOUT_SECONDS, context=trusted)
    connection = smtplib.SMTP(host, server.port or 25, timeout=_TIMEOUT_SECONDS)
    if server.username:
        try:
            connection.starttls(context=trusted)
        except (OSError, smtplib.SMTPException):
            connection.close()
            raise
    return connection


def _parts(address: str, name: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  reading it checks it
    except ValueError:
        raise UsageError(f"{name} is no address") from None
    return parts


def _served(settings: Settings) -> str:
    pointer = read_pointer(settings.home)
    if pointer is None:
        return "Nothing is published yet."
    return f"Served: copy {pointer.seq}, published {pointer.published_at}, data up to {pointer.data_as_of or 'no day'}."
