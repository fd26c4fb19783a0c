"""What a delivered header has that its contract has not, and the other way round; where the values of new columns are kept.

Holds the comparison by name, its wording, and the writing of extras. It must not cast a value or decide over a record. Extras are
values nobody has described, so they count as personal: they are under HOME/restricted, which publishing never copies.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb

from dagster_project.contracts.model import load_contract
from dagster_project.errors import InputRefused
from dagster_project.ingest.mapping.streams import Stream
from dagster_project.ingest.mapping.systems import Mappings, System
from dagster_project.ingest.pii.hash_key import make_restricted
from dagster_project.ingest.readers.advice import advise
from dagster_project.ingest.readers.collecting import LINE, NUMBER
from dagster_project.ingest.readers.dialect import WHERE
from dagster_project.ingest.readers.parquet_columns import NO_NAMES
from dagster_project.ingest.readers.source import Source
from dagster_project.ingest.readers.workbook import is_identifier
from dagster_project.ingest.sql_text import identifier, literal
from dagster_project.ledger.entries import StagedFile
from dagster_project.ledger.store import Ledger
from dagster_project.settings import Settings

FOLDER = "extras"
"""Below HOME/restricted: one Parquet file for each delivered file whose new columns are filled."""
_SHOWN = 40
_LATEST = """
select system, stream, drift from deliveries
where file_id in (select max(file_id) from deliveries where status = 'accepted' group by system, stream)
"""
_OUTCOMES = {
    "evolve": "values kept in extras",
    "discard_value": "values excluded",
    "discard_row": "records that fill it are quarantined",
}


@dataclass(frozen=True)
class Drift:
    """How a header differs: `added` columns nobody reads, `missing` ones, what may have replaced what, and the order of the rest."""

    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    is_reordered: bool = False

    def document(self) -> str:
        """Return it as JSON for the ledger; empty where nothing differs."""
        filled = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(filled, ensure_ascii=False) if filled else ""

    @staticmethod
    def of(document: str) -> Drift:
        """Read `document` back."""
        found: dict[str, Any] = json.loads(document or "{}")
        added, missing = tuple(found.get("added", ())), tuple(found.get("missing", ()))
        return Drift(added, missing, found.get("renamed", {}), found.get("is_reordered", False))

    def sentence(self, before: Drift | None, outcome: str) -> str:
        """Return what is new, and what has changed since the delivery `before`; empty where there is nothing to report."""
        said = [f"new column {name} ({outcome})" for name in self.added]
        gone = [name for name in self.missing if before is not None and name not in before.missing]
        if gone:
            said.append(f"{', '.join(gone[:_SHOWN])} came until now and is missing")
        if said:
            said += [f"did {new} replace {old}?" for old, new in self.renamed.items() if new in self.added or old in gone]
        if self.is_reordered and before is not None and not before.is_reordered:
            said.append("columns in another order than until now, read by name")
        return "; ".join(said)


def compare(source: Source, system: System, stream: str) -> Drift:
    """Compare a header with its contract, or with the columns that the mapping reads, by name.

    Raises
    ------
    InputRefused
        A required column is missing (the nearest new name is suggested, or the vendor's file that this is), or there is a new one
        and the contract is frozen.
    """
    described, found = system.stream(stream), source.scan.columns
    expected = (*described.read_columns, *described.unread)
    required = load_contract(stream).required_names if system.is_canonical else described.columns
    for name in found:
        if name.lower() in (NUMBER, LINE):
            raise InputRefused(f"{source.path}: a column may not be called {name}; remedy: rename it")
    added = tuple(name for name in found if name not in expected)
    missing = tuple(name for name in described.read_columns if name not in found)
    _refuse_ambiguous(source, described.read_columns)
    _refuse_types(source, described)
    for name in required:
        if name in missing:
            for known in system.file.refused_headers:
                if known.fits(found):
                    raise InputRefused(f"{source.path}: this is {known.what}, which lacks {name}; remedy: {known.remedy}")
            near = difflib.get_close_matches(name, added, n=1, cutoff=0.5)
            hint = f"; did {near[0]} replace it?" if near else ""
            raise InputRefused(
                f"{source.path}: required column {name} is missing{hint} found: {', '.join(found[:_SHOWN])}; remedy:"
                f" {advise(source.path, source.dialect, required) or _by_position(source, name) or 'rename the column or deliver it'}"
            )
    if added and described.new_columns == "freeze":
        raise InputRefused(
            f"{source.path}: new column {', '.join(added[:_SHOWN])} in a frozen contract; remedy: add it to the contract, or deliver"
            " the file without it"
        )
    renamed = {near[0]: new for new in added if (near := difflib.get_close_matches(new, missing, n=1, cutoff=0.8))}
    in_order = [name for name in found if name in expected]
    return Drift(added, missing, renamed, is_reordered=in_order != [name for name in expected if name in found])


def _refuse_ambiguous(source: Source, read: Iterable[str]) -> None:
    """Refuse a header in which the name of a column that is read comes twice, or was made for a column without one."""
    names = {name.lower(): name for name in read}
    for name, positions in source.scan.ambiguous.items():
        if name not in names:
            continue
        listed = " and ".join(map(str, positions))
        several = ", ".join(f"{at}: {names[name]}{'' if not rank else f'_{rank + 1}'}" for rank, at in enumerate(positions))
        wrong = (
            f"columns {listed} are both called" if len(positions) > 1 else f"column {listed} has no name of its own, but the mapping reads"
        )
        raise InputRefused(f"{source.path}: {wrong} {names[name]}; remedy: declare positions: {{{several}}} {WHERE}, each name right")


def _refuse_types(source: Source, described: Stream) -> None:
    """Refuse a Parquet file of which a column that is read has a type that is not read as text; a number with a point is no name."""
    for name in described.read_columns:
        wrong = source.scan.odd.get(name, "")
        if wrong and (wrong not in NO_NAMES or is_identifier(name) or name in described.key):
            raise InputRefused(f"{source.path}: column {name} is {wrong}; remedy: write it as text, decimal or timestamp")


def _by_position(source: Source, name: str) -> str:
    unnamed = [at for positions in source.scan.ambiguous.values() if len(positions) == 1 for at in positions]
    if not unnamed:
        return ""
    return (
        f"column {', '.join(map(str, unnamed))} has no name of its own: if it is {name}, declare"
        f" positions: {{{unnamed[0]}: {name}}} {WHERE}"
    )


def drift_messages(files: Iterable[StagedFile], ledger: Ledger, mappings: Mappings) -> list[str]:
    """Report once for each stream what its headers of this run have that is new or has changed since its last accepted delivery."""
    last = {(system, stream): Drift.of(document) for system, stream, document in ledger.rows(_LATEST)}
    lines: dict[tuple[str, str, str], list[str]] = {}
    for file in files:
        if file.status != "staged" or file.duplicate_of_path is not None:
            continue
        stream = (file.system, file.stream)
        drift = Drift.of(file.drift)
        outcome = _OUTCOMES.get(mappings.system(file.system).stream(file.stream).new_columns, "")
        sentence = drift.sentence(last.get(stream), outcome)
        last[stream] = drift
        if sentence:
            lines.setdefault((*stream, sentence), []).append(file.path)
    return [
        f"{paths[0]}: {sentence}" + (f" (and {len(paths) - 1:,} more files of {system}/{stream})" if len(paths) > 1 else "")
        for (system, stream, sentence), paths in lines.items()
    ]


def keep_extras(
    connection: duckdb.DuckDBPyConnection, source: Source, added: Iterable[str], file: StagedFile, settings: Settings
) -> str | None:
    """Write the values of new columns, one row a record that fills one of them; return the file's path below HOME, or None."""
    make_restricted(settings.restricted)
    folder = settings.restricted / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(f"{file.path}\0{file.sha256}".encode()).hexdigest()[:24]
    path = folder / f"{name}.parquet"
    source.load(connection)
    columns = [identifier(column) for column in added]
    constants = {"source_system": file.system, "stream_name": file.stream, "delivery_date": file.delivery_date, "file_path": file.path}
    own = ", ".join(f"{literal(value)}{'::date' if key == 'delivery_date' else ''} as {key}" for key, value in constants.items())
    sql = (
        f"select {own}, record_number, to_json(struct_pack({', '.join(f'{column} := {column}' for column in columns)}))::varchar as extras"
        f" from source where {' or '.join(f'{column} is not null' for column in columns)}"
    )
    temporary = path.with_name(f"{name}.parquet.tmp")
    copied = connection.execute(f"copy ({sql}) to {literal(str(temporary))} (format parquet, compression snappy)").fetchone()
    if not copied or not copied[0]:
        temporary.unlink()
        return None
    temporary.replace(path)
    return path.relative_to(settings.home).as_posix()
