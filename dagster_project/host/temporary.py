"""Private temporary folders: closed to other users, removed when their process ends, swept when it was killed.

A folder belongs to the process that locks its file `.lock`. The system frees the lock however the process dies: no number of a process
that is used again, and no other container with the same TMPDIR, misleads the sweep. Standard library only.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from dagster_project.errors import InfrastructureError

PREFIX = "service-roi."
_NEW = ".service-roi-new."
"""A folder that is not locked yet has this name for an instant."""
_LOCK = ".lock"
_STALE_SECONDS = 3600
_process = threading.Lock()
_folders: dict[int, Path] = {}


@contextmanager
def private_folder(purpose: str) -> Iterator[Path]:
    """Make a folder in TMPDIR that only this user may open; it is removed on exit.

    Raises
    ------
    InfrastructureError
        TMPDIR is full or may not be written; the message names it.
    """
    sweep()
    try:
        new = Path(tempfile.mkdtemp(prefix=_NEW))
        handle = (new / _LOCK).open("w")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = new.with_name(f"{PREFIX}{purpose}.{new.name.removeprefix(_NEW)}")
        new.rename(folder)
    except OSError as error:
        raise InfrastructureError(
            f"no temporary folder can be made in {tempfile.tempdir or 'TMPDIR'}: {error.strerror or error};"
            " remedy: free room there, or name another folder in TMPDIR"
        ) from error
    with handle:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def folder_of_process() -> Path:
    """Return the one private folder of this process, for what outlives a block; it goes when the process ends."""
    with _process:
        if os.getpid() not in _folders or not _folders[os.getpid()].is_dir():
            stack = ExitStack()
            _folders[os.getpid()] = stack.enter_context(private_folder("process"))
            atexit.register(stack.close)
        return _folders[os.getpid()]


@contextmanager
def temporary_files_within(purpose: str) -> Iterator[None]:
    """Put all temporary files of this process and its children, also those of libraries, into one private folder."""
    before, inherited = tempfile.tempdir, {name: value for name, value in os.environ.items() if name == "TMPDIR"}
    with private_folder(purpose) as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before
            del os.environ["TMPDIR"]
            os.environ.update(inherited)


def sweep() -> list[str]:
    """Remove the private folders whose process is gone, and return their paths; those of other users stay."""
    swept = []
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith((PREFIX, _NEW)) and _is_abandoned(entry):
                shutil.rmtree(entry.path, ignore_errors=True)
                swept.append(entry.path)
    return sorted(swept)


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    try:
        state = entry.stat(follow_symlinks=False)
    except OSError:  # removed by its own process in this instant
        return False
    is_old = time.time() - state.st_mtime > _STALE_SECONDS
    try:
        if not entry.is_dir(follow_symlinks=False) or state.st_uid != os.geteuid():
            return False
        with open(os.open(Path(entry.path, _LOCK), os.O_RDWR | os.O_NOFOLLOW), "w") as handle:  # noqa: PTH123  opened without following a link
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:  # killed while it was made or removed
        return is_old
    except OSError:
        return False
    return not entry.name.startswith(_NEW) or is_old
