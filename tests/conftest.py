"""Fixtures shared by every test: real data where it is present, and no network but loopback."""

from __future__ import annotations

import os
import runpy
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hypothesis
import pytest

hypothesis.settings.register_profile("any machine", deadline=None)  # how long an example takes depends on what else the machine does
hypothesis.settings.load_profile("any machine")
PROJECT = Path(__file__).resolve().parent.parent
GUARD = PROJECT / "tests" / "network_guard"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What no test covers yet: truths after a run that reached tests/truth, faults after one that reached theirs."""
    reached = {getattr(entry, "nodeid", "") for entries in terminalreporter.stats.values() for entry in entries}
    if any(name.startswith("tests/truth/") for name in reached):
        names = (PROJECT / "tests" / "truth" / "unjudged.txt").read_text(encoding="utf-8").split()
        terminalreporter.write_line(f"truths without a judge ({len(names)}): {', '.join(names)}")
    if any(name.startswith(("tests/faults/", "tests/architecture/")) for name in reached):
        names = runpy.run_path(str(PROJECT / "tests" / "faults" / "matrix_page.py"))["missing"]()
        terminalreporter.write_line(f"faults without a test ({len(names)}): {', '.join(names)}")


@pytest.fixture(scope="session")
def project_dir() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real companies beside the project; absent on a user's machine."""
    folder = PROJECT.parent / "shared" / "data"
    if not (folder / "facts.json").exists():
        pytest.skip("the real data folder ../shared/data is not beside the project")
    return folder


@pytest.fixture(scope="session")
def spark_or_skip() -> None:
    """Skip, with the reason, what needs Spark where the extra or Java is not installed."""
    if find_spec("pyspark") is None:
        pytest.skip("the extra `spark` is not installed: make test-spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17 and there is no java on the path")


@pytest.fixture(scope="session")
def spark_session(spark_or_skip: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One Spark of two cores for all tests of a process; its folder is private to the test session."""
    from dagster_project.engines.spark_session import close_session, open_session

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SPARK_CONF_DIR", str(spark_for_small_data(tmp_path_factory.mktemp("conf"))))
        yield open_session(tmp_path_factory.mktemp("spark"), master="local[2]", remote=None, memory_limit="2GB", cores=2)
        close_session()


def spark_for_small_data(folder: Path, **more: object) -> Path:
    """Settings of a Spark that compiles little, since its data is small: a third off a whole run."""
    machine = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m"
    settings = {
        "spark.driver.extraJavaOptions": machine,
        "spark.executor.extraJavaOptions": machine,
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        **more,
    }
    (folder / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def small_spark() -> Callable[..., Path]:
    """Write `spark-defaults.conf` for small data, with more settings, into a folder."""
    return spark_for_small_data


@pytest.fixture(autouse=True, scope="session")
def only_loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No process of a test may reach another machine; who tries is named, also where a library swallows the refusal (fault S11)."""
    folder = tmp_path_factory.mktemp("network")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TEST_NETWORK_GUARD", str(folder))
        environment.setenv("PYTHONPATH", str(GUARD), prepend=os.pathsep)
        runpy.run_path(str(GUARD / "sitecustomize.py"))
        yield
    attempts = [line for log in folder.iterdir() for line in log.read_text(encoding="utf-8").splitlines()]
    assert not attempts, attempts


@pytest.fixture(autouse=True, scope="session")
def no_commit_waits_for_the_disk() -> Iterator[None]:
    """Ten milliseconds a commit, and only a power cut could tell. The processes that a test starts or kills commit as they do elsewhere."""
    from dagster_project.ledger.store import Ledger

    as_delivered = Ledger._connect

    def without_waiting(ledger: Ledger) -> sqlite3.Connection:
        connection = as_delivered(ledger)
        connection.execute("pragma synchronous = off")
        return connection

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Ledger, "_connect", without_waiting)
        yield


@pytest.fixture(autouse=True)
def no_settings_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ROI_")]:
        monkeypatch.delenv(name)
