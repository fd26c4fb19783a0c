"""SQL outside dispatched macros says only what a case has proven to be the same on both engines; no Spark is started.

Models and singular tests are rendered with every dispatched macro as a plain name and cut into words by SQLGlot. A word that is
no name of a table or column must occur in the cases. What one word can mean in two ways is refused by a rule of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pytest
import sqlglot
import yaml
from sqlglot import Token, TokenType, exp
from sqlglot.dialects import DuckDB

from dagster_project.transform.project import DBT_DIR, manifest

CASES = yaml.safe_load(Path(__file__).with_name("portable_cases.yml").read_text(encoding="utf-8"))
FILES = sorted([*DBT_DIR.glob("models/**/*.sql"), *DBT_DIR.glob("tests/*.sql")])
ONLY_IN_MACROS = {"sign": "direction"}


class Named(str):
    """A relation's name that answers `include`, as dbt's does."""

    def include(self, **_policy: bool) -> Named:
        return self


@cache
def _our_macros() -> tuple[jinja2.Environment, dict[str, Any]]:
    class Adapter:
        def dispatch(self, name: str) -> Callable[..., str]:
            return lambda *arguments: f"{name}_of_engine({', '.join(map(str, arguments))})"

    names: dict[str, Any] = {
        "adapter": Adapter(),
        "return": lambda rendered: rendered,
        "ref": lambda model: Named(f"layer.{model}"),
        "source": lambda schema, table: f"{schema}.{table}",
        "config": lambda **_settings: "",
        "is_incremental": lambda: False,
        "replaces_months": lambda: False,
        "instant": lambda literal: f"cast('{literal}' as timestamp)",
        "graph": {kind: manifest()[kind] for kind in ("metrics", "semantic_models")},
        "modules": {"re": re},
    }
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    files = [file for file in sorted((DBT_DIR / "macros").glob("*.sql")) if file.stem != "replaces_months"]  # it asks dbt, on DuckDB only
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return environment, {**names, **vars(environment.from_string(text, globals=names).module)}


def render(sql: str) -> str:
    """Render with our macros; a dispatched one stands as a name that is no word of SQL."""
    environment, names = _our_macros()
    return environment.from_string(sql, globals=names).render().strip()


def words(sql: str) -> Iterator[str]:
    """Keywords, types, functions and operators as they are written; names of tables and columns are none of them."""
    tokens: list[Token] = DuckDB().tokenize(sql)
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        called = after is not None and after.token_type is TokenType.L_PAREN
        if token.token_type is TokenType.IDENTIFIER:
            yield '"'
        elif token.token_type in (TokenType.STRING, TokenType.NUMBER) or (token.token_type is TokenType.VAR and not called):
            continue
        elif (before is None or before.token_type is not TokenType.DOT) and not token.text.endswith("_of_engine"):
            yield token.text.lower()


@cache
def vocabulary() -> set[str]:
    """Every word of a case that both engines answer alike; what a case shows to be refused counts as well."""
    cases = [case for cases in CASES["macros"].values() for case in cases] + CASES["constructs"]
    return {word for case in cases for word in words(render(case["sql"]))}


def offences(sql: str, known: set[str]) -> list[str]:
    """Say what in this Jinja SQL only one engine reads, or each in its own way."""
    rendered = render(sql)
    found = [f"{word}: no case in portable_cases.yml" for word in sorted(set(words(rendered)) - known)]
    found += [f"{word}(): write {macro}()" for word, macro in ONLY_IN_MACROS.items() if re.search(rf"\b{word}\(", sql)]
    found += ["range(): write day_series()"] if re.search(r"\brange\(", rendered) else []
    if found:
        return found
    sqlglot.parse_one(rendered, read="spark")
    tree = sqlglot.parse_one(rendered, read="duckdb")
    found += [f"{node.sql()}: divide by nullif(..., 0)" for node in tree.find_all(exp.Div) if not node.expression.find(exp.Nullif)]
    for interval in tree.find_all(exp.Interval):
        moved = interval.parent
        if not (isinstance(moved, exp.Add | exp.Sub) and isinstance(moved.parent, exp.Cast)):
            found.append(f"{interval.sql()}: cast(... {interval.sql()} as date)")
    found += [f"{cut.sql()}: cast to date" for cut in tree.find_all(exp.TimestampTrunc, exp.DateTrunc) if not _is_cast_or_sorted(cut)]
    bare = [number for number in tree.find_all(exp.RowNumber) if not number.find_ancestor(exp.Cast, exp.Qualify)]
    found += [f"{number.sql()}: cast to bigint" for number in bare]
    found += [f"{node.sql()}: write iso_date()" for node in tree.find_all(exp.TryCast) if node.to.is_type(exp.DataType.Type.DATE)]
    found += [f"{text.sql()}: a backslash" for text in tree.find_all(exp.Literal) if text.is_string and "\\" in text.this]
    return found


def _is_cast_or_sorted(cut: exp.Func) -> bool:
    inside = cut.parent
    return isinstance(inside, exp.Cast | exp.Window) or (isinstance(inside, exp.Anonymous) and inside.name.endswith("_of_engine"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_sql_outside_dispatched_macros_is_read_alike_by_both_engines(file: Path) -> None:
    assert offences(file.read_text(encoding="utf-8"), vocabulary()) == []


def test_no_model_asks_which_engine_it_is_on() -> None:
    assert len(FILES) > 40
    asking = re.compile(r"target\.|adapter\.(type|dispatch)|execute\b|\{%-?\s*if\b")
    assert [file.name for file in FILES if asking.search(re.sub(r"loop\.last", "", file.read_text(encoding="utf-8")))] == []


def test_types_of_contracts_are_words_that_both_engines_know() -> None:
    known = re.compile(r"string|date|boolean|bigint|int|double|decimal\(\d+, ?\d+\)|timestamptz")  # the last is translated for Spark
    files = [file.read_text(encoding="utf-8") for file in DBT_DIR.glob("models/**/*.yml")]
    written = {kind for content in files for kind in re.findall(r"data_type: (.+)", content)}
    assert len(written) > 5
    assert [kind for kind in written if not known.fullmatch(kind.strip())] == []


@pytest.mark.parametrize("expression", CASES["refused"])
def test_the_guard_refuses_what_one_engine_reads_alone_or_otherwise(expression: str) -> None:
    good = "select a from {{ ref('fct_order') }}"
    assert offences(good, vocabulary()) == []
    try:
        assert offences(good.replace("select a", f"select {expression}"), vocabulary()) != []
    except sqlglot.errors.SqlglotError:
        return


def test_the_page_on_portability_names_every_known_difference() -> None:
    page = (DBT_DIR.parent / "docs" / "portability.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([a-z ]+) \| `", page, flags=re.M) == list(CASES["differences"])


def test_the_guard_looks_into_macros_that_are_not_dispatched_and_not_into_those_that_are() -> None:
    assert "round" in set(words(render("select {{ in_reporting_currency('a', 'b') }}")))
    assert "hugeint" not in set(words(render("select {{ wide_integer('a') }}")))
