"""A reader never gives older figures in silence: only bytes proven to be wrong let an older copy answer, and the exit code says so."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import InfrastructureError
from dagster_project.publish import reader
from dagster_project.publish.reader import open_current, query, served
from tests.faults.test_folders import AS_A_USER, ended, service_roi
from tests.publish.conftest import House

THREADS, PUBLISHES = 20, 5
NUMBER = "select version_number from marts.mart_total"


def refuse(message: str) -> None:
    raise AssertionError(message)


@pytest.fixture(scope="module")
def published_twice(tmp_path_factory: pytest.TempPathFactory, project_dir: Path) -> Path:
    house = House(tmp_path_factory.mktemp("twice") / "home", project_dir)
    house.publish(1)
    house.publish(2)
    return house.home


@pytest.fixture
def two(published_twice: Path, tmp_path: Path, project_dir: Path) -> House:
    """A house whose version 2 is served and whole, with version 1 before it."""
    shutil.copytree(published_twice, tmp_path / "home")
    return House(tmp_path / "home", project_dir)


def damaged(house: House) -> Path:
    path: Path = house.published / house.pointer()["file"]
    path.chmod(0o644)
    os.truncate(path, 200_000)
    return path


@pytest.mark.fault("D14")
def test_connections_that_are_open_at_once_in_one_process_all_read_the_newest_copy(two: House) -> None:
    opened = [open_current(two.home, warn=refuse) for _ in range(4)]
    assert [connection.execute(NUMBER).fetchall() for connection, _ in opened] == [[(2,)]] * 4
    for connection, _ in opened:
        assert connection.execute("select current_setting('TimeZone'), current_setting('lock_configuration')").fetchall() == [("UTC", True)]
        with pytest.raises(duckdb.Error, match="file system operations are disabled"):
            connection.execute("select * from read_text('/etc/passwd')")
        connection.close()


@pytest.mark.fault("D14")
def test_twenty_threads_read_while_versions_are_published_and_every_answer_is_the_newest(house: House) -> None:
    house.publish(1)
    stop, wrong, reads, published = threading.Event(), [], [0], [1]

    def read(number: int) -> None:
        kept = []  # some connections stay open over publishes
        while not stop.is_set():
            try:
                at_least = published[0]
                if number % 2:
                    connection, pointer = open_current(house.home, warn=refuse)
                    (value,) = connection.execute(NUMBER).fetchall()[0]
                    kept.append(connection)
                    found = (value, pointer.seq)
                else:
                    out = io.StringIO()
                    query(house.home, NUMBER, "csv", out=out, warn=refuse)
                    value = int(out.getvalue().split()[1])
                    found = (value, value)
                if value < at_least or found[0] != found[1]:
                    wrong.append(f"read {found} when version {at_least} was published")
                reads[0] += 1
            except Exception as error:
                wrong.append(repr(error))
            if len(kept) > 2:
                kept.pop(0).close()
            stop.wait(0.05)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        for value in range(2, PUBLISHES + 1):
            published[0] = house.publish(value).pointer.seq
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert published[0] == PUBLISHES
    assert reads[0] >= THREADS


@pytest.mark.fault("C8")
@pytest.mark.parametrize("form", ["table", "json"])
def test_an_answer_from_an_older_copy_has_its_own_exit_code_and_says_so(two: House, form: str) -> None:
    path = damaged(two)
    finished = service_roi("sql", NUMBER, "--home", two.home, "--format", form)
    assert finished.returncode == 7
    assert "older figures: version 2 is damaged, reading the one before it: copy 1 of 20" in finished.stderr
    assert f"{path.name} has 200,000 bytes" in finished.stderr
    if form == "table":
        assert "older figures: version 2 is damaged" in finished.stdout
    else:
        assert finished.stdout == '[\n{"version_number": 1}\n]\n'


@pytest.mark.fault("C8")
def test_what_must_not_be_made_from_older_figures_is_not_made(two: House) -> None:
    damaged(two)
    with pytest.raises(InfrastructureError, match=r"published copy 2 is damaged: .* has 200,000 bytes"), served(two.home):
        raise AssertionError
    assert open_current(two.home, warn=lambda _: None)[1].seq == 1


@pytest.mark.fault("C8")
def test_damage_that_shows_only_while_reading_is_the_copys_error_not_a_stack_trace(two: House) -> None:
    path = two.published / two.pointer()["file"]
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    for position in range(12_288 + 100_000, len(content), 262_144):
        content[position] ^= 0x55
    path.write_bytes(bytes(content))
    with pytest.raises(InfrastructureError, match="has other bytes than were published"), served(two.home) as (connection, _):
        connection.execute("select sum(net_amount), max(note) from marts.fct_sale").fetchall()


@pytest.mark.fault("C10")
@pytest.mark.parametrize("closed", ["copy", "current.json", "published"])
def test_what_this_user_may_not_read_is_an_error_with_its_path_and_never_an_older_answer(two: House, closed: str) -> None:
    path = {"copy": two.published / two.pointer()["file"], "current.json": two.published / "current.json", "published": two.published}[
        closed
    ]
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        finished = service_roi("sql", NUMBER, "--home", two.home, "--format", "csv")
    finally:
        path.chmod(mode)
    ended(finished, 5, str(path), "Permission denied")
    assert finished.stdout == ""


@pytest.mark.fault("C10")
@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"seq": 2}', "\xff"])
def test_a_pointer_that_says_nothing_is_an_error_and_never_an_older_answer(two: House, text: str) -> None:
    (two.published / "current.json").write_text(text, encoding="latin-1")
    with pytest.raises(InfrastructureError, match=r"published/current.json is damaged, so nobody knows which copy is served; remedy"):
        query(two.home, NUMBER, "csv", out=io.StringIO(), warn=refuse)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.fault("C10")
@pytest.mark.parametrize(
    "sql",
    [
        "select version_number, repeat('x', 100000) as x from marts.mart_total, range(200)",  # the result
        "select i, repeat('y', 50) as y from range(2000000) t(i) order by hash(i)",  # what does not fit in memory
    ],
)
def test_a_full_temporary_folder_is_an_error_with_its_path_and_never_an_older_answer(
    two: House, small: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(small))
    monkeypatch.setenv("ROI_SQL_MEMORY_LIMIT", "60MB")
    finished = service_roi("sql", sql, "--home", two.home, "--format", "csv")
    ended(finished, 5, f"bytes free in {small} ", "No space left", "TMPDIR")
    assert finished.stdout == ""
    assert list(small.iterdir()) == []


def test_a_statement_that_fails_is_its_own_error_and_reads_no_other_copy(two: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise duckdb.IOException("IO Error: Could not write file")

    monkeypatch.setattr(reader, "_print", fails)
    with pytest.raises(reader.UsageError, match="Could not write file"):
        query(two.home, NUMBER, "csv", out=io.StringIO(), warn=refuse)


def test_a_copy_that_another_connection_holds_open_in_another_way_is_complete_and_says_so(two: House) -> None:
    with (
        duckdb.connect(str(two.published / two.pointer()["file"]), read_only=True, config={"threads": 1}),
        pytest.raises(InfrastructureError, match=r"published copy 2 is complete and cannot be opened: .* different configuration"),
    ):
        open_current(two.home, warn=refuse)


def test_a_version_that_went_while_it_was_opened_gives_way_to_the_newer_one(two: House, monkeypatch: pytest.MonkeyPatch) -> None:
    as_built = reader.connect_published

    def removed_first(path: Path, **options: Any) -> Any:
        monkeypatch.setattr(reader, "connect_published", as_built)
        two.publish(3)
        path.unlink()
        return as_built(path, **options)

    monkeypatch.setattr(reader, "connect_published", removed_first)
    connection, pointer = open_current(two.home, warn=refuse)
    assert (pointer.seq, connection.execute(NUMBER).fetchall()) == (3, [(3,)])


def test_the_right_to_read_is_really_taken_from_root_in_these_tests(tmp_path: Path) -> None:
    (tmp_path / "closed").write_text("x", encoding="utf-8")
    (tmp_path / "closed").chmod(0)
    command = [*(AS_A_USER if os.getuid() == 0 else ()), sys.executable, "-c", f"open({str(tmp_path / 'closed')!r})"]
    assert "PermissionError" in subprocess.run(command, capture_output=True, text=True, check=False).stderr
