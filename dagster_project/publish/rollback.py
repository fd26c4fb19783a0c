"""Bring an old version back: its content as a new version, so that history stays a line."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from dagster_project.engines.duckdb import connect_published
from dagster_project.errors import UsageError
from dagster_project.publish.copying import build_views
from dagster_project.publish.describing import comments_in
from dagster_project.publish.parquet_export import files_of
from dagster_project.publish.publisher import Published
from dagster_project.publish.releasing import cleaned, explained, name_file, now, release, stem_of, swept
from dagster_project.publish.stable_path import CURRENT, link_or_copy
from dagster_project.publish.verify import fresh_process
from dagster_project.publish.versions import COPY, next_seq, published_folder, publisher_lock, read_manifest, read_pointer, sync, versions


def rollback(home: Path, seq: int, *, run_id: str) -> Published:
    """Publish the content of an older version again, as a new version; its Parquet files get a second name there.

    The version that is served is published already: nothing is done.

    Raises
    ------
    UsageError
        There is no complete version `seq`.
    InfrastructureError
        The old version is damaged, or the disk is full. The served version is unchanged.
    """
    folder = published_folder(home)
    with publisher_lock(home), swept(home):
        known = {version.seq: version for version in versions(home)}
        if seq not in known:
            raise UsageError(f"there is no version {seq} in {folder}; kept versions: {', '.join(map(str, sorted(known))) or 'none'}")
        current = read_pointer(home)
        if current and current.seq == seq:
            return Published(current, is_new=False)
        old, new_seq = known[seq], next_seq(home)
        manifest = read_manifest(home, old.stem)
        stem = stem_of(new_seq, old.content_hash)
        with cleaned(home, stem), explained(folder):
            ignored = shutil.ignore_patterns("manifest.json", CURRENT)
            shutil.copytree(folder / old.stem, folder / stem, ignore=ignored, copy_function=link_or_copy)
            for entry in files_of(manifest["tables"]).values():
                if (folder / stem / entry["file"]).stat().st_size != entry["bytes"]:
                    raise OSError(f"{entry['file']} of version {seq} is not as it was published")
            if old.is_view:
                with closing(connect_published(folder / old.file, parquet=folder / old.stem)) as connection:
                    texts = comments_in(connection, old.stem)
                build_views(folder / stem, folder / COPY, texts)
            else:
                shutil.copyfile(folder / old.file, folder / COPY)
                sync(folder / COPY)
            name_file(folder / COPY, folder / f"{stem}.duckdb")
            with fresh_process(folder / f"{stem}.duckdb", manifest["tables"], parquet=folder / stem if old.is_view else None) as verified:
                file = verified()
            # the inputs stay the ones done, or the next run would publish them again at once
            inputs = current.inputs_sha256 if current else old.inputs_sha256
            pointer = replace(old, seq=new_seq, file=f"{stem}.duckdb", run_id=run_id, inputs_sha256=inputs, published_at=now(), **file)
            full_bytes, texts_sha256 = manifest.get("full_bytes", pointer.bytes), manifest.get("descriptions_sha256", "")
            release(home, pointer, manifest["tables"], full_bytes, texts_sha256)
        return Published(pointer, is_new=True)
