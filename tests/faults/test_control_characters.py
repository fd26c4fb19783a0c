"""Names and values that would move a cursor, ring a bell or turn a line around are shown as escapes, whatever command shows them (S14)."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.commands import cli, terminal
from dagster_project.host.escaping import escaped, escaped_lines
from dagster_project.orchestration import alerts
from dagster_project.publish.reader import query
from dagster_project.settings import Settings
from tests.faults.test_folders import service_roi
from tests.publish.conftest import House

HOSTILE = "a\x1b]0;x\x07\x1b[31m\x9b2J\u202etxt\u2066\r"
SHOWN = r"a\x1b]0;x\x07\x1b[31m\x9b2J\u202etxt\u2066"
MASKED = SHOWN.replace(r"\u202e", "").replace(r"\u2066", "")
"""What masking leaves of it in messages: signs that turn the direction of text around are taken out there."""
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

pytestmark = pytest.mark.fault("S14")


@settings(deadline=None)
@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "L"])))
def test_one_line_stays_one_line_and_no_sign_moves_a_cursor(text: str) -> None:
    shown = escaped(text)
    assert not RAW.search(shown)
    assert "\n" not in shown
    assert shown.encode().decode() == shown  # bytes of a name that is no UTF-8 too can be printed
    assert escaped_lines(f"{text}\n").endswith("\n")
    assert escaped("naïve – 名前 😀") == "naïve – 名前 😀"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, project_dir: Path) -> tuple[Path, Path]:
    """A landing folder of hostile names, and a home that has published."""
    folder = tmp_path_factory.mktemp("hostile")
    for place in (f"canonical/refunds/day{HOSTILE}", f"canonical/stream{HOSTILE}/2026-01-05", f"system{HOSTILE}/x/2026-01-05"):
        (folder / "landing" / place).mkdir(parents=True)
        (folder / "landing" / place / "f.csv").write_text("a\n1\n", encoding="utf-8")
    house = House(folder / "home", project_dir)
    house.build(1)
    with duckdb.connect(str(house.warehouse)) as connection:
        connection.execute("""
            create table marts.dim_period (period_month date, fiscal_period varchar, fiscal_year varchar, start_date date, end_date date,
                close_state varchar, is_complete_period boolean, waits_for varchar, is_generated boolean)
        """)
    house.publish()
    return folder / "landing", folder / "home"


@pytest.fixture(scope="module")
def files(folders: tuple[Path, Path]) -> dict[str, Path]:
    """Files outside the landing folder: one with a hostile value and column, one with a hostile header that is refused."""
    head = "refund_id,order_id,refunded_at,refund_amount,currency_code"
    texts = {
        "value": f"{head},new{HOSTILE.rstrip()}\nR1,O1,x{HOSTILE.rstrip()},5.00,EUR,1\n",
        "header": f"refund_id,order_idx{HOSTILE.rstrip()},refunded_at,refund_amount,currency_code\n",
    }
    found = {name: folders[0].parent / f"{name}{HOSTILE}.csv" for name in texts}
    for name, text in texts.items():
        found[name].write_text(text, encoding="utf-8")
    return found


COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("run", "--landing", "{landing}", "--home", "{new}"),
    "plan": ("plan", "--landing", "{landing}", "--home", "{new}"),
    "doctor": ("doctor", "--landing", "{landing}", "--home", "{home}"),
    "try-mapping of a value": ("try-mapping", "{value}", "--system", "canonical", "--stream", "refunds"),
    "try-mapping of a header": ("try-mapping", "{header}", "--system", "canonical", "--stream", "refunds"),
    "sql": ("sql", "select '{hostile}' as \"c{hostile}\", ['{hostile}'] as list", "--home", "{home}"),
    "sql refused": ("sql", "select {hostile}", "--home", "{home}"),
    "home": ("extract", "2026-01", "--home", "{home}{hostile}"),
    "extract": ("extract", "{hostile}", "--home", "{home}"),
    "forget": ("forget", "{hostile}", "--yes", "--landing", "{landing}", "--home", "{home}"),
    "template": ("template", "{hostile}"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_prints_control_characters_of_names_and_values(
    folders: tuple[Path, Path], files: dict[str, Path], tmp_path: Path, name: str
) -> None:
    landing, home = folders
    names = {"landing": landing, "home": home, "new": tmp_path / "new", "hostile": HOSTILE, **files}
    finished = service_roi(*(part.format(**names) for part in COMMANDS[name]))
    said = finished.stdout + finished.stderr
    assert SHOWN in said or MASKED in said, said
    assert not RAW.search(said), repr(said)
    assert "Traceback" not in said


def test_csv_keeps_every_character_and_json_the_same_text(folders: tuple[Path, Path]) -> None:
    sql = "select " + " || ".join(f"chr({ord(character)})" for character in HOSTILE) + " as value"
    texts = {}
    for form in ("csv", "json"):
        out = io.StringIO()
        query(folders[1], sql, form, out=out)
        texts[form] = out.getvalue()
    assert list(csv.reader(io.StringIO(texts["csv"], newline=""), strict=True))[1] == [HOSTILE]
    assert json.loads(texts["json"]) == [{"value": HOSTILE}]
    assert not RAW.search(texts["json"])


@pytest.mark.parametrize("is_terminal", [False, True])
def test_progress_shows_no_control_character(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    monkeypatch.setenv("TERM", "dumb")
    with terminal.progress() as report:
        report(f"stage [bold]{HOSTILE}")
        report(f"{HOSTILE} is a file whose name and what is said of it are longer than the bar has room for [bold]")
    said = capsys.readouterr().err
    assert SHOWN in said.replace("\n", "")
    assert "longer than the bar has room for [bold]" in said.replace("\n", "")
    assert not RAW.search(said), repr(said)


def test_alerts_show_no_control_character(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(alerts, "_slack", lambda _, subject, text: sent.append((subject, text)))
    wanted: dict[str, Any] = {"alert_slack_webhook": "https://hooks.example.org/x"}
    alerts.send(Settings(**wanted), f"failed\n{HOSTILE}", f"first\nsecond {HOSTILE}")
    ((subject, text),) = sent
    assert "\n" not in subject
    assert SHOWN in subject
    assert text.startswith("first\nsecond ")
    assert not RAW.search(text)


def test_a_stack_trace_is_escaped_and_masked_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(f"{HOSTILE} of jane@victim.example")

    monkeypatch.setattr("dagster_project.commands.template.write_templates", fail)
    monkeypatch.setattr("sys.argv", ["service-roi", "--debug", "template", "tickets"])
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().err
    assert f"ValueError: {MASKED}" in said
    assert "[email]" in said
    assert not RAW.search(said)
    assert "victim" not in said


def test_a_line_of_progress_is_escaped_and_masked_once_by_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    masked: list[str] = []
    monkeypatch.setattr("dagster_project.commands.terminal.masked", lambda text, kind: masked.append(text) or text)
    with terminal.progress() as report:
        report(f"ingest {HOSTILE}")
    assert SHOWN in capsys.readouterr().err
    assert masked == []
