"""Every setting stands in `.env.example` and every assumption has its unit and reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagster_project.assumptions import load_assumptions
from dagster_project.errors import UsageError
from dagster_project.settings import Settings, load_settings

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"


def test_the_example_environment_names_every_setting_and_no_other() -> None:
    named = set(re.findall(r"^(ROI_\w+)=", EXAMPLE.read_text(encoding="utf-8"), flags=re.M))
    assert named == {f"ROI_{name.upper()}" for name in Settings.model_fields}


def test_an_unknown_setting_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROI_HOEM", "somewhere")
    with pytest.raises(UsageError, match="ROI_HOEM"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tier_a_share: {value: 0.8, unit: share}", "reason"),
        ("tier_z_share: {value: 0.8, unit: share, reason: none}", "tier_z_share"),
        ("tier_a_share: {value: 1.8, unit: share, reason: too much}", "tier_a_share"),
        ("tier_a_share: [", "assumptions"),
    ],
)
def test_an_assumption_that_is_unknown_incomplete_or_out_of_range_is_refused(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "assumptions.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=word):
        load_assumptions(path)


def test_an_override_changes_the_hash_that_goes_into_every_extract(tmp_path: Path) -> None:
    path = tmp_path / "assumptions.yml"
    path.write_text("activity_window_days: {value: 180, unit: days, reason: a fast moving trade}", encoding="utf-8")
    assert load_assumptions(path).activity_window_days == 180
    assert load_assumptions(path).content_hash() != load_assumptions().content_hash()


def test_an_empty_variable_of_the_example_means_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in re.findall(r"^(ROI_\w+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), flags=re.M):
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert (settings.mappings, settings.assumptions, settings.until) == (None, None, None)
    assert settings.threads == 2
