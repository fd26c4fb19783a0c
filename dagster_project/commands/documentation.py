"""Write what is made of declarations: the data dictionary, and dbt's documentation as one file that needs no server and no network.

`python -m dagster_project.commands.documentation` writes both and prints their paths.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from dagster_project.errors import InfrastructureError
from dagster_project.publish.dictionary import Described, dictionary
from dagster_project.settings import PROJECT_DIR
from dagster_project.transform import project

PAGE = PROJECT_DIR / "docs" / "data-dictionary.md"
STATIC = project.TARGET_DIR / "static_index.html"
_HEAD = """# Data dictionary

Every table of a published copy with its columns, made from their declarations by `make docs`; do not edit. Each copy says the same:
`service-roi sql --tables` and `service-roi sql --describe TABLE`. Names follow [a closed vocabulary](naming.md). Amounts are in the
reporting currency unless the name starts with `transaction_` or the text says otherwise.
"""


def page(tables: Mapping[str, Described]) -> str:
    """Return the data dictionary as Markdown: a section a schema, a table of columns a table."""
    parts = [_HEAD]
    for schema, names in groupby(tables, lambda name: name.partition(".")[0]):
        parts.append(f"\n## {schema}\n")
        for name in names:
            described = tables[name]
            parts.append(f"\n### {name}\n{_cell(described.table)}\n\n| column | type | meaning |\n|---|---|---|\n")
            parts += [f"| `{column}` | {described.types[column]} | {_cell(text)} |\n" for column, text in described.columns.items()]
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", r"\<").replace("*", r"\*")


def _with_tables_of_python(manifest: dict[str, Any], tables: Mapping[str, Described]) -> dict[str, Any]:
    """Describe in the manifest those tables that models read as sources and Python writes."""
    for source in manifest["sources"].values():
        described = tables.get(f"{source['schema']}.{source['name']}")
        if described is not None:
            source["description"] = described.table
            source["columns"] = {
                name: {"name": name, "description": text, "data_type": described.types[name], "meta": {}, "tags": []}
                for name, text in described.columns.items()
            }
    return manifest


def write_static(manifest: dict[str, Any], tables: Mapping[str, Described]) -> Path:
    """Write dbt's documentation of the project and return its path.

    Raises
    ------
    InfrastructureError
        dbt cannot write it.
    """
    described = _with_tables_of_python(manifest, tables)
    (project.TARGET_DIR / "manifest.json").write_text(json.dumps(described), encoding="utf-8")
    arguments = ["docs", "generate", "--quiet", "--static", "--empty-catalog", "--no-compile"]
    result = project.invoke(arguments, project.TARGET_DIR / "parse" / "warehouse.duckdb")
    if not result.success:
        raise InfrastructureError(f"dbt cannot write its documentation: {result.exception}")
    return STATIC


def main() -> None:
    """Write both and print where they are."""
    manifest = project.manifest()
    tables = dictionary(manifest)
    PAGE.write_text(page(tables), encoding="utf-8")
    sys.stdout.write(f"data dictionary {PAGE}\ndbt documentation {write_static(manifest, tables)}\n")


if __name__ == "__main__":
    main()
