"""Which records of a stream a run's changes can reach, and which rows of its other streams their mapping needs.

Holds the walk over the dependencies of a SELECT, in SQL over the tables of one system. It must not map a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from dagster_project.ingest.mapping.systems import System
from dagster_project.ingest.sources.dependencies import SOURCE, Binding, Dependencies, Origin
from dagster_project.ingest.sources.tables import SourceTables
from dagster_project.ingest.sql_text import identifier


class Walk:
    """The walk over one SELECT of a stream; `stream` is what it calls `source`."""

    def __init__(self, tables: SourceTables, system: System, stream: str, found: Dependencies) -> None:
        self.tables, self.system, self.stream, self.found = tables, system, stream, found
        self._steps = 0
        self._ways: dict[tuple[int, bool], list[tuple[Origin, Origin]]] = defaultdict(list)  # by leaf, and whether away from the root
        for edge in found.edges:
            for is_back in (False, True):
                if edge.is_both_ways or not is_back:
                    self._ways[edge.left.leaf, is_back].append((edge.left, edge.right))
                if edge.is_both_ways or is_back:
                    self._ways[edge.right.leaf, is_back].append((edge.right, edge.left))
        self._bindings: dict[int, list[Binding]] = defaultdict(list)
        for binding in found.bindings:
            self._bindings[binding.leaf].append(binding)

    def name(self, leaf: int) -> str:
        """Return the stream that a leaf reads."""
        table = self.found.tables[leaf]
        return self.stream if table.lower() == SOURCE else table

    def reach(self, target: str, moved: set[str]) -> bool:
        """Add to table `target` the records of the stream that changes of this run reach; return False where that is every record.

        `moved`: the streams of which a row came or went; the rows of the others are as they were.
        """
        run, tables = self.tables.run, self.tables
        leaves = [leaf for leaf in range(len(self.found.tables)) if self.name(leaf) in moved]
        if not leaves and self.stream not in moved:
            return True
        own = f"select record_number from {tables.temporary('came', self.stream)}"
        run(f"insert into {target} select record_number from ({own}) where record_number not in (from {target})")
        starts: list[tuple[int, str]] = []
        for leaf in leaves:
            changed = self._changed(leaf)
            if changed is None:
                continue
            if leaf in self.found.global_leaves or self.found.is_global:
                return False
            starts.append((leaf, changed))
        if self.found.is_global:
            return True
        sets = self._sets("reached")
        for root in self.found.roots:
            run(f"insert into {sets[root]} select record_number from {target}")
        self._spread(starts, sets, is_back=False)
        for root in self.found.roots:
            run(f"insert into {target} select record_number from {sets[root]} where record_number not in (from {target})")
        return True

    def fetch(self, target: str) -> dict[str, str | None]:
        """Return per relation of the SELECT a table of the records it needs for those in `target`; None where it needs all."""
        sets = self._sets("needed")
        for root in self.found.roots:
            self.tables.run(f"insert into {sets[root]} from {target}")
        starts = [(root, self._rows(root, sets[root])) for root in self.found.roots]
        self._spread(starts, sets, is_back=True)
        needed: dict[str, str | None] = {}
        for relation in set(self.found.tables):
            leaves = [leaf for leaf, table in enumerate(self.found.tables) if table == relation]
            if any(leaf in self.found.global_leaves for leaf in leaves):
                needed[relation] = None
                continue
            self._steps += 1
            union = f"union_{self._steps}"
            parts = " union ".join(f"from {sets[leaf]}" for leaf in leaves)
            self.tables.run(f"create or replace temp table {union} as {parts}")
            needed[relation] = union
        return needed

    def _sets(self, kind: str) -> list[str]:
        names = [f"{kind}_{leaf}" for leaf in range(len(self.found.tables))]
        for name in names:
            self.tables.run(f"create or replace temp table {name} (record_number bigint)")
        return names

    def _changed(self, leaf: int) -> str | None:
        """Return the rows of a leaf that came or went and differ in a column that it reads; None where there are none."""
        name = self.name(leaf)
        gone, came = (self.tables.temporary(part, name) for part in ("gone", "came"))
        known = {column.lower() for column in self.found.columns[leaf]}
        read = [column for column in (*self.tables.columns(name), "record_number") if column.lower() in known]
        if leaf in self.found.roots or not read:
            read = [*self.tables.followed(name), "record_number"]  # no two rows have one number: every row counts
        listed = ", ".join(map(identifier, read))
        self._steps += 1
        changed = f"changed_{self._steps}"
        differ = [f"(select {listed} from {one} except all select {listed} from {other})" for one, other in ((gone, came), (came, gone))]
        self.tables.run(f"create or replace temp table {changed} as {' union all '.join(differ)}")
        return changed if self.tables.count(f"select count(*) from {changed}") else None

    def _rows(self, leaf: int, records: str) -> str:
        return f"(select * from {self.tables.table(self.name(leaf))} where record_number in (from {records}))"

    def _spread(self, starts: list[tuple[int, str]], sets: list[str], *, is_back: bool) -> None:
        """Follow edges and bindings from rows to rows until nothing is added."""
        todo = list(starts)
        while todo:
            leaf, rows = todo.pop()
            for other, condition in self._next(leaf, rows, is_back=is_back):
                added = self._add(other, condition, sets[other])
                if added:
                    todo.append((other, added))

    def _next(self, leaf: int, rows: str, *, is_back: bool) -> Iterator[tuple[int, str]]:
        for near, far in self._ways[leaf, is_back]:
            if not (is_back and far.leaf in self.found.global_leaves):
                yield far.leaf, f"{far.value} in (select {near.value} from {rows})"
        for binding in self._bindings[leaf]:
            equal = " and ".join(f"one.{_alias(at)} is not distinct from other.{_alias(at)}" for at in range(len(binding.keys)))
            keys = ", ".join(f"{Origin(leaf, key).value} as {_alias(at)}" for at, key in enumerate(binding.keys))
            table = self.tables.table(self.name(leaf))
            numbers = (
                f"select one.record_number from (select record_number, {keys} from {table}) as one"
                f" where exists (select 1 from (select distinct {keys} from {rows}) as other where {equal})"
            )
            yield leaf, f"record_number in ({numbers})"

    def _add(self, leaf: int, condition: str, known: str) -> str:
        """Add the rows that meet the condition to a set; return the relation of those that are new, or nothing."""
        self._steps += 1
        fresh = f"fresh_{self._steps}"
        table = self.tables.table(self.name(leaf))
        self.tables.run(
            f"create or replace temp table {fresh} as select record_number from {table}"
            f" where row_hidden is null and ({condition}) and record_number not in (from {known})"
        )
        if not self.tables.count(f"select count(*) from {fresh}"):
            return ""
        self.tables.run(f"insert into {known} from {fresh}")
        return self._rows(leaf, fresh)


def _alias(at: int) -> str:
    return f"key_{at}"
