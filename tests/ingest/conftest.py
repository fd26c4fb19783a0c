"""A small landing folder and a ingest to walk it through, shared by the tests of ingest."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.assumptions import Assumptions, load_assumptions
from dagster_project.contracts import model as contracts
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.ingest.conform import deduplication
from dagster_project.ingest.lake import carried_feeds, key_scopes, register_lake
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import LoadReport, load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger
from dagster_project.settings import Settings, load_settings
from tests.ingest.mapping_files import write_system

TILL_SQL = """select record_number, number as order_id, day as ordered_at, 'EUR' as currency_code, customer as account_id, net as net_amount
from source"""


@dataclass
class Ingest:
    """One home and one landing folder; `deliver` writes a file, `walk` loads what is new and accepts it."""

    settings: Settings
    assumptions: Assumptions
    runs: int = 0

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.settings.ops)

    @property
    def mappings(self) -> Mappings:
        return Mappings(self.settings.mappings)

    def deliver(self, relative: str, content: str | bytes) -> Path:
        path = self.settings.landing / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" and not data.startswith(b"\x1f\x8b") else data)
        return path

    def read(self, *, until: str | None = None) -> LoadReport:
        self.runs += 1
        fresh = new_files(self.settings.landing, self.ledger, self.mappings, until)
        return load(self.settings, self.assumptions, self.ledger, fresh, f"run-{self.runs}")

    def walk(self, *, until: str | None = None) -> LoadReport:
        report = self.read(until=until)
        self.ledger.accept(f"run-{self.runs}")
        report.commit(self.ledger)
        return report

    def lake(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        connection.execute("set TimeZone = 'UTC'")
        systems = {row[0] for row in self.ledger.rows("select distinct system from deliveries")}
        zones, scopes, carried = self.mappings.zones(systems), key_scopes(self.mappings, systems), carried_feeds(self.mappings, systems)
        register_lake(DuckDBEngine(connection), self.settings.home, self.ledger, self.assumptions, zones, scopes, carried)
        return connection

    def all(self, sql: str) -> list[tuple[Any, ...]]:
        return self.lake().execute(sql).fetchall()

    def texts(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows with decimals as text: amounts as cents are written, others with every digit of their column."""
        found = self.lake().execute(sql)
        is_money = [column[0].rstrip(")").endswith("_amount") for column in found.description]
        return [
            tuple(
                f"{value:.2f}" if money and isinstance(value, Decimal) else str(value) if isinstance(value, Decimal) else value
                for money, value in zip(is_money, row, strict=True)
            )
            for row in found.fetchall()
        ]


@pytest.fixture(params=[False, True], ids=["counted by the engine", "counted by sorting"])
def counting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Distinct keys and records are counted in one of two ways, by the size of the file."""
    if request.param:
        monkeypatch.setattr(deduplication, "_MANY_ROWS", 0)


@pytest.fixture
def amend_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], None]]:
    """Replace a text of one feed's contract for the length of a test."""
    folder = tmp_path / "contracts"

    def forget() -> None:
        contracts.load_contract.cache_clear()
        contracts.feeds.cache_clear()

    def amend(feed: str, old: str, new: str) -> None:
        if not folder.exists():
            shutil.copytree(contracts.CONTRACTS_DIR, folder)
            monkeypatch.setattr(contracts, "CONTRACTS_DIR", folder)
        path = folder / f"{feed}.odcs.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        forget()

    yield amend
    monkeypatch.undo()
    forget()


@pytest.fixture
def make_ingest(tmp_path: Path) -> Callable[..., Ingest]:
    def make(name: str = "home", **settings: object) -> Ingest:
        landing = tmp_path / "landing"
        landing.mkdir(exist_ok=True)
        return Ingest(load_settings(**{"landing": landing, "home": tmp_path / name, "memory_limit": "1GB", **settings}), load_assumptions())

    return make


@pytest.fixture
def ingest(make_ingest: Callable[..., Ingest]) -> Ingest:
    return make_ingest()


@pytest.fixture
def till(make_ingest: Any, tmp_path: Path) -> Callable[..., Any]:
    """Make an ingest with a system of one stream, written as the given lines of YAML say."""

    def make(*words: str, sql: str = TILL_SQL) -> Any:
        dialect = "".join(f"    {word}\n" for word in words)
        feeds = "    columns: [number, day, customer, net]\n    feeds:\n      orders: {sql: orders.sql, records: true}\n"
        yml = f"time_zone: UTC\nstreams:\n  sales:\n{dialect}{feeds}"
        return make_ingest(mappings=write_system(tmp_path / "mappings", "till", yml, orders=sql))

    return make
