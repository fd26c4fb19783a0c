"""The gate before publish: nothing red, nothing missing, nothing that does not tie.

Holds the decision only. It must not repair, copy or write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.errors import ChecksFailed

if TYPE_CHECKING:
    import duckdb

_SHOWN = 10


@dataclass(frozen=True)
class CheckOutcome:
    """Result of one check: `detail` names rows or numbers, `is_blocking` is false for warnings."""

    name: str
    passed: bool
    is_blocking: bool = True
    detail: str = ""


def gate(
    connection: duckdb.DuckDBPyConnection,
    expected_models: Collection[str],
    built_models: Collection[str],
    checks: Iterable[CheckOutcome],
) -> None:
    """Let a build pass to publish, or say everything that stands against it.

    Parameters
    ----------
    connection
        The warehouse, read-only is enough.
    expected_models, built_models
        `schema.table` of what the manifest promises and of what this run built.
    checks
        All check results of the run.

    Raises
    ------
    ChecksFailed
        A blocking check failed, a model is missing or left over from an older version, or costs do not reconcile.
    """
    red = [check for check in checks if check.is_blocking and not check.passed]
    reasons = [f"check {check.name} failed{': ' + check.detail if check.detail else ''}" for check in red]
    reasons += [f"model {name} was not built in this run" for name in sorted(set(expected_models) - set(built_models))]
    reasons += _relations(connection, expected_models)
    if not any("mart_cost_reconciliation" in reason for reason in reasons):
        reasons += _reconciliation(connection)
    if reasons:
        raise ChecksFailed("nothing was published, the previous copy stays served:\n  " + "\n  ".join(reasons))


def _relations(connection: duckdb.DuckDBPyConnection, expected: Collection[str]) -> list[str]:
    present = {
        f"{schema}.{table}"
        for schema, table in connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = current_database()"
        ).fetchall()
    }
    promised = set(expected) | {"marts.mart_cost_reconciliation"}
    schemas = {name.partition(".")[0] for name in expected}
    left_over = {name for name in present if name.partition(".")[0] in schemas} - promised
    return [f"relation {name} is not in the warehouse" for name in sorted(promised - present)] + [
        f"relation {name} is in the warehouse but nothing makes it any more; remedy: delete warehouse.duckdb, it is rebuilt from the lake"
        for name in sorted(left_over)
    ]


def _reconciliation(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select concat_ws(' ', strftime(period_month, '%Y-%m'), legal_entity, cost_category, pool_id, "
        "coalesce(difference_amount::varchar, 'unknown'), currency_code), count(*) over () "
        "from marts.mart_cost_reconciliation where difference_amount is distinct from 0 order by all limit ?",
        [_SHOWN],
    ).fetchall()
    return [f"reconciliation: {rows[0][1]} rows differ from 0.00, first: " + "; ".join(row[0] for row in rows)] if rows else []
