"""What is installed is locked by hash, and nothing is fetched at build or run. Breaks: a version nobody has looked at, a call home."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

OUTSIDE = "192.0.2.1"  # of a range that documents use; it belongs to nobody


@pytest.mark.fault("S10")
def test_every_package_is_locked_to_its_hash(project_dir: Path) -> None:
    packages = tomllib.loads((project_dir / "uv.lock").read_text(encoding="utf-8"))["package"]
    own = [package["name"] for package in packages if set(package["source"]) & {"editable", "virtual"}]
    assert len(own) == 1
    for package in packages:
        if package["name"] not in own:
            assert set(package["source"]) == {"registry"}, f"{package['name']}: only a package index can be locked"
            files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
            assert files
            assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


@pytest.mark.fault("S10")
def test_dbt_brings_its_packages_with_it(project_dir: Path) -> None:
    assert not list((project_dir / "dbt").glob("packages.y*ml"))
    assert not list((project_dir / "dbt").glob("dependencies.y*ml"))


@pytest.mark.fault("S10")
def test_the_engine_is_opened_where_it_is_told_to_fetch_no_extension(project_dir: Path) -> None:
    package = project_dir / "dagster_project"
    texts = {path.relative_to(package).as_posix(): path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    opening = {name for name, text in texts.items() if re.search(r"(?<![\w.])duckdb\.(connect|sql|query|execute)\(", text)}
    locked = {name for name in opening if '"autoinstall_known_extensions": "false"' in texts[name]}
    assert opening - locked == set()


@pytest.mark.fault("S11")
@pytest.mark.parametrize("attempt", [f"socket.create_connection(('{OUTSIDE}', 80), 1)", "socket.getaddrinfo('example.invalid', 80)"])
def test_a_process_that_reaches_out_is_stopped_and_named(attempt: str, tmp_path: Path) -> None:
    environment = os.environ | {"TEST_NETWORK_GUARD": str(tmp_path)}
    swallowed = f"import socket\ntry:\n    {attempt}\nexcept Exception: pass\nsocket.create_server(('127.0.0.1', 0)).close()"
    subprocess.run([sys.executable, "-c", swallowed], env=environment, check=True)
    (log,) = tmp_path.iterdir()
    assert "tried to reach" in log.read_text(encoding="utf-8")
