"""The page is written completely or not at all; when it cannot be, the copy stays served and the run says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.orchestration.assets.reports import report_page
from dagster_project.orchestration.runtime import Runtime
from dagster_project.publish.versions import read_pointer
from dagster_project.reports import page as page_module
from dagster_project.reports.page import path_of, shows, write_page
from dagster_project.settings import load_settings


def test_a_page_that_cannot_be_drawn_leaves_the_one_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path_of(home).read_bytes()

    def fail(_: Any) -> str:
        raise RuntimeError("the drawing ended")

    monkeypatch.setattr(page_module, "render", fail)
    with pytest.raises(InfrastructureError, match=r"the drawing ended; published copy 1 stays served; remedy: "):
        write_page(home)
    assert path_of(home).read_bytes() == before
    assert [path.name for path in path_of(home).parent.iterdir()] == ["index.html"]


def test_a_page_that_cannot_be_put_in_place_leaves_the_one_before_and_nothing_else(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path_of(home).read_bytes()

    def fail(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InfrastructureError, match="Permission denied"):
        write_page(home)
    assert path_of(home).read_bytes() == before
    assert [path.name for path in path_of(home).parent.iterdir()] == ["index.html"]


def test_a_full_disk_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page_module.os, "fsync", fail)
    with pytest.raises(InfrastructureError, match=r"the disk is full: .* stays served; remedy: free"):
        write_page(home)


def test_nothing_published_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing is published"):
        write_page(tmp_path)


def test_a_copy_that_lacks_a_table_is_named(page_after: Any) -> None:
    with pytest.raises(InfrastructureError, match=r"marts-000001-\w+.duckdb is not complete: .*spec_coverage"):
        page_after("drop table ops.spec_coverage;")


def test_a_page_shows_the_copy_that_it_was_made_of_and_no_other(home: Path, tmp_path: Path) -> None:
    pointer = read_pointer(home)
    assert pointer is not None
    assert shows(home, pointer)
    assert not shows(home, type(pointer)(**{**vars(pointer), "published_at": "2026-12-24T00:00:00+00:00"}))
    assert not shows(tmp_path, pointer)


def test_a_run_writes_the_page_after_each_publication() -> None:
    key = dg.AssetKey(["reports", "index"])
    assert defs.resolve_asset_graph().get(key).parent_keys == {dg.AssetKey(["published", "current"])}
    assert key in defs.resolve_job_def("daily").asset_layer.executable_asset_keys


def test_the_asset_keeps_the_path_for_what_the_run_prints(home: Path, tmp_path: Path) -> None:
    runtime = Runtime(load_settings(home=home, landing=tmp_path))
    ended = dg.materialize([report_page], resources={"runtime": runtime})
    assert ended.success
    assert runtime.outcome["report"] == path_of(home)
    (made,) = ended.asset_materializations_for_node("reports__index")
    shown = {name: value.value for name, value in made.metadata.items()}
    assert (shown["month"], shown["service_cost"], shown["margin_per_service_cost"]) == ("2026-11", "7.000", "0.5000")
    assert shown["roi_hard"] == "source_absent", "an unknown figure shows its reason"


def test_an_asset_that_fails_after_another_error_says_so(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    runtime = Runtime(load_settings(home=home, landing=tmp_path), report=said.append)
    runtime.error = first = UsageError("of the extract")
    monkeypatch.setattr(page_module, "render", lambda _: 1 / 0)
    assert not dg.materialize([report_page], resources={"runtime": runtime}, raise_on_error=False).success
    assert runtime.error is first
    assert "stays served" in said[-1]


def test_knowing_whether_the_page_is_there_imports_nothing_heavy(project_dir: Path) -> None:
    code = (
        "import sys; import dagster_project.reports.page;"
        "heavy = {'altair', 'vl_convert', 'jinja2', 'pandas', 'duckdb', 'dagster'} & set(sys.modules); sys.exit(', '.join(heavy) or 0)"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=project_dir, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
