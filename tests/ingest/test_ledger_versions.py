"""A home written by an older product opens, keeps its rows and goes on; one of a later product is left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError
from dagster_project.ledger import store as module
from dagster_project.ledger.store import Ledger

DELIVERY = (
    "insert into deliveries (system, stream, delivery_date, path, sha256, bytes, mtime_ns, reader_hash, physical, loaded, superseded,"
    " quarantined, status, run_id) values ('canonical', 'orders', '2026-01-02', 'canonical/orders/2026-01-02/a.csv', 'ab', 1, 1, 'r', 2,"
    " 1, 0, 1, 'accepted', 'old')"
)
BATCH = (
    "insert into batches (batch_id, file_id, feed, rows, path, is_numbered, control_sums, status)"
    " values ('b1', 1, 'orders', 1, 'lake/orders/b1.parquet', 0, '{}', 'accepted')"
)
REFUSED = "insert into quarantine values (1, 'orders', 2, 3, 'net_amount', 'decimals', 'why', 'order_id=o2', 'cd', 'old', null)"


@pytest.fixture
def old_home(tmp_path: Path) -> Path:
    """A ledger as version 1 wrote it."""
    connection = sqlite3.connect(tmp_path / module.FILE)
    connection.executescript(Path(module.__file__).with_name("ledger.sql").read_text(encoding="utf-8"))
    with connection:
        for statement in (DELIVERY, BATCH, REFUSED):
            connection.execute(statement)
    connection.close()
    return tmp_path


def test_an_older_ledger_keeps_its_rows(old_home: Path) -> None:
    ledger = Ledger(old_home)
    assert ledger.rows("pragma user_version") == [(4,)]
    assert set(ledger.known_files()) == {"canonical/orders/2026-01-02/a.csv"}
    assert ledger.rows("select batch_id, feed, rows, lacks from batches") == [("b1", "orders", 1, "record_number")]
    assert ledger.rows("select quarantine_id, rule, raw_sha256, key_sha256, quarantine_state, first_seen_date from quarantine_life") == [
        (1, "decimals", "cd", None, "open", "2026-01-02")
    ]
    Ledger(old_home)
    assert ledger.rows("pragma foreign_key_check") == []


def test_an_older_ledger_and_a_new_one_have_the_same_tables(old_home: Path, tmp_path: Path) -> None:
    sql = "select type, name, sql from sqlite_master where name not like 'sqlite_%' order by 1, 2"
    assert Ledger(old_home).rows(sql) == Ledger(tmp_path / "new").rows(sql)


def test_the_next_delivery_of_an_old_home_replaces_and_resolves_what_the_old_one_held(ingest: Any, old_home: Path) -> None:
    ingest.settings.ops.mkdir(parents=True)
    (old_home / module.FILE).rename(ingest.settings.ops / module.FILE)
    (ingest.settings.lake / "orders").mkdir(parents=True)
    (ingest.settings.lake / "orders" / "b1.parquet").write_bytes(b"")
    ingest.deliver("canonical/orders/2026-01-02/a.csv", "order_id,ordered_at,currency_code\no1,2026-01-01T00:00:00Z,EUR\n")
    ingest.walk()
    assert ingest.all("select count(*) from lake.orders") == [(1,)]
    assert ingest.ledger.rows("select quarantine_state, resolving_run_id from quarantine_life") == [("resolved", "run-1")]


def test_a_ledger_of_a_later_product_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path)
    with sqlite3.connect(tmp_path / module.FILE) as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(InfrastructureError, match=r"version 99, this product reads up to 4; remedy"):
        Ledger(tmp_path)
