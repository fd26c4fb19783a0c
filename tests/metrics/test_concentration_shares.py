"""80/20, Gini and whale curve on worked examples. Breaks: who is called a top customer."""

import numpy as np
import pandas as pd
import pytest

from dagster_project.metrics import concentration


def values(*numbers: int) -> pd.Series:
    return pd.Series(numbers, dtype="int64")


def concentrate(population: pd.Series) -> pd.Series:
    """The figures of one population; its other columns are nobody's."""
    return concentration.concentrate(pd.DataFrame({"value": population, "nobody": pd.NA})).loc["value"]


curve = concentration.curve


@pytest.mark.spec("D29")
def test_top_share_counts_the_boundary_customer_by_its_fraction() -> None:
    # 20 % of 6 customers are 1.2 of them: 50 + 0.2 x 20 of 100.
    result = concentrate(values(50, 20, 10, 10, 5, 5))
    assert result.top20_share == pytest.approx(0.54)
    assert (result.top20_ceiling_count, result.top20_ceiling_share) == (2, pytest.approx(0.70))


@pytest.mark.spec("D29")
def test_customers_needed_for_80_percent_are_interpolated_and_whole() -> None:
    # 50 + 20 + 10 reach 80 exactly with the third; of (60, 30, 10) two thirds of the second customer suffice.
    exact = concentrate(values(5, 50, 10, 20, 5, 10))
    assert (exact.customers_for_80_count, exact.customer_share_for_80) == (3, pytest.approx(0.5))
    inside = concentrate(values(60, 30, 10))
    assert inside.customer_share_for_80 == pytest.approx((1 + 20 / 30) / 3)
    assert inside.customers_for_80_share == pytest.approx(2 / 3)


@pytest.mark.spec("D29")
def test_a_true_80_20_company_reads_80_and_20_both_ways() -> None:
    result = concentrate(values(400, 400, *[25] * 8))
    assert result.top20_share == pytest.approx(0.80)
    assert result.customer_share_for_80 == pytest.approx(0.20)


@pytest.mark.parametrize(
    ("numbers", "gini", "unbiased"),
    [((1, 1, 1, 1), 0, 0), ((0, 0, 0, 1), 0.75, 1.0), ((1, 2, 3, 4, 5), 0.266667, 0.333333), ((10, 20, 30, 40, 900), 0.72, 0.90)],
)
def test_gini_agrees_with_the_published_values(numbers: tuple[int, ...], gini: float, unbiased: float) -> None:
    result = concentrate(values(*numbers))
    assert (result.gini_ratio, result.gini_unbiased_ratio) == pytest.approx((gini, unbiased), abs=5e-7)


@pytest.mark.fault("F18")
def test_one_customer_of_forty_percent_among_a_million_equal_ones_follows_the_closed_form() -> None:
    others = 1_000_000
    result = concentrate(pd.Series(np.repeat([3, 2 * others], [others, 1])))
    assert result.total == 5 * others
    assert result.gini_ratio == pytest.approx(0.4 - 1 / (others + 1), abs=1e-12)
    assert result.gini_unbiased_ratio == pytest.approx((0.4 - 1 / (others + 1)) * (others + 1) / others, abs=1e-12)
    assert result.top20_share == pytest.approx(0.4 + 0.6 * (0.2 * (others + 1) - 1) / others, abs=1e-12)


@pytest.mark.fault("F18")
def test_equal_customers_have_gini_exactly_zero_and_a_fifth_holds_a_fifth() -> None:
    result = concentrate(values(*[123_456_789] * 7))
    assert result.gini_ratio == 0.0
    assert result.top20_share == pytest.approx(0.20)


def test_gini_of_amounts_beyond_64_bit_products_stays_right() -> None:
    huge = values(1, 2, 3, 4, 5) * 10**17
    assert concentrate(huge).gini_ratio == pytest.approx(4 / 15)


@pytest.mark.fault("F18")
def test_a_total_that_is_not_positive_gives_no_share_but_still_a_whale_curve() -> None:
    result = concentrate(values(100, -300))
    assert (result.null_reason, result.total) == ("total_not_positive", -200)
    assert result[[*concentration.SHARES, "top20_ceiling_count"]].isna().all()
    drawn = curve(values(100, -300), points=3)
    assert drawn["lorenz_share"].isna().all()
    assert drawn["null_reason"].tolist() == ["total_not_positive"] * 3
    assert drawn["best_cumulative"].tolist() == [0, 100, -200]


def test_nobody_is_zero_denominator_and_one_customer_holds_all() -> None:
    assert concentrate(values()).null_reason == "zero_denominator"
    alone = concentrate(values(7))
    assert (alone.top20_share, alone.top20_ceiling_share, alone.customer_share_for_80) == pytest.approx((0.2, 1.0, 0.8))
    assert pd.isna(alone.gini_unbiased_ratio)


def test_losing_customers_lift_the_whale_peak_above_the_total_and_leave_gini_undefined() -> None:
    result = concentrate(values(100, 60, -20, -40))
    assert result.whale_peak_share == pytest.approx(1.6)
    assert pd.isna(result.gini_ratio)
    assert (result.gini_null_reason, result.null_reason) == ("negative_values", None)


def test_lorenz_points_of_three_customers() -> None:
    drawn = curve(values(10, 60, 30), points=4)
    assert drawn["lorenz_share"].tolist() == pytest.approx([0, 0.1, 0.4, 1.0])
    assert drawn["best_cumulative"].tolist() == [0, 60, 90, 100]


def test_who_is_not_of_a_population_is_not_counted_and_each_column_has_its_own() -> None:
    both = concentration.concentrate(pd.DataFrame({"sales": pd.array([None, 5, 5], "Int64"), "contacts": [1, 2, 3]}))
    assert both["customers_count"].to_dict() == {"sales": 2, "contacts": 3}
    assert both["total"].to_dict() == {"sales": 10, "contacts": 6}
