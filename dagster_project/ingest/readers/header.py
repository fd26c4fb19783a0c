"""Names of the columns of a header: those that it gives, those that the stream declares by position, and made ones for the rest.

Holds naming and the lines above a header. It must not know which names a feed reads (see `mapping.drift`).
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import InputRefused
from dagster_project.ingest.readers.dialect import WHERE, Dialect
from dagster_project.ingest.readers.formats import COLUMNS, HEADER_BYTES


@dataclass(frozen=True)
class Header:
    """The columns, each name once; `ambiguous` are the names (small letters) that the file does not give to one column, with positions."""

    columns: tuple[str, ...]
    ambiguous: Mapping[str, tuple[int, ...]]


def give_names(cells: Sequence[str], positions: Mapping[int, str]) -> Header:
    """Name every column: an unnamed one `column_7`, a repeated one `name_2`; capitals do not tell two names apart."""
    given = [positions.get(at) or unicodedata.normalize("NFC", cell).strip() for at, cell in enumerate(cells, start=1)]
    known = {name.lower() for name in given if name}
    places: dict[str, list[int]] = defaultdict(list)
    ambiguous: dict[str, tuple[int, ...]] = {}
    columns = []
    for at, name in enumerate(given, start=1):
        places[name.lower()].append(at)
        if name and len(places[name.lower()]) == 1:
            columns.append(name)
            continue
        stem, number = (name, len(places[name.lower()])) if name else ("column", at)
        while f"{stem}_{number}".lower() in known:
            number += 1
        columns.append(f"{stem}_{number}")
        known.add(columns[-1].lower())
        ambiguous[columns[-1].lower()] = (at,)
    ambiguous |= {name: tuple(found) for name, found in places.items() if name and len(found) > 1}
    return Header(tuple(columns), ambiguous)


def checked_header(cells: Sequence[str], path: Path, dialect: Dialect) -> Header:
    """Name the columns of a header.

    Raises
    ------
    InputRefused
        No names, too many, one with a NUL character, or `positions` that do not fit the header.
    """
    if not any(cell.strip() for cell in cells):
        raise InputRefused(
            f"{path}: the first line is blank, no header; remedy: begin the file with its header, or declare header_row {WHERE}"
        )
    if len(cells) > COLUMNS:
        raise InputRefused(
            f"{path}: header names {len(cells):,} columns, the limit is {COLUMNS:,}; remedy: check the delimiter and the export"
        )
    if nul := next((at for at, cell in enumerate(cells, start=1) if "\0" in cell), None):
        raise InputRefused(f"{path}: the name of column {nul} holds a NUL character; remedy: rename it")
    _check_positions(cells, path, dialect.positions)
    return give_names(cells, dialect.positions)


def _check_positions(cells: Sequence[str], path: Path, positions: Mapping[int, str]) -> None:
    """Only a column whose name cannot tell it may be named by its position: otherwise a column that moves would be read as another."""
    own = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
    folded = [name.lower() for name in own]
    for at, name in positions.items():
        if at > len(own):
            raise InputRefused(f"{path}: positions names column {at}, the header has {len(own)}; remedy: correct positions {WHERE}")
        if own[at - 1] not in ("", name) and folded.count(folded[at - 1]) == 1:
            raise InputRefused(
                f"{path}: positions calls column {at} {name}, the header calls it {own[at - 1]}; remedy: read it by its name, or correct"
                f" positions {WHERE}"
            )


def without_lines(chunks: Iterator[bytes], count: int, path: Path) -> Iterator[bytes]:
    """Leave out the lines above the header.

    Raises
    ------
    InputRefused
        The text has no more lines, or they are longer than a header may be.
    """
    head = b""
    for chunk in chunks:
        head += chunk
        lines = head.splitlines(keepends=True)
        if len(lines) > count + 1:  # the line end before the header is complete
            yield b"".join(lines[count:])
            yield from chunks
            return
        if len(head) > HEADER_BYTES:
            break
    lines = head.splitlines(keepends=True)
    if len(lines) <= count or len(head) > HEADER_BYTES:
        raise InputRefused(f"{path}: no header in line {count + 1:,}; remedy: correct header_row {WHERE}")
    yield b"".join(lines[count:])
