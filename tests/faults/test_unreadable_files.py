"""What nobody can read is refused by its name; everything else of the run is loaded and published, and the exit code says 3.

Breaks: a run that one locked, damaged or misnamed file ends, or that leaves it out without a word.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.commands.cli import app
from dagster_project.errors import InputRefused
from dagster_project.ledger.store import Ledger
from dagster_project.publish.reader import open_current
from tests.faults import damage
from tests.faults.damage import Day

LOCKED = "locked.csv"


def of(folder: dict[str, str], landing: Path, name: str) -> str:
    """What a message says of a file or folder, its path first."""
    return folder[name] if folder is damage.FILES else f"{landing / name}{':' * folder[name].startswith('the')} {folder[name]}"


SAID = [(folder, name) for folder in (damage.FILES, damage.FOLDERS) for name in folder]


@pytest.mark.fault("F19")
@pytest.mark.parametrize(("folder", "name"), SAID, ids=[name[-20:] for _, name in SAID])
def test_plan_and_run_name_it_with_the_remedy_every_day(day: Day, folder: dict[str, str], name: str) -> None:
    words = of(folder, day.landing, name)
    reported = [day.planned.stderr]
    if name != LOCKED or os.getuid():  # root reads it all the same
        reported += [str(day.ran.exception), str(day.again.exception)]
    for text in reported:
        assert any(words in line and "; remedy: " in line for line in text.splitlines()), text


@pytest.mark.fault("F19")
def test_the_exit_code_is_3_and_no_line_is_a_stack_trace(day: Day) -> None:
    assert day.planned.returncode == 3
    assert "Traceback" not in day.planned.stderr
    assert "would publish without what cannot be read" in day.planned.stdout
    for ended in (day.ran, day.again):
        assert isinstance(ended.exception, InputRefused), ended.output
        assert ended.exception.exit_code == 3


@pytest.mark.fault("F19")
def test_everything_else_is_published_and_the_ledger_has_every_name(day: Day) -> None:
    connection, pointer = open_current(day.home)
    with connection:
        assert connection.execute("select count(*) from marts.fct_order where order_id = 'X7'").fetchone() == (1,)
    assert pointer.seq == 1
    assert "published copy" in day.ran.output
    assert "nothing new: published copy 1" in day.again.output
    ledger = Ledger(day.home / "ops")
    refused = {path.rpartition("/")[2] for (path,) in ledger.rows("select path from deliveries where status = 'refused'")}
    assert refused == set(damage.FILES) - ({LOCKED} if os.getuid() == 0 else set())
    ((state, detail),) = ledger.rows("select run_state, detail from runs order by started_at limit 1")
    assert state == "published"
    assert all(name in detail for name in damage.FOLDERS)


@pytest.mark.fault("F19", "D15")
def test_a_reader_of_the_published_copy_finds_each_of_them_with_rule_and_remedy(day: Day) -> None:
    connection, _ = open_current(day.home)
    with connection:
        reported = connection.execute(
            "select observed, expectation, unexpected_count, notes from ops.warnings where feed not in ('orders', 'marts')"
        ).fetchall()
    found = {path.removeprefix(f"{damage.DAY}/"): (rule, count, notes) for path, rule, count, notes in reported}
    refused = {**damage.FILES, **damage.FOLDERS}
    assert set(found) == set(refused) - ({LOCKED} if os.getuid() == 0 else set())
    for path, (rule, count, notes) in found.items():
        by = "file_unreadable" if path in damage.FILES else "delivery_day" if "2126" in path else "folder_unreadable"
        assert rule == by
        assert count >= (path in damage.FILES or "there is" in refused[path])
        assert "; remedy: " in notes


@pytest.mark.fault("F19")
@pytest.mark.parametrize("name", damage.FILES, ids=[name[-20:] for name in damage.FILES])
def test_trying_a_mapping_on_it_gives_the_same_verdict(day: Day, name: str) -> None:
    if name == LOCKED and os.getuid() == 0:
        pytest.skip("root reads every file")
    path = day.landing / damage.DAY / os.fsdecode(name.encode().decode("unicode_escape").encode("latin-1"))
    ended = CliRunner().invoke(app, ["try-mapping", str(path), "--system", "canonical"])
    assert isinstance(ended.exception, InputRefused), repr(ended.exception)
    assert damage.FILES[name] in str(ended.exception)
    assert "; remedy: " in str(ended.exception)
