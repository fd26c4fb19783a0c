"""The gate before publish: nothing red, nothing missing, nothing that does not tie.

Holds the decision only. It must not repair, copy or write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dagster_project.engines.engine import Engine
from dagster_project.errors import ChecksFailed

_SHOWN = 10


@dataclass(frozen=True)
class CheckOutcome:
    """Result of one check: `detail` names rows or numbers, `is_blocking` is false for warnings."""

    name: str
    passed: bool
    is_blocking: bool = True
    detail: str = ""


def gate(
    engine: Engine,
    expected_models: Collection[str],
    built_models: Collection[str],
    checks: Iterable[CheckOutcome],
) -> None:
    """Let a build pass to publish, or say everything that stands against it.

    Parameters
    ----------
    engine
        The warehouse.
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
    reasons += _relations(engine, expected_models)
    if not any("mart_cost_reconciliation" in reason for reason in reasons):
        reasons += _reconciliation(engine)
    if reasons:
        raise ChecksFailed("nothing was published, the previous copy stays served:\n  " + "\n  ".join(reasons))


def _relations(engine: Engine, expected: Collection[str]) -> list[str]:
    promised = set(expected) | {"marts.mart_cost_reconciliation"}
    present = set(engine.columns(sorted({name.partition(".")[0] for name in promised})))
    left_over = present - promised
    return [f"relation {name} is not in the warehouse" for name in sorted(promised - present)] + [
        f"relation {name} is in the warehouse but nothing makes it any more; remedy: delete warehouse.duckdb, it is rebuilt from the lake"
        for name in sorted(left_over)
    ]


def _reconciliation(engine: Engine) -> list[str]:
    rows = engine.rows(
        "select period_month, legal_entity, cost_category, pool_id, difference_amount, currency_code, count(*) over () as differing_count "
        f"from marts.mart_cost_reconciliation where difference_amount is distinct from 0 order by 1, 2, 3, 4 limit {_SHOWN}"
    )
    first = [
        f"{month:%Y-%m} {entity} {category} {pool} {'unknown' if amount is None else amount} {currency}"
        for month, entity, category, pool, amount, currency, _ in rows
    ]
    return [f"reconciliation: {rows[0][-1]} rows differ from 0.00, first: " + "; ".join(first)] if rows else []
