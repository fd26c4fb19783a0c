"""One measured process: wall clock, processor time and peak memory of it and everything it started.

Linux only. Every process of the command's session is seen at least every tenth of a second; those that their parent did not
wait for, as the JVM that Python leaves behind, become children of this process and are waited for here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLE_SECONDS = 0.1
ORPHAN_SECONDS = 10.0
_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Usage:
    """Seconds and bytes of one run; `peak_bytes` is the largest sum of resident memory over all its processes.

    Pages that several processes share count once in each, so that the sum is never too small by them.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str = ""


class CommandFailedError(RuntimeError):
    """A measured command did not end well; the message ends with what it wrote last."""


@dataclass
class _Session:
    """What was seen of the processes of one session."""

    leader: int
    peak_sum: int = 0
    peaks: dict[int, int] = field(default_factory=dict)

    def look(self) -> None:
        """Add up what the processes of the session hold now."""
        total = 0
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    # After the command name, which may hold spaces: state, parent, group, session.
                    if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == self.leader:
                        total += int((entry / "statm").read_text().split()[1]) * PAGE
                        high = [line for line in (entry / "status").read_text().splitlines() if line.startswith("VmHWM:")]
                        self.peaks[int(entry.name)] = int(high[0].split()[1]) * 1024 if high else 0
                except (OSError, IndexError):
                    continue
        self.peak_sum = max(self.peak_sum, total)

    def watch(self, ended: threading.Event) -> None:
        """Look until told that the command has ended."""
        while not ended.is_set():
            self.look()
            ended.wait(SAMPLE_SECONDS)

    def orphan_seconds(self) -> float:
        """Wait for the processes that nobody waited for and return their processor time."""
        total, deadline = 0.0, time.monotonic() + ORPHAN_SECONDS
        for process in self.peaks.keys() - {self.leader}:
            while time.monotonic() < deadline:
                try:
                    found, _, usage = os.wait4(process, os.WNOHANG)
                except ChildProcessError:
                    break
                if found:
                    total += usage.ru_utime + usage.ru_stime
                    break
                time.sleep(0.02)
        return total


def run(command: list[str], *, folder: Path, environment: dict[str, str] | None = None) -> Usage:
    """Run a command to its end in a session of its own.

    Processor time comes from the kernel. Memory is sampled; the kernel's own figure of a single process cannot be taken,
    since it starts at the size of the process that started it.

    Raises
    ------
    CommandFailedError
        The command returned anything but 0.
    """
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
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

    session, ended = _Session(process.pid), threading.Event()
    threads = [threading.Thread(target=read), threading.Thread(target=session.watch, args=(ended,))]
    for thread in threads:
        thread.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:  # whoever ends the bench ends what it measures
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        ended.set()
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    orphans = session.orphan_seconds()
    for thread in threads:
        thread.join()
    if process.returncode != 0:
        raise CommandFailedError(f"{' '.join(command)} ended with {process.returncode}:\n{''.join(lines[-30:])}")
    peak = max(session.peak_sum, *session.peaks.values(), 0)
    return Usage(wall, usage.ru_utime + usage.ru_stime + orphans, peak, "".join(lines))


def middle(usages: list[Usage]) -> Usage:
    """Medians of each measure over repeated runs."""
    return Usage(
        median(usage.wall_seconds for usage in usages),
        median(usage.cpu_seconds for usage in usages),
        int(median(usage.peak_bytes for usage in usages)),
    )
