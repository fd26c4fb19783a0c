"""A part of HOME that cannot be read, is damaged or has no room: `doctor` names it, commands end with exit 5 and its path."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagster_project.commands.doctor import examine
from dagster_project.errors import InfrastructureError
from dagster_project.settings import Settings, load_settings
from tests.faults.test_folders import ended, service_roi


@pytest.fixture(scope="module")
def settings(build_company: Any, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of a company that was run, with one new file in its landing folder."""
    demo = build_company("small_demo")
    folder = tmp_path_factory.mktemp("parts")
    shutil.copytree(demo.landing, folder / "landing")
    shutil.copytree(demo.home, folder / "home")
    (folder / "landing" / "canonical" / "refunds" / "2026-11-06").mkdir(parents=True)
    (folder / "landing" / "canonical" / "refunds" / "2026-11-06" / "r.csv").write_text(
        "refund_id,order_id,refunded_at,refund_amount,currency_code\n", encoding="utf-8"
    )
    return load_settings(landing=folder / "landing", home=folder / "home")


def part(settings: Settings, name: str) -> Path:
    """The path of a part by its name; `*` stands for the first file that fits."""
    served = (settings.published / "current.json").read_text(encoding="utf-8").split('"file": "')[1].split('"')[0].removesuffix(".duckdb")
    return next(iter(sorted(settings.home.glob(name.replace("{served}", served)))))


@pytest.fixture
def closed(settings: Settings, request: pytest.FixtureRequest) -> Iterator[list[Path]]:
    """Parts that nobody may read or enter meanwhile."""
    paths = [part(settings, name) for name in request.param.split()]
    modes = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0)
    yield paths
    for path, mode in zip(paths, modes, strict=True):
        path.chmod(mode)


FILES = "warehouse.duckdb ops/ledger.sqlite restricted/hash_key lake/orders/*.parquet"
PUBLISHED = "published/current.json published/{served}.duckdb published/{served}/manifest.json published/{served}/marts/*.parquet"


@pytest.mark.fault("C5")
@pytest.mark.parametrize("closed", [FILES, PUBLISHED, "lake restricted published finance", "lake/orders ops"], indirect=True)
def test_doctor_names_every_part_that_this_user_may_not_read(settings: Settings, closed: list[Path]) -> None:
    named = [f"{path} cannot be read by user {os.getuid()}; remedy: run as the owner, or change owner or mode" for path in closed]
    ended(service_roi("doctor", "--home", settings.home), 5, *named)


@pytest.mark.fault("C5")
@pytest.mark.parametrize(
    ("command", "closed"),
    [("plan", "warehouse.duckdb"), ("plan", "ops/ledger.sqlite"), ("plan", "lake/orders"), ("extract", "published/{served}.duckdb"),
     ("extract", "finance"), ("forget", "ops/ledger.sqlite"), ("forget", "lake/accounts")],
    indirect=["closed"],
)  # fmt: skip
def test_a_command_ends_with_the_path_of_a_part_that_this_user_may_not_read(settings: Settings, command: str, closed: list[Path]) -> None:
    arguments: dict[str, tuple[object, ...]] = {
        "plan": ("--landing", settings.landing),
        "extract": ("2026-10",),
        "forget": ("A0000001", "--yes", "--landing", settings.landing),
    }
    ended(service_roi(command, *arguments[command], "--home", settings.home), 5, str(closed[0]), "remedy")


@pytest.fixture
def spoiled(settings: Settings, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A part whose second half is gone, or that is gone."""
    name, how = request.param
    path = part(settings, name)
    mode = path.stat().st_mode
    shutil.copy2(path, tmp_path / "kept")
    path.chmod(0o644)
    if how == "gone":
        path.unlink()
    elif how == "cut":
        os.truncate(path, path.stat().st_size // 2)
    else:
        path.write_bytes(path.read_bytes()[:-9] + b"_________")
    yield path
    shutil.copy2(tmp_path / "kept", path)
    path.chmod(mode)


@pytest.mark.fault("C7")
@pytest.mark.parametrize(
    ("spoiled", "word"),
    [
        (("warehouse.duckdb", "cut"), "is damaged"),
        (("ops/ledger.sqlite", "cut"), "ledger"),
        (("lake/orders/*.parquet", "cut"), "is gone or damaged"),
        (("lake/orders/*.parquet", "gone"), "is gone or damaged"),
        (("restricted/hash_key", "gone"), "hash"),
        (("restricted/hash_key", "changed"), "the hash key changed"),
        (("published/current.json", "cut"), "is damaged"),
        (("published/{served}.duckdb", "changed"), "is damaged or gone"),
        (("published/{served}/marts/*.parquet", "changed"), "has other bytes than were published"),
        (("published/{served}/marts/*.parquet", "gone"), "is gone"),
        (("published/{served}/manifest.json", "cut"), "manifest.json is gone or damaged"),
    ],
    indirect=["spoiled"],
)
def test_doctor_names_a_part_that_is_damaged_or_gone(settings: Settings, spoiled: Path, word: str) -> None:
    try:
        found = examine(settings)
        said = "" if found.is_healthy else "\n".join(found.lines)
    except InfrastructureError as error:
        said = str(error)
    assert word in said
    assert spoiled.name in said
    assert "remedy" in said


def test_a_home_without_a_fault_is_healthy_and_temporary_folders_of_killed_runs_go(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "service-roi.run.x"
    (left / "tmpabc").mkdir(parents=True)
    (left / ".lock").touch()
    found = examine(settings)
    assert found.is_healthy, found.lines
    assert f"removed temporary folder {left}, whose process was killed" in found.lines
    assert not left.exists()


@pytest.mark.fault("C4")
@pytest.mark.parametrize("command", ["extract", "forget", "plan"])
def test_a_full_disk_ends_a_command_with_folder_and_bytes_and_leaves_nothing_half(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    small, home, size = tmp_path / "small", settings.home, 6
    small.mkdir()
    if command != "plan":
        size += sum(path.stat().st_size for path in settings.home.rglob("*") if path.is_file()) // 2**20
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(small)], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        if command == "plan":
            monkeypatch.setenv("TMPDIR", str(small))
        else:
            home = small / "home"
            shutil.copytree(settings.home, home, ignore=shutil.ignore_patterns("finance"))
        free = shutil.disk_usage(small).free
        (small / "filler").write_bytes(bytes(max(0, free - (100_000 if command == "plan" else 8_000))))
        arguments = {
            "extract": ("2026-10", "--home", home),
            "forget": ("A0000001", "--yes", "--landing", settings.landing, "--home", home),
            "plan": ("--landing", settings.landing, "--home", home),
        }[command]
        finished = service_roi(command, *arguments)
        ended(finished, 5, "bytes free in", str(small), "remedy")
        assert not [path for path in small.rglob("*") if path.name.endswith(".building")]
    finally:
        subprocess.run(["umount", str(small)], check=True)
