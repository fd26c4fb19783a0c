"""The layers of the house over dbt's manifest: who reads whom, contracts, descriptions, the closed vocabulary of columns."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.contracts.model import load_contract
from dagster_project.transform import project

MAY_READ = {
    "staging": {"arrived", "lake"},
    "intermediate": {"staging", "intermediate", "lake", "state", "seeds"},
    "marts": {"staging", "intermediate", "marts", "lake"},
    "reporting": {"marts", "analytics", "reporting", "lake"},
}
SUFFIXES = tuple(
    """_id _key _at _date _month _seconds _minutes _hours _days _amount _count _rate _share _ratio _score _state _segment _tier _channel
    _kind _reason _num _den _version _hash _sha256 _code _period _year _source _metric _category _behaviour _family _method""".split()
)
PLAIN = set(
    """channel currency_code fiscal_period fiscal_year quantity unit_price unit_cost segment industry size_band outcome queue direction
    priority traceability recurrence cost_centre gl_account null_reason driver concurrency vendor role purpose tags account_name
    time_zone country_code language_code question_key source_name returned_quantity legal_entity escalation_level waits_for
    customer_share_for_80 period_start intent matures_on_1 matures_on_3 matures_on_7 matures_on_14 matures_on_30 interval_number
    cut member num den value n low high unit comparator population threshold_value target_value tier_gap_value agent_role languages skills
    training_topic training_format customised_for certification owner measured_comparator measured_unit queue_outcome""".split()
)
DAY = "model.service_roi.int_core__affected_day"
UNIT_COST = re.compile(r"_(amount|count)_[a-z_]+$")


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return project.manifest()


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def parents(manifest: dict[str, Any], node: dict[str, Any]) -> set[str]:
    found = set()
    for name in node["depends_on"]["nodes"]:
        if DAY in (name, node["unique_id"]) and (node["schema"] == "staging" or ".arrived." in name):
            continue  # staging only waits until the days of what it replaces are known
        parent = manifest["nodes"].get(name) or manifest["sources"][name]
        found.add("seeds" if parent["resource_type"] == "seed" else parent["schema"])
    return found


def test_every_model_reads_only_the_layers_it_may(manifest: dict[str, Any]) -> None:
    offenders = {node["name"]: parents(manifest, node) - MAY_READ[node["schema"]] for node in models(manifest)}
    assert {name: extra for name, extra in offenders.items() if extra} == {}


def test_folder_schema_and_layer_are_the_same_word(manifest: dict[str, Any]) -> None:
    assert [node["name"] for node in models(manifest) if node["schema"] != Path(node["path"]).parts[0]] == []


def test_each_model_has_its_yml_next_to_it(manifest: dict[str, Any]) -> None:
    described = {node["original_file_path"]: (node["patch_path"] or "").partition("://")[2] for node in models(manifest)}
    assert {sql: yml for sql, yml in described.items() if yml != sql.removesuffix(".sql") + ".yml"} == {}


def test_a_description_that_three_tables_share_is_written_once_in_columns_md() -> None:
    written: Counter[tuple[str, str]] = Counter()
    for path in project.DBT_DIR.glob("models/**/*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            written.update(
                (column["name"], column["description"]) for column in model.get("columns", []) if "{{" not in column["description"]
            )
    assert {key: times for key, times in written.items() if times >= 3} == {}


def test_staging_models_read_one_source_of_their_own_name(manifest: dict[str, Any]) -> None:
    for node in models(manifest):
        if node["schema"] == "staging":
            named = {manifest["sources"][name]["name"] for name in node["depends_on"]["nodes"] if name in manifest["sources"]}
            assert named == {node["name"].removeprefix("stg_")}, node["name"]


def test_a_staging_model_is_read_says_its_grain_and_keeps_the_key_of_its_feed(manifest: dict[str, Any]) -> None:
    read = {parent for node in models(manifest) for parent in node["depends_on"]["nodes"]}
    for node in (node for node in models(manifest) if node["schema"] == "staging"):
        feed = node["name"].removeprefix("stg_")
        written = re.match(r"\{\{ latest_version\('(\w+)', \[([^]]+)\]\) \}\}$", node["raw_code"].strip())
        assert written, f"{node['name']} does more than name the latest version"
        assert (written[1], tuple(re.findall(r"\w+", written[2]))) == (feed, load_contract(feed).primary_key)
        assert node["description"].startswith(load_contract(feed).purpose.rstrip(".")), f"{node['name']} does not say what a row is"
        assert node["unique_id"] in read, f"{node['name']} is read by no model; remedy: delete it until one does, the lake keeps its rows"


def test_monthly_models_never_ask_whether_they_are_incremental(manifest: dict[str, Any]) -> None:
    monthly = [node for node in models(manifest) if node["config"]["materialized"] == "monthly"]
    assert len(monthly) > 10
    assert [node["name"] for node in monthly if "is_incremental" in node["raw_code"]] == []
    silent = [node["name"] for node in monthly if "int_core__affected_month" not in " ".join(node["depends_on"]["nodes"])]
    assert silent == [], "these read nothing by rows_of: say after_affected_months() in them"


def test_a_table_that_models_by_month_read_whole_says_how_its_changes_name_months(manifest: dict[str, Any]) -> None:
    known = {node["unique_id"]: node for node in models(manifest)}
    silent = [
        f"{node['name']} is built by month and reads {known[name]['name']}, whose changes name no month: months that are not built again"
        f" would keep its old values; remedy: materialized='table' for {node['name']}, or take the column where it is read"
        for node in models(manifest)
        if node["config"]["materialized"] == "monthly"
        for name in node["depends_on"]["nodes"]
        if name in known and known[name]["config"]["materialized"] != "monthly" and known[name]["schema"] != "staging"
        and "affected" not in name and "months_follow" not in known[name]["config"]["meta"]
    ]  # fmt: skip
    assert silent == []


def test_every_table_of_marts_names_its_grain_and_is_tested_for_it(manifest: dict[str, Any]) -> None:
    tables = {
        node["unique_id"]: node for node in models(manifest) if node["schema"] == "marts" and node["config"]["materialized"] != "view"
    }
    silent = [node["name"] for node in tables.values() if not set(node["config"]["meta"].get("grain", ["?"])) <= set(node["columns"])]
    assert silent == [], f"write the columns of the key into `config: meta: grain` of {', '.join(silent)}"
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    tested = {node["attached_node"] for node in tests if (node.get("test_metadata") or {}).get("name") == "grain_is_unique"}
    assert sorted(tables.keys() - tested) == [], "write `data_tests: [grain_is_unique]` into their yml"


def test_the_statement_of_affected_days_waits_for_every_feed_that_says_what_it_affects(manifest: dict[str, Any]) -> None:
    (day,) = [node for node in models(manifest) if node["name"] == "int_core__affected_day"]
    read = {manifest["sources"][name]["name"] for name in day["depends_on"]["nodes"] if name in manifest["sources"]} - {"run_parameters"}
    affects = {node["name"].removeprefix("stg_"): node["config"]["meta"].get("affects", {}) for node in models(manifest)}
    declared = {feed for feed, words in affects.items() if words.get("keys") is not None}
    assert read == declared, "int_core__affected_day must name each feed that has `affects: keys`, and no other"


def test_an_instant_that_places_rows_in_months_is_declared_where_its_feed_is_staged(manifest: dict[str, Any]) -> None:
    declared = {node["name"]: node["config"]["meta"].get("affects", {}) for node in models(manifest)}
    silent = [
        f"{node['name']} takes the month of its rows from {name}.{instant}, which does not say that it affects months: a late row"
        f" would be missing until a full build; remedy: {instant} under `affects: days:` of {name}.yml"
        for node in models(manifest)
        for name, instant in re.findall(r"rows_near\('(\w+)', '(\w+)'", node["raw_code"])
        if not declared[name].get("by_difference") and instant not in declared[name].get("days", [])
    ]
    assert silent == []


def test_published_models_enforce_a_contract_and_say_their_grain(manifest: dict[str, Any]) -> None:
    for node in models(manifest):
        if node["schema"] in {"marts", "reporting"}:
            assert node["config"]["contract"]["enforced"], node["name"]
            assert len(node["description"]) > 30, f"{node['name']} does not say what a row is"
            bare = [name for name, column in node["columns"].items() if not column["description"].strip()]
            assert bare == [], f"{node['name']}: columns without a description"


def test_published_columns_use_the_closed_vocabulary(manifest: dict[str, Any]) -> None:
    offenders = [
        f"{node['name']}.{name}"
        for node in models(manifest)
        if node["schema"] in {"marts", "reporting"}
        for name in node["columns"]
        if not (name in PLAIN or name.startswith(("is_", "has_")) or name.endswith(SUFFIXES) or UNIT_COST.search(name))
    ]
    assert offenders == []


@pytest.mark.fault("F14")
def test_money_is_decimal_and_never_a_float(manifest: dict[str, Any]) -> None:
    for node in models(manifest):
        for name, column in node["columns"].items():
            kind = (column.get("data_type") or "").lower()
            if "amount" in name:
                assert kind.startswith("decimal("), f"{node['name']}.{name} is {kind}"
