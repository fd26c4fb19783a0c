"""A copy made from the last one and the months that changed is the copy a full publish makes."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.errors import InfrastructureError
from dagster_project.publish.increment import Changed
from dagster_project.publish.measuring import month_key
from dagster_project.publish.versions import discard, published_folder, read_pointer
from tests.publish.by_month_copies import (
    AUGUST,
    JULY,
    OCTOBER,
    SEPTEMBER,
    START,
    Month,
    Rows,
    assert_as_in_full,
    build,
    exports,
    fills,
    put,
    since,
)


@pytest.mark.parametrize(
    ("rows", "months"),
    [
        (START | {SEPTEMBER: [6, 60]}, [SEPTEMBER]),
        (START | {None: [7]}, [None]),
        (START | {None: []}, [None]),
        (START | {OCTOBER: [9]}, [OCTOBER]),
        (START | {AUGUST: []}, [AUGUST]),
        (START | {AUGUST: [5], OCTOBER: [4]}, [AUGUST, OCTOBER, None]),
        ({}, [*START]),
    ],
    ids=[
        "a row more",
        "a row without a month less",
        "none without a month",
        "a new month",
        "a month vanishes",
        "a row moves",
        "all vanish",
    ],
)
def test_what_is_served_is_what_a_full_publish_serves(home: Path, monkeypatch: pytest.MonkeyPatch, rows: Rows, months: list[Month]) -> None:
    plans = fills(monkeypatch)
    build(home, rows)
    published = put(home, since(home, *months))
    assert published.is_new
    differ = {month_key(month) for month in months if rows.get(month, []) != START.get(month, [])}
    named = {month_key(month) for month in months}
    assert plans[0] == {"marts.fct_sale": differ, "marts.mart_share": named}, "it was not published by month"
    assert_as_in_full(home, published)


Months = st.dictionaries(st.sampled_from([JULY, AUGUST, SEPTEMBER, OCTOBER, None]), st.lists(st.integers(0, 3), max_size=3), max_size=5)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(Months, min_size=2, max_size=3))
def test_any_chain_of_changed_months_ends_as_a_full_publish(tmp_path_factory: pytest.TempPathFactory, history: list[Rows]) -> None:
    home = tmp_path_factory.mktemp("chain") / "home"
    rows: Rows = dict(START)
    build(home, rows)
    published = put(home)
    for change in history:
        rows = rows | change
        build(home, rows)
        published = put(home, since(home, *change))
    assert_as_in_full(home, published)


def test_a_table_without_a_single_row_still_tells_its_columns(home: Path) -> None:
    build(home, {})
    put(home, since(home, *START))
    assert exports(home)["marts.fct_sale"] == []
    build(home, {OCTOBER: [1]})
    assert_as_in_full(home, put(home, since(home, OCTOBER)))


def guarded(home: Path, readable: date) -> None:
    """Make reading any month but one an error."""
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(f"""
            create or replace view marts.mart_share as select sale_id,
                case when period_month = date '{readable}' then net_amount * 0.5 else error('an unchanged month was read') end
                    as half_amount, period_month
            from warehouse.marts.fct_sale
        """)


def test_no_row_of_an_unchanged_month_is_read_from_the_source(home: Path) -> None:
    rows = START | {SEPTEMBER: [6, 60]}
    build(home, rows)
    guarded(home, SEPTEMBER)
    with pytest.raises(InfrastructureError, match="an unchanged month was read"):
        put(home)
    assert put(home, since(home, SEPTEMBER)).is_new
    build(home, rows)
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))


def test_a_table_that_is_not_named_as_changed_keeps_all_its_months(home: Path) -> None:
    build(home, START)
    guarded(home, OCTOBER)
    pointer = read_pointer(home)
    assert pointer is not None
    assert not put(home, Changed(pointer.stem, {})).is_new


def test_months_that_stay_are_one_file_on_disk_and_changed_ones_are_new(home: Path) -> None:
    old = read_pointer(home)
    assert old is not None
    build(home, START | {SEPTEMBER: [60]})
    new = put(home, since(home, SEPTEMBER)).pointer
    folder = published_folder(home)

    def inode(stem: str, key: str) -> int:
        return (folder / stem / "marts" / "fct_sale.parquet" / f"{key}.parquet").stat().st_ino

    shared = {key: inode(old.stem, key) == inode(new.stem, key) for key in ("2026-07-01", "2026-08-01", "2026-09-01", "none")}
    assert shared == {"2026-07-01": True, "2026-08-01": True, "2026-09-01": False, "none": True}
    discard(home, old.stem)
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))


def test_where_files_cannot_have_two_names_exports_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    build(home, START | {SEPTEMBER: [60]})
    published = put(home, since(home, SEPTEMBER))
    folder = published_folder(home) / published.pointer.stem
    assert {path.stat().st_nlink for path in folder.rglob("*.parquet") if path.is_file()} == {1}
    assert_as_in_full(home, published)


def test_an_export_that_was_lost_or_cut_is_written_again(home: Path) -> None:
    pointer = read_pointer(home)
    assert pointer is not None
    folder = published_folder(home) / pointer.stem / "marts" / "fct_sale.parquet"
    (folder / "2026-07-01.parquet").unlink()
    (folder / "2026-08-01.parquet").chmod(0o644)
    os.truncate(folder / "2026-08-01.parquet", 20)
    build(home, START | {SEPTEMBER: [60]})
    assert_as_in_full(home, put(home, since(home, SEPTEMBER)))
