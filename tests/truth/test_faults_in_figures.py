"""What is published of a company with every fault, once its refused files are gone, against truth. Breaks: a fault moves a figure."""

from __future__ import annotations

import csv
import json
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.checks.worker import shared_worker
from demo_company.faults.values import HOSTILE
from tests.truth.faulty_company import (
    Company,
    run_without_the_extract,
)


@pytest.mark.fault("D2", "D3", "D9", "D10", "F11", "F13", "F15")
def test_cost_and_revenue_are_those_of_truth_whatever_was_done_to_the_files(published: Company) -> None:
    truth = published.truth
    found = {row["month"]: row for row in published.rows("select strftime(period_month, '%Y-%m') as month, * from reporting.roi_month")}
    last = max(truth["money_cents"])
    for month in truth["money_cents"]:
        assert Decimal(found[month]["service_cost_amount"]) == Decimal(sum(truth["cost_cents"][month].values())) / 100, month
    for month in truth["money_cents"]:
        money = truth["money_cents"][month]
        assert Decimal(found[month]["net_revenue_amount"]) == Decimal(money["net_sales"] - money["refunds"]) / 100, month
        assert (found[month]["unpriced_count"], found[month]["margin_per_service_cost_null_reason"]) == (int(month == last), None), month
    assert published.rows("select max(abs(difference_amount)) as worst from marts.mart_cost_reconciliation")[0]["worst"] == 0


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.fault("D3", "D9", "D10", "F13", "F15")
def test_faulty_deliveries_one_by_one_end_where_one_load_ends(published: Company, tmp_path: Path) -> None:
    days = sorted({path.name for path in published.landing.glob("*/*/*") if path.is_dir()})
    home, hashes = tmp_path / "home", []
    for day in (days[3], days[-9], days[-5], days[-2], days[-1]):
        run_without_the_extract(published.landing, home, until=day)
        hashes.append(json.loads((home / "published" / "current.json").read_text(encoding="utf-8"))["content_hash"])
    assert len(set(hashes)) == len(hashes), "a day that changes nothing proves nothing"
    assert hashes[-1] == json.loads((published.home / "published" / "current.json").read_text(encoding="utf-8"))["content_hash"]


@pytest.mark.fault("F13")
def test_an_order_without_a_rate_is_never_counted_one_to_one_and_stops_the_extract(published: Company) -> None:
    assert "rates_are_complete" in published.refusal
    (row,) = published.rows("select is_fx_missing, net_amount from marts.fct_order_line_net where transaction_currency_code = 'CHF'")
    assert row == {"is_fx_missing": True, "net_amount": None}


@pytest.mark.fault("F13")
def test_an_order_without_a_rate_takes_the_tier_of_its_account_and_of_nobody_else(published: Company) -> None:
    (account,) = (row["account_id"] for row in published.rows("select account_id from marts.fct_order_line_net where is_fx_missing"))
    without = published.rows("select account_id, null_reason, tier_amount from analytics.mart_account_tier where account_tier is null")
    assert {(row["account_id"], row["null_reason"], row["tier_amount"]) for row in without} == {(account, "fx_missing", None)}


@pytest.mark.fault("D1", "D2")
def test_what_comes_twice_counts_once_in_its_latest_version(published: Company) -> None:
    for table, column, feed in (("fct_payment", "payment_id", "payments"), ("fct_order", "order_id", "orders")):
        ours = f"from marts.{table} where {column} not like '%-%'"
        (row,) = published.rows(f"select count(*) as n, count(distinct {column}) as keys {ours}")
        assert row["n"] == row["keys"] == published.truth["rows"][feed], table
    (key,) = published.names("repeated_keys")
    assert published.rows(f"select transaction_payment_amount as paid from marts.fct_payment where payment_id = '{key}'")[0]["paid"] > 1


@pytest.mark.fault("D3")
def test_a_late_contact_counts_in_the_month_in_which_it_happened(published: Company) -> None:
    extra = [name for name in published.names("clock_skew") if name.endswith("-clock_skew")]
    listed = ", ".join(f"'{name}'" for name in extra)
    by_month = "select strftime(period_month, '%Y-%m') as month, count(*) as n from marts.fct_interaction"
    known = published.rows(f"{by_month} where interaction_id in ({listed}) group by 1")
    not_yet_kept_out = {row["month"]: row["n"] for row in known}
    said = {month: counts["interactions"] for month, counts in published.truth["counts"].items()}
    months = published.rows(f"{by_month} group by 1")
    assert {row["month"]: row["n"] - not_yet_kept_out.get(row["month"], 0) for row in months} == said
    assert len(published.names("late_rows")) == 5


@pytest.mark.fault("F15")
def test_a_call_across_the_change_of_clocks_keeps_its_length(published: Company) -> None:
    for name in published.names("dst_nights"):
        (row,) = published.rows(
            "select started_at::varchar as at, epoch(ended_at - started_at) as lasted"
            f" from marts.fct_interaction where interaction_id = '{name}'"
        )
        assert re.match(r"\d{4}-(03|10)-\d\d 00:58:30", row["at"])
        assert 0 < row["lasted"] < 3_600


@pytest.mark.fault("D10")
def test_deleted_and_merged_tickets_stay_and_a_cycle_of_merges_ends(published: Company) -> None:
    deleted, merged = published.names("deleted_tickets")
    listed = ", ".join(f"'{name}'" for name in published.names("deleted_tickets", "merge_cycle"))
    found = {row["ticket_id"]: row for row in published.rows(f"select * from marts.fct_ticket where ticket_id in ({listed})")}
    assert found[deleted]["is_deleted"]
    assert found[merged]["is_merged"]
    assert found[merged]["surviving_ticket_id"] not in (None, merged)
    assert all(found[name]["surviving_ticket_id"] is not None for name in published.names("merge_cycle"))


def test_orders_of_an_unknown_account_are_kept_and_flagged(published: Company) -> None:
    (account,) = published.names("orphan_accounts")
    placed = [
        row["order_id"]
        for path in published.landing.glob("canonical/orders/*/*.csv")
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        if row["account_id"] == account and "-" not in row["order_id"]
    ]
    orphans = published.rows("select order_id, account_id from marts.fct_order where is_orphan")
    assert {row["account_id"] for row in orphans} == {"ACCOUNT_UNKNOWN"}
    assert {row["order_id"] for row in orphans} == set(placed) != set()
    listed = ", ".join(f"'{order}'" for order in placed)
    (lines,) = published.rows(
        f"select count(*) as n, count(net_amount) as valued from marts.fct_order_line_net where order_id in ({listed})"
    )
    assert lines["n"] == lines["valued"] > 0


@pytest.mark.fault("S1", "S2", "S3")
def test_hostile_names_arrive_as_the_text_they_are(published: Company) -> None:
    with duckdb.connect() as lake:
        stored = lake.execute(f"select account_name from read_parquet('{published.home}/lake/accounts/*.parquet')").fetchall()
        comments = lake.execute(f"select comment from read_parquet('{published.home}/lake/survey_responses/*.parquet')").fetchall()
    assert set(HOSTILE) <= {name for (name,) in stored}
    assert set(HOSTILE) <= {comment for (comment,) in comments}
    assert not list(published.home.rglob("stolen.csv"))
    assert not list(published.landing.parent.glob("outside*"))


@pytest.mark.fault("F12")
def test_a_channel_outside_the_list_is_other(published: Company) -> None:
    (ticket,) = published.names("enum_growth")
    assert published.rows(f"select channel from marts.fct_ticket where ticket_id = '{ticket}'") == [{"channel": "other"}]


@pytest.mark.fault("D9")
def test_a_restated_budget_changes_no_cost_of_the_ledger(published: Company) -> None:
    version = published.names("restated_budget")[0].split("/")[0]
    rows = published.rows(f"select is_roi_basis, count(*) as n from marts.fct_cost_line where budget_version_id = '{version}' group by 1")
    assert rows
    assert sum(row["n"] for row in rows) == len(published.names("restated_budget"))


def test_a_negative_sale_stops_its_feed_at_the_checks(company: Company) -> None:
    (entry,) = company.of("negative_sale")
    result = shared_worker().validate("orders", company.report.batches["orders"])
    assert {line.rule: line.unexpected_count for line in result.failed if line.severity == "critical"} == {entry["rule"]: 1}


@pytest.mark.fault("D10", "F13")
def test_what_is_only_warned_of_is_named_in_the_published_copy(published: Company) -> None:
    said = {
        row["expectation"]: row["observed"]
        for row in published.rows("select expectation, observed from ops.check_results where feed = 'marts' and not is_success")
    }
    for fault, test in (
        ("mixed_currency", "assert_payments_share_the_currency_of_their_order"),
        ("merge_cycle", "assert_merge_chains_end"),
        ("handle_time_outliers", "assert_contacts_end_within_a_shift"),
        ("currency_without_rate", "assert_amounts_have_a_rate"),
    ):
        assert any(name in said[test] for name in published.names(fault)), (fault, said[test])


def test_a_day_of_more_hours_than_it_has_is_named_with_its_agent(published: Company) -> None:
    agent, day, _ = published.names("overlapping_shifts")[0].split("/")
    sql = "select is_success, unexpected_count, observed from ops.check_results where expectation = 'day_has_at_most_24_hours'"
    (row,) = published.rows(sql)
    assert (row["is_success"], row["unexpected_count"]) == (False, 1)
    assert agent in row["observed"]
    assert day in row["observed"]


def test_a_call_left_open_draws_the_cost_of_a_shift_and_keeps_its_length(published: Company) -> None:
    (call,) = published.names("handle_time_outliers")
    (row,) = published.rows(f"select handle_seconds, is_handle_time_limited from marts.fct_interaction where interaction_id = '{call}'")
    assert row["handle_seconds"] >= 180_000
    assert row["is_handle_time_limited"]
    drivers = published.rows(
        "select distinct driver_count from marts.mart_cost_allocation_interaction "
        f"where interaction_id = '{call}' and driver = 'handle_seconds'"
    )
    assert drivers == [{"driver_count": 28_800}]
    limited = published.rows("select interaction_id from marts.fct_interaction where is_handle_time_limited")
    assert limited == [{"interaction_id": call}], "no call of the clean company is so long"


def test_an_account_that_was_merged_and_set_apart_again_has_its_own_history(published: Company) -> None:
    account, again = (name.split("/")[0] for name in published.names("merged_accounts"))
    assert account == again
    (row,) = published.rows(f"select surviving_account_id, is_merged from marts.dim_account where account_id = '{account}'")
    assert row == {"surviving_account_id": account, "is_merged": False}
