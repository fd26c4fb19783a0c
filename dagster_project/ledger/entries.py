"""What the ledger keeps about a file: the file itself, its batches, its refused records.

Holds frozen records only; it must not hold a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class KnownFile:
    """A delivered file whose records are visible (or duplicates of visible ones)."""

    file_id: int
    sha256: str
    bytes: int
    mtime_ns: int
    reader_hash: str
    duplicate_of: int | None


@dataclass(frozen=True)
class Batch:
    """One feed's rows from one file: one immutable Parquet file below HOME (`path` is relative to it), and the columns it lacks."""

    batch_id: str
    feed: str
    path: str
    rows: int
    lacks: tuple[str, ...] = ()
    control_sums: str = "{}"


@dataclass(frozen=True)
class QuarantinedRecord:
    """One record kept out, with its reason; `raw_text_masked` never shows a personal value.

    `values` are its fields as delivered, known while the run lasts; the ledger does not keep them.
    """

    feed: str
    record_number: int
    line_number: int | None
    column: str | None
    rule: str
    reason: str
    raw_text_masked: str
    raw_sha256: str
    key_sha256: str | None = None
    values: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class StagedFile:
    """One file read in this run: counts in physical records, so that physical = loaded + superseded + quarantined + waiting.

    `drift` is how its header differs from the contract (see `drift.Drift`), `extras_path` where the values of new columns are kept,
    below HOME. `is_unread` (not kept) says that a refused file could not be read at all.
    """

    system: str
    stream: str
    delivery_date: str
    path: str
    sha256: str
    bytes: int
    mtime_ns: int
    reader_hash: str
    status: str
    physical: int = 0
    loaded: int = 0
    superseded: int = 0
    quarantined: int = 0
    waiting: int = 0
    duplicate_of_path: str | None = None
    error: str | None = None
    drift: str = ""
    extras_path: str | None = None
    is_unread: bool = False
    batches: tuple[Batch, ...] = ()
    quarantine: tuple[QuarantinedRecord, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class ChangeBatch:
    """What a change brings to one feed, and columns that its file lacks; `withdrawn` keys are in `withdrawn_path`. Paths are below HOME."""

    batch_id: str
    feed: str
    path: str
    rows: int
    lacks: tuple[str, ...] = ()
    withdrawn: int = 0
    withdrawn_path: str | None = None


@dataclass(frozen=True)
class StagedChange:
    """What a run changes in the feeds of one system that has source tables.

    `moves` says per file number how its records move between states (loaded, superseded, quarantined, waiting); `quarantine` holds, per
    file number, records of earlier files that are kept out now; `resolved` names file number, feed and record of those that no longer are.
    """

    system: str
    delivery_date: str
    state_hash: str
    is_complete: bool
    batches: tuple[ChangeBatch, ...] = ()
    moves: tuple[tuple[int, int, int, int, int], ...] = ()
    quarantine: tuple[tuple[int, QuarantinedRecord], ...] = field(default=(), repr=False)
    resolved: tuple[tuple[int, str, int], ...] = ()
