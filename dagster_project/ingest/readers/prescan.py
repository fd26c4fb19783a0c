"""Our own look at a delivered file before any engine sees it: bytes, archive, encoding, header and the count of records.

Holds the streaming scan (law 2: the count of physical records is ours). It must not type a value or know a feed. The scan
is vectorised over bytes and leaves the rare cases (a lone carriage return, an odd quote) to `records`, the exact reader.
A clean UTF-8 copy is written only when the engine cannot read the original: zst and zip, byte order mark, other encoding.
"""

from __future__ import annotations

import csv
import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dagster_project.errors import FileUnread, InputRefused
from dagster_project.ingest.readers.decoding import encoding_advice, is_read_as_it_is, text_chunks
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.formats import COLUMNS, HEADER_BYTES, LINE_BYTES, format_of
from dagster_project.ingest.readers.header import Header, checked_header, without_lines
from dagster_project.ingest.readers.records import csv_words

_LF, _CR = 10, 13


@dataclass(frozen=True)
class Prescan:
    """What the scan found.

    `records` counts data records (header and blank lines apart), `readable` is the file to read: the original (packed as gz where
    `is_packed`) or the clean copy, `needs_exact_reader` says that the vectorised count cannot be trusted, `longest_line` is in bytes.
    """

    sha256: str
    bytes: int
    records: int
    columns: tuple[str, ...]
    readable: Path
    needs_exact_reader: bool
    longest_line: int
    is_packed: bool = False
    ambiguous: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # see `Header`
    odd: Mapping[str, str] = field(default_factory=dict)  # columns of Parquet whose type is not read, see `parquet_columns`


class _Counter:
    """Counts records over a stream of UTF-8 chunks; knows whether it is inside quotes."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self.path = path
        self.delimiter = ord(dialect.delimiter or ",")
        self.quote = dialect.quote.encode()
        self.delimiters = 0  # outside quotes; the engine forgives an empty field too many, and then values shift
        self.records = 0  # ended by a line end outside quotes; blank lines do not count
        self.longest = 0
        self.open_bytes = 0  # bytes since the last line end
        self.record_bytes = 0  # bytes since the last record end, bounded like a line
        self.inside_quotes = False
        self.lone_returns = False
        self.last_byte = 0

    def add(self, chunk: bytes) -> None:
        if b"\0" in chunk:
            raise FileUnread(f"{self.path}: holds a NUL byte; {_text_advice(chunk)}")
        bytes_ = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(bytes_ == _LF)
        has_returns = b"\r" in chunk or self.last_byte == _CR
        if has_returns and not self.lone_returns:
            self._look_for_lone_returns(bytes_)
        self._limit_lines(ends, len(chunk))
        blank = self._blank(bytes_, ends, has_returns)
        if self.quote and self.quote in chunk:
            quotes = np.flatnonzero(bytes_ == ord(self.quote))
            inside = (np.searchsorted(quotes, ends) + self.inside_quotes) % 2 == 1
            self.delimiters += self._delimiters_outside(bytes_, quotes)
            self.inside_quotes = bool((len(quotes) + self.inside_quotes) % 2)
            self.records += int(np.count_nonzero(~inside & ~blank))
            outside = ends[~inside]
        else:
            outside = ends[:0] if self.inside_quotes else ends
            self.delimiters += 0 if self.inside_quotes else int(np.count_nonzero(bytes_ == self.delimiter))
            self.records += int(np.count_nonzero(~blank)) if not self.inside_quotes else 0
        self.record_bytes = len(chunk) - int(outside[-1]) - 1 if len(outside) else self.record_bytes + len(chunk)
        if self.record_bytes > LINE_BYTES:
            what = "a quote is opened and never closed, or the field" if self.inside_quotes else "the line"
            raise InputRefused(
                f"{self.path}: record {self.records:,}: {what} is longer than {LINE_BYTES:,} bytes; remedy: repair the export"
            )
        self.last_byte = chunk[-1]

    def _delimiters_outside(
        self, bytes_: np.ndarray[tuple[int], np.dtype[np.uint8]], quotes: np.ndarray[tuple[int], np.dtype[np.intp]]
    ) -> int:
        """Count delimiters between an even number of quotes: those up to each quote, taken with alternating sign."""
        running = np.cumsum(bytes_ == self.delimiter, dtype=np.int32)
        seen = np.concatenate(([0], running[quotes], running[-1:]))
        spans = np.diff(seen)
        return int(spans[self.inside_quotes :: 2].sum())

    def _limit_lines(self, ends: np.ndarray[tuple[int], np.dtype[np.intp]], size: int) -> None:
        if not len(ends):
            self.open_bytes += size
        else:
            inner = int(np.diff(ends).max()) if len(ends) > 1 else 0
            self.longest = max(self.longest, self.open_bytes + int(ends[0]) + 1, inner)
            self.open_bytes = size - int(ends[-1]) - 1
        self.longest = max(self.longest, self.open_bytes)
        if self.longest > LINE_BYTES:
            raise InputRefused(
                f"{self.path}: record {self.records:,}: the line is longer than {LINE_BYTES:,} bytes; remedy: repair the export"
            )

    def _blank(
        self, bytes_: np.ndarray[tuple[int], np.dtype[np.uint8]], ends: np.ndarray[tuple[int], np.dtype[np.intp]], has_returns: bool
    ) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        widths = np.diff(ends, prepend=-1)
        if len(ends):
            widths[0] += getattr(self, "_carried", 0)
        blank = widths == 1
        if has_returns:
            blank |= (widths == 2) & (bytes_[ends - 1] == _CR)
        self._carried = len(bytes_) - int(ends[-1]) - 1 if len(ends) else getattr(self, "_carried", 0) + len(bytes_)
        return np.asarray(blank)

    def _look_for_lone_returns(self, bytes_: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> None:
        returns = np.flatnonzero(bytes_ == _CR)
        if self.last_byte == _CR and bytes_[0] != _LF:
            self.lone_returns = True
        inner = returns[returns < len(bytes_) - 1]
        if np.any(bytes_[inner + 1] != _LF):
            self.lone_returns = True

    def finish(self) -> None:
        if self.open_bytes:  # the last record has no line end
            self.records += 1
        if self.last_byte == _CR:
            self.lone_returns = True


def _text_advice(chunk: bytes) -> str:
    advice = encoding_advice(chunk)
    return advice if "utf-16" in advice else "remedy: export it as text"


def read_header(line: bytes, path: Path, dialect: Dialect) -> Header:
    """Return the columns of the header line.

    Raises
    ------
    InputRefused
        A quote that is not closed on the line, or see `checked_header`.
    """
    try:
        return checked_header(next(csv.reader([line.decode("utf-8")], strict=True, **csv_words(dialect)), []), path, dialect)
    except csv.Error as error:
        raise InputRefused(
            f"{path}: the header is not one well quoted line ({error}); remedy: repair the export, or declare header_row"
        ) from error


def checked_names(names: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return the keys of objects as names of columns (NFC, outer blanks removed).

    Raises
    ------
    InputRefused
        No names, too many, an empty one, or one repeated; the engine does not tell capitals.
    """
    columns = tuple(unicodedata.normalize("NFC", name).strip() for name in names)
    if not columns:
        raise InputRefused(f"{path}: the first line is blank, no header; remedy: begin the file with its header")
    if len(columns) > COLUMNS:
        raise InputRefused(
            f"{path}: header names {len(columns):,} columns, the limit is {COLUMNS:,}; remedy: check the delimiter and the export"
        )
    known: dict[str, str] = {}
    for number, name in enumerate(columns, start=1):
        if not name:
            raise InputRefused(f"{path}: column {number} of the header has no name; remedy: name it")
        if "\0" in name:
            raise InputRefused(f"{path}: the name of column {number} holds a NUL character; remedy: rename it")
        if (other := known.setdefault(name.lower(), name)) != name or len(known) < number:
            again = f"{name} twice" if other == name else f"{name} and {other}, which differs only in capitals"
            raise InputRefused(f"{path}: the header names column {again}; remedy: rename one of them")
    return columns


def prescan_text(path: Path, dialect: Dialect, scratch: Path) -> Prescan:
    """Scan one text file; `scratch` is a folder for the clean copy.

    Raises
    ------
    InputRefused
        Empty file, damaged archive, wrong encoding, NUL byte, a limit exceeded, an unusable header, or a quote that is
        opened and never closed.
    """
    size = path.stat().st_size
    if size == 0:
        raise FileUnread(f"{path}: 0 bytes; an empty day has at least a header; remedy: deliver the file again")
    digest = hashlib.sha256()
    form = format_of(path.name, path)
    above = (dialect.header_row or 1) - 1
    is_copied = above > 0 or not is_read_as_it_is(path, form, dialect.encoding)
    chunks = text_chunks(path, form, dialect, digest)
    if above:
        chunks = without_lines(chunks, above, path)
    counter = _Counter(path, dialect)
    header = b""
    readable = copy_of(path, scratch) if is_copied else path
    copy = readable.open("wb") if is_copied else None
    try:
        for chunk in chunks:
            if not chunk:
                continue
            if b"\n" not in header:
                header += chunk
                if len(header.split(b"\n", 1)[0]) > HEADER_BYTES:
                    raise InputRefused(
                        f"{path}: the header is longer than {HEADER_BYTES:,} bytes; remedy: check that the file is text with one header"
                        " line"
                    )
                header = header if b"\n" not in header else header.split(b"\n", 1)[0] + b"\n"
            counter.add(chunk)
            if copy is not None:
                copy.write(chunk)
    finally:
        if copy is not None:
            copy.close()
    counter.finish()
    if counter.records == 0:
        raise InputRefused(f"{path}: no header; an empty day has at least a header; remedy: deliver the file again")
    line = header.rstrip(b"\r\n").split(b"\r", 1)[0]
    found = read_header(line, path, dialect)
    columns = found.columns
    if counter.records - 1 > dialect.max_records:
        raise too_many_records(path, dialect)
    is_ragged = counter.delimiters != counter.records * (len(columns) - 1)
    return Prescan(
        sha256=digest.hexdigest(),
        bytes=size,
        records=counter.records - 1,
        columns=columns,
        readable=readable,
        needs_exact_reader=counter.inside_quotes or counter.lone_returns or is_ragged or dialect.escape is not None,
        longest_line=counter.longest,
        is_packed=bool(form.packing) and not is_copied,
        ambiguous=found.ambiguous,
    )


def copy_of(path: Path, scratch: Path) -> Path:
    """Return where the clean copy of a file goes."""
    return scratch / hashlib.sha256(str(path).encode()).hexdigest()[:24]


def too_many_records(path: Path, dialect: Dialect) -> InputRefused:
    """Word the refusal of a file with more records than its stream allows."""
    return InputRefused(f"{path}: more than {dialect.max_records:,} records; remedy: deliver it in parts, or raise max_records")
