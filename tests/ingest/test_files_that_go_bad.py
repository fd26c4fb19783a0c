"""A file that goes bad between one look and the next: while a run works, or after it was loaded.

Breaks: a run that ends because one file is gone, rows that are lost with a damaged new content, a mapping blamed for a damaged file.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.errors import FileUnread
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import LoadReport, load
from dagster_project.ingest.readers.unreadable import refused_if_unreadable

NAMES = ("number", "day", "customer", "net")


def rows(*numbers: int) -> str:
    return ",".join(NAMES) + "\n" + "".join(f"{number},2026-01-01T10:00:00Z,a1,{number}.00\n" for number in numbers)


def parquet(*numbers: int, names: tuple[str, ...] = NAMES) -> bytes:
    columns = [[str(number), "2026-01-01T10:00:00Z", "EUR", f"{number}.00"] for number in numbers]
    buffer = io.BytesIO()
    table = pa.table({name: [row[at] for row in columns] for at, name in enumerate(names)})
    pq.write_table(table, buffer, compression="snappy", use_dictionary=False)
    return buffer.getvalue()


def damaged(data: bytes) -> bytes:
    return data[:60] + bytes(byte ^ 0xFF for byte in data[60:160]) + data[160:]


def load_after(ingest: Any, change: Callable[[], object]) -> LoadReport:
    """Load what is new, changed after it was listed, and accept it."""
    fresh = new_files(ingest.settings.landing, ingest.ledger, ingest.mappings)
    change()
    ingest.runs += 1
    report = load(ingest.settings, ingest.assumptions, ingest.ledger, fresh, f"run-{ingest.runs}")
    ingest.ledger.accept(f"run-{ingest.runs}")
    report.commit(ingest.ledger)
    return report


def loaded(ingest: Any) -> list[str]:
    return [order for (order,) in ingest.all("select distinct order_id from lake.orders order by order_id::int")]


@pytest.fixture(params=[(), ("key: [number]",)], ids=["read by itself", "kept in a table"])
def shop(request: pytest.FixtureRequest, till: Any) -> Any:
    return till(*request.param)


@pytest.mark.fault("F19")
def test_a_file_that_vanishes_before_it_is_read_stops_no_other(shop: Any) -> None:
    gone = shop.deliver("till/sales/2026-01-02/a.csv", rows(1))
    shop.deliver("till/sales/2026-01-02/b.csv", rows(2))
    report = load_after(shop, gone.unlink)
    assert report.unreadable == [f"{gone}: is not there any more; remedy: deliver it again, and move files only when no run works"]
    assert not report.is_stopped
    assert loaded(shop) == ["2"]
    assert shop.read().refusals == []


@pytest.mark.fault("F19")
def test_a_damaged_page_is_told_of_the_file_and_not_of_the_mapping(shop: Any) -> None:
    numbers = range(1, 500)
    path = shop.deliver("till/sales/2026-01-02/a.parquet", damaged(parquet(*numbers)))
    shop.deliver("till/sales/2026-01-02/b.csv", rows(2))
    report = shop.walk()
    (message,) = report.unreadable
    assert message.startswith(f"{path}: Parquet file damaged")
    assert loaded(shop) == ["2"]
    shop.deliver("till/sales/2026-01-02/a.parquet", parquet(*numbers))
    assert shop.walk().refusals == []
    assert len(loaded(shop)) == len(numbers)


@pytest.mark.fault("F19")
def test_a_loaded_file_that_is_replaced_by_a_damaged_one_keeps_its_rows(shop: Any) -> None:
    shop.deliver("till/sales/2026-01-02/a.parquet", parquet(*range(1, 300)))
    shop.walk()
    shop.deliver("till/sales/2026-01-02/a.parquet", damaged(parquet(*range(1, 400))))
    shop.deliver("till/sales/2026-01-03/b.csv", rows(7_000))
    report = shop.walk()
    assert len(report.unreadable) == len(report.refusals) == 1
    assert len(loaded(shop)) == 300


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_any_bytes_flipped_loads_or_is_refused(make_ingest: Any, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever is flipped: no other error, and the other file of the run is there."""
    names = ("order_id", "ordered_at", "currency_code", "net_amount")
    whole = bytearray(parquet(*range(1, 100), names=names))
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[at] ^= data.draw(st.integers(1, 255))
    ingest = make_ingest(f"home-{len(list(tmp_path.iterdir()))}")
    ingest.deliver("canonical/orders/2026-01-02/a.parquet", bytes(whole))
    ingest.deliver("canonical/orders/2026-01-02/b.csv", "order_id,ordered_at,currency_code\no2,2026-01-01T10:00:00Z,EUR\n")
    report = ingest.walk()
    (b,) = (file for file in report.files if file.path.endswith("b.csv"))
    assert (b.status, b.loaded) == ("staged", 1)


def test_an_error_of_our_own_disk_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    with pytest.raises(OSError, match="No space"), refused_if_unreadable(path):
        raise OSError(28, "No space left on device")
    path.unlink()
    with pytest.raises(FileUnread, match="not there any more"), refused_if_unreadable(path):
        raise OSError(28, "No space left on device")
