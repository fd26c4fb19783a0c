"""Every number of truth.json recomputed from the files of the demo company alone, and the rows among themselves."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

from tests.demo.company_files import (
    ALL_KEYS,
    MONTHS,
    by_month,
    contract_file,
    converted,
    said,
)


def test_a_key_comes_again_only_as_a_later_version(files: duckdb.DuckDBPyConnection, project_dir: Path) -> None:
    for feed, key in ALL_KEYS.items():
        again = f"select {key}, source_updated_at from all_{feed} group by all having count(*) > 1"
        assert files.execute(f"select count(*) from ({again})").fetchone() == (0,), feed
        if not contract_file(project_dir, feed).exists():
            continue
        contract = yaml.safe_load(contract_file(project_dir, feed).read_text())
        assert key.split(", ") == [column["name"] for column in contract["schema"][0]["properties"] if column.get("primaryKey")]
    assert files.execute("select count(*) from budgets").fetchone() == files.execute("select count(*) from all_budgets").fetchone()


def test_values_keep_to_the_contracts(files: duckdb.DuckDBPyConnection, project_dir: Path) -> None:
    for feed in ALL_KEYS:
        if not contract_file(project_dir, feed).exists():
            continue
        contract = yaml.safe_load(contract_file(project_dir, feed).read_text())
        header = {row[0] for row in files.execute(f"describe all_{feed}").fetchall()}
        for column in contract["schema"][0]["properties"]:
            name = column["name"]
            has_default = any(entry["property"] == "default" for entry in column.get("customProperties", []))
            assert name in header or not column.get("required") or has_default, f"{feed}.{name}"
            if name in header and column.get("required"):
                assert files.execute(f"select count(*) from all_{feed} where {name} is null").fetchone() == (0,), f"{feed}.{name}"
            for rule in column.get("quality", []) if name in header else []:
                found = {row[0] for row in files.execute(f"select distinct {name} from all_{feed} where {name} is not null").fetchall()}
                assert found <= set(rule["arguments"]["validValues"]), f"{feed}.{name}"


def test_costs_by_month_category_and_pool_are_the_sums_of_the_ledger(
    company: tuple[Path, dict[str, Any]], files: duckdb.DuckDBPyConnection
) -> None:
    truth = company[1]
    for category in ("people", "it", "facilities", "other"):
        lines = f"ledger_actuals where is_in_scope and cost_category = '{category}'"
        assert by_month(files, f"select fiscal_period, sum(ledger_amount) * 100 from {lines} group by 1") == said(
            truth, "cost_cents", category
        ), category
    out = by_month(files, "select fiscal_period, sum(ledger_amount) * 100 from ledger_actuals where not is_in_scope group by 1")
    assert out == truth["out_of_scope_cents"]
    for month, pools in truth["pool_cents"].items():
        assert sum(pools.values()) == sum(truth["cost_cents"][month].values()) + truth["out_of_scope_cents"][month]
        found = files.execute(
            "select pool_id, (sum(ledger_amount) * 100)::bigint from ledger_actuals where fiscal_period = ? group by 1", [month]
        ).fetchall()
        assert dict(found) == pools


def test_a_credit_note_and_a_line_out_of_scope_come_every_month(files: duckdb.DuckDBPyConnection) -> None:
    negative, outside = "count(*) filter (ledger_amount < 0)", "count(*) filter (not is_in_scope and scope_reason is not null)"
    assert (
        files.execute(f"select count(*), {negative}, {outside} from ledger_actuals group by fiscal_period").fetchall()
        == [(12, 1, 1)] * MONTHS
    )


def test_sales_by_month_are_the_sums_of_the_lines_at_the_rate_of_the_month(
    company: tuple[Path, dict[str, Any]], files: duckdb.DuckDBPyConnection
) -> None:
    kinds = ("gross_sales", "credits", "net_sales", "cost_of_goods", "refunds", "recovered_goods")
    sums: dict[str, dict[str, int]] = {month: dict.fromkeys(kinds, 0) for month in company[1]["money_cents"]}
    for month, kind, net, quantity, unit_cost, rate in files.execute(
        "select strftime(ordered_at, '%Y-%m'), order_kind, net_amount, quantity, unit_cost, exchange_rate from counted_lines"
    ).fetchall():
        sums[month]["gross_sales" if kind == "sale" else "credits"] += converted(net, rate)
        sums[month]["net_sales"] += converted(net, rate)
        sums[month]["cost_of_goods"] += converted((quantity * unit_cost).quantize(Decimal("0.01"), ROUND_HALF_UP), rate)
    for month, amount, goods, rate in files.execute(
        """select strftime(refunded_at, '%Y-%m'), refund_amount, if(is_restocked, returned_quantity * unit_cost, 0), exchange_rate
        from refunds join order_lines using (order_id, line_id) join orders using (order_id)
        left join fx_rates f on refunds.currency_code = f.from_currency_code and f.rate_date = date_trunc('month', ordered_at)::date"""
    ).fetchall():
        sums[month]["refunds"] += converted(amount, rate)
        sums[month]["recovered_goods"] += converted(goods.quantize(Decimal("0.01"), ROUND_HALF_UP), rate)
    assert sums == company[1]["money_cents"]


def test_counts_by_month_are_those_of_the_files(company: tuple[Path, dict[str, Any]], files: duckdb.DuckDBPyConnection) -> None:
    truth = company[1]
    active = (
        "select distinct coalesce(further.to_account_id, merged.to_account_id, account_id) as account_id,"
        " strftime(ordered_at, '%Y-%m') as month"
        " from counted_lines left join account_merges as merged on merged.from_account_id = account_id"
        " left join account_merges as further on further.from_account_id = merged.to_account_id"
        " where order_kind = 'sale' and net_amount > 0"
    )
    assert by_month(files, f"select month, count(*) from ({active}) group by 1") == said(truth, "counts", "ordering_accounts")
    assert by_month(
        files, f"select month, count(*) from (select account_id, min(month) as month from ({active}) group by 1) group by 1"
    ) == said(truth, "counts", "new_accounts")
    assert by_month(files, "select strftime(started_at, '%Y-%m'), count(*) from interactions group by 1") == said(
        truth, "counts", "interactions"
    )
    assert by_month(files, "select strftime(ordered_at, '%Y-%m'), count(*) from orders where offer_id is not null group by 1") == said(
        truth, "counts", "offer_orders"
    )


def test_an_order_is_the_sum_of_its_lines_and_payments_settle_it(files: duckdb.DuckDBPyConnection) -> None:
    assert files.execute("""select count(*) from orders o join
        (select order_id, sum(net_amount) net, sum(tax_amount) tax, sum(discount_amount) discount,
                sum(round(quantity * unit_price, 2)) gross
         from order_lines group by 1) l using (order_id)
        where (o.net_amount, o.tax_amount, o.discount_amount, o.gross_amount) <> (l.net, l.tax, l.discount, l.gross)
           or o.net_amount <> o.gross_amount - o.discount_amount""").fetchone() == (0,)
    assert files.execute(
        "select count(*) from order_lines where net_amount <> round(quantity * unit_price, 2) - discount_amount"
    ).fetchone() == (0,)
    assert files.execute("select count(*) from orders where order_id not in (select order_id from order_lines)").fetchone() == (0,)
    assert files.execute("""select count(*) from (
            select order_id, sum(payment_amount) paid, max(instalment_count) parts, count(*) n from payments group by 1)
        join orders using (order_id) where n = parts and paid <> net_amount + tax_amount + shipping_amount""").fetchone() == (0,)


def test_everything_points_at_something_that_exists(files: duckdb.DuckDBPyConnection) -> None:
    for feed, column, parent in [
        ("orders", "account_id", "accounts"),
        ("orders", "contact_id", "contacts"),
        ("orders", "interaction_id", "interactions"),
        ("contacts", "account_id", "accounts"),
        ("tickets", "account_id", "accounts"),
        ("tickets", "order_id", "orders"),
        ("interactions", "contact_id", "contacts"),
        ("refunds", "order_id", "orders"),
        ("payments", "order_id", "orders"),
    ]:
        orphans = files.execute(
            f"select count(*) from {feed} where {column} is not null and {column} not in (select {column} from {parent})"
        ).fetchone()
        assert orphans == (0,), f"{feed}.{column}"
    assert files.execute("select count(*) from orders where account_id is null").fetchone() == (0,)
    sooner = "select count(*) from orders join accounts using (account_id) where ordered_at < created_at"
    assert files.execute(sooner).fetchone() == (0,)


def test_a_solved_ticket_spans_its_interactions(files: duckdb.DuckDBPyConnection) -> None:
    assert files.execute("""select count(*) from interactions i join tickets t using (ticket_id)
        where i.started_at < t.created_at or i.ended_at > t.last_solved_at""").fetchone() == (0,)
    assert files.execute(
        "select count(*) from tickets where not (created_at <= first_solved_at and first_solved_at <= last_solved_at)"
    ).fetchone() == (0,)
    assert files.execute("""select count(*) from interactions where started_at > coalesce(answered_at, ended_at)
        or coalesce(answered_at, ended_at) > ended_at
        or (outcome = 'answered') <> (answered_at is not null)
        or talk_seconds + hold_seconds > date_diff('second', answered_at, ended_at)""").fetchone() == (0,)


def test_the_hard_cases_are_all_there(files: duckdb.DuckDBPyConnection) -> None:
    for feed, condition in [
        ("tickets", "ticket_state = 'spam' and account_id is null"),
        ("tickets", "ticket_state = 'merged' and merged_into_ticket_id in (select ticket_id from tickets where ticket_state = 'merged')"),
        ("tickets", "is_deleted"),
        ("tickets", "is_complaint"),
        ("tickets", "account_id is null and contact_id is not null"),
        ("tickets", "handle_seconds is not null and ticket_id not in (select ticket_id from interactions where ticket_id is not null)"),
        ("interactions", "ticket_id is null and outcome = 'abandoned_queue'"),
        ("interactions", "channel = 'chat' and concurrency > 1"),
        ("interactions", "outcome = 'answered' and talk_seconds is null"),
        ("interactions", "account_id is null and contact_id is null and ticket_id is null"),
        ("orders", "order_kind = 'credit_memo' and net_amount < 0"),
        ("orders", "is_test"),
        ("orders", "order_state = 'cancelled'"),
        ("orders", "currency_code = 'GBP'"),
        ("orders", "offer_id is not null and interaction_id is not null"),
        ("refunds", "is_restocked"),
        ("payments", "instalment_count = 2"),
        ("accounts", "lifecycle_state = 'closed'"),
        (
            "survey_responses",
            "survey_metric = 'ces' and response_id in (select response_id from survey_responses where survey_metric = 'csat')",
        ),
        ("survey_responses", "survey_metric = 'nps' and ticket_id is null"),
        ("survey_responses", "comment like '%\"%,%'"),
        ("budgets", "version_state = 'restated'"),
        ("fiscal_periods", "close_state = 'closed'"),
    ]:
        assert files.execute(f"select count(*) from {feed} where {condition}").fetchone() != (0,), f"{feed}: {condition}"
    assert files.execute("select count(*) from all_tickets").fetchone() > files.execute("select count(*) from tickets").fetchone()  # type: ignore[operator]
