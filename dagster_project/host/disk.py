"""Report in one way what systems tell of full disks, missing rights and damaged files of ours, whether Python, DuckDB or SQLite noticed it.

Holds the signs of such errors and their messages. Standard library only.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.errors import InfrastructureError

_FULL = ("No space left", "disk is full", "disk I/O error", "File too large", "Disk quota exceeded")
"""What systems report when a disk, a quota or the largest allowed file is full; the third is SQLite, whose journal does not fit."""
_FULL_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def full_disk(error: BaseException) -> str | None:
    """Return what an error, or one that led to it, says of a full disk; None when it is about something else."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, OSError) and chain.errno in _FULL_NUMBERS:
            return str(chain.strerror)
        for line in str(chain).splitlines():
            if any(sign in line for sign in _FULL):
                return line.strip()
        chain = chain.__cause__ or chain.__context__
    return None


def no_room(folder: Path, words: str, consequence: str, remedy: str = "free disk space and run again") -> InfrastructureError:
    """Return the error that names the folder, its free bytes, what could not be written, and what stays as it was."""
    return InfrastructureError(f"the disk is full: {_free(folder)} bytes free in {folder} ({words}); {consequence}; remedy: {remedy}")


def _free(folder: Path) -> str:
    existing = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    return f"{shutil.disk_usage(existing).free:,}"


@contextmanager
def full_disk_reported(folder: Path, consequence: str = "the last published copy stays served") -> Iterator[None]:
    """Name the folder that is full in the error of a block that writes there.

    Raises
    ------
    InfrastructureError
        Names the folder, the free bytes and what could not be written.
    """
    try:
        yield
    except Exception as error:
        words = full_disk(error)
        if words is None:
            raise
        raise no_room(folder, words, consequence) from error
