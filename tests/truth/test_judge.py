"""The judge itself: what it must find, it finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[[str], dict[str, Any]]
COST = "select period_month, cost_category, sum(cost_amount) * 100 + {0} from marts.fct_cost_line where is_roi_basis and {1} group by 1, 2"
CREATED = "select period_month, count(*) + {0} from marts.fct_ticket where is_counted and {1} group by 1"
ONE_MONTH = "period_month = (select max(period_month) from marts.mart_cost_reconciliation)"


@pytest.mark.truth("cost_cents")
@pytest.mark.parametrize(
    ("added", "kept"),
    [
        (f"({ONE_MONTH} and cost_category = 'it')::int", "true"),
        (f"case cost_category when 'it' then 1 when 'people' then -1 else 0 end * ({ONE_MONTH})::int", "true"),
        ("0", f"not ({ONE_MONTH} and cost_category = 'other')"),
        ("0.5", "true"),
    ],
    ids=["a cent too many", "a cent in the wrong category", "a missing row", "half a cent"],
)
def test_a_wrong_cost_is_found(judge: Judge, added: str, kept: str) -> None:
    assert judge(COST.format(0, "true")) == {}
    assert judge(COST.format(added, kept))


@pytest.mark.truth("counts.tickets_created")
@pytest.mark.parametrize(("added", "kept"), [("1", "true"), ("0", f"not {ONE_MONTH}")], ids=["one too many", "a missing month"])
def test_a_wrong_count_is_found(judge: Judge, added: str, kept: str) -> None:
    assert judge(CREATED.format(added, kept))


@pytest.mark.truth("counts.tickets_created")
def test_a_month_that_truth_does_not_know_is_found(judge: Judge) -> None:
    found = judge(f"{CREATED.format(0, 'true')} union all select date '1999-01-01', 1")
    assert found["1999-01"] == ({"counts.tickets_created": 1}, None)
