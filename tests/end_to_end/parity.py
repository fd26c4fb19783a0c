"""Whether two published files hold the same: found through information_schema, so that no table is ever forgotten.

Excluded are only the tables behind views, which a copy that holds the rows themselves does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

_RUN_OF_ITS_OWN = {"run_id", "first_seen_run_id", "resolved_by_run_id", "started_at", "finished_at", "detail"}
"""Columns of schema ops that tell of the run, not of the data."""
_LAYOUT = """
select table_schema || '.' || table_name, column_name, data_type, is_nullable from information_schema.columns
where table_catalog = '{}' and table_schema <> 'intermediate' order by table_schema, table_name, ordinal_position
"""


@contextmanager
def both(left: Path, right: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, file in (("one", left), ("other", right)):
            connection.execute(f"attach '{file}' as {name} (read_only)")
        yield connection


def differences(left: Path, right: Path) -> list[str]:
    """One line for each table that is not equal: layout, rows as a multiset, DOUBLE within 1e-9 relative."""
    found = []
    with both(left, right) as connection:
        layouts = [connection.execute(_LAYOUT.format(name)).fetchall() for name in ("one", "other")]
        found += [f"layout: {line}" for line in sorted(set(layouts[0]) ^ set(layouts[1]))]
        columns: dict[str, list[tuple[str, str]]] = {}
        for table, column, kind, _ in layouts[0]:
            if not (table.startswith("ops.") and column in _RUN_OF_ITS_OWN):
                columns.setdefault(table, []).append((f'"{column}"', kind))
        if not found:
            found = [line for table, named in columns.items() for line in _rows_that_differ(connection, table, named)]
    return found


def _rows_that_differ(connection: duckdb.DuckDBPyConnection, table: str, columns: list[tuple[str, str]]) -> Iterator[str]:
    exact = ", ".join(name for name, kind in columns if kind != "DOUBLE") or "1"
    doubles = [name for name, kind in columns if kind == "DOUBLE"]
    for one, other in (("one", "other"), ("other", "one")):
        extra = connection.execute(f"select {exact} from {one}.{table} except all select {exact} from {other}.{table}").fetchall()
        if extra:
            yield f"{table}: {len(extra)} rows only in {one}, first {dict(zip(exact.split(', '), extra[0], strict=True))}"
            return
    if doubles:
        numbered = "select row_number() over (order by {0}) as n, {1} from {2}.{3}"
        order = ", ".join([exact, *doubles]) if exact != "1" else ", ".join(doubles)
        sides = [numbered.format(order, ", ".join(doubles), name, table) for name in ("one", "other")]
        apart = " or ".join(
            f"(a.{name} is null) <> (b.{name} is null) or abs(a.{name} - b.{name}) > 1e-9 * greatest(abs(a.{name}), abs(b.{name}))"
            for name in doubles
        )
        (count,) = connection.execute(f"select count(*) from ({sides[0]}) a join ({sides[1]}) b using (n) where {apart}").fetchone() or (0,)
        if count:
            yield f"{table}: {count} rows with a double that differs by more than 1e-9"


def file_of(company: Any) -> Path:
    return Path(company.home / "published" / company.pointer()["file"])
