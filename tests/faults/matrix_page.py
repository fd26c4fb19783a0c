"""The fault matrix as a page: its ids stand in matrix.txt, tests name the id they inject, and this writes which test files do.

`python tests/faults/matrix_page.py` renews the last column of docs/fault-matrix.md; a test fails when it is out of date.
"""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "fault-matrix.md"
MISSING = "missing"
_MARK = re.compile(r"pytest\.mark\.fault\(([^)]*)\)")
_ROW = re.compile(r"^\| ([CDFSP]\d+) \|(.*)\|[^|]*\|$", re.MULTILINE)


def ids() -> list[str]:
    return (TESTS / "faults" / "matrix.txt").read_text(encoding="utf-8").split()


def covered() -> dict[str, list[str]]:
    """Return the test files that inject each fault, below the folder of the tests."""
    found: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for arguments in _MARK.findall(path.read_text(encoding="utf-8")):
            for name in re.findall(r"[CDFSP]\d+", arguments):
                found.setdefault(name, set()).add(path.relative_to(TESTS).as_posix())
    return {name: sorted(files) for name, files in found.items()}


def missing() -> list[str]:
    tests = covered()
    return [name for name in ids() if name not in tests]


def rows(text: str) -> list[str]:
    return [name for name, _ in _ROW.findall(text)]


def renewed(text: str) -> str:
    """Return the page with the test files of today."""
    tests = covered()

    def row(found: re.Match[str]) -> str:
        files = ", ".join(f"`{file}`" for file in tests.get(found[1], ())) or MISSING
        return f"| {found[1]} |{found[2]}| {files} |"

    return _ROW.sub(row, text)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
