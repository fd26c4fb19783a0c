"""The metric registry: one declaration beside each metric, collected into rows for `ops`.

Python metrics declare `METRICS` in their module; SQL metrics declare the same fields in the dbt yml, under a column's
`config: meta: metric:`. Holds the model, the collection and the coverage of the specification. It must not compute a metric.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

SPEC_ROWS = Path(__file__).with_name("spec_rows.csv")
MODULES = ("roi", "retention", "concentration")


class Labels(BaseModel):
    """What a reader sees, in the five languages of the product."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)
    it: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    ja: str = Field(min_length=1)


class Metric(BaseModel):
    """One metric: what it means, where it is found, which rows of the specification it serves.

    `sources` are feeds; `a|b` means that either is enough. A changed formula is a new `version`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric_id: str = Field(pattern="^[a-z][a-z0-9_]*$")
    version: int = Field(ge=1)
    owner: str = Field(min_length=1)
    formula: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    direction: Literal["higher_is_better", "lower_is_better", "neutral"]
    sources: tuple[str, ...] = Field(min_length=1)
    relation: str = Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")
    column: str = Field(pattern="^[a-z][a-z0-9_]*$")
    spec_rows: tuple[str, ...] = ()
    labels: Labels
    numerator: str | None = None
    denominator: str | None = None


class SpecRow(NamedTuple):
    """One row of the specification: its id, feature, grain and unit."""

    row: str
    feature: str
    grain: str
    unit: str


def spec_rows() -> tuple[SpecRow, ...]:
    """Read the shipped list of specification rows, in file order."""
    with SPEC_ROWS.open(encoding="utf-8", newline="") as file:
        return tuple(SpecRow(**record) for record in csv.DictReader(file))


def _declared_in_dbt(manifest: Mapping[str, Any]) -> Iterable[Metric]:
    for node in manifest.get("nodes", {}).values():
        if node.get("resource_type") != "model":
            continue
        for name, column in (node.get("columns") or {}).items():
            meta = (column.get("config") or {}).get("meta") or column.get("meta") or {}
            if "metric" in meta:
                yield Metric(**{"relation": f"{node['schema']}.{node.get('alias') or node['name']}", "column": name, **meta["metric"]})


def collect(manifest: Mapping[str, Any] | None = None) -> list[Metric]:
    """All metrics: those of this package and those of dbt's `manifest.json` (a dict), by `metric_id`.

    Raises
    ------
    ValueError
        Two declarations carry the same id, or one names a row that the specification lacks.
    pydantic.ValidationError
        A declaration in the yml is incomplete or misspelt.
    """
    metrics = [metric for module in MODULES for metric in importlib.import_module(f"{__package__}.{module}").METRICS]
    metrics += _declared_in_dbt(manifest or {})
    known = {row.row for row in spec_rows()}
    seen: set[str] = set()
    for metric in metrics:
        if metric.metric_id in seen:
            raise ValueError(f"metric {metric.metric_id} is declared twice; a metric has one home")
        if unknown := set(metric.spec_rows) - known:
            raise ValueError(f"metric {metric.metric_id} claims rows that the specification lacks: {sorted(unknown)}")
        seen.add(metric.metric_id)
    return sorted(metrics, key=lambda metric: metric.metric_id)


def registry_rows(metrics: Iterable[Metric]) -> list[dict[str, object]]:
    """Rows of `ops.metric_registry`: one row a metric; lists joined by a comma, labels as `label_<language>`."""
    rows: list[dict[str, object]] = []
    for metric in metrics:
        row = metric.model_dump(exclude={"labels", "column"})
        row |= {"column": metric.column, "sources": ",".join(metric.sources), "spec_rows": ",".join(metric.spec_rows)}
        rows.append(row | {f"label_{language}": text for language, text in metric.labels.model_dump().items()})
    return rows


def spec_coverage(metrics: Iterable[Metric], rows: Iterable[SpecRow], present_feeds: Collection[str]) -> list[dict[str, str]]:
    """Rows of `ops.spec_coverage`: one row per specification row.

    `state` is `served` when a metric claims the row and its sources were delivered, `source_absent` when a metric claims it
    but every such metric lacks a source, else `not_built`. `where` names relation.column of the claiming metrics.
    """
    claims: dict[str, list[Metric]] = {}
    for metric in metrics:
        for row in metric.spec_rows:
            claims.setdefault(row, []).append(metric)

    def has_sources(metric: Metric) -> bool:
        return all(any(feed in present_feeds for feed in source.split("|")) for source in metric.sources)

    coverage = []
    for spec in rows:
        claimed = claims.get(spec.row, [])
        state = "not_built" if not claimed else "served" if any(map(has_sources, claimed)) else "source_absent"
        where = ", ".join(f"{metric.relation}.{metric.column}" for metric in claimed)
        coverage.append({"row_id": spec.row, "state": state, "where": where})
    return coverage
