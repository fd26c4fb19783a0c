"""Fault D13: analysts read without pause while versions are published; no error, no torn read, always forward."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

PUBLISHES = 20
READER = """
import sys
import time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from dagster_project.publish.reader import open_current
home, stop = Path(sys.argv[1]), Path(sys.argv[1]) / "stop"
reads, last, seen = 0, 0, set()
while not stop.exists():
    connection, pointer = open_current(home, warn=lambda message: sys.exit("damaged: " + message))
    total, value = connection.execute("select net_amount, version_number from marts.mart_total").fetchone()
    parts, rows = connection.execute("select sum(net_amount), count(*) from marts.fct_sale").fetchone()
    connection.close()
    if total != parts or rows != 5000 or value != pointer.seq or pointer.seq < last:
        sys.exit(f"torn read: {total} {parts} {rows} {value} {pointer.seq} {last}")
    reads, last = reads + 1, pointer.seq
    seen.add(last)
    time.sleep(0.03)
print(reads, len(seen))
"""


@pytest.mark.fault("D13")
def test_readers_never_see_an_error_or_a_mixture_while_versions_are_published(house: Any) -> None:
    house.publish(1)
    command = [sys.executable, "-c", READER, str(house.home), str(house.project)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for value in range(2, PUBLISHES + 1):
            assert house.publish(value).pointer.seq == value
    finally:
        (house.home / "stop").touch()
        results = [(reader.communicate(timeout=1_800), reader.returncode) for reader in readers]
    for (output, problems), code in results:
        assert code == 0, problems
        reads, seen = map(int, output.split())
        assert reads >= PUBLISHES
        assert seen >= 3
