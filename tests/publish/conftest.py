"""A tiny warehouse with one private schema, and a way to publish it again and again."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.publish.publisher import Published, publish
from dagster_project.publish.source import WarehouseFile
from tests.publish.by_month_copies import START, build, put

CANARY = "canary-anna@example.org"


class House:
    """HOME of one test, with a warehouse whose figures follow from `value`."""

    def __init__(self, home: Path, project: Path) -> None:
        self.home, self.project = home, project
        self.warehouse = home / "warehouse.duckdb"
        self.published = home / "published"

    def build(self, value: int, *, descending: bool = False, run: str = "r") -> None:
        """Write the warehouse; `value` is in every row of the total, so that a torn read would show."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.warehouse.unlink(missing_ok=True)
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute(f"""
                create schema staging; create schema lake; create schema marts; create schema reporting; create schema ops;
                create table staging.stg_accounts as select '{CANARY}' as email from range(100);
                create table marts.fct_sale (sale_id bigint not null, net_amount decimal(18,2), sold_at timestamptz, note varchar);
                insert into marts.fct_sale select i, (i + {value}) / 100, timestamptz '2026-01-01 00:00:00+00' + to_seconds(i),
                    case when i % 7 = 0 then null else 'naïve [bold]=1+1[/bold]' end
                from range(5000) t(i) order by i {"desc" if descending else "asc"};
                create table marts.mart_total as
                select {value} as version_number, sum(net_amount)::decimal(18,2) as net_amount from marts.fct_sale;
                create view reporting.sale_wide as select sale_id, net_amount from warehouse.marts.fct_sale where sale_id < 10;
                create table ops.runs as select '{run}' as run_id;
            """)

    def publish(self, value: int | None = None, **options: Any) -> Published:
        if value is not None:
            self.build(value)
        settings: dict[str, Any] = {"run_id": "run-1", "inputs_sha256": "a" * 64, "data_as_of": date(2026, 10, 31)} | options
        return publish(self.home, WarehouseFile(self.warehouse), **settings)

    def publish_elsewhere(self, code_before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Publish in another process, after `code_before` ran there."""
        code = f"""
import sys
sys.path.insert(0, {str(self.project)!r})
from datetime import date
from pathlib import Path
from dagster_project.errors import ServiceRoiError
from dagster_project.publish.publisher import publish
from dagster_project.publish.source import WarehouseFile
home = Path({str(self.home)!r})
{code_before}
try:
    publish(home, WarehouseFile(home / 'warehouse.duckdb'), run_id='run-2', inputs_sha256='b' * 64, data_as_of=date(2026, 10, 31))
except ServiceRoiError as error:
    sys.stderr.write(str(error))
    sys.exit(error.exit_code)
"""
        return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=1_800)

    def pointer(self) -> dict[str, Any]:
        return dict(json.loads((self.published / "current.json").read_text(encoding="utf-8")))

    def leftover(self) -> list[str]:
        """Names in the published folder that belong to no complete version."""
        versions = {path.parent.name for path in self.published.glob("marts-*/manifest.json")}
        known = versions | {f"{stem}.duckdb" for stem in versions} | {"current.json", "current.duckdb", ".lock"}
        return sorted({path.name for path in self.published.iterdir()} - known)


@pytest.fixture
def house(tmp_path: Path, project_dir: Path) -> House:
    return House(tmp_path / "home", project_dir)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, project_dir: Path) -> House:
    """A house with version 1 published, for tests that only read it."""
    house = House(tmp_path_factory.mktemp("served") / "home", project_dir)
    house.publish(1)
    return house


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that has published once: three months and what has none."""
    build(tmp_path / "home", START)
    put(tmp_path / "home")
    return tmp_path / "home"
