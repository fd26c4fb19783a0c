"""Rows that name no account but hang on a record of the person: lines of its orders, events of its tickets, what was paid for them.

What hangs on what follows from the contracts: a feed of records whose key is one id (`order_id`) is named by every column of that id, with
words before it too (`follow_up_of_ticket_id`). An id finds the row of its own system, else that of the one other system which has it. A row
that names an account or a contact of somebody else is theirs. Holds SQL over the lake. It must not read delivered files.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import duckdb

from dagster_project.contracts.model import Contract, feeds, load_contract
from dagster_project.ingest.mapping.systems import CANONICAL
from dagster_project.ingest.pii.register import Kind, person_columns
from dagster_project.ingest.sql_text import literal

_KINDS: tuple[Kind, ...] = ("account", "contact")


@cache
def _named_feeds() -> dict[str, str]:
    """Return the feeds of records by the one id that is their key."""
    found = {}
    for contract in map(load_contract, feeds()):
        if contract.key_scope == "system" and len(contract.primary_key) == 1:
            found[contract.primary_key[0]] = contract.feed
    return found


@cache
def references(feed: str) -> dict[str, str]:
    """Return the columns of a feed that name a record, its own key too, with the feed of that record."""
    named = [column.name for column in load_contract(feed).columns if column.kind == "key"]
    return {name: parent for name in named for key, parent in _named_feeds().items() if f"_{name}".endswith(f"_{key}")}


def owners(contract: Contract, kind: Kind) -> list[str]:
    """Return the columns that say of which account, or of which contact, a row is; who acted on it does not own it."""
    return [name for name, of in person_columns(contract).items() if of == kind and name != "actor_id"]


class Children:
    """Keys of records that are the person's alone, in a temporary table of the lake's connection, and the tests of rows by them.

    `accounts` and `contacts` are the ids by which the lake knows the person; `relations` are the feeds as SQL, `systems` are by batch.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relations: Mapping[str, str],
        systems: Mapping[str, str],
        accounts: list[str],
        contacts: list[str],
    ) -> None:
        self._connection, self._relations = connection, relations
        connection.execute("create or replace temp table own_persons (kind varchar, id varchar)")
        connection.execute("insert into own_persons select 'account', unnest(?::varchar[])", [accounts])
        connection.execute("insert into own_persons select 'contact', unnest(?::varchar[])", [contacts])
        connection.execute("create or replace temp table own_keys (feed varchar, source_system varchar, key varchar, is_only boolean)")
        connection.execute("create or replace temp table batch_systems (batch_id varchar, source_system varchar)")
        connection.execute(
            "insert into batch_systems select unnest(?::varchar[]), unnest(?::varchar[])", [list(systems), list(systems.values())]
        )
        self._find_keys()
        self.visible: dict[str, set[str]] = {}
        for feed, key in self._rows(f"select feed, key from own_keys where is_only or source_system = {literal(CANONICAL)}"):
            self.visible.setdefault(str(feed), set()).add(str(key))

    def hanging_rows(self, feed: str) -> list[tuple[object, ...]]:
        """Return batch and record number of the rows of a feed that hang on a record of the person."""
        return self._rows(f"select batch_id, record_number from {self._relations[feed]} as r where {self.test(load_contract(feed))}")

    def test(self, contract: Contract) -> str:
        """Return the test that a row `r` of the lake hangs on a record of the person and names nobody else."""
        found = [
            f"exists (select 1 from own_keys as k, batch_systems as b where k.feed = {literal(feed)} and k.key = r.{name}"
            " and b.batch_id = r.batch_id and (k.is_only or k.source_system = b.source_system))"
            for name, feed in references(contract.feed).items()
        ]
        return f"(({' or '.join(found)}) and not ({self._names_another(contract)}))" if found else "false"

    def is_named(self, contract: Contract, ids: Mapping[str, str]) -> bool:
        """Tell whether a record of the company's own files, ids by column, hangs on a record of the person and names nobody else."""
        is_hanging = any(ids.get(name) in self.visible.get(feed, ()) for name, feed in references(contract.feed).items())
        return is_hanging and not self._holds(contract, ids, self._names_another(contract))

    def learn(self, contract: Contract, ids: Mapping[str, str]) -> None:
        """Add the key of a delivered record that names the person and never became a row; of a key in the lake its rows have decided."""
        key = contract.primary_key[0]
        value, feed = ids.get(key), _named_feeds().get(key)
        if feed != contract.feed or not value or value in self.visible.get(feed, ()):
            return
        if not self._holds(contract, ids, f"({self._names_person(contract)}) and not ({self._names_another(contract)})"):
            return
        if feed not in self._relations or not self._rows(f"select 1 from {self._relations[feed]} where {key} = ? limit 1", [value]):
            self._connection.execute("insert into own_keys values (?, ?, ?, false)", [feed, CANONICAL, value])
            self.visible.setdefault(feed, set()).add(value)

    def _holds(self, contract: Contract, ids: Mapping[str, str], test: str) -> bool:
        """Tell whether a test holds of the one row `r` with these ids."""
        named = [name for kind in _KINDS for name in owners(contract, kind)]
        row = ", ".join(["true as is_there", *(f"{literal(ids[name]) if name in ids else 'null::varchar'} as {name}" for name in named)])
        return bool(self._rows(f"select 1 from (select {row}) as r where {test}"))

    def _rows(self, sql: str, parameters: object = None) -> list[tuple[object, ...]]:
        return self._connection.execute(sql, parameters).fetchall()

    def _find_keys(self) -> None:
        """Collect own keys until no row adds one: those of rows that name the person, then of rows that hang on these."""
        count, before = 0, -1
        while count > before:
            before = count
            for key, feed in _named_feeds().items():
                if feed in self._relations:
                    self._connection.execute(self._new_keys(feed, key))
            count = int(str(self._rows("select count(*) from own_keys")[0][0]))

    def _new_keys(self, feed: str, key: str) -> str:
        """Return the INSERT of keys of which one row is the person's and none is another's."""
        contract, relation = load_contract(feed), self._relations[feed]
        is_own, is_other = f"({self._names_person(contract)}) or {self.test(contract)}", self._names_another(contract)
        rows = (
            f"select b.source_system, r.{key} as key, bool_or({is_other}) as is_shared, bool_or({is_own}) as is_own,"
            f" count(*) over (partition by r.{key}) = 1 as is_only from {relation} as r join batch_systems as b on b.batch_id = r.batch_id"
            f" where r.{key} in (select r.{key} from {relation} as r where {is_own}) group by 1, 2"
        )
        known = f"select 1 from own_keys as k where k.feed = {literal(feed)} and k.key = n.key and k.source_system = n.source_system"
        new = f"select {literal(feed)}, source_system, key, is_only from ({rows}) as n"
        return f"insert into own_keys {new} where is_own and not is_shared and not exists ({known})"

    def _names_person(self, contract: Contract) -> str:
        """Return the test that a row `r` names the person."""
        return " or ".join(["false", *(_is_own(name, kind) for kind in _KINDS for name in owners(contract, kind))])

    def _names_another(self, contract: Contract) -> str:
        """Return the test that a row `r` names another account, or no account and a contact that is known to be another's."""
        accounts, contacts = owners(contract, "account"), owners(contract, "contact")
        tests = [f"(r.{name} is not null and not {_is_own(name, 'account')})" for name in accounts]
        if contacts and "contacts" in self._relations:
            others = f"contact_id is not null and not {_is_own('account_id', 'account')}"
            of_others = f"(select contact_id from {self._relations['contacts']} as r where {others})"
            no_account = " and ".join(["true", *(f"r.{name} is null" for name in accounts)])
            tests += [f"({no_account} and r.{name} is not null and r.{name} in {of_others})" for name in contacts]
        return " or ".join(tests) or "false"


def _is_own(name: str, kind: Kind) -> str:
    return f"(r.{name} is not null and r.{name} in (select id from own_persons where kind = {literal(kind)}))"
