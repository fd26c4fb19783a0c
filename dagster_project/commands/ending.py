"""How the command line ends: one line of what is wrong and what to do, and the exit code of its kind; stack traces only with --debug.

Holds the words for errors of the operating system and for those that nobody expected. It must not import a heavy module.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import sys
import traceback
from pathlib import Path

from dagster_project.errors import InfrastructureError, ServiceRoiError

UNEXPECTED = 5
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_DOCTOR = "remedy: service-roi doctor names what cannot be used; a ledger comes back from a backup, a warehouse by --full-refresh"
_AGAIN = "remedy: run again with --debug to see where"


def message_of(error: BaseException) -> tuple[str, int]:
    """Return what the user reads of an error, and the exit code."""
    if isinstance(error, ServiceRoiError):
        return f"{_kind(error)}: {error}", error.exit_code
    if isinstance(error, OSError) and error.errno is not None:
        return f"InfrastructureError: {_of_the_system(error)}", InfrastructureError.exit_code
    if isinstance(error, sqlite3.Error):
        return f"InfrastructureError: the ledger cannot be used: {error}; {_DOCTOR}", InfrastructureError.exit_code
    engine = sys.modules.get("duckdb")  # only a command that loaded it has such errors
    if engine is not None and isinstance(error, (engine.IOException, engine.SerializationException, engine.OutOfMemoryException)):
        return f"InfrastructureError: {str(error).splitlines()[0]}; {_DOCTOR}", InfrastructureError.exit_code
    if isinstance(error, MemoryError):
        return "InfrastructureError: no memory is left; remedy: lower ROI_MEMORY_LIMIT, or stop other programs", UNEXPECTED
    if isinstance(error, RecursionError):
        return f"{type(error).__name__}: something is nested too deeply, {_place_of(error)}; {_AGAIN}", UNEXPECTED
    words = next(iter(str(error).splitlines()), "") or "without a word"
    return f"{type(error).__name__}: {words[:500]}, {_place_of(error)}; {_AGAIN}", UNEXPECTED


def _kind(error: ServiceRoiError) -> str:
    """Return the public name of an error: that of its exit code."""
    return next(kind.__name__ for kind in type(error).__mro__ if ServiceRoiError in kind.__bases__)


def _of_the_system(error: OSError) -> str:
    place = os.fsencode(error.filename).decode("utf-8", "backslashreplace") if isinstance(error.filename, (str, bytes)) else ""
    said = f"{place}: {error.strerror}" if place else f"{error.strerror}, {_place_of(error)}"
    if error.errno in _FULL:
        return f"{said}{_free(place)}; remedy: free disk space, or raise the quota, and run again"
    if error.errno in _DENIED:
        return f"{said}; remedy: run as the owner, or change owner or mode"
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG):
        return f"{said}; remedy: put back what is missing, or correct the name"
    return f"{said}; {_AGAIN}"


def _free(place: str) -> str:
    folder = next((one for one in (Path(place), *Path(place).parents) if place and one.is_dir()), None)
    return "" if folder is None else f" ({shutil.disk_usage(folder).free:,} bytes free in {folder})"


def _place_of(error: BaseException) -> str:
    """Return in which part of the product an error arose."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "dagster_project" in frame.filename]
    return f"in {frames[-1].filename.rpartition('dagster_project/')[2]}, {frames[-1].name}" if frames else "outside of this product"
