"""The bytes of a delivered file as UTF-8 text: archive checked to its last byte, declared encoding checked, never repaired.

Holds streaming decompression and transcoding. It must not know records or columns.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from backports import zstd
from zlib_ng import zlib_ng

from dagster_project.errors import FileUnread, InputRefused
from dagster_project.ingest.readers.archives import limit_growth, limit_size, member_chunks, only_member, refuse_archive
from dagster_project.ingest.readers.dialect import WHERE, Dialect
from dagster_project.ingest.readers.formats import Format

CHUNK_BYTES = 1 << 22
_READ_BYTES = 1 << 18
_DAMAGED = (cast("type[Exception]", zlib_ng.error), zstd.ZstdError)  # its stub calls the class an instance
_ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}  # 128 MB: what a frame may ask to keep in memory


def is_read_as_it_is(path: Path, form: Format, encoding: str) -> bool:
    """Return whether the engine can read the file: plain or gz, no byte order mark, declared as UTF-8."""
    if form.packing not in ("", ".gz") or codecs.lookup(encoding).name != "utf-8":
        return False
    try:
        with gzip.open(path) if form.packing else path.open("rb") as file:
            return file.read(3) != codecs.BOM_UTF8
    except (OSError, EOFError, zlib.error):
        return False  # its reader reports what is wrong


def text_chunks(path: Path, form: Format, dialect: Dialect, digest: hashlib._Hash) -> Iterator[bytes]:
    """Yield the text as UTF-8 and feed the bytes of the file to `digest`.

    Raises
    ------
    InputRefused
        The archive is damaged, ends early, is too large, grows too much or is packed twice; or the text is not of the
        declared encoding.
    """
    chunks = _utf8(_limited(raw_chunks(path, form, dialect.max_bytes, digest), path, dialect.max_bytes), path, dialect.encoding)
    return _ahead(chunks) if path.stat().st_size > _READ_BYTES else chunks


def _ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Make each chunk on a second thread while the caller works on the one before: unpacking and hashing let go of the interpreter."""
    with ThreadPoolExecutor(1) as maker:
        following = maker.submit(next, chunks, None)
        while (chunk := following.result()) is not None:
            following = maker.submit(next, chunks, None)
            yield chunk


def raw_chunks(path: Path, form: Format, most: int, digest: hashlib._Hash) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file as they are encoded; see `text_chunks`."""
    if form.packing == ".zip":
        with path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                digest.update(piece)
        return member_chunks(path, only_member(path, most), most)
    return _unpacked(path, form.packing, most, digest) if form.packing else _plain(path, digest)


def _limited(chunks: Iterator[bytes], path: Path, most: int) -> Iterator[bytes]:
    given = 0
    for chunk in chunks:
        if not given:
            refuse_archive(chunk, path)
        given += len(chunk)
        if given > most:
            limit_growth(path, given, given, most)
        yield chunk


def _unpacker(packing: str) -> zlib_ng._Decompress | zstd.ZstdDecompressor:
    return zlib_ng.decompressobj(wbits=31) if packing == ".gz" else zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)


def _unpacked(path: Path, packing: str, most: int, digest: hashlib._Hash) -> Iterator[bytes]:
    size = limit_size(path)
    unpacker = _unpacker(packing)
    taken = given = 0
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
            taken += len(piece)
            is_pending = True
            while is_pending:
                if unpacker.eof:  # archives may be joined end to end
                    unpacker = _unpacker(packing)
                try:
                    out = unpacker.decompress(piece, CHUNK_BYTES)
                except _DAMAGED as error:
                    raise FileUnread(
                        f"{path}: archive damaged near byte {taken - len(piece):,} ({error}); remedy: deliver the file again"
                    ) from error
                given += len(out)
                limit_growth(path, size, given, most)
                if out:
                    yield out
                if isinstance(unpacker, zstd.ZstdDecompressor):  # keeps what it did not take
                    piece = unpacker.unused_data if unpacker.eof else b""
                    is_pending = bool(piece) or not (unpacker.eof or unpacker.needs_input)
                else:
                    piece = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                    is_pending = bool(piece)
    if not unpacker.eof:
        raise FileUnread(f"{path}: archive damaged: it ends early at byte {taken:,}; remedy: deliver the file again, complete")


def _plain(path: Path, digest: hashlib._Hash) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            yield chunk


def likely_encoding(data: bytes) -> str:
    """Return an encoding in which these first bytes of a text make sense; it is for messages only."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding, zeros in (("utf-16-le", data[1:2_000:2]), ("utf-16-be", data[:2_000:2])):
        if 2 * zeros.count(0) > len(zeros):
            return encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)("strict").decode(data)
        except UnicodeError:
            continue
        return encoding
    return "latin-1"


def encoding_advice(data: bytes) -> str:
    """Word what the encoding seems to be and where to declare it."""
    return f"its bytes can be read as {likely_encoding(data)}; remedy: declare encoding: {likely_encoding(data)} {WHERE}, if it is that"


def _utf8(chunks: Iterator[bytes], path: Path, encoding: str) -> Iterator[bytes]:
    """Check the declared encoding and yield UTF-8 bytes without a byte order mark."""
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8 else encoding)("strict")
    position = pending = 0
    is_started = False
    for chunk in chunks:
        if is_utf8 and is_started and not pending and chunk.isascii():
            position += len(chunk)
            yield chunk
            continue
        try:
            text = decoder.decode(chunk)
            pending = len(decoder.getstate()[0])
            if text and not is_started:
                is_started, text = True, text.removeprefix("\ufeff")
            yield text.encode("utf-8")
        except UnicodeDecodeError as error:
            raise InputRefused(
                f"{path}: not {encoding} at byte {position - pending + error.start:,} of its text ({error.reason});"
                f" {encoding_advice(chunk)}"
            ) from error
        except UnicodeError as error:
            raise InputRefused(f"{path}: not {encoding} ({error}); {encoding_advice(chunk)}") from error
        position += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise FileUnread(f"{path}: ends in the middle of a character ({encoding}); remedy: deliver the file again, complete") from error
