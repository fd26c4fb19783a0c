"""Where a value of a SELECT comes from: expressions over the columns of single occurrences of streams.

Holds the way from an expression back to columns. It must not know joins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from dagster_project.ingest.sources.dependencies import Dependencies, Origin

_PASSING = (
    exp.Coalesce,
    exp.Case,
    exp.If,
    exp.Nullif,
    exp.Min,
    exp.Max,
    exp.ArgMax,
    exp.ArgMin,
    exp.AnyValue,
    exp.Filter,
    exp.Paren,
    exp.Alias,
)
"""Functions that return one of their values unchanged."""
_LONGEST = 20_000
"""Characters of an expression; a longer one counts as not derivable. Expressions of expressions would grow without end."""
_CHOOSING = (exp.Coalesce, exp.Case, exp.If, exp.Nullif)


@dataclass
class Relation:
    """What a FROM item gives: per output column where its values come from (None: not derivable), its leaves and the driving ones."""

    outputs: dict[str, tuple[Origin, ...] | None]
    leaves: set[int]
    drivers: set[int]
    items: dict[str, Relation] = field(default_factory=dict)


class Origins:
    """The origins of values; notes in `found` which columns each leaf reads."""

    def __init__(self, found: Dependencies) -> None:
        self.found = found

    def of(self, node: exp.Expr | None, env: Mapping[str, Relation]) -> tuple[Origin, ...] | None:
        """Return the expressions over single leaves that a value may come from; empty for constants, None where it is unknown."""
        if node is None or isinstance(node, (exp.Literal, exp.Null, exp.Boolean)):
            return ()
        if isinstance(node, exp.Column):
            return self._column(node, env)
        if isinstance(node, _PASSING):
            complete = self._computed(node, env) if isinstance(node, _CHOOSING) else None
            return complete if complete is not None and len(complete) == 1 else self._passed(node, env)
        return self._computed(node, env)

    def _computed(self, node: exp.Expr, env: Mapping[str, Relation]) -> tuple[Origin, ...] | None:
        """Return an expression over the columns of one leaf as it is computed there."""
        columns = list(node.find_all(exp.Column))
        if node.find(exp.AggFunc, exp.Window, exp.Subquery, exp.Select):
            return None
        places = {column.sql(): self._column(column, env) for column in columns}
        if not places:
            return ()
        if any(origins is None for origins in places.values()):
            return None
        if len(places) == 1:
            ((_, origins),) = places.items()
            if any(len(columns) * len(origin.sql) > _LONGEST for origin in origins or ()):
                return None
            return tuple(Origin(origin.leaf, self._replaced(node, {columns[0].sql(): origin.sql})) for origin in origins or ())
        single = {text: origins[0] for text, origins in places.items() if origins and len(origins) == 1}
        if sum(len(origin.sql) for origin in single.values()) * len(columns) > _LONGEST:
            return None
        if len(single) == len(places) and len({origin.leaf for origin in single.values()}) == 1:
            leaf = next(iter(single.values())).leaf
            return (Origin(leaf, self._replaced(node, {text: origin.sql for text, origin in single.items()})),)
        return None

    @staticmethod
    def _replaced(node: exp.Expr, texts: Mapping[str, str]) -> str:
        copy = node.copy()

        def swap(part: exp.Expr) -> exp.Expr:
            return sqlglot.parse_one(texts[part.sql()], read="duckdb") if isinstance(part, exp.Column) and part.sql() in texts else part

        return str(copy.transform(swap).sql(dialect="duckdb"))

    def _passed(self, node: exp.Expr, env: Mapping[str, Relation]) -> tuple[Origin, ...] | None:
        values: list[exp.Expr | None]
        if isinstance(node, exp.Case):
            values = [*(branch.args.get("true") for branch in node.args.get("ifs") or []), node.args.get("default")]
        elif isinstance(node, exp.If):
            values = [node.args.get("true"), node.args.get("false")]
        elif isinstance(node, exp.Coalesce):
            values = [node.this, *node.expressions]
        else:
            values = [node.this]
        found = [self.of(value, env) for value in values]
        if any(origins is None for origins in found):
            return None
        return tuple(dict.fromkeys(origin for origins in found for origin in origins or ()))

    def _column(self, node: exp.Column, env: Mapping[str, Relation]) -> tuple[Origin, ...] | None:
        relation = env.get(node.table)
        if relation is None:
            return None
        if not relation.leaves:
            return None
        if relation.outputs:
            return relation.outputs.get(node.name)
        (leaf,) = relation.leaves
        self.found.columns[leaf].add(node.name)
        return (Origin(leaf, f'"{node.name}"'),)

    def mark(self, node: exp.Expr, env: Mapping[str, Relation]) -> None:
        """Note every column that is read, derivable or not."""
        for column in node.find_all(exp.Column):
            self._column(column, env)
