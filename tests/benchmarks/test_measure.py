"""What is measured of a process: its own time and memory and its children's, and nothing of the process that measures."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.measure import CommandFailedError, Usage, middle, run

BURN = "import time\nstart = time.process_time()\nwhile time.process_time() - start < 0.5: pass"


def test_a_measured_process_reports_its_time_memory_and_children(tmp_path: Path) -> None:
    child = "import time; block = bytearray(80_000_000); time.sleep(0.6)"
    parent = f"import subprocess, sys; block = bytearray(60_000_000); subprocess.run([sys.executable, '-c', {child!r}]); print('end')"
    usage = run([sys.executable, "-c", parent], folder=tmp_path, environment=dict(os.environ))
    assert usage.output == "end\n"
    assert usage.wall_seconds >= 0.6
    assert usage.peak_bytes > 140_000_000


def test_processor_time_of_a_child_counts_whether_or_not_its_parent_waited(tmp_path: Path) -> None:
    waited = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"
    left = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {BURN!r}]); time.sleep(0.3)"
    for parent in (waited, left):
        assert 0.5 <= run([sys.executable, "-c", parent], folder=tmp_path).cpu_seconds < 2


def test_memory_of_the_measuring_process_is_not_counted(tmp_path: Path) -> None:
    block = bytearray(b"x" * 300_000_000)
    usage = run([sys.executable, "-c", "import time; time.sleep(0.3)"], folder=tmp_path)
    assert len(block) == 300_000_000
    assert 1_000_000 < usage.peak_bytes < 100_000_000


def test_a_command_that_fails_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="ended with 3:\nwhy"):
        run([sys.executable, "-c", "print('why'); raise SystemExit(3)"], folder=tmp_path)


def test_the_middle_is_the_median_of_each_measure() -> None:
    assert middle([Usage(1, 9, 5), Usage(2, 7, 6), Usage(9, 8, 1)]) == Usage(2, 8, 5)
