"""Ingest as one Dagster step: read what is new, check each feed's batch, accept it, register the lake.

Its partitions are the days of delivery. A run of a day or of a range of days reads the files of those days only; a run without
one reads everything new, whatever its day, and marks the days it read.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from dagster_project.checks.results import SuiteResult
from dagster_project.contracts.model import feeds
from dagster_project.errors import ChecksFailed, FileUnread, InputRefused, ServiceRoiError, UsageError
from dagster_project.ingest.conform.quarantine import summarised
from dagster_project.ingest.lake import REGISTERED, carried_feeds, key_scopes, register_lake
from dagster_project.ingest.landing.inventory import Delivery, Unread, new_files, raise_if_broken, refused_parts
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ingest.report import LoadReport
from dagster_project.ledger.warnings import REFUSED, SEPARATOR, SHOWN_KEYS, warnings_of
from dagster_project.masking import masked_path
from dagster_project.orchestration.runtime import Runtime
from dagster_project.settings import load_settings

CHECK = "expectations"
LAKE = "lake"
_SETTINGS = load_settings()
DELIVERY_DAYS = dg.DailyPartitionsDefinition(
    start_date=_SETTINGS.first_delivery_day.isoformat(), timezone=_SETTINGS.schedule_time_zone, end_offset=1
)
"""Days of delivery, today included: its files come while it lasts."""


def _key(feed: str) -> dg.AssetKey:
    return dg.AssetKey([LAKE, feed])


@dg.multi_asset(
    name="ingest",
    specs=[
        dg.AssetSpec(_key(feed), group_name="lake", kinds={"parquet"}, description=f"Typed, accepted batches of the feed {feed}.")
        for feed in feeds()
    ]
    + [dg.AssetSpec(_key(name), group_name="lake", kinds={"duckdb"}) for name in REGISTERED],
    check_specs=[
        dg.AssetCheckSpec(CHECK, asset=_key(feed), blocking=True, description="Great Expectations suite on the new batch.")
        for feed in feeds()
    ],
    can_subset=True,
    pool="warehouse",
    partitions_def=DELIVERY_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def ingest(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> Iterator[Any]:
    """Stage every new file of the run's days, accept what its suite passed, and show the models the accepted lake.

    Every feed is read and registered, whichever feeds are selected; selection decides only what is reported.
    """
    days = context.partition_key_range if context.has_partition_key or context.has_partition_key_range else None
    unread: list[Unread] = []
    report = _load(runtime, days, unread)
    results = _check(runtime, report)
    aside = (str(part) for part in unread if not part.is_refused)
    checked = map(str, warnings_of(runtime.ledger, runtime.run_id))
    for warning in (*aside, *report.warnings, *summarised(report.files), *report.notices, *checked):
        runtime.report(warning)
    _keep_refusals(runtime, report, unread)
    runtime.unread = _unreadable(report, unread)
    error = _refusal(report, results, unread) or (None if runtime.is_anything_new() else runtime.unread)
    if error is None:
        _register(runtime)
    else:
        runtime.error = error
    for feed in (feed for feed in feeds() if _key(feed) in context.selected_asset_keys):
        yield dg.MaterializeResult(
            asset_key=_key(feed), metadata=_metadata(feed, report), check_results=[_outcome(feed, results.get(feed))]
        )
    for name in REGISTERED:
        yield dg.MaterializeResult(asset_key=_key(name))
    if error is not None:
        raise _failure(error)
    if days is None and not context.instance.is_ephemeral:
        for feed, day in _days_read(report, Mappings(runtime.settings.mappings)):
            context.log_event(dg.AssetMaterialization(_key(feed), partition=day))


def _failure(error: ServiceRoiError) -> Exception:
    """Return what Dagster raises: what was delivered does not get better by reading it again."""
    return dg.Failure(str(error), allow_retries=False) if isinstance(error, InputRefused | ChecksFailed | UsageError) else error


def deliveries_of(runtime: Runtime, days: dg.PartitionKeyRange | None, unread: list[Unread] | None = None) -> list[Delivery]:
    """Return the new files of these days of delivery, both included; of every day up to the setting `until` without a range.

    A duplicate comes too, whatever its day, when the file it repeats is read again: it has to carry its records itself now.
    """
    settings = runtime.settings
    found = new_files(settings.landing, runtime.ledger, Mappings(settings.mappings), settings.until, unread)
    if days is None:
        return found
    known = runtime.ledger.known_files()
    duplicates = {path for path, entry in known.items() if entry.duplicate_of is not None}
    return [file for file in found if days.start <= file.delivery_date.isoformat() <= days.end or file.relative in duplicates]


def _load(runtime: Runtime, days: dg.PartitionKeyRange | None, unread: list[Unread]) -> LoadReport:
    with runtime.stage("ingest"):
        return load(runtime.settings, runtime.assumptions, runtime.ledger, deliveries_of(runtime, days, unread), runtime.run_id)


def _days_read(report: LoadReport, mappings: Mappings) -> list[tuple[str, str]]:
    """Return feed and day of every file that was taken, also of one without records, where the day is a partition."""
    files = {(file.system, file.stream, file.delivery_date) for file in report.files if file.status != "refused"}
    read = {(feed, day) for system, stream, day in files for feed in mappings.system(system).stream(stream).feeds}
    return sorted((feed, day) for feed, day in read if DELIVERY_DAYS.has_partition_key(day))


def _check(runtime: Runtime, report: LoadReport) -> dict[str, SuiteResult]:
    """Validate each feed's new rows together; what fails is refused in the same transaction that accepts the rest."""
    with runtime.stage("checks"):
        results = {feed: runtime.worker.validate(feed, files) for feed, files in sorted(report.batches.items()) if report.rows[feed]}
        for feed, result in results.items():
            lines = [{**vars(line), "expectation": line.rule, "observed": line.found_in(report.paths)} for line in result.expectations]
            runtime.ledger.record_checks(runtime.run_id, feed, lines)
        failed = {feed: "; ".join(line.sentence() for line in result.failed) for feed, result in results.items() if not result.passed}
        runtime.ledger.accept(runtime.run_id, failed)
        report.commit(runtime.ledger)
    return results


def _refusal(report: LoadReport, results: Mapping[str, SuiteResult], unread: Sequence[Unread]) -> ServiceRoiError | None:
    failed = [
        f"{feed}: {line.sentence()}{_first(line.found_in(report.paths))}"
        for feed, result in results.items()
        if not result.passed
        for line in result.failed
    ]
    if failed:
        return ChecksFailed("nothing was published, the last copy stays served\n  " + "\n  ".join(failed))
    if report.is_stopped:
        return InputRefused("\n".join((*report.refusals, *refused_parts(unread))))
    try:
        raise_if_broken(unread)
    except ServiceRoiError as error:
        return error
    return None


def _unreadable(report: LoadReport, unread: Sequence[Unread]) -> FileUnread | None:
    """Return what a run ends with that could not read some files, and publishes all others."""
    refused = [*report.unreadable, *refused_parts(unread)]
    return FileUnread("\n".join(refused)) if refused else None


def _keep_refusals(runtime: Runtime, report: LoadReport, unread: Sequence[Unread]) -> None:
    """Keep each file and folder that this run refused for `ops.warnings`: its path, the rule, the reason and the remedy."""
    landing = runtime.settings.landing
    refused = [file for file in report.files if file.status == "refused"]
    found = [(file.path, "file_unreadable" if file.is_unread else "file_refused", 1, file.error or "") for file in refused]
    parts = [part for part in unread if part.is_refused]
    found += [(part.path.relative_to(landing).as_posix(), part.rule, part.files, part.reason) for part in parts]
    for path, rule, files, reason in found:
        line = {"expectation": rule, "severity": REFUSED, "success": False, "unexpected_count": files, "observed": masked_path(path)}
        runtime.ledger.record_checks(runtime.run_id, "/".join(path.split("/")[:2]), [{**line, "notes": reason}])


def _first(found: str | None) -> str:
    return "" if found is None else f"; first: {'; '.join(found.split(SEPARATOR)[:SHOWN_KEYS])}"


def _register(runtime: Runtime) -> None:
    settings = runtime.settings
    systems = {str(row[0]) for row in runtime.ledger.rows("select distinct system from deliveries where status = 'accepted'")}
    with runtime.stage("lake"):
        if runtime.full_refresh:
            for name in (settings.warehouse, settings.warehouse.with_name(settings.warehouse.name + ".wal")):
                name.unlink(missing_ok=True)
        with runtime.engine() as engine:
            mappings = Mappings(settings.mappings)
            zones, scopes = mappings.zones(systems), key_scopes(mappings, systems)
            register_lake(engine, settings.home, runtime.ledger, runtime.assumptions, zones, scopes, carried_feeds(mappings, systems))


def _metadata(feed: str, report: LoadReport) -> dict[str, Any]:
    """Return what an operator asks of a feed's batch: rows and batches, records kept out, rows that are withdrawn."""
    kept_out = sum(record.feed == feed for file in report.files for record in file.quarantine)
    return {
        "dagster/row_count": report.rows.get(feed, 0),
        "batches": len(report.batches.get(feed, [])),
        "quarantined": kept_out,
        "withdrawn": report.withdrawn.get(feed, 0),
    }


def _outcome(feed: str, result: SuiteResult | None) -> dg.AssetCheckResult:
    """Return the feed's check with one row for each expectation; no value of a record is among them."""
    if result is None:
        return dg.AssetCheckResult(check_name=CHECK, asset_key=_key(feed), passed=True, metadata={"rows": 0})
    failed = "\n".join(line.sentence() for line in result.failed)
    table = [
        dg.TableRecord({
            "rule": line.rule, "column": line.column or "", "severity": line.severity, "passed": line.success,
            "offenders": "unknown" if line.unexpected_count is None else str(line.unexpected_count), "breaks": line.notes,
        })
        for line in result.expectations
    ]  # fmt: skip
    metadata: dict[str, Any] = {"rows": result.rows, "failed": dg.MetadataValue.md(failed or "none")}
    if table:
        metadata["expectations"] = dg.MetadataValue.table(table)
    return dg.AssetCheckResult(check_name=CHECK, asset_key=_key(feed), passed=result.passed, metadata=metadata)
