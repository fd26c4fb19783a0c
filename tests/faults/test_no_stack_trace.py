"""Whatever lies where a command looks: it ends with one line that says what to do, and with a documented exit code; no stack trace.

Breaks: a traceback in cron's mail, an exit code that no page explains, a message without the path.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.commands import cli
from dagster_project.errors import UsageError
from dagster_project.host.yaml_files import read_yaml
from tests.faults.damage import DAY, FOLDERS, Day

PROJECT = Path(__file__).resolve().parents[2]
CODES = {0, 2, 3, 4, 5, 7}
NOISE = random.Random(7).randbytes(5_000)
NO_UTF8 = os.fsdecode(b"\xff\xfe")


def put(name: str, content: bytes) -> Callable[[Path], None]:
    """A file of these bytes in the place of what is there."""

    def do(folder: Path) -> None:
        gone(name)(folder)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return do


def gone(name: str) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)

    return do


def folder_at(name: str) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        gone(name)(folder)
        (folder / name).mkdir(parents=True)

    return do


def loop(name: str) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        gone(name)(folder)
        (folder / name).symlink_to(folder / name)

    return do


def cut_copy(folder: Path) -> None:
    (copy,) = (folder / "home" / "published").glob("marts-*.duckdb")
    content = copy.read_bytes()[:5_000]
    copy.unlink()  # it is a link of the file that other tests read
    copy.write_bytes(content)


READERS = ("sql", "doctor", "extract", "rollback")
WRITERS = ("plan", "doctor", "run")
BROKEN = {
    "home is a file": (put("home", b"x"), ("run", "plan", "sql", "doctor", "extract", "rollback", "forget")),
    "home is gone": (gone("home"), ("sql", "doctor", "extract", "rollback", "forget")),
    "home is a link to itself": (loop("home"), ("run", "plan", "sql", "doctor", "forget")),
    "landing is a file": (put("landing", b"x"), ("run", "plan", "forget", "demo", "fetch")),
    "landing is gone": (gone("landing"), ("run", "plan", "forget", "doctor")),
    "landing is a link to itself": (loop("landing"), ("run", "plan", "demo")),
    "pointer is no JSON": (put("home/published/current.json", NOISE), READERS),
    "pointer is empty": (put("home/published/current.json", b""), READERS),
    "pointer is a list": (put("home/published/current.json", b"[]"), READERS),
    "pointer lacks everything": (put("home/published/current.json", b"{}"), READERS),
    "pointer is a folder": (folder_at("home/published/current.json"), READERS),
    "published is a file": (put("home/published", b"x"), READERS),
    "copy is cut": (cut_copy, READERS),
    "ledger is noise": (put("home/ops/ledger.sqlite", NOISE), (*WRITERS, "forget")),
    "ledger is a folder": (folder_at("home/ops/ledger.sqlite"), (*WRITERS, "forget")),
    "ledger is empty": (put("home/ops/ledger.sqlite", b""), ("doctor", "forget")),
    "lock is noise": (put("home/ops/run.lock", NOISE), ("doctor", "plan")),
    "lock is a folder": (folder_at("home/ops/run.lock"), (*WRITERS, "rollback", "forget")),
    "ops is a file": (put("home/ops", b"x"), (*WRITERS, "sql")),
    "warehouse is noise": (put("home/warehouse.duckdb", NOISE), ("plan", "doctor")),
    "warehouse is a folder": (folder_at("home/warehouse.duckdb"), ("plan", "doctor")),
    "lake is a file": (put("home/lake", b"x"), ("doctor", "forget")),
    "restricted is a file": (put("home/restricted", b"x"), ("plan", "doctor", "forget")),
    "key is empty": (put("home/restricted/hash_key", b""), ("plan", "forget")),
    "finance is a file": (put("home/finance", b"x"), ("extract", "doctor")),
    "spill is a file": (put("home/spill", b"x"), ("plan", "doctor")),
    "mapping is 20,000 brackets": (put("mappings/till/till.yml", b"[" * 20_000), ("run", "plan", "try", "doctor")),
    "mapping is noise": (put("mappings/till/till.yml", NOISE), ("run", "plan", "try")),
    "mapping is empty": (put("mappings/till/till.yml", b""), ("run", "plan", "try")),
    "mappings is a file": (put("mappings", b"x"), ("run", "plan", "try", "doctor")),
    "assumptions are noise": (put("assumptions.yml", NOISE), ("run", "plan", "try")),
    "assumptions are 20,000 brackets": (put("assumptions.yml", b"[" * 20_000), ("run", "plan")),
    "assumptions are a folder": (folder_at("assumptions.yml"), ("run", "plan")),
    "connectors are noise": (put("connectors.yml", NOISE), ("fetch",)),
    "connectors are 20,000 brackets": (put("connectors.yml", b"[" * 20_000), ("fetch",)),
    "connectors are a folder": (folder_at("connectors.yml"), ("fetch",)),
    "connectors are gone": (gone("connectors.yml"), ("fetch",)),
    "out is a file": (put("out", b"x"), ("template",)),
}
CASES = [(kind, command) for kind, (_, commands) in BROKEN.items() for command in commands]


def arguments(command: str, folder: Path) -> list[str]:
    home, landing = ["--home", str(folder / "home")], ["--landing", str(folder / "landing")]
    return {
        "run": ["run", *landing, *home],
        "plan": ["plan", *landing, *home],
        "sql": ["sql", "select 1", *home],
        "doctor": ["doctor", *landing, *home],
        "extract": ["extract", "2026-01", *home],
        "rollback": ["rollback", "1", *home],
        "forget": ["forget", "A1", "--yes", *landing, *home],
        "demo": ["demo", "--accounts", "1", "--months", "1", *landing],
        "fetch": ["fetch", "crm", *landing],
        "template": ["template", "tickets", "--out", str(folder / "out")],
        "try": ["try-mapping", str(folder / "landing" / "till" / "sales" / "2026-01-02" / "a.csv"), "--system", "till"],
    }[command]


@pytest.fixture
def company(day: Day, tmp_path: Path) -> Path:
    """A copy of the small company, everything loaded; with settings of its own."""
    folder = tmp_path / "company"
    shutil.copytree(day.home, folder / "home", copy_function=os.link)
    for name in ("ledger.sqlite", "run.lock"):  # written in place
        (folder / "home" / "ops" / name).unlink()
        shutil.copy(day.home / "ops" / name, folder / "home" / "ops" / name)
    shutil.copytree(day.landing / "canonical", folder / "landing" / "canonical", ignore=lambda at, names: [
        name for name in names if Path(at, name).is_symlink() or Path(at, name).is_fifo() or f"canonical/orders/{name}" in FOLDERS
        or (Path(at).name == DAY.name and name != "whole.csv")
    ])  # fmt: skip
    put("landing/till/sales/2026-01-02/a.csv", b"number\n1\n")(folder)
    put(
        "mappings/till/till.yml",
        b"time_zone: UTC\nstreams: {sales: {columns: [number], feeds: {tickets: {sql: tickets.sql, records: true}}}}\n",
    )(folder)
    put("assumptions.yml", (PROJECT / "dagster_project" / "assumptions.yml").read_bytes())(folder)
    put("connectors.yml", b"{}\n")(folder)
    return folder


def ended(command: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["service-roi", *command])
    capfd.readouterr()
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    said = capfd.readouterr()
    return code, said.out + said.err


@pytest.mark.fault("C12")
@pytest.mark.parametrize(("kind", "command"), CASES)
def test_a_command_over_something_broken_says_what_and_how(
    company: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str, command: str
) -> None:
    for setting in ("mappings", "assumptions.yml", "connectors.yml"):
        monkeypatch.setenv(f"ROI_{setting.partition('.')[0].upper()}", str(company / setting))
    BROKEN[kind][0](company)
    code, said = ended(arguments(command, company), capfd, monkeypatch)
    assert "Traceback" not in said
    assert code in CODES, said
    assert "--debug" not in said, f"nobody expected this one: {said}"
    if code:
        assert "remedy: " in said, said


@pytest.mark.fault("C12", "C4")
@pytest.mark.parametrize("command", ["run", "plan", "demo", "rollback"])
def test_a_command_without_room_says_what_and_how(
    company: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """No file may grow above eight kilobytes: the disk of every folder is as good as full."""
    resource = pytest.importorskip("resource")
    if command == "demo":
        gone("landing")(company)
    if command == "run":
        put("landing/canonical/orders/2026-10-06/a.csv", b"order_id,ordered_at,currency_code\nX9,2026-10-05T10:00:00Z,EUR\n")(company)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, before[1]))
    try:
        code, said = ended(arguments(command, company), capfd, monkeypatch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "Traceback" not in said
    assert code == 5, said
    assert "remedy: " in said


@pytest.mark.fault("C12")
def test_a_name_that_is_no_text_ends_no_command_with_a_stack_trace(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (NO_UTF8, "x" * 300, "a\nb", "\x1b[31m"):
        for command in ("run", "plan", "sql", "doctor", "template", "demo", "try"):
            code, said = ended(arguments(command, tmp_path / name), capfd, monkeypatch)
            assert "Traceback" not in said, (command, name)
            assert code in CODES, (command, name, said)
            assert "--debug" not in said, (command, name, said)


@pytest.mark.fault("C12")
def test_twenty_thousand_brackets_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"a: " + b"[" * 20_000)
    began = time.process_time()
    with pytest.raises(UsageError, match=r"mapping .*a\.yml:1: nested more than 50 deep; remedy: correct it"):
        read_yaml(path, "mapping", "correct it")
    assert time.process_time() - began < 2


@pytest.mark.fault("C12")
def test_an_error_that_nobody_expected_is_one_line_with_its_place_and_a_trace_with_debug(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.commands.template.write_templates", lambda *_, **__: {}["absent"])
    code, said = ended(arguments("template", tmp_path), capfd, monkeypatch)
    assert code == 5
    assert said.startswith("KeyError: 'absent', in commands/cli.py, template; remedy: run again with --debug")
    assert said.count("\n") == 1
    code, said = ended(["--debug", *arguments("template", tmp_path)], capfd, monkeypatch)
    assert code == 5
    assert said.startswith("Traceback (most recent call last):\n")
    assert said.endswith("KeyError: 'absent'\n\n")
