"""Tiers on worked examples. Breaks: who is an A customer, and who has a tier at all."""

from decimal import Decimal

import pandas as pd
import pytest

from dagster_project.metrics.tiers import account_tiers, tier

LINES = Decimal("0.80"), Decimal("0.95")


def ranked(*numbers: int, **columns: object) -> pd.DataFrame:
    """Rank as the engine does: best first, equal customers in the order given; the index is that order."""
    frame = pd.DataFrame({"amount": pd.Series(numbers, dtype="int64")} | columns).sort_values("amount", ascending=False, kind="stable")
    gains = frame["amount"].clip(lower=0)
    return frame.assign(positive=gains.cumsum(), positive_total=gains.sum(), rank=range(1, len(frame) + 1))


def letters(*numbers: int) -> str:
    return "".join(tier(ranked(*numbers), *LINES)["account_tier"].sort_index())


def test_tiers_put_the_customer_who_crosses_the_line_into_the_better_tier() -> None:
    # Of 100: 79 | +10 crosses 80 | +6 starts at 89, crosses 95 | the rest starts at 95.
    assert letters(79, 10, 6, 3, 2) == "AABCC"


def test_tiers_count_positive_value_only_and_name_losers_and_the_silent() -> None:
    assert letters(-50, 80, 0, 15, 5) == "DANBC"
    assert tier(ranked(-50, 80, 0, 15, 5), *LINES)["cumulative_share"].sort_index().tolist() == pytest.approx([1.0, 0.8, 1.0, 0.95, 1.0])


def test_equal_customers_are_tiered_in_account_order() -> None:
    assert letters(10, 10, 10, 10, 10) == "AAAAB"


def test_without_a_positive_customer_nobody_has_a_share() -> None:
    assert tier(ranked(-1, 0), *LINES)["cumulative_share"].isna().all()
    assert letters(-1, 0) == "DN"
    assert letters() == ""


def test_each_customer_is_tiered_by_the_lines_of_its_own_population() -> None:
    two = pd.DataFrame({"amount": [15, 15], "positive": [95, 95], "positive_total": [100, 1_000]})
    assert tier(two, *LINES)["account_tier"].tolist() == ["B", "A"]
    assert tier(two, *LINES)["cumulative_share"].tolist() == [0.95, 0.095]


def test_who_lacks_something_has_no_tier_for_the_first_reason_and_keeps_its_place_in_the_ranking() -> None:
    known = {"has_cost": True, "has_orders": True, "cost_unknown": 0, "unpriced": [0, 1, 1, 0], "margin_unknown": [0, 1, 0, 1]}
    found = account_tiers(ranked(70, 20, 8, 2, **known), *LINES)
    assert found["null_reason"].astype("str").fillna("").tolist() == ["", "fx_missing", "fx_missing", "unit_cost_absent"]
    assert found["account_tier"].astype("str").fillna("").tolist() == ["A", "", "", ""]
    assert found[["tier_amount", "rank", "cumulative_share"]].isna().all(axis="columns").tolist() == [False, True, True, True]
    absent = account_tiers(ranked(70, **known | {"has_cost": False, "unpriced": 1, "margin_unknown": 0}), *LINES)
    assert absent["null_reason"].tolist() == ["source_absent"]
