"""From the JSON of a REST system to rows of its tables: the declarations (one YAML a system) and how a path is read.

A column is a name, or `name: path`. A path is dotted keys of the table's record; `^` goes to the record around it, `#` is its place
(from 1), `.` the value itself. `rows` is the dotted path to the lists that make the rows. It must not send a request.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, field_validator

SYNCED, DELETED = "_fivetran_synced", "_fivetran_deleted"
"""Columns of the form that the mappings read: when a row was fetched, and that it was not deleted."""


class Table(BaseModel):
    """How one table is made from the records of an endpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: str = ""
    columns: dict[str, str]

    @field_validator("columns", mode="before")
    @classmethod
    def _paths(cls, value: list[str | dict[str, str]]) -> dict[str, str]:
        paths: dict[str, str] = {}
        for column in value:
            paths.update(column if isinstance(column, dict) else {column: column})
        return paths


class Endpoint(BaseModel):
    """One list of a REST system and the tables its records become.

    `paging`: `cursor` and `time` are Zendesk's exports; `link` follows a Link header, `next` a link in the answer. `instant` names
    the column by which records are newer or older; `since` the parameter that asks for newer ones. A record that was delivered before
    in the same form is excluded as far as `look_back_seconds` reach; None reads everything each time and delivers what changed.
    A load may end between two pages of an endpoint that `is_ordered`, oldest change first.
    `of` and `ids`: asked for the identifiers found in the records of another endpoint, `batch` at a time, put into `path`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    records: str
    paging: Literal["cursor", "time", "link", "next"]
    params: dict[str, str] = {}
    instant: str = "updated_at"
    since: str | None = None
    is_ordered: bool = True
    look_back_seconds: int | None = 0
    of: str | None = None
    ids: str = ""
    batch: int = 1
    tables: dict[str, Table]


class System(BaseModel):
    """The endpoints of a REST system in the order they are read; `instants` are columns whose ISO instants become UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instants: frozenset[str]
    endpoints: dict[str, Endpoint]


@lru_cache
def load_system(kind: str) -> System:
    """Read the declarations of a REST system that are next to this module."""
    return System.model_validate(yaml.safe_load(Path(__file__).with_name(f"{kind}.yml").read_text(encoding="utf-8")))


def rows(table: Table, record: dict[str, Any], instants: frozenset[str], synced: str) -> Iterator[list[str | None]]:
    """Yield the rows that one record of the endpoint gives to a table, every value as text."""
    for around in _items(record, table.rows):
        yield [
            synced if name == SYNCED else "false" if name == DELETED else _text(_value(path, around), is_instant=name in instants)
            for name, path in table.columns.items()
        ]


def values(record: Any, path: str) -> list[Any]:
    """Return every value at a dotted path; lists on the way are walked through."""
    if isinstance(record, list):
        return [value for item in record for value in values(item, path)]
    if not path:
        return [] if record is None else [record]
    first, _, rest = path.partition(".")
    return values(record.get(first), rest) if isinstance(record, dict) else []


def _items(record: Any, path: str) -> Iterator[list[tuple[Any, int]]]:
    """Yield the records that a path of lists leads to, each with those around it, outermost first, and its place in its list."""
    chains: list[list[tuple[Any, int]]] = [[(record, 1)]]
    for step in filter(None, path.split(".")):
        chains = [
            [*chain, (item, place)]
            for chain in chains
            for place, item in enumerate((chain[-1][0] if isinstance(chain[-1][0], dict) else {}).get(step) or [], start=1)
        ]
    yield from chains


def _value(path: str, around: list[tuple[Any, int]]) -> Any:
    up = len(path) - len(path.lstrip("^"))
    value, place = around[-1 - up]
    path = path[up:]
    if path in {"#", "."}:
        return place if path == "#" else value
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: Any, *, is_instant: bool) -> str | None:
    """Write a value as these exports do: no text is null, instants are UTC without a zone, lists and objects stay JSON."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return utc_text(value) if is_instant and isinstance(value, str) else str(value)


def utc_text(value: str) -> str:
    """Write an ISO instant in UTC without a zone; what is none stays as it is, for ingest to refuse."""
    try:
        instant = dt.datetime.fromisoformat(value)
    except ValueError:
        return value
    return value if instant.tzinfo is None else instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ")
