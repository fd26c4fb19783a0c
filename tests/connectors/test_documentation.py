"""The page of connectors says what is true: its example is valid, its streams exist, the declared tables are those of the mappings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagster_project.connectors.flattening import load_system
from dagster_project.connectors.sources import Rest, load_sources
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.settings import PROJECT_DIR

PAGE = (PROJECT_DIR / "docs" / "connectors.md").read_text(encoding="utf-8")


def test_the_example_has_a_valid_source_of_every_kind(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.S)
    (tmp_path / "sources.yml").write_text(example, encoding="utf-8")
    sources = load_sources(tmp_path / "sources.yml")
    assert {source.kind for source in sources.values()} == {"postgresql", "s3", "zendesk", "shopify"}
    for source in sources.values():
        mapping = Mappings(None).system(source.system)
        if isinstance(source, Rest):
            assert set(source.streams or ()) <= set(load_system(source.kind).endpoints)
        else:
            assert set(source.streams) <= set(mapping.file.streams)


@pytest.mark.parametrize("kind", ["zendesk", "shopify"])
def test_every_stream_of_a_rest_system_is_named_on_the_page(kind: str) -> None:
    section = PAGE[PAGE.index(f"## {kind.capitalize()}") :].partition("\n## ")[0]
    assert [name for name in load_system(kind).endpoints if f"`{name}`" not in section] == []


@pytest.mark.parametrize("kind", ["zendesk", "shopify"])
def test_the_declared_tables_have_every_column_that_the_mapping_reads(kind: str) -> None:
    streams = Mappings(None).system(kind).file.streams
    tables = {name: table for endpoint in load_system(kind).endpoints.values() for name, table in endpoint.tables.items()}
    assert set(tables) <= set(streams) | set(Mappings(None).system(kind).file.ignored)
    missing = {name: set(streams[name].columns) - set(table.columns) for name, table in tables.items() if name in streams}
    assert {name: columns for name, columns in missing.items() if columns} == {}
