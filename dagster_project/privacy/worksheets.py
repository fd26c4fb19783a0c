"""A workbook without the values of some rows of one sheet; nothing else in it changes its meaning.

Holds the rewriting of XML parts, streamed. A row is emptied and stays, so that no other row moves; a shared text that only these rows
showed is emptied too. It must not know whom a row is about.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any
from xml.sax import make_parser
from xml.sax.saxutils import XMLFilterBase, XMLGenerator, escape

from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.workbook import sheet_part

_SHARED = "xl/sharedStrings.xml"


def empty_rows(path: Path, draft: Path, dialect: Dialect, rows: Collection[int]) -> None:
    """Write the workbook to `draft`, with these rows (numbers from 1) of the sheet that the stream reads empty.

    Raises
    ------
    InputRefused
        See `dagster_project.ingest.readers.workbook.sheet_part`; it refuses entities, so none is expanded here.
    """
    part = sheet_part(path, dialect)
    gone: set[int] = set()
    shown: set[int] = set()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml"):
                passed = _pass(old, new, entry.filename, _Emptied("row", 1, rows if entry.filename == part else ()))
                gone, shown = gone | passed.gone, shown | passed.shown
            elif entry.filename != _SHARED:
                new.writestr(entry, old.read(entry))
        if _SHARED in old.namelist():
            _pass(old, new, _SHARED, _Emptied("si", 0, gone - shown))


def _pass(old: zipfile.ZipFile, new: zipfile.ZipFile, part: str, passing: _Emptied) -> _Emptied:
    with old.open(part) as source, new.open(part, "w", force_zip64=True) as target:
        passing.setParent(make_parser())  # noqa: S317 - entities are refused before
        passing.setContentHandler(_Writer(target, "utf-8", short_empty_elements=True))
        passing.parse(source)
    return passing


class _Writer(XMLGenerator):
    """A carriage return in a text stays one; written bare, the next reader would take it for a line feed."""

    def characters(self, content: str) -> None:
        self.ignorableWhitespace(escape(content, {"\r": "&#13;"}))


class _Emptied(XMLFilterBase):
    """Passes everything but what is within the elements of one name with these numbers: their attribute `r`, or counted from `first`.

    `gone` and `shown` are the shared texts that cells within, and outside of, these elements refer to.
    """

    def __init__(self, element: str, first: int, numbers: Collection[int]) -> None:
        super().__init__()
        self._element, self._number, self._numbers = element, first - 1, numbers
        self._is_within = self._is_shared = False
        self._value = ""
        self.gone: set[int] = set()
        self.shown: set[int] = set()

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - the library's name
        local = name.rpartition(":")[2]
        self._value = ""
        if local == "c":
            self._is_shared = attrs.get("t") == "s"
        if not self._is_within:
            super().startElement(name, attrs)
        if local == self._element:
            self._number = int(attrs.get("r", self._number + 1))
            self._is_within = self._number in self._numbers

    def characters(self, content: str) -> None:
        self._value += content
        if not self._is_within:
            super().characters(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        local = name.rpartition(":")[2]
        if local == "v" and self._is_shared:
            (self.gone if self._is_within else self.shown).add(int(self._value))
        if local == self._element:
            self._is_within = False
        if not self._is_within:
            super().endElement(name)
