"""Laws that hold for every company. Breaks: totals that do not tie, shares that leave their range, customers counted twice."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.metrics.concentration import TierLines, concentrate, curve, tier
from dagster_project.metrics.retention import OrderDays, Periods, cohort_counts, cohort_triangle, month_partition, partition_counts
from dagster_project.metrics.roi import KNOWN, Frame, Line, Moments, delta_interval

CENTS = st.integers(-(10**12), 10**12)
POSITIVE = st.lists(st.integers(0, 10**12), min_size=1, max_size=60).filter(lambda numbers: sum(numbers) > 0)
ANY = st.lists(CENTS, min_size=1, max_size=60)


def array(numbers: list[int]) -> np.ndarray:
    return np.array(numbers, np.int64)


@given(st.lists(st.tuples(CENTS, st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=40))
def test_net_benefit_of_sums_is_the_sum_of_net_benefits(rows: list[tuple[int, int, int]]) -> None:
    value, cost, damage = (array(list(column)) for column in zip(*rows, strict=True))

    def frame(*columns: np.ndarray) -> Frame:
        value, cost, damage = map(Line.of, columns)
        return Frame(cost, value, value, value, value, damage)

    accounts, company = frame(value, cost, damage), frame(*(column.sum(keepdims=True) for column in (value, cost, damage)))
    assert (
        int(company.net_benefit().amounts[0])
        == int(accounts.net_benefit().amounts.sum())
        == 2 * sum(value.tolist()) - sum(damage.tolist()) - sum(cost.tolist())
    )
    roi = company.variants("zero_cost")["roi"]
    assert (roi.reasons[0] == KNOWN) == (cost.sum() != 0)
    assert np.isfinite(roi.values[0]) == (cost.sum() != 0)


@given(st.lists(st.tuples(CENTS, st.integers(0, 10**12)), min_size=2, max_size=40), CENTS, st.integers(1, 10**12))
def test_the_error_of_exact_sums_is_the_error_of_the_accounts(rows: list[tuple[int, int]], value: int, cost: int) -> None:
    sums = [sum(numbers) for numbers in zip(*((v, c, v * v, v * c, c * c) for v, c in rows), strict=True)]
    ratio = Fraction(sums[0] + value, sums[1] + cost)
    errors = [v - ratio * c for v, c in rows]
    variance = sum((error - sum(errors) / len(rows)) ** 2 for error in errors) / (len(rows) - 1)
    expected = math.sqrt(len(rows) * variance / (sums[1] + cost) ** 2)
    assert delta_interval(Moments(len(rows), *sums), value, cost).standard_error == pytest.approx(expected, rel=1e-12)


@given(ANY, st.sampled_from([Decimal("0.2"), Decimal("0.8"), Decimal("0.01"), Decimal("0.3333")]))
def test_top_share_equals_the_exact_fraction_at_any_cut(numbers: list[int], top: Decimal) -> None:
    result = concentrate(array(numbers), top=top)
    if sum(numbers) <= 0:
        assert result.null_reason == "total_not_positive"
        return
    wanted, share = Fraction(top) * len(numbers), Fraction(0)
    for value in sorted(numbers, reverse=True):
        weight = min(Fraction(1), max(wanted, Fraction(0)))
        share, wanted = share + weight * value, wanted - 1
    assert result.top20_share == pytest.approx(float(share / sum(numbers)), rel=1e-9)


@given(POSITIVE)
def test_customers_for_the_target_reach_it_and_one_fewer_does_not(numbers: list[int]) -> None:
    result = concentrate(array(numbers))
    ranked, needed = sorted(numbers, reverse=True), result.customers_for_80_count
    assert needed is not None
    assert 5 * sum(ranked[:needed]) >= 4 * sum(ranked) > 5 * sum(ranked[: needed - 1])
    assert result.customer_share_for_80 is not None
    assert result.customers_for_80_share is not None
    assert result.customer_share_for_80 <= result.customers_for_80_share + 1e-12


@given(POSITIVE, st.integers(2, 50))
def test_gini_lies_between_zero_and_one_and_ignores_order_and_scale(numbers: list[int], scale: int) -> None:
    gini = concentrate(array(numbers)).gini_ratio
    assert gini is not None
    assert 0 <= gini < 1
    assert concentrate(array(numbers[::-1]) * scale).gini_ratio == pytest.approx(gini, abs=1e-12)


@pytest.mark.spec("D29")
@given(POSITIVE)
def test_the_lorenz_curve_rises_stays_under_the_diagonal_and_ends_at_one(numbers: list[int]) -> None:
    drawn = curve(array(numbers))
    assert drawn.lorenz is not None
    assert np.all(np.diff(drawn.lorenz) >= 0)
    assert np.all(drawn.lorenz <= drawn.customer_shares + 1e-12)
    assert (drawn.lorenz[0], drawn.lorenz[-1]) == (0.0, 1.0)


@given(ANY)
def test_a_histogram_and_its_customers_concentrate_alike(numbers: list[int]) -> None:
    few = array(numbers) // 10**11  # so that customers are equal
    histogram = np.unique(few, return_counts=True)
    assert concentrate(*histogram) == concentrate(few)
    assert np.array_equal(curve(*histogram).whale, curve(few).whale)


@given(ANY)
def test_tiers_part_the_customers_by_sign_and_a_holds_its_share(numbers: list[int]) -> None:
    ranked = sorted(numbers, reverse=True)
    positive = np.cumsum(np.maximum(array(ranked), 0))
    lines = TierLines.of([int(positive[-1])], Decimal("0.80"), Decimal("0.95"))
    letters = ["ABCDN"[code] for code in tier(array(ranked), positive, np.zeros(len(ranked), np.int64), lines).tiers]
    assert all((letter == "D") == (value < 0) and (letter == "N") == (value == 0) for letter, value in zip(letters, ranked, strict=True))
    held = sum(value for letter, value in zip(letters, ranked, strict=True) if letter == "A")
    assert 5 * held >= 4 * int(positive[-1])
    assert letters == sorted(letters, key="ABCND".index)


ORDERS = st.dictionaries(st.tuples(st.integers(0, 8), st.integers(0, 359)), st.integers(1, 3), min_size=1, max_size=60)
MONTHS = Periods(np.arange(12) * 30, np.arange(12) * 30 + 29, np.full(12, True))


def as_history(orders: dict[tuple[int, int], int]) -> OrderDays:
    return OrderDays(*array([[customer, day, count] for (customer, day), count in sorted(orders.items())]).reshape(-1, 3).T)  # type: ignore[arg-type]


@pytest.mark.spec("C17")
@given(ORDERS, st.integers(1, 200))
def test_the_partition_closes_and_agrees_with_counting_customers_one_by_one(orders: dict[tuple[int, int], int], window: int) -> None:
    days = as_history(orders)
    surely = np.ones(len(days.firsts), bool)
    table = month_partition(partition_counts(days, surely, MONTHS, window, 359), MONTHS, window, 359, -1_000)
    assert (table["new_count"] + table["retained_count"] + table["reactivated_count"] == table["active_count"]).all()
    bridge = table["opening_active_count"] + table["new_count"] + table["reactivated_count"] - table["churned_count"]
    assert (bridge == table["active_count"]).all()
    assert (table["retained_count"] + table["churned_count"] == table["opening_active_count"]).all()
    assert (table["opening_active_count"].iloc[1:].to_numpy() == table["active_count"].iloc[:-1].to_numpy()).all()
    for row in table.itertuples():
        end = int(MONTHS.ends[row.period_number])  # type: ignore[call-overload]
        now = {customer for customer, day in orders if end - window < day <= end}
        then = {customer for customer, day in orders if end - 2 * window < day <= end - window}
        assert row.active_count == len(now)
        assert (row.retention_rate_num, row.retention_rate_den) == (len(now & then), len(then))
    assert table["first_order_count"].sum() == len({customer for customer, _ in orders})
    assert table["active_orders_count"].sum() == sum(orders.values())


@given(ORDERS)
def test_cohorts_part_the_customers_and_agree_with_counting_them_one_by_one(orders: dict[tuple[int, int], int]) -> None:
    days = as_history(orders)
    triangle = cohort_triangle(cohort_counts(days, np.ones(len(days.firsts), bool), MONTHS), MONTHS, 359)
    firsts: dict[int, int] = {}
    for customer, day in sorted(orders):
        firsts.setdefault(customer, day // 30)
    assert triangle.drop_duplicates("cohort_number")["cohort_count"].sum() == len(firsts)
    assert (triangle.loc[triangle["month_number"] == 0, "active_share"] == 1.0).all()
    for cell in triangle.itertuples():
        month = cell.cohort_number + cell.month_number  # type: ignore[operator]
        seen = {customer for customer, day in orders if day // 30 == month and firsts[customer] == cell.cohort_number}
        assert (month >= 12 and cell.null_reason == "not_mature") or cell.active_count == len(seen)
    known = triangle[triangle["null_reason"].isna()]
    assert known.groupby("cohort_number")["cumulative_repeat_count"].apply(lambda counts: counts.is_monotonic_increasing).all()


def _cohorts(history: OrderDays) -> pd.DataFrame:
    return cohort_counts(history, _sure(history), MONTHS)


def _months(history: OrderDays, window: int) -> pd.DataFrame:
    return partition_counts(history, _sure(history), MONTHS, window, 359)


def _sure(history: OrderDays) -> np.ndarray:
    return history.days[history.firsts] > 90


@given(ORDERS, st.integers(1, 200), st.integers(0, 9))
def test_counts_of_parts_of_the_customers_sum_to_the_counts_of_all(orders: dict[tuple[int, int], int], window: int, border: int) -> None:
    parts = [as_history({key: count for key, count in orders.items() if (key[0] < border) is first}) for first in (True, False)]
    whole = as_history(orders)
    months = [_months(part, window).set_index("period_number") for part in (*parts, whole)]
    assert (months[0] + months[1]).equals(months[2])
    cohorts = [_cohorts(part).set_index(["cohort_number", "month_number"]) for part in (*parts, whole)]
    assert cohorts[0].add(cohorts[1], fill_value=0).astype("int64").equals(cohorts[2])
