"""Turn the canonical files of a company into the exports of systems; a feed then comes from the system alone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from dagster_project.errors import UsageError

SYSTEMS = {
    "zendesk": ("accounts", "contacts", "tickets", "ticket_events", "interactions"),
    "shopify": ("orders", "order_lines", "payments", "refunds"),
    "quickbooks": ("ledger_actuals",),
    "qualtrics": ("survey_responses",),
}
"""Feeds that each system takes over."""
_REFERENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "zendesk": {
        "feedback_items": ("ticket_id",),
        "orders": ("interaction_id",),
        "offers": ("interaction_id",),
        "recovery_actions": ("ticket_id",),
        "survey_invitations": ("ticket_id",),
        "survey_responses": ("ticket_id",),
    },
    "shopify": {
        "tickets": ("order_id",),
        "problem_events": ("order_id", "line_id"),
        "recovery_actions": ("order_id",),
    },
}
"""Columns of other feeds that name rows of a feed which the system takes over; they name them as the system does, wherever they are."""
_NAMES = {
    "ticket_id": "number(ticket_id)::varchar",
    "interaction_id": "spoken(interaction_id)",
    "order_id": "number(order_id)::varchar",
    "line_id": "line_number(order_id, line_id)::varchar",
}
_FOLDER = Path(__file__).parent
_MACROS = """
create macro number(id) as regexp_extract(id, '[0-9]+$')::bigint;
create macro name_id(name) as ('0x' || left(md5(name), 8))::bigint;
create macro plain(instant) as rtrim(instant, 'Z');
create macro unpadded(value) as regexp_replace(value, '[.]?0+$', '');
create macro pack(product, cost) as number(product) * 1000000000 + (cost::decimal(18, 4) * 10000)::bigint;
create macro line_number(order_id, line_id) as number(order_id) * 1000 + line_id::bigint;
create macro call_number(interaction_id) as 700000000000 + number(interaction_id);
create macro chat_name(interaction_id) as 'demo.' || number(interaction_id);
create macro comment_number(interaction_id) as 500000000000 + number(interaction_id);
create macro synced() as getvariable('day') || ' 02:00:00.000';
create macro spoken(id) as case (select max(channel) from said where said.interaction_id = id)
    when 'phone' then 'call_' || call_number(id)
    when 'chat' then 'chat_' || chat_name(id)
    else 'comment_' || comment_number(id) end;
"""


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Return the systems in the order of the list.

    Raises
    ------
    UsageError
        An unknown name.
    """
    unknown = sorted(set(names) - set(SYSTEMS))
    if unknown:
        raise UsageError(f"unknown system {', '.join(unknown)}; known systems: {', '.join(SYSTEMS)}")
    return tuple(system for system in SYSTEMS if system in names)


def exported_feeds(names: Sequence[str]) -> frozenset[str]:
    """Return the feeds that come from the named systems."""
    return frozenset(feed for name in names for feed in SYSTEMS[name])


def headers(system: str) -> dict[str, tuple[str, ...]]:
    """Columns of every stream of a system as its export has them."""
    lines = (_FOLDER / system / "headers.txt").read_text(encoding="utf-8").splitlines()
    return {stream: tuple(columns.split(",")) for stream, columns in (line.split(": ") for line in lines)}


def export(landing: Path, names: Sequence[str], columns: dict[str, list[str]]) -> None:
    """Write LANDING/<system>/<stream>/<day>/<stream>.csv from LANDING/canonical and remove the feeds that came along.

    `columns` names the columns of every feed, for the days on which it has no file.
    """
    canonical, taken = landing / "canonical", exported_feeds(names)
    references = {feed: [name for system in names for name in _REFERENCES.get(system, {}).get(feed, ())] for feed in columns}
    with duckdb.connect(config={"threads": "1"}) as connection:
        connection.execute("set timezone = 'UTC'")
        said = _rows(sorted(canonical.glob("interactions/*/*.csv")), columns["interactions"])
        connection.execute(f"create table said as select distinct interaction_id, channel from ({said})")
        connection.execute(_MACROS)
        for day in sorted({path.name for path in canonical.glob("*/*")}):
            connection.execute("set variable day = ?", [day])
            for feed, header in columns.items():
                _show(connection, canonical / feed / day / f"{feed}.csv", feed, header, references[feed])
            for system in names:
                for stream, header_of_stream in headers(system).items():
                    _write(connection, landing, system, stream, header_of_stream, day)
            for feed in (feed for feed, renamed in references.items() if renamed and feed not in taken):
                _rewrite(connection, canonical / feed / day / f"{feed}.csv", feed)
    for feed in taken:
        shutil.rmtree(canonical / feed, ignore_errors=True)


def _rows(files: Sequence[Path], header: Sequence[str]) -> str:
    if not files:
        return f"select {', '.join(f'null::varchar as {name}' for name in header)} where false"
    listed = ", ".join(f"'{name}': 'VARCHAR'" for name in header)
    names = ", ".join(f"'{file}'" for file in files)
    return f"from read_csv([{names}], auto_detect = false, header = true, quote = '\"', escape = '\"', columns = {{{listed}}})"


def _show(connection: duckdb.DuckDBPyConnection, file: Path, feed: str, header: list[str], renamed: Sequence[str]) -> None:
    replaced = f" replace ({', '.join(f'{_NAMES[name]} as {name}' for name in renamed)})" if renamed else ""
    rows = _rows([file] if file.exists() else [], header)
    connection.execute(f"create or replace view {feed} as select *{replaced} from ({rows})")


def _rewrite(connection: duckdb.DuckDBPyConnection, file: Path, feed: str) -> None:
    """Write a file that stays canonical again, naming rows as the systems do."""
    if file.exists():
        draft = file.with_suffix(".draft")
        connection.execute(f"copy (from {feed}) to '{draft}' (format csv, header)")
        draft.replace(file)


def _write(connection: duckdb.DuckDBPyConnection, landing: Path, system: str, stream: str, header: tuple[str, ...], day: str) -> None:
    sql = (_FOLDER / system / f"{stream}.sql").read_text(encoding="utf-8")
    rows = connection.sql(sql)
    if unknown := sorted(set(rows.columns) - set(header)):
        raise ValueError(f"{system}/{stream}.sql: no such column in the export: {', '.join(unknown)}")
    filled = ", ".join(f'"{name}"' if name in rows.columns else f'null as "{name}"' for name in header)
    path = landing / system / stream / day / f"{stream}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    copied = connection.execute(f"copy (select {filled} from ({sql})) to '{path}' (format csv, header)").fetchone()
    if copied == (0,):
        path.unlink()
        path.parent.rmdir()
