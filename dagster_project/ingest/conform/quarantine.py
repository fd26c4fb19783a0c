"""Records kept out: what is stored of them and how they are reported to the user.

Holds masking, the rule that refuses a complete file, and the wording of refusals. It must not decide which are refused (see `casting`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from dagster_project.contracts.model import Contract
from dagster_project.ledger.entries import QuarantinedRecord, StagedFile
from dagster_project.masking import masked

PAGE = "docs/quarantine.md"
SHOWN_RECORDS = 3
SHOWN_CHARACTERS = 40
Values = Mapping[str, str | None]
"""Of one record, by column."""
_MASKED_CHARACTERS = 2_000  # the rest of a longer value is not shown
REMEDIES = {
    "number_format": "write plain digits with the declared decimal sign",
    "decimals": "deliver the amount with the contract's number of decimals; ingest never rounds money",
    "number_range": "the number does not fit the column; check the unit",
    "instant_format": "write an ISO instant, e.g. 2026-11-20T08:15:00Z, or in the form that the stream declares",
    "date_format": "write the date as YYYY-MM-DD or declare its form; a worksheet's day number needs serial_dates",
    "boolean_format": "write true or false",
    "required": "fill the column in the source",
    "closed_list": "use a value of the contract's list or extend the mapping",
    "minimum": "check sign and unit",
    "maximum": "check the unit",
    "identifier_format": "export the column as text; a spreadsheet keeps only 15 digits",
    "pattern": "write the value in the contract's form",
    "scale": "check the score against its scale",
    "same_currency": "deliver no rate of a currency to itself, or 1",
    "self_reference": "leave the column empty, or name the other ticket",
    "fiscal_period": "name the month as YYYY-MM or as the feed fiscal_periods names it; check the year",
    "time_zone": "name the zone as the IANA list does, such as Europe/Berlin",
    "order_of_instants": "check clock and time zone of the source",
    "future_instant": "check clock and year of the source, or the day of the delivery's folder",
    "new_column": "add the column to the contract, or stop filling it",
    "field_count": "quote fields that hold the delimiter or a line end",
    "quote_format": "double a quote inside a quoted field",
    "json_format": "write one JSON object a line, each key once",
    "identifier_text": "format the column as text in the source; a number has lost leading zeros and every digit after the fifteenth",
    "serial_date": "write a real date, or declare the right epoch in the stream's serial_dates",
    "formula_error": "repair the formula",
    "not_mapped": "let the mapping's SQL keep the record",
}


def key_sql(contract: Contract) -> str:
    """Return the SQL of a record's primary key as one hash, over typed columns; null where a part of the key is unreadable."""
    return f"sha256({' || chr(31) || '.join(f'{name}::varchar' for name in contract.primary_key)})"


def shown(value: str | None, *, is_restricted: bool) -> str:
    """Return a value as an error may show it: personal ones only by their length, others without addresses and numbers, long ones cut."""
    if value is None:
        return "nothing"
    if is_restricted:
        return f"a personal value of {len(value)} characters"
    text = masked(value[:_MASKED_CHARACTERS], "code")
    return f'"{text[:SHOWN_CHARACTERS]}…"' if len(text) > SHOWN_CHARACTERS else f'"{text}"'


def masked_record(
    names: Sequence[str], fields: Sequence[str | None], contract: Contract, column: str | None, keys: Sequence[str], mapped: Values
) -> str:
    """Return the record with only its keys and the offending column readable, without addresses and numbers; the rest by length."""
    keep = {name for name in (*contract.primary_key, *keys, column) if name is not None}
    keep -= {name for name in keep if name in contract.names and contract.column(name).restricted}
    made = [(name, mapped[name]) for name in contract.primary_key if name in mapped and name not in names]
    parts = [
        f"{masked(name, 'code')}={masked(value[:_MASKED_CHARACTERS], 'code') if name in keep else '*' * min(len(value), 8)}"
        for name, value in (*made, *zip(names, fields, strict=False))
        if value
    ]
    return " | ".join(parts)[:2_000]


def quarantined(
    feed: str,
    contract: Contract,
    *,
    number: int,
    line: int | None,
    column: str | None,
    rule: str,
    value: str | None,
    names: Sequence[str],
    fields: Sequence[str | None],
    detail: str,
    key_sha256: str | None = None,
    keys: Sequence[str] = (),
    mapped: Values = MappingProxyType({}),
) -> QuarantinedRecord:
    """Describe one record kept out: `names` and `fields` as delivered, and `mapped` as a SELECT returned them.

    `detail` says what is wrong with the value, `key_sha256` is as `key_sql` makes it, `keys` name the record where it was delivered.
    """
    is_restricted = column is not None and column in contract.names and contract.column(column).restricted
    where = f"column {column}: {shown(value, is_restricted=is_restricted)} " if column else ""
    return QuarantinedRecord(
        feed=feed,
        record_number=number,
        line_number=line,
        column=column,
        rule=rule,
        reason=f"{where}{detail}; remedy: {REMEDIES[rule]}, see {PAGE}#{rule}",
        raw_text_masked=masked_record(names, fields, contract, column, keys, mapped),
        raw_sha256=hashlib.sha256("\x1f".join(field or "" for field in fields).encode()).hexdigest(),
        key_sha256=key_sha256,
        values=tuple(field for field in (*fields, *mapped.values()) if field),
    )


def is_refused(bad: int, total: int, share: Decimal, floor: int) -> bool:
    """Return whether a file of `total` records, of which `bad` broke a rule, is refused completely.

    It is when more than `share` of its records are bad and either more than `floor` of them are, or all of them and at least two: the
    first rule lets a day go on when a small file has a bad record, the second refuses a small file that is read by a wrong mapping.
    """
    return bad > share * max(total, 1) and (bad > floor or (bad >= total and bad > 1))


def threshold_text(share: Decimal, floor: int) -> str:
    """Word the threshold as messages name it."""
    return f"{share * 100:.2f} % of a file's records, and more than {floor} of them or all"


def summarised(files: Sequence[StagedFile]) -> Iterator[str]:
    """Yield the bad records of all files by feed, rule and column: how many in how many files, three of them, and the remedy."""
    groups: dict[tuple[str, str, str], list[tuple[StagedFile, QuarantinedRecord]]] = defaultdict(list)
    for file in files:
        for row in file.quarantine:
            groups[row.feed, row.rule, row.column or ""].append((file, row))
    for (feed, rule, column), found in sorted(groups.items(), key=lambda group: group[0]):
        paths = {file.path for file, _ in found}
        at = f", column {column}" if column else ""
        counted = f"{len(found):,} {'record' if len(found) == 1 else 'records'} in {len(paths):,} {'file' if len(paths) == 1 else 'files'}"
        lines = [f"{feed}{at}, rule {rule}: {counted} kept out"]
        for file, row in found[:SHOWN_RECORDS]:
            line = "" if row.line_number is None else f" (line {row.line_number:,})"
            what = row.reason.rpartition("; remedy: ")[0].removeprefix(f"column {column}: ")
            lines.append(f"  {file.path} record {row.record_number:,}{line}: {what}")
        if len(found) > SHOWN_RECORDS:
            lines.append(f"  and {len(found) - SHOWN_RECORDS:,} more in ops.quarantine")
        yield "\n".join([*lines, f"  remedy: {REMEDIES[rule]}, see {PAGE}#{rule}"])


def report(path: str, sha256: str, physical: int, rows: Sequence[QuarantinedRecord], *, is_refused: bool, threshold: str) -> str:
    """Word the refusal of records of one file as the user reads it: file, record, line, column, value, rule, remedy."""
    records = len({row.record_number for row in rows})
    state = "above, the file is refused completely" if is_refused else "below, the run continues"
    lines = [f"{path}: {records:,} of {physical:,} records refused", f"  file    {path}   sha256 {sha256[:12]}…"]
    for row in rows[:SHOWN_RECORDS]:
        at = "" if row.line_number is None else f" (line {row.line_number:,})"
        lines.append(f"  record {row.record_number:,}{at} {row.reason}   rule {row.rule}")
    if len(rows) > SHOWN_RECORDS:
        lines.append("  …")
    lines.append(f"  where   ops.quarantine   threshold {threshold} → {state}")
    return "\n".join(lines)
