"""The records of a source table as they were delivered and as a SELECT returned them, for the messages about refused ones.

It must not decide which record is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from dagster_project.ingest.readers.source import Source
from dagster_project.ingest.sources.delivered import FILE_BITS
from dagster_project.ingest.sources.tables import SourceTables
from dagster_project.ingest.sql_text import identifier


def mapped_values(tables: SourceTables, relation: str, numbers: set[int]) -> dict[int, dict[str, str | None]]:
    """Return the mapped columns of records by number, as text."""
    if not numbers:
        return {}
    listed = ", ".join(map(str, sorted(numbers)))
    cursor = tables.run(f"select record_number, * exclude (record_number) from {relation} where record_number in ({listed})")
    names = [entry[0] for entry in cursor.description][1:]
    return {
        row[0]: {name: None if value is None else str(value) for name, value in zip(names, row[1:], strict=True)}
        for row in cursor.fetchall()
    }


def raw_records(
    tables: SourceTables, sources: Mapping[int, Source], name: str, numbers: set[int]
) -> tuple[dict[int, int], dict[int, tuple[tuple[str, ...], list[str | None]]]]:
    """Return line numbers and fields of records: from their file where this run read it, else from the table."""
    place_of = (1 << FILE_BITS) - 1
    lines: dict[int, int] = {}
    fields: dict[int, tuple[tuple[str, ...], list[str | None]]] = {}
    by_file: dict[int, set[int]] = defaultdict(set)
    for number in numbers:
        by_file[number >> FILE_BITS].add(number & place_of)
    for file_no, places in by_file.items():
        if source := sources.get(file_no):
            for place, record in source.lines(places).items():
                number = file_no << FILE_BITS | place
                fields[number] = (source.scan.columns, list(record.fields))
                if record.line:
                    lines[number] = record.line
    if rest := numbers - fields.keys():
        columns = tables.columns(name)
        listed = ", ".join(map(str, sorted(rest)))
        names = ", ".join(map(identifier, columns))
        for number, *raw in tables.run(
            f"select record_number, {names} from {tables.table(name)} where record_number in ({listed})"
        ).fetchall():
            fields[number] = (columns, raw)
    return lines, fields
