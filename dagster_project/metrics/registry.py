"""The metric registry: what the yml next to each dbt model declares as metrics, collected into rows for `ops`.

A metric is declared once, in dbt's own form (`semantic_models:` and `metrics:`); what dbt has no word for is under `config: meta:`
and is `Meta` here. Holds the model, the collection and the coverage of the specification. It must not compute a metric.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SPEC_ROWS = Path(__file__).with_name("spec_rows.csv")
_COLUMN = "^[a-z][a-z0-9_]*$"


class Labels(BaseModel):
    """What a reader sees, in four languages; English is the `label` of the metric."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fr: str = Field(min_length=1)
    it: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    ja: str = Field(min_length=1)


class Meta(BaseModel):
    """What a declaration says of a metric under `config: meta:`.

    `sources` are feeds; `a|b` means that either is enough. A changed formula is a new `version`. `kind` says what the value is: a `sum`, a
    `proportion` of counts (it gets Wilson's interval), a `mean`, or another `ratio`. `cuts` are dimensions of the semantic model or of an
    entity that it names.

    Columns of the model: `null_reason` says why the measure is null in a row, `provisional` that the cost is a budget's; `num`, `den`, `n`,
    `low` and `high` are published with a value that is computed elsewhere. One row that is unknown makes a sum unknown; with `of_known`
    the sum is of what is known, and unknown where that is nothing. A month without a row, or without a known one, is 0, or null for the
    reason `no_rows`.
    `found_in` names the published column that holds the figure, where it is not that of the measure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(default=1, ge=1)
    owner: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    direction: Literal["higher_is_better", "lower_is_better", "neutral"]
    kind: Literal["sum", "ratio", "mean", "proportion"]
    formula: str = Field(min_length=1)
    sources: tuple[str, ...] = Field(min_length=1)
    labels: Labels
    cuts: tuple[str, ...] = ()
    spec_rows: tuple[str, ...] = ()
    null_reason: str | None = Field(default=None, pattern=_COLUMN)
    provisional: str | None = Field(default=None, pattern=_COLUMN)
    num: str | None = Field(default=None, pattern=_COLUMN)
    den: str | None = Field(default=None, pattern=_COLUMN)
    n: str | None = Field(default=None, pattern=_COLUMN)
    low: str | None = Field(default=None, pattern=_COLUMN)
    high: str | None = Field(default=None, pattern=_COLUMN)
    of_known: bool = False
    no_rows: str | None = Field(default=None, pattern=_COLUMN)
    found_in: str | None = Field(default=None, pattern=r"^[a-z_]+\.[a-z0-9_]+\.[a-z0-9_]+$")


class Metric(NamedTuple):
    """One metric: its id, its English label, what is declared of it, and where it is found.

    `numerator` and `denominator` are the columns of the parts next to the figure, or the metrics that a ratio is made of.
    """

    metric_id: str
    label: str
    meta: Meta
    relation: str
    column: str
    numerator: str | None
    denominator: str | None


class Claim(NamedTuple):
    """Rows of the specification that a table serves by itself: what it holds is no figure of one metric."""

    relation: str
    spec_rows: tuple[str, ...]
    sources: tuple[str, ...]


class SpecRow(NamedTuple):
    """One row of the specification: its id, what it is drawn from, the feature that serves it, its grain, rule and unit."""

    row: str
    claim: str
    feature: str
    grain: str
    rule: str
    unit: str


def spec_rows() -> tuple[SpecRow, ...]:
    """Read the shipped list of specification rows, in file order."""
    with SPEC_ROWS.open(encoding="utf-8", newline="") as file:
        return tuple(SpecRow(**record) for record in csv.DictReader(file))


def collect(manifest: Mapping[str, Any]) -> list[Metric]:
    """All metrics of dbt's `manifest.json` (a dict), by `metric_id`.

    Raises
    ------
    ValueError
        A declaration is incomplete or misspelt, or names a row that the specification lacks; the message names the metric.
    """
    known = {row.row for row in spec_rows()}
    measures = {measure["name"]: (of, measure) for of in manifest["semantic_models"].values() for measure in of["measures"]}
    metrics = []
    for declared in sorted(manifest["metrics"].values(), key=lambda metric: str(metric["name"])):
        name, given = declared["name"], declared["type_params"]
        try:
            meta = Meta.model_validate(declared["config"]["meta"])
        except ValidationError as error:
            found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise ValueError(f"metric {name} in {declared['original_file_path']}: config.meta: {found}") from error
        if unknown := set(meta.spec_rows) - known:
            raise ValueError(f"metric {name} claims rows that the specification lacks: {sorted(unknown)}")
        if declared["type"] == "ratio":
            place, parts = "reporting.mart_metric.value", (given["numerator"]["name"], given["denominator"]["name"])
        else:
            of, measure = measures[given["measure"]["name"]]
            column = str(measure["expr"] or measure["name"])  # what an expression gives is found in mart_metric alone
            place, parts = (
                f"{_home(manifest, of)}.{column}" if column.isidentifier() else "reporting.mart_metric.value",
                (meta.num, meta.den),
            )
        relation, _, column = (meta.found_in or place).rpartition(".")
        metrics.append(Metric(name, declared["label"], meta, relation, column, *parts))
    return metrics


def collect_claims(manifest: Mapping[str, Any]) -> list[Claim]:
    """All claims of tables, `meta: {spec_rows, sources}` in the config of a model; sources as in `Meta`.

    Raises
    ------
    ValueError
        A table names a row that the specification lacks, or no source.
    """
    known, claims = {row.row for row in spec_rows()}, []
    for node in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"])):
        meta = node["config"].get("meta") or {}
        if node["resource_type"] == "model" and "spec_rows" in meta:
            claim = Claim(f"{node['schema']}.{node['name']}", tuple(meta["spec_rows"]), tuple(meta.get("sources", ())))
            if unknown := set(claim.spec_rows) - known:
                raise ValueError(f"table {claim.relation} claims rows that the specification lacks: {sorted(unknown)}")
            if not claim.sources:
                raise ValueError(f"table {claim.relation} claims rows without a source; remedy: `sources` under its meta")
            claims.append(claim)
    return claims


def _home(manifest: Mapping[str, Any], semantic_model: Mapping[str, Any]) -> str:
    """Return the table of a semantic model: of a model that only shows a result of analytics, that result."""
    node = manifest["nodes"][semantic_model["depends_on"]["nodes"][0]]
    sources = [manifest["sources"].get(name) for name in node["depends_on"]["nodes"]]
    shown = next((source for source in sources if source and source["schema"] == "analytics" and len(sources) == 1), node)
    return f"{shown['schema']}.{shown['name']}"


def registry_rows(metrics: Iterable[Metric]) -> list[dict[str, object]]:
    """Rows of `ops.metric_registry`: one row a metric; lists joined by a comma, labels as `label_<language>`."""
    rows: list[dict[str, object]] = []
    for metric in metrics:
        meta = metric.meta
        rows.append({
            "metric_id": metric.metric_id, "version": meta.version, "owner": meta.owner, "formula": meta.formula, "unit": meta.unit,
            "direction": meta.direction, "kind": meta.kind, "cuts": ",".join(meta.cuts), "sources": ",".join(meta.sources),
            "relation": metric.relation, "spec_rows": ",".join(meta.spec_rows), "numerator": metric.numerator,
            "denominator": metric.denominator, "column": metric.column, "label_en": metric.label,
            **{f"label_{language}": text for language, text in meta.labels.model_dump().items()},
        })  # fmt: skip
    return rows


def spec_coverage(
    metrics: Iterable[Metric], rows: Iterable[SpecRow], present_feeds: Collection[str], tables: Iterable[Claim] = ()
) -> list[dict[str, str]]:
    """Rows of `ops.spec_coverage`: one row per specification row, with its text.

    `state` is `served` when a metric or a table claims the row and its sources were delivered, `source_absent` when every such one lacks a
    source, else `not_built`. `where` names relation.column of the claiming metrics, and the claiming tables.
    """
    claims: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for metric in metrics:
        for row in metric.meta.spec_rows:
            claims.setdefault(row, []).append((f"{metric.relation}.{metric.column}", metric.meta.sources))
    for table in tables:
        for row in table.spec_rows:
            claims.setdefault(row, []).append((table.relation, table.sources))

    def have_come(sources: tuple[str, ...]) -> bool:
        return all(any(feed in present_feeds for feed in source.split("|")) for source in sources)

    coverage = []
    for spec in rows:
        claimed = claims.get(spec.row, [])
        state = "not_built" if not claimed else "served" if any(have_come(sources) for _, sources in claimed) else "source_absent"
        text = {name: value for name, value in spec._asdict().items() if name != "row"}
        coverage.append({"row_id": spec.row, **text, "state": state, "where": ", ".join(where for where, _ in claimed)})
    return coverage
