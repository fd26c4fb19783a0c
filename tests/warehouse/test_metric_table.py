"""`mart_metric`: every metric at every cut, unknown where a part is unknown. Breaks: a governed figure that differs from its mart."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from dagster_project.transform import project

Build = Callable[..., duckdb.DuckDBPyConnection]
JANUARY = "2025-01-01"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return project.manifest()


@pytest.fixture(params=["complete_figures", "generated_figures"])
def company(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    connection: duckdb.DuckDBPyConnection = request.getfixturevalue(request.param)
    return connection


def test_a_figure_has_one_row_and_a_value_or_a_reason(company: duckdb.DuckDBPyConnection, render: Callable[[str], str]) -> None:
    """The singular test finds nothing, and a row twice, a value that vanished and a reason beside a value."""
    guard = project.DBT_DIR / "tests" / "assert_metric_figures_are_named_once_and_known_or_explained.sql"
    sql = render(guard.read_text(encoding="utf-8"))
    assert company.execute(sql).fetchall() == []
    for fault in ("insert into {0} (from {0} limit 1)", "update {0} set null_reason = null", "update {0} set null_reason = 'x'"):
        company.execute("begin")
        company.execute(fault.format("reporting.mart_metric"))
        found = company.execute(sql).fetchall()
        company.execute("rollback")
        assert found, fault


def test_every_metric_is_there_at_the_cuts_it_declares(company: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> None:
    found = set(company.execute("select distinct metric_id, cut from reporting.mart_metric").fetchall())
    # A metric that nothing is known of has its reason for the company, and no row of a cut.
    known = "select metric_id from reporting.mart_metric group by metric_id having count(*) filter (cut <> 'all' or value is not null) > 0"
    silent = {name for name, _ in found} - {name for (name,) in company.execute(known).fetchall()}
    declared = {
        (metric["name"], cut)
        for metric in manifest["metrics"].values()
        for cut in ["all", *([] if metric["name"] in silent else metric["config"]["meta"].get("cuts", []))]
    }
    without_total = {
        (name, "all")
        for name in (
            "profit_share_top20",
            "customer_share_for_80",
            "value_gini",
            "good_share",
            "excellence_share",
            "dissatisfied_share",
            "survey_mean_score",
            "net_promoter_score",
        )
    }
    assert found == declared - without_total


def test_members_add_up_to_the_company_for_counts_and_money(company: duckdb.DuckDBPyConnection) -> None:
    sql = """
        select metric_id, period_month, members.cut, sum(members.num) as summed, any_value(company.num) as whole
        from reporting.mart_metric as members inner join reporting.mart_metric as company using (metric_id, period_kind, period_month)
        where members.cut <> 'all' and company.cut = 'all' and members.unit in ('count', 'money', 'seconds')
        group by all having count(members.den) = 0 and count(members.num) = count(*) and summed is distinct from whole
    """
    assert company.execute(sql).fetchall() == []
    assert company.execute("select count(*) from reporting.mart_metric where cut <> 'all' and num <> 0").fetchall()[0][0] > 100


ROI = "select period_month, {0}, {1} from analytics.mart_service_roi_month where window_kind = 'month'"
UNIT = (
    "select period_month, {0}, case when {0} is null then null_reason end from marts.mart_cost_per_unit"
    " where channel = 'all' and unit_kind = '{1}'"
)


@pytest.mark.parametrize(
    ("metric", "sql"),
    [
        ("service_cost", ROI.format("service_cost_amount", "service_cost_null_reason")),
        ("contribution_margin", ROI.format("contribution_margin_amount", "contribution_margin_null_reason")),
        ("service_roi_hard", ROI.format("roi_hard_ratio", "roi_hard_null_reason")),
        ("service_roi", ROI.format("roi_ratio", "null_reason")),
        ("net_revenue", "select period_month, net_revenue_amount, net_revenue_null_reason from reporting.roi_month"),
        ("ticket_cost_amount", UNIT.format("cost_amount", "ticket_closed")),
        (
            "volume_tickets_closed",
            "select period_month, volume_count, volume_null_reason from marts.mart_unit_cost_detail"
            " where channel = 'all' and unit_kind = 'ticket_closed'",
        ),
        (
            "customer_retention_90_rate",
            "select period_month, retention_90_rate, retention_90_null_reason from analytics.mart_retention_month",
        ),
    ],
)
def test_a_figure_is_the_one_that_its_table_publishes(company: duckdb.DuckDBPyConnection, metric: str, sql: str) -> None:
    mine = f"select period_month, value, null_reason from reporting.mart_metric where metric_id = '{metric}' and cut = 'all'"
    mine += " and period_kind = 'month'"
    found, published = ({m: (v, r) for m, v, r in company.execute(query).fetchall()} for query in (mine, sql))
    assert {month: (None if value is None else float(value), reason) for month, (value, reason) in published.items()} == {
        month: figure for month, figure in found.items() if month in published
    }
    assert len(published) > 2


@pytest.mark.parametrize(
    "metric", ["cost_per_ticket", "cost_per_ticket_created", "cost_per_call", "cost_per_interaction", "cost_per_sales_unit"]
)
def test_unit_costs_are_those_of_the_mart_before_they_are_rounded(company: duckdb.DuckDBPyConnection, metric: str) -> None:
    kind = {"cost_per_ticket": "ticket_closed", "cost_per_sales_unit": "sales_unit"}.get(metric, metric.removeprefix("cost_per_"))
    sql = f"""
        select mine.period_month, mine.member, mine.value, mine.null_reason, unit_cost_amount, mart.null_reason
        from reporting.mart_metric as mine
        inner join marts.mart_cost_per_unit as mart on mine.period_month = mart.period_month and mine.member = mart.channel
        where unit_kind = '{kind}' and metric_id = '{metric}' and cut in ('all', 'channel')
    """
    rows = company.execute(sql).fetchall()
    assert len(rows) > 2
    for *where, value, reason, published, published_reason in rows:
        assert (value is None, reason) == (published is None, published_reason), where
        assert value is None or abs(value - float(published)) <= 0.00005 * 1.000001, where


def test_intervals_hold_the_value_and_lie_in_the_unit_interval(company: duckdb.DuckDBPyConnection) -> None:
    outside = "from reporting.mart_metric where low is not null and not (low <= value and value <= high)"
    assert company.execute(outside).fetchall() == []
    rates = "from reporting.mart_metric where unit = 'rate' and value is not null"
    assert company.execute(f"select metric_id, low, high, n {rates} and (low is null or low < 0 or high > 1 or n <> den)").fetchall() == []
    assert company.execute(f"select count(*) {rates}").fetchall()[0][0] > 20


def test_wilsons_interval_is_that_of_the_textbook(figures: Build) -> None:
    """10 of 17: centre (10 + z²/2) / (17 + z²), as published calculators give it: 0.3601 to 0.7839."""
    answers = [
        {"response_id": f"R{n}", "question_key": "q", "account_id": "a", "responded_at": "2025-01-05T10:00:00+00", "survey_metric": "csat",
         "score": "5" if n < 10 else "1", "scale_min": "1", "scale_max": "5"}
        for n in range(17)
    ]  # fmt: skip
    connection = figures({"survey_responses": answers}, latest_delivery_date="2025-02-01")
    sql = "select num, den, n, round(low, 4), round(high, 4) from reporting.mart_metric"
    sql += f" where metric_id = 'csat_rate' and cut = 'all' and period_month = date '{JANUARY}'"
    assert connection.execute(sql).fetchall() == [(10, 17, 17, 0.3601, 0.7839)]


def test_what_never_came_is_source_absent_in_every_month_that_has_begun_and_what_came_and_did_not_happen_is_0(figures: Build) -> None:
    tickets = [
        {"ticket_id": day, "account_id": "a", "created_at": f"2025-{day}T10:00:00+00", "ticket_state": "open", "channel": "email"}
        for day in ("01-03", "03-04")
    ]
    connection = figures({"tickets": tickets}, latest_delivery_date="2025-03-10")
    sql = "select strftime(period_month, '%m'), value, null_reason from reporting.mart_metric where cut = 'all' and metric_id = '{}'"
    sql += " order by 1"
    assert connection.execute(sql.format("tickets_created")).fetchall() == [("01", 1, None), ("02", 0, None), ("03", 1, None)]
    for metric in ("contacts", "net_revenue", "service_cost", "ledger_cost", "csat_rate", "handle_time_seconds"):
        absent = [(month, None, "source_absent") for month in ("01", "02", "03")]
        assert connection.execute(sql.format(metric)).fetchall() == absent, metric


@pytest.mark.parametrize(("metric", "other"), [("tickets_created", "volume_tickets_created"), ("tickets_solved", "volume_tickets_closed")])
def test_tickets_counted_one_by_one_are_those_of_the_unit_cost(company: duckdb.DuckDBPyConnection, metric: str, other: str) -> None:
    sql = """
        select one.period_month, one.member, one.num, other.num
        from reporting.mart_metric as one inner join reporting.mart_metric as other using (period_month, cut, member)
        where one.metric_id = $metric and other.metric_id = $other and cut in ('all', 'channel') and other.num is not null
    """
    rows = company.execute(sql, {"metric": metric, "other": other}).fetchall()
    assert [row for row in rows if row[2] != row[3]] == []
    assert len(rows) > 2


def test_one_account_of_unknown_cost_makes_its_segment_and_the_company_unknown_and_no_other(
    figures: Build, reporting: list[tuple[str, str, str]]
) -> None:
    tickets = [
        {"ticket_id": a, "account_id": a, "created_at": "2025-01-03T10:00:00+00", "ticket_state": "open", "channel": "email"} for a in "ab"
    ]
    accounts = [{"account_id": "a", "segment": "large"}, {"account_id": "b", "segment": "small"}]
    budget = {
        "budget_version_id": "V", "line_id": "L", "legal_entity": "E", "cost_centre": "C", "fiscal_period": "2025-01",
        "line_kind": "expense", "cost_category": "people", "pool_id": "p", "budget_amount": "5.00", "currency_code": "EUR",
        "version_state": "approved", "version_effective_at": "2025-01-01T00:00:00+00",
    }  # fmt: skip
    connection = figures({"accounts": accounts, "tickets": tickets, "budgets": [budget]}, latest_delivery_date="2025-02-01")
    connection.execute(
        "update marts.mart_account_service_month set service_cost_amount = null, null_reason = 'fx_missing' where account_id = 'b'"
    )
    (sql,) = [sql for name, _, sql in reporting if name == "reporting.mart_metric"]
    found = connection.execute(
        f"select member, num, value, null_reason, is_provisional from ({sql}) as figures where metric_id = 'service_cost'"
        " and cut in ('all', 'segment') order by 1"
    ).fetchall()
    assert found == [
        ("all", None, None, "fx_missing", True), ("large", Decimal("2.5"), 2.5, None, True), ("small", None, None, "fx_missing", True),
    ]  # fmt: skip


def test_of_sources_that_are_all_needed_one_is_not_enough_and_of_two_that_do_either_is(figures: Build) -> None:
    """80/20 needs orders, their lines, and the ledger or a budget; without orders it is source_absent in a month that has begun."""
    line = {
        "journal_id": "J", "line_number": 1, "book_id": "b", "legal_entity": "E", "cost_centre": "C", "gl_account": "6",
        "fiscal_period": "2025-01", "posted_at": "2025-01-27T10:00:00+00", "cost_category": "people", "pool_id": "p",
        "ledger_amount": "100.00", "currency_code": "EUR",
    }  # fmt: skip
    connection = figures({"ledger_actuals": [line]}, latest_delivery_date="2025-02-01")
    sql = "select value, null_reason from reporting.mart_metric where metric_id = '{}' and cut = 'all'"
    sql += f" and period_month = date '{JANUARY}'"
    assert connection.execute(sql.format("profit_share_top20")).fetchall() == [(None, "source_absent")]
    assert connection.execute(sql.format("ledger_cost")).fetchall() == [(100, None)]


def test_one_unknown_row_makes_a_sum_unknown_and_a_sum_of_what_is_known_says_so_only_where_that_is_nothing(figures: Build) -> None:
    """Account a sells 100 EUR and b 5 in a currency without a rate: revenue is of what has a rate; of b alone it is unknown."""
    orders = [
        {"order_id": f"O{a}", "account_id": a, "ordered_at": "2025-01-03T10:00:00+00", "currency_code": c}
        for a, c in (("a", "EUR"), ("b", "XAU"))
    ]
    lines = [
        {"order_id": f"O{a}", "line_id": "1", "quantity": 1, "unit_price": price, "net_amount": price, "unit_cost": "1"}
        for a, price in (("a", "100"), ("b", "5"))
    ]
    accounts = [{"account_id": "a", "segment": "large"}, {"account_id": "b", "segment": "small"}]
    connection = figures({"accounts": accounts, "orders": orders, "order_lines": lines}, latest_delivery_date="2025-02-01")
    sql = "select member, value, null_reason from reporting.mart_metric where metric_id = '{}' and cut in ('all', 'segment')"
    sql += f" and period_month = date '{JANUARY}' order by 1"
    assert connection.execute(sql.format("net_revenue")).fetchall() == [
        ("all", 100, None),
        ("large", 100, None),
        ("small", None, "fx_missing"),
    ]
    assert connection.execute(sql.format("sales_unpriced_lines")).fetchall() == [("all", 1, None), ("large", 0, None), ("small", 1, None)]


def test_periods_longer_than_a_month_say_when_they_start(generated_figures: duckdb.DuckDBPyConnection) -> None:
    sql = "select distinct period_kind, period_month::varchar, period_start::varchar from reporting.mart_metric"
    sql += " where period_month = (select max(period_month) from analytics.mart_concentration)"
    found = {kind: (month, start) for kind, month, start in generated_figures.execute(sql).fetchall()}
    assert set(found) == {"month", "trailing_12", "to_date"}
    assert found["month"][0] == found["month"][1]
    assert found["trailing_12"][1] == "2025-01-01"
    assert found["to_date"][1] <= "2024-01-31"


def test_cuts_are_a_closed_list_and_those_of_a_ratio_are_cuts_of_its_parts(manifest: dict[str, Any]) -> None:
    closed = manifest["nodes"]["model.service_roi.mart_metric"]["columns"]["cut"]["config"]["meta"]["closed_list"]
    metrics = {metric["name"]: metric for metric in manifest["metrics"].values()}
    cuts = {name: set(metric["config"]["meta"].get("cuts", [])) for name, metric in metrics.items()}
    assert {name: sorted(extra) for name, named in cuts.items() if (extra := named - set(closed))} == {}, "name the cut in mart_metric.yml"
    assert set().union(*cuts.values()) | {"all"} == set(closed)
    for name, metric in metrics.items():
        if metric["type"] == "ratio":
            parts = [metric["type_params"][part]["name"] for part in ("numerator", "denominator")]
            assert cuts[name] <= cuts[parts[0]] & cuts[parts[1]], f"{name} is cut by what {parts} are not"
