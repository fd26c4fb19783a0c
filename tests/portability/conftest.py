"""Both engines as dbt's profile sets them, answering one question in one shape, and the renderer of our macros for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import duckdb
import jinja2
import pytest
import yaml

from dagster_project.transform.project import DBT_DIR

Answer = tuple[Any, str]
Rows = Callable[[str], list[tuple[Any, ...]]]
_SAME_TYPE = {"varchar": "string", "integer": "int", "timestamp with time zone": "timestamp"}
_INSTANT = {"duckdb": "timestamptz", "spark": "timestamp"}


@pytest.fixture(scope="session")
def profile() -> dict[str, Any]:
    """Outputs of dbt's profile as they are written."""
    content: dict[str, Any] = yaml.safe_load((DBT_DIR / "profiles.yml").read_text(encoding="utf-8"))
    outputs: dict[str, Any] = content["service_roi"]["outputs"]
    return outputs


@pytest.fixture(scope="session")
def on_duckdb(profile: dict[str, Any]) -> Iterator[Rows]:
    """Rows of a query on DuckDB."""
    with duckdb.connect() as connection:
        for name, value in profile["duckdb"]["settings"].items():
            connection.execute(f"set {name} = '{value}'")
        yield lambda sql: connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def on_spark(profile: dict[str, Any], spark_session: Any) -> Rows:
    """Rows of a query on Spark."""
    for name, value in {**profile["spark"]["server_side_parameters"], "spark.sql.ansi.enabled": "true"}.items():
        spark_session.conf.set(name, value)
    return lambda sql: [tuple(row) for row in spark_session.sql(sql).collect()]


@pytest.fixture(scope="session")
def macros_for() -> Callable[[str, str], str]:
    """Render Jinja SQL with the macros of one engine; `{{ instant('...') }}` is a literal instant."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted((DBT_DIR / "macros").glob("*.sql")))
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])

    @cache
    def known(engine: str) -> dict[str, Any]:
        class Adapter:
            def dispatch(self, name: str) -> Any:
                return macros.get(f"{engine}__{name}") or macros[f"default__{name}"]

        names: dict[str, Any] = {
            "adapter": Adapter(),
            "return": lambda rendered: rendered,
            "instant": lambda literal: f"cast('{literal}' as {_INSTANT[engine]})",
        }
        macros = vars(environment.from_string(text, globals=names).module)
        return {**names, **macros}

    return lambda engine, sql: environment.from_string(sql, globals=known(engine)).render().strip()


@pytest.fixture(scope="session")
def answers(on_duckdb: Rows, on_spark: Rows, macros_for: Callable[[str, str], str]) -> Callable[[str], dict[str, Any]]:
    """Ask both engines: an expression gives (value, type), a query its rows; a refused one gives `error`."""

    def ask(rows: Rows, sql: str) -> Any:
        is_query = re.match(r"(select|with)\b", sql) is not None
        try:
            found = rows(sql if is_query else f"select answer, lower(typeof(answer)) from (select {sql} as answer) as asked")
        except Exception:
            return "error"
        return found if is_query else (found[0][0], _SAME_TYPE.get(found[0][1], found[0][1]))

    return lambda sql: {"duckdb": ask(on_duckdb, macros_for("duckdb", sql)), "spark": ask(on_spark, macros_for("spark", sql))}
