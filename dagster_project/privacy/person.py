"""Who is to be forgotten, as the lake knows them: the account, its contacts, the rows that name them, their names and hashes.

Holds reading of the accepted lake. It must not read delivered files or change anything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.engines.duckdb import connect_memory
from dagster_project.engines.lake_files import LakeFile, lake_rows
from dagster_project.errors import UsageError
from dagster_project.host.lock import SPILL
from dagster_project.ingest.pii.masking import prepare, use_key
from dagster_project.ingest.pii.register import ErasedPerson, Kind, erased_persons, person_columns
from dagster_project.ingest.sources.delivered import FILE_BITS
from dagster_project.ingest.sources.made_rows import PLACE
from dagster_project.ingest.sql_text import identifier_value
from dagster_project.ledger.store import Ledger, lake_file
from dagster_project.privacy.children import Children
from dagster_project.settings import Settings

PSEUDONYM = "FORGOTTEN-"
_BATCHES = """
select b.feed, b.path, b.batch_id, b.lacks, d.path, d.sha256, coalesce(d.system, c.system)
from batches b left join deliveries d on d.file_id = b.file_id left join changes c on c.change_number = b.change_number
where b.status = 'accepted' and instr(b.feed, '.') = 0 order by b.batch_key
"""
_SHORTEST_WORD, _SHORTEST_NUMBER = 6, 9
"""Shorter values are common in other places of a file: they are looked for by column only."""


class DeliveredFile(NamedTuple):
    """A file as the ledger knows it: its path below the landing folder, and its content."""

    path: str
    sha256: str


@dataclass
class Person:
    """The account and all that leads to it. `words` are values that speak of nobody else, wherever they are.

    `stored_id` is the account as the lake has it (an id that is an address is hashed). `emails` and `phones` are keyed hashes, `addresses`
    the plain ones that were in records of the account alone, `phrases` other values of that kind. `records` are the numbers of the records
    of each file that a row of the lake came from.
    """

    account_id: str
    stored_id: str
    pseudonym: str
    erased: list[ErasedPerson]
    contact_ids: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    phrases: set[str] = field(default_factory=set)
    records: dict[DeliveredFile, set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def ids(self) -> set[str]:
        """The ids of the account and its contacts."""
        return {self.account_id, self.stored_id, *self.contact_ids}

    def pattern(self) -> re.Pattern[str]:
        """Match any word that speaks of this person alone, not inside a longer one."""
        words = sorted(filter(is_telling, self.words), key=len, reverse=True)
        listed = "|".join(map(re.escape, words)) or r"(?!)"
        return re.compile(rf"(?<![0-9A-Za-z])(?:{listed})(?![0-9A-Za-z])")


def is_telling(word: str) -> bool:
    """Tell whether a value can be looked for in any text: short ones, and short numbers, mean something else there."""
    return len(word) >= (_SHORTEST_NUMBER if re.fullmatch(r"[0-9. ,-]+", word) else _SHORTEST_WORD)


class Lake:
    """The accepted batches of a home, with the key of its hashes."""

    def __init__(self, settings: Settings, ledger: Ledger, key: bytes) -> None:
        """Open a private database over the lake, within the memory that the settings give."""
        self.home, self.ledger = settings.home, ledger
        self.connection = connect_memory(threads=settings.threads, memory_limit=settings.memory_limit, temp_directory=settings.home / SPILL)
        prepare(self.connection)
        use_key(self.connection, key)
        self.files: dict[str, DeliveredFile] = {}  # by batch; a batch of a change came from many files
        self.systems: dict[str, str] = {}  # by batch
        self._children: tuple[str, Children] | None = None
        numbered = ledger.rows("select file_no, path, sha256 from source_files")
        self.source_files = {int(number): DeliveredFile(path, sha256) for number, path, sha256 in numbered}
        self.relations: dict[str, str] = {}
        files: dict[str, list[LakeFile]] = defaultdict(list)
        for feed, path, batch, lacks, file_path, sha256, system in ledger.rows(_BATCHES):
            self.systems[batch] = system
            if file_path is not None:
                self.files[batch] = DeliveredFile(file_path, sha256)
            files[feed].append(lake_file(settings.home, path, lacks))
        for feed in feeds():
            if feed in files:
                self.relations[feed] = f"({lake_rows(load_contract(feed).types, files[feed])})"

    def rows(self, sql: str, parameters: object = None) -> list[tuple[object, ...]]:
        """Run one query."""
        return self.connection.execute(sql, parameters).fetchall()

    def hashed(self, value: str) -> str:
        """Return the keyed hash of an id."""
        return str(self.rows("select keyed_hash(?)", [value])[0][0])

    def stored_id(self, value: str) -> str:
        """Return an id as the lake has it."""
        return str(self.rows("select stored_id(?)", [identifier_value(value)])[0][0])

    def origin(self, batch: str, number: int) -> tuple[DeliveredFile, int]:
        """Return the file that a row of a batch came from, and the number of the record in it."""
        if batch in self.files:
            return self.files[batch], number
        return self.source_files[number >> FILE_BITS], number & PLACE

    def person(self, account_id: str) -> Person:
        """Find the account, whether it is still known or was forgotten before.

        Raises
        ------
        UsageError
            Neither the lake nor the register knows the account.
        """
        known = erased_persons(self.ledger)
        stored = self.stored_id(account_id)
        own = self.hashed(stored)
        known_account = next((row for row in known if row.kind == "account" and row.id_hash == own), None)
        number = 1 + max((int(row.pseudonym.removeprefix(PSEUDONYM).split("-")[0]) for row in known), default=0)
        person = Person(account_id, stored, known_account.pseudonym if known_account else f"{PSEUDONYM}{number}", [])
        person.contact_ids = self._contacts(stored)
        self._find_rows(person)
        if known_account is None and not person.records:
            raise UsageError(f"no account {account_id} in {self.home}; remedy: check the id, it is written as the source delivers it")
        person.erased = self._erased(person, known)
        self._find_words(person)
        return person

    def _contacts(self, account_id: str) -> set[str]:
        if "contacts" not in self.relations:
            return set()
        found = f"select contact_id from {self.relations['contacts']} group by 1 having bool_and(account_id = ?)"
        return {str(row[0]) for row in self.rows(found, [account_id])}

    def children_of(self, person: Person) -> Children:
        """Return what hangs on records of the person, found once."""
        if self._children is None or self._children[0] != person.pseudonym:
            values = self._stored(person)
            found = Children(self.connection, self.relations, self.systems, values["account"], values["contact"])
            self._children = person.pseudonym, found
        return self._children[1]

    def _stored(self, person: Person) -> dict[Kind, list[str]]:
        """Return the ids by which rows of the lake know the person."""
        known = [row.pseudonym for row in erased_persons(self.ledger) if row.pseudonym.startswith(f"{person.pseudonym}-")]
        return {"account": [person.stored_id, person.pseudonym], "contact": [*person.contact_ids, *known]}

    def _find_rows(self, person: Person) -> None:
        values, children = self._stored(person), self.children_of(person)
        for feed, relation in self.relations.items():
            columns, found = person_columns(load_contract(feed)), children.hanging_rows(feed)
            if columns:
                test = " or ".join(f"list_contains($values['{kind}'], {name})" for name, kind in columns.items())
                found += self.rows(f"select batch_id, record_number from {relation} where {test}", {"values": values})
            for batch, number in found:
                file, record = self.origin(str(batch), int(str(number)))
                person.records[file].add(record)

    def _erased(self, person: Person, known: list[ErasedPerson]) -> list[ErasedPerson]:
        places = {(row.kind, row.id_hash) for row in known}
        rows = [ErasedPerson("account", self.hashed(person.stored_id), person.pseudonym)]
        taken = sum(row.kind == "contact" and row.pseudonym.startswith(f"{person.pseudonym}-") for row in known)
        for contact in sorted(person.contact_ids):
            found = self.hashed(contact)
            if ("contact", found) not in places:
                taken += 1
                rows.append(ErasedPerson("contact", found, f"{person.pseudonym}-{taken}"))
        return rows

    def _find_words(self, person: Person) -> None:
        """Collect names and hashes of this account that no other account shares."""
        person.words = set(person.ids)
        if "accounts" in self.relations:
            relation = self.relations["accounts"]
            shared = f"select 1 from {relation} b where b.account_id <> a.account_id and contains(b.account_name, a.account_name)"
            own_names = f"select distinct account_name from {relation} a where account_id = ? and account_name is not null"
            names = f"{own_names} and not exists ({shared})"
            person.names = {str(row[0]) for row in self.rows(names, [person.stored_id])}
            person.words |= person.names
        for column, found in (("email_hash", person.emails), ("phone_hash", person.phones)):
            if "contacts" in self.relations:
                relation = self.relations["contacts"]
                own = f"select {column} from {relation} where {column} is not null group by 1 having bool_and(account_id = ?)"
                found |= {str(row[0]) for row in self.rows(own, [person.stored_id])}
        person.emails |= person.ids  # an id that is an address is stored as its hash
        person.words |= person.emails | person.phones
