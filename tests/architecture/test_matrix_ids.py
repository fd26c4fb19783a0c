"""The fault matrix: its ids live in one file, tests name the id they inject, the page shows both, and what no test covers is printed."""

from __future__ import annotations

import runpy
from pathlib import Path

MATRIX = runpy.run_path(str(Path(__file__).resolve().parents[1] / "faults" / "matrix_page.py"))  # tests are no package, so no import
IDS = MATRIX["ids"]()


def test_tests_only_name_faults_of_the_matrix() -> None:
    assert set(MATRIX["covered"]()) - set(IDS) == set()


def test_the_matrix_has_no_id_twice() -> None:
    assert len(IDS) == len(set(IDS))


def test_the_page_has_every_fault_once_in_the_order_of_the_matrix() -> None:
    assert MATRIX["rows"](MATRIX["PAGE"].read_text(encoding="utf-8")) == IDS


def test_the_page_names_the_test_files_that_inject_each_fault() -> None:
    text = MATRIX["PAGE"].read_text(encoding="utf-8")
    assert text == MATRIX["renewed"](text), "out of date; remedy: python tests/faults/matrix_page.py"


def test_a_fault_that_loses_its_test_is_shown_as_missing() -> None:
    page = "| S8 | erase a person | gone everywhere | `faults/test_that_was_deleted.py` |\n"
    renewed = MATRIX["renewed"](page)
    assert "test_that_was_deleted" not in renewed
    assert ("missing" in renewed) == ("S8" in MATRIX["missing"]())
