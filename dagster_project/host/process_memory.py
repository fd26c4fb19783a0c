"""What this process holds of memory, as Linux counts it for its bounds: a bound below that lets not even a thread start.

Holds the reading only; who bounds what is said where it is done.
"""

from __future__ import annotations

import resource
from pathlib import Path

_ADDRESS_SPACE, _DATA = 0, 5  # fields of /proc/self/statm, in pages


def address_space_bytes() -> int | None:
    """Return the bytes that RLIMIT_AS counts; None where the system does not report it."""
    return _bytes(_ADDRESS_SPACE)


def data_bytes() -> int | None:
    """Return the bytes that RLIMIT_DATA counts; None where the system does not report it."""
    return _bytes(_DATA)


def _bytes(field: int) -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[field]) * resource.getpagesize()
    except OSError:  # no Linux
        return None
