"""Every relation that an asset reads is its parent, and every table of `ops` an asset; else the graph hides what a figure hangs on."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.analytics.subject import subjects
from dagster_project.definitions import defs
from dagster_project.ledger.store import Ledger
from dagster_project.orchestration.assets import publish
from dagster_project.publish.operations import write_ops_tables

GRAPH = defs.resolve_asset_graph()
RELATION = re.compile(r"\b(?:from|join)\s+((?:staging|intermediate|marts|analytics|reporting|lake|ops)\.\w+)")


def parents(key: str) -> set[str]:
    return {".".join(parent.path) for parent in GRAPH.get(dg.AssetKey(key.split("."))).parent_keys}


class RecordedEngine:
    """An engine without rows that remembers which relations were read and written."""

    def __init__(self) -> None:
        self.read_relations: set[str] = set()
        self.written: set[str] = set()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        self.read_relations |= set(RELATION.findall(sql))
        return []

    read = rows

    def columns(self, schemas: list[str]) -> Any:
        return dict.fromkeys(f"{schema}.{name}" for schema in schemas for name in ("feed_presence", "sources", "run_parameters"))

    def replace(self, name: str, _columns: Any, _rows: Any) -> int:
        self.written.add(name)
        return 0


def test_every_table_of_ops_is_an_asset_whose_parents_are_the_relations_it_is_made_of(tmp_path: Path) -> None:
    engine = RecordedEngine()
    counts = write_ops_tables(engine, Ledger(tmp_path), publish.MANIFEST)  # type: ignore[arg-type]
    assets = {".".join(key.path) for key in GRAPH.materializable_asset_keys if key.path[0] == "ops"}
    assert engine.written == assets == {f"ops.{name}" for name in counts}
    assert engine.read_relations == {"lake.feed_presence", "lake.sources", "lake.run_parameters"}
    for table in assets:
        assert engine.read_relations <= parents(table)


def test_what_publishing_reads_are_parents_of_the_published_copy() -> None:
    read = set(RELATION.findall(inspect.getsource(publish)))
    copied = {".".join(key.path) for key in GRAPH.materializable_asset_keys if key.path[0] in ("marts", "analytics", "reporting", "ops")}
    assert len(read) >= 4
    assert (read | copied) - parents("published.current") == set()


@pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.name)
def test_what_a_final_asset_reads_are_its_parents(subject: Any) -> None:
    read = {name for sql in subject.reads for name in RELATION.findall(sql)} - {f"analytics.{table}" for table in subject.writes}
    assert read
    for table in subject.writes:
        assert read <= parents(f"analytics.{table}")
