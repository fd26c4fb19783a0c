"""What truth records about one fault in one file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["refused", "quarantined", "superseded", "unchanged", "late", "warned"]
"""What a correct warehouse does.

refused: the complete file stays out until it is replaced · quarantined: the records stay out, the rest loads · superseded: the
records are counted and add nothing · late: they count in the month in which they happened · warned: they load and it is
said · unchanged: every figure is what it would be without the fault.
"""
QUARANTINE_SHARE = (5, 1_000)
"""Share of a file's records up to which bad ones are quarantined (assumption quarantine_threshold_rate)."""
QUARANTINE_RECORDS = 5
"""Number of bad records up to which a file with a good one is never refused (assumption quarantine_threshold_records)."""


@dataclass(frozen=True)
class Entry:
    """One fault in one file. `file` and `redelivered_as` are paths below the landing folder, `records` are keys of records."""

    fault: str
    matrix_id: str | None
    feed: str
    day: str
    file: str
    outcome: Outcome
    rule: str
    count: int
    records: tuple[str, ...] = ()
    redelivered_as: str | None = None

    def document(self) -> dict[str, Any]:
        """Plain values for truth.json."""
        return asdict(self) | {"records": list(self.records)}
