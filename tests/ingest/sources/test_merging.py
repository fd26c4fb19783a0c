"""What the merge of a day reads of the rows that stand.

Breaks: a day that reads the text of all rows it replaces, though their version says that they differ, or a row of one version that is not
compared by its content; a walk that finds no more what a row reached that is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ingest.sources.selects import selects_of
from dagster_project.ingest.sources.tables import SourceTables
from tests.ingest.mapping_files import write_system
from tests.ingest.test_source_tables import LINES, ORDERS, YML, current_rows, mapped

CALLS = """
time_zone: UTC
streams:
  invoice:
    columns: [id, posted, ver]
    key: [id]
    version: ver
    feeds: {orders: {sql: orders.sql, records: true}}
"""
INVOICES = "select record_number, id as order_id, posted as ordered_at, 'EUR' as currency_code from source"
HEADER, OLD, NEW = "id,posted,ver\n", "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows of a table each run compares by their content."""
    found: list[int] = []
    pick = SourceTables.pick

    def counting(tables: SourceTables, target: str, *rest: str) -> None:
        pick(tables, target, *rest)
        if target == "compared":
            found.append(tables.size(target))

    monkeypatch.setattr(SourceTables, "pick", counting)
    return found


def test_only_rows_of_one_version_are_compared_by_their_content(
    make_ingest: Callable[..., Any], tmp_path: Path, compared: list[int]
) -> None:
    ingest = make_ingest("books", mappings=write_system(tmp_path / "mappings", "books", CALLS, orders=INVOICES))

    def deliver(day: int, *rows: tuple[str, int, str]) -> dict[str, int]:
        lines = "".join(f"{number},2026-01-01T{hour}:00:00Z,{version}\n" for number, hour, version in rows)
        ingest.deliver(f"books/invoice/2026-03-0{day}/a.csv", HEADER + lines)
        return mapped(ingest)

    deliver(1, ("i1", 10, OLD), ("i2", 10, OLD), ("i3", 10, OLD), ("i4", 10, NEW), *((f"other{at}", 10, OLD) for at in range(9)))
    compared.clear()
    assert deliver(2, ("i1", 11, NEW), ("i2", 11, OLD), ("i3", 10, OLD), ("i4", 9, OLD)) == {"invoice": 2}
    assert compared == [2], "i2 and i3: the others have another version"
    hours = current_rows(ingest, "orders", "order_id", "extract(hour from ordered_at)")
    assert hours[:4] == [("i1", 11), ("i2", 11), ("i3", 10), ("i4", 10)]


def test_a_row_that_is_gone_keeps_what_tells_which_rows_it_reached(tmp_path: Path) -> None:
    folder = write_system(tmp_path / "joined", "shop", YML, orders=ORDERS, order_lines=LINES)
    found = selects_of(Mappings(folder).system("shop")).followed
    assert found == {"order": (), "line": (), "tag": ("order_id", "tag"), "item": ("id", "cost")}
    summed = LINES.replace("source.quantity, '1.00'", "sum(source.quantity::int) over (partition by source.order_id) as quantity, '1.00'")
    folder = write_system(tmp_path / "summed", "shop", YML, orders=ORDERS, order_lines=summed)
    assert selects_of(Mappings(folder).system("shop")).followed["line"] == ("order_id",)
