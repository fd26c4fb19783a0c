"""Reader of the feed contracts (`expectations/contracts/<feed>.odcs.yaml`, ODCS 3.1): columns, types, keys, closed lists.

Holds the typed model of a contract and its loader. It must not hold data, SQL or Great Expectations, and imports
nothing heavier than yaml and pydantic.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from dagster_project.errors import UsageError
from dagster_project.host.yaml_files import LOADER

CONTRACTS_DIR = Path(__file__).resolve().parents[2] / "expectations" / "contracts"
_SUFFIX = ".odcs.yaml"

Mode = Literal["evolve", "freeze", "discard_row", "discard_value"]
"""What ingest does with something the contract does not foresee, in dlt's words; docs/quarantine.md has the table."""
Kind = Literal["key", "list", "number", "instant", "text"]
"""What a column's values are; docs/privacy.md says what ingest does with each."""


class Column(BaseModel):
    """One column of a feed.

    `sql_type` is the DuckDB type, `key_position` counts from 1 (None outside the key), `default` and `unknown_value` are
    texts as a file would spell them, bounds are exact decimals. A `restricted` value is never shown; of a `hashed` one only the keyed
    hash passes ingest; of a `masked` text addresses and numbers of persons do not. Every column whose `kind` is text is one of both: one of
    which the contract says nothing is masked as a code, which keeps words and ids.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sql_type: str
    description: str
    required: bool = False
    key_position: int | None = None
    default: str | None = None
    valid_values: tuple[str, ...] = ()
    unknown_value: str | None = None
    minimum: Decimal | None = None
    exclusive_minimum: Decimal | None = None
    maximum: Decimal | None = None
    pattern: str | None = None
    unit: str | None = None
    restricted: bool = False
    not_after_delivery: bool = False
    hashed: Literal["email", "phone"] | None = None
    masked: Literal["text", "value", "code"] | None = None
    is_identifier: bool = False

    @property
    def kind(self) -> Kind:
        """What its values are."""
        if self.sql_type in ("date", "timestamptz"):
            return "instant"
        if self.sql_type == "bigint" or self.scale is not None:
            return "number"
        if self.sql_type == "boolean" or self.valid_values or self.pattern:
            return "list"
        is_key = self.key_position is not None or self.name.endswith("_id") or self.is_identifier
        return "key" if is_key and not self.hashed else "text"

    @property
    def is_free_text(self) -> bool:
        """Whether people write in it what they like: nothing of it is published or stays of a forgotten account."""
        return self.masked in ("text", "value") or self.hashed is not None

    @property
    def scale(self) -> int | None:
        """Digits after the decimal point of a decimal column; None for every other type."""
        return int(self.sql_type[:-1].split(",")[1]) if self.sql_type.startswith("decimal(") else None

    @property
    def precision(self) -> int | None:
        """All digits of a decimal column; None for every other type."""
        return int(self.sql_type[len("decimal(") :].split(",")[0]) if self.sql_type.startswith("decimal(") else None


class Contract(BaseModel):
    """One feed: its columns in contract order. Grain of the feed is `primary_key`.

    `new_columns` and `bad_values` are the contract's modes; `quarantine_threshold_rate` (share of a file's records) wins over the
    assumption of that name; `maximum_age_days` is how old the latest delivery may be before the source counts as stale; `key_scope` is
    who mints the keys: each source system its own, or the company one for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed: str
    version: str
    purpose: str
    domain: str
    owner: str
    columns: tuple[Column, ...]
    new_columns: Mode = "evolve"
    bad_values: Mode = "evolve"
    quarantine_threshold_rate: Decimal | None = Field(default=None, ge=0, le=1)
    maximum_age_days: int | None = Field(default=None, gt=0)
    key_scope: Literal["system", "company"] = "company"

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in contract order."""
        return tuple(column.name for column in self.columns)

    @property
    def types(self) -> dict[str, str]:
        """DuckDB type of each column, in contract order."""
        return {column.name: column.sql_type for column in self.columns}

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the key columns in key order."""
        keyed = sorted((column.key_position, column.name) for column in self.columns if column.key_position is not None)
        return tuple(name for _, name in keyed)

    @property
    def required_names(self) -> tuple[str, ...]:
        """Columns a file must bring: required and without a default."""
        return tuple(column.name for column in self.columns if column.required and column.default is None)

    @property
    def is_personal(self) -> bool:
        """Whether a column of the feed is hashed whatever its value is."""
        return any(column.hashed for column in self.columns)

    def column(self, name: str) -> Column:
        """Return one column by name; KeyError when the contract has none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.feed} has no column {name}")


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _custom(entry: dict[str, Any]) -> dict[str, Any]:
    return {item["property"]: item["value"] for item in entry.get("customProperties", [])}


def _maximum_age_days(document: dict[str, Any]) -> int | None:
    for item in document.get("slaProperties", []):
        if item["property"] == "latency":
            if item["unit"] != "d":
                raise ValueError(f"latency in {item['unit']}; ingest counts days (d)")
            return int(item["value"])
    return None


def _column(entry: dict[str, Any]) -> Column:
    custom = _custom(entry)
    options = entry.get("logicalTypeOptions", {})
    lists = [item["arguments"]["validValues"] for item in entry.get("quality", []) if item.get("metric") == "invalidValues"]
    column = Column(
        name=entry["name"],
        sql_type=entry["physicalType"],
        description=entry["description"],
        required=entry.get("required", False),
        key_position=entry.get("primaryKeyPosition") if entry.get("primaryKey") else None,
        default=_text(custom.get("default")),
        valid_values=tuple(str(value) for value in lists[0]) if lists else (),
        unknown_value=_text(custom.get("unknownValue")),
        minimum=_number(options.get("minimum")),
        exclusive_minimum=_number(options.get("exclusiveMinimum")),
        maximum=_number(options.get("maximum")),
        pattern=options.get("pattern"),
        unit=custom.get("unit"),
        restricted=entry.get("classification") == "restricted",
        not_after_delivery=custom.get("notAfterDelivery", False),
        hashed=custom.get("hashed"),
        masked=custom.get("masked"),
        is_identifier=custom.get("identifier", False),
    )
    is_unsaid = column.kind == "text" and not column.hashed and not column.masked
    return column.model_copy(update={"masked": "code"}) if is_unsaid else column


@cache
def feeds() -> tuple[str, ...]:
    """Return the names of all contracted feeds, sorted."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in CONTRACTS_DIR.glob(f"*{_SUFFIX}")))


@cache
def load_contract(feed: str) -> Contract:
    """Read one contract.

    Raises
    ------
    UsageError
        No such feed, or the file is not a contract of the expected form.
    """
    path = CONTRACTS_DIR / f"{feed}{_SUFFIX}"
    if not path.is_file():
        raise UsageError(f"no contract for feed {feed}; known feeds: {', '.join(feeds())}")
    try:
        # The C loader halves the start-up of every run; the pure one gives the same result.
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 - a safe loader either way
        schema, custom = document["schema"][0], _custom(document)
        return Contract(
            feed=document["name"],
            version=document["version"],
            purpose=document["description"]["purpose"],
            domain=document["domain"],
            owner=document["team"]["name"],
            columns=tuple(_column(entry) for entry in schema["properties"]),
            new_columns=custom.get("newColumns", "evolve"),
            bad_values=custom.get("badValues", "evolve"),
            quarantine_threshold_rate=_number(custom.get("quarantineThresholdRate")),
            maximum_age_days=_maximum_age_days(document),
            key_scope=_custom(schema).get("keyScope", "company"),
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"contract {path}: {error!r}") from error


def contract_files() -> tuple[Path, ...]:
    """Return the contract files, sorted; their bytes are part of what decides whether a loaded file is read again."""
    return tuple(sorted(CONTRACTS_DIR.glob(f"*{_SUFFIX}")))
