"""Laws of ingest over generated deliveries with faults. Breaks: a record lost or counted twice, a result that depends on the order.

What is compared is what the warehouse reads: every accepted row without the names of its batch and record, the latest version of each
key, and the records that are kept out.
"""

from __future__ import annotations

import gzip
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.assumptions import load_assumptions
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.ingest.lake import register_lake
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger
from dagster_project.settings import load_settings

HEADER = "order_id,ordered_at,currency_code,net_amount,source_updated_at"
LATEST = (
    "qualify row_number() over (partition by order_id order by source_updated_at desc nulls last, delivery_date desc, file_order desc,"
    " record_number desc) = 1"
)
COLUMNS = "order_id, ordered_at, currency_code, net_amount, source_updated_at, delivery_date, row_hash"
TOLERANT = load_assumptions().model_copy(update={"quarantine_threshold_rate": Decimal(1)})

records = st.builds(
    lambda key, amount, version: f"o{key},2026-01-02T03:04:05Z,EUR,{amount},{version}",
    st.integers(1, 4),
    st.sampled_from(["1.00", "2.50", "0.00"]),
    st.sampled_from(["", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"]),
)
wrong_records = st.sampled_from(
    [
        "o1,2026-01-02T03:04:05Z,EUR,ten,",
        "o2,2026-01-02T03:04:05Z,,1.00,",
        "o3,2026-01-02T03:04:05Z,EUR,1.005,",
        ",2026-01-02T03:04:05Z,EUR,1.00,",
        "o4,2026-01-02T03:04:05Z,EUR,1.00,,one too many",
        "o4,yesterday,EUR,1.00,",
        'o1,2026-01-02T03:04:05Z,"EUR,1.00,',
    ]
)


@dataclass(frozen=True)
class File:
    """One delivered file; what is wrong with it as a whole stands in `fault`."""

    day: int
    number: int
    records: tuple[str, ...]
    fault: str = ""

    @property
    def relative(self) -> str:
        return f"canonical/orders/2026-02-{self.day:02}/{self.number}.csv{'.gz' if self.fault in ('gz', 'cut') else ''}"

    @property
    def content(self) -> bytes:
        text = "".join(f"{line}\n" for line in (HEADER, *self.records)).encode()
        match self.fault:
            case "gz":
                return gzip.compress(text, mtime=0)
            case "cut":
                return gzip.compress(text, mtime=0)[:-9]
            case "empty":
                return b""
            case "renamed":
                return text.replace(b"currency_code", b"currency", 1)
        return text


@st.composite
def deliveries(draw: st.DrawFn) -> list[File]:
    """A few files over three days: with wrong records, faults of the complete file, and contents that come twice."""
    rows = st.lists(st.one_of(records, records, records, wrong_records), max_size=5).map(tuple)
    whole = st.sampled_from(["", "", "gz", "cut", "empty", "renamed"])
    files = [File(draw(st.integers(1, 3)), number, draw(rows), draw(whole)) for number in range(draw(st.integers(1, 4)))]
    if draw(st.booleans()):
        again = draw(st.sampled_from(files))
        files.append(replace(again, day=draw(st.integers(1, 3)), number=9))
    return files


class Home:
    """An empty home beside an empty landing folder, as long as the block lasts."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name)
        (root / "landing").mkdir()
        self.settings = load_settings(landing=root / "landing", home=root / "home", memory_limit="1GB", threads=1)
        self.runs = 0

    def __enter__(self) -> Home:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.settings.ops)

    def deliver(self, *files: File) -> None:
        for file in files:
            path = self.settings.landing / file.relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)

    def walk(self, until: str | None = None) -> int:
        """Load what is new and return how many files that was."""
        self.runs += 1
        fresh = new_files(self.settings.landing, self.ledger, Mappings(), until)
        load(self.settings, TOLERANT, self.ledger, fresh, f"run-{self.runs}")
        self.ledger.accept(f"run-{self.runs}")
        return len(fresh)

    def latest(self) -> list[Any]:
        return self._lake(f"select {COLUMNS} from lake.orders {LATEST}")

    def state(self) -> dict[str, Any]:
        """Everything that must not depend on how the files were loaded."""
        visible = "select count(*), sum(physical), sum(loaded) from deliveries where status in ('accepted', 'duplicate')"
        refused = "select path, error from deliveries where status = 'refused' order by path"
        return {
            "rows": Counter(map(repr, self._lake(f"select {COLUMNS} from lake.orders"))),
            "latest": self.latest(),
            "kept out": self.kept_out(),
            "files": self.ledger.rows(visible),
            "refused": [(path, error.replace(str(self.settings.landing), "")) for path, error in self.ledger.rows(refused)],
        }

    def kept_out(self) -> Counter[tuple[str, str]]:
        return Counter(
            self.ledger.rows(
                "select q.rule, q.raw_sha256 from quarantine q join deliveries d using (file_id)"
                " where d.status = 'accepted' and q.resolved_by_run_id is null"
            )
        )

    def _lake(self, sql: str) -> list[Any]:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            register_lake(DuckDBEngine(connection), self.settings.home, self.ledger, TOLERANT, set())
            return sorted(connection.execute(sql).fetchall(), key=repr)


def one_load(files: list[File]) -> dict[str, Any]:
    with Home() as home:
        home.deliver(*files)
        home.walk()
        return home.state()


quick = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.fault("D3")
@quick
@given(deliveries().flatmap(lambda files: st.tuples(st.just(files), st.permutations(files))))
def test_any_order_is_the_sorted_order(drawn: tuple[list[File], list[File]]) -> None:
    files, shuffled = drawn
    with Home() as home:
        for file in shuffled:
            home.deliver(file)
            home.walk()
        assert home.state() == one_load(files)


@pytest.mark.fault("D1")
@quick
@given(deliveries())
def test_twice_is_once(files: list[File]) -> None:
    with Home() as home:
        home.deliver(*files)
        home.walk()
        before = home.state()
        assert home.walk() == len(before["refused"])
        assert home.state() == before


@pytest.mark.fault("D2")
@quick
@given(st.lists(st.one_of(records, records, wrong_records.filter(lambda line: '"' not in line)), min_size=2, max_size=9), st.data())
def test_split_files_are_one_file(lines: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(lines) - 1))
    with Home() as whole, Home() as split:
        whole.deliver(File(1, 1, tuple(lines)))
        split.deliver(File(1, 1, tuple(lines[:cut])), File(1, 2, tuple(lines[cut:])))
        whole.walk()
        split.walk()
        assert split.latest() == whole.latest()
        assert set(split.kept_out()) == set(whole.kept_out())


@pytest.mark.fault("D11")
@quick
@given(deliveries())
def test_a_range_of_days_is_the_sum_of_its_days(files: list[File]) -> None:
    with Home() as home:
        home.deliver(*files)
        for day in (1, 2, 3):
            home.walk(until=f"2026-02-{day:02}")
        assert home.state() == one_load(files)


@quick
@given(deliveries(), st.data())
def test_a_repaired_file_replaces_what_it_brought(files: list[File], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(files) - 1))
    repaired = replace(
        files[at], records=tuple(data.draw(st.lists(records, max_size=3))), fault="gz" if files[at].fault in ("gz", "cut") else ""
    )
    with Home() as home:
        home.deliver(*files)
        home.walk()
        home.deliver(repaired)
        home.walk()
        assert home.state() == one_load([*files[:at], repaired, *files[at + 1 :]])


@quick
@given(deliveries())
def test_every_record_is_loaded_superseded_or_kept_out(files: list[File]) -> None:
    with Home() as home:
        home.deliver(*files)
        home.walk()
        for path, status, physical, loaded, superseded, kept_out in home.ledger.rows(
            "select path, status, physical, loaded, superseded, quarantined from deliveries"
        ):
            (file,) = (file for file in files if file.relative == path)
            if status == "refused":
                assert file.fault in ("cut", "empty", "renamed") or any('"' in line for line in file.records)
                continue
            assert physical == len(file.records) == loaded + superseded + kept_out
