"""One build per company and session; every test below reads the published copy as users do."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.orchestration.run import RunReport, run_daily
from dagster_project.publish.reader import query
from dagster_project.settings import load_settings


def _beside(name: str) -> Any:
    """Load a module of this folder; tests are no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


companies, parity = _beside("companies"), _beside("parity")


class Built:
    """A company that was run end to end."""

    def __init__(self, landing: Path, home: Path, engine: str = "duckdb") -> None:
        self.landing, self.home, self.engine = landing, home, engine
        self.report: RunReport | None = None

    def run(self, *, until: str | None = None, **options: Any) -> RunReport:
        self.report = run_daily(load_settings(landing=self.landing, home=self.home, engine=self.engine, until=until), **options)
        return self.report

    def on(self, engine: str, home: Path) -> Built:
        """The same company on another engine and in another home; not run yet."""
        return Built(self.landing, home, engine)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a statement through the reader; decimals keep every digit."""
        out = io.StringIO()
        query(self.home, sql, "json", out=out)
        return list(json.loads(out.getvalue(), parse_float=Decimal))

    def value(self, sql: str) -> Any:
        (row,) = self.rows(sql)
        (value,) = row.values()
        return value

    def pointer(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "published" / "current.json").read_text(encoding="utf-8")))


DEMOS: dict[str, dict[str, int]] = {"demo": {}, "small_demo": {"accounts": 60, "months": 4}}
"""Sizes of demo companies; `demo` is the one of `make run`."""


@pytest.fixture(scope="session")
def build_company(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Built]:
    built: dict[str, Built] = {}

    def build(company: str) -> Built:
        if company not in built:
            folder = tmp_path_factory.mktemp(company)
            if company in DEMOS:
                from demo_company.company import write_company

                write_company(folder / "landing", **DEMOS[company])
            else:
                companies.lay_out(company, request.getfixturevalue("shared_data"), folder / "landing")
            result = Built(folder / "landing", folder / "home")
            result.run()
            built[company] = result
        return built[company]

    return build


@pytest.fixture(scope="session")
def facts(shared_data: Path) -> dict[str, Any]:
    return dict(json.loads((shared_data / "facts.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def differences() -> Callable[[Path, Path], list[str]]:
    """Compare two published files."""
    return parity.differences


@pytest.fixture(scope="session")
def published_differences() -> Callable[[Built, Built], list[str]]:
    """Compare what two companies serve."""
    return lambda one, other: parity.differences(parity.file_of(one), parity.file_of(other))
