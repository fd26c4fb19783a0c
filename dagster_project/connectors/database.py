"""Reads tables of PostgreSQL into a load: every value as the text the server writes, in chunks, all tables as of one instant.

State of a table with a cursor: `cursor` (its newest value, as text) and `seen`, the hashes of the rows within the overlap; of one
without: `sha256` of what was delivered last. It must not convert a value: a numeric that passed through a float is lost.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import deque
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from dagster_project.connectors.loads import Load
from dagster_project.connectors.sources import Database, TableStream
from dagster_project.errors import InfrastructureError, InputRefused, UsageError
from dagster_project.settings import secret

CHUNK_ROWS = 5_000
SEEN_LIMIT = 100_000  # of more rows within the overlap the oldest are delivered again; ingest knows them
_SESSION = "set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'iso_8601'; set bytea_output = 'hex'"
_INSTANTS = (sa.DateTime, sa.Date)
_ORDERED = (*_INSTANTS, sa.Integer, sa.Numeric)


@dataclass
class DatabaseReader:
    """One fetch from a database. `now` is the instant of the fetch."""

    source: Database
    now: dt.datetime

    def read(self, load: Load) -> bool:
        """Fill a load; returns False when it is full and another has to follow.

        Raises
        ------
        UsageError
            A table or column is not there, or a cursor is of a type that has no order in time.
        InputRefused
            Rows without a cursor, or with one in the future, would be lost.
        InfrastructureError
            The server is out of reach or ends the connection.
        """
        password = secret(self.source.password_env).get_secret_value()
        url = sa.make_url(self.source.url).set(drivername="postgresql+psycopg", password=password)
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": 30})
        try:
            with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
                connection.exec_driver_sql(_SESSION)
                ended = [self._read(connection, name, stream, load) for name, stream in self.source.streams.items()]
                return all(ended)
        except sa.exc.SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise InfrastructureError(f"{self.source.url}: {reason}; nothing of this load was delivered") from None

    def _read(self, connection: sa.Connection, name: str, stream: TableStream, load: Load) -> bool:
        table = _reflect(connection, stream)
        columns = [_as_text(column).label(column.name) for column in table.columns]
        keys = [table.c[key] for key in stream.primary_key]
        if stream.cursor is None:
            statement = sa.select(*columns).order_by(*keys)
            self._deliver_complete(connection, name, statement, table, load)
            return True
        return self._deliver_newer(connection, name, stream, table, columns, load)

    def _deliver_complete(self, connection: sa.Connection, name: str, statement: sa.Select[Any], table: sa.Table, load: Load) -> None:
        """Deliver a complete table if one of its rows differs from the last delivery."""
        file = load.table(name, table.columns.keys())
        digest = hashlib.sha256(repr(table.columns.keys()).encode())
        for chunk in _chunks(connection, statement):
            for row in chunk:
                digest.update(repr(tuple(row)).encode())
                file.write(row)
        if load.state.get(name) == {"sha256": digest.hexdigest()}:
            load.drop(name)
        load.state[name] = {"sha256": digest.hexdigest()}

    def _deliver_newer(
        self, connection: sa.Connection, name: str, stream: TableStream, table: sa.Table, columns: list[Any], load: Load
    ) -> bool:
        """Deliver the rows whose cursor is not older than the newest one known, less the overlap, that were not delivered before."""
        cursor = table.c[str(stream.cursor)]
        is_instant = isinstance(cursor.type, _INSTANTS)
        overlap = dt.timedelta(seconds=stream.overlap_seconds if is_instant else 0)
        self._refuse_nulls(connection, cursor)
        state: dict[str, Any] = load.state.get(name, {})
        keys = [table.c[key] for key in stream.primary_key]
        statement = sa.select(*columns, cursor.label("the cursor")).order_by(cursor, *keys)
        reached = None
        if state:
            newest = sa.cast(sa.literal(state["cursor"], sa.Text), cursor.type)
            statement = statement.where(cursor >= (newest - overlap if is_instant else newest))
            reached = connection.scalar(sa.select(newest))
        before = set(state.get("seen", ()))
        recent: deque[tuple[Any, str]] = deque(maxlen=SEEN_LIMIT)
        file = load.table(name, table.columns.keys())
        at, last = table.columns.keys().index(cursor.name), state.get("cursor")
        has_ended = True
        for chunk in _chunks(connection, statement):
            for *row, value in chunk:
                digest = hashlib.blake2b(repr(row).encode(), digest_size=8).hexdigest()
                recent.append((value, digest))
                if digest not in before:
                    file.write(row)
            newest_value, last = chunk[-1][-1], chunk[-1][at]
            while recent[0][0] < (newest_value - overlap if is_instant else newest_value):
                recent.popleft()
            self._refuse_future(cursor, newest_value)
            if load.is_full and (reached is None or newest_value >= reached):
                has_ended = False
                break
        if recent:
            load.state[name] = {"cursor": last, "seen": [digest for _, digest in recent]}
        return has_ended

    def _refuse_nulls(self, connection: sa.Connection, cursor: sa.Column[Any]) -> None:
        if cursor.nullable and (count := connection.scalar(sa.select(sa.func.count()).where(cursor.is_(None)))):
            raise InputRefused(
                f"{self.source.url}: {cursor}: {count:,} rows have no value and would never be fetched; remedy: fill them, or choose a"
                " cursor that every row has"
            )

    def _refuse_future(self, cursor: sa.Column[Any], value: Any) -> None:
        """Refuse a cursor beyond tomorrow: with it as the newest, no row of the years until then would be fetched."""
        tomorrow = self.now.astimezone(dt.UTC) + dt.timedelta(days=1)
        if isinstance(value, dt.datetime):
            is_late = (value if value.tzinfo else value.replace(tzinfo=dt.UTC)) > tomorrow
        else:
            is_late = isinstance(value, dt.date) and value > tomorrow.date()
        if is_late:
            raise InputRefused(
                f"{self.source.url}: {cursor} is {value} and is in the future; rows until then would be lost; remedy: correct the row"
            )


def _chunks(connection: sa.Connection, statement: sa.Select[Any]) -> Any:
    """Return the rows in lists of `CHUNK_ROWS`, held by a cursor of the server."""
    return connection.execution_options(yield_per=CHUNK_ROWS).execute(statement).partitions()


def _reflect(connection: sa.Connection, stream: TableStream) -> sa.Table:
    schema, _, name = stream.table.rpartition(".")
    try:
        table = sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False)
    except sa.exc.NoSuchTableError as error:
        raise UsageError(f"no table {stream.table} that this user may read; remedy: correct `table`") from error
    wanted = [*stream.primary_key, *([stream.cursor] if stream.cursor else [])]
    if missing := [column for column in wanted if column not in table.c]:
        raise UsageError(f"table {stream.table} has no column {', '.join(missing)}; it has {', '.join(table.columns.keys())}")
    if stream.cursor and not isinstance(table.c[stream.cursor].type, _ORDERED):
        raise UsageError(
            f"table {stream.table}: cursor {stream.cursor} is {table.c[stream.cursor].type}; remedy: a time, a date or a number"
        )
    return table


def _as_text(column: sa.Column[Any]) -> Any:
    """Let the server write the value; money follows its locale unless it is a number first."""
    plain = sa.cast(column, sa.Numeric) if isinstance(column.type, postgresql.MONEY) else column
    return sa.cast(plain, sa.Text)
