"""What a copy by month does not trust: lost, cut or edited files, other columns, promises about another version."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.publish.reader import open_current
from dagster_project.publish.versions import published_folder, read_manifest
from tests.publish.by_month_copies import (
    JULY,
    SEPTEMBER,
    START,
    assert_as_in_full,
    build,
    fills,
    put,
    since,
)


def damage_file(home: Path, folder: Path, stem: str) -> None:
    file = folder / f"{stem}.duckdb"
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x55
    file.write_bytes(content)


def lose_file(home: Path, folder: Path, stem: str) -> None:
    (folder / f"{stem}.duckdb").unlink()


def edit_manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[Path, Path, str], None]:
    def edit(home: Path, folder: Path, stem: str) -> None:
        manifest = read_manifest(home, stem)
        change(manifest)
        (folder / stem / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    return edit


def edit_pointer(home: Path, folder: Path, stem: str) -> None:
    values = json.loads((folder / "current.json").read_text(encoding="utf-8"))
    (folder / "current.json").write_text(json.dumps(values | {"duckdb_version": "1.0.0"}), encoding="utf-8")


@pytest.mark.fault("C8")
@pytest.mark.parametrize(
    "harm",
    [
        damage_file,
        lose_file,
        edit_pointer,
        edit_manifest(lambda manifest: manifest.pop("full_bytes")),
        edit_manifest(lambda manifest: manifest["tables"]["marts.fct_sale"].update(rows=1)),
        edit_manifest(lambda manifest: manifest["version"].update(sha256="0" * 64)),
    ],
    ids=["damaged file", "lost file", "another DuckDB", "older manifest", "other rows", "other file"],
)
def test_a_version_that_cannot_be_trusted_is_no_start_and_everything_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path, Path, str], None]
) -> None:
    changed = since(home, SEPTEMBER)
    harm(home, published_folder(home), changed.base)
    build(home, START | {SEPTEMBER: [60]})
    plans = fills(monkeypatch)
    published = put(home, changed)
    assert plans[0] == {}, "it started from what it cannot trust"
    assert_as_in_full(home, published)


def test_months_that_do_not_add_up_are_written_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = since(home, SEPTEMBER)
    edit_manifest(lambda manifest: manifest["tables"]["marts.fct_sale"]["months"]["2026-07-01"].update(rows=9))(
        home, published_folder(home), changed.base
    )
    build(home, START | {SEPTEMBER: [60]})
    plans = fills(monkeypatch)
    published = put(home, changed)
    assert plans[0] == {"marts.mart_share": {"2026-09-01"}}
    assert_as_in_full(home, published)


def test_a_promise_about_another_version_counts_for_nothing(home: Path) -> None:
    stale = since(home, SEPTEMBER)
    build(home, START | {SEPTEMBER: [60]})
    put(home)
    build(home, START | {JULY: [10], SEPTEMBER: [60]})
    assert_as_in_full(home, put(home, stale))


@pytest.mark.parametrize(
    "columns",
    [
        "net_amount integer, sale_id bigint not null, period_month date",
        "sale_id bigint, net_amount integer, period_month date",
        "sale_id bigint not null, net_amount bigint, period_month date",
        "sale_id bigint not null, net_amount integer, period_month date, note varchar",
    ],
    ids=["order", "null", "type", "column"],
)
def test_a_table_whose_columns_changed_is_written_whole(home: Path, columns: str) -> None:
    build(home, START | {SEPTEMBER: [60]}, columns=columns)
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))
    connection, _ = open_current(home)
    with connection:
        layout = connection.execute(
            "select column_name, data_type, is_nullable from duckdb_columns() where table_name = 'fct_sale' order by column_index"
        ).fetchall()
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        assert (
            layout
            == warehouse.execute(
                "select column_name, data_type, is_nullable from duckdb_columns() where table_name = 'fct_sale' order by column_index"
            ).fetchall()
        )


def test_tables_come_and_go(home: Path) -> None:
    build(home, START | {SEPTEMBER: [60]})
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("drop view marts.mart_share; create table marts.mart_new as select 1 as x")
    published = put(home, since(home, SEPTEMBER))
    assert set(published.pointer.tables) == {"marts.fct_sale", "marts.mart_new", "marts.mart_total", "ops.load_ledger"}
    assert_as_in_full(home, published)
