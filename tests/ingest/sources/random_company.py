"""Small random exports of a built-in system: every stream, few ids, many nulls, several versions over several days.

Values come from the columns' names and from the words that the system's own SELECTs compare a column with.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import sqlglot
from sqlglot import exp

from dagster_project.ingest.mapping.systems import Stream, System

DAYS = ("2026-10-05", "2026-10-06", "2026-10-07")
_DAY = re.compile(r"(_date|^starting|^ending|period_start|period_end|_on)$")
_INSTANT = re.compile(r"(_at|_instant|date|date_last_modified|created|updated|time|timestamp|start|end|occurred)$")
_FLAGS = {"public", "captured", "livemode", "active", "refunded", "deleted", "_fivetran_deleted", "taxes_included", "gift_card", "test"}
_SCORE = re.compile(r"rating|score")
_AMOUNT = re.compile(r"amount|total|price|net|tax|subtotal|quantity|rate|seconds|duration|count|number|value|index|cost|time")


@dataclass(frozen=True)
class Delivered:
    """One file: stream, day, name, and its records by column."""

    stream: str
    day: str
    name: str
    records: tuple[dict[str, str], ...]

    def write(self, landing: Path, system: System) -> None:
        """Write the file where its stream and day say."""
        stream = system.stream(self.stream)
        path = landing / system.name / self.stream / self.day / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        out = io.StringIO()
        writer = csv.DictWriter(out, stream.read_columns, lineterminator="\n", restval="", delimiter=stream.delimiter or ",")
        writer.writeheader()
        writer.writerows(self.records)
        path.write_text(out.getvalue(), encoding=stream.encoding)


def delivered(landing: Path, system: System) -> list[Delivered]:
    """Return the files of a system that lie in a landing folder."""
    files = []
    for path in sorted((landing / system.name).glob("*/*/*.csv")):
        stream = path.parts[-3]
        if stream not in system.file.streams:
            continue
        with path.open(encoding=system.stream(stream).encoding, newline="") as text:
            read = system.stream(stream).read_columns
            records = tuple({name: record[name] for name in read if name in record} for record in csv.DictReader(text))
            files.append(Delivered(stream, path.parts[-2], path.name, records))
    return [file for file in files if file.records]


def last_state(system: System, files: Sequence[Delivered]) -> list[Delivered]:
    """Keep of each key the latest version, and of each set the records of the latest day, by the rules of docs/mappings.md."""
    placed = [(file, record, _rank(system, file, record, at)) for file in files for at, record in enumerate(file.records)]
    sets: dict[tuple[str, ...], str] = {}
    for file, record, _ in placed:
        of = _set(system, file.stream, record)
        sets[of] = max(sets.get(of, ""), file.day)
    placed = [
        (file, record, rank)
        for file, record, rank in placed
        if not system.stream(file.stream).complete_per or file.day == sets[_set(system, file.stream, record)]
    ]
    best: dict[tuple[str, ...], tuple[str, ...]] = {}
    for file, record, rank in placed:
        key = _identity(system, file.stream, record)
        best[key] = max(best.get(key, rank), rank)
    spans: dict[tuple[str, ...], tuple[str, str]] = {}  # first day of a key, and the day since which its latest version is known
    for file, record, rank in placed:
        key = _identity(system, file.stream, record)
        first, since = spans.get(key, (file.day, ""))
        if rank[0] == best[key][0]:
            since = min(since or file.day, file.day) if rank[0] else max(since, file.day)
        spans[key] = (min(first, file.day), since)
    kept: dict[Delivered, list[dict[str, str]]] = {}
    for file, record, rank in placed:
        latest, stream = best[_identity(system, file.stream, record)], system.stream(file.stream)
        is_current = rank == latest or not stream.key
        if stream.complete_with:
            (column,) = (column for column, parent in stream.needs.items() if parent == stream.complete_with)
            first, since = spans.get((stream.complete_with, record[column]), ("", ""))
            is_current = is_current and not (file.day < since and first < since)
        if is_current:
            kept.setdefault(replace(file, records=()), []).append(record)
    return [replace(file, records=tuple(records)) for file, records in kept.items()]


def _set(system: System, stream: str, record: dict[str, str]) -> tuple[str, ...]:
    return (stream, *(record[column] for column in system.stream(stream).complete_per))


def _rank(system: System, file: Delivered, record: dict[str, str], at: int) -> tuple[str, ...]:
    return (record.get(system.stream(file.stream).version or "", ""), file.day, file.name, f"{at:09}")


def _identity(system: System, stream: str, record: dict[str, str]) -> tuple[str, ...]:
    described = system.stream(stream)
    columns = (*described.complete_per, *described.key)
    return (stream, *(record[column] or described.key_defaults.get(column, "") for column in columns))


def words(system: System, files: Iterable[str]) -> dict[str, list[str]]:
    """Return the texts that SELECTs compare each column with."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in files:
        assert system.folder is not None
        tree = sqlglot.parse_one((system.folder / file).read_text(encoding="utf-8"), read="duckdb")
        for node in tree.find_all(exp.EQ, exp.In, exp.NEQ, exp.Like):
            columns = [column.name for column in node.find_all(exp.Column)]
            texts = [literal.name.rstrip("%") for literal in node.find_all(exp.Literal) if literal.is_string]
            for column in columns[:1]:
                found[column] |= set(texts)
    return {name: sorted(texts) for name, texts in found.items()}


def company(system: System, seed: int, most: int = 5, ids: int = 4) -> list[Delivered]:
    """Return the files of a company: per stream and day up to `most` records of few keys, most of which come again with other values."""
    chance = random.Random(seed)
    of_any = words(system, sorted(feed.sql for stream in system.file.streams.values() for feed in stream.feeds.values()))
    files = []
    for name, stream in system.file.streams.items():
        if chance.random() < 0.1 and most < 10:
            continue  # some streams never come
        size = chance.choice((0.3, 0.9)) if most < 10 else 1
        known = of_any | words(system, [feed.sql for feed in stream.feeds.values()])
        for day in DAYS:
            count = chance.choice((1, 2, most) if most < 10 else (most,)) if chance.random() < size else chance.choice((0, 1))
            records = tuple(
                {column: _value(column, stream, day, known, chance, ids) for column in stream.read_columns} for _ in range(count)
            )
            if records:
                files.append(Delivered(name, day, f"{chance.randrange(20)}.csv", records))
    return files


def _value(column: str, stream: Stream, day: str, known: dict[str, list[str]], chance: random.Random, ids: int) -> str:
    is_key = column in stream.key or column in stream.complete_per or column in stream.needs
    if (not is_key or column in stream.key_defaults) and chance.random() < 0.06:
        return ""
    lowered = column.lower()
    if lowered in _FLAGS or lowered.startswith(("is_", "has_")):
        return "true" if chance.random() < 0.2 else "false"
    if lowered == "_fivetran_active":
        return "false" if chance.random() < 0.2 else "true"
    texts = known.get(column, [])
    if texts and chance.random() < (0.9 if len(texts) > 1 else 0.5):
        return chance.choice(texts)
    if "email" in lowered:
        return f"p{chance.randrange(3)}@example.org"
    if "currency" in lowered or lowered == "symbol":
        return "USD"
    if lowered == "priority":
        return chance.choice(("low", "normal"))
    if lowered in {"ticket_type", "type"} and not texts:
        return "question"
    if re.search(r"seconds|duration|_time$", lowered):
        return str(chance.randrange(1, 9) * 10)
    if "id" not in lowered.split("_"):
        is_day = _DAY.search(lowered)
        if column == stream.version or (_INSTANT.search(lowered) and not is_day):
            early = "creat" in lowered or "start" in lowered
            return f"{_day(DAYS[0] if early else day, chance)} 0{chance.randrange(4) + 4 * (not early)}:0{chance.randrange(6)}:00"
        if is_day:
            return f"{day[:8]}01" if "start" in lowered else _day(day, chance)
    if is_key or lowered.endswith("id"):
        return str(chance.randrange(1, ids + 1))
    if _SCORE.search(lowered):
        return str(chance.randrange(1, 6))
    if _AMOUNT.search(lowered):
        return str(chance.randrange(1, 9) * 10)
    return chance.choice(("a", "b", "c"))


def _day(latest: str, chance: random.Random) -> str:
    return chance.choice(DAYS[: DAYS.index(latest) + 1])
