"""A PostgreSQL server of the test's own: Debian's binaries, a temporary folder, loopback, a password, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        pytest.skip("PostgreSQL's server binaries are not installed (Debian: apt-get install postgresql)")
    return Path(on_path).resolve().parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_postgres() -> Iterator[tuple[str, str, str, str, str]]:
    """Host, port, user, password and name of a running, empty database; skips with the reason where there is no server."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="service-roi-postgres-"))  # pytest's own folders are closed to other users
    as_owner: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        known = {entry.pw_name for entry in pwd.getpwall()}
        owner = "postgres" if "postgres" in known else "nobody"
        shutil.chown(folder, owner)
        as_owner = ["runuser", "-u", owner, "--"]
    password, port = secrets.token_urlsafe(16), _free_port()
    secret, data = folder / "password", folder / "data"
    secret.write_text(password, encoding="utf-8")
    secret.chmod(0o644)

    def run(*command: str) -> None:
        finished = subprocess.run([*as_owner, *command], cwd=folder, check=False, capture_output=True, text=True, timeout=1_800)
        assert finished.returncode == 0, finished.stdout + finished.stderr

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    try:
        run(str(binaries / "initdb"), "-D", str(data), "-U", "roi", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync")
        run(str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield "127.0.0.1", str(port), "roi", password, "postgres"
    finally:
        if (data / "postmaster.pid").exists():
            run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)
