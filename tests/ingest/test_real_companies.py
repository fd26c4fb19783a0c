"""The four real companies through ingest: every record accounted for, sums as computed outside this project."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

OLIST = {
    "customers": "customers",
    "orders": "orders",
    "items": "order_items",
    "payments": "order_payments",
    "reviews": "order_reviews",
    "products": "products",
}


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "facts.json").read_text(), parse_float=Decimal)  # type: ignore[no-any-return]


def put(ingest: Any, file: Path, folder: str) -> None:
    target = ingest.settings.landing / folder
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target / file.name)


def test_retail_loads_every_line_with_the_published_sums(ingest: Any, shared_data: Path, facts: dict[str, Any]) -> None:
    for file in sorted((shared_data / "retail" / "by-day").glob("*.csv.gz")):
        put(ingest, file, f"retail/lines/{file.name[:10]}")
    report = ingest.walk()
    fact = facts["retail"]
    assert not report.refusals
    assert not report.warnings
    assert sum(file.physical for file in report.files) == sum(file.loaded for file in report.files) == fact["rows_all"]
    lake = ingest.lake()
    assert lake.execute("select count(distinct (order_id, line_id)) from lake.order_lines").fetchone() == (fact["rows_all"],)
    assert lake.execute("select count(distinct order_id) from lake.orders").fetchone() == (fact["invoices_all"],)
    assert lake.execute("select count(distinct account_id) from lake.accounts").fetchone() == (fact["customers_all"],)
    lines = "from lake.order_lines as l join lake.orders as o using (order_id)"
    sums = lake.execute(
        "select sum(quantity * unit_price), sum(quantity * unit_price) filter (where account_id is not null), count(*)"
        f" filter (where account_id is null) {lines}"
    ).fetchone()
    assert sums is not None
    assert (round(sums[0], 2), round(sums[1], 2), sums[2]) == (fact["sum_all"], fact["sum_known_customers"], fact["rows_without_customer"])
    cancelled = lake.execute(
        f"select count(*), count(distinct order_id), round(sum(quantity * unit_price), 2) {lines} where order_kind = 'credit_memo'"
    ).fetchone()
    assert cancelled == (fact["cancellation_lines"], fact["cancelled_invoices"], fact["sum_cancelled"])
    known = lake.execute(
        f"select count(*), count(distinct account_id), count(distinct order_id), round(sum(quantity * unit_price), 2) {lines}"
        " where account_id is not null and order_kind = 'sale' and quantity > 0 and unit_price > 0"
    ).fetchone()
    assert known == (fact["S_rows"], fact["S_customers"], fact["S_invoices"], fact["S_revenue"])


def test_bank_loads_every_call_with_the_published_times(ingest: Any, shared_data: Path, facts: dict[str, Any]) -> None:
    put(ingest, next((shared_data / "bank").glob("*.gz")), "bank/calls/1999-03-01")
    report = ingest.walk()
    fact = facts["bank"]
    assert [(file.physical, file.loaded, file.quarantined) for file in report.files] == [(fact["calls"], fact["calls"], 0)]
    lake = ingest.lake()
    outcomes = dict(lake.execute("select outcome, count(*) from lake.interactions group by 1").fetchall())
    assert outcomes == {"answered": fact["answered_AGENT"], "abandoned_queue": fact["abandoned_HANG"], "failed": fact["phantom"]}
    row = lake.execute(
        "select count(distinct account_id), round(avg(talk_seconds) filter (where outcome = 'answered'), 6), round(avg(queue_seconds), 6),"
        " count(*) filter (where ivr_seconds < 0), count(*) filter (where ended_at < started_at), max(ended_at -"
        " started_at) < interval 3 hours,"
        " count(*) filter (where outcome = 'answered' and agent_id is null) from lake.interactions"
    ).fetchone()
    assert row == (
        fact["identified_customers"],
        float(fact["aht_mean_ser_time_AGENT_s"]),
        float(fact["queue_mean_all_s"]),
        25,
        0,
        True,
        491,
    )
    midnight = "AA0102-31056-990215"
    sql = "select started_at::varchar, ended_at::varchar from lake.interactions where interaction_id = ?"
    assert lake.execute(sql, [midnight]).fetchone() == (
        "1999-02-15 21:59:54+00", "1999-02-15 22:01:33+00",
    )  # fmt: skip


def test_oakland_loads_every_line_that_has_an_amount_in_any_column_order(ingest: Any, shared_data: Path, facts: dict[str, Any]) -> None:
    for file in sorted((shared_data / "oakland_budget").glob("*.gz")):
        put(ingest, file, f"oakland/budget/20{file.name[2:4]}-07-01")
    report = ingest.walk()
    fact = facts["oakland_budget"]
    assert not report.refusals
    assert [(file.path[-22:-16], file.quarantined) for file in report.files if file.quarantined] == [("Y21-22", 1), ("Y22-23", 1)], (
        "two files end with a line without an amount"
    )
    lake = ingest.lake()
    sums = dict(lake.execute("select budget_version_id || ' ' || line_kind, sum(budget_amount) from lake.budgets group by 1").fetchall())
    for name in ("FY19-20", "FY21-22", "FY22-23"):
        assert sums[f"{name}-adopted expense"] == fact[f"{name}_expense"]
    assert sums["FY19-20-adopted revenue"] == fact["FY19-20_revenue"]
    assert sums["FY21-22-adopted revenue"] == fact["FY21-22_revenue"]
    assert lake.execute("select count(distinct line_id) from lake.budgets where fiscal_period = 'FY2020'").fetchone() == (
        fact["FY19-20_rows"],
    )
    technology = lake.execute(
        "select left(budget_version_id, 7), sum(budget_amount) from lake.budgets where department_id ilike 'Information"
        " Technology%' and line_kind = 'expense' group by 1"
    ).fetchall()
    assert dict(technology) == fact["department_Information_Technology"]
    months = lake.execute(
        "select fiscal_year, count(*), min(start_date)::varchar, max(end_date)::varchar from lake.fiscal_periods group by 1 order by 1"
    ).fetchall()
    assert months[0] == ("FY2020", 12, "2019-07-01", "2020-06-30")


def test_olist_loads_every_table_with_the_published_sums(ingest: Any, shared_data: Path, facts: dict[str, Any]) -> None:
    for stream, table in OLIST.items():
        put(ingest, shared_data / "olist" / f"olist_{table}_dataset.csv.gz", f"olist/{stream}/2018-11-01")
    report = ingest.walk()
    fact = facts["olist"]
    assert not report.refusals
    assert not report.warnings
    assert {"products"}.isdisjoint(file.stream for file in report.files), "the mapping ignores products with a reason"
    assert {feed: report.rows[feed] for feed in ("orders", "order_lines", "payments", "survey_responses", "contacts", "accounts")} == {
        "orders": fact["orders"], "order_lines": fact["items"], "payments": fact["payments"], "survey_responses": fact["reviews"],
        "contacts": fact["orders"], "accounts": fact["unique_customers"],
    }  # fmt: skip
    lake = ingest.lake()
    assert lake.execute("select sum(net_amount), sum(shipping_amount) from lake.order_lines").fetchone() == (
        fact["items_sum"],
        fact["freight_sum"],
    )
    assert lake.execute("select sum(payment_amount) from lake.payments").fetchone() == (fact["payments_sum"],)
    assert lake.execute(
        "select list(n order by score) from (select score, count(*) as n from lake.survey_responses group by 1)"
    ).fetchone() == (fact["review_counts_1_to_5"],)
    assert lake.execute("select count(comment), round(avg(score), 6) from lake.survey_responses").fetchone() == (
        fact["comments"],
        float(fact["mean_review_rows"]),
    )
    assert lake.execute(
        "select count(*) from lake.run_parameters where reporting_currency_code = 'BRL' and company_time_zone = 'America/Sao_Paulo'"
    ).fetchone() == (1,)
