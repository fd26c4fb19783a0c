"""The one Spark session of this process: in-process, on a cluster (`spark://`, `k8s://`, `yarn`) or by Spark Connect.

Sets only what the result depends on, and what a single machine needs; everything else is the cluster's own
`spark-defaults.conf` (`SPARK_CONF_DIR`). dbt-spark's `session` method finds the session that is made here.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dagster_project.errors import InfrastructureError, UsageError

_KNOCK_SECONDS = 10
_LOGGING = Path(__file__).with_name("log4j2.properties")
_SAME_ON_BOTH_ENGINES = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.cteRecursionLevelLimit": "-1",
    "spark.sql.cteRecursionRowLimit": "-1",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    "spark.sql.legacy.allowNonEmptyLocationInCTAS": "true",  # a killed run leaves the folder of a table that never was
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


def open_session(home: Path, *, master: str, remote: str | None, memory_limit: str, cores: int) -> Any:
    """Return the session of this process, starting it at first use.

    Tables of a catalogue without a metastore die with the process, so what an earlier process left of them is removed.

    Raises
    ------
    UsageError
        The extra `spark` is not installed.
    InfrastructureError
        No Java, or the cluster cannot be reached.
    """
    if find_spec("pyspark") is None:
        raise UsageError("--engine spark needs the extra `spark`; remedy: uv sync --extra spark (or pip install 'service-roi[spark]')")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    settings = {**_SAME_ON_BOTH_ENGINES, **({} if remote else _starting(home, master, memory_limit, cores))}
    builder = SparkSession.builder.appName("service-roi")
    builder = builder.remote(remote) if remote else builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    if remote:
        os.environ["SPARK_REMOTE"] = remote  # dbt asks for its session by this
    try:
        if remote:
            _require_answer(remote)
        session = builder.getOrCreate()
        session.sql("select 1").collect()
        if session.conf.get("spark.sql.catalogImplementation") == "in-memory":
            shutil.rmtree(home / "spark" / "warehouse", ignore_errors=True)
    except Exception as error:
        remedy = "" if remote else "; remedy: Java 17 on the path or in JAVA_HOME, a master that can be reached, or ROI_SPARK_REMOTE"
        raise InfrastructureError(f"Spark at {remote or master} does not answer: {str(error).splitlines()[0]}{remedy}") from error
    return session


def _require_answer(remote: str) -> None:
    """Knock before Spark does: its own client tries for ten minutes."""
    address = urlsplit(remote)
    with socket.create_connection((address.hostname or "", address.port or 15002), timeout=_KNOCK_SECONDS):
        pass


def _starting(home: Path, master: str, memory_limit: str, cores: int) -> dict[str, str]:
    """Give the settings that only count when a driver starts here; the warehouse folder is the shared home."""
    warehouse = home / "spark" / "warehouse"
    settings = {
        "spark.sql.warehouse.dir": str(warehouse),
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={_LOGGING.as_uri()} -Duser.timezone=UTC",
        "spark.executor.defaultJavaOptions": "-Duser.timezone=UTC",
    }
    if master.startswith("local"):
        settings |= {
            "spark.driver.memory": memory_limit.upper().removesuffix("B").replace(" ", ""),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": str(cores),
            "spark.default.parallelism": str(cores),
        }
    return settings


def close_session() -> None:
    """Stop the session of this process, if there is one."""
    if find_spec("pyspark") is None:
        return
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        active.stop()
