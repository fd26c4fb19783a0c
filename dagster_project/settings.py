"""The only reader of the environment: where the warehouse runs and what it may use.

Every variable has the prefix `ROI_` and is in `.env.example`; an unknown `ROI_` variable is an error.
What the business believes is not here: see `assumptions.yml`.
"""

from __future__ import annotations

import os
import signal
from datetime import date
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import ByteSize, Field, SecretStr, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dagster_project.errors import UsageError

PACKAGE_DIR = Path(__file__).resolve().parent
PROJECT_DIR = PACKAGE_DIR.parent


class Settings(BaseSettings):
    """Where things are. Paths are absolute after validation; nothing is created by reading settings."""

    model_config = SettingsConfigDict(env_prefix="ROI_", env_ignore_empty=True, extra="forbid", frozen=True)

    landing: Path = PROJECT_DIR / "demo" / "landing"
    home: Path = PROJECT_DIR / "demo" / "home"
    mappings: Path | None = None
    assumptions: Path | None = None
    connectors: Path | None = None
    until: str | None = None
    engine: Literal["duckdb", "spark"] = "duckdb"
    spark_master: str = Field(default="local[*]", min_length=1)
    spark_remote: str | None = None
    copy_limit_bytes: int = Field(default=50_000_000_000, ge=0)
    threads: int = Field(default=2, ge=1, le=1_024)
    memory_limit: str = "4GB"
    sql_seconds: float = Field(default=600, gt=0)
    sql_memory_limit: ByteSize = Field(default=ByteSize(4_000_000_000), ge=50_000_000)
    sql_disk_limit: ByteSize = Field(default=ByteSize(10_000_000_000), gt=0)
    mapping_seconds: float = Field(20.0, gt=0)
    mapping_rows: int = Field(100, gt=0)
    hash_key: SecretStr | None = None
    fault_point: str | None = None
    first_delivery_day: date = date(2020, 1, 1)
    schedule_time_zone: str = "UTC"
    alert_slack_webhook: SecretStr | None = None
    alert_smtp_url: SecretStr | None = None
    alert_email_from: str | None = None
    alert_email_to: str | None = None

    @field_validator("memory_limit")
    @classmethod
    def _a_size(cls, value: str) -> str:
        if TypeAdapter(ByteSize).validate_python(value) <= 0:
            raise ValueError("Input should be greater than 0, a number and a unit, such as 4GB")
        return value

    @field_validator("schedule_time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {value}") from error
        return value

    def model_post_init(self, context: object) -> None:  # noqa: ARG002  pydantic names it
        """Make every path absolute, so that no later step depends on the working directory."""
        for name in ("landing", "home", "mappings", "assumptions", "connectors"):
            value = getattr(self, name)
            if value is not None:
                shown = os.fsencode(value).decode("utf-8", "backslashreplace")
                if shown != str(value):
                    raise UsageError(f"setting {name}: {shown} is not UTF-8; remedy: name a folder of plain letters")
                try:
                    object.__setattr__(self, name, value.expanduser().resolve())
                except (OSError, RuntimeError) as error:  # a loop of links is either, by version of Python
                    raise UsageError(f"setting {name}: {value} leads nowhere ({error}); remedy: name a folder that is there") from error

    @property
    def warehouse(self) -> Path:
        """The writer's own DuckDB file; never opened by readers."""
        return self.home / "warehouse.duckdb"

    @property
    def lake(self) -> Path:
        """Immutable typed Parquet, one folder per feed."""
        return self.home / "lake"

    @property
    def ops(self) -> Path:
        """Ledger, lock and run files."""
        return self.home / "ops"

    @property
    def restricted(self) -> Path:
        """What may hold personal data in the clear, and the key of hashes: never published, closed to everyone but the owner."""
        return self.home / "restricted"

    @property
    def scratch(self) -> Path:
        """Files that ingest is reading; emptied by every load."""
        return self.restricted / "reading"

    @property
    def published(self) -> Path:
        """Numbered read-only copies and the pointer."""
        return self.home / "published"

    @property
    def finance(self) -> Path:
        """Monthly extracts."""
        return self.home / "finance"


def load_settings(**overrides: object) -> Settings:
    """Read the environment once; arguments win over it.

    Raises
    ------
    UsageError
        An unknown `ROI_` variable or a value of the wrong type.
    """
    known = {f"ROI_{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith("ROI_") and name not in known)
    if unknown:
        raise UsageError(f"unknown setting {', '.join(unknown)}; known settings: {', '.join(sorted(known))}")
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def require_apart(settings: Settings) -> None:
    """Refuse a home and a landing folder of which one is, or is in, the other; links are followed.

    Raises
    ------
    UsageError
        Names both folders.
    """
    home, landing = settings.home, settings.landing
    if home.is_relative_to(landing) or landing.is_relative_to(home):
        where = "are one folder" if home == landing else "are one inside the other"
        raise UsageError(f"home {home} and landing folder {landing} {where}; remedy: name two folders apart with --home and --landing")


def require_home(settings: Settings) -> None:
    """Refuse a home that no run has made, so that a mistyped name makes no folder.

    Raises
    ------
    UsageError
        Names the folder.
    """
    if not settings.ops.is_dir() and not settings.published.is_dir():
        what = "is no home of a run" if settings.home.is_dir() else "does not exist"
        raise UsageError(
            f"home {settings.home} {what}, nothing is published there; nothing was made; remedy: correct --home or ROI_HOME, or make it:"
            f" service-roi run --home {settings.home}"
        )


def dagster_home() -> Path | None:
    """Folder of Dagster's own instance, where Dagster is used at all."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home) if home else None


def secret(variable: str) -> SecretStr:
    """Return the secret that an environment variable holds; the sources of connectors name theirs, and no file holds one.

    Raises
    ------
    UsageError
        The variable is not set.
    """
    value = os.environ.get(variable)
    if not value:
        raise UsageError(f"the environment variable {variable} is not set; remedy: put the secret there")
    return SecretStr(value)


def fault_point(name: str) -> None:
    """Kill this process without any clean-up when the fault tests asked for it at `name` (ROI_FAULT_POINT)."""
    if os.environ.get("ROI_FAULT_POINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
