"""The models are built within the memory that settings give. Breaks: dbt's own connection takes what the machine has."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

from dagster_project.errors import ChecksFailed
from dagster_project.transform import project

LAYERS = runpy.run_path(str(Path(__file__).with_name("conftest.py")))["LAYERS"]


@pytest.mark.fault("C6")
def test_a_build_that_needs_more_memory_than_it_may_have_fails_and_says_so(whole_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(whole_file, copy)
    with pytest.raises(ChecksFailed, match=r"Out of Memory Error.* used"):
        project.build(copy, LAYERS, lambda event: None, memory_limit="2MB")
