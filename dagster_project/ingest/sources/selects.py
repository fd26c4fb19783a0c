"""The SELECTs of one mapped system, checked once, with what each depends on; and which of its streams are source tables.

It must not open a delivered file.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

import duckdb

from dagster_project.contracts.model import load_contract
from dagster_project.errors import UsageError
from dagster_project.ingest.mapping.sandbox import Select, check_output, checked_select, open_sandbox
from dagster_project.ingest.mapping.systems import System
from dagster_project.ingest.sources.dependencies import SOURCE, Dependencies
from dagster_project.ingest.sources.derivation import derive

_KNOWN: dict[tuple[str, str], SystemSelects] = {}
"""By folder and content of the mapping: what was checked and derived stays so while the process lives."""


def selects_of(system: System) -> SystemSelects:
    """Return the SELECTs of a system, checked once a process for one content of its files."""
    return _KNOWN.setdefault((str(system.folder), system.reader_hash), SystemSelects(system))


class SystemSelects:
    """The SELECTs of one system by stream and feed; each is read and bound at its first use."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._selects: dict[tuple[str, str], Select] = {}
        self._found: dict[tuple[str, str], Dependencies] = {}

    def select(self, stream: str, feed: str) -> Select:
        """Return a SELECT that is bound over all streams of the system and fits the contract of its feed.

        Raises
        ------
        UsageError
            See `checked_select` and `check_output`; also a SELECT whose result changes by itself.
        """
        if (stream, feed) not in self._selects:
            path = self.system.sql_path(stream, feed)
            streams = {name: described.read_columns for name, described in self.system.file.streams.items()}
            select = checked_select(path, self.system.stream(stream).read_columns, streams, self._sandbox)
            check_output(path, load_contract(feed), select.types)
            found = derive(select.sql, {**streams, SOURCE: self.system.stream(stream).read_columns})
            if found.unstable:
                raise UsageError(
                    f"mapping {path}: {found.unstable} gives another result each time it runs; remedy: take the value from a column"
                )
            self._selects[stream, feed], self._found[stream, feed] = select, found
        return self._selects[stream, feed]

    @cached_property
    def _sandbox(self) -> duckdb.DuckDBPyConnection:
        """A connection without any folder, on which the SELECTs are bound."""
        return open_sandbox([], None, threads=1, memory_limit="256MB")

    def dependencies(self, stream: str, feed: str) -> Dependencies:
        """Return what the SELECT of a feed combines."""
        self.select(stream, feed)
        return self._found[stream, feed]

    @cached_property
    def tables(self) -> frozenset[str]:
        """Streams that are kept as source tables: those with a key or a parent, and those whose rows a SELECT combines.

        Raises
        ------
        UsageError
            A stream makes no feed and no SELECT reads it.
        """
        found: set[str] = set()
        for name, stream in self.system.file.streams.items():
            if stream.key or stream.complete_per or stream.needs or stream.deleted:
                found |= {name, *stream.needs.values()}
            for feed in stream.feeds:
                select, dependencies = self.select(name, feed), self.dependencies(name, feed)
                others = {table for table in dependencies.tables if table != SOURCE}
                if others or dependencies.is_global or not select.is_rowwise:
                    found |= {name, *others}
        for name, stream in self.system.file.streams.items():
            if not stream.feeds and name not in found:
                raise UsageError(
                    f"mapping {self.system.folder}: stream {name} makes no feed and no SELECT reads it; remedy: give it a feed or name it"
                    " under ignored"
                )
        return frozenset(found)

    @cached_property
    def joined(self) -> dict[str, frozenset[str]]:
        """Columns by stream over which SELECTs join rows: like ids they are kept in one form, so that blanks do not separate rows."""
        found: dict[str, set[str]] = defaultdict(set)
        for name, stream in self.system.file.streams.items():
            for feed in stream.feeds:
                dependencies = self.dependencies(name, feed)
                for origin in (side for edge in dependencies.edges for side in (edge.left, edge.right)):
                    table = dependencies.tables[origin.leaf]
                    found[name if table.lower() == SOURCE else table].add(origin.column.lower())
        streams = self.system.file.streams.items()
        return {name: frozenset(column for column in stream.read_columns if column.lower() in found[name]) for name, stream in streams}

    @cached_property
    def followed(self) -> dict[str, tuple[str, ...]]:
        """Columns by stream of which a walk asks what rows had that are gone.

        Of a row that a SELECT joins that is each column it reads; of its own record what leads to others, which is seldom anything.
        """
        found: dict[str, set[str]] = defaultdict(set)
        for name, stream in self.system.file.streams.items():
            for feed in stream.feeds:
                dependencies = self.dependencies(name, feed)
                for leaf, table in enumerate(dependencies.tables):
                    found[name if table.lower() == SOURCE else table] |= {column.lower() for column in dependencies.followed(leaf)}
        streams = self.system.file.streams.items()
        return {name: tuple(column for column in stream.read_columns if column.lower() in found[name]) for name, stream in streams}

    def maps_again(self, stream: str) -> list[str]:
        """Return in words what maps the rows of a stream again."""
        return list(
            dict.fromkeys(line for feed in self.system.stream(stream).feeds for line in self.dependencies(stream, feed).sentences())
        )
