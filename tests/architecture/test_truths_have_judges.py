"""A truth of the demo company has a test that judges the product by it, or a line in unjudged.txt. Breaks: numbers nobody compares."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from demo_company.company import write_company

TRUTH = Path(__file__).resolve().parents[1] / "truth"
NOT_COUNTED = ("parameters", "faults")
MEASURES_BY_MONTH = ("money_cents", "counts", "retention")
"""Groups whose months hold one measure per name; the names in other groups are parts of one measure."""


def true_measures(document: dict[str, Any]) -> set[str]:
    """Names of what truth.json states, months dropped."""
    causal, values = document["causal"], document["true_values"]
    names = set(document) - {*NOT_COUNTED, *MEASURES_BY_MONTH, "causal", "true_values"}
    names |= {f"{group}.{name}" for group in MEASURES_BY_MONTH for month in document[group].values() for name in month}
    names |= {f"causal.{name}" for name in {*causal["total"], *causal} - {"months", "total"}}
    return names | {f"true_values.{name}" for name in values if name != "reporting_currency_code"}


def judged_measures(source: str) -> set[str]:
    """Names in `pytest.mark.truth(...)` on a test function."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    calls = [mark for function in functions for mark in function.decorator_list if isinstance(mark, ast.Call)]
    return {str(ast.literal_eval(key)) for call in calls if ast.unparse(call.func) == "pytest.mark.truth" for key in call.args}


def test_the_truths_without_a_judge_are_those_listed(tmp_path: Path) -> None:
    known = true_measures(write_company(tmp_path / "landing", accounts=1, months=1, daily=0))
    judged = set().union(*(judged_measures(path.read_text(encoding="utf-8")) for path in TRUTH.glob("test_*.py")))
    listed = (TRUTH / "unjudged.txt").read_text(encoding="utf-8").splitlines()
    assert judged - known == set(), "a mark names a truth that truth.json does not state"
    assert listed == sorted(known - judged), "a new truth needs a judge or a line in tests/truth/unjudged.txt; a judged one must leave it"


def test_a_mark_in_a_comment_or_on_a_helper_judges_nothing() -> None:
    source = '# @pytest.mark.truth("a")\n@pytest.mark.truth("b")\ndef helper(): ...\n@pytest.mark.truth("c.d", "e")\ndef test_x(): ...\n'
    assert judged_measures(source) == {"c.d", "e"}
