"""Tickets, contacts, orders and customers that the product counts, against the demo company's truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

Judge = Callable[[str], dict[str, Any]]


@pytest.mark.truth("counts.tickets_created", "counts.complaints", "counts.problem_reports")
def test_a_ticket_counts_in_the_month_of_its_creation_also_when_merged_deleted_or_spam(judge: Judge) -> None:
    differences = judge(
        "select period_month, count(*), count(*) filter (where is_complaint), count(*) filter (where is_problem_report)"
        " from marts.fct_ticket group by 1"
    )
    assert differences == {}


@pytest.mark.truth("counts.tickets_solved", "counts.interactions", "counts.calls")
def test_the_accounts_service_sums_to_the_companys(judge: Judge) -> None:
    """The truth knows every contact; those on deleted tickets are in no volume (decision 31) and are added here."""
    differences = judge("""
        with set_aside as (
            select period_month, count(*) as contacts_count, count(*) filter (where channel = 'phone') as calls_count
            from marts.fct_interaction where not is_deleted and not is_counted group by 1
        )
        select
            service.period_month, sum(tickets_solved_count), sum(service.contacts_count) + coalesce(any_value(set_aside.contacts_count), 0),
            sum(service.calls_count) + coalesce(any_value(set_aside.calls_count), 0)
        from marts.mart_account_service_month as service left join set_aside on service.period_month = set_aside.period_month group by 1
    """)
    assert differences == {}


@pytest.mark.truth("counts.queued", "counts.abandoned", "counts.answered_within_20_seconds")
def test_a_queue_counts_who_came_who_left_and_who_was_answered_in_time(judge: Judge) -> None:
    """The truth knows every contact; those on deleted tickets are in no half hour (decision 31) and are added here."""
    differences = judge("""
        with set_aside as (
            select period_month, count(*) as offered, count(*) filter (where queue_outcome = 'abandoned') as abandoned,
                count(*) filter (where queue_outcome = 'answered' and wait_seconds <= 20) as within
            from marts.fct_interaction where queue_outcome is not null and not is_counted group by 1
        )
        select
            queues.period_month, sum(offered_count) + coalesce(any_value(offered), 0),
            sum(abandoned_count) + coalesce(any_value(abandoned), 0), sum(answered_within_count) + coalesce(any_value(within), 0)
        from marts.mart_queue_interval as queues left join set_aside on queues.period_month = set_aside.period_month
        where queues.is_counted group by 1
    """)
    assert differences == {}


@pytest.mark.truth("counts.handled")
def test_an_answered_contact_was_handled(judge: Judge) -> None:
    assert judge("select period_month, count(*) from marts.fct_interaction where is_handled group by 1") == {}


@pytest.mark.truth("counts.invited", "counts.invitations_delivered", "counts.answered")
def test_who_was_asked_in_a_month_and_answered(judge: Judge) -> None:
    differences = judge(
        "select period_month, count(*) filter (is_asked), count(*) filter (is_delivered), count(*) filter (is_answered)"
        " from marts.fct_survey_invitation group by 1"
    )
    assert differences == {}


@pytest.mark.parametrize(
    ("table", "column", "of"),
    [
        ("fct_order", "interaction_id", "fct_interaction"),
        ("fct_ticket", "order_id", "fct_order"),
        ("fct_interaction", "ticket_id", "fct_ticket"),
        ("fct_survey_response", "ticket_id", "fct_ticket"),
    ],
)
def test_what_names_a_row_of_another_table_finds_it(judged: Any, table: str, column: str, of: str) -> None:
    ((named, lost),) = judged.rows(
        f"select count({column}), count(*) filter (where {column} not in (select {column} from marts.{of})) from marts.{table}"
    )
    assert (named > 0, lost) == (True, 0)


def test_accepted_offers_are_found_in_orders(judged: Any) -> None:
    """Most orders that name an offer come inside its window; none is found where ids of two systems do not meet."""
    ((named, accepted),) = judged.rows(
        "select count(*), count(*) filter (where is_accepted_offer) from marts.fct_order where offer_id is not null"
    )
    assert named >= accepted > 0.75 * named


@pytest.mark.truth("counts.offer_orders")
def test_an_order_out_of_an_offer_is_known(judge: Judge) -> None:
    assert judge("select period_month, count(*) from marts.fct_order where offer_id is not null group by 1") == {}


@pytest.mark.truth("counts.ordering_accounts")
def test_an_account_that_bought_orders_in_that_month(judge: Judge) -> None:
    assert judge("select period_month, count(*) from marts.mart_account_sales_month where orders_count > 0 group by 1") == {}


@pytest.mark.truth("counts.new_accounts")
def test_an_account_is_new_in_the_month_of_its_first_sale(judge: Judge) -> None:
    differences = judge(
        "with first as (select min_by(period_month, order_date) as period_month from marts.fct_order_line_net"
        " where is_counted and is_gross_sale group by account_id) select period_month, count(*) from first group by 1"
    )
    assert differences == {}


@pytest.mark.truth(
    "retention.opening_active", "retention.new", "retention.retained", "retention.reactivated", "retention.churned", "retention.active"
)
def test_customers_are_won_kept_and_lost_as_it_was_once_a_year_of_orders_is_before(judge: Judge, judged: Any) -> None:
    """The truth of the first year knows no orders from before it either: the product says that it does not know."""
    names = ("opening_active_count", "new_count", "retained_count", "reactivated_count", "churned_count", "active_count")
    differences = judge(f"select period_month, {', '.join(names)} from analytics.mart_retention_month")
    (years_end,) = judged.rows("select min(order_date) + 365 from marts.fct_order where is_counted")[0]
    assert {month for month in differences if date(*map(int, month.split("-")), 1) >= years_end} == set()
    unknown = judged.rows("select period_month, active_null_reason, active_count from analytics.mart_retention_month order by 1")
    assert [(reason, count is None) for month, reason, count in unknown] == [
        ("not_mature", True) if month < years_end else (None, False) for month, _, _ in unknown
    ]
