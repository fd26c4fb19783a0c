"""A real small cluster: a standalone master and two workers on loopback, a run on it from the command line, and what they did."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 1_800
_SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.executor.cores": 1,
    "spark.executor.memory": "1g",
    "spark.cores.max": 2,
    "spark.sql.shuffle.partitions": 2,
    "spark.eventLog.enabled": "true",
    "spark.eventLog.compress": "false",
    "spark.eventLog.rolling.enabled": "false",
}


@dataclass(frozen=True)
class Cluster:
    """Where it answers, where its driver's settings lie, where each worker keeps its executors, and the event log."""

    master: str
    configuration: Path
    workers: tuple[Path, ...]
    events: Path

    def applications(self) -> set[str]:
        """Ids of all applications so far, by their event logs."""
        return {path.name.partition(".")[0] for path in self.events.glob("app-*")}

    def task_ends(self, application: str) -> list[dict[str, Any]]:
        """Every task of an application that ended, from Spark's own event log."""
        (log,) = self.events.glob(f"{application}*")
        lines = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line["Event"] == "SparkListenerTaskEnd"]

    def executors_of(self, worker: Path, application: str) -> set[str]:
        """Ids of the executors that a worker started for an application: it keeps a folder for each."""
        return {path.name for path in worker.glob(f"{application}/*") if path.is_dir()}


def _daemon(stack: ExitStack, folder: Path, name: str, *arguments: str, **more: str) -> Path:
    import pyspark

    home = Path(pyspark.__file__).parent
    log = folder / f"{name}.log"
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, **more}
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen([home / "bin" / arguments[0], *arguments[1:]], stdout=out, stderr=out, env=environment)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return log


def _said(log: Path, pattern: str) -> str:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if match := re.search(pattern, log.read_text(encoding="utf-8")):
            return match.group(match.lastindex or 0)
        time.sleep(0.2)
    raise AssertionError(f"{log.name} never said {pattern}:\n{log.read_text(encoding='utf-8')[-3000:]}")


@pytest.fixture(scope="module")
def cluster(spark_or_skip: None, small_spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    configuration, events = folder / "conf", folder / "events"
    configuration.mkdir()
    events.mkdir()
    small_spark(configuration, **_SETTINGS, **{"spark.eventLog.dir": events.as_uri()})
    with ExitStack() as stack:
        deploy, loopback = "org.apache.spark.deploy", ("--host", "127.0.0.1", "--webui-port", "0")
        log = _daemon(stack, folder, "master", "spark-class", f"{deploy}.master.Master", *loopback, "--port", "0")
        master = _said(log, r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")
        workers = (folder / "worker-0", folder / "worker-1")
        for worker in workers:
            arguments = (*loopback, "--cores", "1", "--memory", "1g", "--work-dir", str(worker), master)
            log = _daemon(stack, folder, worker.name, "spark-class", f"{deploy}.worker.Worker", *arguments)
            _said(log, "Successfully registered with master")
        yield Cluster(master, configuration, workers, events)


def _connect_server(stack: ExitStack, folder: Path, cluster: Cluster) -> str:
    """Start a Spark Connect server on the cluster and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.sql.warehouse.dir": folder / "warehouse",
    }
    arguments = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    server = ("--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--master", cluster.master)
    log = _daemon(stack, folder, "server", "spark-submit", *server, *arguments, SPARK_CONF_DIR=str(cluster.configuration))
    _said(log, "Spark Connect server started")
    return f"sc://127.0.0.1:{port}"


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.parametrize("way", ["master", "connect"])
def test_a_run_on_a_cluster_uses_both_workers_and_publishes_what_one_machine_does(
    build_company: Any, cluster: Cluster, published_differences: Any, tmp_path: Path, way: str
) -> None:
    demo, before = build_company("small_demo"), cluster.applications()
    there = demo.on("spark", tmp_path / "home")
    with ExitStack() as stack:
        if way == "connect":
            address = {"ROI_SPARK_REMOTE": _connect_server(stack, tmp_path / "connect", cluster)}
        else:
            address = {"ROI_SPARK_MASTER": cluster.master}
        _run(there, {**address, "SPARK_CONF_DIR": str(cluster.configuration), "SPARK_LOCAL_IP": "127.0.0.1"})
    assert published_differences(demo, there) == []

    (application,) = cluster.applications() - before
    tasks = cluster.task_ends(application)
    assert all(task["Task End Reason"]["Reason"] == "Success" for task in tasks)
    by_executor = Counter(task["Task Info"]["Executor ID"] for task in tasks)
    by_worker = [sum(by_executor[executor] for executor in cluster.executors_of(worker, application)) for worker in cluster.workers]
    assert sum(by_worker) == len(tasks), "a task ran outside the two workers"
    assert min(by_worker) > len(tasks) / 10, f"the work was not spread: {by_worker}"


def _run(company: Any, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "dagster_project.commands.cli", "run", "--engine", "spark"]
    finished = subprocess.run(
        [*command, "--landing", company.landing, "--home", company.home],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert "reconciliation" in finished.stdout


@pytest.mark.spark
@pytest.mark.parametrize(
    ("missing", "place", "remedy"),
    [
        ({"ROI_SPARK_REMOTE": "sc://127.0.0.1:1/;user_id=nobody"}, "sc://127.0.0.1:1", ""),
        ({"PATH": "/nonexistent", "JAVA_HOME": "/nonexistent"}, "local", "Java 17"),
    ],
    ids=["no server", "no Java"],
)
def test_a_spark_that_does_not_answer_ends_with_5_before_any_work_and_says_where(
    spark_or_skip: None, build_company: Any, tmp_path: Path, missing: dict[str, str], place: str, remedy: str
) -> None:
    demo = build_company("small_demo")
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "dagster_project.commands.cli",
            "run",
            "--engine",
            "spark",
            "--landing",
            demo.landing,
            "--home",
            tmp_path / "home",
        ],
        cwd=PROJECT,
        env={**os.environ, **missing},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 5
    assert f"Spark at {place}" in finished.stderr
    assert "does not answer" in finished.stderr
    assert remedy in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "home" / "lake").exists()
