"""What a mapping's SELECT combines: occurrences of streams (leaves), how they are joined, which rows are counted together.

Holds data and its wording, and what makes a result change by itself. How it is found is in `derivation`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

SOURCE = "source"
"""Name by which a SELECT reads the stream that it belongs to."""
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
    def column(self) -> str:
        """Return the column that it is; empty where it is more than a column."""
        return self.sql[1:-1] if self.sql.startswith('"') and self.sql.endswith('"') and self.sql.count('"') == 2 else ""

    @property
    def value(self) -> str:
        """Return the SQL that does not fail: a condition that guarded the expression may be lost."""
        return self.sql if self.column else f"try({self.sql})"


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
    own: set[str] = field(default_factory=set)  # output columns whose values come from the record itself
    unstable: str = ""  # what makes the result change by itself

    @property
    def is_global(self) -> bool:
        """Whether every change maps everything: the rows of the stream itself are combined in a way that was not derived."""
        return bool(self.global_leaves & self.roots) or not self.roots

    def followed(self, leaf: int) -> set[str]:
        """Return the columns of a leaf of which a row that is gone still tells what it reached."""
        if leaf not in self.roots:
            return self.columns[leaf]
        leads = [edge.left.sql for edge in self.edges if edge.left.leaf == leaf]
        leads += [edge.right.sql for edge in self.edges if edge.right.leaf == leaf and edge.is_both_ways]
        leads += [key for binding in self.bindings if binding.leaf == leaf for key in binding.keys]
        return {column.name for sql in leads for column in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Column)}

    def sentences(self) -> list[str]:
        """Return in words what maps a row again."""
        found: dict[str, set[str]] = {}
        for edge in self.edges:
            for near, far in ((edge.left, edge.right), *(((edge.right, edge.left),) if edge.is_both_ways else ())):
                if near.leaf not in self.roots:
                    found.setdefault(self.tables[near.leaf], set()).add(far.sql.replace('"', ""))
        lines = [f"{table} by {', '.join(sorted(by))}" for table, by in sorted(found.items())]
        return lines + [f"any row of {self.tables[leaf]}" for leaf in sorted(self.global_leaves)]


def unstable(sql: str) -> str:
    """Return the part of a SELECT that gives another value each time; empty where there is none."""
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError:
        return ""
    for node in tree.walk():
        if isinstance(node, _UNSTABLE) or (isinstance(node, exp.Anonymous) and str(node.this).lower() in _UNSTABLE_NAMES):
            return str(node.sql(dialect="duckdb"))
    return ""
