"""The merge of one stream's delivered rows into its table of current rows.

Holds which rows stay, which go and which come. Of the rows of the table it reads what places them; their text is read only where it may
equal what came. It must not decide which rows are hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from dagster_project.ingest.sources.first_load import is_first, key_sql, take_all
from dagster_project.ingest.sources.results import StreamChange
from dagster_project.ingest.sql_text import identifier

if TYPE_CHECKING:
    from dagster_project.ingest.mapping.streams import Stream
    from dagster_project.ingest.sources.tables import SourceTables

_MOVING = ("row_version", "row_day", "row_file", "row_place", "row_first", "row_last")
"""Columns that a row of equal content takes over: its place in the order of versions, and the days of its version."""


def merge(tables: SourceTables, name: str) -> StreamChange:
    """Bring the delivered rows of a stream into its table; keep in temporary tables what went, came, moved and stayed."""
    stream, table, delta = tables.system.stream(name), tables.table(name), tables.delta(name)
    came = tables.temporary("came", name)
    columns = ", ".join([*map(identifier, tables.columns(name)), "record_number"])
    key = tuple(dict.fromkeys((*stream.complete_per, *stream.key)))
    if not key:
        tables.run(f"insert into {table} from {delta}")
        tables.run(f"insert into {came} select {columns} from {delta}")
        return StreamChange(0, tables.size(delta), 0)
    if is_first(tables, name, key):
        return take_all(tables, name, key)
    tied = _find_winners(tables, name, stream, key)
    _find_kept(tables, stream, key)
    tables.run(f"create or replace temp table {tables.temporary('kept', name)} as select record_number from kept")
    tables.run("create or replace temp table lost as select * from held where record_number not in (select record_number from kept)")
    tables.run(
        "create or replace temp table brought as select record_number, row_first, row_last from winner"
        " where is_new and record_number not in (select winning from kept)"
    )
    tables.run(f"delete from {table} where record_number in (select record_number from lost)")
    _move(tables, table)
    placed = "brought.row_first as row_first, brought.row_last as row_last, null::varchar as row_hidden"
    tables.run(
        f"insert into {table} select delta.* replace ({placed}) from {delta} as delta"
        " inner join brought on delta.record_number = brought.record_number"
    )
    followed = ", ".join([*map(identifier, tables.followed(name)), "record_number"])
    tables.run(f"insert into {tables.temporary('gone', name)} select {followed} from lost where row_hidden is null")
    tables.run("insert into moved select record_number, row_hidden from lost")
    tables.run(f"insert into {came} select {columns} from {delta} where record_number in (select record_number from brought)")
    listed = ", ".join(map(identifier, key))
    tables.note_affected(name, f"select {listed} from held union select {listed} from winner")
    return StreamChange(tables.size("lost"), tables.size("brought"), tied)


def _find_winners(tables: SourceTables, name: str, stream: Stream, key: Sequence[str]) -> int:
    """Make `held`, the rows of the table that what came may replace, and `winner`, the rows that are current now; count the ties."""
    _find_held(tables, name, stream, key)
    names = ", ".join([*map(identifier, key), "record_number", *_MOVING, "row_content"])
    content, by = _content(tables, name), key_sql(key, stream.key_defaults)
    arrived = f"(select *, {content} as row_content from {tables.delta(name)})"
    candidates = f"select {names}, false as is_new from held union all select {names}, true as is_new from {arrived}"
    if stream.complete_per:
        per = key_sql(stream.complete_per, stream.key_defaults)
        candidates = f"select * from ({candidates}) qualify row_day = max(row_day) over (partition by {per})"
    tables.run(f"create or replace temp table candidates as {candidates}")
    if not stream.key:
        copy = f"row_number() over (partition by {by}, row_content, is_new order by row_file, row_place)"
        tables.run(f"create or replace temp table winner as select *, {copy} as copy from candidates")
        return 0
    order = "row_version desc nulls last, row_day desc, row_file desc, row_place desc"
    latest = f"row_number() over (partition by {by} order by {order}) = 1"
    # the first day of the latest version: a copy of it, or an older version, says nothing of the children
    last = (
        f"case when row_version is null then max(row_last) over (partition by {by})"
        f" else min(row_last) over (partition by {by}, row_version) end"
    )
    span = f"min(row_first) over (partition by {by}) as row_first, {last} as row_last"
    tables.run(f"create or replace temp table winner as select * replace ({span}), 1 as copy from candidates qualify {latest}")
    # several rows that differ though version (without one: day) is the same latest one
    equally = "row_version" if stream.version else "row_day"
    newest = f"select * from candidates qualify {equally} = max({equally}) over (partition by {by})"
    return tables.count(
        f"select count(*) from (select 1 from ({newest}) group by {by} having count(distinct row_content) > 1 and bool_or(is_new))"
    )


def _find_held(tables: SourceTables, name: str, stream: Stream, key: Sequence[str]) -> None:
    """Make `held` with a hash of the content of the rows that may equal what came: null says that a row differs.

    Rows of one day are spread over the table, and each column has blocks of its own: to read the text of a thousand of them after 24 months
    took 130 to 150 of 190 MB, half of what such a day cost more than one after 3. A row of another version differs in the text of the
    version, so that nothing else of it is read.
    """
    table, delta = tables.table(name), tables.delta(name)
    scope, defaults = stream.complete_per or key, stream.key_defaults
    placed = dict.fromkeys([*map(identifier, (*key, *tables.followed(name))), "record_number", *_MOVING])
    tables.run(
        f"create or replace temp table placed as select {', '.join(placed)}, {tables.hidden(name)} as row_hidden from {table} as held"
        f" where exists (select 1 from {delta} as delta where {equal('held', 'delta', scope, defaults)})"
    )
    comparable = "select record_number from placed"
    if stream.key:
        alike = equal("placed", "delta", key, defaults)
        if stream.version:
            alike += " and placed.row_version is not distinct from delta.row_version"
        comparable += f" where exists (select 1 from {delta} as delta where {alike})"
    tables.pick("compared", table, comparable, f"record_number, {_content(tables, name)} as row_content")
    tables.run(
        "create or replace temp table held as select placed.*, compared.row_content from placed"
        " left join compared on compared.record_number = placed.record_number"
    )


def _find_kept(tables: SourceTables, stream: Stream, key: Sequence[str]) -> None:
    """Make `kept`: the held rows that stay, each with the row of equal content whose place in the order it takes."""
    same = f"{equal('held', 'winner', key)} and held.row_content is not distinct from winner.row_content"
    numbered = "held"
    if not stream.key:
        by = key_sql(key, stream.key_defaults)
        numbered = f"(select *, row_number() over (partition by {by}, row_content order by row_file, row_place) as copy from held)"
        # rows that stay are themselves; a later day's set is paired with what was there, row by row of equal ones
        same += (
            " and case when winner.is_new then held.row_day < winner.row_day and held.copy = winner.copy"
            " else held.record_number = winner.record_number end"
        )
    moves = ", ".join(f"winner.{column}" for column in _MOVING)
    tables.run(
        f"create or replace temp table kept as select held.record_number as record_number, winner.record_number as winning, {moves}"
        f" from {numbered} as held inner join winner on {same}"
    )


def _move(tables: SourceTables, table: str) -> None:
    """Give the rows that stay the place of the row that equals them."""
    differ = " or ".join(f"held.{column} is distinct from kept.{column}" for column in _MOVING)
    tables.run(
        "create or replace temp table shifted as select kept.* from kept"
        f" inner join held on held.record_number = kept.record_number where {differ}"
    )
    if tables.size("shifted"):
        places = ", ".join(f"{column} = shifted.{column}" for column in _MOVING)
        short = table.split(".", 1)[1]
        tables.run(f"update {table} set {places} from shifted where {short}.record_number = shifted.record_number")


def _content(tables: SourceTables, name: str) -> str:
    return f"hash({', '.join(map(identifier, tables.columns(name)))})"


def equal(left: str, right: str, columns: Sequence[str], defaults: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the test whether two rows have the same key; no value equals no value."""
    return " and ".join(
        f"{key_sql([column], defaults, left)} is not distinct from {key_sql([column], defaults, right)}" for column in columns
    )
