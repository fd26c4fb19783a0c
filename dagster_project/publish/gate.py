"""The gate before publish: nothing red, nothing missing, nothing that does not tie.

Holds the decision only. It must not repair, copy or write.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dagster_project.engines.engine import Engine
from dagster_project.errors import ChecksFailed


@dataclass(frozen=True)
class CheckOutcome:
    """Result of one check of a run; `detail` says what was found."""

    name: str
    passed: bool
    detail: str = ""


def gate(
    engine: Engine,
    expected_models: Collection[str],
    built_models: Collection[str],
    required_checks: Collection[str],
    checks: Collection[CheckOutcome],
) -> None:
    """Let a build pass to publish, or say everything that forbids it.

    Parameters
    ----------
    engine
        The warehouse.
    expected_models, built_models
        `schema.table` of what the manifest promises and of what this run built.
    required_checks
        Names of the tests that must have run and passed: those tagged `gate`, by which the books tie.
    checks
        All check results of the run.

    Raises
    ------
    ChecksFailed
        A check failed or did not run, or a model is missing or left over from an older version.
    """
    reasons = [f"check {check.name} failed{': ' + check.detail if check.detail else ''}" for check in checks if not check.passed]
    reasons += [f"check {name} did not run" for name in sorted(set(required_checks) - {check.name for check in checks})]
    reasons += [f"model {name} was not built in this run" for name in sorted(set(expected_models) - set(built_models))]
    reasons += _relations(engine, expected_models)
    if reasons:
        raise ChecksFailed("nothing was published, the previous copy stays served:\n  " + "\n  ".join(reasons))


def _relations(engine: Engine, expected: Collection[str]) -> list[str]:
    promised = set(expected)
    present = set(engine.columns(sorted({name.partition(".")[0] for name in promised})))
    return [f"relation {name} is not in the warehouse" for name in sorted(promised - present)] + [
        f"relation {name} is in the warehouse but nothing makes it any more; remedy: delete warehouse.duckdb, it is rebuilt from the lake"
        for name in sorted(present - promised)
    ]
