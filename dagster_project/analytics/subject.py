"""The one form of a final asset, and their discovery: a module of this package that has a `SUBJECT` is one.

Holds the form. It must not name a subject, a table or a formula.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from importlib import import_module
from typing import NamedTuple

import pyarrow as pa
import sqlglot
from sqlglot import expressions

from dagster_project.analytics import inputs
from dagster_project.analytics.inputs import Inputs
from dagster_project.engines.engine import Engine

SCHEMA = "analytics"


class Table(NamedTuple):
    """A table that a subject writes: its columns, and whether rows of a month stay when nothing from that month on has changed."""

    columns: pa.Schema
    is_monthly: bool = False


@dataclass(frozen=True)
class Subject:
    """What is computed of one subject: the SQL it reads, the tables of schema `analytics` it writes, the metrics whose figures these hold.

    `build` reads, calls a formula of `metrics`, writes, and returns numbers worth reporting.
    """

    name: str
    reads: tuple[str, ...]
    writes: Mapping[str, Table]
    metrics: tuple[str, ...]
    build: Callable[[Engine, Inputs], dict[str, object]]

    @cached_property
    def parents(self) -> frozenset[tuple[str, str]]:
        """Schema and name of the tables that the SQL names, without those that the subject writes itself."""
        named = {
            (table.db, table.name)
            for sql in self.reads
            for table in sqlglot.parse_one(sql, dialect="duckdb").find_all(expressions.Table)
            if table.db and table.db != "scratch" and (table.db != SCHEMA or table.name not in self.writes)
        }
        return frozenset(named)


def run(subject: Subject, engine: Engine, since: date | None = None) -> dict[str, object]:
    """Build the tables of a subject, or what of them belongs to months from `since` on, and return its numbers."""
    return subject.build(engine, Inputs(since, engine))


@lru_cache(maxsize=1)
def subjects() -> tuple[Subject, ...]:
    """Return the subjects of this package, by name.

    Raises
    ------
    TypeError
        A module has a `SUBJECT` that is none.
    """
    package = __name__.rpartition(".")[0]
    found = []
    for module in pkgutil.iter_modules(import_module(package).__path__):
        subject = getattr(import_module(f"{package}.{module.name}"), "SUBJECT", None)
        if subject is not None and not isinstance(subject, Subject):
            raise TypeError(f"{package}.{module.name}.SUBJECT is {type(subject).__name__}; remedy: make it a Subject")
        if subject is not None:
            found.append(subject)
    return tuple(sorted(found, key=lambda subject: subject.name))


WINDOWED = (inputs.CALENDAR, inputs.TOTALS)
"""SQL behind `Inputs.calendar`, `totals` and `identified`, for the `reads` of a subject that uses them."""
SETTINGS = (inputs.PARAMETERS, inputs.FEEDS)
"""SQL behind `Inputs.parameters` and `feeds`: every subject reads them."""
