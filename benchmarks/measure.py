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
TICKS = os.sysconf("SC_CLK_TCK")
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


def _session(session: int, seconds: dict[str, float]) -> int:
    """Resident bytes of a session's processes now; `seconds` keeps the processor time each of them was last seen with."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # After the command name, which may hold spaces: state, parent, group, session.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session:
                    seconds[entry.name] = (int(fields[11]) + int(fields[12])) / TICKS
                    total += int((entry / "statm").read_text().split()[1]) * PAGE
            except (OSError, IndexError):
                continue
    return total


def run(command: list[str], *, folder: Path, environment: dict[str, str] | None = None) -> Usage:
    """Run a command to its end in a session of its own.

    Processor time and the peak of the largest single process come from the kernel; the sum of memory over processes is
    sampled. The kernel does not tell of a process that nobody waited for, as the JVM that Python ends with: then the sampled
    times, added up, are the larger figure and count.

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
    seconds: dict[str, float] = {}

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            sampled[0] = max(sampled[0], _session(process.pid, seconds))

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
    return Usage(wall, max(usage.ru_utime + usage.ru_stime, sum(seconds.values())), max(usage.ru_maxrss * 1024, sampled[0]), "".join(lines))


def middle(usages: list[Usage]) -> Usage:
    """Medians of each measure over repeated runs."""
    return Usage(
        median(usage.wall_seconds for usage in usages),
        median(usage.cpu_seconds for usage in usages),
        int(median(usage.peak_bytes for usage in usages)),
    )
