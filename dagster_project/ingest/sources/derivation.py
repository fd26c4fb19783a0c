"""Which rows of its streams a mapping's SELECT combines, derived from the SELECT itself.

Holds the walk over the parsed statement (sqlglot). Every occurrence of a stream is a *leaf*; the leaf that drives the outermost FROM is a
*root* and gives the record numbers. Equalities of joins, of correlated subqueries and of IN lead from leaf to leaf. GROUP BY and PARTITION
BY bind rows of a leaf together. A leaf without such a path is *global*: any change of it maps every row again. What is derived may
be too much, never too little. It must not run SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from dagster_project.ingest.readers.source import file_constants
from dagster_project.ingest.sources.dependencies import SOURCE, Binding, Dependencies, Edge, Origin, unstable
from dagster_project.ingest.sources.origins import Origins, Relation

_MOST_LEAVES = 1_000


def derive(sql: str, relations: Mapping[str, Sequence[str]]) -> Dependencies:
    """Derive the dependencies of one SELECT over these relations (name to columns).

    What sqlglot cannot parse or resolve is global as a whole: the result then has no roots.
    """
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
        schema: dict[str, object] = {
            name: dict.fromkeys((*columns, *file_constants(columns), "record_number"), "VARCHAR") for name, columns in relations.items()
        }
        tree = qualify(tree, schema=schema, dialect="duckdb", validate_qualify_columns=False, quote_identifiers=True, identify=True)
        scope = build_scope(tree)
        assert scope is not None, "a SELECT has a scope"
        walk = _Walk({name.lower(): name for name in relations})
        relation = walk.relation(scope, {}, is_main=True)
    except (SqlglotError, AssertionError, KeyError, RecursionError):
        return Dependencies(unstable=unstable(sql))
    found = walk.found
    found.roots = {leaf for leaf in relation.drivers if found.tables[leaf].lower() == SOURCE}
    if len(found.roots) < len(relation.drivers):  # the numbers of records come from another stream too
        found.global_leaves |= found.roots
    found.own = {
        name for name, origins in relation.outputs.items() if origins is not None and all(origin.leaf in found.roots for origin in origins)
    }
    found.unstable = unstable(sql)
    return found


class _Walk:
    def __init__(self, streams: Mapping[str, str]) -> None:
        self.streams = streams
        self.found = Dependencies()
        self.origins = Origins(self.found)

    def leaf(self, table: str) -> Relation:
        number = len(self.found.tables)
        assert number < _MOST_LEAVES, "combines its streams too often"
        self.found.tables.append(self.streams[table.lower()])
        self.found.columns.append(set())
        return Relation({}, {number}, {number})

    def relation(self, scope: Scope, outer: Mapping[str, Relation], *, is_main: bool) -> Relation:
        """Walk a scope and everything below it; `outer` are the FROM items of the query around it."""
        if scope.set_operation_scopes:
            parts = [self.relation(part, outer, is_main=is_main) for part in scope.set_operation_scopes]
            names = list(parts[0].outputs)
            outputs: dict[str, tuple[Origin, ...] | None] = {}
            for at, name in enumerate(names):
                columns = [list(part.outputs.values())[at] if at < len(part.outputs) else None for part in parts]
                known = [column for column in columns if column is not None]
                outputs[name] = tuple(origin for column in known for origin in column) if len(known) == len(columns) else None
            return Relation(outputs, set().union(*(part.leaves for part in parts)), set().union(*(part.drivers for part in parts)))
        select = scope.expression
        if not isinstance(select, exp.Select):
            raise AssertionError("only SELECT and UNION are walked")
        items: dict[str, Relation] = {}
        start = select.args.get("from_") or select.args.get("from")
        names = [start.this.alias_or_name] if start is not None and start.this is not None else []
        joins = select.args.get("joins") or []
        names += [join.this.alias_or_name for join in joins]
        for at, name in enumerate(names):
            items[name] = self._item(scope, name, outer, is_main=is_main and at == 0)
        env = {**outer, **items}
        result = items[names[0]] if names else Relation({}, set(), set())
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
                self.origins.mark(condition, env)
        for below in scope.subquery_scopes:
            self._subquery(below, env, leaves, is_main=is_main)
        for node in (*select.expressions, *(select.args.get(part) for part in ("where", "group", "having", "qualify", "order"))):
            if node is not None:
                self.origins.mark(node, env)
        self._bind_groups(select, env, leaves)
        if select.args.get("limit") is not None or select.args.get("offset") is not None:
            self.found.global_leaves |= leaves
        outputs = {column.alias_or_name: self.origins.of(column, env) for column in select.expressions}
        return Relation(outputs, leaves, set(result.drivers), items)

    def _item(self, scope: Scope, name: str, outer: Mapping[str, Relation], *, is_main: bool) -> Relation:
        source = scope.sources.get(name)
        if isinstance(source, exp.Table):
            return self.leaf(source.name) if source.name.lower() in self.streams else Relation({}, set(), set())
        if isinstance(source, Scope):
            if isinstance(source.expression, (exp.Select, exp.SetOperation, exp.Subquery)) and not source.is_udtf:
                return self.relation(source, outer, is_main=is_main)
            return Relation({}, set(), set())
        return Relation({}, set(), set())

    def _subquery(self, below: Scope, env: Mapping[str, Relation], leaves: set[int], *, is_main: bool) -> None:
        inner = self.relation(below, env, is_main=False)
        if not inner.leaves:
            return
        edges: list[Edge] | None = None
        node = below.expression.parent
        holder = node.parent if isinstance(node, exp.Subquery) else node
        for candidate in (node, holder):
            if isinstance(candidate, exp.In) and len(inner.outputs) == 1:
                near, far = self.origins.of(candidate.this, env), next(iter(inner.outputs.values()))
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

    def _edges(self, condition: exp.Expr, env: Mapping[str, Relation], joined: set[int], earlier: set[int]) -> list[Edge] | None:
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
            sides = [self.origins.of(side, env) for side in (condition.this, condition.expression)]
            if sides[0] is None or sides[1] is None:
                return None
            for near, far in (sides, reversed(sides)):
                if near and far and all(a.leaf in joined for a in near) and all(b.leaf in earlier for b in far):
                    return [Edge(a, b) for a in near for b in far]
        return None

    def _bind_groups(self, select: exp.Select, env: Mapping[str, Relation], leaves: set[int]) -> None:
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
            windows = (window for window in part.find_all(exp.Window) if self._is_own(window, select))
            groups += [window.args.get("partition_by") or [] for window in windows]
        for keys in groups:
            self._bind(keys, env, leaves)

    @staticmethod
    def _is_own(node: exp.Expr, select: exp.Select) -> bool:
        return node.find_ancestor(exp.Select) is select

    @staticmethod
    def _named(key: exp.Expr, select: exp.Select) -> exp.Expr:
        """Return what `group by 1` or `group by alias` names."""
        if isinstance(key, exp.Literal) and key.is_int:
            column: exp.Expr = select.expressions[int(key.name) - 1].unalias()
            return column
        return key

    @staticmethod
    def _plain_keys(select: exp.Select) -> list[exp.Expr]:
        return [column.unalias() for column in select.expressions if not column.find(exp.AggFunc, exp.Window)]

    def _bind(self, keys: Iterable[exp.Expr], env: Mapping[str, Relation], leaves: set[int]) -> None:
        """Bind rows with equal keys: by all keys that one leaf gives, else by the first that can be derived; without any, all rows."""
        if not leaves:
            return
        found = [origins for key in keys if (origins := self.origins.of(key, env))]
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
