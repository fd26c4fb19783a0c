"""One writer at a time: an advisory lock that the kernel frees when its holder dies, with a name in it for people."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.errors import InfrastructureError
from dagster_project.host.orphans import Orphan, end_orphans, marked

SPILL = "spill"
"""Folder of HOME for what the engine does not keep in memory. It is the lock holder's: what is there before, a killed run has left."""


@contextmanager
def warehouse_lock(ops: Path, run_id: str) -> Iterator[list[Orphan]]:
    """Hold HOME/ops/run.lock for the length of a run; yields the children of killed runs that were still there, and are no more.

    Raises
    ------
    InfrastructureError
        Another run holds it; the message names its process, run and start.
    """
    ops.mkdir(parents=True, exist_ok=True)
    with (ops / "run.lock").open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = json.loads(handle.read() or "{}")
            raise InfrastructureError(
                f"run {holder.get('run_id', '?')} (process {holder.get('pid', '?')}) holds the warehouse since {holder.get('since', '?')}; "
                "wait for it to end, nothing was changed"
            ) from None
        handle.seek(0)
        handle.truncate()
        json.dump({"pid": os.getpid(), "run_id": run_id, "since": datetime.now(UTC).isoformat(timespec="seconds")}, handle)
        handle.flush()
        orphans = end_orphans(ops)
        shutil.rmtree(ops.parent / SPILL, ignore_errors=True)
        with marked(ops, run_id):
            yield orphans
