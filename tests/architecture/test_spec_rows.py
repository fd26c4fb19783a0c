"""A claim on a row of the specification needs a test that carries the row's mark. Breaks: what the product says it does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from dagster_project.metrics.registry import spec_rows

TESTS = Path(__file__).resolve().parents[1]
MODELS = TESTS.parent / "dbt" / "models"


def marked_rows(source: str) -> set[str]:
    """Rows named by `pytest.mark.spec(...)` on a test function; text in strings and comments does not count."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    calls = [mark for function in functions for mark in function.decorator_list if isinstance(mark, ast.Call)]
    return {
        argument.value
        for call in calls
        if ast.unparse(call.func) == "pytest.mark.spec"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


@cache
def proved() -> set[str]:
    return set().union(*(marked_rows(path.read_text(encoding="utf-8")) for path in TESTS.rglob("test_*.py")))


def claims() -> Iterator[tuple[str, str]]:
    """Claims in the yml beside the models, read without dbt so that this test costs nothing."""
    for path in sorted(MODELS.rglob("*.yml")):
        written = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for model in written.get("models") or []:
            for row in ((model.get("config") or {}).get("meta") or {}).get("spec_rows") or []:
                yield model["name"], row
        for metric in written.get("metrics") or []:
            for row in metric["config"]["meta"].get("spec_rows") or []:
                yield metric["name"], row


def test_every_claimed_row_is_proved_by_a_marked_test() -> None:
    without_proof = sorted((metric, row) for metric, row in claims() if row not in proved())
    assert len(list(claims())) > 5
    assert without_proof == [], "a metric claims a row of the specification that no test is marked with"


def test_marks_and_claims_only_name_rows_of_the_specification() -> None:
    known = {row.row for row in spec_rows()}
    assert proved() - known == set()
    assert {row for _, row in claims()} - known == set()


def test_a_mark_in_a_comment_or_on_a_helper_is_no_proof() -> None:
    source = '# @pytest.mark.spec("A01")\n@pytest.mark.spec("A02")\ndef helper(): ...\n@pytest.mark.spec("A03")\ndef test_x(): ...\n'
    assert marked_rows(source) == {"A03"}
