"""The registry and the coverage of the specification. Breaks: what the product says about its own numbers."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from dagster_project.analytics import concentration, retention, roi
from dagster_project.contracts.model import feeds
from dagster_project.metrics.registry import SpecRow, collect, registry_rows, spec_coverage, spec_rows
from dagster_project.transform import project

ANALYTICS = {
    "service_roi_month": roi.MONTH_COLUMNS,
    "retention_month": retention.MONTH_COLUMNS,
    "concentration_month": concentration.CONCENTRATION_COLUMNS,
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return project.manifest()


@pytest.fixture
def with_meta(manifest: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Return the manifest with another `config.meta` of `cost_per_ticket`; None takes a word out."""

    def changed(**words: Any) -> dict[str, Any]:
        metric = deepcopy(manifest["metrics"]["metric.service_roi.cost_per_ticket"])
        meta = {name: word for name, word in (metric["config"]["meta"] | words).items() if word is not None}
        metric["config"] = metric["config"] | {"meta": meta}
        return manifest | {"metrics": {"metric.service_roi.cost_per_ticket": metric}}

    return changed


def test_a_metric_is_found_where_its_measure_is_or_where_it_says(manifest: dict[str, Any]) -> None:
    found = {metric.metric_id: metric for metric in collect(manifest)}
    assert (found["contacts"].relation, found["contacts"].column) == ("marts.mart_account_service_month", "contacts_count")
    assert (found["cost_per_ticket"].relation, found["cost_per_ticket"].column) == ("marts.mart_cost_per_unit", "unit_cost_amount")
    assert (found["service_roi_hard"].relation, found["service_roi_hard"].column) == ("analytics.mart_service_roi_month", "roi_hard_ratio")
    assert (found["csat_rate"].relation, found["csat_rate"].column) == ("reporting.mart_metric", "value")
    assert (found["csat_rate"].numerator, found["service_roi"].numerator) == ("csat_satisfied", "roi_num")


def test_a_claim_on_a_row_that_does_not_exist_is_refused(with_meta: Any) -> None:
    with pytest.raises(ValueError, match=r"metric cost_per_ticket claims rows that the specification lacks: \['Z99'\]"):
        collect(with_meta(spec_rows=["Z99"]))


@pytest.mark.parametrize("word", ["owner", "unit", "direction", "kind", "formula", "sources", "labels"])
def test_a_metric_that_leaves_out_a_word_is_refused_by_name_and_file(with_meta: Any, word: str) -> None:
    with pytest.raises(
        ValueError, match=rf"metric cost_per_ticket in models/marts/cost/mart_unit_cost_detail\.yml: config\.meta: {word}: "
    ):
        collect(with_meta(**{word: None}))


@pytest.mark.parametrize(
    ("broken", "named"),
    [({"labels": {"fr": "Seulement"}}, "labels.it"), ({"direction": "up"}, "direction"), ({"formual": "typo"}, "formual"),
     ({"sources": []}, "sources"), ({"kind": "share"}, "kind"), ({"found_in": "unit_cost_amount"}, "found_in")],
)  # fmt: skip
def test_a_misspelt_declaration_is_refused(with_meta: Any, broken: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"metric cost_per_ticket .*{named}"):
        collect(with_meta(**broken))


def test_every_metric_names_a_published_column_and_columns_of_its_model(manifest: dict[str, Any]) -> None:
    published = {
        f"{node['schema']}.{node['name']}": set(node["columns"]) for node in manifest["nodes"].values() if node["resource_type"] == "model"
    }
    results = {"roi": "mart_service_roi_month", "retention": "mart_retention_month", "concentration": "mart_concentration"}
    for columns, table in zip(ANALYTICS.values(), results.values(), strict=True):
        published[f"analytics.{table}"] = set(columns.names)
    for metric in collect(manifest):
        if metric.relation != "reporting.mart_metric":
            assert metric.column in published[metric.relation], metric.metric_id
    of_measure = {measure["name"]: of["node_relation"] for of in manifest["semantic_models"].values() for measure in of["measures"]}
    for metric in manifest["metrics"].values():
        meta, model = metric["config"]["meta"], of_measure.get((metric["type_params"]["measure"] or {}).get("name"))
        named = {meta[word] for word in ("null_reason", "provisional", "num", "den", "n", "low", "high") if word in meta}
        assert named <= (published[f"{model['schema_name']}.{model['alias']}"] if model else set()), metric["name"]


def test_the_sources_of_a_metric_are_feeds(manifest: dict[str, Any]) -> None:
    named = {(metric.metric_id, feed) for metric in collect(manifest) for source in metric.meta.sources for feed in source.split("|")}
    unknown = sorted(f"{metric}: {feed}" for metric, feed in named if feed not in feeds())
    assert unknown == [], f"`sources` of a metric are names of contracts, or it is never served: {', '.join(unknown)}"


def test_what_reporting_shows_of_analytics_is_there_by_that_name(manifest: dict[str, Any]) -> None:
    for name, columns in ANALYTICS.items():
        assert set(manifest["nodes"][f"model.service_roi.{name}"]["columns"]) <= set(columns.names), name


def test_a_measure_that_may_be_null_says_why_in_a_column_of_reasons(manifest: dict[str, Any]) -> None:
    measures = {measure["name"]: (of, measure) for of in manifest["semantic_models"].values() for measure in of["measures"]}
    silent = []
    for metric in manifest["metrics"].values():
        if metric["type"] == "ratio" or {"null_reason", "no_rows"} & set(metric["config"]["meta"]):
            continue
        of, measure = measures[metric["type_params"]["measure"]["name"]]
        column = manifest["nodes"][of["depends_on"]["nodes"][0]]["columns"].get(measure["expr"] or measure["name"], {})
        if measure["agg"] != "count" and not column.get("constraints"):
            silent.append(metric["name"])
    known = {
        "handle_seconds_total", "survey_lag_seconds_total",  # of those that were measured
        "repeat_purchase_rate", "ordering_customers", "active_orders",  # known wherever there are orders
    }  # fmt: skip
    assert set(silent) == known, "say `null_reason: <column>` or `no_rows: <reason>` in the metric's config.meta"


def test_registry_rows_are_flat_and_carry_all_five_languages(manifest: dict[str, Any]) -> None:
    row = next(row for row in registry_rows(collect(manifest)) if row["metric_id"] == "service_roi_hard")
    assert (row["spec_rows"], row["column"], row["relation"]) == ("C01,C20", "roi_hard_ratio", "analytics.mart_service_roi_month")
    assert [row[f"label_{language}"] for language in ("en", "fr", "it", "zh", "ja")].count("") == 0
    assert all(isinstance(value, str | int | None) for value in row.values())


def test_the_shipped_specification_has_every_row_once_with_its_text() -> None:
    ids = [row.row for row in spec_rows()]
    assert (len(ids), len(set(ids))) == (223, 223)
    assert [row.row for row in spec_rows() if not (row.claim and row.feature)] == []


def test_a_row_is_served_source_absent_or_not_built_and_says_what_it_asks(manifest: dict[str, Any]) -> None:
    rows = [SpecRow(row, f"claim of {row}", "", "", "", "") for row in ("C20", "C23", "A01")]
    metrics = collect(manifest)
    feeds = {"orders", "order_lines", "interactions", "offers"}
    assert [row["state"] for row in spec_coverage(metrics, rows, feeds)] == ["source_absent", "source_absent", "not_built"]
    served = spec_coverage(metrics, rows, feeds | {"budgets"})
    assert [row["state"] for row in served] == ["served", "served", "not_built"]
    assert (served[0]["where"], served[0]["claim"]) == ("analytics.mart_service_roi_month.roi_hard_ratio", "claim of C20")
