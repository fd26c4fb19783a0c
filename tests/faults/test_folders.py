"""Folders that cannot be used end a command before any work, with the folder in the message (C5)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
AS_A_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
"""Root may write everywhere; without these two rights it is bound by modes like anybody."""


def service_roi(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*(AS_A_USER if os.getuid() == 0 else ()), sys.executable, "-m", "dagster_project.commands.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A landing folder with a file, and a home."""
    day = tmp_path / "landing" / "canonical" / "refunds" / "2026-11-05"
    day.mkdir(parents=True)
    (day / "refunds.csv").write_text("refund_id,order_id,refunded_at,refund_amount,currency_code\n", encoding="utf-8")
    (tmp_path / "home").mkdir()
    yield tmp_path / "landing", tmp_path / "home"
    for path in (tmp_path / "landing", tmp_path / "home"):
        path.chmod(0o755)


def ended(finished: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    said = finished.stdout + finished.stderr
    assert finished.returncode == code, said
    assert "Traceback" not in said
    for word in words:
        assert word in said


@pytest.mark.fault("C5")
def test_a_home_that_this_user_may_not_write(folders: tuple[Path, Path]) -> None:
    landing, home = folders
    home.chmod(0o555)
    ended(service_roi("run", "--home", home, "--landing", landing), 5, str(home), "cannot be written")
    assert list(home.iterdir()) == []
    home.chmod(0o755)
    (home / "ops").mkdir()
    home.chmod(0o555)
    ended(service_roi("doctor", "--home", home), 5, str(home), "cannot be written")


@pytest.mark.fault("C5")
def test_a_landing_folder_that_this_user_may_not_read(folders: tuple[Path, Path]) -> None:
    landing, home = folders
    stream = landing / "canonical" / "refunds"
    for command in ("run", "plan"):
        landing.chmod(0o000)
        ended(service_roi(command, "--landing", landing, "--home", home), 2, "readable")
        landing.chmod(0o755)
        stream.chmod(0o000)
        ended(service_roi(command, "--landing", landing, "--home", home), 5, str(stream), "Permission denied")
        stream.chmod(0o755)
    assert not (home / "published").exists()


@pytest.mark.fault("C5")
def test_a_home_on_a_read_only_file_system(folders: tuple[Path, Path]) -> None:
    landing, home = folders
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", str(home)], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        ended(service_roi("run", "--landing", landing, "--home", home), 5, str(home), "Read-only file system")
        ended(service_roi("plan", "--landing", landing, "--home", home), 0, "canonical/refunds", "there is no warehouse yet")
    finally:
        subprocess.run(["umount", str(home)], check=True)


@pytest.mark.fault("C5")
def test_plan_says_the_same_for_a_home_that_is_not_there_and_makes_none(folders: tuple[Path, Path], tmp_path: Path) -> None:
    landing, _ = folders
    ended(service_roi("plan", "--landing", landing, "--home", tmp_path / "none"), 0, "2026-11-05", "there is no warehouse yet")
    assert not (tmp_path / "none").exists()
    ended(service_roi("plan", "--landing", tmp_path / "nowhere", "--home", tmp_path / "none"), 2, "does not exist")
