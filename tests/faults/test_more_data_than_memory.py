"""A delivery larger than the memory it may have. Breaks: a run that dies without a word, or with half of the rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.assumptions import load_assumptions
from dagster_project.errors import InfrastructureError
from dagster_project.settings import load_settings
from tests.ingest.conftest import Ingest

ROWS, KEYS = 400_000, 300_000


@pytest.fixture(scope="module")
def starved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ingest]:
    """An ingest with a limit of memory, before a file of 16 MB in which 100,000 keys come twice."""
    folder = tmp_path_factory.mktemp("large")
    file = folder / "landing/canonical/order_lines/2026-01-02/a.csv"
    file.parent.mkdir(parents=True)
    lines = (f"o{number % KEYS},1,P{number % 97},1,10.{number % 100:02},19.{number % 100:02}\n" for number in range(ROWS))
    file.write_text("order_id,line_id,product_id,quantity,unit_price,net_amount\n" + "".join(lines), encoding="utf-8")

    def make(limit: str) -> Ingest:
        return Ingest(load_settings(landing=Path(folder / "landing"), home=folder / limit, memory_limit=limit), load_assumptions())

    return make


@pytest.mark.fault("C6")
def test_a_file_larger_than_the_memory_loads_by_spilling(starved: Callable[[str], Ingest]) -> None:
    ingest = starved("60MB")
    (file,) = ingest.walk().files
    assert (file.physical, file.loaded, file.superseded, file.quarantined) == (ROWS, KEYS, ROWS - KEYS, 0)
    assert ingest.all("select count(*), count(distinct order_id) from lake.order_lines") == [(KEYS, KEYS)]
    assert not list(ingest.settings.home.rglob("spill/*"))


@pytest.mark.fault("C6")
def test_too_little_memory_even_for_that_is_said_with_what_to_set(starved: Callable[[str], Ingest]) -> None:
    ingest = starved("20MB")
    message = r"ingest, canonical/order_lines/2026-01-02/a\.csv: Out of Memory Error: .*; remedy: raise ROI_MEMORY_LIMIT \(now 20MB\)"
    with pytest.raises(InfrastructureError, match=message):
        ingest.walk()
    assert ingest.ledger.rows("select count(*) from batches") == [(0,)]
    assert not list(ingest.settings.lake.rglob("*.parquet"))
