"""Processes that a killed run left behind: found by the mark they were started with, never by their name alone.

dbt runs inside the run and dies with it. What can be left are its children: the check worker and the verifier of a copy, which only
read, and Spark's Java process, which writes. The next run that takes the warehouse ends them first. Linux only: elsewhere none are found.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MARK = "SERVICE_ROI_RUN"
"""Environment variable that children inherit: folder of the ledger, run, its process and the start of that, by tabs."""
_CHILDREN = ("dagster_project.checks.worker", "dagster_project.publish.verify", "org.apache.spark")
_PROCESSES = Path("/proc")
_GRACE_SECONDS = 3.0


@dataclass(frozen=True)
class Orphan:
    """A child of a run whose own process is dead."""

    pid: int
    run_id: str
    command: str

    def __str__(self) -> str:
        """Return who it was."""
        return f"ended {self.command} (process {self.pid}), left by run {self.run_id}, whose own process is dead"


@contextmanager
def marked(ops: Path, run_id: str) -> Iterator[None]:
    """Mark what this process starts meanwhile as children of a run."""
    os.environ[MARK] = f"{ops.resolve()}\t{run_id}\t{os.getpid()}\t{_started(os.getpid())}"
    try:
        yield
    finally:
        os.environ.pop(MARK, None)


def end_orphans(ops: Path) -> list[Orphan]:
    """End the orphans of this warehouse's runs, and return them. Call it only while holding the warehouse."""
    if not _PROCESSES.is_dir():
        return []
    pids = [int(path.name) for path in _PROCESSES.iterdir() if path.name.isdigit()]
    return [orphan for pid in sorted(pids) if (orphan := _ended(pid, ops)) is not None]


def _ended(pid: int, ops: Path) -> Orphan | None:
    """End this process if it is an orphan; the handle makes sure that the one examined is the one ended."""
    if _orphan(pid, ops) is None:
        return None
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        orphan = _orphan(pid, ops)
        if orphan is None:
            return None
        for how in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(handle, how)
            if select.select([handle], [], [], _GRACE_SECONDS)[0]:
                break
    except OSError:
        return None
    finally:
        os.close(handle)
    return orphan


def _orphan(pid: int, ops: Path) -> Orphan | None:
    try:
        environment = (_PROCESSES / str(pid) / "environ").read_bytes().decode(errors="replace").split("\0")
        command = (_PROCESSES / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return None
    mark = next((line.removeprefix(f"{MARK}=") for line in environment if line.startswith(f"{MARK}=")), "").split("\t")
    name = next((child for child in _CHILDREN if child in command), None)
    if len(mark) != 4 or mark[0] != str(ops.resolve()) or name is None or _started(int(mark[2])) == mark[3]:
        return None
    return Orphan(pid, mark[1], name)


def _started(pid: int) -> str:
    """Return the tick of the clock at which this process began: with its number it names a process for good. Empty when it is dead."""
    try:
        fields = (_PROCESSES / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
