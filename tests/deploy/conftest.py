"""A PostgreSQL server of the test's own: Debian's binaries, a temporary folder, loopback, a password, gone afterwards."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ADDRESS = ("DAGSTER_PG_HOST", "DAGSTER_PG_PORT", "DAGSTER_PG_USERNAME", "DAGSTER_PG_PASSWORD", "DAGSTER_PG_DB")


def _read_yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="session")
def deploy_yaml() -> Callable[[str], dict[str, Any]]:
    """Read a YAML file of deploy/ by its relative name."""
    return _read_yaml


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[dict[str, str]]:
    """Environment variables that name a running, empty database."""
    if importlib.util.find_spec("dagster_postgres") is None:
        pytest.skip("dagster-postgres is not installed (extra k8s)")
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
        finished = subprocess.run([*as_owner, *command], cwd=folder, check=False, capture_output=True, text=True, timeout=120)
        assert finished.returncode == 0, finished.stdout + finished.stderr

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    try:
        run(str(binaries / "initdb"), "-D", str(data), "-U", "roi", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync")
        run(str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield dict(zip(ADDRESS, ("127.0.0.1", str(port), "roi", password, "postgres"), strict=True))
    finally:
        if (data / "postmaster.pid").exists():
            run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def dagster_home(postgres: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """DAGSTER_HOME with the cluster's instance on a database of its own; only the launcher, which needs a cluster, is left out."""
    import psycopg2

    address = {**postgres, "DAGSTER_PG_DB": f"dagster_{secrets.token_hex(4)}"}
    server = psycopg2.connect(**dict(zip(("host", "port", "user", "password", "dbname"), postgres.values(), strict=True)))
    server.autocommit = True
    server.cursor().execute(f"create database {address['DAGSTER_PG_DB']}")
    server.close()
    instance = _read_yaml("cluster/dagster.yaml")
    del instance["run_launcher"]
    home = tmp_path_factory.mktemp("dagster_home")
    (home / "dagster.yaml").write_text(yaml.safe_dump(instance), encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**address, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "yes"}.items():
            environment.setenv(name, value)
        yield home
