"""The demo company exported by its shop, its ledger and its survey tool comes back through the mappings to the cent."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dagster_project.assumptions import load_assumptions
from dagster_project.settings import load_settings
from demo_company.company import write_company
from tests.ingest.conftest import Ingest
from tests.ingest.systems.commerce import broken, counts

ACCOUNTS, MONTHS, SEED = 60, 1, 11
SAME = {
    "ledger_actuals": """
        fiscal_period, cost_category, pool_id, is_in_scope, scope_reason, legal_entity, cost_centre, department_id, site_id, gl_account,
        cost_behaviour, traceability, recurrence, vendor, posted_at, document_date, currency_code, sum(ledger_amount)""",
    "orders": """
        order_kind, currency_code, sales_channel, financial_state, is_test, cancelled_at, ordered_at, account_id, contact_id,
        interaction_id, offer_id, source_updated_at,
        sum(gross_amount), sum(discount_amount), sum(tax_amount), sum(shipping_amount), sum(net_amount)""",
    "order_lines": """
        product_id, product_family, line_kind, quantity, unit_price, unit_cost,
        sum(discount_amount), sum(tax_amount), sum(net_amount)""",
    "refunds": """
        refund_reason, is_chargeback, is_restocked, returned_quantity, currency_code, refunded_at, sum(refund_amount), sum(tax_amount)""",
    "payments": "payment_method, instalment_count, currency_code, paid_at, sum(payment_amount)",
    "survey_responses": """
        question_key, survey_kind, survey_metric, scale_min, scale_max, score, comment, account_id, contact_id, ticket_id, channel,
        responded_at, is_partial""",
}
"""Columns that a feed has from either place; the sums are of the groups that the others make."""


@pytest.fixture(scope="module")
def landings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("company")
    truth = write_company(folder / "plain", ACCOUNTS, MONTHS, SEED, daily=2)
    write_company(folder / "exported", ACCOUNTS, MONTHS, SEED, daily=2, systems=("shopify", "quickbooks", "qualtrics"))
    for landing in ("plain", "exported"):
        for feed in (folder / landing / "canonical").iterdir():
            if feed.name not in SAME:
                shutil.rmtree(feed)
    return folder / "plain", folder / "exported", truth


@pytest.fixture(scope="module")
def ingests(landings: tuple[Path, Path, dict[str, Any]]) -> tuple[Ingest, Ingest]:
    plain, exported = (
        Ingest(load_settings(landing=landing, home=landing.with_suffix(".home"), memory_limit="1GB"), load_assumptions())
        for landing in landings[:2]
    )
    for ingest in (plain, exported):
        report = ingest.walk()
        assert report.refusals == []
        assert broken(report) == []
    return plain, exported


@pytest.mark.parametrize("feed", SAME)
def test_an_export_brings_the_same_rows_and_money_as_the_feed(feed: str, ingests: tuple[Ingest, Ingest]) -> None:
    sql = f"select {SAME[feed]}, count(*) from lake.{feed} group by all order by all"
    plain, exported = (ingest.all(sql) for ingest in ingests)
    assert plain
    assert exported == plain


def test_the_exported_ledger_is_the_true_cost_of_every_month(
    ingests: tuple[Ingest, Ingest], landings: tuple[Path, Path, dict[str, Any]]
) -> None:
    truth = landings[2]
    sql = "select fiscal_period, is_in_scope, (100 * sum(ledger_amount))::bigint from lake.ledger_actuals group by all"
    found = {(month, is_in_scope): cents for month, is_in_scope, cents in ingests[1].all(sql)}
    for month, costs in truth["cost_cents"].items():
        assert found.get((month, True), 0) == sum(costs.values()), month
        assert found.get((month, False), 0) == truth["out_of_scope_cents"][month], month


def test_what_is_left_out_is_the_payable_side_and_money_that_is_no_payment(ingests: tuple[Ingest, Ingest]) -> None:
    left = {stream: superseded for stream, (_, _, superseded, _) in counts(ingests[1]).items()}
    ((journals,),) = ingests[0].all("select count(distinct journal_id) from lake.ledger_actuals")
    ((refunds,),) = ingests[0].all("select count(*) from lake.refunds")
    assert (left["journal_entry_line"], left["transaction"]) == (journals, refunds)
