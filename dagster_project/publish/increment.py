"""What of the served version the next one may keep: its file as a start, its months as they are.

Holds the decision only. Whatever cannot be trusted is not kept: the version, or the table, is then written in full.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.publish.measuring import Column, Measures, Tables, adds_up, content_hash, month_key
from dagster_project.publish.versions import Pointer, read_manifest, read_pointer

GROWTH_LIMIT = 1.5
"""A file that deletions left larger than this many times its last full publish is rewritten."""


@dataclass(frozen=True)
class Changed:
    """What may differ from the served version `base` (its stem): these months of these monthly tables.

    All other rows of monthly tables are promised to be equal, those of a table that is not named too. A table that is not monthly
    may differ in any row.
    """

    base: str
    months: Mapping[str, frozenset[date | None]]


@dataclass(frozen=True)
class Base:
    """The served version as a start: `tables` as its manifest states them, `full_bytes` of its last full publish."""

    pointer: Pointer
    tables: Measures
    full_bytes: int


def base_of(home: Path, changed: Changed | None, descriptions_sha256: str) -> Base | None:
    """Return the version to start from; None when the promise is about another one, or it is no good start.

    Row hashes belong to a version of DuckDB, so a version that another one wrote is none; one of views holds no rows. Files with other
    descriptions are written again.
    """
    pointer = read_pointer(home)
    if changed is None or pointer is None or pointer.stem != changed.base or pointer.is_view:
        return None
    try:
        manifest = read_manifest(home, pointer.stem)
        base = Base(pointer, manifest["tables"], manifest["full_bytes"])
        is_intact = manifest["version"]["sha256"] == pointer.sha256 and content_hash(base.tables) == pointer.content_hash
        is_intact &= manifest["descriptions_sha256"] == descriptions_sha256
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    is_compact = pointer.bytes <= GROWTH_LIMIT * base.full_bytes
    return base if is_intact and is_compact and pointer.duckdb_version == duckdb.__version__ else None


def months_to_renew(base: Base, changed: Changed, monthly: Collection[str], tables: Tables, kept: Tables) -> dict[str, frozenset[str]]:
    """Return the months to renew in each monthly table of the source that is in the base's file with the same columns.

    `tables` is what the source has, `kept` what the file has. A table that is not in the result is renewed completely.
    """
    return {
        f"{schema}.{table}": frozenset(map(month_key, changed.months.get(f"{schema}.{table}", ())))
        for (schema, table), columns in tables.items()
        if f"{schema}.{table}" in monthly
        and _layout(columns) == _layout(kept.get((schema, table), []))
        and adds_up(base.tables.get(f"{schema}.{table}", {}), columns)
    }


def months_that_differ(base: Base, measures: Measures, candidates: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return the candidates that hold other rows than the base's file; of a table that was not measured all of them."""
    return {
        name: frozenset(key for key in keys if measures[name]["months"].get(key) != base.tables[name]["months"].get(key))
        if name in measures
        else keys
        for name, keys in candidates.items()
    }


def _layout(columns: list[Column]) -> list[tuple[str, str, bool]]:
    return [(column.name, column.data_type, column.is_nullable) for column in columns]
