"""One daily run: decide what is new, and only then load the orchestrator and do it.

Deciding imports neither Dagster, dbt, Great Expectations nor pandas, so that a run with nothing new ends at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster_project.connectors.journals import release_all
from dagster_project.errors import FileUnread, InfrastructureError, ServiceRoiError, UsageError
from dagster_project.host.disk import full_disk_reported
from dagster_project.host.lock import warehouse_lock
from dagster_project.ingest.landing.inventory import Unread, new_files, refused_parts
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.warnings import warnings_of
from dagster_project.publish.fingerprint import inputs_hash
from dagster_project.publish.stable_path import offer
from dagster_project.publish.versions import read_pointer
from dagster_project.reports.page import shows, write_page
from dagster_project.settings import Settings, require_apart

if TYPE_CHECKING:
    from dagster_project.orchestration.runtime import Runtime


@dataclass(frozen=True)
class RunReport:
    """What a run did: the published sequence number, whether anything was new, seconds per stage, numbers per step."""

    is_new: bool
    sequence: int | None
    stages: dict[str, float]
    outcome: dict[str, Any]
    warnings: tuple[str, ...] = ()  # what checks warned of
    unread: int = 0  # files in the landing folder that no run reads


class RanWithoutFiles(FileUnread):
    """Some files cannot be read; the run did everything else, as its `report` says."""

    def __init__(self, message: str, report: RunReport) -> None:
        super().__init__(message)
        self.report = report


def check_folders(settings: Settings) -> None:
    """Refuse folders one inside the other, a landing folder that does not exist and a home that cannot be written, before any work."""
    require_apart(settings)
    if not settings.landing.is_dir():
        raise UsageError(f"landing folder {settings.landing} does not exist; remedy: create it or name another with --landing")
    try:
        settings.ops.mkdir(parents=True, exist_ok=True)
        probe = settings.ops / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise InfrastructureError(
            f"home folder {settings.home} cannot be written: {error.strerror}; remedy: name a folder that this user may write with --home"
        ) from error


def run_daily(settings: Settings, *, full_refresh: bool = False, report: Callable[[str], None] = lambda _: None) -> RunReport:
    """Bring everything new through to a published copy.

    Raises
    ------
    RanWithoutFiles
        Files cannot be read; everything else is published.
    ServiceRoiError
        With the exit code of the kind of failure; the last published copy stays served.
    """
    from dagster_project.orchestration.runtime import Runtime

    check_folders(settings)
    runtime = Runtime(settings, full_refresh=full_refresh, report=report)
    runtime.assumptions  # noqa: B018  what is wrong in their file is said before any work
    release_all(settings.landing)
    with full_disk_reported(settings.home), warehouse_lock(settings.ops, runtime.run_id) as orphans:
        for orphan in orphans:
            runtime.report(str(orphan))
        finished = _run(settings, runtime, full_refresh=full_refresh)
        if wrong := offer(settings.home):
            runtime.report(wrong)
        return finished


def _run(settings: Settings, runtime: Runtime, *, full_refresh: bool) -> RunReport:
    current = read_pointer(settings.home)
    mappings = Mappings(settings.mappings)
    unread: list[Unread] = []
    deliveries = new_files(settings.landing, runtime.ledger, mappings, settings.until, unread)
    is_broken, refused = any(part.is_broken for part in unread), refused_parts(unread)
    if current is None and not deliveries and not is_broken and not runtime.ledger.known_files():
        listed = "".join(f"\n{part}" for part in unread)
        if refused:
            raise FileUnread("\n".join(refused))
        raise UsageError(
            f"{settings.landing}: holds no file of a known system, and nothing was loaded before; remedy: deliver files as"
            f" <system>/<stream>/<YYYY-MM-DD>/<file>, see docs/mappings.md, or write a demo company with service-roi demo{listed}"
        )
    if current and not deliveries and not full_refresh and not is_broken and current.inputs_sha256 == inputs_hash(settings, runtime.ledger):
        for part in unread:
            runtime.report(str(part))
        if not shows(settings.home, current):  # a run was killed before it wrote the page, or could not
            write_page(settings.home)
        report = RunReport(is_new=False, sequence=current.seq, stages={}, outcome={}, unread=sum(part.files for part in unread))
        if refused:
            raise RanWithoutFiles("\n".join(refused), report)
        return report
    try:
        _execute(runtime, {feed for delivery in deliveries for feed in mappings.system(delivery.system).stream(delivery.stream).feeds})
    except FileUnread as error:
        raise RanWithoutFiles(str(error), _report(runtime, len(str(error).splitlines()))) from error
    return _report(runtime)


def _report(runtime: Runtime, unread: int = 0) -> RunReport:
    published = read_pointer(runtime.settings.home)
    is_new = "published" in runtime.outcome
    warned = tuple(map(str, warnings_of(runtime.ledger, runtime.run_id)))
    return RunReport(is_new, published.seq if published else None, runtime.stages, runtime.outcome, warned, unread)


def _execute(runtime: Runtime, delivered: set[str]) -> None:
    if delivered:
        runtime.worker  # noqa: B018  its import of Great Expectations overlaps with ours of Dagster and dbt
    with runtime.stage("start"):
        from dagster_project.orchestration.definitions import defs
        from dagster_project.orchestration.instance import execute_daily
    if runtime.settings.engine == "spark":
        with runtime.stage("spark"), runtime.engine():
            pass  # its start-up is a cost of its own, and a cluster that does not answer ends the run before any work
    with runtime.recorded():
        success = execute_daily(defs, runtime, delivered)
    if success:
        return
    if isinstance(runtime.error, ServiceRoiError):
        raise runtime.error
    raise InfrastructureError(f"the run ended early: {runtime.error}") from runtime.error
