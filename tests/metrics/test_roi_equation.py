"""The ROI equation on worked examples. Breaks: the headline that finance reads."""

import math

import numpy as np
import pytest

from dagster_project.metrics.roi import KNOWN, REASONS, STATES, Frame, Line, Moments, delta_interval

# Fixture of five accounts: value V and cost C in money, here in hundredths.
VALUE = np.array([120, 0, 300, -40, 80]) * 100
COST = np.array([50, 30, 100, 20, 50]) * 100


def frame(value: np.ndarray = VALUE, cost: np.ndarray = COST, **lines: Line) -> Frame:
    absent = Line.of(np.zeros_like(cost), "not_built")
    parts = {
        "cost": Line.of(cost),
        "margin": Line.of(value),
        "hard": Line.of(value),
        "modelled": absent,
        "assumed": absent,
        "damage": absent,
    }
    return Frame(**(parts | lines))


def summed(amounts: np.ndarray) -> np.ndarray:
    return amounts.sum(keepdims=True)


def sampled(value: np.ndarray = VALUE, cost: np.ndarray = COST) -> Moments:
    return Moments(len(value), *(int(numbers.sum()) for numbers in (value, cost, value * value, value * cost, cost * cost)))


def reason(codes: np.ndarray) -> list[str | None]:
    return [None if code == KNOWN else REASONS[code] for code in codes]


@pytest.mark.spec("C01")
@pytest.mark.spec("C20")
def test_company_roi_is_the_ratio_of_sums_and_not_the_mean_of_account_rois() -> None:
    own = frame().variants("no_service_cost")["roi_hard"].values
    assert own.tolist() == pytest.approx([1.4, -1.0, 2.0, -3.0, 0.6])
    company = frame(summed(VALUE), summed(COST)).variants("zero_cost")["roi_hard"]
    assert company.values[0] == pytest.approx(0.84)
    assert (int(company.num.amounts[0]), int(company.den.amounts[0])) == (21_000, 25_000)
    assert own.mean() == pytest.approx(0.0)


@pytest.mark.spec("C01")
def test_delta_method_interval_agrees_with_the_published_fixture() -> None:
    interval = delta_interval(sampled())
    assert interval.standard_error == pytest.approx(0.683071, abs=5e-7)
    assert (interval.low95, interval.high95) == pytest.approx((-0.498794, 2.178794), abs=1e-6)


def test_delta_error_lies_near_the_jackknife_error() -> None:
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
    variants = frame().variants("no_service_cost")
    assert variants["roi_cost_only"].values.tolist() == [-1.0] * 5


def test_zero_cost_gives_no_ratio_but_a_reason_for_account_and_company() -> None:
    free = frame(cost=np.array([5_000, 0, 0, 0, 0])).variants("no_service_cost")
    assert reason(free["roi_hard"].reasons) == [None, *["no_service_cost"] * 4]
    assert np.isnan(free["roi_hard"].values[1:]).all()
    assert reason(free["roi"].reasons) == ["not_built", *["no_service_cost"] * 4]
    none = frame(summed(VALUE), cost=np.zeros(1, np.int64))
    assert reason(none.variants("zero_cost")["roi"].reasons) == ["zero_cost"]


def test_an_absent_source_is_unknown_and_never_zero() -> None:
    no_cost = Frame(*[Line.of(summed(COST), "source_absent")] * 6)
    assert reason(no_cost.variants("zero_cost")["margin_per_service_cost"].reasons) == ["source_absent"]
    some = Line.of(VALUE, "unit_cost_absent", np.array([False, True, False, False, False]))
    partly = frame(margin=some).variants("no_service_cost")["margin_per_service_cost"]
    assert reason(partly.reasons) == [None, "unit_cost_absent", None, None, None]
    assert np.isnan(partly.values).tolist() == [False, True, False, False, False]


def test_a_line_that_is_not_built_leaves_every_ratio_that_needs_it_unknown() -> None:
    company = frame(summed(VALUE), summed(COST))
    variants = company.variants("zero_cost")
    assert STATES[company.states(variants)[0]] == "partial"
    known = {name for name, ratio in variants.items() if ratio.reasons[0] == KNOWN}
    assert known == {"margin_per_service_cost", "roi_hard", "roi_cost_only"}
    unknown = {name: reason(ratio.reasons) for name, ratio in variants.items() if name not in known}
    assert unknown == {name: ["not_built"] for name in ("roi", "roi_all", "roi_before_damage")}
    assert reason(company.net_benefit().reasons) == ["not_built"]
    assert company.completeness().tolist() == pytest.approx([3 / 5])


def test_margin_per_service_cost_takes_no_cost_from_the_margin_and_nothing_else_follows_it() -> None:
    variants = frame(summed(VALUE), summed(COST), hard=Line.of(np.array([0]))).variants("zero_cost")
    assert variants["margin_per_service_cost"].values[0] == pytest.approx(1.84)
    assert variants["roi_hard"].values[0] == -1.0


def test_damage_is_subtracted_and_assumptions_are_listed_but_never_added() -> None:
    lines = {"modelled": Line.of(np.array([5_000])), "assumed": Line.of(np.array([5 * 9_999])), "damage": Line.of(np.array([5_000]))}
    full = frame(summed(VALUE), summed(COST), **lines)
    variants = full.variants("zero_cost")
    assert STATES[full.states(variants)[0]] == "complete"
    assert int(full.net_benefit().amounts[0]) == 46_000 + 5_000 - 5_000 - 25_000
    assert variants["roi"].values[0] == pytest.approx(21_000 / 25_000)
    assert variants["roi_before_damage"].values[0] == pytest.approx(26_000 / 25_000)
    assert variants["roi_hard"].values[0] == pytest.approx(21_000 / 25_000)  # damage is no hard evidence
    assert variants["roi_all"].values[0] == pytest.approx((21_000 + 5 * 9_999) / 25_000)


def test_sensitivity_base_case_of_the_published_tornado_is_reproduced() -> None:
    # 13 saved x 900 + upsell 4,000 + deflection 2,500 - damage 3,000 at cost 10,000.
    one = np.array([1])
    company = frame(
        cost=one * 1_000_000, value=one * 400_000, modelled=Line.of(one * (13 * 90_000 + 250_000)), damage=Line.of(one * 300_000)
    )
    assert company.variants("zero_cost")["roi"].values[0] == pytest.approx(0.52)
