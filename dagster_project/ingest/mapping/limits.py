"""What the SELECT of a mapping may cost while it runs: processor time, memory and rows; and the key of hashes is out of its reach.

Holds the guard around a SELECT. Time is what the process computes and not what the clock says, so that a busy machine stops nothing. Memory
is bounded by the operating system, since the engine does not count the texts and lists that a function makes.
"""

from __future__ import annotations

import re
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.host.process_memory import address_space_bytes
from dagster_project.ingest.pii.masking import without_key
from dagster_project.settings import Settings

_LOOK_SECONDS = 0.1
_RECORDS_A_SECOND = 1_000  # each thousand records adds a second: many times of what they need
_FEW_ROWS = 100_000  # so many rows are never too many
_ROOM = 2 << 30  # bytes of address space in addition to what the engine may use
_UNITS = {"": 1, "k": 1_000, "m": 1_000**2, "g": 1_000**3, "t": 1_000**4, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}


@dataclass(frozen=True)
class Limits:
    """Seconds of processor time of one SELECT over few records, rows that it may return for each record, and memory of the engine."""

    seconds: float = 20.0
    rows: int = 100
    memory: str = "256MB"

    @staticmethod
    def of(settings: Settings) -> Limits:
        """Return the limits that the settings name."""
        return Limits(settings.mapping_seconds, settings.mapping_rows, settings.memory_limit)

    def most_rows(self, records: int) -> int:
        """Return how many rows a SELECT may make of so many records."""
        return max(_FEW_ROWS, self.rows * records)

    def check_rows(self, path: Path, rows: int, records: int) -> None:
        """Refuse a SELECT that was cut off because it returned too many rows.

        Raises
        ------
        UsageError
            Names the mapping, the limit and how to raise it.
        """
        if rows > self.most_rows(records):
            most = f"{self.most_rows(records):,} rows of {records:,} records"
            raise UsageError(
                f"mapping {path}: returns more than {most}; remedy: join by an equality, group what is joined, or raise ROI_MAPPING_ROWS"
                f" (now {self.rows:,} rows a record)"
            )


@contextmanager
def guarded(connection: duckdb.DuckDBPyConnection, path: Path, limits: Limits, records: int = 0) -> Iterator[None]:
    """Run the SELECT of a mapping within its limits and without the key of hashes; `records` are all that it reads.

    Raises
    ------
    UsageError
        It computes for too long: names the mapping, the limit and how to raise it.
    InfrastructureError
        It needs more memory than it may have.
    """
    seconds = limits.seconds + records / _RECORDS_A_SECOND
    with without_key(connection), _bounded_memory(bytes_of(limits.memory) + _ROOM):
        watch = _Watch(connection, seconds)
        try:
            yield
        except duckdb.InterruptException as error:
            if not watch.is_late:
                raise
            raise UsageError(
                f"mapping {path}: stopped after {seconds:,.0f} s of processor time; remedy: join by an equality, repeat and nest less, or"
                f" raise ROI_MAPPING_SECONDS (now {limits.seconds:g})"
            ) from error
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise InfrastructureError(
                f"mapping {path}: needs more memory than it may have; remedy: join by an equality, repeat and nest less, or raise"
                f" ROI_MEMORY_LIMIT (now {limits.memory})"
            ) from error
        finally:
            watch.end()


class _Watch:
    """Interrupts what a connection runs when the process has computed for so many seconds."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self.is_late, self._ended = False, threading.Event()
        self._connection, self._until = connection, time.process_time() + seconds
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            if time.process_time() > self._until:  # again and again: what catches the first interrupt may start again
                self.is_late = True
                self._connection.interrupt()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


@contextmanager
def _bounded_memory(more: int) -> Iterator[None]:
    """Let the process take so many bytes more than it has; where the system cannot tell or bound it, the engine's limit stays alone."""
    held = address_space_bytes()
    if held is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = held + more
    bounds = [bound for bound in (most, soft, hard) if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def bytes_of(size: str) -> int:
    """Return the bytes of a size as the engine takes it, such as 4GB or 512MiB.

    Raises
    ------
    UsageError
        It is none.
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?i?)b?\s*", size.lower())
    if found is None or found[2] not in _UNITS:
        raise UsageError(f"setting memory_limit: {size} is no size; remedy: write a number and a unit, such as 4GB")
    return int(float(found[1]) * _UNITS[found[2]])
