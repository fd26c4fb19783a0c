"""Records of a delivered file as rows of a stream: as text, with what places them in the order of versions.

Holds the statements that write them into the table of delivered rows. It must not merge a row.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from dagster_project.ingest.conform.rules import Rule
from dagster_project.ingest.landing.inventory import Delivery
from dagster_project.ingest.mapping.streams import Stream
from dagster_project.ingest.readers.source import Source
from dagster_project.ingest.sources.visibility import is_unreadable
from dagster_project.ingest.sql_text import identifier, identifier_form, instant, literal

if TYPE_CHECKING:
    from dagster_project.ingest.sources.tables import SourceTables

FILE_BITS = 32
"""A record is numbered by its file (the higher bits) and its place in it."""
_DIGITS = 12


def natural_order(name: str) -> str:
    """Return a text that sorts as people number files: 10.csv after 2.csv."""
    return re.sub(r"\d+", lambda found: found.group().zfill(_DIGITS), name)


def add(tables: SourceTables, delivery: Delivery, source: Source, file_no: int, joined: Collection[str] = ()) -> list[tuple[int, Rule]]:
    """Take in the records of one file; return those that cannot be placed, each with the rule that it breaks.

    Columns that are `joined` to others are brought into one form, like ids.
    """
    stream, delta = tables.system.stream(delivery.stream), tables.delta(delivery.stream)
    version = _version(stream, stream.time_zone or tables.system.time_zone)
    day = literal(delivery.delivery_date.isoformat()) + "::date"
    placed = {
        "row_version": version, "row_day": day, "row_file": literal(natural_order(delivery.relative)), "row_first": day, "row_last": day,
    }  # fmt: skip
    names = ", ".join([*map(identifier, stream.read_columns), *placed])
    values = ", ".join([*_texts(stream, joined), *placed.values()])
    source.load(tables.connection, stream.read_columns)
    broken: list[tuple[int, Rule]] = []
    where, rules = "", _rules(stream, version)
    if rules:
        first = f"case {' '.join(f'when {rule.bad_sql} then {at}' for at, rule in enumerate(rules))} end"
        found = tables.run(f"select record_number, {first} from source where {first} is not null").fetchall()
        broken = [(number, rules[at]) for number, at in found]
        where = f" where {first} is null" if broken else ""
    number = f"({file_no}::bigint << {FILE_BITS}) | record_number, record_number"
    tables.run(f"insert into {delta} ({names}, record_number, row_place) select {values}, {number} from source{where}")
    return broken


def _texts(stream: Stream, joined: Collection[str]) -> list[str]:
    """Return the SQL of the columns that are read; what names something is brought into its one form."""
    ids = {*stream.key, *stream.complete_per, *stream.needs, *joined}
    return [
        identifier_form(identifier(column))
        if column in ids or column.lower().endswith("_id") or column.lower() == "id"
        else identifier(column)
        for column in stream.read_columns
    ]


def _version(stream: Stream, zone: str) -> str:
    """Return the SQL of the instant of a record's version."""
    return "null::timestamptz" if stream.version is None else instant(identifier(stream.version), zone, stream.timestamp_formats)


def _rules(stream: Stream, version: str) -> list[Rule]:
    """Return the rules for what cannot be read of a record: its version, of this SQL, and whether it is deleted."""
    rules = []
    if stream.version is not None:
        bad = f"{identifier(stream.version)} is not null and {version} is null"
        rules = [Rule(stream.version, "instant_format", bad, "is not an instant, so its version is unknown")]
    for column, value in stream.deleted.items():
        if bad := is_unreadable(identifier(column), value):
            detail = "is neither true nor false, so it is unknown whether the record is deleted"
            rules.append(Rule(column, "boolean_format", bad, detail))
    return rules
