"""One measured process: wall clock, processor time and peak memory of it and everything it started."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Usage:
    """Seconds and bytes of one run; `peak_bytes` is the largest sum of resident memory over all its processes."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str = ""


class CommandFailedError(RuntimeError):
    """A measured command did not end well; the message ends with what it wrote last."""


def _session_bytes(session: int) -> int:
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # After the command name, which may hold spaces: state, parent, group, session.
                if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                    total += int((entry / "statm").read_text().split()[1]) * PAGE
            except (OSError, IndexError):
                continue
    return total


def run(command: list[str], *, folder: Path, environment: dict[str, str] | None = None) -> Usage:
    """Run a command to its end in a session of its own.

    Processor time and the peak of the largest single process come from the kernel; the sum over processes is sampled.

    Raises
    ------
    CommandFailedError
        The command returned anything but 0.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    lines: list[str] = []

    def read() -> None:
        if process.stdout is not None:
            with process.stdout as stream:
                lines.extend(stream)

    reader = threading.Thread(target=read)
    reader.start()
    sampled, ended = [0], threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            sampled[0] = max(sampled[0], _session_bytes(process.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    sampler.join()
    reader.join()
    if process.returncode != 0:
        raise CommandFailedError(f"{' '.join(command)} ended with {process.returncode}:\n{''.join(lines[-30:])}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, max(usage.ru_maxrss * 1024, sampled[0]), "".join(lines))


def middle(usages: list[Usage]) -> Usage:
    """Medians of each measure over repeated runs."""
    return Usage(
        median(usage.wall_seconds for usage in usages),
        median(usage.cpu_seconds for usage in usages),
        int(median(usage.peak_bytes for usage in usages)),
    )
