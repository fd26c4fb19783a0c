"""80/20, Gini, whale curve and tiers on worked examples. Breaks: who is called a top customer."""

from decimal import Decimal

import numpy as np
import pytest

from dagster_project.metrics.concentration import TIERS, TierLines, Tiers, concentrate, curve, tier


def values(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def tiers(*numbers: int) -> Tiers:
    """Rank as the engine does: best first, equal customers in the order given."""
    customers, positive = values(*numbers), np.zeros(len(numbers), np.int64)
    order = np.lexsort((np.arange(len(numbers)), -customers))
    positive[order] = np.cumsum(np.maximum(customers[order], 0))
    lines = TierLines.of([int(positive.max(initial=0))], Decimal("0.80"), Decimal("0.95"))
    return tier(customers, positive, np.zeros(len(numbers), np.int64), lines)


def letters(*numbers: int) -> str:
    return "".join(TIERS[code] for code in tiers(*numbers).tiers)


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
    result = concentrate(values(3, 2 * others), values(others, 1))
    assert result.total == 5 * others
    assert result.gini_ratio == pytest.approx(0.4 - 1 / (others + 1), abs=1e-12)
    assert result.gini_unbiased_ratio == pytest.approx((0.4 - 1 / (others + 1)) * (others + 1) / others, abs=1e-12)
    assert result.top20_share == pytest.approx(0.4 + 0.6 * (0.2 * (others + 1) - 1) / others, abs=1e-12)
    assert concentrate(values(*[3] * 2_000, 4_000)) == concentrate(values(3, 4_000), values(2_000, 1)), "no histogram needed"


@pytest.mark.fault("F18")
def test_equal_customers_have_gini_exactly_zero_and_a_fifth_holds_a_fifth() -> None:
    result = concentrate(np.full(7, 123_456_789, np.int64))
    assert result.gini_ratio == 0.0
    assert result.top20_share == pytest.approx(0.20)


def test_gini_of_amounts_beyond_64_bit_products_stays_right() -> None:
    huge = values(1, 2, 3, 4, 5) * 10**17
    assert concentrate(huge).gini_ratio == pytest.approx(4 / 15)


@pytest.mark.fault("F18")
def test_a_total_that_is_not_positive_gives_no_share_but_still_a_whale_curve() -> None:
    result = concentrate(values(100, -300))
    assert (result.null_reason, result.top20_share, result.whale_peak_share, result.total) == ("total_not_positive", None, None, -200)
    drawn = curve(values(100, -300), points=3)
    assert drawn.lorenz is None
    assert drawn.whale.tolist() == [0, 100, -200]


def test_nobody_is_zero_denominator_and_one_customer_holds_all() -> None:
    assert concentrate(values()).null_reason == "zero_denominator"
    alone = concentrate(values(7))
    assert (alone.top20_share, alone.top20_ceiling_share, alone.customer_share_for_80) == pytest.approx((0.2, 1.0, 0.8))
    assert alone.gini_unbiased_ratio is None


def test_losing_customers_lift_the_whale_peak_above_the_total_and_leave_gini_undefined() -> None:
    result = concentrate(values(100, 60, -20, -40))
    assert result.whale_peak_share == pytest.approx(1.6)
    assert (result.gini_ratio, result.gini_null_reason, result.null_reason) == (None, "negative_values", None)


def test_lorenz_points_of_three_customers() -> None:
    drawn = curve(values(10, 60, 30), points=4)
    assert drawn.lorenz is not None
    assert drawn.lorenz.tolist() == pytest.approx([0, 0.1, 0.4, 1.0])
    assert drawn.whale.tolist() == [0, 60, 90, 100]


def test_tiers_put_the_customer_who_crosses_the_line_into_the_better_tier() -> None:
    # Of 100: 79 | +10 crosses 80 | +6 starts at 89, crosses 95 | the rest starts at 95.
    assert letters(79, 10, 6, 3, 2) == "AABCC"


def test_tiers_count_positive_value_only_and_name_losers_and_the_silent() -> None:
    assert letters(-50, 80, 0, 15, 5) == "DANBC"
    assert tiers(-50, 80, 0, 15, 5).cumulative_shares.tolist() == pytest.approx([1.0, 0.8, 1.0, 0.95, 1.0])


def test_equal_customers_are_tiered_in_account_order() -> None:
    assert letters(10, 10, 10, 10, 10) == "AAAAB"


def test_without_a_positive_customer_nobody_has_a_share() -> None:
    assert np.isnan(tiers(-1, 0).cumulative_shares).all()
    assert letters(-1, 0) == "DN"
    assert letters() == ""


def test_each_customer_is_tiered_by_the_lines_of_its_own_population() -> None:
    lines = TierLines.of([100, 1_000], Decimal("0.80"), Decimal("0.95"))
    assert (lines.a.tolist(), lines.b.tolist()) == ([80, 800], [95, 950])
    result = tier(values(15, 15), values(95, 95), np.array([0, 1]), lines)
    assert [TIERS[code] for code in result.tiers] == ["B", "A"]
    assert result.cumulative_shares.tolist() == [0.95, 0.095]


@pytest.mark.parametrize("numbers", [(50, 20, 10, 10, 5, 5), (5, 5, 5, -20, 0, 0, 90), (7,), (3, 3, 3, 3, 3, 3, 3, 1), (1, -1)])
def test_a_histogram_says_exactly_what_its_customers_say(numbers: tuple[int, ...]) -> None:
    histogram = np.unique(values(*numbers), return_counts=True)
    assert concentrate(*histogram) == concentrate(values(*numbers))
    drawn, expected = curve(*histogram), curve(values(*numbers))
    assert [np.array_equal(mine, theirs) for mine, theirs in zip(drawn, expected, strict=True)] == [True] * 4
