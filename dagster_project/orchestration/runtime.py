"""What a run talks to: settings, assumptions, the ledger, the checks' worker process and a record of its stages.

Built from settings; one object a run, shared by its assets. It holds no logic of any layer.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from dagster_project.assumptions import Assumptions, load_assumptions
from dagster_project.checks.worker import ValidationWorker, shared_worker
from dagster_project.connectors.journals import release_all
from dagster_project.engines.duckdb import writer
from dagster_project.engines.engine import Engine
from dagster_project.errors import FileUnread, InfrastructureError, ServiceRoiError
from dagster_project.host.lock import warehouse_lock
from dagster_project.ledger.store import Ledger
from dagster_project.masking import masked
from dagster_project.publish.fingerprint import code_hash, inputs_hash
from dagster_project.publish.gate import CheckOutcome
from dagster_project.publish.versions import read_pointer
from dagster_project.settings import Settings, fault_point, load_settings, require_apart
from dagster_project.transform.increment import Increment


class Runtime:
    """One run: where it works, what it found, how long each stage took."""

    def __init__(
        self, settings: Settings, *, full_refresh: bool = False, report: Callable[[str], None] = lambda _: None, run_id: str | None = None
    ) -> None:
        self.settings = settings
        self.full_refresh = full_refresh
        self.report: Callable[[str], None] = lambda message: report(masked(message, "message"))
        self.run_id = run_id or uuid.uuid4().hex
        self.stages: dict[str, float] = {}
        self.built: set[str] = set()
        self.checks: list[CheckOutcome] = []
        self.error: Exception | None = None
        self.unread: FileUnread | None = None  # files that nobody can read: what a run ends with that did everything else
        self.outcome: dict[str, Any] = {}
        self.increment = Increment(None)

    @cached_property
    def code(self) -> str:
        """Hash of the code and models that make the marts."""
        return code_hash()

    @cached_property
    def assumptions(self) -> Assumptions:
        """What the business believes, read once a run."""
        return load_assumptions(self.settings.assumptions)

    @cached_property
    def ledger(self) -> Ledger:
        """The durable record of what was loaded."""
        return Ledger(self.settings.ops)

    @property
    def worker(self) -> ValidationWorker:
        """The process that holds Great Expectations; started at first use, so touch it early."""
        return shared_worker()

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Open the warehouse for writing, on whichever engine the settings name; nothing else may hold it meanwhile."""
        settings = self.settings
        if settings.engine == "spark":
            from dagster_project.engines.spark_engine import SparkEngine
            from dagster_project.engines.spark_session import open_session

            session = open_session(
                settings.home,
                master=settings.spark_master,
                remote=settings.spark_remote,
                memory_limit=settings.memory_limit,
                cores=settings.threads,
            )
            yield SparkEngine(session, settings.home / "spark")
            return
        from dagster_project.engines.duckdb_engine import DuckDBEngine

        with writer(settings.warehouse, threads=settings.threads, memory_limit=settings.memory_limit) as connection:
            yield DuckDBEngine(connection)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, say so, and keep the error that ended it."""
        self.report(name)
        start = time.perf_counter()
        try:
            yield
        except Exception as error:
            if self.error is not None:
                self.report(str(error))  # the run ends with the first one
            self.error = self.error or error
            raise _without_cause(error) from None
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + round(time.perf_counter() - start, 3)
        fault_point(f"stage_{name}")

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Write the run's beginning and end into the ledger: what began and never ended, doctor finds."""
        self.ledger.start_run(self.run_id, _now())
        state = "failed"
        try:
            yield
            if self.error is None or self.error is self.unread:
                state = "published" if "published" in self.outcome else "finished"
        finally:
            detail = {"seconds": self.stages, "error": str(self.error or "")}
            self.ledger.finish_run(self.run_id, _now(), state, json.dumps(detail, ensure_ascii=False))

    def record_nodes(self, events: list[dict[str, Any]]) -> None:
        """Remember which models this run really built and how each data test ended; the publish gate asks for both."""
        for event in events:
            data = event["data"]
            node, status = data["node_info"], data["status"]
            if node["resource_type"] == "test":
                self.checks.append(CheckOutcome(node["node_name"], passed=status in {"pass", "warn"}, detail=status))
            elif status not in {"error", "skipped"}:
                self.built.add(f"{node['node_relation']['schema']}.{node['node_name']}")

    def is_anything_new(self) -> bool:
        """Return whether there is anything to build that the served copy does not hold."""
        served = read_pointer(self.settings.home)
        if served is None:
            return bool(self.ledger.known_files())
        return self.full_refresh or served.inputs_sha256 != self.inputs_hash()

    def inputs_hash(self) -> str:
        """Fingerprint of everything that the copy about to be published depends on."""
        return inputs_hash(self.settings, self.ledger)


@contextmanager
def runtime_from_environment(run_id: str | None = None) -> Iterator[Runtime]:
    """Build the runtime of a run that Dagster started under `run_id`; it holds the only right to write until it ends."""
    runtime = Runtime(load_settings(), run_id=run_id)
    require_apart(runtime.settings)
    release_all(runtime.settings.landing)
    with warehouse_lock(runtime.settings.ops, runtime.run_id), runtime.recorded():
        yield runtime


def _without_cause(error: Exception) -> Exception:
    """Return what Dagster may store of an error: not what a library said of the values it could not read."""
    return type(error)(str(error)) if isinstance(error, ServiceRoiError) else InfrastructureError(f"{type(error).__name__}: {error}")


def _now() -> str:
    return datetime.now(UTC).isoformat()
