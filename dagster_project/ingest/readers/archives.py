"""Zip archives, which workbooks are too: looked at before anything is unpacked, read to the last byte with sizes and checksums.

Holds the checks of a container. It must not know records. Nothing is ever written under a name that an archive states.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dagster_project.errors import FileUnread, InputRefused
from dagster_project.ingest.readers.formats import ARCHIVE_BYTES, RATIO, RATIO_GRACE_BYTES, Format, format_of

_CHUNK_BYTES = 1 << 20
_ENTRIES = 10_000
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
_MAGIC = (b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"PAR1")


def refuse_archive(start: bytes, path: Path) -> None:
    """Refuse a text that begins like an archive: packed twice, or under a wrong name.

    Raises
    ------
    InputRefused
        The first bytes are those of gz, zip, zst or Parquet.
    """
    if start.startswith(_MAGIC):
        raise InputRefused(f"{path}: its text is an archive again, or the name has a wrong suffix; remedy: pack it once, name it so")


def limit_size(path: Path) -> int:
    """Return the bytes of an archive.

    Raises
    ------
    InputRefused
        It is larger than an archive may be.
    """
    size = path.stat().st_size
    if size > ARCHIVE_BYTES:
        raise InputRefused(f"{path}: archive of {size:,} bytes is over the limit of {ARCHIVE_BYTES:,}; remedy: deliver it in parts")
    return size


def limit_growth(path: Path, packed: int, given: int, most: int) -> None:
    """Stop unpacking where it grows too much.

    Raises
    ------
    InputRefused
        More bytes than the archive may grow to, or than the stream allows.
    """
    if given > RATIO_GRACE_BYTES and given > RATIO * packed:
        raise InputRefused(f"{path}: archive grows more than {RATIO} times; remedy: deliver it uncompressed if it is genuine")
    if given > most:
        raise InputRefused(f"{path}: holds more than {most:,} bytes of text; remedy: deliver it in parts, or raise max_bytes")


@contextmanager
def opened(path: Path, most: int) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose stated sizes are within bounds.

    Raises
    ------
    InputRefused
        Not a zip archive, damaged, encrypted, with an odd path or link, or too large.
    """
    packed = limit_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > _ENTRIES:
                raise InputRefused(f"{path}: archive of {len(entries):,} files; the limit is {_ENTRIES:,}; remedy: deliver the file itself")
            for entry in entries:
                _check_entry(entry, path)
            limit_growth(path, packed, sum(entry.file_size for entry in entries), most)
            yield archive
    except InputRefused:
        raise
    except _DAMAGED as error:
        raise FileUnread(f"{path}: archive damaged ({error}); remedy: deliver the file again, complete") from error


def _check_entry(entry: zipfile.ZipInfo, path: Path) -> None:
    name = entry.filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise InputRefused(f"{path}: archive names the path {name!r}; remedy: pack the file without a path")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputRefused(f"{path}: {name!r} is a link or a device; remedy: pack the file itself")
    if entry.flag_bits & 1:
        raise InputRefused(f"{path}: {name!r} is encrypted; remedy: pack it without a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputRefused(f"{path}: {name!r} is packed by method {entry.compress_type}; remedy: pack it as an ordinary zip (deflate)")


def only_member(path: Path, most: int) -> str:
    """Return the name of the one file in a zip archive.

    Raises
    ------
    InputRefused
        None or several files, or see `opened`.
    """
    with opened(path, most) as archive:
        files = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        if len(files) != 1:
            raise InputRefused(f"{path}: archive of {len(files):,} files where one belongs; remedy: deliver one archive per file")
        return files[0]


def format_within(path: Path, most: int) -> Format:
    """Return the format of a delivered file, of a zip that of its one member.

    Raises
    ------
    InputRefused
        No accepted format, an archive within an archive, or see `only_member`.
    """
    form = format_of(path.name, path)
    if form.packing != ".zip":
        return form
    member = only_member(path, most)
    form = replace(format_of(member, path), packing=".zip", member=member)
    if form.kind not in ("text", "jsonl"):
        raise InputRefused(f"{path}: an archive within an archive; remedy: deliver the inner file as it is")
    return form


def member_chunks(path: Path, member: str, most: int) -> Iterator[bytes]:
    """Yield the bytes of one member; size and checksum are checked at its end.

    Raises
    ------
    InputRefused
        See `opened`; also a wrong size or checksum.
    """
    with opened(path, most) as archive, archive.open(member) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
