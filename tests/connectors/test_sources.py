"""The YAML of sources: what is wrong in it is named, and a secret has no place in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dagster_project.connectors.fetch import fetch
from dagster_project.connectors.sources import find_source, load_sources
from dagster_project.errors import UsageError
from dagster_project.settings import load_settings, secret

SHOP = "shop: {kind: shopify, system: shopify, url: 'https://a.example', token_env: SHOP, start: 2026-01-01"
BASE = "crm: {kind: postgresql, system: crm, url: 'postgresql://me@db.example/crm', password_env: CRM"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[", "sources"),
        (SHOP + ", colour: red}", "colour"),
        (SHOP.replace("https", "http") + "}", "https:// is needed"),
        (SHOP.replace("SHOP", "ROI_SHOP") + "}", "token_env"),
        (SHOP.replace("shopify,", "magento,", 1) + "}", "kind"),
        (SHOP.replace("system: shopify", "system: ../x") + "}", "system"),
        (SHOP.replace("kind: shopify", "kind: zendesk") + "}", "email"),
        (BASE.replace("me@", "me:hunter2@") + ", streams: {a: {table: a, primary_key: [id]}}}", "environment variable"),
        (BASE.replace("/crm'", "/crm?password=hunter2'") + ", streams: {a: {table: a, primary_key: [id]}}}", "environment variable"),
        (BASE + ", streams: {}}", "streams"),
        (BASE + ", streams: {a: {table: a, primary_key: []}}}", "primary_key"),
        ("b: {kind: s3, system: s, bucket: b, key_id_env: A, streams: {a: x/}}", "belong together"),
    ],
)
@pytest.mark.fault("S4", "S6")
def test_a_wrong_source_is_refused_with_its_place_and_without_its_values(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "sources.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=word) as refusal:
        load_sources(path)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.fault("S9")
def test_an_object_of_python_in_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sources.yml"
    path.write_text("shop: !!python/object/apply:os.system ['true']", encoding="utf-8")
    with pytest.raises(UsageError, match="python/object"):
        load_sources(path)


def test_an_unknown_source_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "sources.yml"
    path.write_text(SHOP + "}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"unknown source desk; .*shop"):
        find_source(load_settings(connectors=path), "desk")
    with pytest.raises(UsageError, match="ROI_CONNECTORS"):
        find_source(load_settings(), "desk")


def test_a_secret_that_is_not_set_is_named_and_one_that_is_does_not_show_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="SHOP_TOKEN is not set"):
        secret("SHOP_TOKEN")
    monkeypatch.setenv("SHOP_TOKEN", "hunter2")
    assert "hunter2" not in repr(secret("SHOP_TOKEN"))
    assert secret("SHOP_TOKEN").get_secret_value() == "hunter2"


def test_a_missing_extra_is_named_with_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sources.yml"
    path.write_text("b: {kind: s3, system: s, bucket: b, streams: {a: x/}}", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "dagster_project.connectors.objects", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(UsageError, match="boto3 is not installed; remedy: the extra `connectors`"):
        fetch(load_settings(connectors=path, landing=tmp_path), "b")
