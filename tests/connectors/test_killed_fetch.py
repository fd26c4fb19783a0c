"""A fetch that is killed at any point shows no half, and the next one ends where an undisturbed one would have ended."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.connectors import journals
from dagster_project.connectors.journals import last_journal, release_all
from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.orchestration.run import run_daily
from dagster_project.orchestration.runtime import runtime_from_environment
from dagster_project.settings import Settings

NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)


def _fetch(settings: Settings, source: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    from dagster_project.connectors.fetch import fetch

    fetch(settings, source, now=NOW)


@pytest.fixture(scope="module")
def killed(connectors_or_skip: None) -> Callable[..., None]:
    """Run a fetch in a process of its own that kills itself at a named point."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sqlalchemy", "psycopg", "boto3", "pyarrow.parquet", "dagster_project.connectors.fetch"])

    def run(settings: Settings, source: str, kill_at: str) -> None:
        secrets = {name: value for name, value in os.environ.items() if name.startswith("CANARY")}
        child = context.Process(target=_fetch, args=(settings, source, {**secrets, "ROI_FAULT_POINT": kill_at}))
        child.start()
        child.join(timeout=400)
        assert child.exitcode == -signal.SIGKILL, f"the fetch passed {kill_at}"

    return run


@pytest.fixture
def two_tables(postgres: Any) -> dict[str, Any]:
    postgres.run(
        "create table shop.orders (id int primary key, changed_at timestamptz not null)",
        "create table shop.lines (id int primary key, order_id int)",
        "insert into shop.orders select n, '2026-11-20 10:00+00'::timestamptz + n * interval '1 minute' from generate_series(1, 50) n",
        "insert into shop.lines select n, n from generate_series(1, 100) n",
    )
    streams = {
        "orders": {"table": "shop.orders", "primary_key": ["id"], "cursor": "changed_at"},
        "lines": {"table": "shop.lines", "primary_key": ["id"]},
    }
    return {"kind": "postgresql", "system": "shop", "url": postgres.url, "password_env": "CANARY_DB", "streams": streams}


@pytest.mark.fault("C1")
@pytest.mark.parametrize("point", ["fetch_written", "fetch_committed", "fetch_released"])
def test_a_killed_fetch_shows_no_half_and_a_rerun_ends_alike(
    make_fetching: Any, postgres: Any, two_tables: dict[str, Any], killed: Callable[..., None], point: str
) -> None:
    disturbed, calm = make_fetching("disturbed"), make_fetching("calm")
    for fetching in (disturbed, calm):
        fetching.add("shop", **two_tables)
        fetching.deliver("shop", now=NOW)
    before = disturbed.content()
    postgres.run(
        "insert into shop.orders select n, '2026-11-21'::timestamptz + n * interval '1 minute' from generate_series(51, 60) n",
        "insert into shop.lines values (101, 60)",
    )
    killed(disturbed.settings, "shop", point)
    is_committed = last_journal(disturbed.settings.landing, "shop")["number"] == 2
    assert is_committed == (point != "fetch_written")
    calm.deliver("shop", now=NOW)
    release_all(disturbed.settings.landing)  # as every run does before it looks
    assert disturbed.content() == (calm.content() if is_committed else before)
    disturbed.deliver("shop", now=NOW)
    assert disturbed.content() == calm.content()
    assert not list(disturbed.settings.landing.rglob("*.part"))


@pytest.mark.fault("C1")
def test_a_fetch_of_objects_killed_between_two_of_them_takes_both_again(
    make_fetching: Any, bucket: Any, storage_server: str, killed: Callable[..., None]
) -> None:
    keys = {"key_id_env": "CANARY_ID", "secret_key_env": "CANARY"}
    disturbed, calm = make_fetching("disturbed"), make_fetching("calm")
    for fetching in (disturbed, calm):
        streams = {"accounts": "accounts/"}
        fetching.add("exports", kind="s3", system="crm", bucket="exports", endpoint=storage_server, streams=streams, **keys)
    for name in ("a.csv", "b.csv"):
        bucket.put_object(Key=f"accounts/{name}", Body=name.encode())
    killed(disturbed.settings, "exports", "fetch_copied")
    assert disturbed.files() == []
    for fetching in (disturbed, calm):
        assert fetching.deliver("exports", now=NOW) == {"accounts": 2}
    assert disturbed.content() == calm.content()
    assert not list(disturbed.settings.landing.rglob("*.part"))


@pytest.mark.fault("C1")
@pytest.mark.parametrize("is_started_by_dagster", [False, True])
def test_a_run_finishes_a_committed_load_before_it_looks_at_the_landing_folder(
    fetching: Any,
    postgres: Any,
    two_tables: dict[str, Any],
    killed: Callable[..., None],
    is_started_by_dagster: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetching.add("shop", **two_tables)
    killed(fetching.settings, "shop", "fetch_released")
    assert len([name for name in fetching.files() if name.endswith(".parquet")]) == 1
    if is_started_by_dagster:
        monkeypatch.setenv("ROI_LANDING", str(fetching.settings.landing))
        monkeypatch.setenv("ROI_HOME", str(fetching.settings.home))
        with runtime_from_environment("a-run"):
            pass
    else:
        with pytest.raises(UsageError, match="no file of a known system"):  # no mapping: the run ends where it looks
            run_daily(fetching.settings)
    assert len([name for name in fetching.files() if name.endswith(".parquet")]) == 2


@pytest.mark.fault("C7")
def test_a_damaged_journal_ends_the_fetch_and_is_named(fetching: Any, postgres: Any, two_tables: dict[str, Any]) -> None:
    fetching.add("shop", **two_tables)
    fetching.deliver("shop")
    journal: Path = fetching.settings.landing / ".loads" / "shop" / "000001.json"
    journal.write_bytes(journal.read_bytes()[:-20])
    with pytest.raises(InfrastructureError, match=r"000001\.json: the journal of a load is damaged"):
        fetching.deliver("shop")


def test_without_its_journals_a_source_is_fetched_again_next_to_what_is_there(
    fetching: Any, postgres: Any, two_tables: dict[str, Any]
) -> None:
    fetching.add("shop", **two_tables)
    fetching.deliver("shop")
    before = fetching.content()
    shutil.rmtree(fetching.settings.landing / ".loads")
    assert fetching.deliver("shop") == {"orders": 50, "lines": 100}
    after = fetching.content()
    assert {name: after[name] for name in before} == before
    assert len(after) == 2 * len(before)


def test_journals_of_old_loads_go_and_those_that_name_objects_stay(
    fetching: Any, bucket: Any, postgres: Any, storage_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "_KEPT_JOURNALS", 2)
    postgres.run("create table shop.a (id int primary key)")
    streams = {"a": {"table": "shop.a", "primary_key": ["id"], "cursor": "id"}}
    fetching.add("shop", kind="postgresql", system="shop", url=postgres.url, password_env="CANARY_DB", streams=streams)
    fetching.add(
        "exports", kind="s3", system="crm", bucket="exports", endpoint=storage_server, streams={"a": ""}, key_id_env="CANARY_ID",
        secret_key_env="CANARY",
    )  # fmt: skip
    for number in range(4):
        postgres.run(f"insert into shop.a values ({number})")
        bucket.put_object(Key=f"{number}.csv", Body=b"x")
        assert fetching.deliver("shop") == {"a": 1}
        assert fetching.deliver("exports") == {"a": 1}
    kept = fetching.settings.landing / ".loads"
    assert len(list((kept / "shop").glob("*.json"))) == 2
    assert len(list((kept / "exports").glob("*.json"))) == 4
