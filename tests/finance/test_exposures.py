"""The exposures of the dbt project name the tables that each reader really asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from dagster_project.finance import extract as extracting
from dagster_project.publish.reader import served
from dagster_project.reports import summary
from dagster_project.transform import project


def tables_of(statements: Iterable[str]) -> set[str]:
    """`schema.table` of what statements read, but for schema ops, which is no part of dbt's graph."""
    parsed = [part for sql in statements for part in sqlglot.parse(sql, read="duckdb")]
    found = {f"{table.db}.{table.name}" for part in parsed if part for table in part.find_all(sqlglot.exp.Table) if table.db}
    return {name for name in found if not name.startswith("ops.")}


def exposed(name: str) -> set[str]:
    manifest = project.manifest()
    nodes = manifest["nodes"] | manifest["sources"]
    found = [nodes[node] for node in manifest["exposures"][f"exposure.service_roi.{name}"]["depends_on"]["nodes"]]
    return {f"{node['schema']}.{node['name']}" for node in found}


class Recording:
    """A connection that remembers what it was asked."""

    def __init__(self, connection: Any, asked: list[str]) -> None:
        self._connection, self._asked = connection, asked

    def execute(self, sql: str, *values: Any) -> Any:
        self._asked.append(sql)
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_the_finance_extract_reads_the_tables_of_its_exposure(closed_books: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    @contextmanager
    def recorded(home: Path) -> Iterator[tuple[Any, Any]]:
        with served(home) as (connection, pointer):
            yield Recording(connection, asked), pointer

    monkeypatch.setattr(extracting, "served", recorded)
    extracting.extract(closed_books.home, "2026-10", finance=tmp_path / "finance")
    assert tables_of(asked) == exposed("finance_extract"), "name what the extract reads in dbt/models/_exposures.yml"


def test_the_summary_of_a_run_reads_the_tables_of_its_exposure() -> None:
    texts = [text for name, text in vars(summary).items() if isinstance(text, str) and "\nselect " in text and name.startswith("_")]
    assert len(texts) == 3
    assert tables_of(text.format(money="bigint") for text in texts) == exposed("run_summary")


def test_the_examples_of_the_readme_read_the_tables_of_their_exposure(project_dir: Path) -> None:
    readme = (project_dir / "README.md").read_text(encoding="utf-8")
    assert tables_of(re.findall(r'service-roi sql --home HOME "(select [^"]+)"', readme)) == exposed("readme_commands")
