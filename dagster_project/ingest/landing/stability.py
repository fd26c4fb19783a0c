"""When deliveries are ready: what is new in the landing folder, and whether it is unchanged since the last check.

A state is the names, sizes and times of all new files. A file that still grows changes the state, so nothing starts until two looks
one after the other see the same. Holds the comparison; it must not start anything and remembers nothing itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from dagster_project.ingest.landing.inventory import Delivery


@dataclass(frozen=True)
class LandingState:
    """What one check found. `state` is empty when nothing is new; `is_ready` when the state is that of the last check, but no older one."""

    state: str
    is_ready: bool
    reason: str


def check(deliveries: Iterable[Delivery], last_state: str) -> LandingState:
    """Compare the new files with the state that the last check returned."""
    found = sorted((delivery.relative, delivery.bytes, delivery.mtime_ns, delivery.reader_hash) for delivery in deliveries)
    if not found:
        return LandingState("", is_ready=False, reason="nothing new")
    state = hashlib.sha256(repr(found).encode()).hexdigest()
    days = sorted({name.split("/")[2] for name, *_ in found})
    new_files = f"{len(found)} new file{'s' if len(found) > 1 else ''} of {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "")
    if state != last_state:
        return LandingState(state, is_ready=False, reason=f"{new_files}; the next check shows whether they are still being written")
    return LandingState(state, is_ready=True, reason=new_files)
