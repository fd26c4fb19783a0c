"""Accounts that were forgotten, as ingest knows them: keyed hashes of their ids and the pseudonyms that took their place.

Holds the SQL that replaces ids and empties personal columns, applied to every batch that is loaded, so that a file delivered again
brings nobody back. A home in which nobody was forgotten pays one look into the ledger. It must not read delivered files.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import duckdb

from dagster_project.contracts.model import Contract, feeds
from dagster_project.engines.lake_files import LakeFile, lake_rows
from dagster_project.ingest.conform.feed_batch import PARQUET, FeedBatch
from dagster_project.ingest.pii.masking import stored_id
from dagster_project.ingest.sql_text import identifier_value, literal
from dagster_project.ledger.entries import QuarantinedRecord
from dagster_project.ledger.store import Ledger

Kind = Literal["account", "contact"]
ERASED = "erased"
"""Replaces, in the ledger, the values of a refused record of a forgotten account."""
_PERSON = re.compile(r"(?:^|_)(account|contact|actor)_id$")  # who acts may be an agent or a contact


@dataclass(frozen=True)
class ErasedPerson:
    """One id that must not come back: `id_hash` is its keyed hash."""

    kind: Kind
    id_hash: str
    pseudonym: str


def erased_persons(ledger: Ledger) -> list[ErasedPerson]:
    """Return all forgotten ids of a home."""
    return [ErasedPerson(*row) for row in ledger.rows("select kind, id_hash, pseudonym from tombstones order by pseudonym")]


def keep_erased(ledger: Ledger, rows: Sequence[ErasedPerson]) -> None:
    """Remember ids as forgotten, in one transaction; known ones stay as they are."""
    sql = "insert or ignore into tombstones (kind, id_hash, pseudonym) values (?, ?, ?)"
    ledger.write((sql, (row.kind, row.id_hash, row.pseudonym)) for row in rows)


def person_columns(contract: Contract) -> dict[str, Kind]:
    """Return the columns of a feed that name an account or a contact."""
    found = {name: _PERSON.search(name) for name in contract.names}
    return {name: "account" if match.group(1) == "account" else "contact" for name, match in found.items() if match}


def register(connection: duckdb.DuckDBPyConnection, rows: Sequence[ErasedPerson]) -> None:
    """Make the temporary table `forgotten`; the connection hashes with the key of the home."""
    connection.execute("create or replace temp table forgotten (kind varchar, id_hash varchar, pseudonym varchar)")
    if rows:
        listed = ", ".join(f"({literal(row.kind)}, {literal(row.id_hash)}, {literal(row.pseudonym)})" for row in rows)
        connection.execute(f"insert into forgotten values {listed}")


def redacted(contract: Contract, relation: str, *, among: str | None = None, mentions: str | None = None, also: str = "false") -> str:
    """Return the SELECT of all rows with forgotten ids replaced, and of the rows of forgotten persons all texts empty.

    A code (a segment, a queue) stays where a row `among` (the same relation, if none is given) of somebody else has it too. `mentions` is a
    regular expression: a text that matches it is emptied in any row. `also` is a test of `r`: such rows are the person's too.
    """
    persons = person_columns(contract)
    owners = [name for name in persons if name in ("account_id", "contact_id")] or list(persons)
    is_hit = " or ".join(f"f_{name}.id_hash is not null" for name in owners)
    is_hit = " or ".join(filter(None, (is_hit, "" if also == "false" else also))) or "false"
    joins = " ".join(
        f"left join forgotten as f_{name} on f_{name}.kind = '{kind}' and f_{name}.id_hash = keyed_hash(r.{name})"
        for name, kind in persons.items()
    )
    columns = [f"coalesce(f_{name}.pseudonym, r.{name}) as {name}" for name in persons]
    for name in (column.name for column in contract.columns if column.kind == "text"):
        mentioned = f"regexp_matches(r.{name}, {literal(mentions)})" if mentions else "false"
        shared = f"r.{name} in (select r.{name} from {among or relation} as r {joins} where not ({is_hit}) and r.{name} is not null)"
        kept = "false" if contract.column(name).is_free_text or contract.column(name).restricted or is_hit == "false" else shared
        columns.append(f"case when {mentioned} then null when not ({is_hit}) or {kept} then r.{name} end as {name}")
    replaced = f"select r.* replace ({', '.join(columns)}) from {relation} as r {joins}" if columns else f"select r.* from {relation} as r"
    return f"select * replace ((hash({', '.join(contract.names)}) >> 1)::bigint as row_hash) from ({replaced})"


def anonymise(connection: duckdb.DuckDBPyConnection, batch: FeedBatch) -> int:
    """Replace forgotten ids in a batch that is being loaded; return how many rows had any."""
    if batch.contract.feed not in feeds():  # raw text copies stay raw, in their restricted place
        return 0
    file = f"({lake_rows(batch.contract.types, [LakeFile(batch.temporary, batch.lacks)])})"
    return _replace(connection, batch, file, "select * exclude (batch_id) from ({}) order by record_number")


def anonymise_change(connection: duckdb.DuckDBPyConnection, batch: FeedBatch) -> int:
    """Replace forgotten ids in the typed rows of a change, whose file has more columns than its contract; return how many rows had any."""
    contract = batch.contract
    absent = ", ".join(f"null::{contract.types[name]} as {name}" for name in batch.lacks if name in contract.types)
    file = f"(select *{', ' if absent else ''}{absent} from read_parquet({literal(str(batch.temporary))}))"
    return _replace(connection, batch, file, "{}")


def _replace(connection: duckdb.DuckDBPyConnection, batch: FeedBatch, file: str, form: str) -> int:
    persons = person_columns(batch.contract)
    if not persons or not batch.written:
        return 0
    tests = " or ".join(f"keyed_hash({name}) in (select id_hash from forgotten where kind = '{kind}')" for name, kind in persons.items())
    ((count,),) = connection.execute(f"select count(*) from {file} where {tests}").fetchall()
    if count:
        cleaned = batch.temporary.with_suffix(".clean.tmp")
        connection.execute(f"copy ({form.format(redacted(batch.contract, file))}) to {literal(str(cleaned))} ({PARQUET})")
        cleaned.replace(batch.temporary)
        batch.lacks = ()
    return int(count)


def anonymise_quarantine(rows: Sequence[QuarantinedRecord], key: bytes, forgotten: Sequence[ErasedPerson]) -> tuple[QuarantinedRecord, ...]:
    """Take the values out of the messages about refused records that hold a forgotten id, in whichever column."""
    known = {row.id_hash for row in forgotten}
    return tuple(
        replace(row, raw_text_masked=ERASED, key_sha256=None, reason=f"a record of a forgotten account breaks the rule {row.rule}")
        if known and any(_hash_of_id(value, key) in known for value in row.values)
        else row
        for row in rows
    )


def _hash_of_id(value: str, key: bytes) -> str:
    return hmac.new(key, stored_id(identifier_value(value), key).encode(), "sha256").hexdigest()
