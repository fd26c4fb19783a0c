"""Small random exports of a built-in system: every stream, few ids, many nulls, several versions over several days.

Values come from the columns' names and from the words that the system's own SELECTs compare a column with.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from dagster_project.ingest.mapping.systems import Stream, System

DAYS = ("2026-10-05", "2026-10-06", "2026-10-07")
_DAY = re.compile(r"(_date|^starting|^ending|period_start|period_end|_on)$")
_INSTANT = re.compile(r"(_at|_instant|date|date_last_modified|created|updated|time|timestamp|start|end|occurred)$")
_SCORE = re.compile(r"rating|score")
_AMOUNT = re.compile(r"amount|total|price|net|tax|subtotal|quantity|rate|seconds|duration|score|count|number|value|index|cost")


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


def words(system: System) -> dict[str, list[str]]:
    """Return the texts that the SELECTs compare each column with."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(system.folder.glob("*.sql")) if system.folder else []:
        tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
        for node in tree.find_all(exp.EQ, exp.In, exp.NEQ):
            columns = [column.name for column in node.find_all(exp.Column)]
            texts = [literal.name for literal in node.find_all(exp.Literal) if literal.is_string]
            for column in columns[:1]:
                found[column] |= set(texts)
    return {name: sorted(texts) for name, texts in found.items()}


def company(system: System, seed: int, most: int = 5) -> list[Delivered]:
    """Return the files of a company: per stream and day up to `most` records of few keys, most of which come again with other values."""
    chance = random.Random(seed)
    known = words(system)
    files = []
    for name, stream in system.file.streams.items():
        if chance.random() < 0.1:
            continue  # some streams never come
        sizes = chance.choice((0.3, 0.9))
        for day in DAYS:
            records = tuple(_records(stream, day, known, chance, sizes, most))
            if records:
                files.append(Delivered(name, day, f"{chance.randrange(20)}.csv", records))
    return files


def _records(
    stream: Stream, day: str, known: dict[str, list[str]], chance: random.Random, size: float, most: int
) -> Iterator[dict[str, str]]:
    for _ in range(chance.choice((0, 2, most)) if chance.random() < size else 1):
        yield {column: _value(column, stream, day, known, chance) for column in stream.read_columns}


def _value(column: str, stream: Stream, day: str, known: dict[str, list[str]], chance: random.Random) -> str:
    is_key = column in stream.key or column in stream.complete_per or column in stream.needs
    if not is_key and chance.random() < 0.12:
        return ""
    texts = known.get(column, [])
    if texts and chance.random() < 0.8:
        return chance.choice(texts)
    lowered = column.lower()
    if "email" in lowered:
        return f"p{chance.randrange(3)}@example.org"
    if "currency" in lowered or lowered == "symbol":
        return "USD"
    if "id" not in lowered.split("_"):
        if column == stream.version or (_INSTANT.search(lowered) and not _DAY.search(lowered)):
            return f"{_day(day, chance)} 0{chance.randrange(8)}:0{chance.randrange(6)}:00"
        if _DAY.search(lowered):
            return _day(day, chance)
    if lowered == "id" or lowered.endswith(("_id", "id")) or is_key:
        return str(chance.randrange(1, 4))
    if _SCORE.search(lowered):
        return str(chance.randrange(1, 6))
    if _AMOUNT.search(lowered):
        return str(chance.randrange(1, 9) * 10)
    if lowered.startswith(("is_", "has_")) or lowered in {
        "public",
        "captured",
        "livemode",
        "active",
        "refunded",
        "deleted",
        "_fivetran_deleted",
    }:
        return chance.choice(("true", "false"))
    return chance.choice(("a", "b", "c"))


def _day(latest: str, chance: random.Random) -> str:
    return chance.choice(DAYS[: DAYS.index(latest) + 1])
