"""A published copy of a small company with three fiscal months, written by hand, and the page of it.

October 2026 is the latest complete month: cost 150.25, margin 1,000.00, 40 calls. September has no sales, since no rate was delivered.
November waits for the ledger. Nobody delivered answers to surveys.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from dagster_project.publish.publisher import publish
from dagster_project.publish.source import WarehouseFile
from dagster_project.publish.versions import read_pointer
from dagster_project.reports.page import path_of, render, write_page
from dagster_project.reports.reading import read_contents

TABLES = """
create schema marts; create schema analytics; create schema reporting; create schema ops;
create table ops.run_parameters as select 'ACME & Söhne' as legal_entity, 'EUR' as reporting_currency_code, 365 as activity_window_days;
create table ops.metric_registry (metric_id varchar, label_en varchar, sources varchar);
insert into ops.metric_registry values
    ('service_cost', 'Service cost', 'ledger_actuals|budgets'), ('net_revenue', 'Net revenue', 'orders,order_lines'),
    ('contribution_margin', 'Contribution margin', 'orders,order_lines'), ('margin_per_service_cost', 'Margin per cost', 'orders'),
    ('service_value_hard', 'Value, hard', 'offers'), ('service_roi_hard', 'Hard ROI', 'offers'), ('service_roi', 'Service ROI', 'offers'),
    ('cost_per_ticket', 'Cost per ticket', 'ledger_actuals|budgets,tickets'), ('csat_rate', 'Satisfaction', 'survey_responses'),
    ('cost_per_call', 'Cost per call', 'ledger_actuals|budgets,interactions'),
    ('cost_per_interaction', 'Cost per interaction', 'ledger_actuals|budgets,interactions'),
    ('customer_retention_rate', 'Retention', 'orders'), ('profit_share_top20', 'Share of the best 20 %', 'orders');
create table marts.dim_period (period_month date, fiscal_period varchar, fiscal_year varchar, start_date date, end_date date,
    close_state varchar, is_complete_period boolean, waits_for varchar, is_generated boolean);
insert into marts.dim_period values
    (date '2026-08-01', '2026-08', 'FY26', date '2026-08-01', date '2026-08-31', 'open', true, null, false),
    (date '2026-09-01', '2026-09', 'FY26', date '2026-09-01', date '2026-09-30', 'open', true, null, false),
    (date '2026-10-01', '2026-10', 'FY26', date '2026-10-01', date '2026-10-31', 'open', true, null, false),
    (date '2026-11-01', '2026-11', 'FY26', date '2026-11-01', date '2026-11-30', 'open', false, 'canonical/ledger_actuals', false);
create table reporting.roi_month (period_month date, is_complete_period boolean default true, service_cost_amount decimal(18, 3) default 7,
    roi_hard_ratio double, roi_hard_null_reason varchar default 'source_absent', margin_per_service_cost_ratio double default 0.5,
    margin_per_service_cost_null_reason varchar);
insert into reporting.roi_month (period_month) values (date '2026-09-01'), (date '2026-10-01'), (date '2026-11-01');
create table analytics.mart_service_roi_month as select period_month, 'month' as window_kind from reporting.roi_month;
create table reporting.mart_metric (metric_id varchar, period_kind varchar, period_month date, cut varchar, member varchar,
    num decimal(28, 6), den decimal(28, 6), value double, low double, high double, unit varchar, null_reason varchar,
    is_provisional boolean default false, is_complete_period boolean default true);
insert into reporting.mart_metric by position
select *, false, true from (values
    ('service_cost', 'month', date '2026-09-01', 'all', 'all', 80, null, 80, null, null, 'money', null),
    ('net_revenue', 'month', date '2026-09-01', 'all', 'all', null, null, null, null, null, 'money', 'fx_missing'),
    ('contribution_margin', 'month', date '2026-09-01', 'all', 'all', null, null, null, null, null, 'money', 'fx_missing'),
    ('margin_per_service_cost', 'month', date '2026-09-01', 'all', 'all', 300, null, null, null, null, 'ratio', 'source_absent'),
    ('service_cost', 'month', date '2026-10-01', 'all', 'all', 150.25, null, 150.25, null, null, 'money', null),
    ('net_revenue', 'month', date '2026-10-01', 'all', 'all', 2000, null, 2000, null, null, 'money', null),
    ('contribution_margin', 'month', date '2026-10-01', 'all', 'all', 1234567.891, null, 1234567.891, null, null, 'money', null),
    ('margin_per_service_cost', 'month', date '2026-10-01', 'all', 'all', 1000, 150.25, 6.6556, 6.1, 7.2, 'ratio', null),
    ('service_value_hard', 'month', date '2026-10-01', 'all', 'all', 0.25, null, 0.25, null, null, 'money', null),
    ('service_roi_hard', 'month', date '2026-10-01', 'all', 'all', -150, 150.25, -0.998336, null, null, 'ratio', null),
    ('service_roi', 'month', date '2026-10-01', 'all', 'all', null, 150.25, null, null, null, 'ratio', 'not_built'),
    ('cost_per_call', 'month', date '2026-10-01', 'all', 'all', 120.2, 40, 3.005, null, null, 'money per call', null),
    ('cost_per_interaction', 'month', date '2026-10-01', 'all', 'all', 120.2, 40, 3.005, null, null, 'money per interaction', null),
    ('cost_per_interaction', 'month', date '2026-10-01', 'channel', 'web_form', 20.2, 10, 2.02, null, null, 'money per interaction', null),
    ('cost_per_interaction', 'month', date '2026-09-01', 'channel', 'fax', 1, 1, 1, null, null, 'money per interaction', null),
    ('cost_per_ticket', 'month', date '2026-10-01', 'all', 'all', null, null, null, null, null, 'money per ticket', 'source_absent'),
    ('csat_rate', 'month', date '2026-10-01', 'all', 'all', null, null, null, null, null, 'rate', 'source_absent'),
    ('customer_retention_rate', 'month', date '2026-10-01', 'all', 'all', null, null, null, null, null, 'rate', 'not_mature'),
    ('profit_share_top20', 'to_date', date '2026-10-01', 'measure', 'net_revenue', null, null, 0.8541, null, null, 'share', null)
);
insert into reporting.mart_metric by position
    values ('profit_share_top20', 'trailing_12', date '2026-10-01', 'measure', 'net_revenue', null, null, 0.9, null, null, 'share', null,
        false, false);
create table analytics.mart_concentration_curve as
select date '2026-10-01' as period_month, 'to_date' as window_kind, 'net_revenue' as measure_kind, i / 4 as customer_share,
    power(i / 4, 3) as lorenz_share from range(5) as t(i);
create table marts.mart_cost_reconciliation as select 100.25 as ledger_amount, 100.25 as allocated_amount, 0.0 as unallocated_amount,
    0.0 as out_of_scope_amount, 0.0 as non_customer_amount, 0.0 as capex_amount, 0.0 as difference_amount;
create table ops.feed_presence as select feed, feed <> 'survey_responses' and feed <> 'tickets' as is_present, 3::bigint as row_count
from (select unnest(['ledger_actuals', 'orders', 'order_lines', 'interactions', 'offers', 'survey_responses', 'tickets']) as feed);
create table ops.sources as
select 'canonical/' || feed as source_name, feed, date '2026-12-01' as last_delivery_date from ops.feed_presence where is_present;
update ops.sources set last_delivery_date = date '2026-11-20' where feed = 'ledger_actuals';
create table ops.feed_freshness as select feed, 50::bigint as age_days, 40::bigint as maximum_age_days, feed = 'orders' as is_stale
from ops.sources;
create table ops.quarantine as
select * from (values ('orders', 'amount_is_money', 'open'), ('orders', 'amount_is_money', 'resolved')) as t(feed, rule, quarantine_state);
create table ops.load_ledger as select 'accepted' as load_state, 10::bigint as physical_count, 6::bigint as loaded_count,
    2::bigint as superseded_count, 1::bigint as quarantined_count, 1::bigint as waiting_count;
create table ops.runs as select * from (values
    ('earlier', timestamptz '2026-12-01 00:00:00+00'), ('last', timestamptz '2026-12-02 00:00:00+00'))
    as t(run_id, started_at);
create table ops.warnings as select * from (values
    ('earlier', 'orders', 'of_an_earlier_run', 1::bigint, 'past'), ('last', 'orders', 'most_rows_name_a_customer', 1234::bigint,
    'their cost is of nobody')) as t(run_id, feed, expectation, unexpected_count, notes);
create table ops.unusual_volumes (system_name varchar, stream_name varchar, delivery_date date, physical_count bigint,
    lowest_usual_count bigint, highest_usual_count bigint, run_id varchar);
create table ops.spec_coverage as select 'served' as state union all select 'not_built';
"""


class Page(HTMLParser):
    """A page as its reader sees it: `text` without style, `rows` as cells, and each tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._words: list[str] = []
        self._is_hidden = self._is_in_row = False
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def row(self, first: str, second: str | None = None) -> list[str]:
        """The first row that begins with this cell, or these two."""
        return next(row for row in self.rows if row[0] == first and second in (None, row[1]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._is_hidden = tag == "style"
        if tag == "tr":
            self.rows.append([])
            self._is_in_row = True
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_in_row = self._is_in_row and tag != "tr"

    def handle_data(self, data: str) -> None:
        if self._is_hidden:
            return
        self._words.append(data)
        if self._is_in_row and self.rows[-1]:
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOME with the company above published and its page written; tests leave both as they are."""
    home = tmp_path_factory.mktemp("reports")
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(TABLES)
    publish(home, WarehouseFile(home / "warehouse.duckdb"), run_id="last", inputs_sha256="a" * 64, data_as_of=date(2026, 11, 12))
    write_page(home)
    return home


@pytest.fixture(scope="package")
def page(home: Path) -> Page:
    return Page(path_of(home).read_text(encoding="utf-8"))


@pytest.fixture
def page_after(home: Path) -> Callable[[str], Page]:
    """Draw the page of the company after a change by SQL, without publishing it."""

    def draw(sql: str) -> Page:
        pointer = read_pointer(home)
        assert pointer is not None
        with duckdb.connect() as connection:
            connection.execute(TABLES + sql)
            return Page(render(read_contents(connection, pointer)))

    return draw
