"""The YAML of a source system: its streams, how their files are written, which rows are current, which feeds they make.

Holds the models and their checks. It must not read a file or import an engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dagster_project.contracts.model import Mode, feeds
from dagster_project.ingest.readers.dialect import Dialect, checked_zone


class FeedMapping(BaseModel):
    """One feed made from a stream.

    `records` feeds carry each physical record once; the others are derived (grouped headers) and outside the equation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: str
    records: bool = False


class Stream(Dialect):
    """One kind of delivered file: how it is written, which of its rows are current, and which feeds it makes.

    A stream with a `key`, `complete_per` or `needs`, or one that a SELECT of another stream reads, is a source table: the rows that the
    source system holds now, whatever was delivered when. Every SELECT of the system reads such tables by their names.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    optional: tuple[str, ...] = ()  # read where a file has them, null elsewhere
    unread: tuple[str, ...] = ()  # known columns that no feed takes
    new_columns: Mode = "evolve"  # what happens to any other column
    feeds: dict[str, FeedMapping] = Field(default_factory=dict)
    key: tuple[str, ...] = ()  # the latest version of each key is current
    key_defaults: dict[str, str] = Field(default_factory=dict)  # column of the key and the value that a row without one has in its key
    version: str | None = None  # column with the instant of a version; then the day of delivery, the name of the file, the record decide
    # all rows of these columns' values in one day of delivery are the complete set; a later day replaces it
    complete_per: tuple[str, ...] = ()
    complete_with: str | None = None  # a later state of this parent stream that comes without rows here empties the set
    deleted: dict[str, str] = Field(default_factory=dict)  # column and value that say that the row is deleted
    needs: dict[str, str] = Field(default_factory=dict)  # column and the stream whose key it names: without that row a row waits
    key_scope: Literal["system", "company"] | None = None  # who mints the keys of its feeds; None: as the contract says
    beside: tuple[str, ...] = ()  # not needed any more: a SELECT reads what it names
    known_as: dict[str, str] = Field(default_factory=dict)  # columns of other streams that name one of its records, to its own; see `names`
    is_one_person: bool = False  # all records that name one of this stream's are about one person: forgotten together

    def names(self, stream: str) -> dict[str, str]:
        """Return how records of other streams name one of this: their column, and the column here that it is compared with."""
        return self.known_as or {f"{stream}_id": "id"}

    @property
    def read_columns(self) -> tuple[str, ...]:
        """Columns that a SELECT sees, all as text."""
        return (*self.columns, *self.optional)

    @field_validator("complete_per", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("deleted", "key_defaults", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        """YAML reads true as a boolean; files hold text."""
        return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in value.items()} if isinstance(value, dict) else value

    @field_validator("feeds")
    @classmethod
    def _known_feeds(cls, value: dict[str, FeedMapping]) -> dict[str, FeedMapping]:
        unknown = sorted(set(value) - set(feeds()))
        if unknown:
            raise ValueError(f"no contract for feed {', '.join(unknown)}")
        return value

    @model_validator(mode="after")
    def _records_are_carried(self) -> Stream:
        if self.feeds and not any(feed.records for feed in self.feeds.values()):
            raise ValueError("one of the feeds needs records: true, or records would vanish")
        return self

    @model_validator(mode="after")
    def _key_is_read(self) -> Stream:
        named = (*self.key, *self.complete_per, *self.deleted, *self.needs, *([self.version] if self.version else []))
        unread = sorted(set(named) - set(self.read_columns))
        if unread:
            raise ValueError(f"key, version, complete_per, deleted or needs name columns that are not read: {', '.join(unread)}")
        if stray := sorted(set(self.key_defaults) - set(self.key)):
            raise ValueError(f"key_defaults name columns that are not in the key: {', '.join(stray)}")
        return self


class RefusedHeader(BaseModel):
    """A file that the vendor writes too, but that holds too little: known by `columns`, which no table of the mapping has together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    columns: tuple[str, ...] = Field(min_length=1)
    remedy: str

    def fits(self, header: Iterable[str]) -> bool:
        """Return whether a header has all these columns, in whatever case."""
        return {name.lower() for name in self.columns} <= {name.strip().lower() for name in header}


class SystemFile(BaseModel):
    """The YAML of one system."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_zone: str
    streams: dict[str, Stream] = Field(min_length=1)
    ignored: dict[str, str] = Field(default_factory=dict)
    refused_headers: tuple[RefusedHeader, ...] = ()  # known files of the vendor that are no table of this mapping

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return checked_zone(value)

    @model_validator(mode="after")
    def _named_streams_exist(self) -> SystemFile:
        for name, stream in self.streams.items():
            named = {*stream.beside, *stream.needs.values(), *([stream.complete_with] if stream.complete_with else [])}
            if unknown := sorted(named - set(self.streams)):
                raise ValueError(f"stream {name} names unknown streams: {', '.join(unknown)}")
            for parent in stream.needs.values():
                if len(self.streams[parent].key) != 1:
                    raise ValueError(f"stream {name} needs {parent}, which has no key of one column; remedy: give {parent} a key")
            if stream.complete_with and stream.complete_with not in stream.needs.values():
                raise ValueError(
                    f"stream {name} is complete with {stream.complete_with}, but does not need it; remedy: name it under needs"
                )
        try:
            TopologicalSorter({name: set(stream.needs.values()) for name, stream in self.streams.items()}).prepare()
        except CycleError as error:
            raise ValueError(f"streams need each other: {', '.join(error.args[1])}") from error
        return self


class CanonicalFile(BaseModel):
    """The optional YAML of the built-in system: only how files of its feeds are written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    streams: dict[str, Dialect] = Field(default_factory=dict)

    @field_validator("streams")
    @classmethod
    def _known_feeds(cls, value: dict[str, Dialect]) -> dict[str, Dialect]:
        if unknown := sorted(set(value) - set(feeds())):
            raise ValueError(f"no contract for feed {', '.join(unknown)}")
        return value
