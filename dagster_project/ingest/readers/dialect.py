"""How a file is written: delimiter, quotes, encoding, words for nothing, signs of numbers, forms of dates.

Holds one model; it must not read a file. A stream of a mapping is a dialect with feeds. Declared, never guessed.
"""

from __future__ import annotations

import codecs
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dagster_project.ingest.readers import formats

WHERE = "in the YAML of the stream's system (canonical feeds: canonical/canonical.yml below ROI_MAPPINGS; docs/formats.md)"
_MARK = r"[!-/:-@\[-`{-~]"


class Dialect(BaseModel):
    """How the files of a stream are written; each word is explained with an example in docs/formats.md.

    `max_bytes` (unpacked text) and `max_records` bound one file. `serial_dates` names the columns in which a number of a
    worksheet is a day count, with the epoch it counts from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delimiter: str | None = Field(default=None, pattern=r"^[\x01-\x08\t\x1c-\x1f -~]$")  # None: by the file's name
    quote: str = Field(default='"', pattern=f"^{_MARK}?$")  # empty: quotes are ordinary characters
    escape: str | None = Field(default=None, pattern=f"^{_MARK}$")  # None: a quote inside quotes is doubled
    encoding: str = "utf-8"
    null_words: tuple[str, ...] = ("",)
    decimal: Literal[".", ","] = "."
    thousands: str | None = Field(default=None, pattern="^[.,'_ \u00a0\u202f\u2019]$")
    time_zone: str | None = None
    timestamp_formats: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    header_row: int | None = Field(default=None, ge=1)  # line or row of the header; None: the first (of a worksheet: with a value)
    positions: dict[int, str] = Field(default_factory=dict)  # names of columns that the header does not name, or names twice
    sheet: str | None = None  # None: the first one
    serial_dates: dict[str, Literal[1900, 1904]] = Field(default_factory=dict)
    complete_by: Literal["manifest", "done"] | None = None
    max_bytes: int = Field(default=formats.TEXT_BYTES, gt=0)
    max_records: int = Field(default=formats.RECORDS, gt=0)

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
            codecs.getincrementaldecoder(value)
        except LookupError as error:
            raise ValueError(f"unknown encoding {value}") from error
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return value if value is None else checked_zone(value)

    @field_validator("positions")
    @classmethod
    def _each_column_once(cls, value: dict[int, str]) -> dict[int, str]:
        names = [name.strip().lower() for name in value.values()]
        if len(set(names)) < len(names) or "" in names or any(at < 1 for at in value):
            raise ValueError("positions count from 1, and each has a name of its own")
        return value

    @model_validator(mode="after")
    def _signs_differ(self) -> Dialect:
        if self.thousands == self.decimal:
            raise ValueError("thousands and decimal are the same sign")
        signs = [sign for sign in (self.delimiter, self.quote or None, self.escape) if sign is not None]
        if len(set(signs)) < len(signs):
            raise ValueError("delimiter, quote and escape must differ; remedy: leave escape out where a quote is doubled")
        if self.escape is not None and any(self.escape in word for word in self.null_words):
            raise ValueError("a null word with the escape character looks like an escaped letter; remedy: leave escape out")
        return self


def checked_zone(value: str) -> str:
    """Return the name of a time zone; ValueError when there is none of that name."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {value}") from error
    return value
