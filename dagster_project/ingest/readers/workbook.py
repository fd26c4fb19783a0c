"""Worksheets: the rows of one sheet as texts, without a guess; what Excel has spoiled is reported and not repaired.

Holds the checks of a workbook and the reading of its cells by calamine. It must not know a feed. An identifier has to be a
text cell: a number has lost its leading zeros and all digits after the fifteenth. A number is a date only where the stream
declares its epoch.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import python_calamine

from dagster_project.errors import FileUnread, InputRefused
from dagster_project.ingest.readers.archives import opened
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.formats import LINE_BYTES, SHEET_CELLS
from dagster_project.ingest.readers.records import Record

_CHUNK_BYTES = 1 << 20
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_PLACE = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{1,3})(\d{1,7})[\"']")
_ERROR = re.compile(rb"<(?:\w+:)?c\s[^>]*?\bt\s*=\s*[\"']e[\"'][^>]*>")
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_IDENTIFIER = re.compile(r"(^|[^a-z])(id|ids|key|uuid|guid)$", re.IGNORECASE)
_CAMEL_IDENTIFIER = re.compile(r"[a-z](Id|ID)$")
_EXACT_DIGITS = 15
_LAST_SERIAL = 2_958_465  # 9999-12-31


@dataclass(frozen=True)
class Sheet:
    """One worksheet: its header, the rows below it with their numbers, and in which rows a formula failed (row to cell)."""

    columns: list[Any]
    rows: Iterator[tuple[int, list[Any]]]
    errors: dict[int, str]

    def header(self, dialect: Dialect) -> list[str]:
        """Return the cells of the header up to the last one that has a name, or that the stream names."""
        cells = [str(cell) for cell in self.columns]
        while len(cells) > max(dialect.positions, default=0) and not cells[-1].strip():
            cells.pop()
        return cells


def read_sheet(path: Path, dialect: Dialect) -> Sheet:
    """Open the declared sheet, or the first one.

    Raises
    ------
    InputRefused
        Not a workbook, damaged, too large when unpacked, with entities, or without the declared sheet.
    """
    with opened(path, dialect.max_bytes) as archive:
        name, part = _place(archive, dialect.sheet, path)
        errors = _errors(archive, part, path)
    book = _called(path, python_calamine.CalamineWorkbook.from_path, str(path))
    sheet = _called(path, book.get_sheet_by_name, name)
    rows = enumerate(_called(path, sheet.iter_rows), start=1)
    while (row := _called(path, next, rows, None)) is not None:
        if (dialect.header_row or row[0]) == row[0] and any(cell != "" for cell in row[1]):
            return Sheet(row[1], rows, errors)
    where = f" in row {dialect.header_row}" if dialect.header_row else ""
    raise InputRefused(f"{path}: the sheet has no header{where}; an empty day has at least a header; remedy: deliver the file again")


def sheet_part(path: Path, dialect: Dialect) -> str:
    """Return the name of the archived file that holds the declared sheet, or the first one; every part is checked on the way.

    Raises
    ------
    InputRefused
        See `read_sheet`.
    """
    with opened(path, dialect.max_bytes) as archive:
        return _place(archive, dialect.sheet, path)[1]


def _place(archive: zipfile.ZipFile, wanted: str | None, path: Path) -> tuple[str, str]:
    """Name of the sheet that is read, and its part."""
    parts = _checked_parts(archive, path)
    name = wanted or next(iter(parts), "")
    if parts.get(name) not in archive.namelist():
        raise InputRefused(f"{path}: no sheet {name}; found: {', '.join(parts)}; remedy: declare the stream's `sheet`")
    return name, parts[name]


def _called(path: Path, read: Any, *arguments: Any) -> Any:
    """Call the reader; whatever it raises, a panic of its Rust code included, is a refusal of the file."""
    try:
        return read(*arguments)
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise FileUnread(f"{path}: not a readable workbook ({str(error)[:200]}); remedy: save it as .xlsx again") from error


def _checked_parts(archive: zipfile.ZipFile, path: Path) -> dict[str, str]:
    """Unpack every part once, in bounded pieces, and return the parts of the sheets by name, in the order of the workbook."""
    for entry in archive.infolist():
        rest = b""
        with archive.open(entry) as file:
            while chunk := file.read(_CHUNK_BYTES):
                if b"<!DOCTYPE" in rest + chunk or b"<!ENTITY" in rest + chunk:
                    raise InputRefused(f"{path}: {entry.filename} declares XML entities; remedy: save the workbook in Excel")
                rest = chunk[-16:]
    try:
        listed = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - entities are refused above
        related = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, ElementTree.ParseError) as error:
        raise FileUnread(f"{path}: not a readable workbook ({error}); remedy: save it as .xlsx again") from error
    targets = {one.get("Id"): (one.get("Target") or "").removeprefix("/xl/") for one in related}
    sheets = {}
    for one in listed.iter():
        link = next((value for name, value in one.attrib.items() if name.endswith("}id")), None)
        if one.tag.rpartition("}")[2] == "sheet" and targets.get(link, "").startswith("worksheets/"):
            sheets[one.get("name") or ""] = f"xl/{targets[link]}"
    return sheets


def _errors(archive: zipfile.ZipFile, part: str, path: Path) -> dict[int, str]:
    """Return where formulas failed, which the reader gives as empty cells; refuse a sheet that spans too many cells."""
    rows = columns = cells = places = 0
    rest = b""
    errors: dict[int, str] = {}
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK_BYTES):
            text = rest + chunk
            cut = text.rfind(b"<")
            text, rest = (text[:cut], text[cut:]) if cut > 0 else (b"", text)
            if len(rest) > LINE_BYTES:
                raise InputRefused(f"{path}: {part} holds a value of more than {LINE_BYTES:,} bytes; remedy: export it as csv")
            found = _PLACE.findall(text)
            rows += len(_ROW.findall(text))
            cells, places = cells + len(_CELL.findall(text)), places + len(found)
            rows = max(rows, *(int(digits) for _, digits in found), 0)
            columns = max(columns, *(_column(letters) for letters in {letters for letters, _ in found}), 0)
            for cell in _ERROR.findall(text):
                place = _PLACE.search(cell)
                if place is None:
                    raise InputRefused(f"{path}: {part} has a failed formula without a place; remedy: save it as .xlsx again")
                errors.setdefault(int(place[2]), (place[1] + place[2]).decode())
    if rows * max(columns, min(cells - places, 1 << 14)) > SHEET_CELLS:
        raise InputRefused(
            f"{path}: {part} spans {rows:,} rows and {columns:,} columns, more than {SHEET_CELLS:,} cells; remedy: export it as csv"
        )
    return errors


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def is_identifier(name: str) -> bool:
    """Return whether a column holds identifiers, by its name."""
    is_flag = name.startswith(("is_", "has_"))
    return not is_flag and bool(_IDENTIFIER.search(name) or _CAMEL_IDENTIFIER.search(name))


def sheet_records(path: Path, sheet: Sheet, columns: Sequence[str], dialect: Dialect) -> Iterator[Record]:
    """Yield the rows as records of texts, rows without any value omitted; `line` is the row of the sheet.

    Raises
    ------
    InputRefused
        See `read_sheet`.
    """
    identifiers = {name for name in columns if is_identifier(name)}
    number = 0
    while (row := _called(path, next, sheet.rows, None)) is not None:
        line, cells = row
        if all(cell == "" for cell in cells) and line not in sheet.errors:
            continue
        number += 1
        fields: list[str | None] = []
        wrong: dict[str, Any] = {}
        for name, cell in zip(columns, cells, strict=False):
            if isinstance(cell, (int, float)) and not isinstance(cell, bool) and (name in identifiers or name in dialect.serial_dates):
                text, fault = _number(name, cell, dialect.serial_dates)
                if fault and not wrong:
                    wrong = {"column": name, "value": text, **fault}
            else:
                text = _text(cell)
            fields.append(text)
        if any(cell != "" for cell in cells[len(columns) :]):
            wrong = {"fault": f"a value is outside the {len(columns)} columns of the header", "rule": "field_count"}
        if line in sheet.errors:
            wrong = {"fault": f"cell {sheet.errors[line]} is the error of a formula", "rule": "formula_error"}
        yield Record(number, line, fields, **wrong)


def _number(name: str, cell: float, serial_dates: Mapping[str, int]) -> tuple[str, dict[str, str]]:
    if name not in serial_dates:
        return _text(cell), {"fault": "is a number where an identifier has to be text", "rule": "identifier_text"}
    epoch = serial_dates[name]
    if not (1 if epoch == 1900 else 0) <= cell < _LAST_SERIAL or (epoch == 1900 and 60 <= cell < 61):
        return _text(cell), {"fault": f"is no day of the {epoch} date system", "rule": "serial_date"}
    # Excel's year 1900 has a 29 February: days before it count from one day later.
    start = "1904-01-01" if epoch == 1904 else "1899-12-31" if cell < 60 else "1899-12-30"
    return _text(dt.datetime.fromisoformat(start) + dt.timedelta(milliseconds=round(cell * 86_400_000))), {}


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, (int, float)):
        return str(int(cell)) if cell == int(cell) and abs(cell) < 10**_EXACT_DIGITS else f"{cell:.{_EXACT_DIGITS}g}"
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    return str(cell)
