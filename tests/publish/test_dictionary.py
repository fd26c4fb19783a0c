"""The data dictionary is collected from where tables are declared, and a forgotten description is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dagster_project.commands.documentation import PAGE, page, write_static
from dagster_project.engines.described import declared, described, description_of
from dagster_project.publish import dictionary as module
from dagster_project.publish import fingerprint
from dagster_project.publish.dictionary import dictionary
from dagster_project.publish.measuring import PUBLISHED_SCHEMAS
from dagster_project.transform import project


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return project.manifest()


def test_every_published_table_and_column_is_described_and_in_order(manifest: dict[str, Any]) -> None:
    found = dictionary(manifest)
    assert {name.partition(".")[0] for name in found} == set(PUBLISHED_SCHEMAS)
    assert [name for name, table in found.items() if not table.table.startswith("One row")] == [], "the first words are the grain"
    assert [f"{name}.{column}" for name, table in found.items() for column, text in table.columns.items() if not text.strip()] == []
    assert [name for name, table in found.items() if table.columns.keys() != table.types.keys()] == []
    assert list(found) == sorted(found, key=lambda name: (PUBLISHED_SCHEMAS.index(name.partition(".")[0]), name))


def test_a_column_without_a_text_takes_the_one_that_tables_share(manifest: dict[str, Any]) -> None:
    assert dictionary(manifest)["analytics.mart_account_tier"].columns["account_id"].startswith("Account; ACCOUNT_UNKNOWN")


def test_a_forgotten_description_is_named_with_its_remedy(manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.OPS_COLUMNS, "runs", declared("One row per run.", "run_id string!\nhost_name string"))
    with pytest.raises(ValueError, match=r"ops\.runs has columns without a description: host_name; remedy: describe them where"):
        dictionary(manifest)


def test_a_text_of_a_column_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'One row\.' describes columns that it lacks: cuonts"):
        described("One row.", [pa.field("counts", pa.int64())], cuonts="Misspelt")


def test_a_declaration_is_a_line_a_column() -> None:
    schema = declared("One row per file.", "\n file_id bigint! Number of the file.\n started_at timestamp\n")
    assert schema.equals(pa.schema([pa.field("file_id", pa.int64(), False), pa.field("started_at", pa.timestamp("us", tz="UTC"))]))
    assert [description_of(schema), *map(description_of, schema)] == ["One row per file.", "Number of the file.", None]


def test_a_changed_shared_text_is_a_reason_to_parse_and_to_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.DBT_DIR / "models" / "columns.md" in set(project.project_files())
    (tmp_path / "dbt").mkdir()
    monkeypatch.setattr(fingerprint, "PROJECT_DIR", tmp_path)
    before = fingerprint.code_hash()
    (tmp_path / "dbt" / "columns.md").write_text("{% docs channel %}Channel.{% enddocs %}", encoding="utf-8")
    assert fingerprint.code_hash() != before


def test_the_page_is_what_the_declarations_say(manifest: dict[str, Any]) -> None:
    fresh = page(dictionary(manifest))
    assert PAGE.read_text(encoding="utf-8") == fresh, "docs/data-dictionary.md is stale; remedy: make docs"
    assert len(re.findall(r"^### ", fresh, flags=re.M)) == len(dictionary(manifest))


def test_the_documentation_is_one_file_that_asks_no_network_and_has_the_tables_of_python(manifest: dict[str, Any], tmp_path: Path) -> None:
    text = write_static(manifest, dictionary(manifest)).read_text(encoding="utf-8")
    assert "Highest cumulative value, best customers first" in text  # analytics.mart_concentration
    assert '"send_anonymous_usage_stats": false' in text
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?https?://", text) == []
