"""The models that decide which months a run rebuilds, as SQL: compiled once per change of the project, for `plan` to ask of a copy.

Holds the compiling and its file next to the prepared manifest. Nothing of the data is in the SQL.
"""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from graphlib import TopologicalSorter
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dagster_project.errors import InfrastructureError
from dagster_project.transform import project

_ASKED = "int_core__affected_month"
_DAY = "int_core__affected_day"


@dataclass(frozen=True)
class CompiledMonths:
    """SQL of the statement of affected days, of staging by feed (its key and its SQL), and of the other models in order.

    Relations are named with the database `warehouse`; staging is that of a full build.
    """

    days: str
    staging: dict[str, tuple[list[str], str]]
    others: list[tuple[str, str]]


def compiled_months() -> CompiledMonths:
    """Return the SQL, compiling it where the project changed since the last time.

    Raises
    ------
    InfrastructureError
        The project cannot be compiled.
    """
    path = project.prepared_file("months.json")
    if not path.exists():
        project.write_prepared(path, json.dumps(_compile()).encode())
    return CompiledMonths(**json.loads(path.read_bytes()))


def _compile() -> dict[str, Any]:
    with TemporaryDirectory(prefix="service-roi-compile-") as folder:
        warehouse = Path(folder) / "warehouse.duckdb"
        selected = ["--full-refresh", "--select", f"+{_ASKED}", "--exclude", "resource_type:test", "resource_type:unit_test"]
        nodes = {node.unique_id: node for node in _compiled(selected, warehouse)}
        (days,) = _compiled(["--inline", "{{ affected_statement() }}"], warehouse)
    before = {name: [one for one in node.depends_on.nodes if one in nodes] for name, node in nodes.items()}
    ordered = [nodes[name] for name in TopologicalSorter(before).static_order()]
    return {
        "days": days.compiled_code,
        "staging": {node.name[4:]: (node.config.unique_key, node.compiled_code) for node in ordered if node.schema == "staging"},
        "others": [
            (f"{node.schema}.{node.name}", node.compiled_code) for node in ordered if node.schema != "staging" and node.name != _DAY
        ],
    }


def _compiled(arguments: list[str], warehouse: Path) -> list[Any]:
    with redirect_stdout(StringIO()):  # dbt prints what it compiled in spite of --no-print
        outcome = project.invoke(["compile", "--quiet", "--no-print", "--no-write-json", *arguments], warehouse)
    if not outcome.success:
        raise InfrastructureError(f"the dbt project cannot be compiled: {outcome.exception}")
    return [result.node for result in outcome.result]
