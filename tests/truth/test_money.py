"""Cost, sales and ROI that the product publishes, against the demo company's truth, to the cent."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from math import ceil
from typing import Any

import pytest

from demo_company.exports.systems import exported_feeds

Judge = Callable[[str], dict[str, Any]]
TRAILING = 12


@pytest.mark.truth("rows")
def test_every_row_of_a_feed_was_loaded_or_superseded(judged: Any) -> None:
    loaded = judged.rows(
        "select stream_name, cast(sum(loaded_count + superseded_count) as bigint) from ops.load_ledger"
        " where system_name = 'canonical' group by 1"
    )
    exported = exported_feeds(judged.systems)
    assert dict(loaded) == {feed: count for feed, count in judged.truth["rows"].items() if feed not in exported}
    assert judged.rows("select distinct system_name from ops.load_ledger order by 1") == [
        (name,) for name in sorted({"canonical", *judged.systems})
    ]
    assert judged.rows("select count(*) from ops.quarantine") == [(0,)]
    assert judged.rows("select count(*) from ops.load_ledger where physical_count <> loaded_count + superseded_count") == [(0,)]


@pytest.mark.truth("cost_cents")
@pytest.mark.parametrize(
    "cost",
    [
        "sum(cost_amount) * 100 from marts.fct_cost_line where is_roi_basis",
        "sum(ledger_amount - out_of_scope_amount) * 100 from marts.mart_cost_reconciliation",
    ],
    ids=["lines", "reconciliation"],
)
def test_the_cost_of_a_month_and_category_is_the_ledgers(judge: Judge, cost: str) -> None:
    assert judge(f"select period_month, cost_category, {cost} group by 1, 2") == {}


@pytest.mark.truth("out_of_scope_cents")
def test_what_is_out_of_scope_is_left_out(judge: Judge) -> None:
    assert judge("select period_month, sum(out_of_scope_amount) * 100 from marts.mart_cost_reconciliation group by 1") == {}


@pytest.mark.truth("pool_cents")
def test_a_pool_holds_what_the_ledger_says(judge: Judge) -> None:
    assert judge("select period_month, pool_id, sum(ledger_amount) * 100 from marts.mart_cost_reconciliation group by 1, 2") == {}


@pytest.mark.truth("allocated_cents")
@pytest.mark.parametrize(
    ("mart", "amount"),
    [
        ("mart_cost_allocation_ticket", "cost_amount"),
        ("mart_cost_allocation_interaction", "cost_amount"),
        ("mart_account_service_month", "service_cost_amount"),
    ],
)
def test_the_cost_in_scope_is_allocated_without_a_cent_left(judge: Judge, mart: str, amount: str) -> None:
    assert judge(f"select period_month, sum({amount}) * 100 from marts.{mart} group by 1") == {}


@pytest.mark.truth("money_cents.gross_sales", "money_cents.credits", "money_cents.net_sales", "money_cents.refunds")
def test_the_accounts_sales_sum_to_the_companys(judge: Judge) -> None:
    differences = judge(
        "select period_month, sum(gross_sales_amount) * 100, sum(credit_amount) * 100, sum(net_revenue_amount + refund_amount) * 100,"
        " sum(refund_amount) * 100 from marts.mart_account_sales_month group by 1"
    )
    assert differences == {}


@pytest.mark.truth("money_cents.refunds", "money_cents.recovered_goods")
def test_a_refund_is_what_was_paid_back_and_what_came_back_on_the_shelf(judge: Judge) -> None:
    differences = judge(
        "select period_month, sum(refund_amount) * 100, sum(cost_recovered_amount) * 100 from marts.fct_refund where is_counted group by 1"
    )
    assert differences == {}


@pytest.mark.truth("money_cents.net_sales", "money_cents.cost_of_goods")
def test_the_lines_of_counted_orders_sum_to_sales_and_cost_of_goods(judge: Judge) -> None:
    differences = judge(
        "select period_month, sum(net_amount) * 100, sum(cost_amount) * 100 from marts.fct_order_line_net where is_counted group by 1"
    )
    assert differences == {}


def test_margin_per_service_cost_is_made_of_true_cents(judged: Any) -> None:
    money, cost = judged.truth["money_cents"], list(judged.true("allocated_cents").values())
    margin = [of["net_sales"] - of["cost_of_goods"] - of["refunds"] + of["recovered_goods"] for of in money.values()]

    def trailing(values: list[int]) -> list[int]:
        return [sum(values[max(end - TRAILING, 0) : end]) for end in range(1, len(values) + 1)]

    for kind, margins, costs in (("month", margin, cost), ("trailing_12", trailing(margin), trailing(cost))):
        published = judged.rows(
            "select strftime(period_month, '%Y-%m'),"
            " cast(margin_per_service_cost_num * 100 as bigint), cast(margin_per_service_cost_den * 100 as bigint)"
            f" from analytics.mart_service_roi_month where window_kind = '{kind}' order by 1"
        )
        assert published == [(month, gained, spent) for month, gained, spent in zip(money, margins, costs, strict=True)]


def test_the_tiers_are_those_of_a_ranking_by_hand(judged: Any) -> None:
    """Best accounts first: A until its share of all positive value is reached, then B, then C; D is negative, N is nothing."""
    movements = judged.rows(
        "select account_id, period_month, cast(contribution_margin_amount * 100 as bigint) from marts.mart_account_sales_month"
        " union all select account_id, period_month, -cast(service_cost_amount * 100 as bigint) from marts.mart_account_service_month"
    )
    nobody = {account for (account,) in judged.rows("select account_id from marts.dim_account where is_pseudo")}
    ((share_a, share_b),) = judged.rows("select tier_a_share, tier_b_share from ops.run_parameters")
    months = [month for (month,) in judged.rows("select period_month from marts.dim_period where is_complete_period order by 1")]
    expected = {}
    for position, end in enumerate(months):
        begin = months[max(position + 1 - TRAILING, 0)]
        values: dict[str, int] = {}
        for account, month, amount in movements:
            if month <= end and account not in nobody:
                values[account] = values.get(account, 0) + (amount if month >= begin else 0)
        ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))
        positive = [max(value, 0) for _, value in ranked]
        before, total = [0, *accumulate(positive)], sum(positive)
        for (account, value), so_far in zip(ranked, before, strict=False):
            tier = "A" if so_far < ceil(share_a * total) else "B" if so_far < ceil(share_b * total) else "C"
            expected[account, end] = (value, tier if value > 0 else "D" if value < 0 else "N")
    published = judged.rows(
        "select account_id, period_month, cast(tier_amount * 100 as bigint), account_tier from analytics.mart_account_tier"
    )
    assert {(account, month): (value, tier) for account, month, value, tier in published} == expected
    assert {tier for _, tier in expected.values()} >= {"A", "B", "C", "D"}
