"""The layers of the house over dbt's manifest: who reads whom, contracts, descriptions, the closed vocabulary of columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.transform import project

MAY_READ = {
    "staging": {"arrived", "lake"},
    "intermediate": {"staging", "intermediate", "lake", "state", "seeds"},
    "marts": {"staging", "intermediate", "marts", "lake"},
    "reporting": {"marts", "analytics", "lake"},
}
SUFFIXES = tuple(
    """_id _key _at _date _month _seconds _minutes _hours _days _amount _count _rate _share _ratio _score _state _segment _tier _channel
    _kind _reason _num _den _version _hash _sha256 _code _period _year _source _metric _category _behaviour _family _method""".split()
)
PLAIN = set(
    """channel currency_code fiscal_period fiscal_year quantity unit_price unit_cost segment industry size_band outcome queue direction
    priority traceability recurrence cost_centre gl_account null_reason driver concurrency vendor role purpose tags account_name
    time_zone country_code language_code question_key source_name returned_quantity legal_entity escalation_level""".split()
)
UNIT_COST = re.compile(r"_(amount|count)_[a-z_]+$")


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return project.manifest()


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def parents(manifest: dict[str, Any], node: dict[str, Any]) -> set[str]:
    found = set()
    for name in node["depends_on"]["nodes"]:
        parent = manifest["nodes"].get(name) or manifest["sources"][name]
        found.add("seeds" if parent["resource_type"] == "seed" else parent["schema"])
    return found


def test_every_model_reads_only_the_layers_it_may(manifest: dict[str, Any]) -> None:
    offenders = {node["name"]: parents(manifest, node) - MAY_READ[node["schema"]] for node in models(manifest)}
    assert {name: extra for name, extra in offenders.items() if extra} == {}


def test_folder_schema_and_layer_are_the_same_word(manifest: dict[str, Any]) -> None:
    assert [node["name"] for node in models(manifest) if node["schema"] != Path(node["path"]).parts[0]] == []


def test_staging_models_read_one_source_of_their_own_name(manifest: dict[str, Any]) -> None:
    for node in models(manifest):
        if node["schema"] == "staging":
            named = {manifest["sources"][name]["name"] for name in node["depends_on"]["nodes"]}
            assert named == {node["name"].removeprefix("stg_")}, node["name"]


def test_every_feed_has_a_staging_model_that_says_its_grain_and_keeps_its_key(manifest: dict[str, Any]) -> None:
    staging = {node["name"].removeprefix("stg_"): node for node in models(manifest) if node["schema"] == "staging"}
    assert sorted(staging) == sorted(feeds())
    for feed, node in staging.items():
        written = re.match(r"\{\{ latest_version\('(\w+)', \[([^]]+)\](, 'lake')?\) \}\}$", node["raw_code"].strip())
        assert written, f"{node['name']} does more than name the latest version"
        assert (written[1], tuple(re.findall(r"\w+", written[2]))) == (feed, load_contract(feed).primary_key)
        assert node["description"].startswith(load_contract(feed).purpose.rstrip(".")), f"{node['name']} does not say what a row is"


def test_a_staging_model_is_a_view_over_the_lake_as_long_as_no_model_reads_it(manifest: dict[str, Any]) -> None:
    staging = {node["name"]: node for node in models(manifest) if node["schema"] == "staging"}
    over_the_lake = {name for name, node in staging.items() if parents(manifest, node) == {"lake"}}
    assert over_the_lake == project.unread_staging(manifest)
    assert {staging[name]["config"]["materialized"] for name in over_the_lake} == {"view"}
    assert {staging[name]["config"]["materialized"] for name in staging.keys() - over_the_lake} == {"incremental"}


def test_models_that_replace_months_write_them_in_order(manifest: dict[str, Any]) -> None:
    monthly = [node for node in models(manifest) if node["config"]["materialized"] == "incremental" and node["schema"] != "staging"]
    assert len(monthly) > 10
    assert [node["name"] for node in monthly if not node["raw_code"].rstrip().endswith("{{ in_month_order() }}")] == []


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
