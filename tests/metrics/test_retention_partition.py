"""Retention on worked examples. Breaks: new, lost and returned customers, and every cohort reading."""

import numpy as np
import pandas as pd
import pytest

from dagster_project.metrics.retention import OrderDays, Periods, cohort_counts, cohort_triangle, month_partition, partition_counts

# Ten months of thirty days: month k is days 30k .. 30k + 29; a customer is active for 60 days.
MONTHS = Periods(np.arange(10) * 30, np.arange(10) * 30 + 29, np.arange(10) < 9)
WINDOW, AS_OF = 60, 279


def history(orders: dict[int, list[int]]) -> OrderDays:
    """Orders as customer -> days; a day named twice carries two orders."""
    rows = [(customer, day, days.count(day)) for customer, days in sorted(orders.items()) for day in sorted(set(days))]
    return OrderDays(*np.array(rows, np.int64).reshape(-1, 3).T)


def partition(orders: dict[int, list[int]], as_of: int = AS_OF) -> pd.DataFrame:
    return month_partition(partition_counts(history(orders), MONTHS, WINDOW, as_of), MONTHS)


def cohorts(orders: dict[int, list[int]]) -> pd.DataFrame:
    return cohort_triangle(cohort_counts(history(orders), MONTHS), MONTHS, AS_OF)


# 0 buys every month; 1 once; 2 leaves and returns after a long silence; 3 starts with two orders on one day.
ORDERS = {0: [5, 35, 65, 95, 125, 155, 185, 215, 245, 275], 1: [10], 2: [20, 200], 3: [70, 70]}


@pytest.fixture(scope="module")
def months() -> pd.DataFrame:
    return partition(ORDERS)


@pytest.mark.spec("C17")
def test_each_month_is_parted_into_new_retained_reactivated_and_churned(months: pd.DataFrame) -> None:
    part = months[["opening_active_count", "new_count", "retained_count", "reactivated_count", "churned_count", "active_count"]]
    # Customer 1 ordered on day 10: active through day 69, so lost in month 2 (ends on day 89); customer 2 on day 20 likewise.
    assert part.head(8).to_numpy().tolist() == [
        [0, 3, 0, 0, 0, 3],
        [3, 0, 3, 0, 0, 3],
        [3, 1, 1, 0, 2, 2],
        [2, 0, 2, 0, 0, 2],
        [2, 0, 1, 0, 1, 1],
        [1, 0, 1, 0, 0, 1],
        [1, 0, 1, 1, 0, 2],
        [2, 0, 2, 0, 0, 2],
    ]


@pytest.mark.spec("C17")
def test_retention_compares_with_who_was_active_one_window_ago_and_waits_for_history(months: pd.DataFrame) -> None:
    # Month 2 ends on day 89; on day 29 three were active, and of them only customer 0 still is.
    third = months.iloc[2]
    assert (third["retention_rate_num"], third["retention_rate_den"], third["retention_rate"]) == (1, 3, pytest.approx(1 / 3))
    assert months["retention_null_reason"].fillna("").tolist()[:3] == ["not_mature", "not_mature", ""]
    assert np.isnan(months["retention_rate"].iloc[0])


def test_retention_without_anyone_to_retain_is_null_with_its_reason() -> None:
    lonely = partition({0: [5], 1: [275]})
    assert lonely["retention_null_reason"].iloc[-1] == "zero_denominator"
    assert np.isnan(lonely["retention_rate"].iloc[-1])


def test_who_ordered_on_the_first_day_of_the_window_is_no_longer_active_and_a_day_later_is() -> None:
    two = history({0: [29], 1: [30]})
    assert two.active(89, WINDOW).tolist() == [False, True]
    assert two.active(28, WINDOW).tolist() == [False, False]


@pytest.mark.spec("C18")
def test_a_first_order_is_never_a_repeat_order(months: pd.DataFrame) -> None:
    assert months["first_order_count"].tolist() == [3, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    # Month 2: customer 0 orders again, customer 3 orders twice for the first time: one of the two is a repeat.
    assert months["repeat_order_count"].tolist() == [0, 1, 2, 1, 1, 1, 2, 1, 1, 1]
    assert months["repeat_order_count"].sum() == months["orders_count"].sum() - len(ORDERS)


@pytest.mark.spec("C18")
def test_repeat_purchase_rate_divides_who_bought_twice_by_who_bought(months: pd.DataFrame) -> None:
    third = months.iloc[2]
    assert (third["repeat_purchase_rate_num"], third["repeat_purchase_rate_den"]) == (1, 2)
    last = months.iloc[-1]
    assert last["repeat_to_date_rate"] == pytest.approx(3 / 4)
    assert last["repeat_days_to_date_rate"] == pytest.approx(2 / 4)


def test_the_running_month_is_read_at_the_watermark_and_marked(months: pd.DataFrame) -> None:
    assert months["is_complete_period"].tolist() == [True] * 9 + [False]
    # Customer 2 ordered on day 200: active through day 259, lost at day 279; read at day 250 instead, still there.
    assert months.iloc[-1]["active_count"] == 1
    assert partition(ORDERS, as_of=250).iloc[-1]["active_count"] == 2


def test_cohort_cells_count_who_came_back_and_stay_empty_after_the_watermark() -> None:
    triangle = cohorts(ORDERS).set_index(["cohort_number", "month_number"])
    first = triangle.loc[0]
    assert first["cohort_count"].unique().tolist() == [3]
    assert first["active_count"].tolist() == [3, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    assert first["active_share"].iloc[0] == 1.0
    assert first["cumulative_repeat_count"].tolist() == [0, 1, 1, 1, 1, 1, 2, 2, 2, 2]
    third = triangle.loc[2]
    assert third["cumulative_repeat_share"].iloc[0] == 1.0
    assert third["active_count"].tolist()[:8] == [1, 0, 0, 0, 0, 0, 0, 0]
    assert third["active_count"].isna().tolist() == [False] * 8 + [True] * 2
    assert third["active_share"].isna().tolist() == [False] * 8 + [True] * 2
    assert third["null_reason"].fillna("").tolist() == [""] * 8 + ["not_mature"] * 2
    assert first["is_complete_period"].tolist() == [True] * 9 + [False]


def test_unsorted_or_repeated_order_days_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted by customer and day"):
        OrderDays(np.array([0, 0]), np.array([5, 5]), np.array([1, 1]))


def test_no_orders_give_empty_tables_with_their_columns() -> None:
    assert list(partition({}).columns) == list(partition(ORDERS).columns)
    assert list(cohorts({}).columns) == list(cohorts(ORDERS).columns)
    assert (len(partition({})), len(cohorts({}))) == (0, 0)
