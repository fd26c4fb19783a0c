"""How value lies with accounts: the stated share, at any size of company."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UsageError
from demo_company.behaviour import Behaviour, behaviour_of
from demo_company.customers import value_index


@given(st.integers(2, 98), st.integers(1, 97), st.integers(1, 40))
def test_the_stated_share_of_accounts_holds_the_stated_share_of_value(share: int, customers: int, hundreds: int) -> None:
    if customers >= share:
        return
    values = value_index(100 * hundreds, Behaviour(value_share=share, customer_share=customers).value_odds())
    best = values[: customers * hundreds].sum() / values.sum()
    assert best == pytest.approx(share / 100, abs=1e-9)
    assert values.mean() == pytest.approx(1.0)
    assert (np.diff(values) <= 1e-9).all()


def test_the_best_account_of_a_small_company_is_no_company_of_its_own() -> None:
    values = value_index(400, behaviour_of("80/20").value_odds())
    assert values[0] / values.sum() < 0.05


@pytest.mark.parametrize("text", ["80", "20/80", "80/0", "100/20", "80-20", "a/b", "-80/20"])
def test_what_is_no_concentration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="concentration"):
        behaviour_of(text)
