"""The files of deploy/ and the storage of a cluster on a PostgreSQL server of the test's own."""

from __future__ import annotations

import importlib.util
import runpy
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

TESTS = Path(__file__).resolve().parents[1]
RUNNING_POSTGRES = runpy.run_path(str(TESTS / "postgres_server.py"))["running_postgres"]  # tests are no package, so no import
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ADDRESS = ("DAGSTER_PG_HOST", "DAGSTER_PG_PORT", "DAGSTER_PG_USERNAME", "DAGSTER_PG_PASSWORD", "DAGSTER_PG_DB")


def _read_yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="session")
def deploy_yaml() -> Callable[[str], dict[str, Any]]:
    """Read a YAML file of deploy/ by its relative name."""
    return _read_yaml


@pytest.fixture(scope="session")
def postgres() -> Iterator[dict[str, str]]:
    """Environment variables that name a running, empty database."""
    if importlib.util.find_spec("dagster_postgres") is None:
        pytest.skip("dagster-postgres is not installed (extra k8s)")
    with RUNNING_POSTGRES() as address:
        yield dict(zip(ADDRESS, address, strict=True))


@pytest.fixture(scope="module")
def dagster_home(postgres: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """DAGSTER_HOME with the cluster's instance on a database of its own; only the launcher, which needs a cluster, is excluded."""
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
