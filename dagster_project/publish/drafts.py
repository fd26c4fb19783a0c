"""The three ways to write the next version: all rows, only the months that changed, or views over Parquet files.

A draft is measured first, since a content that is already served needs no version, and written after. `draft_of` chooses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from dagster_project.errors import InfrastructureError
from dagster_project.publish.copying import BUILDING, Copy, build_views, copy_proven, require_space
from dagster_project.publish.describing import Descriptions, identity
from dagster_project.publish.increment import Base, Changed, base_of, months_that_differ, months_to_renew
from dagster_project.publish.measuring import Measures, Plan, catalog, count_to_renew, measure, merged, views_in
from dagster_project.publish.parquet_export import Files, files_of, share_months
from dagster_project.publish.source import Attached, Source
from dagster_project.publish.versions import COPY, EXPORT


@dataclass(frozen=True)
class Work:
    """What every draft works with: the connection, what is attached to it, the folder, monthly tables and what tables mean."""

    connection: duckdb.DuckDBPyConnection
    attached: Attached
    folder: Path
    monthly: Collection[str]
    texts: Descriptions

    @property
    def file(self) -> Path:
        """Where the database file is written before it has a name."""
        return self.folder / COPY


class Draft(Protocol):
    """The next version before it has a name."""

    @property
    def base(self) -> Base | None:
        """The version it continues."""

    @property
    def plan(self) -> Plan:
        """Months that are written, of each table of which the base holds the others; other tables are written completely."""

    @property
    def is_view(self) -> bool:
        """Whether its file holds views over the Parquet files and no rows."""

    def measure(self) -> Measures:
        """Return rows and hashes of each table that the version will hold; known before anything stored is copied."""

    def write(self, exports: Path) -> None:
        """Write the database file; `exports` is where the version's Parquet files will be."""

    def kept_months(self, expected: Measures, exports: Path) -> Files:
        """Take the Parquet files of unchanged months from the base; return them."""


class Complete:
    """Every row of every table is copied."""

    is_view = False

    def __init__(self, work: Work, base: Base | None = None) -> None:
        self._work = work
        self.base: Base | None = base
        self.plan: Plan = {}
        self._copy = Copy(work.connection, work.attached, work.file, work.monthly, work.texts)

    def measure(self) -> Measures:
        """Measure the warehouse, and computed tables after they were copied, so that each is computed once."""
        work = self._work
        measures = measure(work.connection, work.attached.database, work.attached.stored(), work.monthly, {})
        return measures | self._computed()

    def write(self, exports: Path) -> None:  # noqa: ARG002  they are exported from the file
        """Copy what is stored; what is computed is there."""
        self._copy.fill(self._work.attached.stored(), self.plan)
        self._copy.close()

    def kept_months(self, expected: Measures, exports: Path) -> Files:  # noqa: ARG002
        """Return none: all are new."""
        return {}

    def _computed(self) -> Measures:
        """Copy computed tables and measure their rows in the copy; their number is counted in the source."""
        work = self._work
        tables = work.attached.only_computed()
        self._copy.fill(tables, self.plan)
        measures = measure(work.connection, BUILDING, tables, work.monthly, self.plan) if tables else {}
        for name, values in measures.items():
            count = count_to_renew(work.connection, work.attached.database, name, self.plan)
            if count != values["rows"]:
                raise InfrastructureError(
                    f"{name}: {values['rows']} rows were copied and {count} are in the warehouse; nothing was published"
                )
        return measures


class Months(Complete):
    """The file of the served version, in which the months that changed are replaced; it is there, copied and proven."""

    def __init__(self, work: Work, base: Base, changed: Changed) -> None:
        super().__init__(work, base)
        self._served = base
        self._found, views = catalog(work.connection, BUILDING), views_in(work.connection, BUILDING)
        kept = {key: columns for key, columns in self._found.items() if (key in views) == (key in work.attached.views)}
        self._candidates = months_to_renew(base, changed, work.monthly, work.attached.tables, kept)

    def measure(self) -> Measures:
        """Measure the months that may differ, remove those that do from the file, and take all others from the base's manifest."""
        work = self._work
        measures = measure(work.connection, work.attached.database, work.attached.stored(), work.monthly, self._candidates)
        self.plan = months_that_differ(self._served, measures, self._candidates)
        self._copy.forget(self._found, self.plan)
        return merged(self._served.tables, measures | self._computed(), self._candidates)

    def kept_months(self, expected: Measures, exports: Path) -> Files:
        """Link the files of the months that stay."""
        return share_months(expected, self.plan, self._work.folder / self._served.pointer.stem, exports, files_of(self._served.tables))


class Views:
    """The Parquet files that the source wrote are the version; they are too large to be held a second time."""

    base = None
    is_view = True

    def __init__(self, work: Work) -> None:
        self._work = work
        self.plan: Plan = {}

    def measure(self) -> Measures:
        """Measure the Parquet files."""
        work = self._work
        return measure(work.connection, work.attached.database, work.attached.stored(), work.monthly, {})

    def write(self, exports: Path) -> None:
        """Put the files where they will stay, then write views over them."""
        (self._work.folder / EXPORT).rename(exports)
        build_views(exports, self._work.file, self._work.texts)

    def kept_months(self, expected: Measures, exports: Path) -> Files:  # noqa: ARG002
        """Return none: all are new."""
        return {}


def draft_of(work: Work, source: Source, home: Path, changed: Changed | None, copy_limit_bytes: int) -> Draft:
    """Choose how the version is written.

    Raises
    ------
    InfrastructureError
        The disk has no room for it.
    """
    if source.writes_parquet:
        if _size(work.folder / EXPORT) > copy_limit_bytes:
            return Views(work)
        base = None
    else:
        base = base_of(home, changed, identity(work.texts))
    require_space(work.connection, work.attached, work.folder, base, changed)
    if base and changed and copy_proven(work.folder / base.pointer.file, work.file, base.pointer.sha256):
        return Months(work, base, changed)
    return Complete(work)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.parquet") if file.is_file())
