"""What one query may take: seconds, memory and room on disk, and how it ends when it takes more.

Holds the bounds and their messages. The engine is interrupted first; a process that serves one query alone (`service-roi sql`) also bounds
its memory by the system, since the engine does not count all it takes, and ends where the engine does not stop.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Self

import duckdb

from dagster_project.errors import InfrastructureError
from dagster_project.host.process_memory import data_bytes
from dagster_project.host.temporary import folder_of_process

_GRACE_SECONDS = 10.0
_PROCESS_BYTES = 10**9
"""What Python and the engine take over the memory limit and over what the process holds already."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one query: seconds, bytes of memory, and bytes on disk, for the result and for what does not fit in memory each."""

    seconds: float = 600
    memory_bytes: int = 4_000_000_000
    disk_bytes: int = 10_000_000_000

    def out_of_time(self) -> InfrastructureError:
        """Return the error of a query that took too long."""
        return InfrastructureError(
            f"the query took longer than its limit of {self.seconds:g} seconds and was ended; remedy: ask for fewer rows or months,"
            " or raise the limit in ROI_SQL_SECONDS"
        )

    def out_of_memory(self) -> InfrastructureError:
        """Return the error of a query that needs more memory."""
        return InfrastructureError(
            f"the query needs more memory than its limit of {self.memory_bytes:,} bytes and was ended; remedy: ask for fewer rows or"
            " months, or raise the limit in ROI_SQL_MEMORY_LIMIT"
        )

    def out_of_disk(self, what: str) -> InfrastructureError:
        """Return the error of a query that writes more than it may."""
        return InfrastructureError(
            f"{what} larger than the limit of {self.disk_bytes:,} bytes and the query was ended; remedy: ask for fewer rows or columns,"
            " or raise the limit in ROI_SQL_DISK_LIMIT"
        )


class Deadline:
    """Interrupts a connection when time is over, again and again until the block ends."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits, *, is_own_process: bool) -> None:
        """Start nothing yet: the clock runs inside the block."""
        self._connection, self._limits, self._is_own_process = connection, limits, is_own_process
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self.is_over = False

    def __enter__(self) -> Self:
        """Start the clock."""
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the clock; no interrupt comes after this."""
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        if self._done.wait(self._limits.seconds):
            return
        self.is_over = True
        patience = _GRACE_SECONDS
        while not self._done.wait(0.2):
            self._connection.interrupt()
            patience -= 0.2
            if patience < 0 and self._is_own_process:
                error = self._limits.out_of_time()
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
                sys.stderr.flush()
                shutil.rmtree(folder_of_process(), ignore_errors=True)
                os._exit(error.exit_code)


@contextmanager
def process_bounded(limits: Limits) -> Iterator[None]:
    """Let the system refuse memory beyond the limit to this process; where a system knows no such bound, the engine's holds."""
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = (data_bytes() or 0) + limits.memory_bytes + _PROCESS_BYTES
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (before, hard))
