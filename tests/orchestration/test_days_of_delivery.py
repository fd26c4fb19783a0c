"""Days of delivery are the partitions of ingest: a range of them is one run, and how they are cut changes no figure."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.ingest.loading import load
from dagster_project.orchestration.assets.ingest import DELIVERY_DAYS, deliveries_of, ingest
from dagster_project.orchestration.run import run_daily
from dagster_project.orchestration.runtime import Runtime
from dagster_project.settings import load_settings
from demo_company.company import write_company

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
FEED = dg.AssetKey(["lake", "orders"])


def deliver(landing: Path, *days: str) -> None:
    for day in days:
        path = landing / "canonical" / "refunds" / day / "refunds.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"refund_id,order_id\nR-{day},O1\n", encoding="utf-8")


def test_a_range_takes_its_days_and_no_range_takes_every_day(house: Path) -> None:
    deliver(house / "landing", "2026-09-01", "2026-11-03", "2026-11-04", "2026-11-05")
    runtime = Runtime(load_settings())

    def days(of: dg.PartitionKeyRange | None) -> list[str]:
        return [delivery.delivery_date.isoformat() for delivery in deliveries_of(runtime, of)]

    assert days(dg.PartitionKeyRange("2026-11-03", "2026-11-04")) == ["2026-11-03", "2026-11-04"]
    assert days(dg.PartitionKeyRange("2026-11-05", "2026-11-05")) == ["2026-11-05"]
    assert days(dg.PartitionKeyRange("2026-10-01", "2026-10-31")) == []
    assert days(None) == ["2026-09-01", "2026-11-03", "2026-11-04", "2026-11-05"]
    runtime = Runtime(load_settings(until="2026-11-03"))
    assert days(dg.PartitionKeyRange("2026-11-03", "2026-11-05")) == ["2026-11-03"]


def test_a_duplicate_of_another_day_comes_with_the_file_it_repeats_when_that_one_changes(house: Path) -> None:
    header = "refund_id,order_id,refunded_at,refund_amount,currency_code\n"
    paths = [house / "landing" / "canonical" / "refunds" / day / "refunds.csv" for day in ("2026-11-03", "2026-11-05")]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_text(f"{header}R1,O1,2026-11-02T10:00:00Z,5.00,EUR\n", encoding="utf-8")
    first, days = Runtime(load_settings()), dg.PartitionKeyRange("2026-11-03", "2026-11-03")
    load(first.settings, first.assumptions, first.ledger, deliveries_of(first, None), first.run_id)
    first.ledger.accept(first.run_id)
    paths[0].write_text(f"{header}R2,O1,2026-11-02T10:00:00Z,6.00,EUR\n", encoding="utf-8")
    second = Runtime(load_settings())
    read = deliveries_of(second, days)
    assert {delivery.path for delivery in read} == set(paths)
    load(second.settings, second.assumptions, second.ledger, read, second.run_id)
    second.ledger.accept(second.run_id)
    loaded = "select sum(loaded) from deliveries where status = 'accepted'"
    assert second.ledger.rows(loaded) == [(2,)], "the records of the duplicate are gone"


def test_today_is_a_day_of_delivery_and_tomorrow_is_not() -> None:
    with dg.partition_loading_context(effective_dt=dt.datetime(2026, 11, 5, 23, 59, tzinfo=dt.UTC)):
        assert DELIVERY_DAYS.get_last_partition_key() == "2026-11-05"
    assert DELIVERY_DAYS.get_first_partition_key() == "2020-01-01"


def test_only_ingest_has_days_and_a_range_of_them_is_one_run() -> None:
    for asset in defs.resolve_all_asset_specs():
        assert (asset.partitions_def == DELIVERY_DAYS) == (asset.key.path[0] == "lake"), asset.key
    graph = defs.resolve_asset_graph()
    assert graph.get(FEED).backfill_policy == dg.BackfillPolicy.single_run()


def test_a_run_without_days_marks_each_day_it_read_where_dagster_keeps_records(house: Path, tmp_path: Path) -> None:
    header = "refund_id,order_id,refunded_at,refund_amount,currency_code\n"
    for day in ("2019-12-31", "2026-09-01", "2026-11-05"):
        (path := house / "landing" / "canonical" / "refunds" / day / "refunds.csv").parent.mkdir(parents=True)
        path.write_text(header, encoding="utf-8")
    runtime = Runtime(load_settings())
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        result = dg.materialize([ingest], instance=instance, resources={"runtime": runtime}, raise_on_error=False)
        assert result.success, runtime.error
        marked = instance.get_materialized_partitions(dg.AssetKey(["lake", "refunds"]))
        assert instance.get_materialized_partitions(FEED) == set()
    assert marked == {"2026-09-01", "2026-11-05"}, "a day before the first partition is read and has no mark"
    assert {row[0] for row in runtime.ledger.rows("select delivery_date from deliveries")} == {*marked, "2019-12-31"}


class House:
    """A home, and runs of it that Dagster's job does for days of delivery."""

    def __init__(self, landing: Path, home: Path, instance: dg.DagsterInstance) -> None:
        self.landing, self.home, self.instance = landing, home, instance

    def run(self, first: str, last: str) -> dict[str, Any]:
        """Run the daily job for a range of days and return what is served then."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("ROI_LANDING", str(self.landing))
            environment.setenv("ROI_HOME", str(self.home))
            job = defs.resolve_job_def("daily")
            if first == last:
                result = job.execute_in_process(instance=self.instance, partition_key=first, raise_on_error=False)
            else:
                tags = dict(zip(RANGE, (first, last), strict=True))
                result = job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)
        assert result.success
        return self.served()

    def served(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "published" / "current.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def one_load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company of three months that was loaded in one go."""
    folder = tmp_path_factory.mktemp("days")
    write_company(folder / "landing", accounts=40, months=3, seed=11)
    run_daily(load_settings(landing=folder / "landing", home=folder / "home"))
    return folder


@pytest.fixture
def empty(one_load: Path, tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[House]:
    yield House(one_load / "landing", tmp_path / "home", instance)
    shutil.rmtree(tmp_path / "home", ignore_errors=True)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.fault("D3", "D11")
def test_backfills_in_any_order_and_days_one_by_one_end_where_one_load_ends(one_load: Path, empty: House) -> None:
    days = sorted({path.name for path in (one_load / "landing" / "canonical").glob("*/*")})
    wanted = json.loads((one_load / "home" / "published" / "current.json").read_text(encoding="utf-8"))
    # One month of the history is held back at first: it comes when the rest is loaded.
    first, left_out, rest, last = days[0], days[1], days[2], days[-1]
    assert first < left_out < rest < last
    empty.run(first, first)
    empty.run(rest, last)
    assert empty.served()["content_hash"] != wanted["content_hash"]
    after = empty.run(left_out, (dt.date.fromisoformat(rest) - dt.timedelta(days=1)).isoformat())
    assert after["content_hash"] == wanted["content_hash"]
    assert empty.run(last, last)["content_hash"] == wanted["content_hash"]
    assert empty.served()["seq"] == after["seq"], "a day that is loaded was published again"
    read = empty.instance.get_materialized_partitions(FEED)
    assert {first, left_out, rest, last} <= read <= set(DELIVERY_DAYS.get_partition_keys())
    runs = empty.instance.get_runs()
    assert len(runs) == 4, "a range was cut into several runs"
