"""Which current rows SELECTs see: not those that are deleted, whose parent is deleted or has not come, or whose parent came without them.

Holds the rule of each stream (`deleted`, `needs`, `complete_with`) over the merged tables. It must not merge or map a row.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from dagster_project.ingest.sql_text import FALSE_WORDS, TRUE_WORDS, identifier, identifier_form, literal

if TYPE_CHECKING:
    from dagster_project.ingest.sources.tables import SourceTables

WAITS, EXCLUDED, REPLACED = "waits", "excluded", "replaced"
"""First word of `row_hidden`: the parent has not come; the row or its parent is deleted; the parent came again without it."""
_FLAGS = {"true": TRUE_WORDS, "false": FALSE_WORDS}


def is_said(text: str, value: str) -> str:
    """Return the test whether a text is the value of `deleted`: `true` and `false` by any word for it, a code only as itself."""
    value = value.strip().lower()
    return f"lower({identifier_form(text)}) in ({', '.join(map(literal, _FLAGS.get(value, (value,))))})"


def is_unreadable(text: str, value: str) -> str:
    """Return the test for a text that is neither true nor false where `deleted` asks for one of them; "" where it asks for a code."""
    if value.strip().lower() not in _FLAGS:
        return ""
    known = ", ".join(map(literal, (*TRUE_WORDS, *FALSE_WORDS)))
    return f"case when {text} in ({known}) then false else lower({identifier_form(text)}) not in ({known}) end"


class Visibility:
    """The hidden rows of the tables of one system."""

    def __init__(self, tables: SourceTables) -> None:
        self.tables, self.system = tables, tables.system
        self._made: set[str] = set()  # temporary tables that exist

    def update(self) -> None:
        """Decide which rows are hidden, parents before their children."""
        self._made = {name for (name,) in self.tables.run("select table_name from duckdb_tables() where temporary").fetchall()}
        for name in self._parents_first():
            self._hide(name)

    def _parents_first(self) -> list[str]:
        needed = {
            name: [parent for parent in self.system.stream(name).needs.values() if parent in self.tables.streams]
            for name in self.tables.streams
        }
        return [name for name in TopologicalSorter(needed).static_order() if name in self.tables.streams]

    def _hide(self, name: str) -> None:
        """Decide `row_hidden` of the rows that came and of those whose parents changed; rows that turn visible came, others are gone."""
        stream, table = self.system.stream(name), self.tables.table(name)
        if not stream.deleted and not stream.needs:
            return
        fresh = f"select record_number from {self.tables.temporary('came', name)}"
        parts = [fresh]
        if self._has("kept", name):
            parts.append(f"select record_number from {self.tables.temporary('kept', name)}")
        for column, parent in stream.needs.items():
            affected = self._affected(parent)
            if affected:
                parts.append(f"select record_number from {table} where {identifier(column)} in ({affected})")
        self.tables.run(f"create or replace temp table asked as {' union '.join(parts)}")
        if not self.tables.size("asked"):
            return
        whens = [
            f"when {is_said(f'row_.{identifier(column)}', value)} then '{EXCLUDED}: deleted in the source'"
            for column, value in stream.deleted.items()
        ]
        joins = []
        for at, (column, parent) in enumerate(stream.needs.items()):
            key = identifier(self.system.stream(parent).key[0])
            joins.append(f"left join {self.tables.table(parent)} as parent_{at} on row_.{identifier(column)} = parent_{at}.{key}")
            has = f"row_.{identifier(column)} is not null"
            whens += [
                f"when {has} and (parent_{at}.record_number is null or starts_with(parent_{at}.row_hidden, '{WAITS}')) then"
                f" '{WAITS}: {parent}'",
                f"when {has} and parent_{at}.row_hidden is not null then '{EXCLUDED}: its {parent} is deleted'",
            ]
            if stream.complete_with == parent:
                again = f"row_.row_day < parent_{at}.row_last and parent_{at}.row_first < parent_{at}.row_last"
                whens.append(f"when {has} and {again} then '{REPLACED}: its {parent} came again without it'")
        hidden = f"case {' '.join(whens)} end"
        self.tables.run(
            f"create or replace temp table decided as select row_.record_number, row_.row_hidden as was, {hidden} as now from"
            f" {table} as row_"
            f" {' '.join(joins)} where row_.record_number in (select record_number from asked)"
        )
        came, gone = self.tables.temporary("came", name), self.tables.temporary("gone", name)
        self.tables.run(f"create or replace temp table fresh as {fresh}")
        other = "select record_number from decided where was is distinct from now and record_number not in (from fresh)"
        self.tables.run(f"insert into moved select record_number, was from decided where record_number in ({other})")
        for part, turned, columns in ((gone, "was", self.tables.followed(name)), (came, "now", self.tables.columns(name))):
            listed = ", ".join([*map(identifier, columns), "record_number"])
            numbers = f"{other} and {turned} is null"
            self.tables.run(f"insert into {part} select {listed} from {table} where record_number in ({numbers})")
        self.tables.run(f"delete from {came} where record_number in (select record_number from decided where now is not null)")
        self._made.add(switched := self.tables.temporary("switched", name))
        self.tables.run(f"create or replace temp table {switched} as select record_number from decided where was is distinct from now")
        self.tables.run(
            f"update {table} set row_hidden = decided.now from decided"
            f" where {table.split('.', 1)[1]}.record_number = decided.record_number and decided.was is distinct from decided.now"
        )

    def _affected(self, parent: str) -> str:
        """Return the SELECT of the keys of a parent stream whose rows came, went, moved or were hidden or shown in this run."""
        key = identifier(self.system.stream(parent).key[0])
        parts = (
            [f"select {key} from {self.tables.temporary('affected_keys', parent)}"]
            if parent in self.tables.changes and self._has("affected_keys", parent)
            else []
        )
        if self._has("switched", parent):
            switched = f"select record_number from {self.tables.temporary('switched', parent)}"
            parts.append(f"select {key} from {self.tables.table(parent)} where record_number in ({switched})")
        return " union ".join(parts)

    def _has(self, part: str, stream: str) -> bool:
        return self.tables.temporary(part, stream) in self._made

    def waiting(self) -> list[tuple[str, str, int, str]]:
        """Return stream, parent, number of waiting rows and their oldest day of delivery."""
        found = []
        for name in self.tables.streams:
            if self.system.stream(name).needs:
                sql = (
                    f"select substr(row_hidden, {len(WAITS) + 3}), count(*), min(row_day)::varchar from {self.tables.table(name)}"
                    f" where starts_with(row_hidden, '{WAITS}') group by 1 order by 1"
                )
                found += [(name, parent, count, day) for parent, count, day in self.tables.run(sql).fetchall()]
        return found
