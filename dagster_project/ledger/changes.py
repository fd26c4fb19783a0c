"""What runs change in the feeds of systems with source tables, in the ledger: staged, refused or accepted with the rest of the run.

Holds statements on an open transaction of the ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from dagster_project.ledger.entries import QuarantinedRecord, StagedChange


def keep_out(
    connection: sqlite3.Connection,
    run_id: str,
    rows: Iterable[tuple[int | None, QuarantinedRecord]],
    waits_for_change: int | None = None,
) -> None:
    """Write records that are kept out; those of earlier files wait for their change."""
    connection.executemany(
        "insert into quarantine (file_id, feed, record_number, line_number, column_name, rule, reason, raw_text_masked,"
        " raw_sha256, key_sha256, first_seen_run_id, waits_for_change) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                file_id, row.feed, row.record_number, row.line_number, row.column, row.rule, row.reason, row.raw_text_masked,
                row.raw_sha256, row.key_sha256, run_id, waits_for_change,
            )
            for file_id, row in rows
        ],
    )  # fmt: skip


def stage(connection: sqlite3.Connection, run_id: str, change: StagedChange) -> int:
    """Write what a run changes in one system, invisible until `accept`; return the number of the change."""
    dead = "select change_number from changes where system = ? and status in ('staged', 'refused')"
    connection.execute(f"delete from batches where change_number in ({dead})", (change.system,))
    connection.execute("delete from changes where system = ? and status in ('staged', 'refused')", (change.system,))
    values = (change.system, run_id, change.delivery_date, change.state_hash, change.is_complete)
    number = connection.execute(
        "insert into changes (system, run_id, delivery_date, state_hash, is_complete, status) values (?, ?, ?, ?, ?, 'staged')",
        values,
    ).lastrowid
    connection.executemany(
        "insert into batches (batch_id, change_number, feed, rows, path, lacks, control_sums, status, withdrawn, withdrawn_path)"
        " values (?, ?, ?, ?, ?, ?, '{}', 'staged', ?, ?)",
        [
            (row.batch_id, number, row.feed, row.rows, row.path, ",".join(row.lacks), row.withdrawn, row.withdrawn_path)
            for row in change.batches
        ],
    )
    connection.executemany("insert into record_changes values (?, ?, ?, ?, ?, ?)", [(number, *move) for move in change.moves])
    connection.executemany("insert into record_resolutions values (?, ?, ?, ?)", [(number, *found) for found in change.resolved])
    known = dict(
        connection.execute(
            "select s.file_no, d.file_id from source_files as s inner join deliveries as d on d.path = s.path and d.sha256"
            " = s.sha256"
            " where d.status in ('accepted', 'duplicate')"
        ).fetchall()
    )
    connection.execute(
        "delete from quarantine where waits_for_change is not null and waits_for_change not in (select change_number from changes)"
    )
    earlier = [(known[file_no], row) for file_no, row in change.quarantine if file_no in known]
    if change.is_complete:
        earlier = _still_open(connection, int(number or 0), {known[move[0]]: move[0] for move in change.moves if move[0] in known}, earlier)
    keep_out(connection, run_id, earlier, waits_for_change=number)
    return int(number or 0)


def _still_open(
    connection: sqlite3.Connection, change_number: int, files: dict[int, int], found: list[tuple[int, QuarantinedRecord]]
) -> list[tuple[int, QuarantinedRecord]]:
    """Resolve the open records of earlier files that a change of all rows does not find again; return what is newly found."""
    marks = ", ".join("?" for _ in files)
    held = connection.execute(
        f"select file_id, feed, record_number from quarantine_life where quarantine_state = 'open' and file_id in ({marks})", list(files)
    ).fetchall()
    again = {(file_id, row.feed, row.record_number) for file_id, row in found}
    connection.executemany(
        "insert into record_resolutions values (?, ?, ?, ?)",
        [(change_number, files[file_id], feed, record) for file_id, feed, record in held if (file_id, feed, record) not in again],
    )
    return [(file_id, row) for file_id, row in found if (file_id, row.feed, row.record_number) not in set(held)]


def refuse(connection: sqlite3.Connection, run_id: str, feed: str, reason: str) -> None:
    """Refuse the changes of a run that hold rows of a feed, and the files that they come from."""
    connection.execute(
        "update changes set status = 'refused' where run_id = ? and status = 'staged' and change_number in (select"
        " change_number from batches where feed = ? and status = 'staged')",
        (run_id, feed),
    )
    connection.execute(  # the files of a refused change; they have no batches of their own
        "update deliveries set status = 'refused', error = ? where run_id = ? and status = 'staged' and duplicate_of is"
        " null and"
        " system in (select system from changes where run_id = ? and status = 'refused') and file_id not in (select"
        " file_id from"
        " batches where file_id is not null)",
        (f"feed {feed}: {reason}", run_id, run_id),
    )


def accept(connection: sqlite3.Connection, run_id: str) -> None:
    """Move the states of records of earlier files, and make the batches of changes visible."""
    changes = f"select change_number from changes where run_id = {_quoted(run_id)} and status = 'staged'"
    for file_no, loaded, superseded, quarantined, waiting in connection.execute(
        "select file_no, sum(loaded), sum(superseded), sum(quarantined), sum(waiting) from record_changes"
        f" where change_number in ({changes}) group by file_no"
    ).fetchall():
        connection.execute(
            "update deliveries set loaded = loaded + ?, superseded = superseded + ?, quarantined = quarantined + ?, waiting ="
            " waiting + ?"
            " where status = 'accepted' and exists (select 1 from source_files as s where s.file_no = ? and s.path ="
            " deliveries.path and"
            " s.sha256 = deliveries.sha256)",
            (loaded, superseded, quarantined, waiting, file_no),
        )
    connection.execute(
        "update quarantine set resolved_by_run_id = ? where resolved_by_run_id is null and exists (select 1 from"
        " record_resolutions as r"
        " inner join source_files as s on s.file_no = r.file_no inner join deliveries as d on d.path = s.path and d.sha256 = s.sha256"
        f" where r.change_number in ({changes}) and d.file_id = quarantine.file_id and d.status = 'accepted'"
        " and r.feed = quarantine.feed and r.record_number = quarantine.record_number)",
        (run_id,),
    )
    connection.execute(f"update quarantine set waits_for_change = null where waits_for_change in ({changes})")
    connection.execute(
        "update batches set status = 'replaced' where status = 'accepted' and change_number in (select old.change_number from"
        " changes as old"
        " inner join changes as new on new.system = old.system and new.change_number > old.change_number where new.is_complete"
        " and new.run_id"
        " = ? and new.status = 'staged')",
        (run_id,),
    )
    connection.execute(f"update batches set status = 'accepted' where status = 'staged' and change_number in ({changes})")
    connection.execute("delete from record_changes")
    connection.execute("delete from record_resolutions")
    connection.execute("update changes set status = 'accepted' where run_id = ? and status = 'staged'", (run_id,))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
