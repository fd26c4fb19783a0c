"""Each singular test of the dbt project passes on a good company and names rows on a broken one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.transform import project

REPORTING = {
    "assert_metric_figures_are_named_once_and_known_or_explained",  # held by test_metric_table.py
    "assert_small_customers_keep_their_floor",  # held by test_standards.py
}
TESTS = sorted(file for file in (project.DBT_DIR / "tests").glob("assert_*.sql") if file.stem not in REPORTING)
BREAKS = {
    "assert_account_totals_tie": "delete from marts.mart_account_sales_month where account_id = 'a'",
    "assert_agent_days_have_24_hours": "update marts.fct_agent_day set is_time_overlapping = true",
    "assert_agent_time_adds_up": "update marts.fct_agent_day set paid_seconds = paid_seconds + 1",
    "assert_amounts_have_a_rate": "update marts.fct_payment set is_fx_missing = true",
    "assert_contacts_end_within_a_shift": "update marts.fct_interaction set is_handle_time_limited = true where interaction_id = 'C7'",
    "assert_events_are_before_the_latest_delivery": "update marts.fct_order set order_date = date '2099-01-01' where order_id = "
    "(select min(order_id) from marts.fct_order)",
    "assert_keys_of_the_company_come_from_one_system": "insert into staging.stg_tickets select * replace ('shop' as source_system, "
    "'' as key_scope, true as is_overruled) from staging.stg_tickets limit 1",
    "assert_ids_of_several_systems_are_meant": "update staging.stg_accounts set is_overruled = true where account_id = 'a'",
    "assert_lines_add_up_to_their_order": "update staging.stg_orders set net_amount = 0.01 where order_id = (select "
    "min(order_id) from marts.fct_order_line_net where is_counted)",
    "assert_merged_accounts_move_and_add_nothing": "insert into marts.fct_order select * from marts.fct_order limit 1",
    "assert_merge_chains_end": "update marts.dim_account set is_merge_broken = true where account_id = 'a'",
    "assert_no_order_differs_much_from_its_lines": "update staging.stg_orders set net_amount = 99999.00 where order_id = (select "
    "min(order_id) from marts.fct_order_line_net where is_counted)",
    "assert_no_refund_exceeds_its_order_by_much": "update marts.fct_refund set transaction_refund_amount = 99999.00 where not is_orphan",
    "assert_ticket_intervals_add_up": "update marts.fct_ticket_interval set calendar_seconds = calendar_seconds + 1",
    "assert_rates_stay_near_their_neighbours": "update staging.stg_fx_rates set exchange_rate = 90 where rate_type = 'closing'",
    "assert_queue_intervals_agree_with_calls": "insert into marts.mart_queue_interval select * replace ('intervals' as interval_source, "
    "offered_count + 1 as offered_count, false as is_counted) from marts.mart_queue_interval limit 1",
    "assert_queue_outcomes_add_up": "update marts.mart_queue_interval set answered_count = answered_count + 1",
    "assert_goals_cover_all_families": "delete from marts.dim_standard where goal_kind = 'cut_cost'",
    "assert_refunds_stay_within_their_order": "update marts.fct_refund set returned_quantity = 1000000 where line_id is not null",
    "assert_payments_share_the_currency_of_their_order": "update marts.fct_payment set is_currency_mixed = true where payment_id = 'P1'",
    "assert_allocation_ties_to_cost_lines": "update intermediate.int_cost__unit_allocated set cost_minor = cost_minor + "
    "1 where unit_number = (select min(unit_number) from intermediate.int_cost__unit_allocated)",
    "assert_budget_variance_ties": "update marts.mart_budget_variance set budget_amount = budget_amount + 0.01 where is_in_force",
    "assert_capacity_cost_ties": "update marts.mart_capacity_cost set unused_amount = unused_amount + 0.01",
    "assert_cost_lines_have_a_month": "update marts.fct_cost_line set period_month = null where cost_source = 'budget'",
    "assert_cost_reconciles": "update marts.mart_cost_reconciliation set difference_amount = 0.01 where pool_id = 'it'",
    "assert_surveys_follow_their_contact": "update marts.fct_survey_invitation set "
    "lag_null_reason = 'before_contact_ended' where invitation_id = 'V1'",
    "assert_answers_find_their_invitation": "update staging.stg_survey_responses set invitation_id = 'NEVER' where response_id = 'S0'",
    "assert_facts_find_their_dimensions": "delete from marts.dim_account where account_id = 'b'",
}
FOUND = {
    "assert_amounts_have_a_rate": {"ledger|primary|J2024-12|1", "YEN/1"},
    "assert_merge_chains_end": {"X1", "X2"},
}
"""What the tests of severity warn find in the good company: keys in the second column."""


def test_every_singular_test_has_a_fault_that_it_must_find() -> None:
    silent = sorted({file.stem for file in TESTS} - BREAKS.keys())
    assert silent == [], f"write into BREAKS a statement that breaks a good company so that {', '.join(silent)} must find it"
    assert sorted(BREAKS) == [file.stem for file in TESTS]


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_the_guard_passes_on_good_data_and_fails_on_broken_data(
    file: Path, whole_file: Path, render: Callable[[str], str], tmp_path: Path
) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(whole_file, copy)
    sql = render(file.read_text(encoding="utf-8"))
    with duckdb.connect(str(copy)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(sql).fetchall()
        assert {row[1] for row in found} == FOUND.get(file.stem, set())
        connection.execute(BREAKS[file.stem])
        assert len(connection.execute(sql).fetchall()) > len(found)


@pytest.mark.fault("P7")
def test_a_difference_of_one_cent_is_found_with_its_pool(whole_file: Path, render: Callable[[str], str], tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(whole_file, copy)
    name = "assert_cost_reconciles"
    sql = render((TESTS[0].parent / f"{name}.sql").read_text(encoding="utf-8"))
    with duckdb.connect(str(copy)) as connection:
        connection.execute(BREAKS[name])
        found = connection.execute(sql).fetchall()
    assert {(row[1], row[4], str(row[5])) for row in found} == {("difference", "it", "0.010")}
