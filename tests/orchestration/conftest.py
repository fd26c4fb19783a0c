"""A Dagster instance with the settings of deploy/local, and the environment that points at a landing folder and a home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from dagster_project.definitions import defs

PROJECT = Path(__file__).resolve().parents[2]
LOCAL = PROJECT / "deploy" / "local" / "dagster.yaml"


@pytest.fixture(scope="session")
def local_settings() -> dict[str, Any]:
    return dict(yaml.safe_load(LOCAL.read_text(encoding="utf-8")))


@pytest.fixture
def instance(local_settings: dict[str, Any]) -> Iterator[dg.DagsterInstance]:
    """An instance with the settings of `make dev`; its records are in memory, since those on disk cost seconds a test."""
    with dg.DagsterInstance.ephemeral(settings=local_settings) as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an empty landing folder and a home, named by the environment."""
    (tmp_path / "landing").mkdir()
    monkeypatch.setenv("ROI_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("ROI_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def ended_run(instance: dg.DagsterInstance) -> Callable[..., dg.DagsterRun]:
    """Make a run of the daily job that ended in the given way, as it stands in the instance."""

    def make(*, error: Exception | None = None, crash: str = "") -> dg.DagsterRun:
        @dg.op
        def work() -> None:
            if error is not None:
                raise error

        @dg.job(name="daily")
        def daily() -> None:
            work()

        if not crash:
            run_id = daily.execute_in_process(instance=instance, raise_on_error=False).run_id
        else:
            run = instance.create_run_for_job(daily, status=dg.DagsterRunStatus.STARTED)
            instance.report_run_failed(run, crash)
            run_id = run.run_id
        found = instance.get_run_by_id(run_id)
        assert found is not None
        return found

    return make


@pytest.fixture(scope="session")
def repository() -> dg.RepositoryDefinition:
    return defs.get_repository_def()
