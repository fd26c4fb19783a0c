"""Retention on worked examples. Breaks: new, lost and returned customers, and every cohort reading."""

import numpy as np
import pandas as pd
import pytest

from dagster_project.metrics.retention import MOVEMENT, cohort_counts, cohort_triangle, month_partition, order_history, partition_counts

FIRST_DAY = pd.Timestamp("2025-01-01")
WINDOW, AS_OF = 60, 279


def on(day: int | None) -> pd.Timestamp:
    """Day 0 is the first of January 2025."""
    return pd.NaT if day is None else FIRST_DAY + pd.Timedelta(days=day)  # type: ignore[return-value]


def thirty_days(first: int, last: int) -> pd.DataFrame:
    """Months of thirty days: month k is days 30k .. 30k + 29, all over but the last."""
    numbers = range(first, last)
    return pd.DataFrame({
        "start_date": [on(30 * number) for number in numbers], "end_date": [on(30 * number + 29) for number in numbers],
        "is_complete_period": [number < last - 1 for number in numbers],
    })  # fmt: skip


MONTHS = thirty_days(0, 10)  # a customer is active for 60 days


def order_days(orders: dict[int, list[int]], created: dict[int, int] | None = None) -> pd.DataFrame:
    """Orders as customer -> days; a day named twice carries two orders."""
    rows = [
        (customer, on(day), days.count(day), on((created or {}).get(customer)))
        for customer, days in orders.items()
        for day in sorted(set(days))
    ]
    frame = pd.DataFrame(rows, columns=["account_id", "order_date", "orders", "created_date"])
    return frame.astype({"order_date": "datetime64[s]", "created_date": "datetime64[s]", "orders": "int64"})


def partition(
    orders: dict[int, list[int]],
    as_of: int = AS_OF,
    begin: int = -120,
    created: dict[int, int] | None = None,
    months: pd.DataFrame = MONTHS,
) -> pd.DataFrame:
    """Orders were delivered from day `begin` on: by default two windows before the first month, in which nobody ordered."""
    history = order_history(order_days(orders, created), months, WINDOW, on(begin))
    return month_partition(partition_counts(history, months, WINDOW, on(as_of)), months, WINDOW, on(as_of), on(begin))


def cohorts(orders: dict[int, list[int]], unsure: tuple[int, ...] = ()) -> pd.DataFrame:
    history = order_history(order_days(orders), MONTHS, WINDOW, on(-120))
    customers = history["customer"].map(dict(enumerate(orders)))
    history["is_first_ever"] = history["is_first"] & ~customers.isin(unsure)
    return cohort_triangle(cohort_counts(history), MONTHS, on(AS_OF))


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
def test_retention_compares_with_who_was_active_one_window_ago(months: pd.DataFrame) -> None:
    # Month 2 ends on day 89; on day 29 three were active, and of them only customer 0 still is.
    third = months.iloc[2]
    assert (third["retention_rate_num"], third["retention_rate_den"], third["retention_rate"]) == (1, 3, pytest.approx(1 / 3))
    # Of the same three, active in the 90 days up to day 29: on day 119 customer 0 alone.
    fourth = months.iloc[3]
    assert (fourth["retention_90_rate_num"], fourth["retention_90_rate_den"]) == (1, 3)


@pytest.mark.parametrize(("begin", "first_mature_month"), [(0, 3), (1, 4), (-30, 2), (-31, 2), (-29, 3)])
def test_retention_waits_until_the_orders_reach_back_two_windows(begin: int, first_mature_month: int) -> None:
    """Two windows are 120 days, the first and the last included."""
    young = partition(ORDERS, begin=begin)
    assert young["retention_null_reason"].fillna("").tolist()[:5] == ["not_mature"] * first_mature_month + [""] * (5 - first_mature_month)
    for column in ("retention_rate", "retention_rate_num", "retention_rate_den"):
        assert young[column].isna().tolist()[:5] == [True] * first_mature_month + [False] * (5 - first_mature_month)


def test_a_history_cut_short_says_nothing_else_than_the_whole_one() -> None:
    """Anyone who delivers the last months only gets the same figures or none. Who was silent for a window before counts as new, though."""
    random = np.random.default_rng(7)
    long = {customer: sorted(random.integers(-400, 280, size=random.integers(1, 9)).tolist()) for customer in range(60)}
    short = {customer: kept for customer, days in long.items() if (kept := [day for day in days if day >= 0])}

    def read(orders: dict[int, list[int]], begin: int) -> pd.DataFrame:
        table = partition(orders, begin=begin, months=thirty_days(-15, 10)).set_index("month_number")
        return table.assign(gained=table.eval("new_count + reactivated_count"))

    whole, part = read(long, -10_000), read(short, 0)
    for column in (*(f"{name}_count" for name in MOVEMENT if name != "reactivated"), "gained", "retention_rate", "retention_90_rate"):
        said = part[column].dropna()
        assert 3 <= len(said) < 10
        assert said.astype(float).tolist() == whole.loc[said.index, column].astype(float).tolist(), column


def test_who_may_have_ordered_before_the_history_is_not_called_new() -> None:
    """Customer 0's account is older than the history, 1's was made within it, 2 has no account and came a complete window later."""
    young = partition({0: [5], 1: [35], 2: [95]}, begin=0, created={0: -500, 1: 30})
    assert young["new_null_reason"].fillna("").tolist() == ["not_mature"] + [""] * 9
    for column in ("new_count", "first_order_count"):
        assert young[column].fillna(-1).tolist() == [-1, 1, 0, 1, 0, 0, 0, 0, 0, 0]
    # Two whole months lie before month 2: who was active when it began is known from there on.
    assert young["active_null_reason"].fillna("").tolist() == ["not_mature"] * 2 + [""] * 8
    assert young["opening_active_count"].isna().tolist() == [True] * 2 + [False] * 8
    # An account that was made after its own first order says nothing.
    assert partition({0: [5], 1: [35]}, begin=0, created={1: 50})["new_null_reason"].fillna("").tolist()[1] == "not_mature"


def test_who_lapsed_and_returned_within_one_month_was_lost_and_won_back() -> None:
    # Customer 0 ordered on day 5 and lapsed on day 65; back on day 80, in the same month 2. Customer 1's gap is the window: no lapse.
    back = partition({0: [5, 80], 1: [5, 65]}).iloc[2]
    names = ("opening_active", "new", "retained", "reactivated", "churned", "active")
    assert [back[f"{name}_count"] for name in names] == [2, 0, 1, 1, 1, 2]


def test_retention_without_anyone_to_retain_is_null_with_its_reason() -> None:
    lonely = partition({0: [5], 1: [275]})
    assert lonely["retention_null_reason"].iloc[-1] == "zero_denominator"
    assert np.isnan(lonely["retention_rate"].iloc[-1])


def test_who_ordered_on_the_first_day_of_the_window_is_no_longer_active_and_a_day_later_is() -> None:
    # Month 2 ends on day 89, 60 days after day 29.
    assert partition({0: [29]}).iloc[2]["active_count"] == 0
    assert partition({0: [29], 1: [30]})["active_count"].tolist()[:4] == [1, 2, 1, 0]


@pytest.mark.spec("C18")
def test_a_first_order_is_never_a_repeat_order(months: pd.DataFrame) -> None:
    assert months["first_order_count"].tolist() == [3, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    # Month 2: customer 0 orders again, customer 3 orders twice for the first time: one of the two is a repeat.
    assert months["repeat_order_count"].tolist() == [0, 1, 2, 1, 1, 1, 2, 1, 1, 1]
    assert months["repeat_order_count"].sum() == months["active_orders_count"].sum() - len(ORDERS)


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


def test_a_cohort_with_a_customer_who_may_have_ordered_before_is_not_known() -> None:
    triangle = cohorts(ORDERS, unsure=(2,)).set_index("cohort_number")
    assert triangle.loc[0, "null_reason"].tolist() == ["not_mature"] * 10
    assert triangle.loc[0, ["cohort_count", "active_count", "active_share", "cumulative_repeat_count"]].isna().to_numpy().all()
    assert triangle.loc[2, "cohort_count"].tolist() == [1] * 10


def test_days_come_in_any_order_and_repeated_ones_are_refused() -> None:
    days = order_days(ORDERS)
    shuffled = days.sample(frac=1, random_state=3).sort_values("account_id", kind="stable", ignore_index=True)
    assert order_history(shuffled, MONTHS, WINDOW, on(-120)).equals(order_history(days, MONTHS, WINDOW, on(-120)))
    with pytest.raises(ValueError, match="without repeats"):
        order_history(pd.concat([days, days]), MONTHS, WINDOW, on(-120))


def test_no_orders_give_empty_tables_with_their_columns() -> None:
    assert list(partition({}).columns) == list(partition(ORDERS).columns)
    assert list(cohorts({}).columns) == list(cohorts(ORDERS).columns)
    assert (len(partition({})), len(cohorts({}))) == (0, 0)
