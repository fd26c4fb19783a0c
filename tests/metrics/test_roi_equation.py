"""The ROI equation on worked examples. Breaks: the headline that finance reads."""

import math

import numpy as np
import pandas as pd
import pytest

from dagster_project.metrics.roi import LINES, REASONS, VARIANTS, Moments, delta_interval, service_roi, value_lines

# Fixture of five accounts: value V and cost C in money, here in hundredths.
VALUE = np.array([120, 0, 300, -40, 80]) * 100
COST = np.array([50, 30, 100, 20, 50]) * 100


def lines(value: np.ndarray = VALUE, cost: np.ndarray = COST, **others: int) -> pd.DataFrame:
    """Lines of which the value is the margin and the hard value; the others are not built unless they are given."""
    known = {"service_cost": cost, "contribution_margin": value, "v_hard": value} | others
    made = {}
    for line in LINES:
        made[f"{line}_amount"] = pd.Series(known.get(line, pd.NA), range(len(cost)), "Int64")
        reason = pd.Categorical([None if line in known else "not_built"] * len(cost), REASONS)
        made[f"{line}_null_reason"] = pd.Series(reason)
    return pd.DataFrame(made)


def of_account(**columns: object) -> pd.DataFrame:
    """Sums of one account of which everything is known."""
    sums = {"service_cost": 50, "margin": 120, "offer_margin": 20, "sales_known": 1}
    sums |= dict.fromkeys(("cost_unknown", "margin_unknown", "offer_unknown", "unpriced"), 0)
    return pd.DataFrame([sums | dict.fromkeys(("has_cost", "has_orders", "has_offers"), True) | columns])


def summed(amounts: np.ndarray) -> np.ndarray:
    return amounts.sum(keepdims=True)


def sampled(value: np.ndarray = VALUE, cost: np.ndarray = COST) -> Moments:
    return Moments(len(value), *(int(numbers.sum()) for numbers in (value, cost, value * value, value * cost, cost * cost)))


def reasons(found: pd.DataFrame, name: str) -> list[str | None]:
    return [None if pd.isna(word) else word for word in found[f"{name}_null_reason"]]


@pytest.mark.spec("C01")
@pytest.mark.spec("C20")
def test_company_roi_is_the_ratio_of_sums_and_not_the_mean_of_account_rois() -> None:
    own = service_roi(lines(), "no_service_cost")["roi_hard_ratio"]
    assert own.tolist() == pytest.approx([1.4, -1.0, 2.0, -3.0, 0.6])
    company = service_roi(lines(summed(VALUE), summed(COST)), "zero_cost").iloc[0]
    assert (company["roi_hard_ratio"], company["roi_hard_num"]) == (pytest.approx(0.84), 21_000)
    assert own.mean() == pytest.approx(0.0)


@pytest.mark.spec("C01")
def test_delta_method_interval_agrees_with_the_published_fixture() -> None:
    interval = delta_interval(sampled())
    assert interval.standard_error == pytest.approx(0.683071, abs=5e-7)
    assert (interval.low95, interval.high95) == pytest.approx((-0.498794, 2.178794), abs=1e-6)


def test_delta_error_is_near_the_jackknife_error() -> None:
    n = len(VALUE)
    left_out = np.array([np.delete(VALUE, i).sum() / np.delete(COST, i).sum() for i in range(n)])
    jackknife = math.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    assert jackknife == pytest.approx(0.790584, abs=5e-7)
    error = delta_interval(sampled()).standard_error
    assert error < jackknife
    ratio = VALUE.sum() / COST.sum()
    assert error == pytest.approx(math.sqrt(n) * np.std(VALUE - ratio * COST, ddof=1) / COST.sum(), rel=1e-12)


def test_pseudo_accounts_belong_to_the_ratio_but_are_not_sampled() -> None:
    plain, with_pseudo = delta_interval(sampled()), delta_interval(sampled(), fixed_value=0, fixed_cost=25_000)
    assert with_pseudo.roi == pytest.approx(46_000 / 50_000 - 1)
    assert with_pseudo.standard_error < plain.standard_error


def test_interval_is_not_defined_at_zero_cost_nor_for_one_account() -> None:
    assert all(math.isnan(part) for part in delta_interval(sampled(cost=np.zeros(5, np.int64))))
    alone = delta_interval(sampled(VALUE[:1], COST[:1]))
    assert alone.roi == pytest.approx(1.4)
    assert math.isnan(alone.standard_error)


def test_with_the_value_side_off_roi_is_exactly_minus_one() -> None:
    assert service_roi(lines(), "no_service_cost")["roi_cost_only_ratio"].tolist() == [-1.0] * 5


def test_zero_cost_gives_no_ratio_but_a_reason_for_account_and_company() -> None:
    free = service_roi(lines(cost=np.array([5_000, 0, 0, 0, 0])), "no_service_cost")
    assert reasons(free, "roi_hard") == [None, *["no_service_cost"] * 4]
    assert free["roi_hard_ratio"].isna().tolist() == [False, True, True, True, True]
    assert reasons(free, "roi") == ["not_built", *["no_service_cost"] * 4]
    none = service_roi(lines(summed(VALUE), np.zeros(1, np.int64)), "zero_cost")
    assert reasons(none, "roi") == ["zero_cost"]


@pytest.mark.parametrize(
    ("columns", "unknown"),
    [
        ({}, {}),
        ({"has_cost": False}, {"service_cost": "source_absent"}),
        ({"has_cost": False, "cost_unknown": 1}, {"service_cost": "fx_missing"}),
        ({"has_orders": False, "margin_unknown": 1}, dict.fromkeys(("contribution_margin", "v_hard"), "source_absent")),
        ({"has_offers": False}, {"v_hard": "source_absent"}),
        ({"margin_unknown": 1}, {"contribution_margin": "unit_cost_absent"}),
        ({"offer_unknown": 2}, {"v_hard": "unit_cost_absent"}),
        ({"unpriced": 1}, {}),
        ({"unpriced": 1, "sales_known": 0, "margin_unknown": 1}, dict.fromkeys(("contribution_margin", "v_hard"), "fx_missing")),
    ],
)
def test_what_is_not_known_of_a_line_is_null_with_the_reason_and_never_zero(columns: dict[str, object], unknown: dict[str, str]) -> None:
    found = value_lines(of_account(**columns))
    expected = unknown | dict.fromkeys(("v_modelled", "v_assumed", "damage"), "not_built")
    assert {line: reasons(found, line)[0] for line in LINES if reasons(found, line)[0]} == expected
    assert {line for line in LINES if pd.isna(found[f"{line}_amount"][0])} == set(expected)


def test_a_ratio_names_the_cost_before_the_value_that_it_lacks() -> None:
    found = service_roi(value_lines(of_account(has_cost=False, has_orders=False)), "zero_cost")
    assert [reasons(found, variant)[0] for variant in VARIANTS] == ["source_absent"] * len(VARIANTS)
    partly = service_roi(value_lines(of_account(margin_unknown=1)), "zero_cost")
    assert reasons(partly, "margin_per_service_cost") == ["unit_cost_absent"]
    assert reasons(partly, "roi_hard") == [None]


def test_a_line_that_is_not_built_leaves_every_ratio_that_needs_it_unknown() -> None:
    company = service_roi(lines(summed(VALUE), summed(COST)), "zero_cost")
    assert company["roi_state"].tolist() == ["partial"]
    unknown = {variant: reasons(company, variant) for variant in VARIANTS if company[f"{variant}_ratio"].isna().any()}
    assert unknown == {variant: ["not_built"] for variant in ("roi", "roi_all", "roi_before_damage")}
    assert company["net_benefit_amount"].isna().all()
    assert company["completeness_share"].tolist() == pytest.approx([3 / 5])


def test_margin_per_service_cost_takes_no_cost_from_the_margin_and_nothing_else_follows_it() -> None:
    company = service_roi(lines(summed(VALUE), summed(COST), v_hard=0), "zero_cost").iloc[0]
    assert company["margin_per_service_cost_ratio"] == pytest.approx(1.84)
    assert company["roi_hard_ratio"] == -1.0


def test_damage_is_subtracted_and_assumptions_are_listed_but_never_added() -> None:
    company = service_roi(lines(summed(VALUE), summed(COST), v_modelled=5_000, v_assumed=5 * 9_999, damage=5_000), "zero_cost").iloc[0]
    assert company["roi_state"] == "complete"
    assert company["net_benefit_amount"] == 46_000 + 5_000 - 5_000 - 25_000
    assert company["roi_ratio"] == pytest.approx(21_000 / 25_000)
    assert company["roi_before_damage_ratio"] == pytest.approx(26_000 / 25_000)
    assert company["roi_hard_ratio"] == pytest.approx(21_000 / 25_000)  # damage is no hard evidence
    assert company["roi_all_ratio"] == pytest.approx((21_000 + 5 * 9_999) / 25_000)


def test_sensitivity_base_case_of_the_published_tornado_is_reproduced() -> None:
    # 13 saved x 900 + upsell 4,000 + deflection 2,500 - damage 3,000 at cost 10,000.
    one = np.array([1])
    company = lines(cost=one * 1_000_000, value=one * 400_000, v_modelled=13 * 90_000 + 250_000, damage=300_000)
    assert service_roi(company, "zero_cost")["roi_ratio"][0] == pytest.approx(0.52)
