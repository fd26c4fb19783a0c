"""Service of accounts by month and the 360 view, reckoned by hand on the company that has every feed."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

WHOLE = runpy.run_path(str(Path(__file__).with_name("company_rows.py")))["WHOLE"]  # tests are no package, so no import
JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
Connection = duckdb.DuckDBPyConnection


def test_a_contact_of_an_unknown_account_hides_nothing(quick: Callable[..., Connection]) -> None:
    """Contact c9 is of an account that nobody lists: what it takes part in belongs to whom the ticket or the order says."""
    at = "2025-01-10T10:00:00+00"
    connection = quick({
        "accounts": [{"account_id": "a"}],
        "contacts": [{"contact_id": "c9", "account_id": "NOPE"}, {"contact_id": "c1", "account_id": "a"}],
        "tickets": [{"ticket_id": "T", "account_id": "a", "created_at": at, "ticket_state": "open"},
                    {"ticket_id": "C", "contact_id": "c9", "created_at": at, "ticket_state": "open"}],
        "interactions": [{"interaction_id": "I", "contact_id": "c9", "ticket_id": "T", "started_at": at, "channel": "phone"},
                         {"interaction_id": "J", "contact_id": "c9", "ticket_id": "C", "started_at": at, "channel": "phone"},
                         {"interaction_id": "K", "contact_id": "c1", "ticket_id": "C", "started_at": at, "channel": "phone"}],
        "orders": [{"order_id": "O", "account_id": "a", "ordered_at": at, "currency_code": "EUR"}],
        "survey_responses": [{"response_id": "R", "question_key": "q", "contact_id": "c9", "ticket_id": "T", "responded_at": at},
                             {"response_id": "S", "question_key": "q", "contact_id": "c9", "order_id": "O", "responded_at": at}],
    })  # fmt: skip
    rows = connection.execute("""
        select interaction_id, account_id from marts.fct_interaction union all select ticket_id, account_id from marts.fct_ticket
        union all select response_id, account_id from marts.fct_survey_response""").fetchall()
    assert dict(rows) == {"I": "a", "J": "ACCOUNT_UNKNOWN", "K": "a", "T": "a", "C": "ACCOUNT_UNKNOWN", "R": "a", "S": "a"}


@pytest.mark.parametrize("known", [True, False])
def test_answers_on_four_scales_stand_side_by_side(quick: Callable[..., Connection], known: bool) -> None:
    """Zendesk's 0 to 1, Intercom's 1 to 5, Freshdesk's -3 to 3 and a percentage; one system that does not name its scale adds nothing."""
    scales = [(0, 1, "1"), (1, 5, "2"), (-3, 3, "-3"), (0, 100, "95")] if known else []
    answers = [{"scale_min": low, "scale_max": high, "score": score} for low, high, score in scales] + [{"score": "8"}]
    rows = [{"response_id": f"R{n}", "question_key": "q", "survey_metric": "csat", "account_id": "a",
             "responded_at": f"2025-01-{20 - n} 10:00:00+00", **answer} for n, answer in enumerate(answers)]  # fmt: skip
    connection = quick({"accounts": [{"account_id": "a"}], "survey_responses": rows}, latest_delivery_date="2025-02-01")
    assert connection.execute(
        "select csat_num, csat_response_count, csat_unscaled_count from marts.mart_account_service_month"
    ).fetchall() == [(2, 4, 1) if known else (0, 0, 1)]
    # (1 + 0.25 + 0 + 0.95) / 4
    (found,) = connection.execute("""
        select csat_mean_365_share, csat_mean_365_null_reason, csat_latest_share, csat_latest_null_reason
        from marts.mart_customer_360 where account_id = 'a'""").fetchall()
    assert found == ((Decimal("0.5500"), None, Decimal("1.0000"), None) if known else (None, "scale_unknown", None, "scale_unknown"))


def test_service_months_count_what_happened_where(whole: Connection) -> None:
    row = whole.execute(
        "select contacts_count, calls_count, tickets_created_count, tickets_solved_count, handle_seconds, "
        "service_cost_amount, csat_num, csat_response_count, null_reason "
        "from marts.mart_account_service_month where account_id = 'a' and period_month = ?",
        [JANUARY],
    ).fetchone()
    assert row == (7, 7, 6, 6, 201 * 60, Decimal("10000.00"), 2, 3, None)


def test_categories_of_an_account_add_up_to_its_service_cost(whole: Connection) -> None:
    rows = whole.execute(
        "select service_cost_amount, people_cost_amount + it_cost_amount + facilities_cost_amount + other_cost_amount "
        "from marts.mart_account_service_month"
    ).fetchall()
    assert len(rows) > 5
    assert all(total == parts for total, parts in rows)


def test_the_comment_is_measured_and_never_kept(whole: Connection) -> None:
    columns = {row[0] for row in whole.execute("describe marts.fct_survey_response").fetchall()}
    assert "comment" not in columns
    assert whole.execute("select has_comment, comment_character_count from marts.fct_survey_response order by response_id").fetchall() == [
        (True, 4),
        (False, 0),
        (False, 0),
        (False, 0),
    ]


def test_the_customer_view_is_as_of_the_watermark(quick: Callable[..., Connection]) -> None:
    rows = WHOLE
    early = {**rows["ledger_actuals"][0], "journal_id": "A YEAR AGO", "fiscal_period": "2024-03"}
    company = quick({**rows, "ledger_actuals": [*rows["ledger_actuals"], early]}, latest_delivery_date="2025-03-31")
    row = company.execute(
        "select as_of_date, first_order_date, orders_count, order_gap_median_days, contacts_count, tickets_open_count, "
        "complaints_365_count, complaints_365_null_reason, csat_latest_share, nps_latest_score, "
        "cost_to_serve_365_amount, payment_amount from marts.mart_customer_360 where account_id = 'a'"
    ).fetchone()
    assert row is not None
    assert row[:6] == (date(2025, 3, 28), date(2025, 1, 5), 2, Decimal("31.0"), 8, 0)
    assert row[6:10] == (None, "not_mature", Decimal("1.0000"), Decimal("9.0000"))
    cost = company.execute(
        "select sum(service_cost_amount) from marts.mart_account_service_month where account_id = 'a' and period_month < date '2025-03-01'"
    ).fetchone()
    assert cost is not None
    assert row[10] == cost[0]  # March is not over on the 28th
    assert row[11] == Decimal("101.50")


def test_a_month_is_complete_when_the_data_reach_its_last_day(whole: Connection) -> None:
    rows = whole.execute(
        "select period_month, is_complete_period from marts.dim_period where period_month between date "
        "'2025-01-01' and date '2025-03-01' order by 1"
    ).fetchall()
    assert rows == [(JANUARY, True), (FEBRUARY, True), (MARCH, False)]


def test_a_count_of_orders_means_the_same_in_every_table(whole: Connection) -> None:
    """An order that sold something, each once: by month, by customer and among the facts."""
    ((tables, counts),) = whole.execute("""
        select list(table_name order by table_name), count(*) from duckdb_columns()
        where database_name = current_database() and schema_name = 'marts' and column_name = 'orders_count'""").fetchall()
    sold = whole.execute("select count(distinct order_key) from marts.fct_order_line_net where is_counted and is_gross_sale").fetchone()
    assert (tables, counts) == (["mart_account_sales_month", "mart_customer_360"], 2)
    for table in tables:
        assert whole.execute(f"select sum(orders_count) from marts.{table}").fetchone() == sold, table
