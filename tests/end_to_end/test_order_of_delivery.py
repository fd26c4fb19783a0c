"""Law 3: the same deliveries in any order, in one go or one by one, give the same marts; loading twice changes nothing."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from dagster_project.assumptions import load_assumptions
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger
from dagster_project.orchestration.run import run_daily
from dagster_project.settings import load_settings


def pointer(home: Path) -> dict[str, Any]:
    return dict(json.loads((home / "published" / "current.json").read_text(encoding="utf-8")))


def move_day(source: Path, target: Path, day: str) -> None:
    shutil.copytree(source / "retail" / "lines" / day, target / "retail" / "lines" / day)


def hash_after(built: Any, tmp_path: Path, groups: list[list[str]]) -> str:
    """Deliver the days group by group, a whole run after each, and return the content hash of the last copy."""
    landing, home = tmp_path / "landing", tmp_path / "home"
    report = None
    for group in groups:
        for day in group:
            move_day(built.landing, landing, day)
        report = run_daily(load_settings(landing=landing, home=home))
    assert report is not None
    return str(pointer(home)["content_hash"])


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.fault("D3")
def test_shuffled_groups_of_days_end_in_the_hash_of_one_load(build_company: Any, tmp_path: Path) -> None:
    built = build_company("retail")
    days = sorted(path.name for path in (built.landing / "retail" / "lines").iterdir())
    assert len(days) == 305
    random.Random(5).shuffle(days)
    groups = [days[start : start + 102] for start in range(0, len(days), 102)]
    assert hash_after(built, tmp_path, groups) == built.pointer()["content_hash"]


@pytest.mark.fault("D1")
def test_loading_twice_changes_nothing(build_company: Any) -> None:
    built = build_company("small_demo")
    before = built.pointer()
    assert run_daily(load_settings(landing=built.landing, home=built.home)).is_new is False
    assert built.pointer() == before


@pytest.mark.fault("D1")
def test_the_same_file_under_another_name_is_superseded_and_changes_no_total(build_company: Any, tmp_path: Path) -> None:
    built = build_company("small_demo")
    landing, home = tmp_path / "landing", tmp_path / "home"
    shutil.copytree(built.landing, landing)
    shutil.copytree(built.home, home)
    original = next((landing / "canonical" / "orders").glob("*/*.csv*"))
    again = original.with_name("again-" + original.name)
    shutil.copyfile(original, again)
    run_daily(load_settings(landing=landing, home=home))
    assert pointer(home)["content_hash"] == built.pointer()["content_hash"]


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.fault("D3")
def test_days_read_one_by_one_end_in_the_hash_of_one_load(build_company: Any, tmp_path: Path) -> None:
    built = build_company("retail")
    landing, home = tmp_path / "landing", tmp_path / "home"
    settings = load_settings(landing=landing, home=home)
    ledger = Ledger(settings.ops)
    for number, day in enumerate(sorted(path.name for path in (built.landing / "retail" / "lines").iterdir())):
        move_day(built.landing, landing, day)
        deliveries = new_files(landing, ledger, Mappings(None), None)
        assert [delivery.delivery_date.isoformat() for delivery in deliveries] == [day]
        load(settings, load_assumptions(), ledger, deliveries, f"run-{number}").raise_if_refused()
        ledger.accept(f"run-{number}")
    run_daily(settings)
    assert pointer(home)["content_hash"] == built.pointer()["content_hash"]
