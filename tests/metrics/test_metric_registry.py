"""The registry and the coverage of the specification. Breaks: what the product says about its own numbers."""

from typing import Any

import pytest
from pydantic import ValidationError

from dagster_project.analytics import concentration, retention, roi
from dagster_project.metrics.registry import SpecRow, collect, registry_rows, spec_coverage, spec_rows

METRIC: dict[str, Any] = {
    "metric_id": "cost_per_ticket", "version": 1, "owner": "finance", "formula": "cost / tickets", "unit": "money per ticket",
    "direction": "lower_is_better", "sources": ["tickets", "budgets|ledger_actuals"], "spec_rows": ["C26"],
    "labels": {"en": "Cost per ticket", "fr": "Coût par ticket", "it": "Costo per ticket", "zh": "单票成本", "ja": "チケット単価"},
}  # fmt: skip


def manifest(metric: dict[str, Any]) -> dict[str, Any]:
    column = {"name": "unit_cost_amount", "config": {"meta": {"metric": metric}}}
    model = {
        "resource_type": "model",
        "schema": "marts",
        "name": "mart_cost_per_unit",
        "alias": "mart_cost_per_unit",
        "columns": {"unit_cost_amount": column},
    }
    return {"nodes": {"model.service_roi.mart_cost_per_unit": model, "test.service_roi.x": {"resource_type": "test"}}}


def test_sql_metrics_come_from_the_yml_with_the_place_where_they_stand() -> None:
    found = {metric.metric_id: metric for metric in collect(manifest(METRIC))}["cost_per_ticket"]
    assert (found.relation, found.column, found.sources) == (
        "marts.mart_cost_per_unit",
        "unit_cost_amount",
        ("tickets", "budgets|ledger_actuals"),
    )
    assert found.labels.ja == "チケット単価"


def test_a_metric_declared_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="service_roi is declared twice"):
        collect(manifest(METRIC | {"metric_id": "service_roi"}))


def test_a_claim_on_a_row_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"claims rows that the specification lacks: \['Z99'\]"):
        collect(manifest(METRIC | {"spec_rows": ["Z99"]}))


@pytest.mark.parametrize("broken", [{"labels": {"en": "Only English"}}, {"direction": "up"}, {"formual": "typo"}, {"sources": []}])
def test_an_incomplete_or_misspelt_declaration_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        collect(manifest(METRIC | broken))


def test_every_python_metric_names_a_column_that_its_table_really_has() -> None:
    tables = {
        "analytics.mart_service_roi_month": roi.MONTH_COLUMNS,
        "analytics.mart_retention_month": retention.MONTH_COLUMNS,
        "analytics.mart_concentration": concentration.CONCENTRATION_COLUMNS,
    }
    for metric in collect():
        assert {metric.column, metric.numerator, metric.denominator} - {None} <= set(tables[metric.relation].names), metric.metric_id


def test_registry_rows_are_flat_and_carry_all_five_languages() -> None:
    row = next(row for row in registry_rows(collect()) if row["metric_id"] == "service_roi")
    assert (row["spec_rows"], row["column"], row["relation"]) == ("C01,C20", "roi_ratio", "analytics.mart_service_roi_month")
    assert [row[f"label_{language}"] for language in ("en", "fr", "it", "zh", "ja")].count("") == 0
    assert all(isinstance(value, str | int | None) for value in row.values())


def test_the_shipped_specification_has_every_row_once() -> None:
    ids = [row.row for row in spec_rows()]
    assert (len(ids), len(set(ids))) == (223, 223)


def test_a_row_is_served_source_absent_or_not_built() -> None:
    rows = [SpecRow("C20", "", "", ""), SpecRow("C26", "", "", ""), SpecRow("A01", "", "", "")]
    metrics = collect(manifest(METRIC))
    feeds = {"orders", "order_lines", "interactions", "budgets"}
    assert [row["state"] for row in spec_coverage(metrics, rows, feeds)] == ["served", "source_absent", "not_built"]
    assert [row["state"] for row in spec_coverage(metrics, rows, feeds | {"tickets"})] == ["served", "served", "not_built"]
    assert spec_coverage(metrics, rows, feeds)[0]["where"] == "analytics.mart_service_roi_month.roi_ratio"
