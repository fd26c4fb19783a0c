"""Which delivered records speak of a person: those that rows of the lake came from, and all that lead to them by id, address or name.

Four ways lead to a record: a row of the lake that names the account or a contact came from it; a column that holds the id in such a
record (in canonical files: the contract's column) holds it here too; it names or is named by such a record of another stream of its system
(column `ticket_id` of a record, column `id` of a ticket, or as the mapping's `known_as` says); a word that speaks of this person alone
stands in it. Holds the search. It must not change a file.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.ingest.mapping.systems import CANONICAL, Mappings
from dagster_project.ingest.pii.register import person_columns
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.sql_text import identifier_value
from dagster_project.privacy.person import Lake, Person
from dagster_project.privacy.records import DeliveredRecord, delivered_records, is_readable

OWN = "redacted-"
"""Start of the names of files that forgetting itself delivers."""
_EMAIL = re.compile(r"[^\s<>,;:\"'()]+@[^\s<>,;:\"'()]+")
_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./-]{4,20}[0-9]")


@dataclass(frozen=True)
class LandingFile:
    """One delivered file, whether or not the door reads its stream."""

    path: Path
    relative: str
    system: str
    stream: str
    dialect: Dialect
    names: Mapping[str, str] = field(default_factory=dict, compare=False)  # how other streams name one of its records
    shared: tuple[str, ...] = ()  # columns of the system that name what is about one person


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
        return count + len(self.person.words) + len(self.person.contact_ids)


def landing_files(landing: Path, mappings: Mappings) -> list[LandingFile]:
    """Return every delivered file in the order of its path, those of ignored streams too."""
    files = []
    for path in sorted(landing.glob("*/*/*/*")):
        system, stream = path.parts[-4], path.parts[-3]
        if path.is_file() and not path.name.endswith((".manifest.json", ".done")) and not path.name.startswith("."):
            known = mappings.system(system, path.parents[2])
            described, dialect = known.file.streams.get(stream), Dialect()
            names = {f"{stream}_id": "id"}
            if described is not None:
                names, dialect = described.names(stream), known.dialect(stream, path.name)
            shared = tuple(name for other, of in known.file.streams.items() if of.is_one_person for name in of.names(other))
            files.append(LandingFile(path, path.relative_to(landing).as_posix(), system, stream, dialect, names, shared))
    return files


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
    files = [file for file in files if is_readable(file.path)]
    before, is_first = -1, True
    while result.size > before:
        before = result.size
        pattern = person.pattern()
        for file in files:
            numbers = origins.get(file.relative, set())
            if is_first and not numbers:
                continue  # first what the rows of the lake came from: it tells how files speak of this person
            for record in delivered_records(file.path, file.dialect):
                if record.number and (record.number in numbers or _is_meant(result, file, record, pattern)):
                    result.found.setdefault(file, set()).add(record.number)
                    _learn(result, file, record, is_mapped=mapped[file.system, file.stream], is_origin=record.number in numbers)
        if is_first:
            is_first, before = False, -1
    return result


def _origins(lake: Lake, person: Person, files: list[LandingFile]) -> dict[str, set[int]]:
    """Numbers of the records that rows came from, by path, in files whose bytes are still those that were read, and their duplicates."""
    loaded = {file_id: (path, sha256) for file_id, path, sha256 in lake.ledger.rows("select file_id, path, sha256 from deliveries")}
    by_content: dict[str, set[int]] = defaultdict(set)
    for file_id, numbers in person.records.items():
        path, sha256 = loaded[file_id]
        if not Path(path).name.startswith(OWN):
            by_content[sha256] |= numbers
    paths = {path for path, sha256 in loaded.values() if sha256 in by_content}
    return {
        file.relative: by_content[sha256] for file in files if file.relative in paths and (sha256 := content_hash(file.path)) in by_content
    }


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
        return False
    links, own = result.links[file.system], file.names
    return any(values.get(name) in found or (name in own and values.get(own[name]) in found) for name, found in links.items())


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
    hashes = {row.id_hash for row in person.tombstones}
    for name in _canonical_columns(file):
        value = identifier_value(record.values.get(name, ""))
        if value and value not in person.ids and result.lake.hashed(value) in hashes:  # known by its tombstone alone: delivered again
            person.contact_ids.add(value)
            person.words.add(value)
    for forms, plain, known in ((_EMAIL, "hashed_email", person.emails), (_PHONE, "hashed_phone", person.phones)):
        for value in {match.strip() for text in record.values.values() for match in forms.findall(text)}:
            if known and value not in person.words and result.lake.rows(f"select {plain}(?)", [value])[0][0] in known:
                person.words.add(value)
