"""The dbt project's files, its manifest (parsed once per change) and an in-process build.

Parsing costs ten times a build of a small day, so the parsed manifest is kept in `dbt/target`, named by the hash of
the project's files and of dbt's version; a build loads it instead of parsing. There is one per target, since the
adapter's own macros are part of it. Nothing of the data reaches Jinja: no `--vars` are ever passed.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any

from dagster_project.errors import ChecksFailed, InfrastructureError
from dagster_project.host.lock import SPILL
from dagster_project.settings import PROJECT_DIR

DBT_DIR = PROJECT_DIR / "dbt"
TARGET_DIR = DBT_DIR / "target"


@dataclass(frozen=True)
class Found:
    """A data test that found rows: `sql` returns them, the first column or two are their key.

    `meaning` is the comment at its head; a test of many models has it in its `meta`.
    """

    test: str
    rows: int
    sql: str
    meaning: str


class TestsFailed(ChecksFailed):
    """Models or data tests failed; `found` are the tests that found rows, those that only warn among them."""

    def __init__(self, message: str, failed: list[Found], warned: list[Found]) -> None:
        """Keep what was found."""
        super().__init__(message)
        self.failed, self.warned = failed, warned


_RESULT_EVENTS = frozenset({"LogSeedResult", "LogModelResult", "LogSnapshotResult", "LogTestResult"})


def project_files() -> Iterator[Path]:
    """Every file of the dbt project that decides what it builds, in a stable order."""
    for path in sorted(DBT_DIR.rglob("*")):
        if path.suffix in {".sql", ".yml", ".md", ".csv"} and TARGET_DIR not in path.parents:
            yield path


@cache
def project_hash(target: str) -> str:
    """SHA-256 over the project's files, the versions of dbt and of the target's adapter, and what profiles take from the environment."""
    given = sorted(item for item in os.environ.items() if item[0].startswith("DBT_SPARK_"))
    digest = hashlib.sha256(f"{version('dbt-core')} {version(f'dbt-{target}')} {given}".encode())
    for path in project_files():
        digest.update(str(path.relative_to(DBT_DIR)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _prepared(target: str, suffix: str) -> Path:
    return TARGET_DIR / f"prepared-{target}-{project_hash(target)[:16]}.{suffix}"


def prepare(target: str = "duckdb") -> None:
    """Parse the project if its files changed since the last time; safe to call from several processes."""
    if _prepared(target, "json").exists() and _prepared(target, "msgpack").exists():
        return
    TARGET_DIR.mkdir(parents=True, exist_ok=True)
    arguments = ["parse", "--quiet", "--no-partial-parse"]
    manifest = _invoke(arguments, target=target, warehouse=TARGET_DIR / "parse" / "warehouse.duckdb").result
    for stale in TARGET_DIR.glob(f"prepared-{target}-*"):
        stale.unlink(missing_ok=True)
    write_prepared(_prepared(target, "msgpack"), manifest.to_msgpack())
    write_prepared(_prepared(target, "json"), json.dumps(manifest.writable_manifest().to_dict(omit_none=False), default=str).encode())


def prepared_file(suffix: str, target: str = "duckdb") -> Path:
    """Return the file next to the prepared manifest that holds something else made of the project as it is."""
    prepare(target)
    return _prepared(target, suffix)


def write_prepared(path: Path, content: bytes) -> None:
    """Write a file next to the prepared manifest; safe to call from several processes."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def manifest() -> dict[str, Any]:
    """Return the manifest as Dagster reads it; names and layers are the same on every target."""
    prepare()
    content: dict[str, Any] = json.loads(_prepared("duckdb", "json").read_bytes())
    return content


@cache
def _parsed_manifest(path: Path) -> Any:
    from dbt.contracts.graph.manifest import Manifest

    parsed = Manifest.from_msgpack(path.read_bytes())
    parsed.build_flat_graph()
    return parsed


def parsed() -> Any:
    """Return the manifest as dbt itself holds it."""
    return _parsed_manifest(prepared_file("msgpack"))


def model_names(content: Mapping[str, Any], layers: tuple[str, ...]) -> list[str]:
    """`schema.table` of every model in the given schemas, sorted; what the publish gate expects to have been built."""
    return sorted(
        f"{node['schema']}.{node['name']}"
        for node in content["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in layers
    )


def gate_tests(content: Mapping[str, Any]) -> list[str]:
    """Names of the tests tagged `gate`, by which the books tie; nothing is published where one did not run and pass."""
    return sorted(node["name"] for node in content["nodes"].values() if node["resource_type"] == "test" and "gate" in node["tags"])


def build(
    warehouse: Path,
    select: list[str],
    on_event: Callable[[dict[str, Any]], None],
    *,
    target: str = "duckdb",
    full: bool = True,
    threads: int = 2,
    memory_limit: str = "4GB",
) -> list[Found]:
    """Run `dbt build` on the selected models with their tests; every result event goes to `on_event` in order.

    Returns the tests that only warn and found something.

    `full` rebuilds every row; otherwise staging takes what arrived and the months of `int_core__affected_month` are rebuilt.
    `warehouse` is the DuckDB file; on Spark the session of this process is the warehouse, so open it first, and its
    files are in `spark/warehouse` next to that name. `threads` and `memory_limit` are DuckDB's; what does not fit goes to `spill`.

    Raises
    ------
    TestsFailed
        A model or a data test failed; the message names the first one and dbt's own words.
    """
    prepare(target)
    failures: list[str] = []
    events: list[dict[str, Any]] = []

    def collect(event: Any) -> None:
        if event.info.name in _RESULT_EVENTS:
            from dbt_common.events.functions import msg_to_dict

            events.append(msg_to_dict(event))
        elif event.info.level == "error" and event.info.msg.strip():
            failures.append(event.info.msg.strip())

    arguments = ["build", "--quiet", "--no-write-json", "--exclude-resource-type", "unit_test"]
    if full:
        arguments.append("--full-refresh")
    if select:
        arguments += ["--select", *select]
    manifest = _parsed_manifest(_prepared(target, "msgpack"))
    limits = {"DBT_DUCKDB_THREADS": str(threads), "DBT_MEMORY_LIMIT": memory_limit, "DBT_SPILL_FOLDER": str(warehouse.parent / SPILL)}
    result = _invoke(arguments, target=target, warehouse=warehouse, manifest=manifest, callback=collect, environment=limits)
    for event in events:
        on_event(event)
    if not result.success:
        detail = "\n".join(failures[:4]) or str(result.exception)
        text = f"dbt build failed, nothing was published; the last good copy stays served\n{detail}"
        raise TestsFailed(text, _found(result, "fail"), _found(result, "warn"))
    return _found(result, "warn")


def _found(result: Any, status: str) -> list[Found]:
    tests = [entry for entry in result.result or () if entry.status == status and entry.node.resource_type == "test"]
    return [Found(entry.node.name, entry.failures, entry.node.compiled_code, _meaning(entry.node)) for entry in tests]


def _meaning(test: Any) -> str:
    """Return the `meaning` of a test's meta, else the comment at its head as one line, without the first word."""
    if meaning := test.config.meta.get("meaning"):
        return str(meaning)
    lines = [line.strip() for line in test.raw_code.splitlines()]
    start = next((at for at, line in enumerate(lines) if line.startswith("--")), len(lines))
    head = takewhile(lambda line: line.startswith("--"), lines[start:])
    return " ".join(line.removeprefix("--").strip() for line in head).removeprefix("Warns: ").removeprefix("Breaks: ")


def invoke(arguments: list[str], warehouse: Path) -> Any:
    """Run another command of dbt on the prepared project and return dbt's own result."""
    return _invoke(arguments, target="duckdb", warehouse=warehouse, manifest=parsed())


@contextmanager
def _dbt_environment(warehouse: Path, more: Mapping[str, str]) -> Iterator[None]:
    folder = warehouse.parent / "spark" / "warehouse"
    given = {"DBT_WAREHOUSE_PATH": str(warehouse), "DBT_WAREHOUSE_FOLDER": str(folder), "DO_NOT_TRACK": "1", **more}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _invoke(
    arguments: list[str],
    *,
    target: str,
    warehouse: Path,
    manifest: Any = None,
    callback: Callable[[Any], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Any:
    """Run dbt in a thread of its own: its flags walk the complete call stack, which is deep under Dagster."""
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    outcome: list[Any] = []
    command = [*arguments, "--project-dir", str(DBT_DIR), "--profiles-dir", str(DBT_DIR), "--target", target]
    command += ["--target-path", str(TARGET_DIR), "--log-level-file", "none", "--no-use-colors", "--no-version-check"]

    def work() -> None:
        from dbt.cli.main import dbtRunner

        try:
            outcome.append(dbtRunner(manifest=manifest, callbacks=[callback] if callback else []).invoke(command))
        finally:
            if target == "duckdb":
                release_warehouse()

    with _dbt_environment(warehouse, environment or {}):
        thread = threading.Thread(target=work, name="dbt")
        thread.start()
        thread.join()
    if not outcome:
        raise InfrastructureError("dbt ended without a result; run again with --debug")
    result = outcome[0]
    if arguments[0] == "parse" and not result.success:
        raise InfrastructureError(f"the dbt project cannot be parsed: {result.exception}")
    return result


def release_warehouse() -> None:
    """Close the adapter's process-wide connection; without it this process keeps the file locked."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager._ENV = None
