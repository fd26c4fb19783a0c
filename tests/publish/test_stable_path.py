"""`current.duckdb`: the served copy under one path and one catalogue name, for clients that know nothing of the pointer."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlalchemy

from dagster_project.publish.rollback import rollback
from dagster_project.publish.stable_path import CURRENT, offer

TOTAL = "select version_number from current.marts.mart_total"


def no_links(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """A file system without symbolic links, or hard ones: FAT, most network drives."""

    def refuse(*given: Any, **options: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    for name in names:
        monkeypatch.setattr(os, name, refuse)


def ask(path: Path, sql: str = TOTAL) -> Any:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchone()[0]


@pytest.fixture
def path(house: Any) -> Path:
    return Path(house.published / CURRENT)


def test_it_opens_the_served_copy_under_one_catalogue_name_also_after_a_rollback(house: Any, path: Path) -> None:
    for value in (1, 2):
        house.publish(value)
        assert (ask(path), ask(path, "select current_database()")) == (value, "current")
    rollback(house.home, 1, run_id="back")
    assert (ask(path), ask(path, "select current_database()")) == (1, "current")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' (read_only)")
        assert connection.execute(TOTAL).fetchall() == [(1,)]


def test_who_has_it_open_keeps_the_copy_and_the_next_to_open_it_has_the_new_one(house: Any, path: Path) -> None:
    house.publish(1)
    with duckdb.connect(str(path), read_only=True) as reading:
        house.publish(2)
        assert reading.execute(TOTAL).fetchall() == [(1,)]
        assert ask(path) == 2, "a second connection of the same process"
        assert reading.execute(TOTAL).fetchall() == [(1,)]
    assert ask(path) == 2


def test_no_reader_is_torn_or_turned_away_while_copies_are_published(house: Any, path: Path) -> None:
    house.publish(1)
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        sql = "select (select version_number from marts.mart_total), (sum(net_amount) * 100 - 12497500) / 5000 from current.marts.fct_sale"
        last = 0
        while not done.is_set():
            try:
                with duckdb.connect(str(path), read_only=True) as connection:
                    ((stated, summed),) = connection.execute(sql).fetchall()
            except duckdb.Error as error:
                wrong.append(error)
                return
            if stated != summed or stated < last:
                wrong.append((last, stated, summed))
            last = stated

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for value in range(2, 7):
        house.publish(value)
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_sqlalchemy_reads_it_by_its_path_and_a_disposed_pool_sees_the_new_copy(house: Any, path: Path) -> None:
    house.publish(1)
    engine = sqlalchemy.create_engine(f"duckdb:///{path}", connect_args={"read_only": True})
    with engine.connect() as held:
        assert held.execute(sqlalchemy.text(TOTAL)).scalar_one() == 1
        house.publish(2)
        assert held.execute(sqlalchemy.text(TOTAL)).scalar_one() == 1
        names = sqlalchemy.inspect(engine).get_schema_names()
    assert "current.marts" in names
    engine.dispose()
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text(TOTAL)).scalar_one() == 2
    engine.dispose()


def test_pandas_reads_it_and_sees_the_new_copy_at_the_same_path(house: Any, path: Path) -> None:
    engine = sqlalchemy.create_engine(f"duckdb:///{path}", connect_args={"read_only": True}, poolclass=sqlalchemy.pool.NullPool)
    for value in (1, 2):
        house.publish(value)
        frame = pd.read_sql(sqlalchemy.text("select * from current.marts.mart_total"), engine)
        assert frame["version_number"].tolist() == [value]


def test_a_client_in_another_process_that_keeps_the_path_sees_each_copy(house: Any, path: Path) -> None:
    code = f"""
import sys, duckdb
for _ in sys.stdin:
    with duckdb.connect({str(path)!r}, read_only=True) as connection:
        print(connection.execute({TOTAL!r}).fetchone()[0], flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        for value in (1, 2, 3):
            house.publish(value)
            client.stdin.write("now\n")
            client.stdin.flush()
            assert client.stdout.readline() == f"{value}\n"
        client.stdin.close()


@pytest.mark.parametrize("lacks", [("symlink",), ("link",), ("symlink", "link")], ids=" and ".join)
def test_where_the_file_system_has_no_such_names_it_is_a_file_of_its_own(
    house: Any, path: Path, monkeypatch: pytest.MonkeyPatch, lacks: tuple[str, ...]
) -> None:
    no_links(monkeypatch, *lacks)
    for value in (1, 2):
        pointer = house.publish(value).pointer
        assert (ask(path), ask(path, "select current_database()")) == (value, "current")
        assert path.read_bytes() == (house.published / pointer.file).read_bytes()
    assert house.leftover() == []
    before = path.stat().st_mtime_ns
    assert offer(house.home) is None
    assert path.stat().st_mtime_ns == before, "nothing is copied again"


def test_where_it_cannot_be_made_nothing_older_stays_and_the_message_says_what_to_open(
    house: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publish(1)
    no_links(monkeypatch, "symlink", "link")
    monkeypatch.setattr(shutil, "copyfile", os.link)
    second = house.publish(2)
    assert second.is_new, "a copy that is served is published, whatever becomes of the path"
    assert not path.exists()
    wrong = offer(house.home)
    assert wrong == (
        f"{path} cannot be made: Operation not permitted; remedy: open {house.published / second.pointer.file}, or make {house.published}"
        " writable and free room, then service-roi doctor"
    )
    monkeypatch.undo()
    assert offer(house.home) is None
    assert ask(path) == 2


@pytest.mark.parametrize("harm", ["gone", "dangling", "older", "a file of something else"])
def test_what_somebody_did_to_it_is_put_right_by_the_next_run(house: Any, path: Path, harm: str) -> None:
    house.publish(1)
    second = house.publish(2).pointer
    path.unlink()
    if harm == "dangling":
        path.symlink_to("nowhere/current.duckdb")
    elif harm == "older":
        path.symlink_to(f"{next(house.published.glob('marts-000001-*/current.duckdb')).parent.name}/{CURRENT}")
    elif harm != "gone":
        path.write_bytes(b"something else")
    assert not house.publish().is_new
    assert (ask(path), path.samefile(house.published / second.file)) == (2, True)


def test_a_home_that_was_moved_or_copied_keeps_it(house: Any, path: Path, tmp_path: Path) -> None:
    house.publish(1)
    shutil.copytree(house.home, tmp_path / "copied")  # links become files
    shutil.copytree(house.home, tmp_path / "kept", symlinks=True)
    house.home.rename(tmp_path / "moved")
    for name in ("copied", "kept", "moved"):
        assert ask(tmp_path / name / "published" / CURRENT) == 1


def test_before_anything_is_published_there_is_none(house: Any, path: Path) -> None:
    assert offer(house.home) is None
    assert not path.exists()
    with pytest.raises(duckdb.IOException, match="database does not exist"):
        ask(path)
