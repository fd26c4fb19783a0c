"""How a source system's files become feeds: one YAML (streams, dialect, time zone) and one SELECT per feed.

Holds the loader of mappings and the index of known systems. It must not read delivered files, and imports no
engine: a run with nothing new passes through here. The system `canonical` is built in: stream = feed, columns by
contract name, no SQL. An error names file and line.
"""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError

from dagster_project.contracts.model import contract_files, feeds, load_contract
from dagster_project.errors import UsageError
from dagster_project.host.yaml_files import read_yaml
from dagster_project.ingest.mapping.streams import CanonicalFile, FeedMapping, Stream, SystemFile
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.formats import DELIMITERS

BUILT_IN = Path(__file__).resolve().parents[1] / "systems"
CANONICAL = "canonical"
READER_VERSION = "5"  # raise it when ingest reads the same bytes to other rows: every file is then loaded again


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


_PAGE = "docs/mappings.md"
_File = TypeVar("_File", SystemFile, CanonicalFile)


def _load_yaml(path: Path, model: type[_File]) -> _File:
    return cast("_File", _validated(path, model, path.read_bytes() if path.is_file() else b""))


@lru_cache(maxsize=64)
def _validated(path: Path, model: type[SystemFile | CanonicalFile], _content: bytes) -> SystemFile | CanonicalFile:
    """Read a file once for each content: a run asks for a mapping at several places."""
    values = read_yaml(path, "mapping", f"correct it as {_PAGE} says")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")  # a misspelt word is missing too
        where = ".".join(str(step) for step in first["loc"])
        message = first["msg"]
        if "; remedy: " not in message:
            message += f"; remedy: correct it as {_PAGE} says"
        if first["type"] == "extra_forbidden":
            message = f"no such word; known words: {', '.join(_words_at(model, first['loc'][:-1]))}"
        line = _line_of(path.read_text(encoding="utf-8"), first["loc"])
        raise UsageError(f"mapping {path}:{line}: {where or 'the file'}: {message}") from error


def _words_at(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Return the words that the YAML may have at a place."""
    found: Any = model
    for step in location:
        if isinstance(found, type) and issubclass(found, BaseModel):
            found = found.model_fields[str(step)].annotation
        else:
            found = next(kind for kind in reversed(get_args(found)) if kind is not Ellipsis)  # the value of a dict, the item of a tuple
    return sorted(found.model_fields)


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
        """Return whether files of the stream are loaded; False for streams the mapping ignores with a reason.

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
        """Return where the SELECT of a feed is; only mapped systems have one."""
        assert self.folder is not None, "the canonical system has no SQL"
        path = (self.folder / self.stream(stream).feeds[feed].sql).resolve()
        if path.parent != self.folder.resolve() or not path.is_file():
            yml = self.folder / f"{self.name}.yml"
            line = _line_of(yml.read_text(encoding="utf-8"), ("streams", stream, "feeds", feed, "sql"))
            raise UsageError(f"mapping {yml}:{line}: {path.name} is not in the same folder; remedy: put it there, or correct its name")
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
                f"{shown}unknown system {name}; known systems: {', '.join(sorted(self._systems))}; remedy: rename the folder, add a"
                " mapping, or say where mappings are with ROI_MAPPINGS"
            )
        return self._systems[name]

    def is_known(self, name: str) -> bool:
        """Return whether there is a system of this name."""
        return name in self._systems

    def zones(self, systems: set[str]) -> set[str]:
        """Return the time zones that the mappings of these systems declare; the canonical system declares none."""
        return {self.system(name).time_zone for name in systems if name != CANONICAL}
