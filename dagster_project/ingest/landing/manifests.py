"""The optional manifest next to a delivered file: what the source says it sent, compared with what arrived.

Holds `<file>.manifest.json` and its comparison. It must not load rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_project.errors import InputRefused
from dagster_project.ingest.landing.inventory import Delivery
from dagster_project.ingest.readers.source import Source
from dagster_project.ingest.readers.unreadable import refused_if_unreadable
from dagster_project.ingest.sql_text import identifier, instant, literal, plain_number


class Manifest(BaseModel):
    """What a source may state of a file, by the names of its columns; other keys are its own.

    A sum is one number, or one for each currency of `currency_column`; `minimum` and `maximum` are instants.
    """

    model_config = ConfigDict(frozen=True)

    rows: int | None = None
    sha256: str | None = None
    sums: dict[str, Decimal | dict[str, Decimal]] = Field(default_factory=dict)
    currency_column: str = "currency_code"
    minimum: dict[str, str] = Field(default_factory=dict)
    maximum: dict[str, str] = Field(default_factory=dict)


def check_manifest(connection: duckdb.DuckDBPyConnection, delivery: Delivery, source: Source, zone: str) -> None:
    """Compare the file with its manifest, when there is one; instants without an offset are of `zone`.

    Raises
    ------
    InputRefused
        The manifest is unreadable or states something else than the file holds; both are shown.
    """
    path = delivery.manifest
    if not path.is_file():
        return
    with refused_if_unreadable(path):
        text = path.read_bytes()
    try:
        stated = Manifest.model_validate(json.loads(text.decode("utf-8"), parse_float=Decimal))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputRefused(f"{path}: not a manifest ({where}: {first['msg']}); remedy: JSON as docs/formats.md has it") from error
    except ValueError as error:
        raise InputRefused(f"{path}: not a manifest ({error}); remedy: JSON as docs/formats.md has it") from error
    wrong = []
    if stated.sha256 not in (None, source.scan.sha256):
        wrong.append(f"sha256 {stated.sha256}, found {source.scan.sha256}")
    if stated.rows not in (None, source.scan.records):
        wrong.append(f"rows {stated.rows:,}, found {source.scan.records:,}")
    wrong += _differences(connection, stated, source, zone)
    if wrong:
        raise InputRefused(
            f"{delivery.path}: differs from its manifest: states {'; states '.join(wrong)}; remedy: deliver the file again, complete"
        )


def _differences(connection: duckdb.DuckDBPyConnection, stated: Manifest, source: Source, zone: str) -> Iterator[str]:
    """Yield each sum and instant that is not as stated, over the values as the source wrote them."""
    per_currency = [stated.currency_column] if any(isinstance(value, dict) for value in stated.sums.values()) else []
    absent = {name for name in (*stated.sums, *stated.minimum, *stated.maximum, *per_currency) if name not in source.scan.columns}
    yield from (f"column {name}, which the file has not" for name in sorted(absent))
    claims = [(f"{what} of {name}{more}", said, sql) for what, name, more, said, sql in _claims(stated, source, zone) if name not in absent]
    if not claims or absent & set(per_currency):
        return
    source.load(connection)
    tests = ", ".join(f"{sql} is not distinct from {said}, {sql}::varchar, ({said})::varchar" for _, said, sql in claims)
    found = connection.execute(f"select {tests} from source").fetchone() or ()
    for at, (claim, _, _) in enumerate(claims):
        is_same, value, said = found[3 * at : 3 * at + 3]
        if not is_same:
            yield f"{claim} {said}, found {value}"


def _claims(stated: Manifest, source: Source, zone: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield what is claimed of a column, the column, in which currency, and the SQL of the stated and of the found value."""
    currency = identifier(stated.currency_column)
    for name, value in stated.sums.items():
        total = f"sum(try_cast({plain_number(identifier(name), source.dialect)} as decimal(38, 6)))"
        if isinstance(value, Decimal):
            yield "sum", name, "", f"{value}::decimal(38, 6)", total
            continue
        for code, amount in value.items():
            yield "sum", name, f" in {code}", f"{amount}::decimal(38, 6)", f"{total} filter (where {currency} = {literal(code)})"
        others = f"{total} filter (where coalesce({currency}, '') not in ({', '.join(map(literal, value))}))"
        yield "sum", name, " in other currencies", "0::decimal(38, 6)", f"coalesce({others}, 0)"
    for what, claimed in (("minimum", stated.minimum), ("maximum", stated.maximum)):
        for name, text in claimed.items():
            values = instant(identifier(name), zone, source.dialect.timestamp_formats)
            yield what, name, "", instant(literal(text), zone, ()), f"{what[:3]}({values})"
