"""The state of every record that a run moves: loaded, superseded, waiting or quarantined, and how the counts of its file change.

It must not map or compare a row.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.ingest.sources.delivered import FILE_BITS
from dagster_project.ingest.sources.made_rows import PLACE, MadeRows
from dagster_project.ingest.sources.results import FileCounts, SystemChange
from dagster_project.ingest.sources.tables import DATABASE, SourceTables
from dagster_project.ingest.sources.visibility import WAITS


class States:
    """The states of the records of one system before and after a run."""

    def __init__(self, tables: SourceTables, rows: MadeRows, result: SystemChange) -> None:
        self.tables, self.rows, self.result = tables, rows, result
        self.system = rows.system

    def count(self, todo: list[str], *, everything: bool) -> None:
        """Note the state of every record that this run moved, and how the counts of its file change."""
        run, states, refusals = self.tables.run, f"{DATABASE}.states", f"{DATABASE}.refusals"
        for name in todo if not self.tables.is_new else ():
            run(
                f"insert into moved select record_number, null from {self.rows.affected(name)} where record_number not in (select"
                f" record_number from moved)"
            )
        run(
            "create or replace temp table before_run as select moved.record_number, case"
            f" when starts_with(was_hidden, '{WAITS}') then 'waiting' when was_hidden is not null then 'superseded'"
            f" when states.state is not null then states.state else 'loaded' end as state"
            f" from moved left join {states} on states.record_number = moved.record_number"
        )
        was_refused = set(
            run(f"select record_number, feed from {refusals} where record_number in (select record_number from moved)").fetchall()
        )
        for table in (states, refusals):
            run(f"delete from {table} where record_number in (select record_number from moved)")
        is_refused: set[tuple[int, str]] = set()
        for name in todo:
            excluded = self.rows.excluded(name)
            run(f"insert into {states} select record_number, 'excluded', reason from {excluded}")
            for reason, count in run(f"select reason, count(*) from {excluded} group by 1").fetchall():
                self.result.left_out[name, reason] += count
            carriers = {feed for feed, mapped in self.system.stream(name).feeds.items() if mapped.records}
            is_refused |= {(number, feed) for number, feeds in self.rows.broken[name].items() for feed in feeds}
            for (stream, feed), records in self.rows.listed.items():
                for number, record in records if stream == name else []:
                    if (number, feed) not in was_refused:
                        self.result.quarantine[number >> FILE_BITS].append(record)
            quarantined = [number for number, feeds in self.rows.broken[name].items() if feeds & carriers]
            run(f"insert into {states} select unnest([{', '.join(map(str, quarantined))}]::bigint[]), 'quarantined', null")
        for number, feed in is_refused:
            self.result.refused_by_feed[number >> FILE_BITS][feed] += 1
        rows = [(number, feed, number in self.rows.too_late) for number, feed in is_refused]
        if rows:
            run(
                f"insert into {refusals} select unnest(?::bigint[]), unnest(?::varchar[]), unnest(?::boolean[])",
                list(zip(*rows, strict=True)),
            )
        parts = []
        for name in self.tables.streams:
            hidden, delta = self.tables.hidden(name), f"select record_number from {self.tables.delta(name)}"
            where = "" if self.tables.is_new else f" where record_number in ({delta} union select record_number from moved)"
            parts.append(
                f"select record_number, case when {hidden} is null then null when starts_with({hidden}, '{WAITS}') then"
                f" 'waiting' else 'superseded' end"
                f" as hidden from {self.tables.table(name)}{where}"
            )
        run(f"create or replace temp table present as {' union all '.join(parts)}")
        run(
            "create or replace temp table after_run as select present.record_number, coalesce(hidden, case states.state when"
            " 'excluded' then"
            f" 'superseded' else states.state end, 'loaded') as state from present left join {states} using (record_number)"
        )
        own = {file_no: FileCounts() for file_no in self.rows.sources}
        self.result.moves = own
        for file_no, state, count in self._by_file("after_run"):
            if file_no in own or everything:
                _add(own.setdefault(file_no, FileCounts()), state, count)
        if everything:
            return
        for sign, table in ((-1, "before_run"), (1, "after_moved")):
            if table == "after_moved":
                run(
                    "create or replace temp table after_moved as select before_run.record_number, coalesce(after_run.state,"
                    " 'superseded') as state"
                    " from before_run left join after_run using (record_number)"
                )
            for file_no, state, count in self._by_file(table):
                if file_no not in self.rows.sources:
                    _add(self.result.moves.setdefault(file_no, FileCounts()), state, sign * count)
        self.result.resolved = sorted((number >> FILE_BITS, feed, number & PLACE) for number, feed in was_refused - is_refused)

    def _by_file(self, table: str) -> Iterator[tuple[int, str, int]]:
        sql = (
            f"select record_number >> {FILE_BITS}, case state when 'excluded' then 'superseded' else state end, count(*) from"
            f" {table} group by all"
        )
        yield from self.tables.run(sql).fetchall()


def _add(counts: FileCounts, state: str, count: int) -> None:
    setattr(counts, state, getattr(counts, state) + count)
