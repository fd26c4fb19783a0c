"""The bytes of a delivered file as UTF-8 text: archive checked to its last byte, declared encoding checked, never repaired.

Holds streaming decompression and transcoding. It must not know records or columns.
"""

from __future__ import annotations

import codecs
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from dagster_project.errors import InputRefused

CHUNK_BYTES = 1 << 22
RATIO_LIMIT = 200
RATIO_GRACE_BYTES = 1 << 20  # a small file of equal lines compresses better than any bomb has to
ARCHIVE_LIMIT = 2 << 30


def is_plain_utf8(path: Path, encoding: str) -> bool:
    """Say whether the engine can read the file as it lies: no archive, no byte order mark, declared as UTF-8."""
    with path.open("rb") as file:
        has_mark = file.read(3) == codecs.BOM_UTF8
    return not (path.name.endswith(".gz") or has_mark or codecs.lookup(encoding).name != "utf-8")


def raw_chunks(path: Path, digest: hashlib._Hash) -> Iterator[bytes]:
    """Yield the bytes of the text and feed those of the file to `digest`.

    Raises
    ------
    InputRefused
        The archive is damaged, ends early, is too large or grows too much.
    """
    return _archive_chunks(path, digest) if path.name.endswith(".gz") else _plain_chunks(path, digest)


def _archive_chunks(path: Path, digest: hashlib._Hash) -> Iterator[bytes]:
    size = path.stat().st_size
    if size > ARCHIVE_LIMIT:
        raise InputRefused(f"{path}: archive of {size:,} bytes is over the limit of {ARCHIVE_LIMIT:,}; remedy: deliver it in parts")
    inflater = zlib.decompressobj(wbits=31)
    taken = given = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 18):
            digest.update(piece)
            taken += len(piece)
            while piece:
                if inflater.eof:
                    inflater = zlib.decompressobj(wbits=31)
                try:
                    out = inflater.decompress(piece, CHUNK_BYTES)
                except zlib.error as error:
                    raise InputRefused(
                        f"{path}: archive damaged near byte {taken - len(piece):,} ({error}); remedy: deliver the file again"
                    ) from error
                given += len(out)
                if given > RATIO_GRACE_BYTES and given > RATIO_LIMIT * size:
                    raise InputRefused(
                        f"{path}: archive grows more than {RATIO_LIMIT} times; remedy: deliver it uncompressed if it is genuine"
                    )
                if out:
                    yield out
                piece = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if not inflater.eof:
        raise InputRefused(f"{path}: archive damaged: it ends early at byte {taken:,}; remedy: deliver the file again, complete")


def _plain_chunks(path: Path, digest: hashlib._Hash) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            yield chunk


def utf8_chunks(chunks: Iterator[bytes], path: Path, encoding: str) -> Iterator[bytes]:
    """Check the declared encoding and yield UTF-8 bytes without a byte order mark."""
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8 else encoding)("strict")
    position, pending = 0, False
    for chunk in chunks:
        if is_utf8 and not pending and position and chunk.isascii():
            position += len(chunk)
            yield chunk
            continue
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise InputRefused(
                f"{path}: not {encoding} at byte {position + error.start:,} of its text ({error.reason}); remedy: declare the real"
                " encoding in the mapping"
            ) from error
        pending = bool(decoder.getstate()[0])
        position += len(chunk)
        yield text.encode("utf-8")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path}: ends in the middle of a character ({encoding}); remedy: deliver the file again, complete") from error
