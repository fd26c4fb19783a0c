"""Records of a delivered file that never reach the source tables: wrong of form, or their version or mark of deletion cannot be read.

Holds how they are described for the quarantine. It must not decide which record is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.contracts.model import Column, Contract, load_contract
from dagster_project.ingest.conform.quarantine import quarantined
from dagster_project.ingest.conform.rules import Rule
from dagster_project.ingest.mapping.systems import System
from dagster_project.ingest.readers.source import LISTED_LIMIT, Source
from dagster_project.ledger.entries import QuarantinedRecord


def faults_of(
    system: System, stream: str, source: Source, broken: Sequence[tuple[int, Rule]]
) -> list[tuple[int, QuarantinedRecord | None]]:
    """Return the records that are wrong of form or cannot be placed, with the message about the first ones."""
    contract = _contract(system, stream)
    found: list[tuple[int, QuarantinedRecord | None]] = []
    for record in source.faults:
        entry = quarantined(
            contract.feed, contract, number=record.number, line=record.line or None, column=record.column, rule=record.rule,
            value=record.value, names=source.scan.columns, fields=record.fields, detail=record.fault or "",
            keys=system.stream(stream).key,
        )  # fmt: skip
        found.append((record.number, entry))
    lines = source.lines({number for number, _ in broken[:LISTED_LIMIT]})
    for number, rule in broken:
        line = lines.get(number)
        if line is None:
            found.append((number, None))
            continue
        value = dict(zip(source.scan.columns, line.fields, strict=False)).get(rule.column)
        entry = quarantined(
            contract.feed, contract, number=number, line=line.line or None, column=rule.column, rule=rule.rule, value=value,
            names=source.scan.columns, fields=line.fields, detail=rule.detail, keys=system.stream(stream).key,
        )  # fmt: skip
        found.append((number, entry))
    return found


def _contract(system: System, stream: str) -> Contract:
    """Return the contract under which wrong records of a stream are reported; a stream without feeds gets one of text columns."""
    described = system.stream(stream)
    if described.feeds:
        return load_contract(next(feed for feed, mapped in described.feeds.items() if mapped.records))
    columns = tuple(Column(name=column, sql_type="varchar", description="as delivered") for column in described.read_columns)
    return Contract(feed=f"{system.name}.{stream}", version="", purpose="", domain="", owner="", columns=columns)
