"""Ingest's DuckDB: in memory, in UTC, able to touch only the folders named when it is opened.

Holds the connection and the test that a mapping's SQL is one SELECT without file access. It must not know a feed's rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from dagster_project.contracts.model import Contract
from dagster_project.errors import UsageError, did_you_mean
from dagster_project.ingest.conform.zones import instant_macro
from dagster_project.ingest.mapping.allowed import check_statement
from dagster_project.ingest.mapping.limits import Limits, guarded
from dagster_project.ingest.pii.masking import prepare
from dagster_project.ingest.readers.source import file_constants
from dagster_project.ingest.sql_text import identifier, literal

_PLAIN = ("PROJECTION", "CTE", "CTE_SCAN")
LEFT_OUT = "left_out"
"""Column of a mapping's SELECT: why a record is no row of the feed; null where it is one."""


def open_sandbox(folders: Sequence[Path], spill: Path | None, *, threads: int, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Open a private database whose SQL may read and write below `folders` only; its settings cannot be changed any more."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": str(threads),
            "memory_limit": memory_limit,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set temp_directory = {literal(str(spill or ''))}")  # without a folder nothing is written, not below `.` either
    connection.execute("set explain_output = 'all'")  # the plan as it was bound, too
    connection.execute(instant_macro())
    if folders:
        prepare(connection)
        connection.execute(f"set allowed_directories = [{', '.join(literal(f'{folder}/') for folder in folders)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


@dataclass(frozen=True)
class Select:
    """A mapping's SQL and its output columns (name to type, `record_number` apart).

    `is_plain`: each row of `source` becomes one row in its place, for nothing is filtered, joined, grouped, sorted or repeated.
    `is_rowwise`: each row of `source` becomes one row or none, whatever the others are.
    """

    sql: str
    types: dict[str, str]
    is_plain: bool
    is_rowwise: bool = True


def checked_select(
    path: Path,
    columns: Sequence[str],
    lookups: Mapping[str, Sequence[str]] = MappingProxyType({}),
    sandbox: duckdb.DuckDBPyConnection | None = None,
) -> Select:
    """Read a mapping's SQL and bind it without any file access.

    It may read `source`, of these columns, and the streams `lookups` by their names, each with the name and the day of its file.
    `sandbox` is a connection without folders that was opened before; a new one is opened and closed without it.

    Raises
    ------
    UsageError
        It is not exactly one SELECT, uses what `allowed` does not list, does not bind over `source`, does not return `record_number`, or
        names a column twice; names file and line.
    """
    text = path.read_text(encoding="utf-8")
    connection = sandbox or open_sandbox([], None, threads=1, memory_limit="256MB")
    try:
        statements = connection.extract_statements(text)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UsageError(f"mapping {path}: exactly one SELECT is expected")
        check_statement(path, text, {"source": columns, **lookups}, connection)
        sql = text.strip().rstrip(";")
        for relation, names in {"source": columns, **lookups}.items():
            listed = ", ".join(f"{identifier(name)} varchar" for name in (*names, *file_constants(names)))
            connection.execute(f"create or replace temp table {identifier(relation)} ({listed}, record_number bigint)")
        with guarded(connection, path, Limits()):
            described = connection.execute(f"describe {sql}").fetchall()
            plan = next(text for kind, text in connection.execute(f"explain (format json) {sql}").fetchall() if kind == "logical_plan")
    except duckdb.Error as error:
        found = re.search(r"LINE (\d+):", str(error))
        line = f":{found.group(1)}" if found else ""
        message = " ".join(str(error).partition("\nLINE ")[0].split())  # with the names that the engine finds near
        raise UsageError(f"mapping {path}{line}: {message}") from error
    finally:
        if sandbox is None:
            connection.close()
    _refuse_repeated(path, [row[0] for row in described])
    types = {row[0]: row[1] for row in described}
    if types.pop("record_number", None) is None:
        raise UsageError(
            f"mapping {path}: returns no record_number; remedy: select record_number, or min(record_number) where rows are grouped"
        )
    operators = json.loads(plan)
    return Select(sql, types, *(all(_consists_of(operator, names) for operator in operators) for names in (_PLAIN, (*_PLAIN, "FILTER"))))


def _refuse_repeated(path: Path, names: Sequence[str]) -> None:
    known: set[str] = set()
    for name in names:
        if name.lower() in known:
            raise UsageError(f"mapping {path}{_line_of(path, [name])}: names the column {name} twice; remedy: leave one out, or rename it")
        known.add(name.lower())


def _consists_of(operator: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Return whether an operator of a plan that nobody optimised, and all below it, are of these kinds and read nothing but `source`."""
    if operator["name"] == "SEQ_SCAN":
        return bool(operator["extra_info"]["Table"] == '"temp".main."source"')
    return operator["name"] in names and all(_consists_of(child, names) for child in operator["children"])


def check_output(path: Path, contract: Contract, types: dict[str, str]) -> None:
    """Compare the columns a mapping returns with the contract.

    Raises
    ------
    UsageError
        A column is not in the contract or is a floating-point number, or a required one is missing; names file and line.
    """
    unknown = sorted(set(types) - set(contract.names) - {LEFT_OUT})
    missing = sorted(set(contract.required_names) - set(types))
    if unknown or missing:
        unnamed = [name for name in contract.names if name not in types]
        hint = "".join(did_you_mean(name, missing) or did_you_mean(name, unnamed, 3) for name in unknown)
        found = {"not in the contract": unknown, "required and missing": missing}
        wrong = "; ".join(f"{what}: {', '.join(names)}" for what, names in found.items() if names)
        raise UsageError(
            f"mapping {path}{_line_of(path, unknown)}: feed {contract.feed}: {wrong}{hint}; remedy: name the columns of the SELECT as in"
            f" expectations/contracts/{contract.feed}.odcs.yaml"
        )
    floats = sorted(name for name, kind in types.items() if kind in ("DOUBLE", "FLOAT"))
    if floats:
        raise UsageError(
            f"mapping {path}{_line_of(path, floats)}: feed {contract.feed}: column {floats[0]} is {types[floats[0]].lower()};"
            " remedy: compute it as decimal"
        )


def _line_of(path: Path, names: Sequence[str]) -> str:
    """Return `:line` of the last place where the first of these columns is named; nothing where it is named by no line."""
    if not names:
        return ""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, start=1) if re.search(rf"\b{re.escape(names[0])}\b", line.split("--")[0])]
    return f":{found[-1]}" if found else ""
