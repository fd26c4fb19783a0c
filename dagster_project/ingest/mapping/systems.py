"""How a source system's files become feeds: one YAML (streams, dialect, time zone) and one SELECT per feed.

Holds the model of a mapping, its loader and the index of known systems. It must not read delivered files, and imports no
engine: a run with nothing new passes through here. The system `canonical` is built in: stream = feed, columns by
contract name, no SQL. An error names file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dagster_project.contracts.model import Mode, contract_files, feeds, load_contract
from dagster_project.errors import UsageError
from dagster_project.ingest.readers.dialect import Dialect, checked_zone
from dagster_project.ingest.readers.formats import DELIMITERS

BUILT_IN = Path(__file__).resolve().parents[1] / "systems"
CANONICAL = "canonical"
READER_VERSION = "4"  # raise it when the door reads the same bytes to other rows: every file is then loaded again


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
    version: str | None = None  # column with the instant of a version; then the day of delivery, the name of the file, the record decide
    complete_per: tuple[
        str, ...
    ] = ()  # all rows of these columns' values in one day of delivery are the complete set; a later day replaces it
    complete_with: str | None = None  # a later delivery of this parent stream without rows here empties the set
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

    @field_validator("deleted", mode="before")
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
        return self


class RefusedHeader(BaseModel):
    """A file that the vendor writes too, but that holds too little: told by `columns`, which no table of the mapping has together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    columns: tuple[str, ...] = Field(min_length=1)
    remedy: str

    def fits(self, header: Iterable[str]) -> bool:
        """Say whether a header has all these columns, in whatever case."""
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


def _line_of(text: str, location: tuple[Any, ...]) -> int:
    """Return the line of the deepest node that the location of an error names."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 1
    for step in location:
        if not isinstance(node, yaml.MappingNode):
            break
        for key, value in node.value:
            if key.value == str(step):
                line, node = key.start_mark.line + 1, value
                break
    return line


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


_File = TypeVar("_File", SystemFile, CanonicalFile)


def _load_yaml(path: Path, model: type[_File]) -> _File:
    try:
        text = path.read_text(encoding="utf-8")
        return model.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UsageError(f"mapping {path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise UsageError(f"mapping {path}:{_line_of(text, first['loc'])}: {where}: {first['msg']}") from error


class System:
    """One source system: its streams and the SQL of its feeds, read when first needed."""

    def __init__(self, name: str, folder: Path | None, written: Path | None = None) -> None:
        """Index the system; `folder` is None for the built-in canonical one, and `written` says how its files are written."""
        self.name = name
        self.folder = folder
        self.written = written

    @cached_property
    def file(self) -> SystemFile:
        """The validated YAML; UsageError names file and line."""
        if self.folder is None:
            contracts = [load_contract(feed) for feed in feeds()]
            written = {} if self.written is None else _load_yaml(self.written, CanonicalFile).streams
            streams = {
                contract.feed: Stream(
                    columns=contract.names,
                    new_columns=contract.new_columns,
                    feeds={contract.feed: FeedMapping(sql="", records=True)},
                    **(written[contract.feed].model_dump(exclude_unset=True) if contract.feed in written else {}),
                )
                for contract in contracts
            }
            return SystemFile(time_zone="UTC", streams=streams)
        return _load_yaml(self.folder / f"{self.name}.yml", SystemFile)

    @cached_property
    def reader_hash(self) -> str:
        """Hash of everything that decides how a file of this system is read; a change loads its files again."""
        digest = hashlib.sha256(READER_VERSION.encode())
        own = (
            list(filter(None, [self.written]))
            if self.folder is None
            else [path for path in sorted(self.folder.iterdir()) if path.suffix in (".yml", ".sql")]
        )
        for path in (*own, *contract_files()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()[:32]

    @property
    def time_zone(self) -> str:
        """Zone of local times without an offset."""
        return self.file.time_zone

    def reads(self, stream: str, folder: Path) -> bool:
        """Say whether files of the stream are loaded; False for streams the mapping ignores with a reason.

        Raises
        ------
        UsageError
            The mapping does not name the stream.
        """
        if stream in self.file.streams:
            return True
        if stream in self.file.ignored:
            return False
        known = ", ".join(sorted(self.file.streams))
        raise UsageError(
            f"{folder}: system {self.name} has no stream {stream}; known streams: {known}; remedy: rename the folder or extend the mapping"
        )

    def stream(self, name: str) -> Stream:
        """Return one stream of the mapping."""
        return self.file.streams[name]

    def dialect(self, stream: str, file_name: str) -> Dialect:
        """Return how a file of the stream is written; where the mapping is silent its name tells the delimiter, or a zip's member."""
        described = self.stream(stream)
        suffixes = [part for part in file_name.lower().split(".") if f".{part}" in DELIMITERS]
        delimiter = described.delimiter or (DELIMITERS[f".{suffixes[-1]}"] if suffixes else None)
        return Dialect(**{**{name: getattr(described, name) for name in Dialect.model_fields}, "delimiter": delimiter})

    def sql_path(self, stream: str, feed: str) -> Path:
        """Return where the SELECT of a feed lies; only mapped systems have one."""
        assert self.folder is not None, "the canonical system has no SQL"
        path = (self.folder / self.stream(stream).feeds[feed].sql).resolve()
        if path.parent != self.folder.resolve() or not path.is_file():
            yml = self.folder / f"{self.name}.yml"
            line = _line_of(yml.read_text(encoding="utf-8"), ("streams", stream, "feeds", feed, "sql"))
            raise UsageError(f"mapping {yml}:{line}: {path.name} does not lie beside it")
        return path

    @cached_property
    def is_canonical(self) -> bool:
        """Whether files follow the contracts by column name, without SQL."""
        return self.folder is None


class Mappings:
    """Index of the known systems: built-in ones and those of the user's folder, which win."""

    def __init__(self, extra: Path | None = None) -> None:
        """List the folders; nothing is parsed until a system is used.

        Raises
        ------
        UsageError
            The user's folder does not exist.
        """
        if extra is not None and not extra.is_dir():
            raise UsageError(f"mappings folder {extra} does not exist; remedy: correct ROI_MAPPINGS")
        self._systems = {CANONICAL: System(CANONICAL, None)}
        for root in filter(None, (BUILT_IN, extra)):
            for folder in sorted(root.iterdir()):
                if (folder / f"{folder.name}.yml").is_file():
                    is_canonical = folder.name == CANONICAL
                    written = folder / f"{folder.name}.yml" if is_canonical else None
                    self._systems[folder.name] = System(folder.name, None if is_canonical else folder, written)

    def system(self, name: str, folder: Path | None = None) -> System:
        """Return a system by name.

        Raises
        ------
        UsageError
            Unknown name; the message lists the known ones.
        """
        if name not in self._systems:
            shown = "" if folder is None else f"{folder}: "
            raise UsageError(
                f"{shown}unknown system {name}; known systems: {', '.join(sorted(self._systems))}; remedy: rename the folder or add"
                " a mapping"
            )
        return self._systems[name]

    def is_known(self, name: str) -> bool:
        """Say whether there is a system of this name."""
        return name in self._systems

    def zones(self, systems: set[str]) -> set[str]:
        """Return the time zones that the mappings of these systems declare; the canonical system declares none."""
        return {self.system(name).time_zone for name in systems if name != CANONICAL}
