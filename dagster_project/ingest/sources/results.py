"""What a run makes of one system: the rows and withdrawals of its feeds, and how the states of records move.

Holds data only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.ledger.entries import QuarantinedRecord


@dataclass
class FeedChange:
    """What one feed gets: `rows` with the Parquet file of new and different rows, `withdrawn` with that of the keys taken back.

    `lacks` are the columns of the contract that are null in every row and not in the file.
    """

    feed: str
    path: Path
    rows: int
    withdrawn: int
    withdrawn_path: Path | None
    lacks: tuple[str, ...] = ()


@dataclass
class FileCounts:
    """How the numbers of records of one file in each state move; of a file of this run they start at nothing."""

    loaded: int = 0
    superseded: int = 0
    quarantined: int = 0
    waiting: int = 0


@dataclass
class SystemChange:
    """Everything a run makes of one system; `refused_by_feed` counts, per file, the records of this run that a feed refuses."""

    feeds: list[FeedChange] = field(default_factory=list)
    moves: dict[int, FileCounts] = field(default_factory=dict)
    quarantine: dict[int, list[QuarantinedRecord]] = field(default_factory=lambda: defaultdict(list))
    resolved: list[tuple[int, str, int]] = field(default_factory=list)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused_by_feed: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    warnings: list[str] = field(default_factory=list)
    mapped: Counter[str] = field(default_factory=Counter)
    derived: list[str] = field(default_factory=list)
    nameless: int = 0  # rows of forgotten persons that came again


@dataclass(frozen=True)
class StreamChange:
    """How many current rows of a stream went and came, and how many keys have several versions that are equally new."""

    removed: int
    added: int
    tied: int
