"""What a run changes in the feeds of one system: rows that are new or different, and keys that are withdrawn.

Holds the order of the steps: which records the run's deliveries can reach, their mapping, the comparison, the states of records.
It must not write into the ledger; the caller accepts or drops everything at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dagster_project.ingest.conform.feed_batch import FeedBatch
from dagster_project.ingest.readers.source import Source
from dagster_project.ingest.sources.affected import Walk
from dagster_project.ingest.sources.comparison import Comparison
from dagster_project.ingest.sources.made_rows import MadeRows
from dagster_project.ingest.sources.results import SystemChange
from dagster_project.ingest.sources.selects import SystemSelects
from dagster_project.ingest.sources.states import States
from dagster_project.ingest.sources.tables import DATABASE, SourceTables
from dagster_project.ingest.sql_text import literal

_MANY = 3  # above a third of a stream's rows everything is mapped: finding the rows would cost more than it saves


class FeedChanges:
    """The mapping of one run over the merged tables of a system."""

    def __init__(
        self,
        tables: SourceTables,
        selects: SystemSelects,
        lake: Path,
        sources: Mapping[int, Source],
        token: str,
        clean: Callable[[FeedBatch], int] = lambda _: 0,
    ) -> None:
        """Keep the merged tables, the files of this run by number, what names the run's batches, and what removes forgotten persons."""
        self.tables, self.selects, self.system = tables, selects, selects.system
        self.rows = MadeRows(tables, selects, lake, sources, token, clean)
        self.result = SystemChange()

    @property
    def streams(self) -> list[str]:
        """Streams of the tables that make feeds."""
        return [name for name in self.tables.streams if self.system.stream(name).feeds]

    def run(self, *, everything: bool = False) -> SystemChange:
        """Map what changed and compare it; the tables must be merged.

        Raises
        ------
        UsageError
            A mapping returns a record twice, or its SQL fails on a value.
        """
        moved = self._moved_streams()
        for name in self.streams:
            self._find_affected(name, moved, everything=everything)
        compared = Comparison(self.tables, self.streams, self.rows)
        compared.prepare()
        todo = [name for name in self.streams if self.tables.size(self.rows.affected(name)) or self._is_anything_gone(name)]
        for name in todo:
            self.rows.map(name)
        while again := compared.closed_over_keys():
            todo += [name for name in again if name not in todo]
            for name in again:
                self.rows.map(name)
        feeds = sorted({feed for name in self.streams for feed in self.system.stream(name).feeds})
        self.result.feeds = [change for feed in feeds if (change := compared.difference(feed)) is not None]
        States(self.tables, self.rows, self.result).count(todo, everything=everything)
        self.result.warnings += self.rows.warnings
        self.result.mapped, self.result.nameless = self.rows.mapped, self.rows.nameless
        return self.result

    def _moved_streams(self) -> set[str]:
        """Return the streams of which a row came or went in this run."""
        parts = [(name, self.tables.temporary(part, name)) for name in self.tables.streams for part in ("gone", "came")]
        sizes = " union all ".join(f"select {literal(name)}, count(*) from {table}" for name, table in parts)
        return {name for name, count in self.tables.run(sizes).fetchall() if count}

    def _is_anything_gone(self, stream: str) -> bool:
        return bool(self.tables.size(self.tables.temporary("gone", stream)))

    def _find_affected(self, name: str, moved: set[str], *, everything: bool) -> None:
        target, table = self.rows.affected(name), self.tables.table(name)
        self.tables.run(f"create or replace temp table {target} (record_number bigint)")
        is_all = everything or name in self.tables.first
        for feed in self.system.stream(name).feeds:
            if is_all:
                break
            found = self.selects.dependencies(name, feed)
            if not Walk(self.tables, self.system, name, found).reach(target, moved):
                self.result.derived.append(
                    f"{self.system.name}/{name}: {feed} depends on any row of another stream, so all its rows are mapped"
                )
                is_all = True
        if not is_all:
            self.tables.run(
                f"insert into {target} select distinct record_number from {DATABASE}.refusals where is_too_late and record_number in"
                f" (select record_number from {table} where row_hidden is null) and record_number not in (from {target})"
            )
        visible = self.tables.count(f"select count(*) from {table} where {self.tables.hidden(name)} is null")
        if is_all or self.tables.size(target) * _MANY > visible:
            self.rows.complete.add(name)
            self.tables.run(f"create or replace temp table {target} as select record_number from {table} where row_hidden is null")

    def discard(self) -> None:
        """Remove the files of typed rows."""
        self.rows.discard()
