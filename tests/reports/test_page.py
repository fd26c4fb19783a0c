"""The first page states the figures of the published copy, and says of what is unknown why and which source would tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dagster_project.metrics.roi import REASONS as REASONS_OF_ROI
from dagster_project.publish import reader
from dagster_project.reports.page import path_of, write_page
from dagster_project.reports.wording import REASONS, number
from tests.finance.test_exposures import Recording, exposed, tables_of

HOSTILE = "<script>alert('x')</script> \"& \x1b[31m\u202e{{ 7 * 7 }}"


def test_the_headline_is_of_the_latest_complete_month(page: Any) -> None:
    assert "In October 2026 customer service cost EUR 150.25." in page.text
    assert "Customers brought a margin of EUR 1,234,567.89: 6.66 for each EUR of service cost." in page.text
    assert "95 % interval 6.10 to 7.20" in page.text


def test_figures_are_those_of_the_copy(page: Any) -> None:
    assert page.row("October 2026") == ["October 2026", "EUR 150.25", "EUR 2,000.00", "EUR 1,234,567.89", "6.66", "−99.8 %"]
    assert page.row("Interaction handled", "all") == ["Interaction handled", "all", "EUR 120.20", "40", "EUR 3.01"]
    assert page.row("Interaction handled", "web form") == ["Interaction handled", "web form", "EUR 20.20", "10", "EUR 2.02"]
    assert "fax" not in page.text, "a channel of another month"


def test_a_figure_that_is_unknown_says_so_with_its_reason(page: Any) -> None:
    assert page.row("September 2026")[1:4] == ["EUR 80.00", "unknown no exchange rate", "unknown no exchange rate"]
    assert page.row("September 2026")[4] == "unknown source not delivered", "a ratio whose numerator alone is known"
    assert page.row("Ticket closed", "all")[2:] == ["unknown", "unknown", "unknown source not delivered"]
    assert "None" not in page.text
    assert "nan" not in page.text.lower().split()


def test_the_page_names_the_source_that_would_tell(page: Any) -> None:
    rows = {row[1]: row[2] for row in page.rows if len(row) == 3}
    assert rows["Satisfaction"] == "survey_responses"
    assert rows["Cost per ticket"] == "tickets", "the ledger is there"
    assert rows["Retention"] == "orders from earlier days, or time"
    assert rows["Service ROI"].startswith("no source")


def test_a_month_without_figures_is_not_shown_and_one_that_waits_is_named_with_its_source(page: Any) -> None:
    assert "August 2026" not in page.text
    assert "it waits for" in page.text
    assert "canonical/ledger_actuals (last delivered on 2026-11-20)" in page.text


def test_a_window_of_twelve_months_that_is_not_whole_is_not_shown(page: Any) -> None:
    assert page.row("net revenue")[1] == "85.4 %"
    assert "twelve complete months are not there yet" in page.text


def test_the_state_of_the_data_is_told(page: Any) -> None:
    assert page.row("Ledger")[1] == "EUR 100.25"
    assert page.row("Difference")[1] == "EUR 0.00"
    assert "The cost ties to the ledger: difference EUR 0.00." in page.text
    assert "10 records in 1 files: 6 loaded, 2 replaced or repeated, 1 quarantined, 1 waiting" in page.text
    assert page.row("orders", "canonical/orders")[2:] == ["1 December 2026", "3", "1", "silent for 50 days, allowed 40"]
    assert page.row("orders", "amount is money")[2] == "1"
    assert page.row("orders", "most rows name a customer")[2:] == ["1,234", "their cost is of nobody"]
    assert "of an earlier run" not in page.text
    assert "Never delivered: survey_responses, tickets." in page.text


def test_a_cost_that_ties_to_nothing_known_is_unknown_and_not_nought(page_after: Any) -> None:
    page = page_after("update marts.mart_cost_reconciliation set ledger_amount = null, difference_amount = null;")
    assert "It is unknown whether the cost ties to the ledger." in page.text
    assert "difference EUR" not in page.text


def test_a_company_without_a_complete_month_sees_what_its_months_wait_for(page_after: Any) -> None:
    page = page_after("update marts.dim_period set is_complete_period = false, waits_for = 'canonical/ledger_actuals';")
    text = page.text
    assert "No month is complete yet." in text
    assert "EUR 150.25" not in text
    assert "2026-10: it waits for" in text


def test_a_fiscal_month_keeps_its_own_name(page_after: Any) -> None:
    page = page_after(
        "update marts.dim_period set fiscal_period = 'FY27-P03', start_date = date '2026-09-28' where fiscal_period = '2026-10';"
    )
    assert "In FY27-P03 (28 September 2026 to 31 October 2026) customer service cost" in page.text


@pytest.mark.fault("S3")
def test_texts_of_strangers_are_text(page_after: Any) -> None:
    value = "$$" + HOSTILE + "$$"
    page = page_after(
        f"update ops.run_parameters set legal_entity = {value}; update ops.metric_registry set label_en = {value} || metric_id;"
        f"update ops.warnings set notes = {value}, feed = {value}; update reporting.mart_metric set member = {value} where cut <> 'all';"
        f"update reporting.mart_metric set null_reason = {value} where null_reason is not null; update ops.quarantine set rule = {value};"
        f"update marts.dim_period set fiscal_period = {value}, start_date = date '2026-09-28' where fiscal_period = '2026-10';"
        f"update marts.dim_period set waits_for = {value} where waits_for is not null;"
        f"insert into ops.feed_presence values ({value}, true, 1); insert into ops.sources values ({value}, {value}, null);"
    )
    assert not {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object", "link", "a", "form"}
    assert "alert('x')" in page.text
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", page.html) is None
    assert "{{ 7 * 7 }}" in page.text


def test_the_page_loads_nothing_and_runs_nothing(page: Any) -> None:
    assert re.search(r"(?i)<script|javascript:|https?:|//|@import|url\(|\ssrc=|\shref=|\son\w+=", page.html) is None
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"}) in page.tags


def test_those_who_see_no_chart_read_its_name_and_tables_name_their_columns(page: Any) -> None:
    charts = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert charts
    assert all(chart["role"] == "img" and chart["aria-label"] and chart["viewbox"] for chart in charts)
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.tags if tag == "th")
    tags = [tag for tag, _ in page.tags]
    assert tags.count("caption") == tags.count("table")
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(names) == len(set(names))


def test_the_same_copy_gives_the_same_bytes(home: Path) -> None:
    before = path_of(home).read_bytes()
    assert write_page(home).read_bytes() == before


def test_every_reason_has_words(project_dir: Path) -> None:
    text = (project_dir / "docs" / "querying.md").read_text(encoding="utf-8")
    listed = re.findall(r"`(\w+)`(?:, `\w+`)*:", text.split("## Why a measure is null")[1].split("\n## ")[0])
    assert len(listed) > 5
    assert {*listed, *REASONS_OF_ROI} <= REASONS.keys()


@pytest.mark.parametrize(
    ("value", "unit", "currency", "written"),
    [
        (1234.5, "money", "JPY", "JPY\u00a01,235"),
        (-2, "money per call", "KWD", "KWD\u00a0−2.000"),
        (-0.001, "money", "EUR", "EUR\u00a00.00"),
        (0.12345, "rate", "EUR", "12.3\u00a0%"),
        (1234567, "count", "EUR", "1,234,567"),
        (374.97, "seconds", "EUR", "375\u00a0s"),
    ],
)
def test_numbers_are_written_for_people(value: float, unit: str, currency: str, written: str) -> None:
    assert number(value, unit, currency) == written


def test_the_page_reads_the_tables_of_its_exposure(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    served = reader.served

    @contextmanager
    def recorded(home: Path) -> Iterator[tuple[Any, Any]]:
        with served(home) as (connection, pointer):
            yield Recording(connection, asked), pointer

    monkeypatch.setattr(reader, "served", recorded)
    write_page(home)
    assert tables_of(asked) == exposed("first_page"), "name what the page reads in dbt/models/_exposures.yml"
