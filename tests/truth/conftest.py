"""Demo companies run through the product once, clean ones and one with every fault; the tests below compare them with the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.assumptions import load_assumptions
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger
from dagster_project.orchestration.run import run_daily
from dagster_project.publish.reader import open_current
from dagster_project.settings import load_settings
from demo_company.company import write_company
from demo_company.faults.catalogue import remove_refused
from tests.truth.faulty_company import Company, run_without_the_extract

ACCOUNTS, MONTHS = 150, 14
COMPANIES = (
    pytest.param((11, ()), id="seed_11"),
    pytest.param((12, ()), id="seed_12", marks=[pytest.mark.slow, pytest.mark.nightly]),
    pytest.param((11, ("zendesk", "shopify", "quickbooks", "qualtrics")), id="exported", marks=pytest.mark.slow),
)
Parts = dict[str, dict[str, Decimal]]


@dataclass(frozen=True)
class Judged:
    """The truth of a company, its files, the systems that exported it and a read-only connection to what the product published of it."""

    truth: dict[str, Any]
    landing: Path
    systems: tuple[str, ...]
    published: duckdb.DuckDBPyConnection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.published.execute(sql).fetchall()

    def true(self, key: str) -> dict[str, Any]:
        """Values of a truth by fiscal month: numbers, or numbers by part."""
        group, _, name = key.partition(".")
        return {month: values[name] if name else values for month, values in self.truth[group].items()}


@pytest.fixture(scope="session", params=COMPANIES)
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    folder = tmp_path_factory.mktemp("judged")
    seed, systems = request.param
    truth = write_company(folder / "landing", accounts=ACCOUNTS, months=MONTHS, seed=seed, daily=2, systems=systems)
    run_daily(load_settings(landing=folder / "landing", home=folder / "home"))
    connection, _ = open_current(folder / "home")
    with closing(connection):
        yield Judged(truth, folder / "landing", systems, connection)


def without_zeros(table: Parts) -> Parts:
    """A month or part with nothing in it may be absent on either side."""
    kept = {month: {part: value for part, value in parts.items() if value} for month, parts in table.items()}
    return {month: parts for month, parts in kept.items() if parts}


@pytest.fixture
def judge(judged: Judged, request: pytest.FixtureRequest) -> Callable[[str], dict[str, Any]]:
    """Compare a query with the truths that the test's mark names, exactly: per month that differs, what is published and what is true.

    The query returns `period_month` and one column per key of the mark, in the mark's order; for a truth that is split into
    parts (`cost_cents`) it returns `period_month`, the part and the number.
    """
    marker = request.node.get_closest_marker("truth")
    assert marker is not None, f"{request.node.name} judges no truth; remedy: mark it with @pytest.mark.truth"
    keys: tuple[str, ...] = marker.args

    def compare(sql: str) -> dict[str, Any]:
        rows, true = judged.rows(sql), {key: judged.true(key) for key in keys}
        published: Parts = {}
        if any(isinstance(value, dict) for value in true[keys[0]].values()):
            (expected,) = true.values()
            for month, part, value in rows:
                published.setdefault(f"{month:%Y-%m}", {})[part] = Decimal(value or 0)
        else:
            expected = {month: {key: true[key][month] for key in keys} for month in true[keys[0]]}
            for month, *values in rows:
                published[f"{month:%Y-%m}"] = dict(zip(keys, (Decimal(value or 0) for value in values), strict=True))
        assert expected, f"truth has no month of {keys}"
        found, wanted = without_zeros(published), without_zeros(expected)
        pairs = {month: (found.get(month), wanted.get(month)) for month in found | wanted}
        return {month: (is_, should) for month, (is_, should) in pairs.items() if is_ != should}

    return compare


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("faults")
    truth = write_company(folder / "landing", 400, 6, 7, faults=("all",))
    settings = load_settings(landing=folder / "landing", home=folder / "ingest")
    ledger = Ledger(settings.ops)
    deliveries = new_files(settings.landing, ledger, Mappings(settings.mappings))
    report = load(settings, load_assumptions(), ledger, deliveries, "ingest")
    unusual = set(ledger.rows("select stream, delivery_date from unusual_volumes"))
    return Company(folder / "landing", truth, report, unusual, folder / "home")


@pytest.fixture(scope="session")
def published(company: Company) -> Company:
    """The company without its refused files: a copy is published, the month of the order without a rate has no extract."""
    remove_refused(company.landing, company.truth["faults"])
    company.refusal = run_without_the_extract(company.landing, company.home)
    return company
