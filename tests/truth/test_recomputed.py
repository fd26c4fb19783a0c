"""What is published of a company that delivers canonical files against what `tests/recomputed` makes of these files: to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml

from dagster_project.orchestration.run import run_daily
from dagster_project.publish.reader import open_current
from dagster_project.settings import load_settings
from demo_company.company import write_company
from tests.recomputed.allocated import CATEGORIES, Allocated
from tests.recomputed.company import Company
from tests.recomputed.delivered import DECIMALS
from tests.recomputed.surveys import Surveys
from tests.recomputed.translated import nothing_else, translate, two_entities_with_foreign_books, work_in_disorder

Figures = dict[tuple[str, ...], tuple[int | None, ...]]
AMOUNTS = ("gross_sales", "credit", "refund", "net_revenue", "contribution_margin")
CALLS = ["phone"]
UNIT_COST = "marts.mart_cost_per_unit where unit_kind"


@dataclass(frozen=True)
class Run:
    """A company's files recomputed, the minor units of one unit of its currency, and what the product published of them."""

    company: Company
    units: int
    published: duckdb.DuckDBPyConnection

    @cached_property
    def allocated(self) -> Allocated:
        return Allocated(self.company)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.published.execute(sql).fetchall()


COMPANIES = (
    pytest.param(("JPY", Decimal(100), "4-4-5", two_entities_with_foreign_books), id="yen"),
    pytest.param(("KWD", Decimal("0.1"), "calendar", work_in_disorder), id="dinar"),
    pytest.param(("EUR", Decimal(1), "4-4-5", nothing_else), id="euro", marks=[pytest.mark.slow, pytest.mark.nightly]),
)


@pytest.fixture(scope="module", params=COMPANIES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    code, worth, calendar, change = request.param
    folder = tmp_path_factory.mktemp("recomputed")
    decimals = DECIMALS.get(code, 2)
    write_company(folder / "demo", accounts=100, months=26, daily=2, calendar=calendar)
    translate(folder / "demo", folder / "landing", code, worth, decimals, change)
    belief = {"reporting_currency_code": {"value": code, "unit": "ISO 4217 code", "reason": "several currencies in the ledger"}}
    (folder / "assumptions.yml").write_text(yaml.safe_dump(belief), encoding="utf-8")
    run_daily(load_settings(landing=folder / "landing", home=folder / "home", assumptions=folder / "assumptions.yml"))
    connection, _ = open_current(folder / "home")
    with closing(connection):
        yield Run(Company(folder / "landing", code), 10**decimals, connection)


def whole(figure: Any) -> int | None:
    return None if pd.isna(figure) else int(figure)


def published(run: Run, sql: str, keys: int = 2) -> Figures:
    """Rows by their first columns, without those that are 0 in each figure."""
    rows = {tuple(map(str, row[:keys])): tuple(map(whole, row[keys:])) for row in run.rows(sql)}
    return {key: figures for key, figures in rows.items() if any(figures)}


def own(table: Any) -> Figures:
    rows = table.to_frame() if table.ndim == 1 else table
    found = {
        key if isinstance(key, tuple) else (key,): tuple(map(whole, figures)) for key, figures in zip(rows.index, rows.values, strict=True)
    }
    return {key: figures for key, figures in found.items() if any(figures)}


def differing(one: Figures, other: Figures) -> dict[tuple[str, ...], Any]:
    assert one
    return {key: (one.get(key), other.get(key)) for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def test_sales_refunds_revenue_and_margin_of_each_account_and_month(run: Run) -> None:
    amounts = ", ".join(f"{name}_amount * {run.units}" for name in AMOUNTS)
    sql = f"select account_id, period_month, orders_count, {amounts} from marts.mart_account_sales_month"
    expected = run.company.sales()
    assert differing(own(expected), published(run, sql)) == {}
    assert expected["margin"].isna().any() == (run.company.currency == "KWD"), "one company does not know what came back"


def test_net_revenue_and_margin_of_the_company(run: Run) -> None:
    sums = run.company.sales().groupby("month")[["net", "margin"]].agg(lambda amounts: amounts.sum(skipna=False))
    assert sums.notna().any().all(), "what is compared has figures"
    sql = f"select period_month, net_revenue_amount * {run.units}, contribution_margin_amount * {run.units} from reporting.roi_month"
    assert differing(own(sums), published(run, sql, keys=1)) == {}


@pytest.mark.parametrize(
    "sql",
    [
        "select period_month, cost_category, sum(cost_amount) * {units} from marts.fct_cost_line where is_roi_basis group by 1, 2",
        "select period_month, cost_category, sum(allocated_amount + unallocated_amount + non_customer_amount + unused_amount) * {units}"
        " from marts.mart_cost_reconciliation group by 1, 2",
    ],
    ids=["lines", "reconciliation"],
)
def test_cost_of_each_month_and_category(run: Run, sql: str) -> None:
    assert differing(own(run.company.cost()["cost"]), published(run, sql.format(units=run.units))) == {}


def test_what_a_budget_replaces_is_provisional(run: Run) -> None:
    sql = (
        f"select period_month, cost_category, sum(cost_amount) * {run.units} from marts.fct_cost_line"
        " where is_roi_basis and is_provisional group by all"
    )
    expected = own(run.company.cost()["of_budget"])
    found = published(run, sql)
    assert found == expected
    assert bool(found) == (run.company.currency == "JPY"), "one company has an entity that posted nothing"


def test_cost_of_each_ticket_and_contact_without_one_by_cost_line(run: Run) -> None:
    names = "period_month, cost_line_id, object_id, account_id, coalesce(department_id, ''), coalesce(channel, '')"
    sql = f"select {names}, driver_count, cost_amount * {run.units} from marts.mart_cost_allocation_ticket"
    expected = run.allocated.of_bearers.set_index(["month", "line", "bearer", "account", "department", "channel"])
    assert differing(own(expected[["weight", "cost"]]), published(run, sql, keys=6)) == {}


def test_cost_of_each_contact_and_of_work_on_tickets_by_cost_line(run: Run) -> None:
    names = "period_month, cost_line_id, object_id, coalesce(ticket_id, interaction_id, object_id), account_id, coalesce(channel, '')"
    sql = f"select {names}, driver_count, cost_amount * {run.units} from marts.mart_cost_allocation_interaction"
    expected = run.allocated.of_pieces.set_index(["month", "line", "key", "bearer", "account", "channel"])
    assert differing(own(expected[["weight", "cost"]]), published(run, sql, keys=6)) == {}


def test_cost_of_each_account_month_and_category(run: Run) -> None:
    amounts = ", ".join(f"{name}_cost_amount * {run.units}" for name in ["service", *CATEGORIES])
    sql = f"select account_id, period_month, {amounts} from marts.mart_account_service_month"
    assert differing(own(run.allocated.accounts()), published(run, sql)) == {}


def test_cost_of_each_pool_goes_to_customers_to_spam_or_to_nobody(run: Run) -> None:
    amounts = ", ".join(f"{name}_amount * {run.units}" for name in ("allocated", "unallocated", "non_customer"))
    sql = f"select period_month, legal_entity, cost_category, pool_id, {amounts} from marts.mart_cost_reconciliation"
    assert differing(own(run.allocated.reconciled()), published(run, sql, keys=4)) == {}


def test_cost_of_each_kind_of_unit_and_channel(run: Run) -> None:
    sql = f"select period_month, unit_kind, channel, cost_amount * {run.units} from marts.mart_cost_per_unit"
    assert differing(own(run.allocated.unit_costs()), published(run, sql, keys=3)) == {}


@pytest.mark.spec("C12")
@pytest.mark.spec("C24")
@pytest.mark.spec("C25")
@pytest.mark.spec("C26")
def test_cost_of_units_by_all_that_they_are_cut_by(run: Run) -> None:
    names = ", ".join(f"coalesce({name}, '')" for name in ("department_id", "queue", "issue_family"))
    amounts = f"cost_amount * {run.units}, marginal_cost_amount * {run.units}"
    sql = f"select period_month, unit_kind, channel, {names}, {amounts} from marts.mart_unit_cost_detail where channel <> 'all'"
    assert differing(own(run.allocated.unit_costs_in_detail()), published(run, sql, keys=6)) == {}
    sums = f"select period_month, unit_kind, sum(cost_amount) * {run.units}, sum(volume_count) from marts."
    total = published(run, sums + "mart_cost_per_unit where channel = 'all' and unit_kind <> 'sales_unit' group by all")
    for rows in ("channel = 'all'", "channel <> 'all'"):
        assert differing(total, published(run, sums + f"mart_unit_cost_detail where {rows} group by all")) == {}


def volumes(run: Run, unit: str) -> pd.Series:
    tickets = {"ticket_created": run.company.tickets_created, "ticket_closed": run.company.tickets_closed}
    contacts = run.allocated.contacts()
    return (
        tickets[unit]()
        if unit in tickets
        else contacts[contacts.index.get_level_values("channel").isin(CALLS)]
        if unit == "call"
        else contacts
    )


UNITS = pytest.mark.parametrize("unit", ["ticket_created", "ticket_closed", "interaction", "call"])


@UNITS
def test_volumes_of_each_month_and_channel(run: Run, unit: str) -> None:
    sql = f"select period_month, channel, volume_count from {UNIT_COST} = '{unit}' and channel <> 'all' and volume_count is not null"
    assert differing(own(volumes(run, unit)), published(run, sql)) == {}


def quotient(cost: int, number: int, units: int) -> int:
    """Return ten-thousandths of the currency, half away from zero."""
    return int((Decimal(int(cost)) * 10_000 / (int(number) * units)).quantize(Decimal(1), ROUND_HALF_UP))


@UNITS
def test_cost_of_one_unit_by_month_and_channel(run: Run, unit: str) -> None:
    sql = f"select period_month, channel, unit_cost_amount * 10000 from {UNIT_COST} = '{unit}' and channel <> 'all'"
    cost = run.allocated.unit_costs().xs(unit, level="unit")
    expected = {key: (quotient(cost.get(key, 0), number, run.units),) for key, number in volumes(run, unit).items()}
    assert differing({key: figures for key, figures in expected.items() if any(figures)}, published(run, sql)) == {}


def test_service_cost_of_one_unit_of_sales(run: Run) -> None:
    net, cost = run.company.sales().groupby("month")["net"].sum(), run.company.cost()["cost"].groupby("month").sum()
    expected = {(month,): (quotient(cost[month], net[month], 1),) for month in cost.index if net.get(month)}
    assert (
        differing(expected, published(run, f"select period_month, unit_cost_amount * 10000 from {UNIT_COST} = 'sales_unit'", keys=1)) == {}
    )


def test_satisfied_answers_of_each_month(run: Run) -> None:
    sql = "select period_month, sum(csat_num), sum(csat_response_count) from marts.mart_account_service_month group by 1"
    assert differing(own(run.company.csat()), published(run, sql, keys=1)) == {}


@pytest.mark.parametrize("of_all", [True, False], ids=["published", "metrics"])
def test_invitations_of_each_month_and_what_they_ask_about(run: Run, of_all: bool) -> None:
    expected = run.company.invited()
    if of_all:
        conditions = ("true", "is_delivered", "is_answered", "is_same_channel is not null", "is_same_channel", "is_immediate is not null")
        counts = ", ".join(f"count(*) filter (is_asked and {condition})" for condition in (*conditions, "is_immediate"))
        sql = f"select period_month, {counts} from marts.fct_survey_invitation group by 1"
        assert expected.sum().min() > 0, "what is compared has figures"
    else:
        figures = (
            ("survey_delivery_rate", "den"), ("survey_delivery_rate", "num"), ("survey_response_rate", "num"),
            ("same_channel_survey_rate", "den"),
            ("same_channel_survey_rate", "num"), ("immediate_survey_rate", "den"), ("immediate_survey_rate", "num"),
        )  # fmt: skip
        parts = ", ".join(f"coalesce(max({part}) filter (metric_id = '{rate}'), 0)" for rate, part in figures)
        sql = f"select period_month, {parts} from reporting.mart_metric where cut = 'all' group by 1"
    assert differing(own(expected), published(run, sql, keys=1)) == {}


def test_promoters_and_detractors_of_each_month(run: Run) -> None:
    sql = "select period_start, top_count, bottom_count, n from reporting.mart_survey_score where survey_metric = 'nps' and cut = 'all'"
    assert differing(own(run.company.opinions()), published(run, f"{sql} and period_kind = 'month'", keys=1)) == {}


@pytest.mark.parametrize("period", ["month", "quarter"])
def test_answers_to_each_question_by_channel_and_segment(run: Run, period: str) -> None:
    sql = (
        "select period_start, question_key, cut, member, n, highest_count, top_count, bottom_count, round(answer_mean_score * n)"
        f" from reporting.mart_survey_score where period_kind = '{period}' and top_count is not null"
    )
    expected = Surveys(run.company).scores(period)
    assert expected[["answers", "best", "good", "bad", "total"]].sum().min() > 0, "what is compared has figures"
    expected["total"] = expected["total"].where(expected["answers"] >= 30)  # below no mean is published
    assert differing(own(expected), published(run, sql, keys=4)) == {}


@pytest.mark.parametrize("period", ["month", "quarter"])
def test_the_acsi_of_each_period(run: Run, period: str) -> None:
    found = run.rows(
        "select period_start::varchar, n, value, null_reason from reporting.mart_survey_score where question_key = 'acsi_index'"
        f" and cut = 'all' and period_kind = '{period}' and n > 0"
    )
    expected = Surveys(run.company).acsi(period)
    assert {key: n for key, n, _, _ in found} == {key: n for key, (n, _) in expected.items()}
    for key, n, value, reason in found:
        assert (value, reason) == ((pytest.approx(float(expected[key][1]), abs=1e-7), None) if n >= 30 else (None, "n_below_30"))


def test_contacts_that_customers_were_asked_about(run: Run) -> None:
    figures = ("survey_contacts_eligible", "survey_contacts_asked", "survey_contacts_suppressed")
    parts = ", ".join(f"coalesce(max(num) filter (metric_id = '{name}'), 0)" for name in figures)
    sql = f"select period_month, {parts} from reporting.mart_metric where cut = 'all' and period_kind = 'month' group by 1"
    expected = Surveys(run.company).contacts()
    assert expected.sum().min() > 0, "what is compared has figures"
    assert differing(own(expected), published(run, sql, keys=1)) == {}


def test_customers_that_order_that_are_active_and_that_are_kept(run: Run) -> None:
    months = run.rows("select period_month::varchar, end_date::varchar from marts.dim_period where is_complete_period")
    sql = (
        "select period_month, ordering_count, active_count, retention_rate_num, retention_rate_den, retention_90_rate_num,"
        " retention_90_rate_den from analytics.mart_retention_month"
        " where period_month in (select period_month from marts.dim_period where is_complete_period)"
    )
    expected = run.company.customers(dict(months))
    assert differing(own(expected), published(run, sql, keys=1)) == {}
    assert expected.notna().any()[["ordering", "active", "kept_90"]].all(), "what is compared has figures"


def test_the_share_of_the_best_fifth_of_the_customers_over_twelve_months(run: Run) -> None:
    months = [month for (month,) in run.rows("select period_month::varchar from marts.dim_period where is_complete_period order by 1")]
    ((share,),) = run.rows(
        "select top20_share from analytics.mart_concentration where window_kind = 'trailing_12' and measure_kind = 'gross_sales'"
        f" and period_month = date '{months[-1]}'"
    )
    assert share == pytest.approx(run.company.top_share(months[-12:]), abs=1e-12)
