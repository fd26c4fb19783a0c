"""Fault S6: a canary secret in fetches that fail; it stands in no message, no trace, no file."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from dagster_project.settings import PROJECT_DIR

CANARY = "canary-9f2c41aa-token"


def run_command(fetching: Any, source: str) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ROI_")},
        "ROI_CONNECTORS": str(fetching.settings.connectors),
        "ROI_LANDING": str(fetching.settings.landing),
        "ROI_HOME": str(fetching.settings.home),
        "RUNTIME__LOG_LEVEL": "DEBUG",
    }
    command = [sys.executable, "-m", "dagster_project.commands.cli", "fetch", source, "--debug"]
    finished = subprocess.run(command, check=False, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, timeout=1_800)
    assert finished.returncode != 0, finished.stdout
    return finished.stdout + finished.stderr


def assert_no_canary(fetching: Any, output: str) -> None:
    assert CANARY not in output
    folder = fetching.settings.landing.parent
    assert [str(path) for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()] == []


@pytest.mark.fault("S6")
def test_a_token_that_the_server_sends_back_in_its_refusal_is_not_shown(fetching: Any, replay: Any) -> None:
    fetching.add("shop", kind="shopify", system="shopify", url=replay.url, token_env="CANARY", start="2026-01-01")
    replay.faults = [(401, {"X-Echo": CANARY}, f'{{"errors": "[API] Invalid access token {CANARY}"}}'.encode())]
    output = run_command(fetching, "shop")
    assert "answered 401" in output
    assert "ROI_" not in output
    assert replay.headers[0]["X-Shopify-Access-Token"] == CANARY
    assert_no_canary(fetching, output)


@pytest.mark.fault("S6")
def test_a_password_that_the_database_refuses_is_not_shown(fetching: Any, postgres: Any) -> None:
    streams = {"a": {"table": "shop.a", "primary_key": ["id"]}}
    fetching.add("shop", kind="postgresql", system="shop", url=postgres.url, password_env="CANARY", streams=streams)
    output = run_command(fetching, "shop")
    assert "password authentication failed" in output
    assert_no_canary(fetching, output)


@pytest.mark.fault("S6")
def test_a_key_that_the_object_storage_refuses_is_not_shown(fetching: Any, storage_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_ID", "AKIACANARY")
    fetching.add(
        "exports", kind="s3", system="crm", bucket="nothing", endpoint=storage_server, streams={"a": ""}, key_id_env="CANARY_ID",
        secret_key_env="CANARY",
    )  # fmt: skip
    output = run_command(fetching, "exports")
    assert "NoSuchBucket" in output
    assert_no_canary(fetching, output)
