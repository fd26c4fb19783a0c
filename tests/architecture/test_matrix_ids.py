"""The fault matrix: its ids live in one file, tests name the id they inject, and what no test covers is printed."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
IDS = (TESTS / "faults" / "matrix.txt").read_text(encoding="utf-8").split()
MARK = re.compile(r"pytest\.mark\.fault\(([^)]*)\)")


def covered() -> set[str]:
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for arguments in MARK.findall(path.read_text(encoding="utf-8")):
            found |= set(re.findall(r"[CDFSP]\d+", arguments))
    return found


def test_tests_only_name_faults_of_the_matrix() -> None:
    assert covered() - set(IDS) == set()


def test_the_matrix_has_no_id_twice() -> None:
    assert len(IDS) == len(set(IDS))
