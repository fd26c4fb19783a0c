"""The benchmark's floor must be right before it may be fast: its sums equal the truth of the company."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.demo.company import write_company


def test_the_bare_script_finds_the_true_cost_and_revenue(tmp_path: Path, project_dir: Path) -> None:
    truth = write_company(tmp_path / "landing", 300, 4, 11, daily=1)
    command = [sys.executable, "-m", "benchmarks.bare_duckdb", str(tmp_path / "landing"), str(tmp_path / "bare.duckdb")]
    done = subprocess.run(command, check=True, cwd=project_dir, capture_output=True, text=True, timeout=300)
    sums = json.loads(done.stdout.splitlines()[-1])["sums"]
    cost = sum(sum(month.values()) for month in truth["cost_cents"].values())
    for name in ("allocated_to_tickets", "allocated_to_interactions", "allocated_to_accounts", "roi_cost"):
        assert sums[name] == cost, name
    assert sums["difference"] == 0
    assert sums["net_revenue"] == sum(month["net_sales"] - month["refunds"] for month in truth["money_cents"].values())


def test_a_measured_process_reports_its_time_memory_and_children(
    tmp_path: Path, project_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(project_dir))
    from benchmarks.measure import CommandFailedError, run

    child = "import time; block = bytearray(80_000_000); time.sleep(0.6)"
    parent = f"import subprocess, sys; block = bytearray(60_000_000); subprocess.run([sys.executable, '-c', {child!r}]); print('end')"
    usage = run([sys.executable, "-c", parent], folder=tmp_path, environment=dict(os.environ))
    assert usage.output == "end\n"
    assert usage.wall_seconds >= 0.6
    assert usage.peak_bytes > 140_000_000
    with pytest.raises(CommandFailedError, match="ended with 3:\nwhy"):
        run([sys.executable, "-c", "print('why'); raise SystemExit(3)"], folder=tmp_path)
