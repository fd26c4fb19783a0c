"""Laws that hold for every company. Breaks: totals that do not tie, shares that leave their range, customers counted twice."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.metrics import concentration
from dagster_project.metrics.concentration import curve
from dagster_project.metrics.retention import cohort_counts, cohort_triangle, month_partition, order_history, partition_counts
from dagster_project.metrics.roi import LINES, REASONS, Moments, delta_interval, service_roi
from dagster_project.metrics.tiers import tier

CENTS = st.integers(-(10**12), 10**12)
POSITIVE = st.lists(st.integers(0, 10**12), min_size=1, max_size=60).filter(lambda numbers: sum(numbers) > 0)
ANY = st.lists(CENTS, min_size=1, max_size=60)


def array(numbers: list[int]) -> pd.Series:
    return pd.Series(numbers, dtype="int64")


def concentrate(values: pd.Series, top: Decimal = Decimal("0.20")) -> pd.Series:
    return concentration.concentrate(pd.DataFrame({"value": values}), top).loc["value"]


@given(st.lists(st.tuples(CENTS, st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=40))
def test_net_benefit_of_sums_is_the_sum_of_net_benefits(rows: list[tuple[int, int, int]]) -> None:
    value, cost, damage = (array(list(column)) for column in zip(*rows, strict=True))

    def found(*columns: pd.Series) -> pd.DataFrame:
        value, cost, damage = columns
        known = dict.fromkeys(LINES, value) | {"service_cost": cost, "damage": damage}
        lines = {f"{line}_amount": amounts.astype("Int64") for line, amounts in known.items()}
        none = pd.Series(pd.Categorical([None] * len(value), REASONS))
        return service_roi(pd.DataFrame(lines | {f"{line}_null_reason": none for line in LINES}), "zero_cost")

    accounts, company = found(value, cost, damage), found(*(array([int(column.sum())]) for column in (value, cost, damage)))
    benefit = 2 * sum(value.tolist()) - sum(damage.tolist()) - sum(cost.tolist())
    assert int(company["net_benefit_amount"][0]) == int(accounts["net_benefit_amount"].sum()) == benefit
    assert company["roi_null_reason"].isna()[0] == (cost.sum() != 0)
    assert np.isfinite(company["roi_ratio"][0]) == (cost.sum() != 0)


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
    assert 5 * sum(ranked[:needed]) >= 4 * sum(ranked) > 5 * sum(ranked[: needed - 1])
    assert result.customer_share_for_80 <= result.customers_for_80_share + 1e-12


@given(POSITIVE, st.integers(2, 50))
def test_gini_is_between_zero_and_one_and_ignores_order_and_scale(numbers: list[int], scale: int) -> None:
    gini = concentrate(array(numbers)).gini_ratio
    assert 0 <= gini < 1
    assert concentrate(array(numbers[::-1]) * scale).gini_ratio == pytest.approx(gini, abs=1e-12)


@pytest.mark.spec("D29")
@given(POSITIVE)
def test_the_lorenz_curve_rises_stays_under_the_diagonal_and_ends_at_one(numbers: list[int]) -> None:
    drawn = curve(array(numbers))
    lorenz = drawn["lorenz_share"]
    assert lorenz.is_monotonic_increasing
    assert (lorenz <= drawn["customer_share"] + 1e-12).all()
    assert (lorenz.iloc[0], lorenz.iloc[-1]) == (0.0, 1.0)


@given(ANY)
def test_tiers_part_the_customers_by_sign_and_a_holds_its_share(numbers: list[int]) -> None:
    ranked = sorted(numbers, reverse=True)
    positive = array(ranked).clip(lower=0)
    frame = pd.DataFrame({"amount": array(ranked), "positive": positive.cumsum(), "positive_total": positive.sum()})
    letters = tier(frame, Decimal("0.80"), Decimal("0.95"))["account_tier"].tolist()
    assert all((letter == "D") == (value < 0) and (letter == "N") == (value == 0) for letter, value in zip(letters, ranked, strict=True))
    held = sum(value for letter, value in zip(letters, ranked, strict=True) if letter == "A")
    assert 5 * held >= 4 * int(positive.sum())
    assert letters == sorted(letters, key="ABCND".index)


ORDERS = st.dictionaries(st.tuples(st.integers(0, 8), st.integers(0, 359)), st.integers(1, 3), min_size=1, max_size=60)
FIRST_DAY = pd.Timestamp("2025-01-01")
MONTHS = pd.DataFrame({
    "start_date": [FIRST_DAY + pd.Timedelta(days=30 * number) for number in range(12)],
    "end_date": [FIRST_DAY + pd.Timedelta(days=30 * number + 29) for number in range(12)], "is_complete_period": True,
})  # fmt: skip
AS_OF, LONG_AGO = FIRST_DAY + pd.Timedelta(days=359), FIRST_DAY - pd.Timedelta(days=1_000)


def as_history(orders: dict[tuple[int, int], int], window: int = 60, begin: pd.Timestamp = LONG_AGO) -> pd.DataFrame:
    rows = [(customer, FIRST_DAY + pd.Timedelta(days=day), count, pd.NaT) for (customer, day), count in orders.items()]
    frame = pd.DataFrame(rows, columns=["account_id", "order_date", "orders", "created_date"])
    kinds = {"order_date": "datetime64[s]", "created_date": "datetime64[s]", "orders": "int64"}
    return order_history(frame.astype(kinds), MONTHS, window, begin)


@pytest.mark.spec("C17")
@given(ORDERS, st.integers(1, 200))
def test_the_partition_closes_and_agrees_with_counting_customers_one_by_one(orders: dict[tuple[int, int], int], window: int) -> None:
    counts = partition_counts(as_history(orders, window), MONTHS, window, AS_OF)
    table = month_partition(counts, MONTHS, window, AS_OF, LONG_AGO)
    assert (table["new_count"] + table["retained_count"] + table["reactivated_count"] == table["active_count"]).all()
    bridge = table["opening_active_count"] + table["new_count"] + table["reactivated_count"] - table["churned_count"]
    assert (bridge == table["active_count"]).all()
    assert (table["retained_count"] + table["churned_count"] == table["opening_active_count"]).all()
    assert (table["opening_active_count"].iloc[1:].to_numpy() == table["active_count"].iloc[:-1].to_numpy()).all()
    for row in table.itertuples():
        end = 30 * row.month_number + 29  # type: ignore[operator]
        now = {customer for customer, day in orders if end - window < day <= end}
        then = {customer for customer, day in orders if end - 2 * window < day <= end - window}
        assert row.active_count == len(now)
        assert (row.retention_rate_num, row.retention_rate_den) == (len(now & then), len(then))
    assert table["first_order_count"].sum() == len({customer for customer, _ in orders})
    assert table["active_orders_count"].sum() == sum(orders.values())


@given(ORDERS)
def test_cohorts_part_the_customers_and_agree_with_counting_them_one_by_one(orders: dict[tuple[int, int], int]) -> None:
    triangle = cohort_triangle(cohort_counts(as_history(orders)), MONTHS, AS_OF)
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


@given(ORDERS, st.integers(1, 200), st.integers(0, 9))
def test_counts_of_parts_of_the_customers_sum_to_the_counts_of_all(orders: dict[tuple[int, int], int], window: int, border: int) -> None:
    begin = FIRST_DAY + pd.Timedelta(days=30)  # of some customers the first order is not known to be the first ever
    parts = [{key: count for key, count in orders.items() if (key[0] < border) is first} for first in (True, False)]
    histories = [as_history(part, window, begin) for part in (*parts, orders)]
    months = [partition_counts(history, MONTHS, window, AS_OF).set_index("month_number") for history in histories]
    assert (months[0] + months[1]).equals(months[2])
    cohorts = [cohort_counts(history).set_index(["cohort_number", "month_number"]) for history in histories]
    assert cohorts[0].add(cohorts[1], fill_value=0).astype("int64").equals(cohorts[2])
