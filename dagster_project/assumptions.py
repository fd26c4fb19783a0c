"""What the business believes, read once and validated: `assumptions.yml` plus the user's overrides.

Holds the model and its loader. It must not hold a formula.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dagster_project.errors import UsageError
from dagster_project.host.yaml_files import read_yaml

DEFAULTS = Path(__file__).with_name("assumptions.yml")


class Assumptions(BaseModel):
    """Values only; unit and reason are next to each value in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reporting_currency_code: str | None = Field(pattern="^[A-Z]{3}$")
    company_time_zone: str | None
    legal_entity: str | None = Field(min_length=1)
    fiscal_year_start_month: int = Field(ge=1, le=12)
    activity_window_days: int = Field(gt=0)
    offer_window_days: int = Field(gt=0)
    taken_back_days: int = Field(ge=0)
    tier_a_share: Decimal = Field(gt=0, lt=1)
    tier_b_share: Decimal = Field(gt=0, le=1)
    top_customer_share: Decimal = Field(gt=0, lt=1)
    value_share_target: Decimal = Field(gt=0, lt=1)
    handle_limit_seconds: int = Field(gt=0)
    immediate_survey_minutes: int = Field(gt=0)
    immediate_survey_other_minutes: int = Field(gt=0)
    acsi_overall_weight: Decimal | None = Field(gt=0, le=100)
    acsi_expectation_weight: Decimal | None = Field(gt=0, le=100)
    acsi_ideal_weight: Decimal | None = Field(gt=0, le=100)
    answer_target_seconds: int = Field(gt=0)
    short_abandon_seconds: int = Field(ge=0)
    company_country_code: str | None = Field(pattern="^[A-Z]{2}$")
    small_customer_gap_share: Decimal = Field(ge=0, le=1)
    ledger_posted_share: Decimal = Field(ge=0, le=1)
    document_difference_limit_amount: Decimal = Field(ge=0)
    normal_shift_hours: Decimal = Field(gt=0, le=24)
    ramp_months: int = Field(ge=0, le=60)
    ramp_first_share: Decimal = Field(ge=0, le=1)
    ramp_last_share: Decimal = Field(ge=0, le=1)
    customer_hour_value_amount: Decimal | None = Field(ge=0)
    pool_drivers: tuple[Annotated[str, Field(pattern=r"^[^,=]+=(calls|seats|sessions|time)$")], ...]
    quarantine_threshold_rate: Decimal = Field(ge=0, le=1)
    quarantine_threshold_records: int = Field(ge=0)
    ended_sources: tuple[str, ...]
    unsolved_resolution_codes: tuple[str, ...]
    unresolvable_issue_families: tuple[str, ...]
    resolution_price_amount: Decimal | None = Field(ge=0)

    @field_validator("pool_drivers")
    @classmethod
    def _each_pool_has_one_driver(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        pools = [entry.partition("=")[0] for entry in value]
        if len(set(pools)) < len(pools):
            raise ValueError("a pool has two drivers")
        return value

    def content_hash(self) -> str:
        """SHA-256 of the values; written into every published copy and extract."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


_REMEDY = "write it as dagster_project/assumptions.yml is written"


def _values(path: Path) -> dict[str, object]:
    entries = read_yaml(path, "assumptions", _REMEDY) or {}
    if not isinstance(entries, dict):
        raise UsageError(f"assumptions {path}: no list of names; remedy: {_REMEDY}")
    for name, entry in entries.items():
        if not isinstance(entry, dict) or set(entry) != {"value", "unit", "reason"}:
            raise UsageError(f"assumptions {path}: {name} needs exactly value, unit and reason; remedy: {_REMEDY}")
    return {name: entry["value"] for name, entry in entries.items()}


def load_assumptions(overrides: Path | None = None) -> Assumptions:
    """Read the defaults and put the user's file over them.

    Raises
    ------
    UsageError
        The file is missing, not of the stated form, names an unknown assumption or a value out of range.
    """
    values = _values(DEFAULTS)
    if overrides is not None:
        values |= _values(overrides)
    try:
        return Assumptions.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"assumptions {overrides or DEFAULTS}: {first['loc'][0]}: {first['msg']}; remedy: {_REMEDY}") from error
