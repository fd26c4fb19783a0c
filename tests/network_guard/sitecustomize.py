"""Python starts this in every process of the tests: it may reach this machine only, and each attempt to reach another is written down."""

import os
import sys
from pathlib import Path

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")
_FOLDER = Path(os.environ["TEST_NETWORK_GUARD"])


def _refuse(event: str, arguments: tuple) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a local socket has a path
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and not host.startswith(_LOOPBACK) and host not in (os.uname().nodename, "::"):
        with (_FOLDER / f"{os.getpid()}.log").open("a", encoding="utf-8") as log:
            log.write(f"{sys.argv[:3]} tried to reach {host}\n")
        raise PermissionError(f"a test tried to reach {host}")


sys.addaudithook(_refuse)
