"""Build, verify and release a new version of what readers see.

The source is attached and only schemas marts, analytics, reporting and ops are copied, table by table, and the tables behind
views among them, so that no staging row and no freed block of the writer's file travels along. When the run says which months
changed, the copy starts as the served file and only those months are written. Readers notice nothing until the pointer is switched.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.engines.duckdb import connect_memory
from dagster_project.host.lock import SPILL
from dagster_project.publish.describing import Descriptions, identity
from dagster_project.publish.drafts import Work, draft_of
from dagster_project.publish.increment import Changed
from dagster_project.publish.measuring import Measures, content_hash, is_for_readers, literal
from dagster_project.publish.parquet_export import describe_exports, write_exports
from dagster_project.publish.releasing import cleaned, explained, name_file, now, release, stem_of, swept
from dagster_project.publish.source import Source
from dagster_project.publish.verify import fresh_process
from dagster_project.publish.versions import (
    EXPORT,
    Pointer,
    is_complete,
    next_seq,
    published_folder,
    publisher_lock,
    read_manifest,
    read_pointer,
    retire,
    switch_pointer,
)
from dagster_project.settings import fault_point


@dataclass(frozen=True)
class Published:
    """What is served now. `is_new` is false when the content was already served; `removed` names retired files."""

    pointer: Pointer
    is_new: bool
    removed: tuple[str, ...] = ()


def publish(
    home: Path,
    source: Source,
    *,
    run_id: str,
    inputs_sha256: str,
    data_as_of: date | None,
    monthly: Collection[str] = frozenset(),
    descriptions: Descriptions | None = None,
    changed: Changed | None = None,
    keep: Collection[str] = frozenset(),
    copy_limit_bytes: int = 50_000_000_000,
    threads: int = 2,
    memory_limit: str = "4GB",
) -> Published:
    """Publish the source as the next version, unless its content is already served.

    Parameters
    ----------
    home, source
        HOME, and where the rows come from.
    run_id, inputs_sha256, data_as_of
        Written into the pointer; `data_as_of` is the latest business date of the data. When the content is already
        served only `inputs_sha256` of the pointer changes, so that the next run knows that these inputs are done.
    monthly
        `schema.table` of the tables whose rows belong to the fiscal month in their column `period_month`.
    descriptions
        What tables and columns mean: comments of the file, metadata of the Parquet files. Other texts make another version.
    changed
        Which months of these tables may differ from the served version; the others are taken from it. Without it, or where it
        does not fit what is served, everything is read and written. The rows that are served are the same either way.
    keep
        Content hashes that retention must never remove (those that finance extracts were made from).
    copy_limit_bytes
        Parquet files that the source wrote and that are larger than this are not copied: the version's file holds views over them.

    Raises
    ------
    InfrastructureError
        Disk full, damaged file, failed verification, or another publisher was faster. The served version is unchanged.
    """
    folder, texts = published_folder(home), descriptions or {}
    with publisher_lock(home), swept(home), closing(_connect(home, threads, memory_limit)) as connection:
        with explained(folder):
            work = Work(connection, source.attach(connection, folder / EXPORT), folder, monthly, texts)
            draft = draft_of(work, source, home, changed, copy_limit_bytes)
            expected = draft.measure()
        content, current = content_hash(expected), read_pointer(home)
        is_served = current is not None and current.content_hash == content and (draft.base is not None or is_complete(home, current))
        if current is not None and is_served and _says_the_same(home, current, expected, texts):
            same = replace(current, inputs_sha256=inputs_sha256)
            if same != current:
                switch_pointer(home, same)
            return Published(same, is_new=False)
        seq = next_seq(home)
        stem = stem_of(seq, content)
        file, exports = folder / f"{stem}.duckdb", folder / stem
        with cleaned(home, stem), explained(folder):
            draft.write(exports)
            fault_point("publish_built")
            name_file(work.file, file)
            fault_point("publish_copied")
            with fresh_process(file, expected, draft.plan, exports if draft.is_view else None) as verified:
                kept = draft.kept_months(expected, exports)
                if not source.writes_parquet:
                    connection.execute(f"attach {literal(str(file))} as written (read_only)")
                    write_exports(connection, "written", expected, exports, texts)
                elif not draft.is_view:
                    (folder / EXPORT).rename(exports)
                written = verified()
            fault_point("publish_verified")
            pointer = Pointer(
                seq=seq,
                file=file.name,
                content_hash=content,
                inputs_sha256=inputs_sha256,
                sha256=written["sha256"],
                bytes=written["bytes"],
                duckdb_version=duckdb.__version__,
                data_as_of=data_as_of.isoformat() if data_as_of else None,
                run_id=run_id,
                published_at=now(),
                tables={name: values["rows"] for name, values in expected.items() if is_for_readers(name)},
                is_view=draft.is_view,
            )
            full_bytes = draft.base.full_bytes if draft.base else pointer.bytes
            release(home, pointer, describe_exports(expected, exports, kept), full_bytes, identity(texts))
        return Published(pointer, is_new=True, removed=retire(home, keep))


def _connect(home: Path, threads: int, memory_limit: str) -> duckdb.DuckDBPyConnection:
    return connect_memory(threads=threads, memory_limit=memory_limit, temp_directory=home / SPILL)


def _says_the_same(home: Path, pointer: Pointer, expected: Measures, texts: Descriptions) -> bool:
    """Equal marts are published again when the account of the deliveries differs, a duplicate changes only that, or what tables mean."""
    manifest = read_manifest(home, pointer.stem)
    served, names = manifest["tables"], ("ops.load_ledger", "ops.quarantine")
    return manifest.get("descriptions_sha256") == identity(texts) and all(
        served.get(name, {}).get("hash") == expected.get(name, {}).get("hash") for name in names
    )
