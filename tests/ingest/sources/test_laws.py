"""Laws of source tables over random exports of every built-in system.

Breaks: a feed that depends on how the records were cut into files, days or runs, or that is not what mapping everything again gives.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dagster_project.assumptions import load_assumptions
from dagster_project.contracts.model import feeds, load_contract
from dagster_project.engines.lake_files import lake_rows
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ingest.sources import affected, changes
from dagster_project.ledger.store import Ledger, lake_file
from dagster_project.settings import load_settings
from demo_company.company import write_company
from tests.ingest.sources.random_company import Delivered, company, delivered, last_state

SYSTEMS = ("freshdesk", "hubspot", "intercom", "netsuite", "qualtrics", "quickbooks", "shopify", "shopify_graphql", "stripe", "zendesk")
TOLERANT = load_assumptions().model_copy(update={"quarantine_threshold_rate": Decimal(1)})
MAPPINGS = Mappings()
EXPORTED = ("zendesk", "shopify", "quickbooks", "qualtrics")
Feed = dict[tuple[Any, ...], tuple[Any, ...]]


class Home:
    """One home of one system; `load` delivers files and loads them in one run."""

    def __init__(self, folder: Path, system: str) -> None:
        self.system = MAPPINGS.system(system)
        self.settings = load_settings(landing=folder / "landing", home=folder / "home", memory_limit="1GB", hash_key="k" * 40)
        self.settings.landing.mkdir(parents=True)
        self.ledger = Ledger(self.settings.ops)
        self.runs = 0

    def load(self, files: Iterable[Delivered]) -> Any:
        for file in files:
            file.write(self.settings.landing, self.system)
        self.runs += 1
        fresh = new_files(self.settings.landing, self.ledger, MAPPINGS)
        report = load(self.settings, TOLERANT, self.ledger, fresh, f"run-{self.runs}")
        assert report.refusals == []
        self.ledger.accept(f"run-{self.runs}")
        report.commit(self.ledger)
        return report

    def feeds(self) -> dict[str, Feed]:
        """The rows that stand in each feed: of each key the latest change, unless that takes it back."""
        found: dict[str, Feed] = {feed: {} for feed in feeds()}
        sql = (
            "select feed, path, lacks, withdrawn_path from batches where status = 'accepted' and change_number is not null"
            " order by change_number"
        )
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            for feed, path, lacks, withdrawn in self.ledger.rows(sql):
                contract = load_contract(feed)
                keys, columns = ", ".join(contract.primary_key), ", ".join(contract.names)
                if withdrawn:
                    for key in connection.execute(f"select {keys} from '{self.settings.home / withdrawn}'").fetchall():
                        del found[feed][key]
                stored = lake_rows(contract.types, [lake_file(self.settings.home, path, lacks)])
                rows = connection.execute(f"select {keys}, {columns} from ({stored})").fetchall()
                size = len(contract.primary_key)
                assert len({row[:size] for row in rows}) == len(rows), f"{feed}: a key twice in one change"
                found[feed] |= {row[:size]: row[size:] for row in rows}
        return {feed: rows for feed, rows in found.items() if rows}

    def counts(self) -> list[tuple[Any, ...]]:
        sql = "select sum(physical), sum(loaded), sum(superseded), sum(quarantined), sum(waiting) from deliveries where status = 'accepted'"
        return self.ledger.rows(f"{sql} group by stream order by stream")

    def open_records(self) -> list[tuple[Any, ...]]:
        sql = "select d.stream, q.feed, q.rule, count(*) from quarantine_life as q join deliveries as d using (file_id)"
        return self.ledger.rows(f"{sql} where quarantine_state = 'open' group by 1, 2, 3 order by 1, 2, 3")


Law = Callable[[Callable[[str], Home], str, int], None]


@pytest.fixture
def make_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Home]:
    return lambda system: Home(tmp_path_factory.mktemp(system), system)


def cut(files: Iterable[Delivered], chance: random.Random) -> list[list[Delivered]]:
    """Cut the files into parts of their day and deliver the parts in any order over several runs."""
    parts = []
    for file in files:
        at = chance.randrange(len(file.records) + 1)
        pieces = [file.records[:at], file.records[at:]]
        parts += [replace(file, name=f"{file.name[:-4]}-{number}.csv", records=piece) for number, piece in enumerate(pieces) if piece]
    chance.shuffle(parts)
    runs: list[list[Delivered]] = [[] for _ in range(chance.choice((1, 2, 4)))]
    for part in parts:
        chance.choice(runs).append(part)
    return [run for run in runs if run]


def any_cut_in_any_order_gives_the_same_feeds(make_home: Callable[[str], Home], system: str, seed: int) -> None:
    files = company(MAPPINGS.system(system), seed)
    whole, cut_up = make_home(system), make_home(system)
    whole.load(files)
    for run in cut(files, random.Random(seed + 1)):
        cut_up.load(run)
    assert cut_up.feeds() == whole.feeds()
    assert cut_up.counts() == whole.counts()
    for physical, loaded, superseded, kept_out, waiting in cut_up.counts():
        assert physical == loaded + superseded + kept_out + waiting


def day_by_day_is_mapping_everything_again_each_day(make_home: Callable[[str], Home], system: str, seed: int) -> None:
    files = company(MAPPINGS.system(system), seed)
    daily, again = make_home(system), make_home(system)
    for day in sorted({file.day for file in files}):
        today = [file for file in files if file.day == day]
        daily.load(today)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(affected.Walk, "reach", lambda self, target, moved: False)
            again.load(today)
        assert daily.feeds() == again.feeds(), day
        assert daily.counts() == again.counts(), day
        assert daily.open_records() == again.open_records(), day


def all_versions_give_what_the_last_state_gives(make_home: Callable[[str], Home], system: str, seed: int) -> None:
    files = company(MAPPINGS.system(system), seed)
    every, last = make_home(system), make_home(system)
    every.load(files)
    last.load(last_state(MAPPINGS.system(system), files))
    assert every.feeds() == last.feeds()


def what_comes_twice_changes_nothing(make_home: Callable[[str], Home], system: str, seed: int) -> None:
    """Old versions come again too, in one file with the newest, in any order."""
    files, described, chance = company(MAPPINGS.system(system), seed), MAPPINGS.system(system), random.Random(seed)
    home = make_home(system)
    home.load(files)
    before, counts = home.feeds(), home.counts()
    versioned = [name for name, stream in described.file.streams.items() if stream.version]
    again = []
    for name in versioned:
        stream = described.stream(name)
        versions = [*stream.key, stream.version or ""]
        records = [record for file in files if file.stream == name for record in file.records if record[versions[-1]]]
        places = Counter(tuple(record[column] for column in versions) for record in records)
        # of versions that are equally new the later delivery counts, so those are excluded
        records = [record for record in records if places[tuple(record[column] for column in versions)] == 1]
        chance.shuffle(records)
        again += [Delivered(name, "2026-10-20", "again.csv", tuple(records))] if records else []
    home.load(again)
    assert home.feeds() == before
    assert sum(row[1] for row in home.counts()) == sum(row[1] for row in counts), "what is loaded stays loaded, the copies are superseded"


LAWS = (
    any_cut_in_any_order_gives_the_same_feeds,
    day_by_day_is_mapping_everything_again_each_day,
    all_versions_give_what_the_last_state_gives,
    what_comes_twice_changes_nothing,
)


@pytest.mark.parametrize(
    ("system", "seed", "law"),
    [
        pytest.param(system, seed, law, id=f"{law.__name__}-{system}", marks=[pytest.mark.nightly] * min((at + seed) % 3, 1))
        for at, system in enumerate(SYSTEMS)
        for seed, law in enumerate(LAWS)
    ],
)  # each system holds a third of the laws daily and all of them each night
def test_a_law_of_source_tables_holds(make_home: Callable[[str], Home], system: str, law: Law, seed: int) -> None:
    law(make_home, system, seed)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@settings(
    max_examples=6, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(seed=st.integers(0, 10**9))
def test_a_law_of_source_tables_holds_for_more_companies(make_home: Callable[[str], Home], system: str, law: Law, seed: int) -> None:
    law(make_home, system, seed)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Landing folder of a small demo company, exported by the systems that it knows."""
    landing = tmp_path_factory.mktemp("demo") / "landing"
    write_company(landing, 25, 1, 3, daily=1, systems=EXPORTED)
    return landing


@pytest.mark.slow
@pytest.mark.parametrize("system", EXPORTED)
def test_the_laws_hold_for_the_exports_of_the_demo_company(make_home: Callable[[str], Home], exported: Path, system: str) -> None:
    described = MAPPINGS.system(system)
    files = delivered(exported, described)
    whole, cut_up, last = make_home(system), make_home(system), make_home(system)
    whole.load(files)
    feeds = whole.feeds()
    assert feeds
    for run in cut(files, random.Random(7)):
        cut_up.load(run)
    assert cut_up.feeds() == feeds
    assert cut_up.counts() == whole.counts()
    last.load(last_state(described, files))
    assert last.feeds() == feeds


@pytest.mark.nightly
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_random_exports_reach_every_select(make_home: Callable[[str], Home], system: str) -> None:
    """A law over feeds without rows proves nothing."""
    wanted = {feed for stream in MAPPINGS.system(system).file.streams.values() for feed in stream.feeds}
    found: set[str] = set()
    for seed in range(8):
        home = make_home(system)
        home.load(company(MAPPINGS.system(system), seed, most=300, ids=60))
        found |= set(home.feeds())
        if found == wanted:
            return
    assert found == wanted


def _differs(make_home: Callable[[str], Home], system: str, seed: int) -> bool:
    """Say whether loading day by day ends in other feeds than loading everything at once."""
    files = company(MAPPINGS.system(system), seed)
    daily, whole = make_home(system), make_home(system)
    whole.load(files)
    for day in sorted({file.day for file in files}):
        daily.load([file for file in files if file.day == day])
    return daily.feeds() != whole.feeds()


def _own_rows_only(walk: affected.Walk, target: str, _moved: set[str]) -> bool:
    walk.tables.run(f"insert into {target} select record_number from {walk.tables.temporary('came', walk.stream)}")
    return True


@pytest.mark.parametrize("system", ["zendesk", pytest.param("quickbooks", marks=pytest.mark.nightly)])
def test_mapping_only_what_a_file_brings_breaks_the_law(make_home: Callable[[str], Home], system: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(affected.Walk, "reach", _own_rows_only)
        patched.setattr(changes, "_MANY", 0)
        broken = next((seed for seed in range(6) if _differs(make_home, system, seed)), None)
    assert broken is not None
    assert not _differs(make_home, system, broken)


def test_a_full_export_delivered_again_maps_no_record(make_home: Callable[[str], Home]) -> None:
    files = company(MAPPINGS.system("zendesk"), 1)
    home = make_home("zendesk")
    home.load(files)
    before = home.feeds()
    last = max(file.day for file in files)
    again = [replace(file, day="2026-10-20") for file in files if file.day == last and MAPPINGS.system("zendesk").stream(file.stream).key]
    states = home.counts()
    report = home.load(again)
    assert home.feeds() == before
    assert sum(report.mapped.values()) == 0
    assert sum(row[1] for row in home.counts()) == sum(row[1] for row in states), "what is loaded stays loaded, the copies are superseded"
