"""Build, verify and reveal a new version of what readers see; bring an old one back.

The source is attached and only schemas marts, analytics, reporting and ops are copied, table by table, so that no
staging row and no freed block of the writer's file travels along. Readers notice nothing until the pointer flips.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.publish.copying import build, build_views, describe_twins, require_space, write_twins
from dagster_project.publish.source import Source
from dagster_project.publish.verify import Measures, content_hash, fresh_process, measure
from dagster_project.publish.versions import (
    EXPORT,
    Pointer,
    discard,
    flip,
    is_whole,
    next_seq,
    published_folder,
    publisher_lock,
    read_manifest,
    read_pointer,
    retire,
    sweep,
    sync,
    versions,
    write_synced,
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
    keep
        Content hashes that retention must never remove (those that finance extracts were made from).
    copy_limit_bytes
        Parquet files that the source wrote and that are larger than this are not copied: the version's file holds views over them.

    Raises
    ------
    InfrastructureError
        Disk full, damaged file, failed verification, or another publisher was faster. The served version is unchanged.
    """
    folder = published_folder(home)
    with publisher_lock(home), closing(_connect(home, threads, memory_limit)) as connection:
        sweep(home)
        with _explained(folder):
            database, tables = source.attach(connection, folder / EXPORT)
            expected = measure(connection, database, tables)
        content = content_hash(expected)
        current = read_pointer(home)
        is_served = current is not None and current.content_hash == content and is_whole(home, current)
        if current is not None and is_served and _same_deliveries(home, current, expected):
            same = replace(current, inputs_sha256=inputs_sha256)
            if same != current:
                flip(home, same)
            shutil.rmtree(folder / EXPORT, ignore_errors=True)
            return Published(same, is_new=False)
        seq = next_seq(home)
        stem = _stem(seq, content)
        is_view = source.writes_parquet and _size(folder / EXPORT) > copy_limit_bytes
        if not is_view:
            require_space(connection, database, tables, folder)
        with _cleaned(home, stem), _explained(folder):
            if is_view:
                (folder / EXPORT).rename(folder / stem)
                build_views(folder / stem, folder / f"{stem}.building")
            else:
                build(connection, database, tables, folder / f"{stem}.building")
            fault_point("publish_built")
            _settle(folder / f"{stem}.building", folder / f"{stem}.duckdb")
            fault_point("publish_copied")
            with fresh_process(folder / f"{stem}.duckdb", expected, folder / stem if is_view else None) as verified:
                if not source.writes_parquet:
                    write_twins(connection, database, expected, folder / stem)
                elif not is_view:
                    (folder / EXPORT).rename(folder / stem)
                file = verified()
            fault_point("publish_verified")
            pointer = Pointer(
                seq=seq,
                file=f"{stem}.duckdb",
                content_hash=content,
                inputs_sha256=inputs_sha256,
                sha256=file["sha256"],
                bytes=file["bytes"],
                duckdb_version=duckdb.__version__,
                data_as_of=data_as_of.isoformat() if data_as_of else None,
                run_id=run_id,
                published_at=_now(),
                tables={name: values["rows"] for name, values in expected.items()},
                is_view=is_view,
            )
            _reveal(home, pointer, describe_twins(expected, folder / stem))
        return Published(pointer, is_new=True, removed=retire(home, keep))


def rollback(home: Path, seq: int, *, run_id: str) -> Published:
    """Publish the content of an older version again, as a new version, so that history stays a line.

    Raises
    ------
    UsageError
        There is no complete version `seq`.
    InfrastructureError
        The old version is damaged, or the disk is full. The served version is unchanged.
    """
    folder = published_folder(home)
    with publisher_lock(home):
        sweep(home)
        known = {version.seq: version for version in versions(home)}
        if seq not in known:
            raise UsageError(f"there is no version {seq} in {folder}; kept versions: {', '.join(map(str, sorted(known))) or 'none'}")
        old, new_seq = known[seq], next_seq(home)
        twins = read_manifest(home, old.stem)["tables"]
        stem = _stem(new_seq, old.content_hash)
        with _cleaned(home, stem), _explained(folder):
            shutil.copytree(folder / old.stem, folder / stem, ignore=shutil.ignore_patterns("manifest.json"))
            if old.is_view:
                build_views(folder / stem, folder / f"{stem}.building")
            else:
                shutil.copyfile(folder / old.file, folder / f"{stem}.building")
                sync(folder / f"{stem}.building")
            _settle(folder / f"{stem}.building", folder / f"{stem}.duckdb")
            expected = {name: {"rows": twin["rows"], "hash": twin["hash"]} for name, twin in twins.items()}
            with fresh_process(folder / f"{stem}.duckdb", expected, folder / stem if old.is_view else None) as verified:
                file = verified()
            current = read_pointer(home)  # its inputs stay the ones done, or the next run would publish them again at once
            inputs = current.inputs_sha256 if current else old.inputs_sha256
            pointer = replace(old, seq=new_seq, file=f"{stem}.duckdb", run_id=run_id, inputs_sha256=inputs, published_at=_now(), **file)
            _reveal(home, pointer, describe_twins(expected, folder / stem))
        return Published(pointer, is_new=True)


def _connect(home: Path, threads: int, memory_limit: str) -> duckdb.DuckDBPyConnection:
    return connect_memory(threads=threads, memory_limit=memory_limit, temp_directory=home / "spill")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.parquet") if file.is_file())


def _stem(seq: int, content: str) -> str:
    return f"marts-{seq:06d}-{content[:8]}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")  # for people who ask how old the copy is; nothing is ordered by it


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        free = shutil.disk_usage(folder).free
        raise InfrastructureError(
            f"publish failed: {str(error).splitlines()[0]}; {free:,} bytes free in {folder}; the previous copy stays served"
        ) from error


@contextmanager
def _cleaned(home: Path, stem: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        current = read_pointer(home)
        if current is None or current.stem != stem:
            discard(home, stem)
        raise


def _same_deliveries(home: Path, pointer: Pointer, expected: Measures) -> bool:
    """Equal marts are published again when the account of the deliveries differs: a duplicate changes only that."""
    told = read_manifest(home, pointer.stem)["tables"]
    names = ("ops.load_ledger", "ops.quarantine")
    return all(told.get(name, {}).get("hash") == expected.get(name, {}).get("hash") for name in names)


def _settle(building: Path, target: Path) -> None:
    building.chmod(0o444)
    building.rename(target)
    sync(target.parent)


def _reveal(home: Path, pointer: Pointer, twins: dict[str, dict[str, Any]]) -> None:
    """Name the version: its folder is none until the manifest is there, and it is not served until the pointer says so."""
    folder = published_folder(home) / pointer.stem
    folder.mkdir(exist_ok=True)
    for inner in (path for path in folder.rglob("*") if path.is_dir()):
        sync(inner)
    write_synced(folder / "manifest.json.tmp", {"version": asdict(pointer), "tables": twins})
    (folder / "manifest.json.tmp").rename(folder / "manifest.json")
    sync(folder)
    sync(folder.parent)
    fault_point("publish_twins")
    flip(home, pointer)
    fault_point("publish_pointer")
