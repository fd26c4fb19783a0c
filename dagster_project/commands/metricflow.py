"""SQL that MetricFlow makes of the declared metrics, for the published copy: any cuts together.

MetricFlow sums what is known. So that an unknown part stays unknown, every measure that may be null gets a companion: the reason of its
null rows. Needs the extra `metrics`. Holds the SQL only; it must not run it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from dbt.contracts.graph.semantic_manifest import SemanticManifest
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from dagster_project.transform import project

_MONTH = "metric_time__day"  # the first day of a fiscal month: by `month` MetricFlow would cut at calendar months


class _DuckDB:
    """What MetricFlow asks of a client that only renders SQL."""

    sql_engine_type: ClassVar[Any] = SqlEngine.DUCKDB
    sql_plan_renderer: ClassVar[Any] = DuckDbSqlPlanRenderer()


def metricflow_sql(metric: str, cuts: Sequence[str], period: str = "month") -> str:
    """Return the SQL of a metric by month and cuts.

    Columns: period_month, one per cut, value, num, den, unit, null_reason, is_complete_period.
    """
    declared, measured, engine = _declarations()
    of = declared[metric]
    ratio = of["type"] == "ratio"
    parts = [of["type_params"][part]["name"] for part in ("numerator", "denominator")] if ratio else [metric]
    names = {cut: _dimension(measured, [declared[part] for part in parts], cut) for cut in cuts}
    reasons = {part: f"{part}__reason" for part in parts if "null_reason" in _meta(declared[part])}
    subject = measured[declared[parts[0]]["type_params"]["measure"]["name"]]
    kind = subject["config"]["meta"].get("period_kind") if subject.get("config") else None
    where = [f"{{{{ Dimension('{subject['primary_entity']}__{kind}') }}}} = '{period}'"] if kind else None
    request = MetricFlowQueryRequest.create(
        metric_names=[*dict.fromkeys([metric, *parts, *reasons.values()])],
        group_by_names=[_MONTH, *names.values()],
        where_constraints=where,
    )
    known = [_known(measured, declared[part], reasons.get(part)) for part in parts]
    num, den = known[0][0], known[1][0] if ratio else "null"
    value = f"case when {num} is not null and {den} <> 0 then coalesce({metric}, 0) end" if ratio else num  # no row of a count is 0
    zero = [f"case when {den} = 0 then 'zero_denominator' end"] if ratio else []
    why = ", ".join([*(reason for _, reason in known), *zero, "null"])
    members = "".join(f"coalesce(cast({name} as varchar), 'none') as {cut}, " for cut, name in names.items())
    return (
        f"select * from (select months.period_month, {members}cast({value} as double) as value, cast({num} as decimal(28, 6)) as num,"
        f" cast({den} as decimal(28, 6)) as den, '{_meta(of)['unit']}' as unit, coalesce({why}) as null_reason, months.is_complete_period"
        f" from ({engine.explain(request).sql_statement.sql}) as found"
        f" inner join marts.dim_period as months on cast(found.{_MONTH} as date) = months.period_month) as figures"
        " where value is not null or null_reason is not null"
    )


def raw_sql(metric: str) -> str:
    """Return what MetricFlow itself would ask for a metric by month, also of what is in none, without a companion."""
    request = MetricFlowQueryRequest.create(metric_names=[metric], group_by_names=[_MONTH])
    return f"select cast({_MONTH} as date), {metric} from ({_declarations()[2].explain(request).sql_statement.sql}) as found"


def _meta(metric: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = metric["config"]["meta"]
    return meta


def _known(measured: dict[str, Any], part: dict[str, Any], reason: str | None) -> tuple[str, str]:
    """Return the SQL of a part where it is known, and of the reason where it is not: as the macro of `mart_metric` decides."""
    name, measure = part["name"], part["type_params"]["measure"]["name"]
    if any(one["name"] == measure and one["agg"] == "count" for one in measured[measure]["measures"]):
        return f"coalesce({name}, 0)", "null"
    if reason is None:
        return name, "null"
    unknown = f"{reason} is not null" + (f" and coalesce({name}, 0) = 0" if _meta(part).get("of_known") else "")
    return f"case when not ({unknown}) then {name} end", f"case when {unknown} then {reason} end"


def _dimension(measured: dict[str, Any], parts: Sequence[dict[str, Any]], cut: str) -> str:
    """Return MetricFlow's name of a cut, through the entity that has it."""
    own = measured[parts[0]["type_params"]["measure"]["name"]]
    if any(dimension["name"] == cut for dimension in own["dimensions"]):
        return f"{own['primary_entity']}__{cut}"
    return "__".join([next(entity["name"] for entity in own["entities"] if entity["type"] == "foreign"), cut])


@cache
def _declarations() -> tuple[dict[str, Any], dict[str, Any], MetricFlowEngine]:
    """Return metrics by name, semantic models by measure, and the engine over both, with relations as the published copy names them."""
    with TemporaryDirectory() as folder:
        written = Path(folder) / "semantic_manifest.json"
        SemanticManifest(project.parsed()).write_json_to_file(str(written))
        content = json.loads(written.read_text(encoding="utf-8"))
    for subject in content["semantic_models"]:
        node = subject["node_relation"]
        subject["node_relation"] = {**node, "database": None, "relation_name": f"{node['schema_name']}.{node['alias']}"}
    measured = {measure["name"]: subject for subject in content["semantic_models"] for measure in subject["measures"]}
    declared = {metric["name"]: metric for metric in content["metrics"]}
    for metric in list(declared.values()):
        if metric["type"] == "simple" and "null_reason" in _meta(metric):
            _add_reason(content, measured, metric)
    lookup = SemanticManifestLookup(parse_manifest_from_dbt_generated_manifest(json.dumps(content)))
    return declared, measured, MetricFlowEngine(lookup, _DuckDB())


def _add_reason(content: dict[str, Any], measured: dict[str, Any], metric: dict[str, Any]) -> None:
    name, subject = f"{metric['name']}__reason", measured[metric["type_params"]["measure"]["name"]]
    measure = next(one for one in subject["measures"] if one["name"] == metric["type_params"]["measure"]["name"])
    expr = f"case when {measure['expr'] or measure['name']} is null then {_meta(metric)['null_reason']} end"
    subject["measures"].append({**measure, "name": name, "agg": "min", "expr": expr})
    companion = deepcopy(metric) | {"name": name, "label": name}
    for one in (companion["type_params"]["measure"], *companion["type_params"]["input_measures"]):
        one["name"] = name
    content["metrics"].append(companion)
