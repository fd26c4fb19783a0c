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

from dagster_project.publish.reader import query
from dagster_project.run import RunReport, run_daily
from dagster_project.settings import load_settings

_spec = importlib.util.spec_from_file_location("companies", Path(__file__).with_name("companies.py"))
assert _spec is not None
assert _spec.loader is not None
companies = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(companies)


class Built:
    """A company that was run end to end."""

    def __init__(self, landing: Path, home: Path) -> None:
        self.landing, self.home = landing, home
        self.report: RunReport | None = None

    def run(self, **options: Any) -> RunReport:
        self.report = run_daily(load_settings(landing=self.landing, home=self.home), **options)
        return self.report

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


@pytest.fixture(scope="session")
def build_company(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Built]:
    built: dict[str, Built] = {}

    def build(company: str) -> Built:
        if company not in built:
            folder = tmp_path_factory.mktemp(company)
            if company == "demo":
                from dagster_project.demo.company import write_company

                write_company(folder / "landing")
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
