"""A published copy of a small company with three fiscal months, written by hand: every figure can be added up on paper.

October 2026: ledger cost 100.00 people (60.00 + 40.00) and 50.25 IT in two cost centres, hard value 400.00, no modelled value
yet, margin 1,000.00. September: people 80.00. November is running. Unknown customers carry 10.25 of October's cost.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.publish.publisher import publish
from dagster_project.publish.source import WarehouseFile

ROI = ("margin_per_service_cost", "roi", "roi_hard", "roi_all", "roi_before_damage")
ROI_METRICS = {
    "margin_per_service_cost": "margin_per_service_cost_ratio", "service_roi": "roi_ratio", "service_roi_hard": "roi_hard_ratio",
    "service_roi_all": "roi_all_ratio",
    "service_roi_before_damage": "roi_before_damage_ratio", "service_value_hard": "v_hard_amount",
    "service_value_modelled": "v_modelled_amount", "service_value_assumed": "v_assumed_amount", "market_damage": "damage_amount",
    "contribution_margin": "contribution_margin_amount", "service_net_benefit": "net_benefit_amount",
}  # fmt: skip
METRICS = [
    *ROI_METRICS,
    "net_revenue",
    "service_cost",
    "cost_per_call",
    "cost_per_sales_unit",
    "cost_reconciliation_difference",
    "retention_rate",
]
TABLES = f"""
create schema marts; create schema analytics; create schema ops;
create table ops.run_parameters as
select 'ACME & Söhne' as legal_entity, 'EUR' as reporting_currency_code, repeat('a', 64) as assumptions_sha256,
    1 as fiscal_year_start_month;
create table ops.metric_registry (metric_id varchar, version int, owner varchar, formula varchar, unit varchar, direction varchar,
    sources varchar, relation varchar, "column" varchar, spec_rows varchar, label_en varchar, label_ja varchar);
insert into ops.metric_registry
select unnest({METRICS}), 1, 'finance', 'a formula', 'ratio', 'higher_is_better', 'orders', '', '', '', 'A label', '名前';
update ops.metric_registry set relation = 'analytics.mart_service_roi_month', "column" = case metric_id
    {" ".join(f"when '{metric_id}' then '{column}'" for metric_id, column in ROI_METRICS.items())} end
where metric_id in {tuple(ROI_METRICS)};
update ops.metric_registry set relation = 'reporting.roi_month', "column" = 'net_revenue_amount' where metric_id = 'net_revenue';
create table marts.dim_period (period_month date, fiscal_period varchar, fiscal_year varchar, start_date date, end_date date,
    close_state varchar, is_complete_period boolean, waits_for varchar, is_generated boolean);
insert into marts.dim_period values
    (date '2026-09-01', '2026-09', 'FY2026', date '2026-09-01', date '2026-09-30', 'open', true, null, false),
    (date '2026-10-01', '2026-10', 'FY2026', date '2026-10-01', date '2026-10-31', 'open', true, null, false),
    (date '2026-11-01', '2026-11', 'FY2026', date '2026-11-01', date '2026-11-30', 'open', false,
     'canonical/ledger_actuals, zendesk', false);
create schema reporting;
create table reporting.roi_month (period_month date, net_revenue_amount decimal(18,2), net_revenue_null_reason varchar);
insert into reporting.roi_month values (date '2026-09-01', 1500.00, null), (date '2026-10-01', 2000.00, null);
create table ops.sources (source_name varchar, feed varchar, last_delivery_date date);
insert into ops.sources values ('canonical/ledger_actuals', 'ledger_actuals', date '2026-12-01'), ('zendesk', 'tickets', date '2026-11-20');
create table marts.fct_cost_line (period_month date, legal_entity varchar, cost_centre varchar, cost_category varchar,
    gl_account varchar, cost_amount decimal(18, 3), transaction_cost_amount decimal(18, 3), transaction_currency_code varchar,
    cost_source varchar, is_roi_basis boolean, is_provisional boolean as (is_roi_basis and cost_source = 'budget'));
insert into marts.fct_cost_line values
    (date '2026-09-01', 'ACME', 'CC1', 'people', '6000', 80.00, 80.00, 'EUR', 'ledger', true),
    (date '2026-10-01', 'ACME', 'CC1', 'people', '6000', 60.00, 60.00, 'EUR', 'ledger', true),
    (date '2026-10-01', 'ACME', 'CC1', 'people', '6000', 40.00, 40.00, 'EUR', 'ledger', true),
    (date '2026-10-01', 'ACME', '=HYPERLINK("x")', 'it', '-6100', 50.25, 43.50, 'GBP', 'budget', true),
    (date '2026-10-01', 'ACME', 'CC9', 'other', '9000', 999.00, 999.00, 'EUR', 'ledger', false),
    (date '2026-11-01', 'ACME', 'CC1', 'people', '6000', 70.00, 70.00, 'EUR', 'ledger', true);
create table marts.fct_order_line_net (period_month date, is_counted boolean, is_fx_missing boolean);
insert into marts.fct_order_line_net values (date '2026-10-01', true, false), (date '2026-11-01', true, true);
create table marts.fct_refund (period_month date, is_counted boolean, is_fx_missing boolean);
insert into marts.fct_refund values (date '2026-10-01', true, false), (date '2026-11-01', true, true);
create table marts.mart_cost_per_unit (period_month date, unit_kind varchar, channel varchar, cost_amount decimal(18, 3),
    volume_count bigint, net_amount decimal(18, 3), unit_cost_amount decimal(18,4), is_provisional boolean,
    is_complete_period boolean, null_reason varchar);
insert into marts.mart_cost_per_unit values
    (date '2026-10-01', 'call', 'all', 120.20, 40, null, 3.0050, true, true, null),
    (date '2026-10-01', 'call', 'phone', 120.20, 40, null, 3.0050, true, true, null),
    (date '2026-10-01', 'sales_unit', 'all', 150.25, 900, 2000.00, 0.0751, true, true, null);
create table marts.mart_cost_reconciliation (period_month date, legal_entity varchar, cost_category varchar, pool_id varchar,
    ledger_amount decimal(18, 3), out_of_scope_amount decimal(18, 3), capex_amount decimal(18, 3),
    allocated_amount decimal(18, 3), unallocated_amount decimal(18, 3),
    non_customer_amount decimal(18, 3), unused_amount decimal(18, 3), difference_amount decimal(18, 3), currency_code varchar);
insert into marts.mart_cost_reconciliation values
    (date '2026-09-01', 'ACME', 'people', 'P1', 80.00, 0, 0, 80.00, 0, 0, 0, 0, 'EUR'),
    (date '2026-10-01', 'ACME', 'people', 'P1', 100.00, 0, 0, 97.00, 1.00, 2.00, 0, 0, 'EUR'),
    (date '2026-10-01', 'ACME', 'it', 'P2', 50.25, 0, 0, 50.25, 0, 0, 0, 0, 'EUR'),
    (date '2026-10-01', 'ACME', 'other', 'P9', 0, 999.00, 0, 0, 0, 0, 0, 0, 'EUR');
create table analytics.mart_service_roi_account (account_id varchar, period_month date, window_kind varchar,
    service_cost_amount decimal(18, 3));
insert into analytics.mart_service_roi_account values
    ('account-canary-77', date '2026-10-01', 'month', 140.00), ('ACCOUNT_UNKNOWN', date '2026-10-01', 'month', 10.25),
    ('account-canary-77', date '2026-10-01', 'trailing_12', 220.00), ('account-canary-77', date '2026-09-01', 'month', 80.00);
create table analytics.mart_service_roi_month as
select date '2026-10-01' as period_month, 'month' as window_kind, true as is_provisional, true as is_complete_period,
    150.25::decimal(18, 3) as service_cost_amount, null::varchar as service_cost_null_reason,
    1000.00::decimal(18, 3) as contribution_margin_amount, null::varchar as contribution_margin_null_reason,
    400.00::decimal(18, 3) as v_hard_amount, null::varchar as v_hard_null_reason,
    null::decimal(18, 3) as v_modelled_amount, 'not_built' as v_modelled_null_reason,
    null::decimal(18, 3) as v_assumed_amount, 'not_built' as v_assumed_null_reason,
    null::decimal(18, 3) as damage_amount, 'not_built' as damage_null_reason,
    249.75::decimal(18, 3) as net_benefit_amount, null::varchar as null_reason,
    {", ".join(f"{name}_ratio: 1.66222961730449" for name in ROI)},
    {", ".join(f"{name}_null_reason: null::varchar" for name in ROI if name != "roi")},
    {", ".join(f"{name}_low95_ratio: 1.5, {name}_high95_ratio: 1.75" for name in ROI[:2])};
insert into analytics.mart_service_roi_month
select * replace (date '2026-09-01' as period_month, 80.00 as service_cost_amount, 100.00 as v_hard_amount, 20.00 as net_benefit_amount)
from analytics.mart_service_roi_month;
insert into analytics.mart_service_roi_month
select * replace (date '2026-11-01' as period_month, false as is_complete_period)
from analytics.mart_service_roi_month where period_month = date '2026-10-01';
"""


class Books:
    """HOME of one test with a published copy of the company above, changed by `sql` before it was published."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def publish(self, sql: str = "", **options: Any) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        warehouse = self.home / "warehouse.duckdb"
        warehouse.unlink(missing_ok=True)
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(TABLES)
            if sql:
                connection.execute(sql)
        settings: dict[str, Any] = {"run_id": "run-canary", "inputs_sha256": "a" * 64, "data_as_of": date(2026, 11, 12)} | options
        publish(self.home, WarehouseFile(warehouse), **settings)


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path / "home-canary")


@pytest.fixture(scope="module")
def closed_books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """The company as it stands, published once, for tests that only read."""
    books = Books(tmp_path_factory.mktemp("books") / "home-canary")
    books.publish()
    return books
