"""Which rows of its streams a mapping's SELECT combines, derived from the SELECT itself.

Holds the walk over the parsed statement (sqlglot). Every occurrence of a stream is a *leaf*; the leaf that drives the outermost FROM is a
*root* and gives the record numbers. Equalities of joins, of correlated subqueries and of IN lead from leaf to leaf. GROUP BY and PARTITION
BY bind rows of a leaf together. A leaf without such a path is *global*: any change of it maps every row again. What is derived may
be too much, never too little. It must not run SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from dagster_project.ingest.readers.source import constants_beside

SOURCE = "source"
"""Name by which a SELECT reads the stream that it belongs to."""
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
_CHOOSING = (exp.Coalesce, exp.Case, exp.If, exp.Nullif)
_UNSTABLE = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.CurrentDatetime, exp.Rand, exp.Uuid)
_UNSTABLE_NAMES = {
    "now",
    "today",
    "random",
    "uuid",
    "gen_random_uuid",
    "get_current_timestamp",
    "current_localtime",
    "current_localtimestamp",
}


@dataclass(frozen=True)
class Origin:
    """An expression over the columns of one leaf."""

    leaf: int
    sql: str

    @property
    def value(self) -> str:
        """Return the SQL that does not fail: a condition that guarded the expression may be lost."""
        return self.sql if self.sql.startswith('"') and self.sql.count('"') == 2 else f"try({self.sql})"


@dataclass(frozen=True)
class Edge:
    """Rows of `left` are joined to rows of `right` where both expressions are equal; `is_both_ways` inside a subquery."""

    left: Origin
    right: Origin
    is_both_ways: bool = False


@dataclass(frozen=True)
class Binding:
    """Rows of a leaf with equal values of these expressions are counted together."""

    leaf: int
    keys: tuple[str, ...]


@dataclass
class Dependencies:
    """What was derived from one SELECT; `tables` are the relations that the leaves read, `columns` what each leaf reads of it."""

    tables: list[str] = field(default_factory=list)
    columns: list[set[str]] = field(default_factory=list)
    roots: set[int] = field(default_factory=set)
    edges: list[Edge] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    global_leaves: set[int] = field(default_factory=set)
    unstable: str = ""  # what makes the result change by itself

    @property
    def is_global(self) -> bool:
        """Whether every change maps everything: the rows of the stream itself are combined in a way that was not derived."""
        return bool(self.global_leaves & self.roots) or not self.roots

    def sentences(self) -> list[str]:
        """Say in words what maps a row again."""
        found: dict[str, set[str]] = {}
        for edge in self.edges:
            for near, far in ((edge.left, edge.right), *(((edge.right, edge.left),) if edge.is_both_ways else ())):
                if near.leaf not in self.roots:
                    found.setdefault(self.tables[near.leaf], set()).add(far.sql.replace('"', ""))
        lines = [f"{table} by {', '.join(sorted(by))}" for table, by in sorted(found.items())]
        return lines + [f"any row of {self.tables[leaf]}" for leaf in sorted(self.global_leaves)]


def derive(sql: str, relations: Mapping[str, Sequence[str]]) -> Dependencies:
    """Derive the dependencies of one SELECT over these relations (name to columns).

    What sqlglot cannot parse or resolve is global as a whole: the result then has no roots.
    """
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
        schema: dict[str, object] = {
            name: dict.fromkeys((*columns, *constants_beside(columns), "record_number"), "VARCHAR") for name, columns in relations.items()
        }
        tree = qualify(tree, schema=schema, dialect="duckdb", validate_qualify_columns=False, quote_identifiers=True, identify=True)
        scope = build_scope(tree)
        assert scope is not None, "a SELECT has a scope"
        walk = _Walk({name.lower(): name for name in relations})
        relation = walk.relation(scope, {}, is_main=True)
    except (SqlglotError, AssertionError, KeyError, RecursionError):
        return Dependencies(unstable=_unstable(sql))
    found = walk.found
    found.roots = {leaf for leaf in relation.drivers if found.tables[leaf].lower() == SOURCE}
    if len(found.roots) < len(relation.drivers):  # the numbers of records come from another stream too
        found.global_leaves |= found.roots
    found.unstable = _unstable(sql)
    return found


def _unstable(sql: str) -> str:
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError:
        return ""
    for node in tree.walk():
        if isinstance(node, _UNSTABLE) or (isinstance(node, exp.Anonymous) and str(node.this).lower() in _UNSTABLE_NAMES):
            return str(node.sql(dialect="duckdb"))
    return ""


@dataclass
class _Relation:
    """What a FROM item gives: per output column where its values come from (None: not derivable), its leaves and the driving ones."""

    outputs: dict[str, tuple[Origin, ...] | None]
    leaves: set[int]
    drivers: set[int]
    items: dict[str, _Relation] = field(default_factory=dict)


class _Walk:
    def __init__(self, streams: Mapping[str, str]) -> None:
        self.streams = streams
        self.found = Dependencies()

    def leaf(self, table: str) -> _Relation:
        number = len(self.found.tables)
        self.found.tables.append(self.streams[table.lower()])
        self.found.columns.append(set())
        return _Relation({}, {number}, {number})

    def relation(self, scope: Scope, outer: Mapping[str, _Relation], *, is_main: bool) -> _Relation:
        """Walk a scope and everything below it; `outer` are the FROM items of the query around it."""
        if scope.set_operation_scopes:
            parts = [self.relation(part, outer, is_main=is_main) for part in scope.set_operation_scopes]
            names = list(parts[0].outputs)
            outputs: dict[str, tuple[Origin, ...] | None] = {}
            for at, name in enumerate(names):
                columns = [list(part.outputs.values())[at] if at < len(part.outputs) else None for part in parts]
                known = [column for column in columns if column is not None]
                outputs[name] = tuple(origin for column in known for origin in column) if len(known) == len(columns) else None
            return _Relation(outputs, set().union(*(part.leaves for part in parts)), set().union(*(part.drivers for part in parts)))
        select = scope.expression
        if not isinstance(select, exp.Select):
            raise AssertionError("only SELECT and UNION are walked")
        items: dict[str, _Relation] = {}
        start = select.args.get("from_") or select.args.get("from")
        names = [start.this.alias_or_name] if start is not None and start.this is not None else []
        joins = select.args.get("joins") or []
        names += [join.this.alias_or_name for join in joins]
        for at, name in enumerate(names):
            items[name] = self._item(scope, name, outer, is_main=is_main and at == 0)
        env = {**outer, **items}
        result = items[names[0]] if names else _Relation({}, set(), set())
        leaves = set(result.leaves)
        for at, join in enumerate(joins, start=1):
            joined = items[names[at]]
            earlier = set(leaves)
            leaves |= joined.leaves
            if not joined.leaves:
                continue
            condition = join.args.get("on")
            edges = self._edges(condition, env, joined.leaves, earlier) if condition is not None else None
            if edges is None and (where := select.args.get("where")) is not None:
                edges = self._edges(where.this, env, joined.leaves, earlier)
            self._join(edges, joined.leaves, is_main=is_main)
            if join.side in ("RIGHT", "FULL"):  # rows of the joined side drive as well
                self.found.global_leaves |= leaves
            if condition is not None:
                self._mark(condition, env)
        for below in scope.subquery_scopes:
            self._subquery(below, env, leaves, is_main=is_main)
        for node in (*select.expressions, *(select.args.get(part) for part in ("where", "group", "having", "qualify", "order"))):
            if node is not None:
                self._mark(node, env)
        self._bind_groups(select, env, leaves)
        if select.args.get("limit") is not None or select.args.get("offset") is not None:
            self.found.global_leaves |= leaves
        outputs = {column.alias_or_name: self._origins(column, env) for column in select.expressions}
        return _Relation(outputs, leaves, set(result.drivers), items)

    def _item(self, scope: Scope, name: str, outer: Mapping[str, _Relation], *, is_main: bool) -> _Relation:
        source = scope.sources.get(name)
        if isinstance(source, exp.Table):
            return self.leaf(source.name) if source.name.lower() in self.streams else _Relation({}, set(), set())
        if isinstance(source, Scope):
            if isinstance(source.expression, (exp.Select, exp.SetOperation, exp.Subquery)) and not source.is_udtf:
                return self.relation(source, outer, is_main=is_main)
            return _Relation({}, set(), set())
        return _Relation({}, set(), set())

    def _subquery(self, below: Scope, env: Mapping[str, _Relation], leaves: set[int], *, is_main: bool) -> None:
        inner = self.relation(below, env, is_main=False)
        if not inner.leaves:
            return
        edges: list[Edge] | None = None
        node = below.expression.parent
        holder = node.parent if isinstance(node, exp.Subquery) else node
        for candidate in (node, holder):
            if isinstance(candidate, exp.In) and len(inner.outputs) == 1:
                near, far = self._origins(candidate.this, env), next(iter(inner.outputs.values()))
                if near and far:
                    edges = [Edge(a, b) for a in far for b in near if a.leaf != b.leaf]
                break
        if not edges:
            select = below.expression
            where = select.args.get("where") if isinstance(select, exp.Select) else None
            edges = self._edges(where.this, {**env, **inner.items}, inner.leaves, leaves) if where is not None else None
        self._join(edges, inner.leaves, is_main=is_main)

    def _join(self, edges: list[Edge] | None, leaves: set[int], *, is_main: bool) -> None:
        if not edges:
            self.found.global_leaves |= leaves
            return
        self.found.edges += [replace(edge, is_both_ways=not is_main) for edge in edges]

    def _edges(self, condition: exp.Expr, env: Mapping[str, _Relation], joined: set[int], earlier: set[int]) -> list[Edge] | None:
        """Return the edges that every pair of joined rows goes along one of; None where there is no such set."""
        if isinstance(condition, exp.Paren):
            return self._edges(condition.this, env, joined, earlier)
        if isinstance(condition, exp.And):
            found = [self._edges(part, env, joined, earlier) for part in condition.flatten()]
            known = [edges for edges in found if edges]
            return min(known, key=len) if known else None
        if isinstance(condition, exp.Or):
            found = [self._edges(part, env, joined, earlier) for part in condition.flatten()]
            return [edge for edges in found for edge in edges or []] if all(found) else None
        if isinstance(condition, (exp.EQ, exp.NullSafeEQ)):
            sides = [self._origins(side, env) for side in (condition.this, condition.expression)]
            if sides[0] is None or sides[1] is None:
                return None
            for near, far in (sides, reversed(sides)):
                if near and far and all(a.leaf in joined for a in near) and all(b.leaf in earlier for b in far):
                    return [Edge(a, b) for a in near for b in far]
        return None

    def _origins(self, node: exp.Expr | None, env: Mapping[str, _Relation]) -> tuple[Origin, ...] | None:
        """Return the expressions over single leaves that a value may come from; empty for constants, None where it cannot be told."""
        if node is None or isinstance(node, (exp.Literal, exp.Null, exp.Boolean)):
            return ()
        if isinstance(node, exp.Column):
            return self._column(node, env)
        if isinstance(node, _PASSING):
            complete = self._computed(node, env) if isinstance(node, _CHOOSING) else None
            return complete if complete is not None and len(complete) == 1 else self._passed(node, env)
        return self._computed(node, env)

    def _computed(self, node: exp.Expr, env: Mapping[str, _Relation]) -> tuple[Origin, ...] | None:
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
            return tuple(Origin(origin.leaf, self._replaced(node, {columns[0].sql(): origin.sql})) for origin in origins or ())
        single = {text: origins[0] for text, origins in places.items() if origins and len(origins) == 1}
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

    def _passed(self, node: exp.Expr, env: Mapping[str, _Relation]) -> tuple[Origin, ...] | None:
        values: list[exp.Expr | None]
        if isinstance(node, exp.Case):
            values = [*(branch.args.get("true") for branch in node.args.get("ifs") or []), node.args.get("default")]
        elif isinstance(node, exp.If):
            values = [node.args.get("true"), node.args.get("false")]
        elif isinstance(node, exp.Coalesce):
            values = [node.this, *node.expressions]
        else:
            values = [node.this]
        found = [self._origins(value, env) for value in values]
        if any(origins is None for origins in found):
            return None
        return tuple(dict.fromkeys(origin for origins in found for origin in origins or ()))

    def _column(self, node: exp.Column, env: Mapping[str, _Relation]) -> tuple[Origin, ...] | None:
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

    def _mark(self, node: exp.Expr, env: Mapping[str, _Relation]) -> None:
        """Note every column that is read, derivable or not."""
        for column in node.find_all(exp.Column):
            self._column(column, env)

    def _bind_groups(self, select: exp.Select, env: Mapping[str, _Relation], leaves: set[int]) -> None:
        groups: list[Sequence[exp.Expr]] = []
        group = select.args.get("group")
        if group is not None:
            if any(group.args.get(part) for part in ("cube", "rollup", "grouping_sets")):
                self.found.global_leaves |= leaves
                return
            groups.append(
                [self._named(key, select) for key in group.expressions] if not group.args.get("all") else self._plain_keys(select)
            )
        own = [node for column in select.expressions for node in column.find_all(exp.AggFunc) if self._is_own(node, select)]
        if group is None and any(node.find_ancestor(exp.Window) is None for node in own):
            groups.append([])
        qualify_ = select.args.get("qualify")
        for part in (
            *select.expressions,
            *([qualify_] if qualify_ is not None else []),
            *([select.args["order"]] if select.args.get("order") else []),
        ):
            for window in part.find_all(exp.Window):
                if self._is_own(window, select):
                    groups.append(window.args.get("partition_by") or [])
        for keys in groups:
            self._bind(keys, env, leaves)

    @staticmethod
    def _is_own(node: exp.Expr, select: exp.Select) -> bool:
        return node.find_ancestor(exp.Select) is select

    @staticmethod
    def _named(key: exp.Expr, select: exp.Select) -> exp.Expr:
        """Return what `group by 1` or `group by alias` names."""
        if isinstance(key, exp.Literal) and key.is_int:
            return select.expressions[int(key.name) - 1].unalias()
        return key

    @staticmethod
    def _plain_keys(select: exp.Select) -> list[exp.Expr]:
        return [column.unalias() for column in select.expressions if not column.find(exp.AggFunc, exp.Window)]

    def _bind(self, keys: Iterable[exp.Expr], env: Mapping[str, _Relation], leaves: set[int]) -> None:
        """Bind rows with equal keys: by all keys that one leaf gives, else by the first that can be derived; without any, all rows."""
        if not leaves:
            return
        found = [origins for key in keys if (origins := self._origins(key, env))]
        single = [origins[0] for origins in found if len(origins) == 1]
        if single:
            by_leaf: dict[int, list[str]] = {}
            for origin in single:
                by_leaf.setdefault(origin.leaf, []).append(origin.sql)
            leaf, texts = max(by_leaf.items(), key=lambda entry: len(entry[1]))
            self.found.bindings.append(Binding(leaf, tuple(texts)))
        elif found:
            self.found.bindings += [Binding(origin.leaf, (origin.sql,)) for origin in found[0]]
        else:
            self.found.global_leaves |= leaves
