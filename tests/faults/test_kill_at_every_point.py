"""Fault C1: kill -9 at every named point; the old copy stays served and a rerun ends where an undisturbed run ends."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.publish.reader import query
from demo_company.company import write_company

POINTS = (
    "prescan",
    "loaded",
    "accepted",
    "stage_ingest",
    "stage_marts",
    "stage_analytics: concentration",
    "stage_reporting",
    "publish_built",
    "publish_copied",
    "publish_verified",
    "publish_exports",
    "publish_pointer",
    "publish_path",
    "stage_publish",
    "stage_extract",
    "stage_report",
)
OFTEN = {"accepted"}
"""The point after the lake has the new rows and before readers see them; the others are tested nightly."""


def _run(landing: Path, home: Path, until: str | None, kill_at: str | None) -> None:
    if kill_at:
        os.environ["ROI_FAULT_POINT"] = kill_at
    from dagster_project.orchestration.run import run_daily
    from dagster_project.settings import load_settings

    run_daily(load_settings(landing=landing, home=home, until=until))


@pytest.fixture(scope="module")
def processes() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dagster_project.definitions", "dagster_project.orchestration.automation"])
    return context


def run(processes: Any, landing: Path, home: Path, *, until: str | None = None, kill_at: str | None = None) -> int:
    child = processes.Process(target=_run, args=(landing, home, until, kill_at))
    child.start()
    child.join(timeout=400)
    assert child.exitcode is not None, "the run hangs"
    return int(child.exitcode)


def pointer(home: Path) -> dict[str, Any]:
    return dict(json.loads((home / "published" / "current.json").read_text(encoding="utf-8")))


def answer(home: Path, sql: str) -> dict[str, Any]:
    out = io.StringIO()
    query(home, sql, "json", out=out)
    return dict(json.loads(out.getvalue())[0])


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, processes: Any) -> Any:
    folder = tmp_path_factory.mktemp("kill")
    landing = folder / "landing"
    write_company(landing, accounts=40, months=3, seed=11, daily=2)
    assert run(processes, landing, folder / "before", until="2026-10-30") == 0
    shutil.copytree(folder / "before", folder / "undisturbed")
    assert run(processes, landing, folder / "undisturbed") == 0
    before, after = pointer(folder / "before"), pointer(folder / "undisturbed")
    assert before["content_hash"] != after["content_hash"], "the last day changes nothing: the test would prove nothing"
    return folder


@pytest.mark.slow
@pytest.mark.fault("C1")
@pytest.mark.parametrize("point", [pytest.param(point, marks=[] if point in OFTEN else pytest.mark.nightly) for point in POINTS])
def test_a_killed_run_leaves_the_old_copy_served_and_a_rerun_ends_in_the_same_hash(company: Path, processes: Any, point: str) -> None:
    home = company / f"killed-at-{point}"
    shutil.copytree(company / "before", home)
    assert run(processes, company / "landing", home, kill_at=point) == -signal.SIGKILL, f"the run never came to {point}"
    served = pointer(home)["content_hash"]
    old, new = pointer(company / "before")["content_hash"], pointer(company / "undisturbed")["content_hash"]
    assert served == (new if point in {"publish_pointer", "publish_path", "stage_publish", "stage_extract", "stage_report"} else old)
    assert answer(home, "select count(*) as n from marts.fct_ticket")["n"] > 0
    assert run(processes, company / "landing", home) == 0
    assert pointer(home)["content_hash"] == new
    assert pointer(home)["file"].removesuffix(".duckdb") in (home / "reports" / "index.html").read_text(encoding="utf-8")
    loaded = "select sum(physical_count) as p, sum(loaded_count + superseded_count + quarantined_count) as b from ops.load_ledger"
    row = answer(home, loaded)
    assert row == answer(company / "undisturbed", loaded)
    assert row["p"] == row["b"]
    assert not [path.name for path in (home / "published").iterdir() if path.suffix in {".building", ".tmp"}]


@pytest.mark.slow
def test_every_point_is_one_that_the_product_has(company: Path) -> None:
    detail = json.loads(answer(company / "undisturbed", "select detail from ops.runs where detail is not null")["detail"])
    source = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "dagster_project").rglob("*.py"))
    known = {f"stage_{stage}" for stage in detail["seconds"]} | {*re.findall(r'fault_point\("(\w+)"\)', source)}
    assert {*POINTS} <= known
