"""The durable truth of what was loaded: HOME/ops/ledger.sqlite.

Holds deliveries, batches, quarantine, check results and runs, and the transactions over them. It must not hold a path
decision or read a delivered file. A batch is visible only when its status is `accepted`; accepting or refusing
everything of a run is one transaction, so a crash leaves either the old state or the new one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from dagster_project.engines.lake_files import LakeFile
from dagster_project.errors import InfrastructureError
from dagster_project.ledger import changes
from dagster_project.ledger.entries import KnownFile, StagedChange, StagedFile
from dagster_project.masking import masked
from dagster_project.settings import fault_point

FILE = "ledger.sqlite"
REDACTED = "redacted-"
"""Start of the names of canonical files that forgetting an account delivers; no source delivered them."""
OF_SOURCES = f"path not like 'canonical/%/{REDACTED}%'"
_SCHEMAS = (
    "ledger.sql",
    "ledger_2.sql",
    "ledger_3.sql",
    "ledger_4.sql",
)  # one script a version; an older ledger goes through those it has not seen


def lake_file(home: Path, path: str, lacks: str) -> LakeFile:
    """Return the file of a batch, from columns `path` and `lacks` of the ledger."""
    return LakeFile(home / path, tuple(filter(None, lacks.split(","))))


def copy_ledger(source: Path, target: Path) -> None:
    """Copy a ledger as it is now, also while a run writes it; the source is only read.

    Raises
    ------
    InfrastructureError
        It may not be read, or it is no ledger.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=300)) as reading,
            closing(sqlite3.connect(target)) as copy,
        ):
            reading.backup(copy)
    except sqlite3.DatabaseError as error:
        raise _unusable(source, error) from error


def _unusable(path: Path, error: sqlite3.DatabaseError) -> InfrastructureError:
    if path.exists() and not os.access(path, os.R_OK):
        return InfrastructureError(f"ledger {path} cannot be read by user {os.getuid()}; remedy: change owner or mode of the file")
    return InfrastructureError(f"ledger {path}: {error}; remedy: restore it from a backup or load into an empty home")


class Ledger:
    """SQLite ledger under the ops folder; opened per transaction, so that no handle outlives a step."""

    def __init__(self, ops_dir: Path) -> None:
        """Create the file and its tables when they are not there; bring an older ledger to this version and keep its rows.

        Raises
        ------
        InfrastructureError
            The file is no ledger, or one of a later version of this product.
        """
        self.path = ops_dir / FILE
        ops_dir.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection, connection:
            version = connection.execute("pragma user_version").fetchone()[0]
            if version > len(_SCHEMAS):
                raise InfrastructureError(
                    f"ledger {self.path}: version {version}, this product reads up to {len(_SCHEMAS)}; remedy: run the newer product"
                )
            for script in _SCHEMAS[version:]:
                connection.executescript(Path(__file__).with_name(script).read_text(encoding="utf-8"))

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self.path, timeout=300)
            connection.execute("pragma journal_mode = delete")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma foreign_keys = on")
        except sqlite3.DatabaseError as error:
            raise _unusable(self.path, error) from error
        return connection

    def rows(self, sql: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """Run one query and return all rows."""
        with closing(self._connect()) as connection:
            return connection.execute(sql, tuple(parameters)).fetchall()

    def known_files(self) -> dict[str, KnownFile]:
        """Return accepted files and their duplicates by path below the landing folder."""
        columns = "path, file_id, sha256, bytes, mtime_ns, reader_hash, duplicate_of"
        sql = f"select {columns} from deliveries where status in ('accepted', 'duplicate')"
        return {row[0]: KnownFile(*row[1:]) for row in self.rows(sql)}

    def touch(self, file_id: int, mtime_ns: int) -> None:
        """Remember the new time of change of a file whose bytes are the same."""
        with closing(self._connect()) as connection, connection:
            connection.execute("update deliveries set mtime_ns = ? where file_id = ?", (mtime_ns, file_id))

    def stage(self, run_id: str, files: Iterable[StagedFile]) -> None:
        """Write what this run read, invisible until `accept`; earlier unfinished or refused attempts of the same paths go."""
        with closing(self._connect()) as connection, connection:
            for file in files:
                self._stage_one(connection, run_id, file)
        fault_point("loaded")

    def _stage_one(self, connection: sqlite3.Connection, run_id: str, file: StagedFile) -> None:
        connection.execute("delete from deliveries where path = ? and status in ('staged', 'refused')", (file.path,))
        original = None
        if file.duplicate_of_path is not None:
            found = connection.execute(
                "select file_id from deliveries where path = ? and sha256 = ? and reader_hash = ? and status in ('staged',"
                " 'accepted') order by file_id desc",
                (file.duplicate_of_path, file.sha256, file.reader_hash),
            ).fetchone()
            if found is None:
                raise InfrastructureError(f"ledger {self.path}: {file.path} repeats {file.duplicate_of_path}, which is not loaded")
            original = found[0]
        cursor = connection.execute(
            "insert into deliveries (system, stream, delivery_date, path, sha256, bytes, mtime_ns, reader_hash, physical,"
            " loaded, superseded, quarantined, waiting,"
            " status, duplicate_of, error, drift, extras_path, run_id)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                file.system,
                file.stream,
                file.delivery_date,
                file.path,
                file.sha256,
                file.bytes,
                file.mtime_ns,
                file.reader_hash,
                file.physical,
                file.loaded,
                file.superseded,
                file.quarantined,
                file.waiting,
                file.status,
                original,
                None if file.error is None else masked(file.error, "message"),
                masked(file.drift, "code"),
                file.extras_path,
                run_id,
            ),
        )
        file_id = cursor.lastrowid
        connection.executemany(
            "insert into batches (batch_id, file_id, feed, rows, path, lacks, control_sums, status) values (?, ?, ?, ?, ?, ?, ?, 'staged')",
            [
                (
                    batch.batch_id,
                    file_id,
                    batch.feed,
                    batch.rows,
                    batch.path,
                    ",".join(batch.lacks),
                    batch.control_sums,
                )
                for batch in file.batches
            ],
        )
        changes.keep_out(connection, run_id, [(file_id, row) for row in file.quarantine])

    def file_numbers(self, files: Iterable[tuple[str, str]]) -> dict[str, int]:
        """Return the number of each file (path and SHA-256) by path; new ones get the next."""
        numbers = {}
        with closing(self._connect()) as connection, connection:
            for path, sha256 in files:
                connection.execute("insert or ignore into source_files (path, sha256) values (?, ?)", (path, sha256))
                sql = "select file_no from source_files where path = ? and sha256 = ?"
                numbers[path] = int(connection.execute(sql, (path, sha256)).fetchone()[0])
        return numbers

    def source_state(self, system: str) -> str | None:
        """Return what names the state of a system's source tables after its last accepted change; None before the first."""
        sql = "select state_hash from changes where system = ? and status = 'accepted' order by change_number desc limit 1"
        return next((str(row[0]) for row in self.rows(sql, (system,))), None)

    def stage_change(self, run_id: str, change: StagedChange) -> int:
        """Write what a run changes in one system, invisible until `accept`; return the number of the change."""
        with closing(self._connect()) as connection, connection:
            return changes.stage(connection, run_id, change)

    def accept(self, run_id: str, refused_feeds: Mapping[str, str] | None = None) -> None:
        """Make everything this run staged visible, in one transaction; a reload replaces the file's older batches.

        `refused_feeds` maps a feed to the reason why its checks failed: every file that holds rows of such a feed (and
        its duplicates) is refused completely, with that reason, and what it would have replaced stays visible.
        """
        with closing(self._connect()) as connection, connection:
            for feed, reason in (refused_feeds or {}).items():
                connection.execute(
                    "update deliveries set status = 'refused', error = ? where run_id = ? and status = 'staged' and"
                    " (file_id in (select file_id from batches where feed = ?) or duplicate_of in (select file_id from batches where"
                    " feed = ? and status = 'staged'))",
                    (f"feed {feed}: {reason}", run_id, feed, feed),
                )
                changes.refuse(connection, run_id, feed, reason)
            changes.accept(connection, run_id)
            staged = "select file_id from deliveries where run_id = ? and status = 'staged'"
            paths = "select path from deliveries where run_id = ? and status = 'staged'"
            old = f"select file_id from deliveries where status in ('accepted', 'duplicate') and path in ({paths})"
            connection.execute(
                f"update quarantine set resolved_by_run_id = ? where resolved_by_run_id is null and file_id in ({old})", (run_id, run_id)
            )
            connection.execute(f"update batches set status = 'replaced' where status = 'accepted' and file_id in ({old})", (run_id,))
            connection.execute(f"update deliveries set status = 'replaced' where file_id in ({old})", (run_id,))
            connection.execute(f"update batches set status = 'accepted' where status = 'staged' and file_id in ({staged})", (run_id,))
            connection.execute(
                "update batches set status = 'refused' where status = 'staged' and file_id in (select file_id from deliveries where"
                " run_id = ? and status = 'refused')",
                (run_id,),
            )
            connection.execute(
                "update deliveries set status = case when duplicate_of is null then 'accepted' else 'duplicate' end where run_id ="
                " ? and status = 'staged'",
                (run_id,),
            )
        fault_point("accepted")

    def link_resolutions(self, links: Iterable[tuple[int, int]]) -> None:
        """Remember that a file brings the key of a quarantined record correctly: pairs of quarantine_id and file_id."""
        with closing(self._connect()) as connection, connection:
            connection.executemany("insert or ignore into resolutions (quarantine_id, file_id) values (?, ?)", links)

    def keep_volumes(self, run_id: str, judged: Iterable[tuple[str, str, str]], unusual: Iterable[tuple[object, ...]]) -> None:
        """Replace the judgement of these days of streams; `unusual` holds rows in the order of the table."""
        with closing(self._connect()) as connection, connection:
            connection.executemany("delete from unusual_volumes where system = ? and stream = ? and delivery_date = ?", judged)
            connection.executemany("insert into unusual_volumes values (?, ?, ?, ?, ?, ?, ?, ?, ?)", [(*row, run_id) for row in unusual])

    def write(self, statements: Iterable[tuple[str, tuple[object, ...]]]) -> None:
        """Run statements with their parameters in one transaction."""
        with closing(self._connect()) as connection, connection:
            for sql, parameters in statements:
                connection.execute(sql, parameters)

    def record_checks(self, run_id: str, feed: str, results: Iterable[Mapping[str, object]]) -> None:
        """Keep the result of each expectation: keys expectation, column, severity, success, unexpected_count, observed, notes."""
        names = ("expectation", "column", "severity", "success", "unexpected_count", "observed", "notes")
        values = [(run_id, feed, *(result.get(name) for name in names)) for result in results]
        with closing(self._connect()) as connection, connection:
            connection.executemany(
                "insert into check_results (run_id, feed, expectation, column_name, severity, is_success, unexpected_count,"
                " observed, notes) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    tuple(value if value is None or isinstance(value, int) else masked(str(value), "message") for value in row)
                    for row in values
                ],
            )

    def start_run(self, run_id: str, started_at: str) -> None:
        """Open a run; `started_at` is an ISO instant given by the caller."""
        with closing(self._connect()) as connection, connection:
            connection.execute("insert or replace into runs (run_id, started_at, run_state) values (?, ?, 'started')", (run_id, started_at))

    def runs_without_end(self) -> list[tuple[str, str]]:
        """Return id and start of the runs that began and never ended, the oldest first; the one that works now is among them."""
        found = self.rows("select run_id, started_at from runs where run_state = 'started' order by rowid")
        return [(str(run_id), str(started)) for run_id, started in found]

    def finish_run(self, run_id: str, finished_at: str, run_state: str, detail: str = "") -> None:
        """Close a run with its state: published, finished (it had nothing to publish) or failed."""
        with closing(self._connect()) as connection, connection:
            connection.execute(
                "update runs set finished_at = ?, run_state = ?, detail = ? where run_id = ?",
                (finished_at, run_state, masked(detail, "message"), run_id),
            )
