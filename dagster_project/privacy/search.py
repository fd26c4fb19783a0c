"""Which delivered records speak of a person: those that rows of the lake came from, and all that lead to them by id, address or name.

Five ways lead to a record: a row of the lake that names the account or a contact, or hangs on one that does (`children`), came from it;
in canonical files it names such a record itself; a column that holds the id in such a
record (in canonical files: the contract's column) holds it here too; it names or is named by such a record of another stream of its system
(column `ticket_id` of a record, column `id` of a ticket, or as the mapping's `known_as` says); a word that speaks of this person alone
is in it. Holds the search. It must not change a file.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.ingest.mapping.systems import CANONICAL, Mappings
from dagster_project.ingest.pii.ids import is_suspect
from dagster_project.ingest.pii.register import person_columns
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.sql_text import identifier_value
from dagster_project.ledger.store import REDACTED
from dagster_project.privacy.children import references
from dagster_project.privacy.person import Lake, Person
from dagster_project.privacy.records import DeliveredRecord, delivered_records, is_readable
from dagster_project.privacy.table_rows import files_of, table_records

_EMAIL = re.compile(r"[^\s<>,;:\"'()]+@[^\s<>,;:\"'()]+")
_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./-]{4,20}[0-9]")


@dataclass(frozen=True)
class LandingFile:
    """One delivered file, whether or not ingest reads its stream.

    With a `database` it is what source tables hold of the file of this content: the rows that are current.
    """

    path: Path
    relative: str
    system: str
    stream: str
    dialect: Dialect
    names: Mapping[str, str] = field(default_factory=dict, compare=False)  # how other streams name one of its records
    shared: tuple[str, ...] = ()  # columns of the system that name what is about one person
    database: Path | None = None
    sha256: str = ""

    @property
    def content(self) -> str:
        """SHA-256 of the file."""
        return self.sha256 or content_hash(self.path)

    def records(self) -> Iterator[DeliveredRecord]:
        """Yield its records."""
        if self.database is not None:
            return table_records(self.database, self.stream, self.relative, self.sha256)
        return delivered_records(self.path, self.dialect)


@dataclass
class Search:
    """What was found: numbers of records by file; `links` are ids of found records by system and the column that names them elsewhere.

    `columns` are those that held an id of the person.
    """

    lake: Lake
    person: Person
    found: dict[LandingFile, set[int]] = field(default_factory=dict)
    links: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    columns: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def size(self) -> int:
        """How much is known; the search ends when a pass over the files adds nothing."""
        count = sum(len(numbers) for numbers in self.found.values())
        count += sum(len(values) for named in self.links.values() for values in named.values())
        count += sum(map(len, self.columns.values()))
        count += sum(map(len, self.lake.children_of(self.person).visible.values()))
        return count + len(self.person.words) + len(self.person.contact_ids)


def landing_files(landing: Path, mappings: Mappings) -> list[LandingFile]:
    """Return every delivered file in the order of its path, those of ignored streams too."""
    return [
        _described(landing, path.relative_to(landing).as_posix(), mappings)
        for path in sorted(landing.glob("*/*/*/*"))
        if path.is_file() and not path.name.endswith((".manifest.json", ".done")) and not path.name.startswith(".")
    ]


def files_of_tables(folder: Path, landing: Path, mappings: Mappings) -> list[LandingFile]:
    """Return the files of which source tables hold current rows, whether or not they are still in the landing folder."""
    return [
        replace(_described(landing, relative, mappings), database=database, sha256=sha256)
        for database in sorted(folder.glob("*.duckdb"))
        for relative, sha256 in files_of(database)
    ]


def _described(landing: Path, relative: str, mappings: Mappings) -> LandingFile:
    path = landing / relative
    system, stream = path.parts[-4], path.parts[-3]
    known = mappings.system(system, path.parents[2])
    described, dialect = known.file.streams.get(stream), Dialect()
    names = {f"{stream}_id": "id"}
    if described is not None:
        names, dialect = described.names(stream), known.dialect(stream, path.name)
    shared = tuple(name for other, of in known.file.streams.items() if of.is_one_person for name in of.names(other))
    return LandingFile(path, relative, system, stream, dialect, names, shared)


def search(lake: Lake, person: Person, files: list[LandingFile]) -> Search:
    """Find all records of the person.

    Raises
    ------
    UsageError, InputRefused
        A file cannot be read as its stream declares it.
    """
    result = Search(lake, person)
    origins = _origins(lake, person, files)
    mapped = {(file.system, file.stream): file.system != CANONICAL for file in files}
    files = [file for file in files if file.database is not None or is_readable(file.path)]
    before, is_first = -1, True
    while result.size > before:
        before = result.size
        pattern = person.pattern()
        for file in files:
            numbers = origins.get(file.relative, set())
            if is_first and not numbers:
                continue  # first what the rows of the lake came from: it tells how files speak of this person
            for record in file.records():
                if record.number and (record.number in numbers or _is_meant(result, file, record, pattern)):
                    result.found.setdefault(file, set()).add(record.number)
                    _learn(result, file, record, is_mapped=mapped[file.system, file.stream], is_origin=record.number in numbers)
        if is_first:
            is_first, before = False, -1
    return result


def _origins(lake: Lake, person: Person, files: list[LandingFile]) -> dict[str, set[int]]:
    """Numbers of the records that rows came from, by path, in files whose bytes are still those that were read, and their duplicates."""
    loaded = lake.ledger.rows("select path, sha256 from deliveries union select path, sha256 from source_files")
    by_content: dict[str, set[int]] = defaultdict(set)
    for (path, sha256), numbers in person.records.items():
        if not Path(path).name.startswith(REDACTED):
            by_content[sha256] |= numbers
    paths = {path for path, sha256 in loaded if sha256 in by_content}
    origins: dict[str, set[int]] = defaultdict(set)
    for file in files:
        if file.relative in paths and (sha256 := file.content) in by_content:
            origins[file.relative] |= by_content[sha256]
    return origins


def content_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_meant(result: Search, file: LandingFile, record: DeliveredRecord, pattern: re.Pattern[str]) -> bool:
    ids, values = result.person.ids, record.values
    columns = _canonical_columns(file) if file.system == CANONICAL else result.columns[file.system, file.stream]
    text = unicodedata.normalize("NFC", record.text)  # as the lake has identifiers
    if any(identifier_value(values.get(column, "")) in ids for column in columns) or pattern.search(text):
        return True
    if file.system == CANONICAL:
        is_ours = file.stream not in feeds() or file.path.name.startswith(REDACTED)
        return not is_ours and result.lake.children_of(result.person).is_named(
            load_contract(file.stream), _stored_ids(result.lake, file, record)
        )
    links, own = result.links[file.system], file.names
    return any(values.get(name) in found or (name in own and values.get(own[name]) in found) for name, found in links.items())


def _stored_ids(lake: Lake, file: LandingFile, record: DeliveredRecord) -> dict[str, str]:
    """Return the ids of a record of the company's own files by column, as the lake has them."""
    named = {*references(file.stream), *person_columns(load_contract(file.stream))}
    ids = {name: identifier_value(record.values.get(name, "")) for name in named}
    return {name: lake.stored_id(value) if is_suspect(value) else value for name, value in ids.items() if value}


def _canonical_columns(file: LandingFile) -> set[str]:
    return set(person_columns(load_contract(file.stream))) if file.stream in feeds() else set()


def _learn(result: Search, file: LandingFile, record: DeliveredRecord, *, is_mapped: bool, is_origin: bool) -> None:
    person, place = result.person, (file.system, file.stream)
    if is_mapped:
        if is_origin:
            held = {name for name, value in record.values.items() if identifier_value(value) in person.ids and name != "id"}
            result.columns[place] |= held
        for name, own in (*file.names.items(), *((name, name) for name in file.shared if is_origin)):
            if value := record.values.get(own):
                result.links[file.system][name].add(value)
    elif not is_origin and file.stream in feeds() and not file.path.name.startswith(REDACTED):
        result.lake.children_of(result.person).learn(load_contract(file.stream), _stored_ids(result.lake, file, record))
    hashes = {row.id_hash for row in person.erased}
    for name in _canonical_columns(file):
        value = identifier_value(record.values.get(name, ""))
        if (
            value and value not in person.ids and result.lake.hashed(result.lake.stored_id(value)) in hashes
        ):  # known by the register alone: delivered again
            person.contact_ids.add(value)
            person.words.add(value)
    for forms, plain, known in ((_EMAIL, "hashed_email", person.emails), (_PHONE, "hashed_phone", person.phones)):
        for value in {match.strip() for text in record.values.values() for match in forms.findall(text)}:
            if known and value not in person.words and result.lake.rows(f"select {plain}(?)", [value])[0][0] in known:
                person.words.add(value)
