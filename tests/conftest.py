"""Fixtures shared by every test: real data where it is present, and no network but loopback."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent
_LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(scope="session")
def project_dir() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real companies beside the project; absent on a user's machine."""
    folder = PROJECT.parent / "shared" / "data"
    if not (folder / "facts.json").exists():
        pytest.skip("the real data folder ../shared/data is not beside the project")
    return folder


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Any:
    """Fail any test that tries to reach another machine (fault S11)."""
    original = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(_LOOPBACK):
            raise AssertionError(f"a test tried to connect to {address}")
        return original(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
    yield
    socket.socket.connect = original  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def no_settings_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ROI_")]:
        monkeypatch.delenv(name)
