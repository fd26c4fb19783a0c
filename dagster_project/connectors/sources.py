"""The YAML of sources: where each is, what is fetched from it, and which environment variables hold its secrets.

Holds the model and its loader. It must not connect to anything, and a secret is never in the file.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from dagster_project.errors import UsageError
from dagster_project.host.yaml_files import read_yaml
from dagster_project.settings import Settings

_NAME = r"^[a-z][a-z0-9_]*$"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Name = Annotated[str, Field(pattern=_NAME)]


def _not_a_setting(variable: str) -> str:
    if variable.startswith("ROI_"):
        raise ValueError("names beginning with ROI_ are settings; remedy: another name for the secret")
    return variable


Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$"), AfterValidator(_not_a_setting)]
"""Name of an environment variable that holds a secret."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableStream(_Strict):
    """One table of a database. Without `cursor` the complete table is fetched, and delivered when it changed."""

    table: str = Field(pattern=r"^[^.]+(\.[^.]+)?$")
    primary_key: tuple[str, ...] = Field(min_length=1)
    cursor: str | None = None
    overlap_seconds: int = Field(default=600, ge=0)  # a transaction that began earlier may commit after we have read


class Database(_Strict):
    """A PostgreSQL database. `url` names user, host and database; the password comes from the environment."""

    kind: Literal["postgresql"]
    system: Name
    url: str = Field(pattern=r"^postgresql://")
    password_env: Variable
    streams: dict[Name, TableStream] = Field(min_length=1)

    @field_validator("url")
    @classmethod
    def _no_password(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.password is not None or "password" in parse_qs(parts.query, keep_blank_values=True):
            raise ValueError("the password belongs into the environment variable that password_env names")
        return value


class Objects(_Strict):
    """A bucket of an object storage with the S3 API. Without keys the machine's own role is used."""

    kind: Literal["s3"]
    system: Name
    bucket: str = Field(min_length=1)
    endpoint: str | None = None
    region: str = "us-east-1"
    key_id_env: Variable | None = None
    secret_key_env: Variable | None = None
    streams: dict[Name, str] = Field(min_length=1, description="Prefix of the keys of each stream.")

    @field_validator("endpoint")
    @classmethod
    def _encrypted(cls, value: str | None) -> str | None:
        return value if value is None else _secure(value)

    @model_validator(mode="after")
    def _both_keys(self) -> Objects:
        if (self.key_id_env is None) != (self.secret_key_env is None):
            raise ValueError("key_id_env and secret_key_env belong together")
        return self


class Rest(_Strict):
    """A Zendesk account or a Shopify shop. `streams` are endpoints of the system; all when absent."""

    kind: Literal["zendesk", "shopify"]
    system: Name
    url: str
    token_env: Variable
    email: str | None = None
    start: dt.date
    streams: tuple[Name, ...] | None = Field(default=None, min_length=1)

    @field_validator("url")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        return _secure(value).rstrip("/")

    @model_validator(mode="after")
    def _email_of_zendesk(self) -> Rest:
        if (self.kind == "zendesk") != (self.email is not None):
            raise ValueError("email is the user of a Zendesk token, and of Zendesk only")
        return self


Source = Annotated[Database | Objects | Rest, Field(discriminator="kind")]
_REMEDY = "write the file of ROI_CONNECTORS as docs/connectors.md says"
_SOURCES: TypeAdapter[dict[str, Source]] = TypeAdapter(dict[Name, Source])


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("https:// is needed: a secret is sent there")
    return url


def load_sources(path: Path) -> dict[str, Source]:
    """Read and check the file of sources.

    Raises
    ------
    UsageError
        The file is missing, is no YAML, or breaks the model; names the place.
    """
    values = read_yaml(path, "sources", _REMEDY) or {}
    try:
        return _SOURCES.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise UsageError(f"sources {path}: {where}: {first['msg']}; remedy: {_REMEDY}") from None


def find_source(settings: Settings, name: str) -> Source:
    """Return one source of the file that ROI_CONNECTORS names.

    Raises
    ------
    UsageError
        No file is set, or it has no source of that name; the message lists the known ones.
    """
    if settings.connectors is None:
        raise UsageError("no sources are set; remedy: ROI_CONNECTORS=FILE, a YAML of sources (docs/connectors.md)")
    sources = load_sources(settings.connectors)
    if name not in sources:
        raise UsageError(
            f"unknown source {name}; sources of {settings.connectors}: {', '.join(sorted(sources)) or 'none'}; remedy: {_REMEDY}"
        )
    return sources[name]
