"""JSON lines: one object a line, read as texts as they are spelled; what is nested stays JSON text for the mapping's SQL.

Holds the reading of lines. It must not type a value: a number keeps its digits, so that no identifier is ever rounded.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from dagster_project.errors import FileUnread, InputRefused
from dagster_project.ingest.readers.formats import LINE_BYTES
from dagster_project.ingest.readers.records import Keyed
from dagster_project.ingest.readers.workbook import is_identifier


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice[:40]!r} twice")
    return found


class _Fraction(str):
    """A number with a decimal point or an exponent, as it is spelled."""

    __slots__ = ()


class _NotANameError(Exception):
    """An identifier is a fraction or a truth value: `1e3`, `1000.0` and `1000` would be three names of one thing."""

    def __init__(self, column: str, value: str) -> None:
        kind = "truth value" if value in ("true", "false") else "number with a decimal point or an exponent"
        super().__init__(f"is a {kind} where an identifier has to be text")
        self.column, self.value = column, value


_NO_NAMES = (bool, _Fraction)
"""Types of JSON that name nothing."""

_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_Fraction, parse_int=str, parse_constant=_no_constant)


def read_objects(chunks: Iterator[bytes], path: Path) -> Iterator[Keyed]:
    """Yield every line that is not blank, as values by key or with its fault.

    Raises
    ------
    InputRefused
        A line is too long, holds a NUL byte, or the last one ends in the middle.
    """
    number = 0
    for line, (text, is_ended) in enumerate(_lines(chunks, path), start=1):
        if not text.strip():
            continue
        number += 1
        try:
            values = _values(text.decode("utf-8"))
        except _NotANameError as error:
            yield Keyed(number, line, {}, str(error), "identifier_text", error.column, error.value)
            continue
        except (ValueError, RecursionError) as error:
            if not is_ended:
                raise FileUnread(
                    f"{path}: ends in the middle of record {number:,} (line {line:,}); remedy: deliver the file again, complete"
                ) from error
            fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            yield Keyed(number, line, {}, f"the line is no JSON object of its own ({fault})")
            continue
        yield Keyed(number, line, values)


def _lines(chunks: Iterator[bytes], path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield each line, and whether a line end follows it."""
    rest, line = b"", 1
    for chunk in chunks:
        if b"\0" in chunk:
            raise FileUnread(f"{path}: holds a NUL byte; remedy: export it as text")
        *whole, rest = (rest + chunk).split(b"\n") if b"\n" in chunk else [rest + chunk]
        for text in whole:
            _limit(text, line, path)
            line += 1
            yield text, True
        _limit(rest, line, path)
    if rest:
        yield rest, False


def _limit(text: bytes, line: int, path: Path) -> None:
    if len(text) > LINE_BYTES:
        raise InputRefused(f"{path}: line {line:,} is longer than {LINE_BYTES:,} bytes; remedy: repair the export")


def _values(text: str) -> dict[str, str | None]:
    found = _DECODER.decode(text)
    if not isinstance(found, dict):
        raise ValueError("it is another JSON value")
    for key, value in found.items():
        if type(value) in _NO_NAMES and is_identifier(_name(key)):
            raise _NotANameError(_name(key), str(value).lower() if isinstance(value, bool) else str(value))
    raw = _spelled(text) if any(isinstance(value, (dict, list)) for value in found.values()) else {}
    values = {_name(key): _text(value, raw.get(key)) for key, value in found.items()}
    if len(values) < len(found) or "" in values:
        raise ValueError("a key is empty or differs from another only in blanks")
    if "\\u" in text:  # the one way to what is no text: half a character pair, or NUL
        for part in (*values, *filter(None, values.values())):
            part.encode("utf-8")
            if "\0" in part:
                raise ValueError("it holds a NUL character")
    return values


@cache
def _name(key: str) -> str:
    return unicodedata.normalize("NFC", key).strip()


def _text(value: object, spelled: str | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return spelled if isinstance(value, (dict, list)) else str(value).lower()


def _spelled(text: str) -> dict[str, str]:
    """Return the values of a valid object as they are spelled."""
    found, at = {}, _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, at = _DECODER.raw_decode(text, start)
        found[key] = text[start:at]
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
